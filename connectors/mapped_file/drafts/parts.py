"""What the drafts of both files share: the notes for a person, and texts and ids as YAML takes them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.mapped_file.drafts.sampling import Column, spaced

MARK = "DECIDE"
"""Begins every remark in a draft that a person must settle."""
_PLAIN = re.compile(r"[A-Za-z][\w ./()-]*")
_RESERVED = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


@dataclass
class Notes:
    """What was guessed and what must be decided, a sentence each, in the order in which they stand in the drafts."""

    guessed: list[str] = field(default_factory=list)
    to_decide: list[str] = field(default_factory=list)

    def guess(self, what: str) -> None:
        """Something was guessed."""
        self.guessed.append(_one_line(what))

    def decide(self, what: str) -> str:
        """Something must be decided: the text of the remark."""
        if _one_line(what) not in self.to_decide:
            self.to_decide.append(_one_line(what))
        return f"{MARK}: {_one_line(what)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def slug(text: str) -> str:
    """A text as an id: lower-case letters, digits and underscores, a letter first (YAML reads 2026 as a number)."""
    joined = "_".join(re.findall(r"[a-z0-9]+", spaced(text).lower()))[:40].strip("_")
    return joined if joined[:1].isalpha() else f"file_{joined}".strip("_")


def quoted(value: str) -> str:
    """A text as a YAML value in quotes."""
    return json.dumps(value, ensure_ascii=False)


def named(column: Column) -> str:
    """A column's name as a YAML value, in quotes if need be."""
    plain = _PLAIN.fullmatch(column.name) and column.name.lower() not in _RESERVED and column.name == column.name.strip()
    return column.name if plain else quoted(column.name)


def listed(columns: Sequence[Column]) -> str:
    """Columns as a YAML list."""
    return f"[{', '.join(named(column) for column in columns)}]"
