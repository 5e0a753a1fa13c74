"""The configuration of an organisation, as its YAML file holds it: what it measures, against which norms, on which calendar."""

import itertools
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from schemas.norm import DurationMs, Norm, Titles
from schemas.types import Channel, Slug, Urn

Hours = tuple[tuple[int, int], ...]
"""Opening times of one day: (from, to) in local minutes since midnight, ascending, not overlapping."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DEFAULT_MAX_OPEN = {"telephone": 4 * 3_600_000, "counter": 86_400_000}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def parse_hours(text: object) -> Hours:
    """`closed`, `08:30-17:00` or `08:30-12:00, 13:00-17:00` as Hours. Raises ValueError."""
    if text in ("closed", False):
        return ()
    spans = []
    for part in str(text).split(","):
        match = re.fullmatch(r"\s*(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\s*", part)
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
        raise ValueError("opening hours name days: {mon-thu: 08:30-17:00, fri: 08:30-13:00}")
    week: list[Hours | None] = [None] * 7
    for days, hours in value.items():
        first, _, last = str(days).partition("-")
        if first not in _DAYS or (last or first) not in _DAYS or _DAYS.index(last or first) < _DAYS.index(first):
            raise ValueError(f"{days!r} names no days; write mon, or mon-fri")
        for day in range(_DAYS.index(first), _DAYS.index(last or first) + 1):
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


Week = Annotated[tuple[Hours, ...], BeforeValidator(lambda value: parse_week(value) if isinstance(value, dict) else value)]
DayHours = Annotated[Hours, BeforeValidator(lambda value: value if isinstance(value, tuple) else parse_hours(value))]
Zone = Annotated[str, AfterValidator(_zone)]


class System(_Model):
    """A source system and the CloudEvents sources (URNs) that may speak for it."""

    sources: tuple[Urn, ...] = Field(min_length=1)
    title: str = ""


class ChannelConfiguration(_Model):
    """A channel that the organisation uses. `max_open` in ms, None for no limit; `leading_system` counts, other systems enrich."""

    leading_system: Slug | None = None
    opening_hours: Week | None = None
    exceptions: dict[date, DayHours] = {}
    max_open: DurationMs | Literal["off", "default"] = "default"

    @model_validator(mode="before")
    @classmethod
    def _off(cls, document: Any) -> Any:
        # YAML reads a bare `off` as false.
        return {**document, "max_open": "off"} if isinstance(document, dict) and document.get("max_open") is False else document


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
            raise ValueError("the minimum of a scale must lie below its maximum")
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


class Organisation(_Model):
    """One municipality. `minimum_n`: fewer than this many and a figure says "too few to tell". `inhabitants` for figures per 1,000."""

    organisation: Slug
    title: Titles
    simulated: bool = False
    zone: Zone = "Europe/Amsterdam"
    inhabitants: int | None = Field(default=None, ge=1)
    systems: dict[Slug, System] = Field(min_length=1)
    channels: dict[Channel, ChannelConfiguration] = Field(min_length=1)
    opening_hours: Week = parse_week({"mon-fri": "08:30-17:00"})
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
                    raise ValueError(f"source {source!r} stands under systems {owner[source]!r} and {slug!r}; one source speaks for one system")
        for channel, settings in self.channels.items():
            if settings.leading_system is not None and settings.leading_system not in self.systems:
                raise ValueError(f"channel {channel!r}: leading_system {settings.leading_system!r} is not one of systems")
        self._check_norms()
        for name, versions in self.instruments.items():
            if len({instrument.version for instrument in versions}) != len(versions):
                raise ValueError(f"instrument {name!r}: a version number stands twice")
        return self

    def _check_norms(self) -> None:
        for norm in self.norms:
            unused = [channel for channel in norm.applies_to.channels if channel not in self.channels]
            if unused:
                raise ValueError(f"norm {norm.id!r}: channel {unused[0]!r} is not one of this organisation's channels; add it or remove it here")
        for name in {norm.id for norm in self.norms}:
            versions = self.norm_versions(name)
            for earlier, later in itertools.pairwise(versions):
                if later.valid.start < earlier.valid.end:
                    raise ValueError(
                        f"norm {name!r}: two versions are valid on {later.valid.start}; let the earlier end (`valid: {{to: …}}`) where the later begins"
                    )

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
            "channels": {name: {key: entry[key] for key in ("opening_hours", "exceptions")} for name, entry in document["channels"].items()},
            "norms": [{key: value for key, value in norm.items() if key not in ("title", "target", "source")} for norm in document["norms"]],
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

