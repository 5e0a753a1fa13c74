"""What can be wrong with input, named by what the caller must do.

ContactmeterError
 ├─ InvalidRecord        a whole record can't be read          -> rejected-events, go on
 ├─ InvalidEvent         one event of a record is refused      -> rejected-events, go on
 └─ InvalidConfiguration a YAML file of a person is wrong      -> tell that person, change nothing
"""

from dataclasses import dataclass


class ContactmeterError(Exception):
    """Base of every error this product raises on purpose; its text is written for the person who must act."""


@dataclass
class InvalidRecord(ContactmeterError):
    """A record of which nothing can be read. `reason` is a slug for counting, `message` says what and what to do."""

    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


@dataclass
class InvalidEvent(ContactmeterError):
    """One refused event: `position` in its record (0-based), `path` as a JSON path (`$.data.occurred_at`), `reason` a slug,
    `message` for people."""

    position: int
    path: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"event {self.position} at {self.path}: {self.reason}: {self.message}"


class InvalidConfiguration(ContactmeterError):
    """A configuration or mapping file that can't be used; the text names file, place, fault and remedy."""
