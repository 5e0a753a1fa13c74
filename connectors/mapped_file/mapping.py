"""A mapping: the YAML file that says how rows of a file become events. docs/CONNECTORS.md explains every name with examples."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from connectors.mapped_file.rules import Condition, EventRule, Part, Scalar, Shift, columns_of
from schemas import yamlfile
from schemas.organisation import Zone
from schemas.types import EARLIEST_MS, LATEST_MS, Slug, Urn, epoch_ms


class FileFormat(Part):
    """How the file is written. `drop`: columns whose content is never kept (personal data); `empty`: texts that mean "no value".

    `sheet` is for a workbook (the first one without it); `header_row` counts from 1 (the first row that is not empty without it).
    """

    format: Literal["csv", "jsonl", "xlsx", "auto"] = "auto"
    encoding: Literal["utf-8", "cp1252", "auto"] = "auto"
    delimiter: Literal[",", ";", "\t", "auto"] = "auto"
    decimal: Literal[".", ","] = "."
    drop: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    sheet: str | None = None
    header_row: int | None = Field(default=None, ge=1, le=1_000)

    @model_validator(mode="before")
    @classmethod
    def _tab(cls, document: Any) -> Any:
        return {**document, "delimiter": "\t"} if isinstance(document, dict) and document.get("delimiter") in ("tab", "\\t") else document


def _format(text: str) -> str:
    if text != "iso" and "%" not in text:
        raise ValueError(f"{text!r} is no time format; write iso, or a form such as '%d-%m-%Y %H:%M:%S'")
    return text


def _midnight_ms(day: date) -> int:
    return epoch_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))


class Times(Part):
    """How times are written. `zone` is for texts without an offset; `earliest` and `latest` (dates, UTC) bound when events can happen.

    `durations` says what a duration of two parts such as 03:10 means; without it such a row is refused, for it may be either.
    """

    zone: Zone
    formats: tuple[Annotated[str, BeforeValidator(_format)], ...] = Field(default=("iso",), min_length=1)
    ambiguous: Literal["first", "last", "invalid"] = "first"
    nonexistent: Literal["shift-forward", "invalid"] = "shift-forward"
    earliest: date | None = None
    latest: date | None = None
    outside: Literal["invalid-row", "drop-event"] = "invalid-row"
    durations: Literal["M:SS", "H:MM"] | None = None

    @property
    def earliest_ms(self) -> int:
        """Inclusive."""
        return max(EARLIEST_MS, _midnight_ms(self.earliest)) if self.earliest else EARLIEST_MS

    @property
    def latest_ms(self) -> int:
        """Exclusive: the end of the day `latest`."""
        return min(LATEST_MS, _midnight_ms(self.latest) + 86_400_000) if self.latest else LATEST_MS


class Table(Part):
    """A translation of texts. A text that is not in `values` becomes `default`; without a default `unknown` decides."""

    values: dict[str, Scalar]
    default: Scalar | None = None
    unknown: Literal["invalid", "keep", "empty"] = "invalid"
    ignore_case: bool = False

    @model_validator(mode="after")
    def _fold(self) -> "Table":
        if self.ignore_case:
            object.__setattr__(self, "values", {key.casefold(): value for key, value in self.values.items()})
        return self


class Refusal(Part):
    """Rows that are invalid: all of `when` hold. `because` says so to a person."""

    when: tuple[Condition, ...] = Field(min_length=1)
    because: str = Field(min_length=1, max_length=200)


class LeftOut(Refusal):
    """Rows that are left out on purpose, without being wrong in themselves; counted and named by every load."""

    name: Slug


class Clock(LeftOut):
    """Rows whose source had a wrong clock: every time of theirs is moved by `shift`; counted and named by every load."""

    shift: Shift

    @model_validator(mode="after")
    def _moves(self) -> "Clock":
        if not self.shift:
            raise ValueError("say how far the times move: `shift: {years: -1}`, or days, or minutes; to skip rows use `leave_out`")
        return self


class Group(Part):
    """Rows that belong together: those with the same text in column `by`, ordered by the texts of the columns `order`.

    Gives each row the columns NAME.number (1, 2, …), NAME.count and NAME.last (yes or no). The whole file is read for it first, and the
    texts of `by` and `order` are held in memory.
    """

    by: str
    order: tuple[str, ...] = Field(min_length=1)

    def columns(self) -> set[str]:
        """The columns that it reads."""
        return {self.by, *self.order}


class Expand(Part):
    """A row that stands for many: it is taken `count` times (a column with a whole number), of which the share in column `share` first.

    Gives each of them the columns expand.number (1, 2, …) and expand.hit (yes for the first round(share · count), halves upwards, then no).
    """

    count: str
    share: str | None = None

    def columns(self) -> set[str]:
        """The columns that it reads."""
        return {self.count} if self.share is None else {self.count, self.share}


EXPANDED = ("expand.number", "expand.hit")


class Mapping(Part):
    """How a file's rows become events. `mapping` is part of every event id: keep it once data was loaded, or everything counts twice.

    `contact` is the column with the source's id of the contact, `system` the organisation's system that the source speaks for (a survey
    answer refers to its contact through it).
    """

    mapping: Slug
    organisation: Slug
    source: Urn
    system: Slug
    file: FileFormat = FileFormat()
    times: Times
    contact: str | None = None
    tables: dict[str, Table] = Field(default_factory=dict)
    leave_out: tuple[LeftOut, ...] = ()
    clocks: tuple[Clock, ...] = ()
    groups: dict[Slug, Group] = Field(default_factory=dict)
    expand: Expand | None = None
    refuse: tuple[Refusal, ...] = ()
    events: tuple[EventRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Mapping":
        for rule in self.events:
            if self.contact is None and rule.type.startswith("contact."):
                raise ValueError(f"{rule.type} needs the id of a contact; name its column: `contact: …`")
            for value in rule.values():
                if value.table is not None and value.table not in self.tables:
                    raise ValueError(
                        f"{rule.type}: table {value.table!r} is not one of tables ({', '.join(self.tables) or 'there are none'})"
                    )
        dropped = self.columns() & set(self.file.drop)
        if dropped:
            raise ValueError(f"column {sorted(dropped)[0]!r} stands under file.drop and is used as well; remove one of the two")
        early = columns_of(tuple(condition for rule in self.leave_out for condition in rule.when)).union(
            *(group.columns() for group in self.groups.values())
        )
        late = columns_of(tuple(condition for rule in self.clocks for condition in rule.when)) & set(EXPANDED)
        if wrong := sorted(early & self._derived() | (late if self.expand is not None else set())):
            raise ValueError(f"{wrong[0]!r} is made later than it is used here; leave_out and groups use columns of the file only")
        names = [rule.name for rule in (*self.leave_out, *self.clocks)]
        if len(set(names)) < len(names):
            raise ValueError("two rules under leave_out and clocks have one name; give each its own, for a load counts by name")
        shown = self.persons() & self._read_otherwise()
        if shown:
            raise ValueError(f"column {sorted(shown)[0]!r} holds a person's number or address: it can be used for `person` only")
        return self

    def columns(self) -> set[str]:
        """Every column of the file that is read; others are not kept."""
        return (self._read_otherwise() | self.persons()) - self._derived()

    def persons(self) -> set[str]:
        """The columns that hold what a person is known by."""
        return set[str]().union(*(rule.persons() for rule in self.events))

    def _read_otherwise(self) -> set[str]:
        found = {self.contact} if self.contact is not None else set()
        found = found.union(*(rule.columns() for rule in self.events), *(group.columns() for group in self.groups.values()))
        if self.expand is not None:
            found |= self.expand.columns()
        return found.union(*(columns_of(rule.when) for rule in (*self.refuse, *self.leave_out, *self.clocks)))

    def _derived(self) -> set[str]:
        found = {f"{name}.{what}" for name in self.groups for what in ("number", "count", "last")}
        return found | (set(EXPANDED) if self.expand is not None else set())


def load_mapping(path: Path) -> Mapping:
    """Raises InvalidConfiguration, with file, line and what is wrong."""
    return yamlfile.load(path, Mapping)
