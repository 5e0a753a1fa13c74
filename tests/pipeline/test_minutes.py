"""The packed minutes of a series: against a plain dict, with integers of every size and whenever they are settled."""

import tracemalloc
from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.minutes import NOTHING, Minutes, Spans, Sum

FIRST = 29_500_000
minutes = st.one_of(st.integers(FIRST, FIRST + 200), st.integers(FIRST, FIRST + 50_000), st.integers(2**31 - 3, 2**32))
amounts = st.one_of(
    st.integers(-2, 3), *(st.integers(edge - 2, edge + 2) for bits in (7, 15, 31, 62, 63, 64, 127) for edge in (2**bits, -(2**bits)))
)
sums = st.tuples(amounts, amounts, amounts)
shares = st.tuples(st.integers(1, 3), st.integers(0, 3)).map(lambda found: (found[0], found[1], found[1]))
entries = st.tuples(minutes, st.one_of(sums, shares))


class MinutesMachine(RuleBasedStateMachine):
    """Additions, subtractions and settling, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.minutes = Minutes()
        self.kept: dict[int, Sum] = {}

    @rule(added=st.lists(entries, max_size=20))
    def add(self, added: list[tuple[int, Sum]]) -> None:
        for minute, sums in added:
            self.minutes.add(minute, *sums)
            old = self.kept.pop(minute, NOTHING)
            new = (old[0] + sums[0], old[1] + sums[1], old[2] + sums[2])
            if any(new):
                self.kept[minute] = new

    @rule(first=minutes, step=st.integers(1, 90), sums=sums)
    def flood(self, first: int, step: int, sums: Sum) -> None:
        """More than are left unsettled."""
        self.add([(first + step * i, sums) for i in range(200)])

    @rule()
    def take_all_away(self) -> None:
        self.add([(minute, (-n, -total, -squares)) for minute, (n, total, squares) in self.kept.items()])

    @rule()
    def settle(self) -> None:
        self.minutes.settle()
        assert len(self.minutes) == len(self.kept)

    @rule(oldest=st.integers(FIRST - 2, FIRST + 50_000))
    def forget(self, oldest: int) -> None:
        self.minutes.settle(oldest)
        self.kept = {minute: sums for minute, sums in self.kept.items() if minute > oldest}
        assert len(self.minutes) == len(self.kept)

    @rule(edges=st.lists(st.integers(FIRST - 2, FIRST + 50_002), min_size=6, max_size=6))
    def look(self, edges: list[int]) -> None:
        spans = [(min(pair), max(pair)) for pair in zip(edges[::2], edges[1::2], strict=True)]
        assert self.minutes.between(Spans(*spans)) == [self.recomputed(*span) for span in spans]

    def recomputed(self, after: int, until: int) -> Sum:
        inside = [sums for minute, sums in self.kept.items() if after < minute <= until]
        return sum(one[0] for one in inside), sum(one[1] for one in inside), sum(one[2] for one in inside)

    @invariant()
    def entries_are_those_of_a_dict(self) -> None:
        assert list(self.minutes.items()) == sorted(self.kept.items())


MinutesMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestMinutes = MinutesMachine.TestCase


@given(st.lists(entries, max_size=30), st.booleans())
def test_contributions_in_columns_add_up_by_minute(found: list[tuple[int, Sum]], narrow: bool) -> None:
    """Narrow: in 64 bits, whose sums may need more."""
    if narrow:
        found = [(minute, sums) for minute, sums in found if all(-(2**63) <= amount < 2**63 for amount in sums)]
    expected: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for minute, sums in found:
        for i, amount in enumerate(sums):
            expected[minute][i] += amount
    at = np.array([minute for minute, _ in found], dtype=np.int64)
    columns = (np.array([sums[i] for _, sums in found], dtype=np.int64 if narrow else object) for i in range(3))
    made = Minutes.of(at, *columns)
    assert list(made.items()) == sorted((minute, tuple(amounts)) for minute, amounts in expected.items() if any(amounts))


def test_a_month_takes_few_bytes_a_minute() -> None:
    """6 for a share: 4 the minute, 1 n, 1 hits. 17 for a wait: 4, 1, 4 for Σx, 8 for Σx². A thousandth more is the object itself."""
    at = np.arange(FIRST, FIRST + 40_000)
    ones, waits = np.ones(40_000, dtype=np.int64), np.full(40_000, 90_000)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        share = Minutes.of(at, ones, ones, ones)
        between = tracemalloc.get_traced_memory()[0]
        wait = Minutes.of(at, ones, waits, waits * waits)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(share) == len(wait) == 40_000
    assert 6 <= (between - before) / 40_000 < 6.3
    assert 17 <= (after - between) / 40_000 < 17.3
