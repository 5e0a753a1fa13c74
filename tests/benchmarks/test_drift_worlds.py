"""The worlds of the drift benchmark: seeded, shaped as said, and their effects as large as said."""

import numpy as np
import pytest

from benchmarks.drift.effects import EFFECTS, KINDS, NONE, Effect, Kind
from benchmarks.drift.hours import DAY, THIRDS, WEEK, Floats
from benchmarks.drift.worlds import HISTORY, WATCHED, World, world


def _effect(kind: Kind, name: str) -> Effect:
    return next(effect for effect in EFFECTS[kind] if effect.name == name)


def _split(found: World) -> tuple[Floats, Floats]:
    """Rows before the change and while it lasts."""
    assert found.change is not None
    end = found.end if found.recovery is None else found.recovery
    t = found.run[:, 0]
    return np.vstack([found.history, found.run[t < found.change]]), found.run[(t >= found.change) & (t < end)]


def _mean(rows: Floats) -> float:
    return float(np.average(rows[:, 1], weights=rows[:, 2]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_makes_the_same_arrays_and_another_seed_or_index_others(kind: Kind) -> None:
    first, again = (world(kind, NONE, "30-300", 1.0, 5, 2, days=28) for _ in range(2))
    assert np.array_equal(first.history, again.history)
    assert np.array_equal(first.run, again.run)
    for other in (world(kind, NONE, "30-300", 1.0, 6, 2, days=28), world(kind, NONE, "30-300", 1.0, 5, 3, days=28)):
        assert not np.array_equal(first.history, other.history)


@pytest.mark.parametrize("third", THIRDS)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_what_a_detector_is_fed(kind: Kind, third: str) -> None:
    found = world(kind, NONE, third, 1.0, 1, 0)
    history, run = found.history, found.run
    assert 0 <= history[:, 0].min() < history[:, 0].max() < HISTORY <= run[:, 0].min() < run[:, 0].max() < found.end == HISTORY + 364 * DAY
    assert (found.change, found.recovery, found.side, found.markers) == (None, None, 0, ())
    values, weights = np.concatenate([history[:, 1], run[:, 1]]), np.concatenate([history[:, 2], run[:, 2]])
    if kind == "grade":
        assert set(np.unique(values)) <= {*range(1, 11), 3.25, 5.5, 7.75}
        assert 6 < values.mean() < 9
        assert (weights == 1).all()
        return
    t = run[:, 0]
    assert (t == t // 1).all()
    assert (np.diff(t) > 0).all()
    if kind == "compliance":
        assert ((values >= 0) & (values <= 1) & (weights >= 1)).all()
        assert (np.round(values * weights, 6) % 1 < 1e-5).all()
    elif kind == "volume":
        assert np.array_equal(t, found.hours)
        low, high = THIRDS[third]
        assert 0.6 * low < values.sum() / len(np.unique(np.concatenate([history[:, 0], t]) // DAY)) < 1.6 * high


def test_a_quiet_channel_has_hours_without_contacts_and_holidays_have_no_rows() -> None:
    worlds = [world("volume", NONE, "5-30", 1.0, 1, index) for index in range(5)]
    assert all((found.run[:, 1] == 0).mean() > 0.05 for found in worlds)
    weekdays = [len({day for day in np.unique(found.run[:, 0] // DAY) if day % 7 < 5}) for found in worlds]
    assert all(235 <= days < 260 for days in weekdays)


@pytest.mark.parametrize("effect", EFFECTS["grade"][:3])
def test_a_grade_moves_by_what_is_said(effect: Effect) -> None:
    moved = []
    for index in range(6):
        before, after = _split(world("grade", effect, "300-5000", 1.0, 1, index))
        moved.append(_mean(after) - _mean(before))
    assert np.mean(moved) == pytest.approx(effect.size, abs=0.12)


def test_shares_times_and_volumes_move_by_what_is_said() -> None:
    points = [
        _mean(b) - _mean(a)
        for a, b in (_split(world("compliance", _effect("compliance", "-20 points"), "300-5000", 1.0, 1, i)) for i in range(6))
    ]
    assert np.mean(points) == pytest.approx(-0.20, abs=0.04)
    times = [_mean(b) - _mean(a) for a, b in (_split(world("time", _effect("time", "time x1.6"), "300-5000", 1.0, 1, i)) for i in range(6))]
    assert np.mean(times) == pytest.approx(np.log(1.6), abs=0.06)
    volumes = [
        np.log(_mean(b) / _mean(a))
        for a, b in (_split(world("volume", _effect("volume", "volume x0.6"), "300-5000", 1.0, 1, i)) for i in range(6))
    ]
    assert np.mean(volumes) == pytest.approx(np.log(0.6), abs=0.12)


def test_an_outage_takes_two_to_eight_open_hours() -> None:
    for index in range(8):
        found = world("volume", _effect("volume", "outage"), "300-5000", 1.0, 1, index)
        before, during = _split(found)
        assert 2 <= len(during) <= 8
        assert _mean(during) < 0.15 * _mean(before)
        kept = _split(world("compliance", _effect("compliance", "outage"), "300-5000", 1.0, 1, index))[1]
        assert _mean(kept) < 0.35


def test_changes_begin_in_working_hours_and_are_watched_for_four_weeks() -> None:
    for kind in KINDS:
        for effect in EFFECTS[kind]:
            found = world(kind, effect, "30-300", 1.0, 1, 0)
            assert found.change is not None
            assert found.change in found.hours
            assert 8 <= found.change % DAY < 17
            assert HISTORY + 2 * WEEK <= found.change < HISTORY + 10 * WEEK
            begins = found.recovery if effect.shape == "recovery" else found.change
            assert begins is not None
            assert found.end == begins + WATCHED
            announced = effect.shape == "announced" or (kind == "volume" and effect.shape == "surge")
            assert bool(found.markers) is announced
            assert (found.side == 0) is (effect.shape in ("announced", "surge"))


def test_a_surge_leaves_quality_as_it_was() -> None:
    moved = []
    for index in range(8):
        found = world("compliance", _effect("compliance", "surge x3"), "300-5000", 1.0, 1, index)
        before, during = _split(found)
        moved.append(_mean(during) - _mean(before))
    assert abs(np.mean(moved)) < 0.03


def test_more_noise_moves_days_more() -> None:
    def spread(noise: float) -> float:
        days = []
        for index in range(10):
            run = world("time", NONE, "300-5000", noise, 1, index).run
            _, day = np.unique(run[:, 0] // DAY, return_inverse=True)
            means = np.bincount(day, run[:, 1] * run[:, 2]) / np.bincount(day, run[:, 2])
            days.append(means.std())
        return float(np.mean(days))

    assert spread(3.0) > 1.5 * spread(1.0)


def test_late_answers_keep_the_time_they_were_given() -> None:
    late = [float((np.diff(world("grade", NONE, "300-5000", 1.0, 1, index).run[:, 0]) < 0).mean()) for index in range(12)]
    assert any(share == 0 for share in late)
    assert any(0.02 < share < 0.08 for share in late)
