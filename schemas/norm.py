"""A service norm as a municipality publishes it (docs/MEASURES.md, "Norms"), as configuration."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.types import Channel, Slug

_UNITS_MS = {"s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text: object) -> int:
    """Milliseconds of `45s`, `15min`, `24h` or `2d` (a day is 24 hours). Raises ValueError."""
    match = re.fullmatch(r"(\d{1,6})\s*(s|min|h|d)", text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write 45s, 15min, 24h or 2d")
    return int(match[1]) * _UNITS_MS[match[2]]


def working_days(text: object) -> int:
    """The number in `2wd`. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,4})\s*wd", text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a number of working days; write 2wd")
    return int(match[1])


DurationMs = Annotated[int, BeforeValidator(lambda value: value if isinstance(value, int) and not isinstance(value, bool) else duration_ms(value))]
Clock = Literal["given", "elapsed", "opening-hours", "working-days"]
StartEvent = Literal["opened", "queued", "answered", "callback_requested", "closed"]
StopEvent = Literal["answered", "acknowledged", "informed", "responded", "called_back", "closed"]


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
            raise ValueError(f"it would end ({self.end}) before it begins ({self.start}); `to` is the first day on which it no longer holds")
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
    threshold: str | None = None
    target: float | None = Field(default=None, ge=0, le=1)
    denominator: Literal["answered", "offered"] = "answered"
    short_abandon: DurationMs = Field(default=0, ge=0, le=3_600_000)
    start: StartEvent = "opened"
    stop: Annotated[tuple[StopEvent, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)] = Field(min_length=1)
    valid: Validity = Validity()
    source: str = Field(min_length=1, max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _known_clock(cls, document: Any) -> Any:
        clock = document.get("clock") if isinstance(document, dict) else None
        if isinstance(clock, str) and clock not in ("given", "elapsed", "opening-hours", "working-days"):
            raise ValueError(f"norm {document.get('id')!r}: clock {clock!r} is not known; use given, elapsed, opening-hours or working-days")
        return document

    @model_validator(mode="after")
    def _threshold_fits(self) -> "Norm":
        if self.clock == "given":
            if self.threshold is not None:
                raise ValueError(f"norm {self.id!r}: a given deadline has no threshold; remove it")
        elif self.clock == "working-days":
            working_days(self.threshold)
        else:
            duration_ms(self.threshold)
        if set(self.stop) & {self.start}:
            raise ValueError(f"norm {self.id!r}: it starts and stops by the same event {self.start!r}")
        return self

    @property
    def threshold_ms(self) -> int:
        """The term of an elapsed or opening-hours clock in milliseconds. Raises ValueError for other clocks."""
        return duration_ms(self.threshold)

    @property
    def threshold_days(self) -> int:
        """The term of a working-days clock. Raises ValueError for other clocks."""
        return working_days(self.threshold)
