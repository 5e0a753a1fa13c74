"""The configuration of an organisation, as its YAML file holds it: what it measures, against which norms, on which calendar."""

import itertools
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from schemas.messages import misfit
from schemas.norm import DURATION_SCHEMA, Norm, Titles, duration_ms
from schemas.types import Channel, Slug, Urn

Hours = tuple[tuple[int, int], ...]
"""Opening times of one day: (from, to) in local minutes since midnight, ascending, not overlapping."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = r"\s*([0-9]{1,2}):([0-5][0-9])\s*-\s*([0-9]{1,2}):([0-5][0-9])\s*"
_DEFAULT_MAX_OPEN = {"telephone": 4 * 3_600_000, "counter": 86_400_000}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write Europe/Amsterdam") from None
    return name


def _max_open(value: object) -> object:
    if value in ("off", "default"):
        return value
    # YAML reads a bare `off` as false.
    return "off" if value is False else duration_ms(value)


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
MaxOpen = Annotated[
    int | Literal["off", "default"],
    BeforeValidator(_max_open),
    WithJsonSchema({"anyOf": [DURATION_SCHEMA, {"enum": ["off", "default", False]}]}),
]
Zone = Annotated[str, AfterValidator(_zone)]
_OFFICE_HOURS: dict[str, Any] = {"mon-fri": "08:30-17:00"}


class System(_Model):
    """A source system and the CloudEvents sources (URNs) that may speak for it."""

    sources: tuple[Urn, ...] = Field(min_length=1)
    title: str = ""


class ChannelConfiguration(_Model):
    """A channel that the organisation uses. A contact open longer than `max_open` (4h, 60d, off for never) is stale.

    `leading_system` names the system whose contacts are to count once others enrich them; so far every contact counts.
    """

    leading_system: Slug | None = None
    opening_hours: Week | None = None
    exceptions: dict[date, DayHours] = {}
    max_open: MaxOpen = "default"


class ClosingDays(_Model):
    """The municipality's own closing days: public holidays by the `holidays` package (`nl`), or none, and dates of its own."""

    public_holidays: Literal["nl", "none"] = "nl"
    dates: tuple[date, ...] = ()


class Scale(_Model):
    """Bounds of the answers of an instrument, both included."""

    minimum: float
    maximum: float

    @model_validator(mode="after")
    def _in_order(self) -> "Scale":
        if self.minimum >= self.maximum:
            raise ValueError(f"the minimum {self.minimum:g} must lie below the maximum {self.maximum:g}")
        return self


class Aspect(_Model):
    """One item of an instrument. `target` is a mean on the instrument's scale."""

    title: Titles
    target: float | None = None


class Instrument(_Model):
    """A version of a questionnaire. Different instruments, versions or scales are never pooled."""

    version: int = Field(ge=1, le=65_535)
    title: Titles
    scale: Scale
    population: Literal["contact-triggered", "general", "panel"] = "contact-triggered"
    aspects: dict[Slug, Aspect] = Field(min_length=1)

    @model_validator(mode="after")
    def _targets_on_scale(self) -> "Instrument":
        for name, aspect in self.aspects.items():
            if aspect.target is not None and not self.scale.minimum <= aspect.target <= self.scale.maximum:
                raise misfit(
                    f"target {aspect.target} lies outside the scale {self.scale.minimum:g} to {self.scale.maximum:g}",
                    "aspects",
                    name,
                    "target",
                )
        return self


class Organisation(_Model):
    """One municipality. `minimum_n`: fewer than this many and a figure says "too few to tell". `inhabitants` for figures per 1,000."""

    organisation: Slug
    title: Titles
    simulated: bool = False
    zone: Zone = "Europe/Amsterdam"
    inhabitants: int | None = Field(default=None, ge=1)
    systems: dict[Slug, System] = Field(min_length=1)
    channels: dict[Channel, ChannelConfiguration] = Field(min_length=1)
    opening_hours: Week = Field(default=parse_week(_OFFICE_HOURS), json_schema_extra={"default": _OFFICE_HOURS})
    closing_days: ClosingDays = ClosingDays()
    norms: tuple[Norm, ...] = ()
    instruments: dict[Slug, tuple[Instrument, ...]] = {}
    minimum_n: int = Field(default=20, ge=2, le=10_000)
    link_template: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Organisation":
        owner: dict[str, str] = {}
        for slug, system in self.systems.items():
            for source in system.sources:
                if owner.setdefault(source, slug) != slug:
                    raise misfit(
                        f"source {source!r} already stands under system {owner[source]!r}; one source speaks for one system",
                        "systems",
                        slug,
                    )
        for channel, settings in self.channels.items():
            if settings.leading_system is not None and settings.leading_system not in self.systems:
                raise misfit(f"{settings.leading_system!r} is not one of this file's systems", "channels", channel, "leading_system")
        for name, versions in self.instruments.items():
            if len({instrument.version for instrument in versions}) != len(versions):
                raise misfit("a version number stands twice; give each version its own", "instruments", name)
        self._check_norms()
        return self

    def _check_norms(self) -> None:
        for position, norm in enumerate(self.norms):
            for channel in norm.applies_to.channels:
                if channel not in self.channels:
                    message = f"norm {norm.id!r}: {channel!r} is not one of this organisation's channels; add it there or remove it here"
                    raise misfit(message, "norms", position, "applies_to", "channels")
            for other in self.norms[:position]:
                if other.id == norm.id and other.valid.start < norm.valid.end and norm.valid.start < other.valid.end:
                    day = max(other.valid.start, norm.valid.start)
                    when = "at the same time" if day == date.min else f"on {day}"
                    message = (
                        f"norm {norm.id!r}: two versions are valid {when}; let the earlier end (`valid: {{to: …}}`) where the later begins"
                    )
                    raise misfit(message, "norms", position)

    def norm_versions(self, name: str) -> tuple[Norm, ...]:
        """The versions of one norm by date; the version number is the position + 1."""
        return tuple(sorted((norm for norm in self.norms if norm.id == name), key=lambda norm: norm.valid.start))

    def system_of_source(self) -> dict[str, str]:
        """CloudEvents source to system slug."""
        return {source: slug for slug, system in self.systems.items() for source in system.sources}

    def max_open_ms(self, channel: str) -> int | None:
        """How long a contact of the channel may be open before it is stale; None for no limit."""
        limit = self.channels[channel].max_open if channel in self.channels else "default"
        if limit == "default":
            return _DEFAULT_MAX_OPEN.get(channel)
        return None if limit == "off" else int(limit)

    def judging(self) -> dict[str, Any]:
        """The part that decides how contacts are judged. While contacts are stored, what is in it may grow but not change."""
        document = self.model_dump(mode="json")
        return {
            "zone": document["zone"],
            "opening_hours": document["opening_hours"],
            "closing_days": document["closing_days"],
            "sources": self.system_of_source(),
            "channels": {
                name: {key: entry[key] for key in ("opening_hours", "exceptions")} for name, entry in document["channels"].items()
            },
            "norms": [
                {key: value for key, value in norm.items() if key not in ("title", "target", "source")} for norm in document["norms"]
            ],
            "scales": {f"{name}:{item['version']}": item["scale"] for name, items in document["instruments"].items() for item in items},
        }


def load_organisation(path: Path) -> Organisation:
    """One organisation's file. Raises InvalidConfiguration."""
    return yamlfile.load(path, Organisation)


def load_organisations(directory: Path) -> dict[str, Organisation]:
    """Every `*.yaml` of a directory by slug. Raises InvalidConfiguration, also when two files name the same organisation."""
    found: dict[str, Organisation] = {}
    for path in sorted(directory.glob("*.yaml")):
        organisation = load_organisation(path)
        if organisation.organisation in found:
            raise InvalidConfiguration(f"{path}: organisation {organisation.organisation!r} already has a file in {directory}; keep one")
        found[organisation.organisation] = organisation
    return found
