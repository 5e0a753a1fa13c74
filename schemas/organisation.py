"""The configuration of an organisation, as its YAML file holds it: what it measures, against which norms, on which calendar."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from schemas.instrument import Instrument, Wave
from schemas.messages import misfit
from schemas.norm import Norm, Titles
from schemas.opening import DayHours, Week, parse_week
from schemas.terms import DURATION_SCHEMA, DurationMs, duration_ms
from schemas.types import Channel, Slug, Urn

_DEFAULT_MAX_OPEN = {"telephone": 4 * 3_600_000, "counter": 86_400_000}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


MaxOpen = Annotated[
    int | Literal["off", "default"],
    BeforeValidator(_max_open),
    WithJsonSchema({"anyOf": [DURATION_SCHEMA, {"enum": ["off", "default", False]}]}),
]
Zone = Annotated[str, AfterValidator(_zone)]
_OFFICE_HOURS: dict[str, Any] = {"mon-fri": "08:30-17:00"}


class System(_Model):
    """A source system and the CloudEvents sources (URNs) that may speak for it.

    `nine_digit_ids`: its ids are numbers of nine digits and no citizen service numbers; they are not tested for being one.
    """

    sources: tuple[Urn, ...] = Field(min_length=1)
    title: str = ""
    nine_digit_ids: bool = False
    department: Slug | None = None


Budget = Annotated[float, Field(gt=0, le=12)]
"""False alarms of drift that a channel may cost in a quarter."""


class ChannelConfiguration(_Model):
    """A channel that the organisation uses. A contact open longer than `max_open` (4h, 60d, off for never) is stale.

    `leading_system` names the system whose contacts count; those of others enrich them (`same_as`). Without it every contact counts.
    `drift_budget`: its own, where it differs from the organisation's.
    """

    leading_system: Slug | None = None
    opening_hours: Week | None = None
    exceptions: dict[date, DayHours] = {}
    max_open: MaxOpen = "default"
    drift_budget: Budget | None = None


class Drift(_Model):
    """How drift is watched. `budget`: false alarms a channel and quarter. `escalate_after`: opening hours in which nobody need react."""

    budget: Budget = 1.0
    escalate_after: DurationMs = 30 * 60_000


class ClosingDays(_Model):
    """The municipality's own closing days: public holidays by the `holidays` package (`nl`), or none, and dates of its own."""

    public_holidays: Literal["nl", "none"] = "nl"
    dates: tuple[date, ...] = ()


class Location(_Model):
    """A place with opening hours of its own, for the channels that are tied to a place."""

    title: str = ""
    channels: tuple[Channel, ...] = ("counter", "reception")
    opening_hours: Week | None = None
    exceptions: dict[date, DayHours] = {}


class Department(_Model):
    """A part of the organisation that took part of the measurement upon itself."""

    title: Titles
    contact: str = Field(default="", max_length=200)


class Team(_Model):
    """A team as sources name it. With fewer than three `people` it is shown as its `parent`."""

    department: Slug | None = None
    parent: str | None = None
    people: int | None = Field(default=None, ge=1)


class Priority(_Model):
    """A goal of the municipality, to which norms and aspects belong."""

    title: Titles


class Organisation(_Model):
    """One municipality. `inhabitants` for figures per 1,000.

    `minimum_n`: fewer than this many and a figure says "too few to tell". `small_cell`: answers are shown in steps of at least this many.
    `repeat_days`: a citizen who comes again with the same product within so many days comes again for the same thing.
    """

    organisation: Slug
    title: Titles
    simulated: bool = False
    zone: Zone = "Europe/Amsterdam"
    inhabitants: int | None = Field(default=None, ge=1)
    systems: dict[Slug, System] = Field(min_length=1)
    channels: dict[Channel, ChannelConfiguration] = Field(min_length=1)
    locations: dict[str, Location] = {}
    departments: dict[Slug, Department] = {}
    teams: dict[str, Team] = {}
    opening_hours: Week = Field(default=parse_week(_OFFICE_HOURS), json_schema_extra={"default": _OFFICE_HOURS})
    closing_days: ClosingDays = ClosingDays()
    drift: Drift = Drift()
    product_classes: dict[Slug, tuple[str, ...]] = {}
    priorities: dict[Slug, Priority] = {}
    norms: tuple[Norm, ...] = ()
    instruments: dict[Slug, tuple[Instrument, ...]] = {}
    waves: dict[Slug, Wave] = {}
    minimum_n: int = Field(default=20, ge=2, le=10_000)
    small_cell: int = Field(default=5, ge=3, le=1_000)
    repeat_days: int = Field(default=7, ge=1, le=90)
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
        self._check_names()
        return self

    def _check_names(self) -> None:
        """Whatever is named must stand in this file."""
        for name, team in self.teams.items():
            if team.department is not None and team.department not in self.departments:
                raise misfit(f"{team.department!r} is not one of this file's departments", "teams", name, "department")
            seen = {name}
            parent = team.parent
            while parent is not None:
                if parent in seen:
                    raise misfit(f"{parent!r} is its own parent", "teams", name, "parent")
                seen.add(parent)
                parent = self.teams[parent].parent if parent in self.teams else None
        for name, system in self.systems.items():
            if system.department is not None and system.department not in self.departments:
                raise misfit(f"{system.department!r} is not one of this file's departments", "systems", name, "department")
        for name, wave in self.waves.items():
            if not any(one.version == wave.version for one in self.instruments.get(wave.instrument, ())):
                message = f"there is no instrument {wave.instrument!r} version {wave.version} in this file"
                raise misfit(message, "waves", name, "instrument")
        for position, norm in enumerate(self.norms):
            for one in norm.applies_to.product_classes:
                if one not in self.product_classes:
                    raise misfit(f"{one!r} is not one of this file's product classes", "norms", position, "applies_to", "product_classes")
            if norm.priority is not None and norm.priority not in self.priorities:
                raise misfit(f"{norm.priority!r} is not one of this file's priorities", "norms", position, "priority")
        for name, versions in self.instruments.items():
            for number, instrument in enumerate(versions):
                for aspect, settings in instrument.aspects.items():
                    if settings.priority is not None and settings.priority not in self.priorities:
                        where = ("instruments", name, number, "aspects", aspect, "priority")
                        raise misfit(f"{settings.priority!r} is not one of this file's priorities", *where)

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
            "locations": {
                name: {key: value for key, value in entry.items() if key != "title"} for name, entry in document["locations"].items()
            },
            "sources": self.system_of_source(),
            "channels": {
                name: {key: entry[key] for key in ("leading_system", "opening_hours", "exceptions")}
                for name, entry in document["channels"].items()
            },
            "product_classes": document["product_classes"],
            "norms": [
                {key: value for key, value in norm.items() if key not in ("title", "target", "source", "priority")}
                for norm in document["norms"]
            ],
            "scales": {
                f"{name}:{instrument.version}:{aspect}": instrument.scale_of(aspect).model_dump(mode="json")
                for name, versions in self.instruments.items()
                for instrument in versions
                for aspect in instrument.aspects
            },
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
