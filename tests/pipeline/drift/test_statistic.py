"""The statistic of one shift against the plain recursion it computes in logs, and the onset that goes with it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drift.statistic import NEVER, Component, mean

steps = st.lists(st.tuples(st.floats(1e-6, 10), st.floats(-8, 8)), min_size=1, max_size=40)


@given(steps)
def test_it_is_the_recursion_in_logs(several: list[tuple[float, float]]) -> None:
    component, w = Component(), 0.0
    for hour, (delta, increment) in enumerate(several):
        w = (w + delta) * math.exp(increment)
        component.step(hour, component.after(delta, increment), increment, 0, 0, 0, 0, 0)
        assert component.w == pytest.approx(math.log(w), rel=1e-9, abs=1e-9)


@given(steps)
def test_the_onset_is_the_hour_after_the_last_minimum(several: list[tuple[float, float]]) -> None:
    component, sums = Component(), [0.0]
    for hour, (delta, increment) in enumerate(several):
        component.step(hour, component.after(delta, increment), increment, 1.0, 2.0, 3.0, 4.0, 5.0)
        sums.append(sums[-1] + increment)
        last = max(place for place, one in enumerate(sums) if one <= min(sums) + 1e-9)
        if all(abs(one - min(sums)) > 1e-6 for place, one in enumerate(sums) if place != last):
            assert component.onset == last
            since = len(sums) - 1 - last
            found = (component.told, component.known, component.n, component.seen, component.usual)
            assert found == tuple(since * one for one in (1.0, 2.0, 3.0, 4.0, 5.0))
            assert component.s == pytest.approx(sums[-1] - sums[last], abs=1e-9)


def test_without_time_nothing_is_added() -> None:
    component = Component()
    component.w = 2.0
    assert component.after(0.0, 0.5) == 2.5
    assert Component().after(0.0, 3.0) == pytest.approx(NEVER)


@pytest.mark.parametrize("w", [NEVER, -800.0, 0.0, 800.0, 1e6])
def test_extremes_stay_numbers(w: float) -> None:
    component = Component()
    component.w = w
    assert component.after(1.0, 0.0) == pytest.approx(max(w, 0.0) if abs(w) > 1 else math.log(2))


def test_it_begins_anew() -> None:
    component = Component()
    component.step(3, component.after(1.0, 2.0), 2.0, 1, 1, 1, 1, 1)
    component.reset(9)
    assert component.state() == [NEVER, 0.0, 9, 0, 0, 0, 0, 0]


@given(steps, steps)
def test_from_its_state_it_goes_on_alike(before: list[tuple[float, float]], after: list[tuple[float, float]]) -> None:
    one = Component()
    for hour, (delta, increment) in enumerate(before):
        one.step(hour, one.after(delta, increment), increment, increment, delta, 1, 2, 3)
    other = Component.of(one.state())
    for hour, (delta, increment) in enumerate(after, len(before)):
        for component in (one, other):
            component.step(hour, component.after(delta, increment), increment, increment, delta, 1, 2, 3)
    assert one.state() == other.state()


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=5))
def test_the_mean_of_logs(logs: list[float]) -> None:
    assert math.exp(mean(logs)) == pytest.approx(sum(map(math.exp, logs)) / len(logs))


def test_the_mean_of_far_apart_logs() -> None:
    assert mean([2000.0, NEVER, NEVER]) == pytest.approx(2000 - math.log(3))
    assert mean([NEVER] * 3) == NEVER
