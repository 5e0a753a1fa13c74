"""The parts of a mapping that say what an event holds and when it happens: values, moments, conditions and event rules.

In the YAML a bare text where a value is expected names a column; a constant is written {value: …}, numbers and true/false may stand bare.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.events import DATA_OF_KIND
from schemas.types import Slug

Scalar = str | int | float | bool

MAPPABLE = tuple(kind for kind in DATA_OF_KIND if kind.startswith(("contact.", "survey.", "channel.")))
"""The kinds of event that rows of a file can give."""


class Part(BaseModel):
    """Any part of a mapping: a name that is not known is refused, and nothing changes once it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else () if value is None else value


Columns = Annotated[tuple[str, ...], BeforeValidator(_several)]
"""One column's name, or a list of them."""


class Shift(Part):
    """How far a wall time is moved before its zone is applied; whole calendar years and days, and minutes."""

    years: int = Field(default=0, ge=-200, le=200)
    days: int = Field(default=0, ge=-80_000, le=80_000)
    minutes: int = Field(default=0, ge=-1_440, le=1_440)

    def __bool__(self) -> bool:
        return bool(self.years or self.days or self.minutes)


class Value(Part):
    """A value out of a row: columns (perhaps through a table, in lower case, or with a default for empty ones) or a constant.

    The texts of several columns are joined by a space, empty ones left out. `kind` is for the field `person` alone: what the column holds
    is hashed. `postcode: 4` keeps the four digits of a Dutch postcode, and nothing of a text that is none.
    """

    columns: Columns = Field(default=(), alias="column")
    value: Scalar | None = None
    table: str | None = None
    lower: bool = False
    default: Scalar | None = None
    kind: Literal["phone", "email", "hash"] | None = None
    postcode: Literal[4] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, document: Any) -> Any:
        if isinstance(document, str | list):
            return {"column": document}
        return document if isinstance(document, dict) else {"value": document}

    @model_validator(mode="after")
    def _one_origin(self) -> "Value":
        if bool(self.columns) == (self.value is not None):
            raise ValueError("write a column's name, or {column: …}, or {value: …} for a constant")
        if not self.columns and (self.table is not None or self.default is not None or self.lower or self.kind or self.postcode):
            raise ValueError("table, lower, default, kind and postcode go with a column, not with a constant")
        return self

    @property
    def is_personal(self) -> bool:
        """Whether the column holds a phone number or e-mail address, which never leaves the connector."""
        return self.kind in ("phone", "email")


class Moment(Part):
    """An instant out of a row: the texts of `columns`, joined by a space, are a time.

    `time` is the time of day for columns that hold a date only. `days` moves it by calendar days; the durations in the columns `plus` are
    added as elapsed time.
    """

    columns: Columns = Field(min_length=1)
    time: str = Field(default="", pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$|^$")
    days: int = Field(default=0, ge=-80_000, le=80_000)
    plus: Columns = ()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, document: Any) -> Any:
        return {"columns": document} if isinstance(document, str | list) else document


class Condition(Part):
    """One condition on a column; give exactly one of `equals`, `in`, `not_in`, `empty`, `before` and `not_before`.

    `before` and `not_before` name another column: the times in both are compared; neither holds when one of them is empty.
    """

    column: str
    equals: str | None = None
    one_of: tuple[str, ...] | None = Field(default=None, alias="in")
    not_in: tuple[str, ...] | None = None
    empty: bool | None = None
    before: str | None = None
    not_before: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Condition":
        rules = (self.equals, self.one_of, self.not_in, self.empty, self.before, self.not_before)
        if sum(rule is not None for rule in rules) != 1:
            raise ValueError("a condition has exactly one of equals, in, not_in, empty, before and not_before")
        return self

    @property
    def compared_with(self) -> str | None:
        """The other column of `before` and `not_before`."""
        return self.before if self.before is not None else self.not_before


def columns_of(conditions: tuple[Condition, ...]) -> set[str]:
    """Every column that the conditions read."""
    return {name for condition in conditions for name in (condition.column, condition.compared_with) if name is not None}


class LongItem(Part):
    """An item of an answer in a file with one row an item: `aspect` names the aspect (through a table), `value` its grade."""

    aspect: Value
    value: Value


Fields = dict[str, Value | dict[str, Value]]
NESTED = {"deadlines", "items", "gauges", "contact", "same_as"}
MOMENTS = {"appointment_at", "due_at", "term_starts_at"}


class EventRule(Part):
    """An event that a row gives when every condition of `when` holds and the time `at` is there.

    With `required` a row of which the time is empty is invalid; otherwise the event has not happened. `per`: columns that tell several
    events of one type and contact apart; `label` does so for two rules of one type. `deadlines` are given terms by norm id. `item` stands
    in for `data.items` where the row holds one item and names its aspect itself.
    """

    type: str
    at: Moment
    when: tuple[Condition, ...] = ()
    required: bool = False
    per: tuple[str, ...] = ()
    label: str = ""
    deadlines: dict[Slug, Moment] = {}
    data: Fields = {}
    item: LongItem | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_values(cls, document: Any) -> Any:
        if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
            return document
        data = {
            name: {key: Value.model_validate(item) for key, item in entry.items()}
            if name in NESTED and isinstance(entry, dict)
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
        if self.item is not None and ("items" not in known or "items" in self.data):
            raise ValueError("`item` is for survey.answered, in place of data.items")
        for name, entry in self.data.items():
            if name not in known:
                raise ValueError(f"{self.type} has no field {name!r}; it has: {', '.join(sorted(known))}")
            if isinstance(entry, dict) != (name in NESTED):
                shape = "names and values, such as {overall: Grade}" if name in NESTED else "one value"
                raise ValueError(f"the field {name!r} of {self.type} holds {shape}")
            if isinstance(entry, Value):
                self._check_person(name, entry)
        return self

    def _check_person(self, name: str, value: Value) -> None:
        if (name == "person") != (value.kind is not None):
            raise ValueError("person, and no other field, has a kind: `phone`, `email` or `hash` (already a keyed hash)")
        if value.kind is not None and (len(value.columns) != 1 or value.table is not None or value.default is not None):
            raise ValueError("person: one column, without table or default")

    def values(self) -> list[Value]:
        """Every value of the event."""
        found = [] if self.item is None else [self.item.aspect, self.item.value]
        for entry in self.data.values():
            found += entry.values() if isinstance(entry, dict) else (entry,)
        return found

    def columns(self) -> set[str]:
        """Every column that it reads, but for those of `persons`."""
        found = columns_of(self.when) | set(self.per)
        for moment in (self.at, *self.deadlines.values()):
            found |= {*moment.columns, *moment.plus}
        return found.union(*(value.columns for value in self.values() if not value.is_personal))

    def persons(self) -> set[str]:
        """The columns that hold what a person is known by."""
        return {name for value in self.values() if value.is_personal for name in value.columns}
