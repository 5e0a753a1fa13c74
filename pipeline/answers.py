"""Survey answers: of one answer's revisions the greatest (revision, time, digest) counts."""

from dataclasses import dataclass
from typing import Any

from pipeline.versions import TOMBSTONE, changes_in, version_of

AnswerTuple = tuple[int, int, str, int, dict[str, Any]]
"""(revision, time in ms, digest, answered_at in ms, data): compared by its first three, which decide."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was read from the store. `key`: (organisation, source, answer). `value` is None when its contact was forgotten."""

    key: tuple[str, str, str]
    version: int
    value: AnswerTuple | None
    appended_at: int
    writer: int
    offset: int


class Answer:
    """One answer as it stands. `changes` counts how often its content changed; versions of its row rest on it.

    `appended_at`: when the log took in its last change, in ms. `counted`: the channel and contributions that stand in the sums now; None
    until they were computed after a look-up.
    """

    __slots__ = ("answer", "appended_at", "changes", "counted", "forgotten", "organisation", "source", "value")

    def __init__(self, organisation: str, source: str, answer: str, value: AnswerTuple | None = None, changes: int = 0) -> None:
        self.organisation = organisation
        self.source = source
        self.answer = answer
        self.value = value
        self.changes = changes
        self.forgotten = False
        self.appended_at = 0
        self.counted: tuple[str, list[tuple[str, int, int, int, int]]] | None = ("", []) if value is None else None

    @classmethod
    def stored(cls, row: StoredAnswer) -> "Answer":
        """As its row says."""
        answer = cls(*row.key, row.value, changes_in(row.version))
        answer.forgotten = row.version == TOMBSTONE
        answer.appended_at = row.appended_at
        return answer

    def merge(self, new: AnswerTuple) -> bool:
        """Take a revision; whether it replaced what stood. Taking the greatest is commutative, associative and idempotent."""
        old = self.value
        if self.forgotten or (old is not None and new[:3] <= old[:3]):
            return False
        self.value = new
        self.changes += 1
        return True

    def version(self, generation: int) -> int:
        """Grows with every change of its content."""
        return version_of(self.changes, generation)

    @property
    def names(self) -> tuple[str, str] | None:
        """(system, id) of the contact that it names."""
        return named_by(self.value) if self.value is not None else None


def named_by(value: AnswerTuple) -> tuple[str, str] | None:
    """(system, id) of the contact that a revision names."""
    contact = value[4].get("contact")
    return (contact["system"], contact["id"]) if contact else None


def measure_of(instrument: str, version: int, aspect: str) -> str:
    """The measure key of an aspect; different instruments and versions are never pooled."""
    return f"answer:{instrument}:{version}:{aspect}"


def thousandths(value: float) -> int:
    """A grade as an integer in thousandths, so that adding and subtracting leaves nothing over."""
    return round(value * 1000)
