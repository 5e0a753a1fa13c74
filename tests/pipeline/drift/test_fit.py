"""The nightly fit: it finds levels and straying that were planted, holds every sum against other weeks, and bears little or odd data."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.drift.baseline import HOURS
from pipeline.drift.detector import Detector
from pipeline.drift.fit import FOLDS, Sums, fit, score, sums_of, weights
from pipeline.drift.kinds import KINDS, Name
from tests.pipeline.drift.simulated import GRADES, LEVELS, open_hours, week_pattern, world

WEEKS = 12


@pytest.mark.parametrize("kind", KINDS)
def test_it_finds_the_pattern_of_the_week(kind: Name) -> None:
    hours = np.arange(WEEKS * HOURS)
    base = fit(kind, world(kind, hours, np.random.default_rng(1), n=60), GRADES)
    found, planted = np.array(base.cells), week_pattern(kind)
    tolerance = {"grade": 0.12, "compliance": 0.15, "time": 0.08, "volume": 0.15}[kind]
    assert float(np.sqrt(((found - planted) ** 2).mean())) < tolerance
    assert float(np.corrcoef(found, planted)[0, 1]) > 0.8


@pytest.mark.parametrize("kind", ["compliance", "time", "volume"])
@pytest.mark.parametrize(("day", "hour"), [(0.0, 0.0), (0.4, 0.1), (0.05, 0.4)])
def test_it_finds_how_far_days_and_hours_stray(kind: Name, day: float, hour: float) -> None:
    flat = np.full(HOURS, {"compliance": 0.5, "time": 3.0, "volume": 3.5}[kind])
    sums = world(kind, open_hours(7 * WEEKS), np.random.default_rng(2), n=200, day=day, hour=hour, pattern=flat)
    base = fit(kind, sums)
    assert math.sqrt(base.day) == pytest.approx(day, abs=0.09)
    assert math.sqrt(base.hour) == pytest.approx(hour, abs=0.09)


def test_it_finds_the_variance_of_single_waits() -> None:
    base = fit("time", world("time", open_hours(7 * WEEKS), np.random.default_rng(2), n=4, sigma=0.7))
    assert base.sigma2 == pytest.approx(0.49, rel=0.15)


def test_days_that_stray_tell_less() -> None:
    calm, stormy = (
        fit("compliance", world("compliance", open_hours(7 * WEEKS), np.random.default_rng(3), n=300, day=day)) for day in (0.0, 0.5)
    )
    assert stormy.daily < calm.daily / 2
    assert stormy.known < calm.known / 2


def test_variance_of_grades_is_that_of_the_single_answers() -> None:
    base = fit("grade", world("grade", open_hours(28), np.random.default_rng(4)), [(6.0, 50.0), (10.0, 50.0)])
    assert base.sigma2 == pytest.approx(4.0, rel=0.05)
    assert [value for value, _ in base.grades] == list(range(1, 11))
    assert sum(share for _, share in base.grades) == pytest.approx(1)
    assert min(share for _, share in base.grades) > 0, "what was never given can be given"
    assert dict(base.grades)[10.0] > 0.4


def test_grades_between_the_ten_are_kept() -> None:
    base = fit("grade", world("grade", open_hours(28), np.random.default_rng(4)), [(3.25, 40.0), (7.75, 60.0)])
    assert {3.25, 7.75} < {value for value, _ in base.grades}


def test_every_sum_is_held_against_other_weeks() -> None:
    """One week far out: the noise found is that of a stranger, not of one that pulled the level towards itself."""
    hours = open_hours(14)
    n = np.full(len(hours), 500.0)
    v = np.where(hours < HOURS, 0.2, 0.8)
    base = fit("compliance", Sums(hours, v, n))
    own = np.array(base.cells)[hours % HOURS]
    assert np.abs(1 / (1 + np.exp(-own)) - 0.5).max() < 0.02, "the levels themselves lie between the weeks"
    straying = base.day + base.hour
    assert straying > 1.0, "log-odds of the other week lie 2.8 away, not 1.4"
    assert FOLDS > 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [1, 2, 9, 30])
def test_a_short_history_gives_a_baseline(kind: Name, length: int) -> None:
    sums = world(kind, open_hours(7)[:length], np.random.default_rng(5), n=2)
    base = fit(kind, sums)
    numbers = (*base.cells, base.sigma2, base.day, base.hour, base.over_day, base.over_week, base.daily, base.daily_extreme, base.known)
    assert all(math.isfinite(one) for one in numbers)
    assert min(base.sigma2, base.day, base.hour, base.daily, base.daily_extreme, base.saturation) > 0
    assert min(base.over_day, base.over_week) >= 1
    assert len(base.cells) == HOURS


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_history_it_says_so(kind: Name) -> None:
    with pytest.raises(ValueError, match="at least one hour"):
        fit(kind, Sums(np.zeros(0, np.int64), np.zeros(0), np.zeros(0)))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_never_or_always_happens_stays_finite(share: float) -> None:
    hours = open_hours(7 * WEEKS)
    base = fit("compliance", Sums(hours, np.full(len(hours), share), np.full(len(hours), 1e6)))
    assert all(math.isfinite(one) for one in base.cells)
    p = 1 / (1 + np.exp(-np.array(base.cells)[hours % HOURS]))
    assert np.abs(p - share).max() < 0.02


def test_a_silent_channel_is_expected_to_stay_so() -> None:
    hours = open_hours(7 * WEEKS)
    base = fit("volume", Sums(hours, np.zeros(len(hours)), np.ones(len(hours))))
    expected = np.exp(np.array(base.cells)[hours % HOURS])
    assert float(expected.max()) < 0.1
    assert float(expected.min()) > 0


def test_one_storm_does_not_blind_it() -> None:
    stormy = world("volume", open_hours(7 * WEEKS), np.random.default_rng(6))
    stormy.v[400:409] *= 30
    base = fit("volume", stormy)
    assert base.day + base.hour < 0.5
    detector = Detector(base, 0.25)
    for hour in open_hours(2, 7 * WEEKS).tolist():
        detector.update(hour, 0.0, 1.0)
    assert detector.alarm == -1


@st.composite
def odd_sums(draw: st.DrawFn) -> tuple[Name, Sums]:
    kind = draw(st.sampled_from(list(KINDS)))
    hours = sorted(draw(st.sets(st.integers(0, 20 * HOURS), min_size=1, max_size=60)))
    low, high = {"grade": (1, 10), "compliance": (0, 1), "time": (0, 16), "volume": (0, 10**6)}[kind]
    v = [float(draw(st.integers(low, high))) if kind == "volume" else draw(st.floats(low, high)) for _ in hours]
    n = [1.0 if kind == "volume" else float(draw(st.integers(1, 10**6))) for _ in hours]
    return kind, Sums(np.array(hours, np.int64), np.array(v), np.array(n))


@given(odd_sums())
@settings(max_examples=60)
def test_any_sums_give_finite_numbers(given_: tuple[Name, Sums]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        base = fit(*given_)
    numbers = (*base.cells, base.sigma2, base.day, base.hour, base.over_day, base.over_week, base.daily, base.daily_extreme, base.known)
    assert all(math.isfinite(one) for one in numbers)
    assert min(base.day, base.hour, base.sigma2, base.daily, base.saturation) > 0


# ── sums and weights ────────────────────────────────────────────────────────────────────────────────────────────────


def test_single_observations_become_sums_of_their_hour() -> None:
    sums = sums_of("time", np.array([3.0, 3.9, 1.5, 7.0]), np.array([1.0, 4.0, 2.0, np.nan]), np.array([1.0, 2.0, 1.0, 0.0]))
    assert (sums.hour.tolist(), sums.v.tolist(), sums.n.tolist()) == ([1, 3], [2.0, 3.0], [1.0, 3.0])


def test_volumes_add_up_and_keep_their_noughts() -> None:
    sums = sums_of("volume", np.array([0.0, 1.0, 1.5]), np.array([0.0, 4.0, 3.0]), np.array([0.0, 1.0, 1.0]))
    assert (sums.hour.tolist(), sums.v.tolist(), sums.n.tolist()) == ([0, 1], [0.0, 7.0], [1.0, 1.0])


@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=20), st.floats(1e-4, 1), st.floats(1e-4, 1), st.integers(1, 20))
def test_a_day_tells_no_more_than_its_own_straying_allows(i: list[float], day: float, hour: float, cut: int) -> None:
    """Σ f·i over a day is J/(1 + Jτ²), with J the sum of the hours' own information: less than 1/τ²."""
    starts = np.arange(len(i)) % cut == 0
    information = np.array(i)
    f, before = weights(information, starts, day, hour)
    own = information / (1 + information * hour)
    where = np.cumsum(starts) - 1
    total, known = np.bincount(where, own), np.bincount(where, f * information)
    assert known == pytest.approx(total / (1 + total * day), rel=1e-6)
    assert (known < 1 / day).all()
    assert before[starts] == pytest.approx(0, abs=1e-6 * total.max())


@pytest.mark.parametrize("kind", KINDS)
def test_at_the_expected_level_the_score_is_nought(kind: Name) -> None:
    m = np.array([LEVELS[kind]])
    v = {"compliance": 1 / (1 + np.exp(-m)), "volume": np.exp(m)}.get(kind, m)
    u, i = score(kind, Sums(np.array([0]), v, np.array([9.0])), m, 2.0)
    assert u.tolist() == [pytest.approx(0)]
    assert i[0] > 0
