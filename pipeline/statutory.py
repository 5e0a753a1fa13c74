"""The statutory calendar: holidays and terms by the Algemene termijnenwet (Atw), for terms set by law.

A municipality's own closing days do not move such a term. Instants are epoch milliseconds in UTC, days are local.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from holidays import country_holidays

from pipeline.calendars import ONE_DAY, SATURDAY, Calendar, end_of_local_day, local_date, same_time_on

TermUnit = Literal["days", "weeks", "months"]

EQUATED_DAYS: Mapping[date, str] = MappingProxyType(
    {
        date.fromisoformat(day): decree
        for decree, days in {
            # Koninklijk besluit of 24 October 2016, nr. 2016001827 (BWBR0038666).
            "Besluit gelijkstelling 2017-2019": ("2017-04-28 2017-05-26 2018-05-11 2018-12-24 2018-12-31 2019-05-31 2019-12-27"),
            # "Besluit gelijkstelling van 28 april 2023, 19 mei 2023, 10 mei 2024, 27 december 2024 en 30 mei 2025 met een
            # algemeen erkende feestdag".
            "Besluit gelijkstelling 2023-2025": "2023-04-28 2023-05-19 2024-05-10 2024-12-27 2025-05-30",
            # "Besluit gelijkstelling van 2 januari 2026, 15 mei 2026, 7 mei 2027, 28 april 2028 en 26 mei 2028 met een
            # algemeen erkende feestdag".
            "Besluit gelijkstelling 2026-2028": "2026-01-02 2026-05-15 2027-05-07 2028-04-28 2028-05-26",
        }.items()
        for day in days.split()
    }
)
"""Days equated with a holiday by royal decree (Atw art. 3 lid 3), with the decree that did so.

A decree covers three years and is published in the Staatscourant, so no rule can replace this list: it has nothing for
2020-2022, and the one for 2029-2031 is to be added when it appears."""

# Atw art. 4 names the longest terms the law applies to; longer ones end on the day they end, rest day or not.
LONGEST_EXTENDED_TERM: Mapping[TermUnit, int] = {"days": 90, "weeks": 12, "months": 3}


@lru_cache(maxsize=256)
def statutory_holidays(year: int) -> Mapping[date, str]:
    """The days of `year` that extend a statutory term, with their Dutch names (Atw art. 3).

    The recognised holidays, of which 5 May every year, Good Friday (lid 2) and the days equated by decree (lid 3). Easter
    Sunday and Whit Sunday are not in the law: as Sundays they extend a term anyway.
    """
    # The law knows 5 May every year; the package counts it as public in every fifth year only, else as optional. Its
    # language is fixed because it otherwise follows the machine's locale.
    recognised = country_holidays("NL", years=year, categories=("public", "optional"), language="nl")
    days = {day: name for day, name in recognised.items() if name not in {"Eerste paasdag", "Eerste pinksterdag"}}
    days |= {day: decree for day, decree in EQUATED_DAYS.items() if day.year == year}
    return MappingProxyType(dict(sorted(days.items())))


def is_statutory_rest_day(day: date) -> bool:
    """Whether `day` is a Saturday, a Sunday or one of the `statutory_holidays`."""
    return day.weekday() >= SATURDAY or day in statutory_holidays(day.year)


def statutory_term_deadline(start_ms: int, n: int, unit: TermUnit, zone: ZoneInfo, suspended: int = 0) -> int:
    """The end of a statutory term of `n` days, weeks or months that starts the day after `start_ms`.

    The last day of a term in weeks or months has the weekday or day number of the start (or is the last of its month). Days for which the
    term was `suspended` come on top (Awb art. 4:15). A term that ends on a rest day runs on to the first day that is none (Atw art. 1);
    one of three days or more holds at least two days that are none (art. 2); terms longer than `LONGEST_EXTENDED_TERM` are not extended
    (art. 4).

    Returns 23:59:59.999 of the last day. Raises ValueError when `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"a statutory term needs at least 1 of {unit}, not {n}")
    start = local_date(start_ms, zone)
    last = months_later(start, n) if unit == "months" else start + timedelta(days=n if unit == "days" else 7 * n)
    last += timedelta(days=suspended)
    if n <= LONGEST_EXTENDED_TERM[unit]:
        needs_two = unit == "days" and n >= 3  # a term in weeks or months holds its two days anyway
        while is_statutory_rest_day(last) or (needs_two and _ordinary_days(start, last) < 2):
            last += ONE_DAY
    return end_of_local_day(last, zone)


def moved_on(due_ms: int, days: int, zone: ZoneInfo) -> int:
    """The same time of day so many days after `due_ms`, or on the first day after it that is no rest day."""
    last = local_date(due_ms, zone) + timedelta(days=days)
    while is_statutory_rest_day(last):
        last += ONE_DAY
    return same_time_on(last, due_ms, zone)


def days_between(from_ms: int, to_ms: int, zone: ZoneInfo) -> int:
    """The number of days strictly between the local days of two instants."""
    return max(0, (local_date(to_ms, zone) - local_date(from_ms, zone)).days - 1)


@lru_cache(maxsize=8)
def statutory_calendar(zone: str, first_year: int, last_year: int) -> Calendar:
    """A calendar whose working days are Monday to Friday but for the statutory holidays of those years. It has no opening hours."""
    return Calendar(zone, [()] * 7, [day for year in range(first_year, last_year + 1) for day in statutory_holidays(year)])


def _ordinary_days(start: date, last: date) -> int:
    return sum(not is_statutory_rest_day(start + timedelta(days=i)) for i in range(1, (last - start).days + 1))


def months_later(day: date, months: int) -> date:
    """The same day of the month so many months on, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
