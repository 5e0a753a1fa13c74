"""How configuration writes durations and terms: 45s, 15min, 24h, 2d; 2wd (working days); 10d, 6w, 3m (statutory terms)."""

import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, WithJsonSchema

_UNITS_MS = {"s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST_MS = 3_653 * 86_400_000  # A deadline must still be a time that the store can keep.

DURATION_SCHEMA: dict[str, Any] = {
    "type": "string",
    "pattern": r"^\s*[0-9]{1,6}\s*(s|min|h|d)\s*$",
    "description": "A duration: 45s, 15min, 24h or 2d.",
}


def duration_ms(text: object) -> int:
    """Milliseconds of `45s`, `15min`, `24h` or `2d` (a day is 24 hours). Raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,6})\s*(s|min|h|d)", text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write 45s, 15min, 24h or 2d")
    ms = int(match[1]) * _UNITS_MS[match[2]]
    if ms > _LONGEST_MS:
        raise ValueError(f"{text!r} is longer than ten years")
    return ms


def working_days(text: object) -> int:
    """The number in `2wd`. Raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,4})\s*wd", text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a number of working days; write 2wd")
    if not 1 <= int(match[1]) <= 2_500:
        raise ValueError(f"{text!r} must lie between 1wd and 2500wd (ten years)")
    return int(match[1])


DurationMs = Annotated[int, BeforeValidator(duration_ms), WithJsonSchema(DURATION_SCHEMA)]

TermUnit = Literal["ms", "working-days", "days", "weeks", "months"]
_TERM_UNITS: dict[str, TermUnit] = {"d": "days", "w": "weeks", "m": "months"}
_LONGEST_TERM = {"days": 3_650, "weeks": 520, "months": 120}


class Term(NamedTuple):
    """So many of a unit."""

    n: int
    unit: TermUnit


def parse_term(text: object) -> Term:
    """`10d`, `6w` or `3m` in calendar days, weeks or months; `2wd` in working days; `24h`, `15min`, `45s` in ms. Raises ValueError."""
    if isinstance(text, str):
        match = re.fullmatch(r"([0-9]{1,4})\s*([dwm])", text.strip())
        if match is not None:
            n, unit = int(match[1]), _TERM_UNITS[match[2]]
            if not 1 <= n <= _LONGEST_TERM[unit]:
                raise ValueError(f"{text!r} must lie between 1 and {_LONGEST_TERM[unit]} {unit} (ten years)")
            return Term(n, unit)
        if text.strip().endswith("wd"):
            return Term(working_days(text), "working-days")
        if re.fullmatch(r"[0-9]+\s*(s|min|h)", text.strip()):
            return Term(duration_ms(text), "ms")
    raise ValueError(f"{text!r} is no term; write 10d, 6w, 3m, 2wd or 24h")
