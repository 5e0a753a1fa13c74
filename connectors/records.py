"""Records on their way to Kafka: events of one organisation share one until it is full."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from connectors.protocol import WireEvent
from schemas import batch
from schemas.errors import InvalidEvent


@dataclass(frozen=True)
class Record:
    """One that is full, or waits no longer. `connector`: who sends it."""

    organisation: str
    value: bytes
    events: int
    connector: str


@dataclass
class Pending:
    """One being filled, `since` a moment of the monotonic clock: the JSON of events without the brackets."""

    since: float
    bodies: list[bytes] = field(default_factory=list)
    events: int = 0
    size: int = 1

    def add(self, value: bytes, events: int) -> None:
        """Add an encoded array of so many events."""
        self.bodies.append(value[1:-1])
        self.events += events
        self.size += len(value) - 1

    def fits(self, value: bytes, events: int, most: int) -> bool:
        """Whether it stays within the size of a record, and within `most` events."""
        return self.events + events <= most and self.size + len(value) - 1 <= batch.MAX_BYTES

    def record(self, organisation: str, connector: str) -> Record:
        """What it has become."""
        return Record(organisation, b"[" + b",".join(self.bodies) + b"]", self.events, connector)


def encode(events: Sequence[WireEvent], most: int) -> list[tuple[bytes, int]]:
    """(value, events) of records of at most `most` events. Raises InvalidEvent for one too large for a record."""
    made: list[tuple[bytes, int]] = []
    for start in range(0, len(events), most):
        try:
            made += batch.encode(events[start : start + most])
        except InvalidEvent as error:
            raise replace(error, position=start + error.position) from None
    return made
