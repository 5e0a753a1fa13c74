"""The municipal calendar: opening hours and working days of a channel or location, and the local days they are made of.

Every instant is an integer of epoch milliseconds in UTC; a day is a `datetime.date` in a local zone. Opening hours are
local wall times, durations are elapsed time: across a clock change an office that is open from 0:00 to 24:00 is open for
23 or 25 hours. Of a wall time that occurs twice the first occurrence is meant; one that does not occur is moved on by the
hour that is skipped (PEP 495, fold=0).

Terms set by law follow another calendar, which a municipality's closing days do not move: `pipeline/statutory.py`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
ONE_MS = timedelta(milliseconds=1)
DAY_MINUTES = 24 * 60
SATURDAY = 5

MEAN_YEAR_MS = 31_556_952_000
"""A mean Gregorian year (365.2425 days): guesses the year of an instant, at most one off."""

MAX_YEARS_AHEAD = 20
"""A clock that has not run out after this many years never will: the calendar hardly ever opens."""

MAX_CACHED_YEARS = 64
"""Bounds the tables of one calendar (about 40 KB a year), whatever dates the events carry."""


def local_date(at_ms: int, zone: ZoneInfo) -> date:
    """The day of the instant `at_ms` in `zone`."""
    return (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> int:
    """The first millisecond of `day` in `zone` (not midnight where a clock change skips midnight)."""
    return (datetime(day.year, day.month, day.day, tzinfo=zone) - EPOCH) // ONE_MS


def end_of_local_day(day: date, zone: ZoneInfo) -> int:
    """The last millisecond of `day` in `zone`: 23:59:59.999, the deadline of every clock that counts days."""
    return day_start(day + ONE_DAY, zone) - 1


def wall_instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """The instant at which clocks in `zone` show so many minutes (0-1439) after midnight of `day`."""
    return (datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone) - EPOCH) // ONE_MS


def same_time_on(day: date, at_ms: int, zone: ZoneInfo) -> int:
    """The instant of `day` at which clocks in `zone` show what they show at `at_ms`."""
    wall = (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)
    return (datetime.combine(day, wall.time(), zone) - EPOCH) // ONE_MS


Hours = Sequence[tuple[int, int]]
"""Opening hours of one day: pairs (from, to) of local minutes after midnight, 0 <= from < to <= 1440, in order."""


@dataclass(slots=True, frozen=True)
class _Year:
    """What a calendar knows of one local year, in ascending lists that are searched by bisection."""

    number: int
    first_day: date
    day_starts: list[int]
    """First millisecond of every day, and of the next year's first."""
    working: list[int]
    """Positions in the year (0 = 1 January) of the working days."""
    opens: list[int]
    closes: list[int]
    open_until: list[int]
    """Milliseconds that the year was open by the end of each opening period."""

    def position(self, at_ms: int) -> int:
        return bisect_right(self.day_starts, at_ms) - 1

    def open_ms(self) -> int:
        return self.open_until[-1] if self.open_until else 0

    def open_before(self, at_ms: int) -> int:
        """Milliseconds that the year was open before `at_ms`."""
        i = bisect_right(self.opens, at_ms) - 1
        return 0 if i < 0 else self.open_until[i] - max(0, self.closes[i] - at_ms)


class Calendar:
    """Opening hours and working days of one channel or location of a municipality.

    zone: name of the IANA time zone, such as `Europe/Amsterdam`.
    opening: the `Hours` of each weekday, Monday first; an empty sequence is a closed day.
    closing_days: days that are neither open nor working days.
    exceptions: the `Hours` of single days, in the place of what `opening` and `closing_days` say; a day whose exception is
        empty is no working day either, and one whose exception has hours is still none on a weekend or closing day.

    Tables are made a year at a time, when a year is first asked for. Raises ValueError for hours that are no hours and
    zoneinfo.ZoneInfoNotFoundError (a KeyError) for an unknown zone.
    """

    def __init__(
        self,
        zone: str,
        opening: Sequence[Hours],
        closing_days: Iterable[date] = (),
        exceptions: Mapping[date, Hours] | None = None,
    ) -> None:
        if len(opening) != 7:
            raise ValueError(f"opening hours are needed for 7 weekdays, Monday first, not for {len(opening)}")
        self.zone = ZoneInfo(zone)
        self._opening = [_checked(hours, f"weekday {weekday}") for weekday, hours in enumerate(opening, 1)]
        self._closing_days = frozenset(closing_days)
        self._exceptions = {day: _checked(hours, day.isoformat()) for day, hours in (exceptions or {}).items()}
        self._years: dict[int, _Year] = {}

    def hours(self, day: date) -> Hours:
        """The opening hours in force on `day`; empty when closed."""
        exception = self._exceptions.get(day)
        if exception is not None:
            return exception
        return () if day in self._closing_days else self._opening[day.weekday()]

    def is_exception(self, day: date) -> bool:
        """Whether an exception says what holds on `day`."""
        return day in self._exceptions

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is counted by the working-days clock: Monday to Friday, not a closing day, not closed by exception."""
        return day.weekday() < SATURDAY and day not in self._closing_days and self._exceptions.get(day) != ()

    def local_date(self, at_ms: int) -> date:
        """The day of the instant `at_ms` in the calendar's zone."""
        year = self._year_of(at_ms)
        return year.first_day + timedelta(days=year.position(at_ms))

    def day_start(self, day: date) -> int:
        """The first millisecond of `day`."""
        return day_start(day, self.zone)

    def end_of_local_day(self, day: date) -> int:
        """The last millisecond of `day`, 23:59:59.999."""
        return end_of_local_day(day, self.zone)

    def is_open(self, at_ms: int) -> bool:
        """Whether it is open at `at_ms`; the instant of closing is closed."""
        year = self._year_of(at_ms)
        i = bisect_right(year.opens, at_ms) - 1
        return i >= 0 and at_ms < year.closes[i]

    def open_ms_between(self, from_ms: int, to_ms: int) -> int:
        """Milliseconds open in [from_ms, to_ms); negative when the two are the wrong way round."""
        first, last = self._year_of(from_ms), self._year_of(to_ms)
        if first is last:
            return last.open_before(to_ms) - first.open_before(from_ms)
        if first.number > last.number:
            return -self.open_ms_between(to_ms, from_ms)
        whole = sum(self._year(number).open_ms() for number in range(first.number, last.number))
        return whole + last.open_before(to_ms) - first.open_before(from_ms)

    def open_periods(self, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
        """(opens, closes) of every period of which a part lies in [from_ms, to_ms), whole and in order."""
        years = [self._year(number) for number in range(self._year_of(from_ms).number, self._year_of(to_ms).number + 1)]
        periods = [period for year in years for period in zip(year.opens, year.closes, strict=True)]
        return [(opened, closed) for opened, closed in periods if closed > from_ms and opened < to_ms]

    def opening_hours_deadline(self, start_ms: int, duration_ms: int) -> int:
        """The first instant at which a clock started at `start_ms` that runs only while open shows `duration_ms`.

        So a clock that runs out at closing time ends then, not at the next opening, and a duration of 0 ends at once.
        Raises ValueError for a negative duration, and when the calendar opens too little in `MAX_YEARS_AHEAD` years.
        """
        if duration_ms <= 0:
            if duration_ms < 0:
                raise ValueError(f"a duration cannot be negative: {duration_ms} ms")
            return start_ms
        year = self._year_of(start_ms)
        last_year = year.number + MAX_YEARS_AHEAD
        target = year.open_before(start_ms) + duration_ms
        while target > year.open_ms():
            target -= year.open_ms()
            year = self._year(self._next_year(year, last_year, f"is open for {duration_ms} ms"))
        i = bisect_left(year.open_until, target)
        return year.closes[i] - (year.open_until[i] - target)

    def working_days_deadline(self, start_ms: int, days: int) -> int:
        """The end (23:59:59.999) of the working day that is number `days` after the local day of `start_ms`.

        The day of the start does not count, whatever day it is. Raises ValueError when `days` is less than 1, and when the
        calendar has too few working days in `MAX_YEARS_AHEAD` years.
        """
        if days < 1:
            raise ValueError(f"a deadline in working days needs at least 1 day, not {days}")
        year = self._year_of(start_ms)
        last_year = year.number + MAX_YEARS_AHEAD
        target = bisect_right(year.working, year.position(start_ms)) + days
        while target > len(year.working):
            target -= len(year.working)
            year = self._year(self._next_year(year, last_year, f"has {days} working days"))
        return year.day_starts[year.working[target - 1] + 1] - 1

    def working_days_between(self, from_ms: int, to_ms: int) -> int:
        """The number of working days strictly between the local days of two instants."""
        first, last = self._year_of(from_ms), self._year_of(to_ms)
        whole = sum(len(self._year(number).working) for number in range(first.number, last.number))
        return max(0, whole + bisect_left(last.working, last.position(to_ms)) - bisect_right(first.working, first.position(from_ms)))

    def _next_year(self, year: _Year, last_year: int, wanted: str) -> int:
        if year.number >= last_year:
            raise ValueError(f"the calendar never {wanted} in the {MAX_YEARS_AHEAD} years up to {last_year}: check its opening hours")
        return year.number + 1

    def _year_of(self, at_ms: int) -> _Year:
        year = self._year(1970 + at_ms // MEAN_YEAR_MS)
        if at_ms < year.day_starts[0]:
            return self._year(year.number - 1)
        if at_ms >= year.day_starts[-1]:
            return self._year(year.number + 1)
        return year

    def _year(self, number: int) -> _Year:
        year = self._years.get(number)
        if year is None:
            if len(self._years) >= MAX_CACHED_YEARS:
                self._years.clear()
            year = self._years[number] = self._make_year(number)
        return year

    def _make_year(self, number: int) -> _Year:
        if not date.min.year < number < date.max.year:
            raise ValueError(f"the year {number} is outside the calendar")
        first = date(number, 1, 1)
        days = [first + timedelta(days=i) for i in range((date(number + 1, 1, 1) - first).days)]
        day_starts = [day_start(day, self.zone) for day in days]
        day_starts.append(day_start(days[-1] + ONE_DAY, self.zone))
        opens: list[int] = []
        closes: list[int] = []
        open_until: list[int] = []
        for position, day in enumerate(days):
            for from_minute, to_minute in self.hours(day):
                opened = wall_instant(day, from_minute, self.zone)
                closed = day_starts[position + 1] if to_minute == DAY_MINUTES else wall_instant(day, to_minute, self.zone)
                # The night of a clock change can push one period into the next: count what they share once.
                opened = max(opened, closes[-1]) if closes else opened
                if opened < closed:
                    opens.append(opened)
                    closes.append(closed)
                    open_until.append((open_until[-1] if open_until else 0) + closed - opened)
        working = [position for position, day in enumerate(days) if self.is_working_day(day)]
        return _Year(number, first, day_starts, working, opens, closes, open_until)


def _checked(hours: Hours, where: str) -> Hours:
    for from_minute, to_minute in hours:
        if not 0 <= from_minute < to_minute <= DAY_MINUTES:
            raise ValueError(
                f"opening hours of {where}: ({from_minute}, {to_minute}) is not a period within the day, in minutes from 0 to {DAY_MINUTES}"
            )
    for (_, to_minute), (from_minute, _) in pairwise(hours):
        if from_minute < to_minute:
            raise ValueError(f"opening hours of {where}: the period from minute {from_minute} starts before the one up to {to_minute} ends")
    return tuple(hours)
