"""A delivery and cursors that keep what they get, with a log of the order in which things happened."""

from collections.abc import Sequence

from connectors.cursors import MemoryCursors
from connectors.protocol import WireEvent

HEARTBEAT = "nl.contactmeter.connector.observed"


class Killed(BaseException):
    """Stands for kill -9 of the process."""


class Collected:
    """A sender for the runner. What was not flushed yet when the process dies is not delivered."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.delivered: list[WireEvent] = []
        self.log = log if log is not None else []
        self._taken: list[WireEvent] = []

    def send(self, organisation: str, events: Sequence[WireEvent]) -> None:
        self._taken += events
        if any(event["type"] != HEARTBEAT for event in events):
            self.log.append(f"send {organisation} {len(events)}")

    def flush(self) -> None:
        self.delivered += self._taken
        self._taken = []
        self.log.append("flush")

    def events(self) -> list[WireEvent]:
        return [event for event in self.delivered if event["type"] != HEARTBEAT]

    def heartbeats(self) -> list[WireEvent]:
        return [event for event in [*self.delivered, *self._taken] if event["type"] == HEARTBEAT]


class MortalCursors(MemoryCursors):
    """Cursors whose process is killed at one of the calls that store."""

    def __init__(self, lives: int, log: list[str] | None = None) -> None:
        super().__init__()
        self.lives = lives
        self.log = log if log is not None else []

    def put(self, connector: str, key: str, cursor: str) -> None:
        if self.lives == 0:
            raise Killed
        self.lives -= 1
        super().put(connector, key, cursor)
        self.log.append(f"cursor {cursor}")
