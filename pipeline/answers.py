"""Survey answers: of one answer's revisions the greatest (revision, time, digest) counts."""

from typing import Any

AnswerTuple = tuple[int, int, str, int, dict[str, Any]]
"""(revision, time in ms, digest, answered_at in ms, data): compared by its first three, which decide."""


class Answer:
    """One answer as it stands. `changes` counts how often its content changed; versions of its row rest on it."""

    __slots__ = ("answer", "changes", "organisation", "source", "value")

    def __init__(self, organisation: str, source: str, answer: str, value: AnswerTuple | None = None, changes: int = 0) -> None:
        self.organisation = organisation
        self.source = source
        self.answer = answer
        self.value = value
        self.changes = changes

    def merge(self, new: AnswerTuple) -> bool:
        """Take a revision; whether it replaced what stood. Taking the greatest is commutative, associative and idempotent."""
        old = self.value
        if old is not None and new[:3] <= old[:3]:
            return False
        self.value = new
        self.changes += 1
        return True


def measure_of(instrument: str, version: int, aspect: str) -> str:
    """The measure key of an aspect; different instruments and versions are never pooled."""
    return f"answer:{instrument}:{version}:{aspect}"


def thousandths(value: float) -> int:
    """A grade as an integer in thousandths, so that adding and subtracting leaves nothing over."""
    return round(value * 1000)
