"""What a signal tells of its size: in the measure's own unit, with an interval that holds it."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drift.kinds import KINDS, Name
from pipeline.drift.size import Told, told_of
from pipeline.drift.streams import HOUR_MS, Fed
from tests.pipeline.drift.simulated import LEVELS, baseline


def told(kind: Name, rows: Sequence[tuple[float, float]], level: float = 0.0, info: float = 400.0, day: float = 0.01) -> Told:
    """Of some hours of a morning, one after the other."""
    hours = np.arange(9, 9 + len(rows), dtype=np.int64)
    v, n = (np.array([row[place] for row in rows], float) for place in (0, 1))
    return told_of(baseline(kind, day=day), level, info, Fed(hours, hours * HOUR_MS, v, n), np.arange(len(rows)))


def test_grades_are_weighted_means() -> None:
    one = told("grade", [(5.0, 1), (7.0, 3)], level=-0.1)
    assert (one.value, one.usual, one.n) == (6.5, 7.5, 4)
    assert one.size == pytest.approx(-1.0)


def test_shares_are_weighted_by_what_was_judged() -> None:
    one = told("compliance", [(0.5, 10), (1.0, 30)], level=-LEVELS["compliance"])
    assert (one.value, one.usual, one.size, one.n) == (0.875, 0.5, 0.375, 40)


def test_waits_are_geometric_means_and_a_factor() -> None:
    one = told("time", [(math.log(80), 5), (math.log(20), 5)], level=math.log(20) - LEVELS["time"])
    assert (one.value, one.usual, one.size, one.n) == pytest.approx((40, 20, 2, 10))


def test_volumes_are_contacts_in_an_open_hour_and_a_factor() -> None:
    one = told("volume", [(0, 1), (30, 1), (60, 1)], level=math.log(10) - LEVELS["volume"])
    assert (one.value, one.usual, one.n) == pytest.approx((30, 10, 90))
    assert one.size == pytest.approx(90.5 / 30.5)


def test_no_contacts_at_all_have_a_size() -> None:
    one = told("volume", [(0, 1)] * 5)
    assert 0 < one.low < one.size < one.high < 1
    assert (one.value, one.n) == (0, 0)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_or_none_within_a_norm_has_a_size(share: float) -> None:
    one = told("compliance", [(share, 20)])
    assert one.low <= one.size <= one.high
    assert one.low >= -1
    assert one.high <= 1
    assert one.value == share


VALUES: dict[Name, float] = {"grade": 6.0, "compliance": 0.6, "time": 4.0, "volume": 12.0}


@pytest.mark.parametrize("kind", KINDS)
def test_more_observations_and_a_better_known_level_narrow_it(kind: Name) -> None:
    def width(rows: int, info: float, day: float = 0.01) -> float:
        one = told(kind, [(VALUES[kind], 9)] * rows, info=info, day=day)
        assert one.low < one.size < one.high
        return one.high - one.low

    assert width(10, 400) < width(3, 400)
    assert width(3, 4000) < width(3, 40)
    assert width(3, 400, day=0.001) < width(3, 400, day=0.2), "a day that strays as a whole tells less"


@given(st.sampled_from(list(KINDS)), st.data())
def test_the_interval_holds_the_size_and_is_finite(kind: Name, data: st.DataObject) -> None:
    low, high = {"grade": (1, 10), "compliance": (0, 1), "time": (0, 16), "volume": (0, 10**6)}[kind]
    value = st.integers(low, high).map(float) if kind == "volume" else st.floats(low, high)
    rows = data.draw(st.lists(st.tuples(value, st.integers(1, 10**6)), min_size=1, max_size=20))
    one = told(kind, rows, level=data.draw(st.floats(-4, 4)), info=data.draw(st.floats(4, 1e5)))
    assert all(math.isfinite(number) for number in one)
    assert one.low <= one.size <= one.high
