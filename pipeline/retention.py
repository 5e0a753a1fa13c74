"""How long what is stored is kept: a period for each kind of data, as a person writes it in a setting. Pure."""

import re
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Self

from schemas.errors import InvalidConfiguration

_LONGEST_YEARS = 40
"""ClickHouse's DateTime ends in 2106: a longer period would lie behind it, and so begin in 1970."""
_SHORTEST_SHOWN = 60
"""Days. Windows reach back 28 days, and a term may have begun weeks before it counts."""


@dataclass(frozen=True)
class Period:
    """So many days or months; `count` 0 is for ever."""

    count: int
    unit: str = "day"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of `90 days`, `25 months`, `2 years`, `forever`. Raises ValueError."""
        if text.strip().lower() == "forever":
            return cls(0)
        match = re.fullmatch(r"([1-9]\d{0,4}) ?(day|month|year)s?", text.strip().lower())
        if match is None:
            raise ValueError("write it as `90 days`, `25 months`, `2 years` or `forever`")
        count, unit = int(match[1]), match[2]
        found = cls(count * 12, "month") if unit == "year" else cls(count, unit)
        if found.days > _LONGEST_YEARS * 365:
            raise ValueError(f"at most {_LONGEST_YEARS} years; else `forever`")
        return found

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'s' if self.count != 1 else ''}" if self.count else "forever"

    @classmethod
    def of_ms(cls, milliseconds: int) -> Self:
        """Of Kafka's `retention.ms`, in whole days rounded up."""
        return cls(0) if milliseconds < 0 else cls(-(-milliseconds // 86_400_000))

    @property
    def days(self) -> float:
        """At least so many days: a month counts 28. Infinity for ever."""
        return self.count * (28 if self.unit == "month" else 1) if self.count else float("inf")

    @property
    def retention_ms(self) -> str:
        """Kafka's `retention.ms`. -1 is for ever."""
        return str(round(timedelta(days=self.days).total_seconds() * 1000)) if self.count else "-1"


@dataclass(frozen=True)
class Retention:
    """A period for each kind of data; what each covers is in docs/OPERATIONS.md, "Retention".

    Raises InvalidConfiguration for periods with which figures or a rebuild would be wrong.
    """

    events: Period = Period(30)
    rejected: Period = Period(14)
    contacts: Period = Period(25, "month")
    answers: Period = Period(25, "month")
    comments: Period = Period(90)
    figures: Period = Period(100)
    gauges: Period = Period(100)
    heartbeats: Period = Period(14)

    def __post_init__(self) -> None:
        for name in ("events", "rejected"):
            if getattr(self, name).unit != "day":
                raise InvalidConfiguration(f"{variable(name)} is {getattr(self, name)}; Kafka counts in days: write `90 days` or `forever`")
        for name in ("contacts", "answers"):
            period: Period = getattr(self, name)
            if period.days < _SHORTEST_SHOWN:
                raise InvalidConfiguration(
                    f"{variable(name)} is {period}; figures look back up to 28 days and terms longer: at least {_SHORTEST_SHOWN} days"
                )
            if period.days < self.events.days:
                raise InvalidConfiguration(
                    f"{variable(name)} is {period}, {variable('events')} {self.events}: a rebuild from the log would bring back what was "
                    "deleted; keep events no longer"
                )


KINDS = tuple(field.name for field in fields(Retention))


def variable(kind: str) -> str:
    """The environment variable of a kind of data."""
    return f"CONTACTMETER_KEEP_{kind.upper()}"


@dataclass(frozen=True)
class Kept:
    """One table or topic: how long it keeps its content `now`, how long the setting of `kind` says, and whether that must be changed.

    `deletes` says what the change would delete at once; "" for nothing.
    """

    what: str
    kind: str
    now: str
    wanted: Period
    differs: bool
    deletes: str = ""

    def __str__(self) -> str:
        if not self.differs:
            return f"{self.what}: kept {self.now}"
        return f"{self.what}: kept {self.now}, {variable(self.kind)} says {self.wanted}"
