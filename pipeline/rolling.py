"""Rolling figures of one organisation: integer sums per minute (minutes.py), and over four windows that end at `as_of`.

Minute m holds the instants (m−1 min, m]: minutes are ceilings, so that the window (as_of − w, as_of] is exact. A contribution stands in its
minute also when that lies ahead (the deadline of an open contact): only `as_of` moves. What leaves the longest window is forgotten.
"""

from collections.abc import Iterable, Iterator
from itertools import cycle
from typing import NamedTuple

from pipeline.intervals import mean_interval, share_interval
from pipeline.minutes import NOTHING, Column, Minutes, Spans, Sum

WINDOWS: dict[str, int] = {"1h": 60, "24h": 1_440, "7d": 10_080, "28d": 40_320}
"""Windows in minutes of elapsed time."""
LONGEST = max(WINDOWS.values())
_LENGTHS = tuple(WINDOWS.values())

SETTLED_EVERY = 60
"""Minutes after which the recent changes of a series are settled: a dict takes twenty times the memory."""

SeriesKey = tuple[str, str]
"""(channel, measure)."""
Delta = tuple[str, str, int, int, int, int]
"""(channel, measure, minute, Δn, ΔΣx, ΔΣx²)."""


def minute_of(at_ms: int) -> int:
    """The minute that holds an instant: its ceiling, in minutes since the epoch."""
    return -(-at_ms // 60_000)


class Figure(NamedTuple):
    """One rolling figure. value and interval are in the measure's unit: a share of 0-1, a grade, seconds, or a number of contacts."""

    channel: str
    measure: str
    window: str
    as_of: int
    n: int
    total: int
    squares: int
    value: float | None
    low: float | None
    high: float | None


def figure(channel: str, measure: str, window: str, as_of: int, sums: Sum) -> Figure:
    """The figure of a window's sums: `as_of` in minutes, value None without observations."""
    n, total, squares = sums
    value: float | None = None
    interval: tuple[float, float] | None = None
    if measure == "volume":
        value = float(n)
    elif n > 0 and is_share(measure):
        value, interval = total / n, share_interval(n, total)
    elif n > 0:  # grades are kept in thousandths, waits in milliseconds
        value = total / n / 1000
        bounds = mean_interval(n, total, squares)
        interval = (bounds[0] / 1000, bounds[1] / 1000) if bounds else None
    low, high = interval if interval else (None, None)
    return Figure(channel, measure, window, as_of, n, total, squares, value, low, high)


def is_share(measure: str) -> bool:
    """Whether a measure's x is 0 or 1 and its value a share."""
    return measure == "abandonment" or measure.startswith("norm:")


def attainment(found: Figure, target: float | None, minimum_n: int) -> str:
    """`met`, `not_met`, `too_few` (to tell) or "" (no target).

    A norm is judged over all contacts, so its share or mean itself is compared: a share may not lie below its target, a mean not above.
    Answers are a sample: their mean meets a target when the whole interval does, misses it when no part does, and otherwise the answers
    are too few to tell.
    """
    if target is None or found.measure == "volume":
        return ""
    if found.n < minimum_n or found.value is None:
        return "too_few"
    if is_share(found.measure):
        return "met" if found.value >= target else "not_met"
    if found.measure.startswith("norm_mean:"):
        return "met" if found.value <= target else "not_met"
    if found.low is None or found.high is None:
        return "too_few"
    if found.low >= target:
        return "met"
    return "not_met" if found.high < target else "too_few"


_PHASES = cycle(range(SETTLED_EVERY))
"""Not all organisations settle in the same minute, and not all series of one."""


class _Series:
    """The minutes of one (channel, measure), and the sums of each window at `as_of`."""

    __slots__ = ("minutes", "windows")

    def __init__(self) -> None:
        self.minutes = Minutes()
        self.windows: list[list[int]] = [list(NOTHING) for _ in _LENGTHS]


class Sums:
    """All series of one organisation at one `as_of` (in minutes)."""

    def __init__(self, as_of: int) -> None:
        self.as_of = as_of
        self._series: dict[SeriesKey, _Series] = {}
        self._touched: set[SeriesKey] = set()
        self._phase = next(_PHASES)

    @classmethod
    def load(cls, as_of: int, contributions: Iterable[Delta]) -> "Sums":
        """Sums from stored contributions; every series with one up to `as_of` counts as touched."""
        sums = cls(as_of)
        sums.apply(contributions)
        return sums

    def fill(self, key: SeriesKey, minutes: Column, n: Column, total: Column, squares: Column) -> None:
        """Take in all contributions of a series at once, as columns (see Minutes.of); in place of anything it held."""
        series = self._series[key] = _Series()
        series.minutes = Minutes.of(minutes, n, total, squares)
        found = series.minutes.between(Spans(*((self.as_of - length, self.as_of) for length in _LENGTHS)))
        series.windows = [list(sums) for sums in found]
        if any(map(any, found)):
            self._touched.add(key)

    def apply(self, deltas: Iterable[Delta]) -> None:
        """Add net changes. Minutes that left the longest window have no effect."""
        as_of, oldest = self.as_of, self.as_of - LONGEST
        for channel, measure, minute, n, total, squares in deltas:
            if minute <= oldest or not (n or total or squares):
                continue
            key = (channel, measure)
            series = self._series.get(key)
            if series is None:
                series = self._series[key] = _Series()
            series.minutes.add(minute, n, total, squares)
            if minute <= as_of:
                age = as_of - minute
                for length, window in zip(_LENGTHS, series.windows, strict=True):
                    if age < length:
                        window[0] += n
                        window[1] += total
                        window[2] += squares
                self._touched.add(key)

    def advance(self, as_of: int) -> None:
        """Move the windows' end forward to `as_of`; moving back has no effect."""
        if as_of <= self.as_of:
            return
        before, self.as_of = self.as_of, as_of
        # What a window gains is what entered at the front less what left at its tail, also when something passed through all of it.
        passed = Spans((before, as_of), *((before - length, as_of - length) for length in _LENGTHS))
        for number, (key, series) in enumerate(self._series.items(), self._phase):
            entered, *left = series.minutes.between(passed)
            for window, gone in zip(series.windows, left, strict=True):
                if entered != gone:
                    for i in range(3):
                        window[i] += entered[i] - gone[i]
                    self._touched.add(key)
            if (as_of + number) // SETTLED_EVERY > (before + number) // SETTLED_EVERY:
                series.minutes.settle(as_of - LONGEST)

    def expect(self, series: Iterable[SeriesKey]) -> None:
        """Report these series too, as touched: figures written of them before are outdated, also where nothing is left."""
        for key in series:
            self._series.setdefault(key, _Series())
            self._touched.add(key)

    def touched(self) -> list[Figure]:
        """The figures of every series that changed since the last call, in all windows. One that is reported empty is forgotten."""
        found = [found for key in sorted(self._touched) for found in self._figures(key)]
        for key in self._touched:
            self._forget_if_empty(key)
        self._touched.clear()
        return found

    def _forget_if_empty(self, key: SeriesKey) -> None:
        series = self._series[key]
        if not any(map(any, series.windows)):
            series.minutes.settle(self.as_of - LONGEST)
            if not len(series.minutes):  # else it has minutes that lie ahead
                del self._series[key]

    def all(self) -> list[Figure]:
        """Every figure at `as_of`."""
        return [found for key in sorted(self._series) for found in self._figures(key)]

    def _figures(self, key: SeriesKey) -> Iterator[Figure]:
        for window, sums in zip(WINDOWS, self._series[key].windows, strict=True):
            yield figure(*key, window, self.as_of, (sums[0], sums[1], sums[2]))

    def minutes(self) -> dict[tuple[str, str, int], Sum]:
        """What is stored, by (channel, measure, minute): to compare with the same figures computed by SQL."""
        oldest = self.as_of - LONGEST
        return {(*key, minute): sums for key, series in self._series.items() for minute, sums in series.minutes.items() if minute > oldest}
