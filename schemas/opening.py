"""Opening hours as configuration writes them: `{mon-thu: 08:30-17:00, fri: 08:30-13:00}`, in local wall-clock time."""

import itertools
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

Hours = tuple[tuple[int, int], ...]
"""Opening times of one day: (from, to) in local minutes since midnight, ascending, not overlapping."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = r"\s*([0-9]{1,2}):([0-5][0-9])\s*-\s*([0-9]{1,2}):([0-5][0-9])\s*"


def parse_hours(text: object) -> Hours:
    """`closed`, `08:30-17:00` or `08:30-12:00, 13:00-17:00` as Hours. Raises ValueError."""
    # YAML reads a bare `off` or `no` as false.
    if text == "closed" or text is False:
        return ()
    spans = []
    for part in str(text).split(","):
        match = re.fullmatch(_SPAN, part)
        if match is None:
            raise ValueError(f"{text!r} are no opening hours; write 08:30-17:00, or 08:30-12:00, 13:00-17:00, or closed")
        start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if not 0 <= start < end <= 1440:
            raise ValueError(f"{part.strip()!r}: opening must come before closing, within one day")
        spans.append((start, end))
    if any(earlier[1] > later[0] for earlier, later in itertools.pairwise(spans)):
        raise ValueError(f"{text!r}: the spans must follow each other without overlap")
    return tuple(spans)


def parse_week(value: object) -> tuple[Hours, ...]:
    """`{mon-thu: 08:30-17:00, fri: 08:30-13:00}` as seven Hours, Monday first; a day not named is closed. Raises ValueError."""
    if not isinstance(value, dict):
        # A TypeError would pass pydantic by.
        raise ValueError("opening hours name days: {mon-thu: 08:30-17:00, fri: 08:30-13:00}")  # noqa: TRY004
    week: list[Hours | None] = [None] * 7
    for days, hours in value.items():
        first, dash, last = str(days).partition("-")
        span = (first, last if dash else first)
        if not set(span) <= set(_DAYS) or _DAYS.index(span[1]) < _DAYS.index(span[0]):
            raise ValueError(f"{days!r} names no days; write mon, or mon-fri")
        for day in range(_DAYS.index(span[0]), _DAYS.index(span[1]) + 1):
            if week[day] is not None:
                raise ValueError(f"{_DAYS[day]} is named twice")
            week[day] = parse_hours(hours)
    return tuple(hours or () for hours in week)


_DAY_SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": f"^(closed|{_SPAN}(,{_SPAN})*)$",
    "description": "Opening hours in local time: 08:30-17:00, or 08:30-12:00, 13:00-17:00, or closed.",
}
_WEEK_SCHEMA: dict[str, Any] = {
    "type": "object",
    "propertyNames": {"pattern": f"^({'|'.join(_DAYS)})(-({'|'.join(_DAYS)}))?$"},
    "additionalProperties": _DAY_SCHEMA,
    "description": "Opening hours of a week, {mon-thu: 08:30-17:00, fri: 08:30-13:00}; a day not named is closed.",
}
Week = Annotated[tuple[Hours, ...], BeforeValidator(parse_week), WithJsonSchema(_WEEK_SCHEMA)]
DayHours = Annotated[Hours, BeforeValidator(parse_hours), WithJsonSchema(_DAY_SCHEMA)]
