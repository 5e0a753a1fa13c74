"""Days, opening hours and holidays of an organisation's document, walked day by day."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_FEASTS = """
2024: 01-01 03-29 04-01 04-27 05-05 05-09 05-20 12-25 12-26
2025: 01-01 04-18 04-21 04-26 05-05 05-29 06-09 12-25 12-26
2026: 01-01 04-03 04-06 04-27 05-05 05-14 05-25 12-25 12-26
2027: 01-01 03-26 03-29 04-27 05-05 05-06 05-17 12-25 12-26
2028: 01-01 04-14 04-17 04-27 05-05 05-25 06-05 12-25 12-26
2029: 01-01 03-30 04-02 04-27 05-05 05-10 05-21 12-25 12-26
2030: 01-01 04-19 04-22 04-27 05-05 05-30 06-10 12-25 12-26
"""
"""New Year, Good Friday, Easter Monday, King's Day, 5 May, Ascension, Whit Monday and both Christmas days: Algemene termijnenwet, article
3."""

_SUNDAYS = """
2024-03-31 2024-05-19 2025-04-20 2025-06-08 2026-04-05 2026-05-24 2027-03-28 2027-05-16 2028-04-16 2028-06-04 2029-04-01 2029-05-20
2030-04-21 2030-06-09
"""
"""Easter and Whitsun: they matter where a channel is open on Sundays."""

EQUATED = frozenset(
    date.fromisoformat(day)
    for day in ("2024-05-10", "2024-12-27", "2025-05-30", "2026-01-02", "2026-05-15", "2027-05-07", "2028-04-28", "2028-05-26")
)
"""Days equated with a holiday by royal decree: "Besluit gelijkstelling van 28 april 2023, 19 mei 2023, 10 mei 2024, 27 december 2024 en
30 mei 2025 met een algemeen erkende feestdag", and "… van 2 januari 2026, 15 mei 2026, 7 mei 2027, 28 april 2028 en 26 mei 2028 …". For
2029 and 2030 there is none yet."""

FEASTS = frozenset(
    date.fromisoformat(f"{line[:4]}-{day}") for line in _FEASTS.split("\n") if line for day in line.partition(":")[2].split()
)
SUNDAYS = frozenset(map(date.fromisoformat, _SUNDAYS.split()))
YEARS = range(2024, 2031)


def statutory_rest(day: date) -> bool:
    """Whether a statutory term may not end on it: Saturday, Sunday, a holiday, or a day equated with one."""
    assert day.year in YEARS, f"{day} lies outside the oracle's table of holidays"
    return day.weekday() >= 5 or day in FEASTS or day in EQUATED


def public_holiday(day: date) -> bool:
    """Whether it is a public holiday of a municipality: as the statutory ones, but 5 May in every fifth year only."""
    assert day.year in YEARS, f"{day} lies outside the oracle's table of holidays"
    return day in SUNDAYS or (day in FEASTS and ((day.month, day.day) != (5, 5) or day.year % 5 == 0))


def instant(text: str) -> int:
    """Epoch milliseconds (floored) of a time with its zone."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def as_date(value: Any) -> date:
    """A date as YAML gives it: read already, or as text."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def _spans(text: object) -> list[tuple[int, int]]:
    """Opening times of one day in minutes."""
    numbers = [int(part) for part in re.findall(r"\d+", "" if text is False else str(text))]
    return [(numbers[at] * 60 + numbers[at + 1], numbers[at + 2] * 60 + numbers[at + 3]) for at in range(0, len(numbers), 4)]


def _week(document: dict[str, Any]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for days, hours in document.items():
        first, _, last = days.partition("-")
        for weekday in range(WEEK.index(first), WEEK.index(last or first) + 1):
            found[weekday] = _spans(hours)
    return found


class Calendar:
    """The days of one organisation."""

    def __init__(self, organisation: dict[str, Any]) -> None:
        self._organisation = organisation
        self._zone = ZoneInfo(organisation.get("zone", "Europe/Amsterdam"))
        closing = organisation.get("closing_days", {})
        self._national = closing.get("public_holidays", "nl") == "nl"
        self._closed = {as_date(day) for day in closing.get("dates", ())}
        self.open_on = cache(self._open_on)
        self.day_of = cache(self._day_of)

    def _day_of(self, at: int) -> date:
        """The local date of a moment."""
        return (EPOCH + timedelta(milliseconds=at)).astimezone(self._zone).date()

    def wall(self, day: date, minutes: int) -> int:
        """The moment at which the local clock shows so many minutes after midnight; of an hour that occurs twice the first."""
        naive = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
        return (naive.replace(tzinfo=self._zone).astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)

    def end_of(self, day: date) -> int:
        """The last millisecond of a local day."""
        return self.wall(day + ONE_DAY, 0) - 1

    def same_time(self, at: int, days: int) -> int:
        """The moment so many local days later, at the same time of the clock."""
        local = (EPOCH + timedelta(milliseconds=at)).astimezone(self._zone)
        later = (local.replace(tzinfo=None) + days * ONE_DAY).replace(tzinfo=self._zone)
        return (later.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)

    def working(self, day: date, channel: str, location: str | None) -> bool:
        """Whether people work on it: Monday to Friday, no closing day, and not closed by exception."""
        exception = self._exception(day, self._sources(channel, location))
        return day.weekday() < 5 and not self._closing(day) and exception != []

    def _closing(self, day: date) -> bool:
        return day in self._closed or (self._national and public_holiday(day))

    def _sources(self, channel: str, location: str | None) -> list[dict[str, Any]]:
        """Where hours may stand, the nearest first: the location (of channels that are tied to places), the channel, the organisation."""
        sources: list[dict[str, Any]] = [
            self._organisation["channels"].get(channel) or {},
            {"opening_hours": self._organisation.get("opening_hours") or {"mon-fri": "08:30-17:00"}},
        ]
        place = self._organisation.get("locations", {}).get(location)
        if place is not None and channel in place.get("channels", ("counter", "reception")):
            sources.insert(0, place)
        return sources

    @staticmethod
    def _exception(day: date, sources: list[dict[str, Any]]) -> list[tuple[int, int]] | None:
        """The hours of a day that is an exception."""
        for source in sources:
            for exception, hours in source.get("exceptions", {}).items():
                if as_date(exception) == day:
                    return _spans(hours)
        return None

    def _open_on(self, day: date, channel: str, location: str | None) -> list[tuple[int, int]]:
        """When the channel (at that location, if the channel is tied to places) is open on a day, as moments [from, to)."""
        sources = self._sources(channel, location)
        exception = self._exception(day, sources)
        if exception is not None:
            return self._moments(day, exception)
        if self._closing(day):
            return []
        week = next(source["opening_hours"] for source in sources if source.get("opening_hours"))
        return self._moments(day, _week(week).get(day.weekday(), []))

    def _moments(self, day: date, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(self.wall(day, first), self.wall(day, last)) for first, last in spans]

    def opened(self, since: int, channel: str, location: str | None) -> Iterator[tuple[int, int]]:
        """Every interval in which the channel is open from a moment on, without end (ten years at most)."""
        day = self.day_of(since)
        for _ in range(3_700):
            for first, last in self.open_on(day, channel, location):
                if last > since and last > first:
                    yield max(first, since), last
            day += ONE_DAY

    def quarter_of(self, at: int) -> str:
        """`2026-Q1`."""
        day = self.day_of(at)
        return f"{day.year}-Q{(day.month + 2) // 3}"
