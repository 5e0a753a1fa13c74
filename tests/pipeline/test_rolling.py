"""Windows over minutes: against a recomputation from nothing, and exact to the minute at their edges."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.intervals import mean_interval, share_interval
from pipeline.minutes import Sum
from pipeline.rolling import LONGEST, WINDOWS, Delta, Figure, Sums, attainment, figure, is_share, minute_of
from tests.pipeline.builders import ms

NOON = ms("2026-03-02T12:00Z")
START = minute_of(NOON)
MEASURES = ("volume", "wait", "norm:n", "answer:q:1:overall")


# Minutes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "minute"),
    [
        ("2026-03-02T12:00:00.000Z", START),
        ("2026-03-02T11:59:59.999Z", START),
        ("2026-03-02T11:59:00.001Z", START),
        ("2026-03-02T11:59:00.000Z", START - 1),
        ("2026-03-02T12:00:00.001Z", START + 1),
    ],
)
def test_a_minute_ends_with_its_own_instant(at: str, minute: int) -> None:
    assert minute_of(ms(at)) == minute


@pytest.mark.parametrize(("window", "length"), WINDOWS.items())
def test_a_window_is_open_at_its_start_and_closed_at_its_end(window: str, length: int) -> None:
    width = length * 60_000
    for at, inside in ((NOON, 1), (NOON + 1, 0), (NOON - width, 0), (NOON - width + 1, 1)):
        sums = Sums.load(START, [("telephone", "volume", minute_of(at), 1, 0, 0)])
        assert sum(found.n for found in sums.all() if found.window == window) == inside


# Sums against a recomputation ------------------------------------------------------------------------------------------

minutes = st.one_of(
    st.integers(START - 90, START + 90),
    st.builds(lambda length, off: START - length + off, st.sampled_from(list(WINDOWS.values())), st.integers(-3, 3)),
    st.integers(START - LONGEST - 5, START + LONGEST * 2),
    st.integers(2**31 - 2, 2**31 + 2),  # a term in the year 6053
)
values = st.one_of(st.integers(0, 9), st.sampled_from([2**15, 2**31, 2**62, 2**80]))


def contribution(channel: str, measure: str, minute: int, n: int, x: int) -> Delta:
    """n times x; of a share x is 0 or 1."""
    x = x % 2 if is_share(measure) else x
    return channel, measure, minute, n, n * x, n * x * x


contributions = st.builds(
    contribution, st.sampled_from(["telephone", "email"]), st.sampled_from(MEASURES), minutes, st.integers(1, 3), values
)
steps = st.one_of(st.integers(0, 3), st.integers(50, 70), st.integers(1_430, 1_450), st.integers(0, 3 * LONGEST))


def recomputed(as_of: int, kept: Counter[Delta]) -> dict[tuple[str, str, str], Sum]:
    """Every window of every series with something in it, from nothing."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for (channel, measure, minute, *amounts), times in kept.items():
        for window, length in WINDOWS.items():
            if as_of - length < minute <= as_of:
                total = found.setdefault((channel, measure, window), [0, 0, 0])
                for i, amount in enumerate(amounts):
                    total[i] += times * amount
    return {key: (total[0], total[1], total[2]) for key, total in found.items()}


class SumsMachine(RuleBasedStateMachine):
    """Contributions come, go again and leave the windows, while time moves on by minutes or by weeks."""

    def __init__(self) -> None:
        super().__init__()
        self.sums = Sums(START)
        self.kept: Counter[Delta] = Counter()
        self.as_of = START
        self.reported: dict[tuple[str, str, str], Sum] = {}

    @rule(added=st.lists(contributions, max_size=8))
    def add(self, added: list[Delta]) -> None:
        self.sums.apply(added)
        self.kept.update(added)

    @rule(data=st.data())
    def take_away(self, data: st.DataObject) -> None:
        present = sorted(delta for delta, times in self.kept.items() if times)
        if present:
            gone = data.draw(st.lists(st.sampled_from(present), max_size=4, unique=True))
            self.sums.apply([(channel, measure, minute, -n, -total, -squares) for channel, measure, minute, n, total, squares in gone])
            self.kept.subtract(gone)

    @rule(first=minutes, step=st.integers(1, 90), count=st.integers(130, 160))
    def flood(self, first: int, step: int, count: int) -> None:
        """Many minutes of one series at once."""
        self.add([contribution("telephone", "wait", first + step * i, 1, i) for i in range(count)])

    @rule(step=steps)
    def advance(self, step: int) -> None:
        self.as_of += step
        self.sums.advance(self.as_of)

    @rule(step=st.integers(0, LONGEST))
    def go_back(self, step: int) -> None:
        self.sums.advance(self.as_of - step)

    @rule()
    def report(self) -> None:
        self.reported |= {(found.channel, found.measure, found.window): sums_in(found) for found in self.sums.touched()}
        # What was reported last, now or earlier, is what holds: nothing that changed stays unreported.
        assert {key: sums for key, sums in self.reported.items() if any(sums)} == recomputed(self.as_of, self.kept_now())

    @invariant()
    def windows_hold_what_a_recomputation_finds(self) -> None:
        found = {(one.channel, one.measure, one.window): sums_in(one) for one in self.sums.all()}
        assert {key: sums for key, sums in found.items() if any(sums)} == recomputed(self.as_of, self.kept_now())
        assert {one.as_of for one in self.sums.all()} <= {self.as_of}

    @invariant()
    def minutes_hold_what_has_not_left_the_longest_window(self) -> None:
        expected: dict[tuple[str, str, int], Sum] = {}
        for (channel, measure, minute, *amounts), times in self.kept_now().items():
            if minute > self.as_of - LONGEST:
                old = expected.get((channel, measure, minute), (0, 0, 0))
                n, total, squares = (before + times * amount for before, amount in zip(old, amounts, strict=True))
                expected[channel, measure, minute] = (n, total, squares)
        assert self.sums.minutes() == expected

    def kept_now(self) -> Counter[Delta]:
        """What was added and not taken away."""
        return +self.kept


def sums_in(found: Figure) -> Sum:
    return found.n, found.total, found.squares


SumsMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
TestSums = SumsMachine.TestCase


@given(st.lists(contributions, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_contributions_does_not_matter(found: list[Delta], dice: Any) -> None:
    shuffled = list(found)
    dice.shuffle(shuffled)
    assert Sums.load(START, shuffled).minutes() == Sums.load(START, found).minutes()
    assert Sums.load(START, shuffled).all() == Sums.load(START, found).all()


@pytest.mark.parametrize("length", WINDOWS.values())
@pytest.mark.parametrize("ahead", [0, 1, 5, 40_000])
@pytest.mark.parametrize("past", [-1, 0, 1])
def test_a_step_to_the_end_of_a_window_is_exact(length: int, ahead: int, past: int) -> None:
    """Also when a minute that lay ahead is stepped over as a whole."""
    found: Delta = ("telephone", "volume", START + ahead, 1, 0, 0)
    stepped = Sums.load(START, [found])
    as_of = START + ahead + length + past
    stepped.advance(as_of)
    assert {(one.channel, one.measure, one.window): sums_in(one) for one in stepped.all() if one.n} == recomputed(as_of, Counter([found]))
    assert len(stepped.minutes()) == (START + ahead > as_of - LONGEST)


def test_a_future_minute_counts_when_its_time_has_come() -> None:
    sums = Sums.load(START, [("telephone", "norm:n", START + 2, 1, 0, 0)])
    assert sums.touched() == []
    sums.advance(START + 1)
    assert sums.touched() == []
    sums.advance(START + 2)
    assert [(found.window, found.as_of, found.n) for found in sums.touched()] == [(window, START + 2, 1) for window in WINDOWS]


def test_only_series_that_changed_are_reported_and_once() -> None:
    sums = Sums.load(START, [("email", "volume", START, 1, 0, 0), ("telephone", "volume", START - 30, 1, 0, 0)])
    both = [(channel, window) for channel in ("email", "telephone") for window in WINDOWS]
    assert [(found.channel, found.window) for found in sums.touched()] == both
    assert sums.touched() == []
    sums.advance(START + 30)  # the call leaves the hour: (12:30 - 1 h, 12:30] begins after 11:30
    assert [(found.channel, found.window, found.n) for found in sums.touched()] == [
        ("telephone", "1h", 0), ("telephone", "24h", 1), ("telephone", "7d", 1), ("telephone", "28d", 1),
    ]  # fmt: skip


def test_what_lies_before_the_longest_window_has_no_effect() -> None:
    sums = Sums(START)
    sums.apply([("email", "volume", START - LONGEST, 1, 0, 0)])
    assert (sums.minutes(), sums.touched(), sums.all()) == ({}, [], [])


def test_a_series_that_is_reported_empty_is_forgotten() -> None:
    found: Delta = ("email", "volume", START, 1, 0, 0)
    sums = Sums.load(START, [found, ("telephone", "volume", START, 1, 0, 0), ("telephone", "volume", START + LONGEST + 1, 1, 0, 0)])
    sums.touched()
    sums.advance(START + LONGEST)
    assert {(one.channel, one.measure, one.n) for one in sums.touched()} == {("email", "volume", 0), ("telephone", "volume", 0)}
    assert {one.channel for one in sums.all()} == {"telephone"}  # one of its minutes lies ahead
    sums.apply([("email", "volume", START + LONGEST, 1, 0, 0)])
    assert {(one.channel, one.window, one.n) for one in sums.touched()} == {("email", window, 1) for window in WINDOWS}


@given(st.lists(contributions, max_size=30))
def test_sums_filled_with_columns_are_those_of_the_contributions(found: list[Delta]) -> None:
    inside = [one for one in found if one[2] > START - LONGEST]
    filled = Sums(START)
    for key in {one[:2] for one in inside}:
        minute, *amounts = zip(*(one[2:] for one in inside if one[:2] == key), strict=True)
        filled.fill(key, np.array(minute), *(np.array(amount, dtype=object) for amount in amounts))
    loaded = Sums.load(START, found)
    assert filled.minutes() == loaded.minutes()
    assert filled.all() == loaded.all()
    assert filled.touched() == loaded.touched()


def test_a_series_that_vanished_is_reported_empty_when_expected() -> None:
    sums = Sums.load(START, [])
    sums.expect([("email", "volume")])
    assert [(found.channel, found.measure, found.n) for found in sums.touched()] == [("email", "volume", 0)] * len(WINDOWS)


# Figures ---------------------------------------------------------------------------------------------------------------


def test_a_volume_is_its_number_without_an_interval() -> None:
    assert figure("email", "volume", "7d", START, (5, 0, 0)) == Figure("email", "volume", "7d", START, 5, 0, 0, 5.0, None, None)
    assert figure("email", "volume", "7d", START, (0, 0, 0)).value == 0.0


@pytest.mark.parametrize("measure", ["wait", "abandonment", "norm:n", "norm_mean:n", "answer:q:1:overall"])
def test_without_observations_there_is_no_value(measure: str) -> None:
    assert figure("email", measure, "7d", START, (0, 0, 0)) == Figure("email", measure, "7d", START, 0, 0, 0, None, None, None)


@pytest.mark.parametrize("measure", ["abandonment", "norm:n"])
def test_a_share_has_the_interval_of_a_share(measure: str) -> None:
    found = figure("telephone", measure, "7d", START, (10, 7, 7))
    assert (found.value, (found.low, found.high)) == (0.7, share_interval(10, 7))


def test_a_grade_is_kept_in_thousandths_and_a_wait_in_milliseconds() -> None:
    found = figure("telephone", "answer:q:1:overall", "7d", START, (2, 7_000 + 8_000, 7_000**2 + 8_000**2))
    bounds = mean_interval(2, 15, 49 + 64)
    assert bounds is not None
    assert found.value == 7.5
    assert found.low == pytest.approx(bounds[0])
    assert found.high == pytest.approx(bounds[1])
    assert figure("telephone", "wait", "7d", START, (4, 50_000, 10**9)).value == 12.5
    assert figure("telephone", "norm_mean:n", "7d", START, (4, 50_000, 10**9)).value == 12.5


def test_a_single_value_has_no_interval() -> None:
    found = figure("telephone", "wait", "1h", START, (1, 9_500, 9_500**2))
    assert (found.value, found.low, found.high) == (9.5, None, None)


def test_shares_are_abandonment_and_norms() -> None:
    assert [measure for measure in (*MEASURES, "abandonment") if is_share(measure)] == ["norm:n", "abandonment"]


def made(measure: str, n: int, value: float | None, low: float | None, high: float | None) -> Figure:
    return Figure("telephone", measure, "7d", START, n, 0, 0, value, low, high)


GRADE = "answer:q:1:overall"


@pytest.mark.parametrize(
    ("found", "target", "expected"),
    [
        (made("norm:n", 100, 0.8, 0.7, 0.9), None, ""),
        (made("volume", 100, 100.0, None, None), 50.0, ""),
        (made("norm:n", 19, 0.9, 0.7, 0.99), 0.8, "too_few"),
        (made("norm:n", 20, 0.8, 0.6, 0.9), 0.8, "met"),
        (made("norm:n", 20, 0.7999, 0.6, 0.9), 0.8, "not_met"),
        (made("norm:n", 0, None, None, None), 0.8, "too_few"),
        (made("norm_mean:n", 20, 30.0, 20.0, 40.0), 30.0, "met"),
        (made("norm_mean:n", 20, 30.001, 20.0, 40.0), 30.0, "not_met"),
        (made("norm_mean:n", 19, 10.0, 5.0, 15.0), 30.0, "too_few"),
        (made("norm_mean:n", 0, None, None, None), 30.0, "too_few"),
        (made(GRADE, 19, 9.0, 8.5, 9.5), 7.5, "too_few"),
        (made(GRADE, 100, 7.8, 7.5, 8.1), 7.5, "met"),
        (made(GRADE, 100, 7.8, 7.49, 8.1), 7.5, "too_few"),
        (made(GRADE, 100, 7.2, 6.9, 7.49), 7.5, "not_met"),
        (made(GRADE, 100, 7.2, 6.9, 7.5), 7.5, "too_few"),
        (made(GRADE, 100, 7.5, 7.5, 7.5), 7.5, "met"),
        (made(GRADE, 100, 7.5, None, None), 7.5, "too_few"),
    ],
)
def test_attainment(found: Figure, target: float | None, expected: str) -> None:
    assert attainment(found, target, minimum_n=20) == expected


@pytest.mark.parametrize(("hits", "n", "target"), [(3, 10, 0.3), (7, 10, 0.7), (4, 5, 0.8), (19, 20, 0.95), (29, 100, 0.29)])
def test_a_share_that_equals_its_target_meets_it(hits: int, n: int, target: float) -> None:
    assert attainment(figure("telephone", "norm:n", "7d", START, (n, hits, hits)), target, 2) == "met"
