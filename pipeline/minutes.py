"""The minutes of one series: (n, Σx, Σx²) by minute, exact integers in a few bytes each.

What is settled stands in sorted columns, each as narrow as its values allow: a minute of a share takes 6 bytes, of a wait 17; as an entry
of a dict each would take 180. Recent changes stand in a dict beside the columns until they are settled, so that a change costs no more
than in a dict alone. Integers of any size are exact: a column whose values come near 64 bits holds Python's integers.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Sum = tuple[int, int, int]
"""(n, Σx, Σx²), integers."""
Column = npt.NDArray[Any]

NOTHING: Sum = (0, 0, 0)
_EMPTY: Column = np.zeros(0, dtype=np.int8)
_NARROW = (np.int8, np.int16, np.int32)
_SAFE = 2**62
"""Two integers below it add up within 64 bits."""
_FEW, _SHARE = 128, 16
"""Changes are settled when there are more than 128, and more than a 16th of what is settled: then settling costs a change under 1 µs."""


class Spans:
    """Stretches of minutes (after, until], made once and then looked up in many series."""

    __slots__ = ("edges", "spans")

    def __init__(self, *spans: tuple[int, int]) -> None:
        self.spans = spans
        # As narrow as the columns of minutes: a wider one would have every column converted at every look-up.
        self.edges = np.array(spans, dtype=np.int32).ravel()


class Minutes:
    """What one series counts in each minute (epoch minutes). An entry of three zeros is none."""

    __slots__ = ("_at", "_changes", "_n", "_room", "_squares", "_total")

    def __init__(self) -> None:
        self._changes: dict[int, Sum] = {}
        self._hold(_EMPTY, _EMPTY, _EMPTY, _EMPTY)

    @classmethod
    def of(cls, at: Column, n: Column, total: Column, squares: Column) -> "Minutes":
        """From contributions: columns of equal length in any order, of int64, or of Python's integers where 64 bits do not hold them."""
        order = at.argsort()
        at = at[order]
        starts = np.flatnonzero(np.concatenate(([True], at[1:] != at[:-1]))) if len(at) else _EMPTY
        made = cls()
        made._hold(at[starts], *(_runs(column[order], starts) for column in (n, total, squares)))
        return made

    def __len__(self) -> int:
        """How many entries there are at most: exact after `settle`."""
        return len(self._at) + len(self._changes)

    def add(self, minute: int, n: int, total: int, squares: int) -> None:
        """Add to what a minute counts."""
        changes = self._changes
        old = changes.get(minute)
        changes[minute] = (n, total, squares) if old is None else (old[0] + n, old[1] + total, old[2] + squares)
        if len(changes) > self._room:
            self.settle()

    def between(self, wanted: Spans) -> list[Sum]:
        """The sum over each span."""
        places = self._at.searchsorted(wanted.edges, "right").tolist()
        found = [self._settled(*pair) for pair in zip(places[::2], places[1::2], strict=True)]
        if self._changes:
            found = [_plus(sums, self._recent(*span)) for sums, span in zip(found, wanted.spans, strict=True)]
        return found

    def _settled(self, first: int, end: int) -> Sum:
        """The sum over settled entries by their places, `end` not included."""
        if first == end:
            return NOTHING
        if first + 1 == end:
            return self._n.item(first), self._total.item(first), self._squares.item(first)
        return _sum(self._n[first:end]), _sum(self._total[first:end]), _sum(self._squares[first:end])

    def _recent(self, after: int, until: int) -> Sum:
        """The sum over recent changes in (after, until]: a short span walks over its minutes, a long one over the changes."""
        found, changes = NOTHING, self._changes
        if until - after > len(changes):
            inside = [change for minute, change in changes.items() if after < minute <= until]
        else:
            inside = [changes[minute] for minute in range(after + 1, until + 1) if minute in changes]
        for change in inside:
            found = _plus(found, change)
        return found

    def settle(self, oldest: int = 0) -> None:
        """Take the recent changes into the columns; leave out minutes up to `oldest` and those that count nothing any more."""
        gone = int(self._at.searchsorted(np.int32(oldest), "right"))
        if not self._changes and not gone:
            return
        at, columns = self._at[gone:], [column[gone:] for column in (self._n, self._total, self._squares)]
        minutes = sorted(minute for minute in self._changes if minute > oldest)
        if minutes:
            added = zip(*(self._changes[minute] for minute in minutes), strict=True)
            at, columns = _merged(at, columns, np.array(minutes, dtype=np.int64), [list(values) for values in added])
        self._changes = {}
        self._hold(at, *columns)

    def _hold(self, at: Column, n: Column, total: Column, squares: Column) -> None:
        self._at, self._n, self._total = _narrowest(at), _narrowest(n), _narrowest(total)
        self._squares = self._total if np.array_equal(total, squares) else _narrowest(squares)  # x is 0 or 1 in a share
        self._room = max(_FEW, len(at) // _SHARE)

    def items(self) -> Iterator[tuple[int, Sum]]:
        """Every entry, by minute."""
        columns = (column.tolist() for column in (self._n, self._total, self._squares))
        entries = dict(zip(self._at.tolist(), zip(*columns, strict=True), strict=True))
        for minute, change in self._changes.items():
            entries[minute] = _plus(entries.get(minute, NOTHING), change)
        return ((minute, sums) for minute, sums in sorted(entries.items()) if any(sums))


def _plus(one: Sum, other: Sum) -> Sum:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _sum(values: Column) -> int:
    """Exact: numpy's own sum could pass 64 bits without a word where the values are that wide."""
    return int(values.sum()) if values.dtype.itemsize < 8 else sum(values.tolist())


def _runs(values: Column, starts: Column) -> Column:
    """The sums of the runs that begin at `starts`; exact."""
    if not len(values):
        return values
    longest = int(np.diff(starts, append=len(values)).max())
    if longest * max(int(values.max()), -int(values.min())) >= _SAFE:
        values = values.astype(object)
    found: Column = np.add.reduceat(values, starts)
    return found


def _merged(at: Column, columns: list[Column], changed: Column, added: list[list[int]]) -> tuple[Column, list[Column]]:
    """Minutes and columns with the values of the minutes `changed` (sorted) added, without the minutes that come to nothing by it."""
    where = at.searchsorted(changed)
    fresh = at.take(where, mode="clip") != changed if len(at) else np.ones(len(changed), dtype=bool)
    where += fresh.cumsum() - fresh  # in the longer columns: moved on by the fresh ones before
    old = np.ones(len(at) + np.count_nonzero(fresh), dtype=bool)
    old[where[fresh]] = False
    longer = np.empty(len(old), dtype=np.int64)
    longer[old], longer[where] = at, changed
    columns = [_added(column, old, where, values) for column, values in zip(columns, added, strict=True)]
    n, total, squares = columns
    empty = where[(n[where] == 0) & (total[where] == 0) & (squares[where] == 0)]
    if len(empty):
        longer, columns = np.delete(longer, empty), [np.delete(column, empty) for column in columns]
    return longer, columns


def _added(column: Column, old: Column, where: Column, values: list[int]) -> Column:
    """A longer column: the old values where `old` is true, and the new ones added at `where`. Its integers never overflow."""
    wide = object if column.dtype == object or max(values) >= _SAFE or min(values) <= -_SAFE else np.int64
    found: Column = np.zeros(len(old), dtype=wide)
    found[old] = column
    found[where] += np.array(values, dtype=wide)
    return found


def _narrowest(column: Column) -> Column:
    """The same integers in as few bytes as all of them fit in, in memory of their own."""
    if not len(column):
        return _EMPTY
    low, high = int(column.min()), int(column.max())
    for narrow in _NARROW:
        limits = np.iinfo(narrow)
        if limits.min <= low and high <= limits.max:
            return column.astype(narrow)
    return column.astype(np.int64 if low > -_SAFE and high < _SAFE else object)
