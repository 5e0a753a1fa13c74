"""The detector: what it says of plain changes, that its state is all it knows, and that nothing odd gets into it."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.drift.detector import SIDES, Detector, threshold
from pipeline.drift.fit import Sums, fit
from pipeline.drift.kinds import KINDS, Name
from tests.pipeline.drift.simulated import GRADES, LEVELS, baseline, open_hours, world

SIZE: dict[Name, float] = {"grade": 1.5, "compliance": 1.5, "time": 0.6, "volume": 0.7}
"""A change that is to be found within days."""
FLAT = {kind: np.full(168, level) for kind, level in LEVELS.items()}


def feed(detector: Detector, sums: Sums) -> list[int]:
    """The alarm after each hour."""
    found = []
    for hour, v, n in zip(sums.hour.tolist(), sums.v.tolist(), sums.n.tolist(), strict=True):
        detector.update(hour, v, n)
        found.append(detector.alarm)
    return found


def numbers(detector: Detector) -> dict[str, Any]:
    return json.loads(json.dumps(detector.state()))  # type: ignore[no-any-return]


def steady(kind: Name, days: int = 28, first_day: int = 0, shift: float = 0.0, seed: int = 11) -> Sums:
    return world(kind, open_hours(days, first_day), np.random.default_rng(seed), shift=shift, pattern=FLAT[kind])


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", SIDES)
def test_a_change_is_found_told_and_over(kind: Name, side: int) -> None:
    detector = Detector(fit(kind, steady(kind, 84), GRADES), 0.25)
    assert set(feed(detector, steady(kind, 28, 84))) == {0}
    assert detector.status == "ok"
    alarms = feed(detector, steady(kind, 14, 112, side * SIZE[kind]))
    assert alarms[-1] == side
    assert detector.status == ("drifting_up" if side > 0 else "drifting_down")
    first = 112 * 24 + 8
    assert first <= detector.alarms[-1] < first + 7 * 24
    assert first - 24 * 4 <= detector.leading().onset <= detector.alarms[-1]
    assert detector.size() * side == pytest.approx(SIZE[kind], rel=0.35)
    back = feed(detector, steady(kind, 28, 126))
    assert back[-1] == 0
    assert set(back) == {0, side}, "coming back is no change to the other side"
    hours = open_hours(28, 126)
    assert hours[0] - 24 * 4 <= detector.recovering_from <= hours[back.index(0)] + 1


def test_no_contacts_at_all_are_found_within_hours() -> None:
    detector = Detector(fit("volume", steady("volume", 84)), 0.25)
    alarms = feed(detector, Sums(open_hours(1, 84), np.zeros(9), np.ones(9)))
    assert alarms[3:] == [-1] * 6
    assert detector.size() < -2


def test_a_smaller_budget_asks_for_more() -> None:
    assert threshold(1.0) == pytest.approx(math.log(0.6 * 182.5))
    assert threshold(0.25) == pytest.approx(math.log(438))
    changed = steady("time", 14, 84, 0.3)
    found = [feed(Detector(fit("time", steady("time", 84)), budget), changed).index(1) for budget in (4.0, 0.25, 0.001)]
    assert found[0] <= found[1] < found[2]


def test_sides_mirror_each_other() -> None:
    """Log-seconds know no up or down: mirrored waits give the mirrored course."""
    base, mirrored = baseline("time", 3.0), baseline("time", -3.0)
    one, other = Detector(base, 0.25), Detector(mirrored, 0.25)
    for sums in (steady("time", 7), steady("time", 14, 7, 0.4), steady("time", 14, 21)):
        v = sums.v - LEVELS["time"] + 3.0
        alarms = feed(one, Sums(sums.hour, v, sums.n))
        assert feed(other, Sums(sums.hour, -v, sums.n)) == [-alarm for alarm in alarms]
        down, up = one.statistic()
        assert list(other.statistic()) == [pytest.approx(up), pytest.approx(down)]
        assert other.size() == pytest.approx(-one.size()) or not one.alarm


def test_a_change_to_the_other_side_takes_its_place() -> None:
    detector = Detector(baseline("grade"), 0.25)
    assert feed(detector, steady("grade", 7, 0, -2.0))[-1] == -1
    alarms = feed(detector, steady("grade", 28, 7, 2.0))
    assert alarms[-1] == 1
    assert detector.leading().onset >= 7 * 24
    assert detector.size() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_while_it_drifts_the_level_is_not_learned(kind: Name) -> None:
    detector = Detector(baseline(kind), 0.25)
    alarms = feed(detector, steady(kind, 28, 0, -SIZE[kind]))
    assert alarms[-1] == -1
    level = detector.level
    feed(detector, steady(kind, 28, 28, -SIZE[kind]))
    assert detector.level == level
    assert abs(level) < SIZE[kind] / 4


# ── announced changes ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_an_announced_change_is_learned_in_silence(kind: Name) -> None:
    detector = Detector(fit(kind, steady(kind, 84), GRADES), 0.25)
    detector.relearn(84 * 24)
    assert detector.silent
    assert set(feed(detector, steady(kind, 28, 84, SIZE[kind]))) == {0}
    assert not detector.silent
    assert detector.level == pytest.approx(SIZE[kind], rel=0.4)
    assert set(feed(detector, steady(kind, 14, 112, SIZE[kind]))) == {0}
    assert feed(detector, steady(kind, 14, 126))[-1] == -1, "what was usual before is a change now"


@pytest.mark.parametrize("kind", KINDS)
def test_an_announced_change_ends_an_alarm(kind: Name) -> None:
    detector = Detector(baseline(kind), 0.25)
    feed(detector, steady(kind, 7, 0, -SIZE[kind]))
    assert detector.alarm == -1
    detector.relearn(7 * 24)
    assert (detector.alarm, detector.silent, detector.status) == (0, True, "ok")
    assert detector.statistic()[0] < -1e8


def test_too_little_known_is_silent_until_more_is() -> None:
    detector = Detector(baseline("grade", known=5.0), 0.25)
    assert detector.silent
    alarms = feed(detector, steady("grade", 28))
    assert not detector.silent
    assert set(alarms) == {0}


def test_a_new_baseline_of_little_does_not_end_an_alarm() -> None:
    """While a change lasts, ever less is left to fit a baseline to; that is no recovery."""
    detector = Detector(baseline("grade", known=400.0, daily=2.0), 0.25)
    feed(detector, steady("grade", 7, 0, -2.0))
    detector.rebase(baseline("grade", known=20.0, daily=2.0))
    assert detector.alarm == -1
    level = detector.level
    assert set(feed(detector, steady("grade", 28, 7, -2.0))) == {-1}
    assert detector.level == level


# ── state ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def courses(draw: st.DrawFn) -> tuple[Name, list[tuple[int, float, float]]]:
    """A kind, and hours with sums of any size, often quiet, sometimes far out."""
    kind = draw(st.sampled_from(list(KINDS)))
    gaps = draw(st.lists(st.integers(1, 30), min_size=2, max_size=60))
    hour, rows = 0, []
    for gap in gaps:
        hour += gap
        off = draw(st.sampled_from([0.0, 0.0, 0.0, -0.5, 1.0, -3.0]))
        m = LEVELS[kind] + off
        v = {"grade": min(max(m, 1.0), 10.0), "compliance": 1 / (1 + math.exp(-m)), "time": m, "volume": float(round(math.exp(m)))}[kind]
        rows.append((hour, v, float(draw(st.integers(1, 40)))))
    return kind, rows


@given(courses(), st.data())
@settings(max_examples=80)
def test_from_its_state_it_goes_on_alike(course: tuple[Name, list[tuple[int, float, float]]], data: st.DataObject) -> None:
    kind, rows = course
    cut = data.draw(st.integers(0, len(rows)))
    one = Detector(baseline(kind), 0.25)
    for row in rows[:cut]:
        one.update(*row)
    other = Detector.of(baseline(kind), 0.25, numbers(one))
    for row in rows[cut:]:
        assert other.update(*row) == one.update(*row)
        assert other.size() == one.size()
    assert numbers(one) == numbers(other)


@given(courses(), st.data())
@settings(max_examples=60)
def test_an_hour_in_pieces_is_the_whole_hour(course: tuple[Name, list[tuple[int, float, float]]], data: st.DataObject) -> None:
    """Where nothing is found or over: a piece may speak for a change that the whole hour does not."""
    kind, rows = course
    whole, pieces = Detector(baseline(kind), 1e-12), Detector(baseline(kind), 1e-12)
    for hour, v, n in rows:
        whole.update(hour, v, n)
        first = data.draw(st.integers(0, int(v if kind == "volume" else n)))
        if kind == "volume":
            pieces.update(hour, float(first), 1.0)
            pieces.update(hour, v - first, 1.0)
        else:
            pieces.update(hour, v, float(first))
            pieces.update(hour, v, n - first)
    if whole.alarm or pieces.alarm:
        return
    one, other = numbers(whole), numbers(pieces)
    assert one.pop("components") == [[pytest.approx(part, rel=1e-6, abs=1e-6) for part in side] for side in other.pop("components")]
    assert one.pop("growth") is other.pop("growth") is None
    assert one.pop("alarms") == other.pop("alarms")
    assert one == pytest.approx(other, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_after_an_hour_was_taken_counts_once(kind: Name) -> None:
    """As of an hour that a day's end cut in two."""
    detector, again = Detector(baseline(kind), 0.25), Detector(baseline(kind), 0.25)
    for one in (detector, again):
        one.update(5, 0.9, 7)
    restored = Detector.of(baseline(kind), 0.25, numbers(detector))
    for one in (detector, restored):
        one.update(5, 0.8, 2)
    assert numbers(detector) == numbers(restored)


def test_hours_go_forward_only() -> None:
    detector = Detector(baseline("volume"), 0.25)
    detector.update(30, 7, 1)
    with pytest.raises(ValueError, match="hour 29 comes after hour 30"):
        detector.update(29, 7, 1)
    before = numbers(detector)
    with pytest.raises(ValueError, match="in order"):
        detector.update(3, 7, 1)
    assert numbers(detector) == before


# ── odd values ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["grade", "compliance", "time"])
def test_a_sum_of_nothing_changes_nothing(kind: Name) -> None:
    detector = Detector(baseline(kind), 0.25)
    detector.update(5, LEVELS["grade"], 3)
    detector.close()
    before = {name: one for name, one in numbers(detector).items() if name not in ("hour", "day", "used")}
    for hour, v, n in ((6, 0.0, 0.0), (7, 1.0, 0.0), (40, math.nan, 0.0), (41, 1.0, math.nan)):
        detector.update(hour, v, n)
    assert {name: one for name, one in numbers(detector).items() if name not in ("hour", "day", "used")} == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("v", "n"), [(math.nan, 3.0), (math.inf, 3.0), (-math.inf, 1.0), (1.0, math.inf), (0.0, math.inf)])
def test_what_is_no_number_is_refused(kind: Name, v: float, n: float) -> None:
    detector = Detector(baseline(kind), 0.25)
    detector.update(5, 1.0, 3)
    if kind == "volume" and math.isfinite(v):
        detector.update(6, v, n)  # the weight of a volume is not used
        return
    with pytest.raises(ValueError, match="no number"):
        detector.update(6, v, n)
    detector.update(7, 1.0, 3)
    assert all(math.isfinite(one) for one in flat(numbers(detector)))


def flat(value: Any) -> Sequence[float]:
    """Every number in a document."""
    if isinstance(value, dict):
        return [one for part in value.values() for one in flat(part)]
    return [one for part in value for one in flat(part)] if isinstance(value, list) else [float(value or 0)]


EXTREMES: dict[Name, list[tuple[float, float]]] = {
    "grade": [(1.0, 1.0), (10.0, 1e7), (1.0, 1e7)],
    "compliance": [(0.0, 1.0), (1.0, 1.0), (0.0, 1e8), (1.0, 1e8)],
    "time": [(0.0, 1.0), (20.0, 1.0), (0.0, 1e8), (20.0, 1e8)],
    "volume": [(0.0, 1.0), (1e8, 1.0), (0.0, 1.0)],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [None, -8.0, 9.0])
def test_extremes_stay_numbers(kind: Name, level: float | None) -> None:
    detector = Detector(baseline(kind, level), 0.25)
    hour = 0
    for _ in range(3):
        for v, n in EXTREMES[kind]:
            for _ in range(4):
                hour += 5
                detector.update(hour, v, n)
                told = (detector.size(), *detector.statistic())
                assert all(math.isfinite(one) for one in told)
    assert all(math.isfinite(one) for one in flat(numbers(detector)))


@given(courses())
@settings(max_examples=60)
def test_what_the_evidence_is_of_adds_up(course: tuple[Name, list[tuple[int, float, float]]]) -> None:
    """n since the onset is that of the hours since it."""
    kind, rows = course
    detector = Detector(baseline(kind), 0.25)
    for row in rows:
        detector.update(*row)
    detector.close()
    since = [row for row in rows if row[0] >= detector.leading().onset]
    if not detector.leading().n:
        return
    assert detector.leading().n == pytest.approx(sum(1.0 if kind == "volume" else n for _, _, n in since))
    assert detector.leading().seen == pytest.approx(sum(v if kind == "volume" else v * n for _, v, n in since))


def test_each_alarm_of_a_quarter_makes_the_next_one_harder() -> None:
    detector = Detector(baseline("time"), 0.25)
    first = detector.limit
    for day in (0, 28):
        feed(detector, steady("time", 7, day, SIZE["time"]))
        assert detector.alarm == 1
        feed(detector, steady("time", 21, day + 7))
        assert detector.alarm == 0
    assert detector.limit == pytest.approx(first + 2 * math.log(2))
    assert Detector.of(detector.baseline, 0.25, numbers(detector)).limit == detector.limit
    feed(detector, steady("time", 7, 28 + 100))
    assert detector.limit == first, "a quarter later the budget is whole again"
