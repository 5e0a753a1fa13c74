"""A service norm as a municipality publishes it (docs/MEASURES.md, "Norms"), as configuration."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.messages import misfit
from schemas.terms import DurationMs, Term, duration_ms, parse_term, working_days
from schemas.types import Channel, Slug

Clock = Literal["given", "elapsed", "opening-hours", "working-days", "statutory-term"]
StartEvent = Literal["opened", "queued", "answered", "acknowledged", "callback_requested", "promised", "transferred", "closed"]
StartMoment = StartEvent | Literal["appointment_at", "term_starts_at"]
StopEvent = Literal["answered", "acknowledged", "informed", "responded", "called_back", "reached", "closed"]
StopEvents = Annotated[
    tuple[StopEvent, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value, StopEvent | tuple[StopEvent, ...])
]
"""One event or a list of them; the first to happen stops the clock."""

ATTRIBUTE_MOMENTS = ("appointment_at", "term_starts_at")
"""Moments that a contact's attributes tell: in `latest_of` each counts where there is one."""


def _check_threshold(clock: Clock, threshold: str | None) -> None:
    if clock == "given":
        if threshold is not None:
            raise ValueError("a given deadline has no threshold; remove it")
    elif threshold is None:
        example = {"working-days": "2wd", "statutory-term": "6w"}.get(clock, "45s")
        raise ValueError(f"it needs a threshold, such as {example}")
    elif clock == "working-days":
        working_days(threshold)
    elif clock == "statutory-term":
        if parse_term(threshold).unit not in ("days", "weeks", "months"):
            raise ValueError(f"{threshold!r} is no statutory term; write 10d, 6w or 3m")
    else:
        duration_ms(threshold)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Titles(_Model):
    """A title in both languages of the boards."""

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


class AppliesTo(_Model):
    """Which contacts a norm concerns; an empty list means every value.

    `product_classes` are those of the organisation's file. `appointment`: only with (true) or without (false) an appointment. A contact
    whose complexity nobody told is `unknown`.
    """

    channels: tuple[Channel, ...] = Field(min_length=1)
    products: tuple[str, ...] = ()
    product_classes: tuple[Slug, ...] = ()
    teams: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    vias: tuple[str, ...] = ()
    appointment: bool | None = None
    complexity: tuple[Literal["simple", "complex", "unknown"], ...] = ()
    direction: Literal["inbound", "outbound"] | None = None


class LatestOf(_Model):
    """A start that is the latest of several moments. Every event named must have happened."""

    latest_of: tuple[StartMoment, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _names_an_event(self) -> "LatestOf":
        if set(self.latest_of) <= set(ATTRIBUTE_MOMENTS):
            raise ValueError(f"latest_of needs an event beside {' and '.join(self.latest_of)}, such as opened or queued")
        return self


class Exclusions(_Model):
    """Contacts that a norm leaves out of its figure, each with a reason that is shown.

    `outside_opening_hours`: those that start while the channel or location is closed. `results`: those that closed with such a result.
    """

    outside_opening_hours: bool = False
    results: tuple[Slug, ...] = ()
    products: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


class Norm(_Model):
    """One version of a norm. Versions of one norm share `id` and differ in `valid`; a contact is judged by the version valid at its start.

    `statistic`: the share of contacts within the threshold, or their mean or greatest time, which may not exceed it. `threshold` is the
    term in the clock's own unit, as text (45s, 15min, 24h; 2wd; 6w; none for a given deadline). `target` is a share of 0-1.
    `short_abandon` leaves abandons within that wait out of the figure. `extension` says how far `contact.extended` may move the deadline.
    """

    id: Slug
    title: Titles
    applies_to: AppliesTo
    statistic: Literal["share", "mean", "max"] = "share"
    clock: Clock
    calendar: Literal["municipal", "statutory"] | None = None
    threshold: Annotated[str | None, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)] = None
    target: float | None = Field(default=None, ge=0, le=1)
    denominator: Literal["answered", "offered"] = "answered"
    left_queue: Literal["counts", "excluded"] = "counts"
    short_abandon: DurationMs = Field(default=0, ge=0, le=3_600_000)
    start: StartEvent | LatestOf = "opened"
    stop: StopEvents = Field(min_length=1)
    suspension: bool = True
    extension: str = "any"
    exclusions: Exclusions = Exclusions()
    priority: Slug | None = None
    valid: Validity = Validity()
    source: str = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _fits_together(self) -> "Norm":
        for field, check in (
            ("threshold", self._check_threshold),
            ("extension", self._check_extension),
            ("statistic", self._check_statistic),
        ):
            try:
                check()
            except ValueError as error:
                raise misfit(f"norm {self.id!r} by the clock {self.clock}: {error}", field) from None
        if self.calendar == "municipal" and self.clock == "statutory-term":
            raise misfit(f"norm {self.id!r}: a statutory term runs by the statutory calendar; remove `calendar`", "calendar")
        if self.calendar == "statutory" and self.clock not in ("working-days", "statutory-term"):
            raise misfit(
                f"norm {self.id!r}: the clock {self.clock} counts no days of the statutory calendar; remove `calendar`", "calendar"
            )
        same = set(self.start_moments) & set(self.stop)
        if same:
            raise misfit(f"norm {self.id!r}: it starts and stops by the same event {same.pop()!r}", "stop")
        return self

    def _check_threshold(self) -> None:
        _check_threshold(self.clock, self.threshold)

    def _check_extension(self) -> None:
        if self.extension not in ("none", "any"):
            parse_term(self.extension)

    def _check_statistic(self) -> None:
        if self.statistic == "share":
            return
        if self.clock not in ("elapsed", "opening-hours"):
            raise ValueError(f"the {self.statistic} of times needs a clock that measures them: elapsed or opening-hours")
        if self.target is not None:
            raise ValueError(f"a norm on the {self.statistic} has no target; its threshold is the limit")

    @property
    def start_moments(self) -> tuple[StartMoment, ...]:
        """The moments of which the latest is the start."""
        return self.start.latest_of if isinstance(self.start, LatestOf) else (self.start,)

    @property
    def statutory(self) -> bool:
        """Whether its days follow the statutory calendar, not the municipality's."""
        return self.clock == "statutory-term" or self.calendar == "statutory"

    @property
    def threshold_ms(self) -> int:
        """The term of an elapsed or opening-hours clock in milliseconds. Raises ValueError for other clocks."""
        return duration_ms(self.threshold)

    @property
    def threshold_days(self) -> int:
        """The term of a working-days clock. Raises ValueError for other clocks."""
        return working_days(self.threshold)

    @property
    def term(self) -> Term:
        """The term of a statutory-term clock. Raises ValueError for a threshold that is none."""
        return parse_term(self.threshold)


START_EVENTS: tuple[str, ...] = get_args(StartEvent)
STOP_EVENTS: tuple[str, ...] = get_args(StopEvent)
