"""The simulated town: its organisation file, opening hours and working days.

The calendar is not the product's own, on purpose: what the simulator intends is compared with what the product finds.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from holidays import country_holidays

from schemas.organisation import Organisation, load_organisation

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
ORGANISATION_FILE = Path(__file__).with_name("organisation.yaml")
"""Must be among the organisations of a pipeline that is to accept what the simulator sends."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def organisation() -> Organisation:
    """The town's configuration."""
    return load_organisation(ORGANISATION_FILE)


@cache
def _zone() -> ZoneInfo:
    return ZoneInfo(organisation().zone)


@cache
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(country_holidays("NL", years=year))


def instant(day: date, minute: int = 0) -> int:
    """Epoch milliseconds of a wall time, in minutes after local midnight."""
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=_zone())
    return (wall - _EPOCH) // timedelta(milliseconds=1)


@cache
def midnight(day: date) -> int:
    """The first millisecond of a local day."""
    return instant(day)


def day_of(at_ms: int) -> date:
    """The local day of an instant."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(_zone()).date()


@cache
def opening(day: date) -> tuple[int, int] | None:
    """When the town hall opens and closes on a day, in epoch milliseconds; None when it stays closed."""
    town = organisation()
    hours = town.opening_hours[day.weekday()]
    if not hours or day in _public_holidays(day.year) or day in town.closing_days.dates:
        return None
    return instant(day, hours[0][0]), instant(day, hours[-1][1])


@cache
def working_day_after(day: date, n: int) -> date:
    """The n-th working day after a day; with n = 0 the day itself. The town works on exactly the days on which it opens."""
    while n:
        day += timedelta(days=1)
        n -= opening(day) is not None
    return day


@cache
def working_day_before(day: date, n: int) -> date:
    """The n-th working day before a day."""
    while n:
        day -= timedelta(days=1)
        n -= opening(day) is not None
    return day
