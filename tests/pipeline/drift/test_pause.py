"""Markers, as one stream heeds them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drift.kinds import KINDS
from pipeline.drift.pause import LEFT_OUT, RELEARN, Announced, Markers
from pipeline.drift.streams import HOUR_MS


def test_only_those_of_the_channel_and_of_all() -> None:
    mine, others, of_all = (
        Announced("initiative", start, None, channels) for start, channels in ((3, ("email", "counter")), (2, ("app",)), (1, ()))
    )
    assert Markers.of([mine, others, of_all], "email", "time") == Markers((1, 3))
    assert Markers.of([others], "email", "time") == Markers()


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_questionnaire_concerns_grades_only(kind: str) -> None:
    found = Markers.of([Announced("questionnaire_change", 5)], "email", kind)  # type: ignore[arg-type]
    assert found.moments == ((5,) if kind == "grade" else ())


def test_each_kind_does_one_thing_or_none() -> None:
    for kind in ("announced_change", "reorganisation", "initiative"):
        assert Markers.of([Announced(kind, 5, 9)], "email", "volume") == Markers((5,))
    for kind in ("outage", "maintenance", "campaign"):
        assert Markers.of([Announced(kind, 5, 9)], "email", "volume") == Markers((), ((5, 9),))
    assert Markers.of([Announced("survey_wave", 5, 9)], "email", "volume") == Markers()
    assert not set(RELEARN) & set(LEFT_OUT)


def test_the_order_in_which_they_are_read_does_not_matter() -> None:
    several = [Announced("outage", 5, None), Announced("outage", 5, 9), Announced("initiative", 8), Announced("initiative", 2)]
    assert Markers.of(several, "email", "time") == Markers.of(several[::-1], "email", "time")


def test_every_hour_that_a_span_touches_is_left_out() -> None:
    at = np.arange(10) * HOUR_MS
    assert np.flatnonzero(Markers(spans=((3 * HOUR_MS, 5 * HOUR_MS),)).skipped(at)).tolist() == [3, 4]
    assert np.flatnonzero(Markers(spans=((3 * HOUR_MS + 1, 5 * HOUR_MS + 1),)).skipped(at)).tolist() == [3, 4, 5]
    assert np.flatnonzero(Markers(spans=((7 * HOUR_MS, None), (0, 1))).skipped(at)).tolist() == [0, 7, 8, 9]
    assert not Markers(moments=(0,)).skipped(at).any()


@given(st.lists(st.integers(0, 50), max_size=5), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_a_moment_counts_once(moments: list[int], first: int, second: int, third: int) -> None:
    first, second, third = sorted((first, second, third))
    markers = Markers(tuple(sorted(moments)))
    assert markers.relearns(first, third) == (markers.relearns(first, second) or markers.relearns(second, third))
    assert markers.relearns(first, third) == bool(markers.between(first, third))


def test_what_bears_on_a_stretch() -> None:
    markers = Markers((2, 8), ((1, 4), (9, None)))
    assert markers.between(0, 1) == []
    assert markers.between(3, 4) == [(1, 4)]
    assert markers.between(2, 3) == [(2, 2), (1, 4)]
    assert markers.between(4, 8) == []
    assert markers.between(20, 30) == [(9, None)]
