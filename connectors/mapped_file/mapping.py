"""A mapping: the YAML file that says how rows of a file become events. docs/CONNECTORS.md explains every name with examples.

In it a bare text where a value is expected names a column; a constant is written {value: …}, numbers and true/false may stand bare.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas import yamlfile
from schemas.events import DATA_OF_KIND
from schemas.organisation import Zone
from schemas.types import EARLIEST_MS, LATEST_MS, Slug, Urn, epoch_ms

Scalar = str | int | float | bool

MAPPABLE = tuple(kind for kind in DATA_OF_KIND if kind.startswith(("contact.", "survey.", "channel.")))
"""The kinds of event that rows of a file can give."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileFormat(_Model):
    """How the file is written. `drop`: columns whose content is never kept (personal data); `empty`: texts that mean "no value"."""

    format: Literal["csv", "jsonl", "auto"] = "auto"
    encoding: Literal["utf-8", "cp1252", "auto"] = "auto"
    delimiter: Literal[",", ";", "\t", "auto"] = "auto"
    decimal: Literal[".", ","] = "."
    drop: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

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


class Times(_Model):
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


class Table(_Model):
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


class Value(_Model):
    """A value out of a row: a column (perhaps through a table, in lower case, or with a default for an empty one) or a constant."""

    column: str | None = None
    value: Scalar | None = None
    table: str | None = None
    lower: bool = False
    default: Scalar | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, document: Any) -> Any:
        if isinstance(document, str):
            return {"column": document}
        return document if isinstance(document, dict) else {"value": document}

    @model_validator(mode="after")
    def _one_origin(self) -> "Value":
        if (self.column is None) == (self.value is None):
            raise ValueError("write a column's name, or {column: …}, or {value: …} for a constant")
        if self.column is None and (self.table is not None or self.default is not None or self.lower):
            raise ValueError("table, lower and default go with a column, not with a constant")
        return self


class Moment(_Model):
    """An instant out of a row: the texts of `columns`, joined by a space, are a time; the durations in the columns `plus` are added."""

    columns: Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)] = Field(min_length=1)
    plus: Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)] = ()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, document: Any) -> Any:
        if isinstance(document, str | list):
            return {"columns": document}
        return document


class Condition(_Model):
    """One condition on a column; give exactly one of `equals`, `in`, `not_in`, `empty`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    column: str
    equals: str | None = None
    one_of: tuple[str, ...] | None = Field(default=None, alias="in")
    not_in: tuple[str, ...] | None = None
    empty: bool | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Condition":
        if sum(rule is not None for rule in (self.equals, self.one_of, self.not_in, self.empty)) != 1:
            raise ValueError("a condition has exactly one of equals, in, not_in and empty")
        return self

    def holds(self, text: str) -> bool:
        """Whether it holds for the column's text (empty: no value)."""
        if self.empty is not None:
            return self.empty == (not text)
        if self.equals is not None:
            return text == self.equals
        return text in self.one_of if self.one_of is not None else text not in (self.not_in or ())


Fields = dict[str, Value | dict[str, Value]]
_NESTED = {"deadlines", "items", "gauges", "contact", "same_as"}
MOMENTS = {"appointment_at", "due_at"}


class EventRule(_Model):
    """An event that a row gives when every condition of `when` holds and the time `at` is there.

    With `required` a row of which the time is empty is invalid; otherwise the event has not happened. `per`: columns that tell several
    events of one type and contact apart; `label` does so for two rules of one type. `deadlines` are given terms by norm id.
    """

    type: str
    at: Moment
    when: tuple[Condition, ...] = ()
    required: bool = False
    per: tuple[str, ...] = ()
    label: str = ""
    deadlines: dict[Slug, Moment] = {}
    data: Fields = {}

    @model_validator(mode="before")
    @classmethod
    def _bare_values(cls, document: Any) -> Any:
        if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
            return document
        data = {
            name: {key: Value.model_validate(item) for key, item in entry.items()}
            if name in _NESTED and isinstance(entry, dict)
            else Value.model_validate(entry)
            for name, entry in document["data"].items()
        }
        return {**document, "data": data}

    @model_validator(mode="after")
    def _known_fields(self) -> "EventRule":
        if self.type not in MAPPABLE:
            raise ValueError(f"type {self.type!r} is not one that a file can give; there are: {', '.join(MAPPABLE)}")
        known = {name for name in DATA_OF_KIND[self.type].__annotations__ if name not in ("occurred_at", "deadlines")}
        if self.type.startswith("contact."):
            known.discard("contact")
        if self.deadlines and "deadlines" not in DATA_OF_KIND[self.type].__annotations__:
            raise ValueError(f"{self.type} carries no deadlines; contact.opened and contact.corrected do")
        for name, entry in self.data.items():
            if name not in known:
                raise ValueError(f"{self.type} has no field {name!r}; it has: {', '.join(sorted(known))}")
            if isinstance(entry, dict) != (name in _NESTED):
                shape = "names and values, such as {overall: Grade}" if name in _NESTED else "one value"
                raise ValueError(f"the field {name!r} of {self.type} holds {shape}")
        return self

    def columns(self) -> set[str]:
        """Every column that it reads."""
        found = {condition.column for condition in self.when} | set(self.per)
        for moment in (self.at, *self.deadlines.values()):
            found |= {*moment.columns, *moment.plus}
        for entry in self.data.values():
            found |= {value.column for value in (entry.values() if isinstance(entry, dict) else (entry,)) if value.column is not None}
        return found


class Refusal(_Model):
    """Rows that are invalid: all of `when` hold. `because` says so to a person."""

    when: tuple[Condition, ...] = Field(min_length=1)
    because: str = Field(min_length=1, max_length=200)


class Mapping(_Model):
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
    tables: dict[str, Table] = {}
    refuse: tuple[Refusal, ...] = ()
    events: tuple[EventRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Mapping":
        for rule in self.events:
            if self.contact is None and rule.type.startswith("contact."):
                raise ValueError(f"{rule.type} needs the id of a contact; name its column: `contact: …`")
            for entry in rule.data.values():
                for value in entry.values() if isinstance(entry, dict) else (entry,):
                    if value.table is not None and value.table not in self.tables:
                        raise ValueError(
                            f"{rule.type}: table {value.table!r} is not one of tables ({', '.join(self.tables) or 'there are none'})"
                        )
        dropped = self.columns() & set(self.file.drop)
        if dropped:
            raise ValueError(f"column {sorted(dropped)[0]!r} stands under file.drop and is used as well; remove one of the two")
        return self

    def columns(self) -> set[str]:
        """Every column that is read; others are not kept."""
        found = {self.contact} if self.contact is not None else set()
        for rule in self.events:
            found |= rule.columns()
        return found | {condition.column for refusal in self.refuse for condition in refusal.when}


def load_mapping(path: Path) -> Mapping:
    """Raises InvalidConfiguration, with file, line and what is wrong."""
    return yamlfile.load(path, Mapping)
