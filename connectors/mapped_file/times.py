"""Times and durations as source systems write them, as epoch milliseconds (floored) and milliseconds.

A local time that occurs twice (the clock goes back) is the first of the two, unless the mapping says otherwise; one that does not
exist (the clock goes forward) is shifted forward by the gap: it is what a clock shows that nobody has put forward yet.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from functools import cache
from zoneinfo import ZoneInfo

from connectors.mapped_file.mapping import Times
from connectors.mapped_file.problems import Unusable, shown
from connectors.mapped_file.rules import Shift
from schemas.types import epoch_ms

_CLOCK = re.compile(r"(\d{1,5}):([0-5]\d):([0-5]\d(?:\.\d+)?)")
_PAIR = re.compile(r"(\d{1,5}):([0-5]\d)")


@cache
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)


def parse_time(text: str, times: Times, column: str, shifts: tuple[Shift, ...] = ()) -> int:
    """Epoch milliseconds of `text`, which stands in `column`, its wall time moved by `shifts`. Raises Unusable."""
    for form in times.formats:
        try:
            moment = _iso(text) if form == "iso" else datetime.strptime(text, form)
        except ValueError:
            continue
        for shift in shifts:
            moment = _moved(moment, shift, column, text)
        return epoch_ms(_in_zone(moment, times, column, text))
    raise Unusable(
        column, f"{shown(text)} is not a time written as {' or '.join(times.formats)}", "correct it, or add its form to times.formats"
    )


def _iso(text: str) -> datetime:
    if len(text) <= len("2026-03-02"):
        raise ValueError("a date without a time of day: midnight must be meant on purpose, by the format %Y-%m-%d")
    return datetime.fromisoformat(text)


def _moved(moment: datetime, shift: Shift, column: str, text: str) -> datetime:
    try:
        moved = moment.replace(year=moment.year + shift.years) if shift.years else moment
        return moved + timedelta(days=shift.days, minutes=shift.minutes)
    except (ValueError, OverflowError):
        raise Unusable(
            column, f"{shown(text)} can't be moved by {shift.years} years and {shift.days} days", "give the shift in days, or correct it"
        ) from None


def _in_zone(moment: datetime, times: Times, column: str, text: str) -> datetime:
    if moment.tzinfo is not None:
        return moment  # An offset in the text says more than the zone of the mapping.
    first = moment.replace(tzinfo=_zone(times.zone))
    second = first.replace(fold=1)
    if _offset(first) == _offset(second):
        return first
    # When the clock goes back the first offset is the larger. In a gap, the offset before the change (fold=0) is what shifts forward.
    goes_back = _offset(first) > _offset(second)
    rule = times.ambiguous if goes_back else times.nonexistent
    if rule == "invalid":
        fault = "occurs twice" if goes_back else "does not exist"
        raise Unusable(
            column,
            f"{shown(text)} {fault} in {times.zone} (the clocks change)",
            "give the time with its offset, or change the rule in times",
        )
    return second if rule == "last" else first


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)


def parse_duration(text: str, times: Times, column: str) -> int:
    """Milliseconds (floored) of seconds (`109`, `10.5`), `H:MM:SS`, or two parts as `times.durations` says. Raises Unusable."""
    clock, pair = _CLOCK.fullmatch(text), _PAIR.fullmatch(text)
    if pair and times.durations is None:
        raise Unusable(
            column,
            f"{shown(text)} may be minutes and seconds or hours and minutes",
            "write `durations: M:SS` or `durations: H:MM` under `times` in the mapping",
        )
    try:
        if clock:
            seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + Decimal(clock[3])
        elif pair:
            seconds = (int(pair[1]) * 60 + Decimal(pair[2])) * (60 if times.durations == "H:MM" else 1)
        else:
            seconds = Decimal(text)
    except InvalidOperation:
        seconds = Decimal(-1)
    if not (seconds.is_finite() and 0 <= seconds < 10**8):
        raise Unusable(column, f"{shown(text)} is no duration", "write seconds (109) or H:MM:SS (0:01:49)")
    return int(seconds * 1000)
