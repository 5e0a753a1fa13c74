"""A service norm as a municipality publishes it (docs/MEASURES.md, "Norms"), as configuration."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from schemas.messages import misfit
from schemas.types import Channel, Slug

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
Clock = Literal["given", "elapsed", "opening-hours", "working-days"]
StartEvent = Literal["opened", "queued", "answered", "callback_requested", "closed"]
StopEvent = Literal["answered", "acknowledged", "informed", "responded", "called_back", "closed"]
StopEvents = Annotated[
    tuple[StopEvent, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value, StopEvent | tuple[StopEvent, ...])
]
"""One event or a list of them; the first to happen stops the clock."""


def _check_threshold(clock: Clock, threshold: str | None) -> None:
    if clock == "given":
        if threshold is not None:
            raise ValueError("a given deadline has no threshold; remove it")
    elif threshold is None:
        raise ValueError(f"it needs a threshold, such as {'2wd' if clock == 'working-days' else '45s'}")
    elif clock == "working-days":
        working_days(threshold)
    else:
        duration_ms(threshold)


class Titles(BaseModel):
    """A title in both languages of the boards."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    nl: str = Field(min_length=1, max_length=120)
    en: str = Field(min_length=1, max_length=120)


class Validity(BaseModel):
    """The local dates on which a version begins and ends to hold: [from, to)."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    start: date = Field(alias="from", default=date.min)
    end: date = Field(alias="to", default=date.max)

    @model_validator(mode="after")
    def _in_order(self) -> "Validity":
        if self.start >= self.end:
            raise ValueError(
                f"it would end ({self.end}) before it begins ({self.start}); `to` is the first day on which it no longer holds"
            )
        return self


class AppliesTo(BaseModel):
    """Which contacts a norm concerns; an empty list means every value."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    channels: tuple[Channel, ...] = Field(min_length=1)
    products: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


class Norm(BaseModel):
    """One version of a norm. Versions of one norm share `id` and differ in `valid`; a contact is judged by the version valid at its start.

    `threshold` is the term in the clock's own unit, as text (45s, 15min, 24h; 2wd; none for a given deadline). `target` is a share of 0-1.
    `short_abandon` leaves abandons within that wait out of the figure.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Slug
    title: Titles
    applies_to: AppliesTo
    clock: Clock
    threshold: Annotated[str | None, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)] = None
    target: float | None = Field(default=None, ge=0, le=1)
    denominator: Literal["answered", "offered"] = "answered"
    short_abandon: DurationMs = Field(default=0, ge=0, le=3_600_000)
    start: StartEvent = "opened"
    stop: StopEvents = Field(min_length=1)
    valid: Validity = Validity()
    source: str = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _threshold_fits(self) -> "Norm":
        try:
            _check_threshold(self.clock, self.threshold)
        except ValueError as error:
            raise misfit(f"norm {self.id!r} by the clock {self.clock}: {error}", "threshold") from None
        if self.start in self.stop:
            raise misfit(f"norm {self.id!r}: it starts and stops by the same event {self.start!r}", "stop")
        return self

    @property
    def threshold_ms(self) -> int:
        """The term of an elapsed or opening-hours clock in milliseconds. Raises ValueError for other clocks."""
        return duration_ms(self.threshold)

    @property
    def threshold_days(self) -> int:
        """The term of a working-days clock. Raises ValueError for other clocks."""
        return working_days(self.threshold)
