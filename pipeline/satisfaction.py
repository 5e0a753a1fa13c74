"""What is told of a scale's figures: mean, CSAT, NPS or share, each with its interval, and two of them compared. Pure."""

from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipeline.comparisons import Difference, difference_of_means, difference_of_shares, interval_of_population
from pipeline.intervals import mean_interval, share_interval
from pipeline.minutes import Sum
from schemas.instrument import ScaleKind

SHARES: tuple[ScaleKind, ...] = ("satisfaction", "yes-no")
"""Scales of which the share of the top answers is told: CSAT (4 and 5 of 1-5), yes."""


_ENDS: dict[str, tuple[float, float]] = {"grade": (1, 10), "satisfaction": (1, 5), "recommendation": (0, 10), "yes-no": (0, 1)}
"""Bounds of the scales of which the views count answers at the lower and the upper end."""


class Told(NamedTuple):
    """A figure in the unit of its scale: a mean on the scale, a share of 0-1, NPS in points. low and high are None below two answers."""

    value: float
    low: float | None
    high: float | None


class Period(NamedTuple):
    """A quarter or wave by its name, as instants [start, end)."""

    name: str
    start: datetime
    end: datetime


def has_ends(kind: str, minimum: float, maximum: float) -> bool:
    """Whether answers at the lower and the upper end are counted: of a scale of that kind with other bounds nothing is low or high."""
    return _ENDS.get(kind) == (minimum, maximum)


def told(kind: str, sums: Sum, low_n: int, high_n: int, size: int | None = None) -> Told:
    """The figure of at least one answer; `size` is N of the population that could have answered, which narrows the interval of a mean.

    sums: (n, Σx, Σx²) in thousandths; low_n and high_n: answers at the lower and the upper end, as v_satisfaction counts them.
    """
    n, total, _ = sums
    if kind in SHARES:
        interval = share_interval(n, high_n)
        return Told(high_n / n, *(interval or (None, None)))
    if kind == "recommendation":
        bounds = mean_interval(*_promoters(n, low_n, high_n))
        return Told(100 * (high_n - low_n) / n, *((100 * bounds[0], 100 * bounds[1]) if bounds else (None, None)))
    bounds = interval_of_population(sums, size)
    return Told(total / n / 1000, *((bounds[0] / 1000, bounds[1] / 1000) if bounds else (None, None)))


def difference(kind: str, earlier: tuple[Sum, int, int], later: tuple[Sum, int, int]) -> Difference | None:
    """Later minus earlier, in the unit of `told`; each side as (sums, low_n, high_n). None where there are too few to tell."""
    (before, before_low, before_high), (after, after_low, after_high) = earlier, later
    if kind in SHARES:
        return difference_of_shares((before[0], before_high), (after[0], after_high))
    if kind == "recommendation":
        one, other = _promoters(before[0], before_low, before_high), _promoters(after[0], after_low, after_high)
        return _scaled(difference_of_means(one, other), 100)
    return _scaled(difference_of_means(before, after), 1 / 1000)


def gap(expected: Sum, experienced: Sum) -> Difference | None:
    """Expectation minus experience, in the unit of the scale; above 0 it fell short of what was expected.

    By Welch's t, as if different people had told the two: answers of the same people vary together, so the interval is rather too wide.
    """
    return _scaled(difference_of_means(experienced, expected), 1 / 1000)


def quarter_period(name: str, zone: str) -> Period:
    """The calendar quarter `2026-Q3` of a time zone. Raises ValueError for another name."""
    year, mark, number = name.partition("-Q")
    if not (mark and year.isdigit() and len(year) == 4 and number in ("1", "2", "3", "4")):
        raise ValueError(f"{name!r} is no quarter; write 2026-Q3")
    first = 3 * int(number) - 2
    return days_period(name, date(int(year), first, 1), date(int(year) + first // 10, (first + 3) % 12, 1), zone)


def days_period(name: str, start: date, end: date, zone: str) -> Period:
    """The days [start, end) of a time zone."""
    begin, finish = (datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in (start, end))
    return Period(name, begin, finish)


def _promoters(n: int, detractors: int, promoters: int) -> Sum:
    """Sums of 1 for a promoter, -1 for a detractor, else 0: their mean is the NPS."""
    return n, promoters - detractors, promoters + detractors


def _scaled(found: Difference | None, factor: float) -> Difference | None:
    if found is None:
        return None
    return Difference(found.value * factor, found.low * factor, found.high * factor, found.p)
