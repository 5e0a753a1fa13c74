"""What a connector is: a small polling source (after bytewax's SimplePollingSource) that yields batches of events and the cursor to keep.

Nothing here knows Kafka or a clock; `connectors.runner` drives a connector, `connectors.sender` delivers what it gives.

Errors, by what the caller must do:

ConnectorError
 ├─ Retry      nothing to read now, or the source is away    -> wait `after` seconds, poll again
 ├─ Finished   the source has ended (a file)                 -> stop in good order
 └─ Refused    a person must change something                -> stop, show the text
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.errors import ContactmeterError

WireEvent = dict[str, Any]
"""A CloudEvent as it travels: times as RFC 3339 text (`connectors.identity.cloud_event` builds one)."""


class ConnectorError(ContactmeterError):
    """Base of what a connector raises on purpose."""


class Retry(ConnectorError):
    """Poll again after `after` seconds. `why` is set when the source can't be read, and empty when there is only nothing new.

    `lag_s`: how far what was read is behind the clock when there is nothing new, in seconds.
    """

    def __init__(self, after: float, why: str = "", lag_s: float = 0.0) -> None:
        super().__init__(why or f"nothing new; poll again in {after:g} s")
        self.after = after
        self.why = why
        self.lag_s = lag_s


class Finished(ConnectorError):
    """The source has ended; every event was given."""


class Refused(ConnectorError):
    """The source can't be used as it is; the text names what, where and the remedy."""


@dataclass(frozen=True)
class Batch:
    """Events of one organisation and the cursor that stands after them.

    The cursor is stored once the events are delivered, so that a restart resumes after the last delivered one. An empty `events` moves the
    cursor only. `lag_s`: how far what was read is behind the clock, in seconds, where the source can tell; where it can't, as of a file,
    its heartbeats say nothing of how fresh the data are.
    """

    organisation: str
    events: Sequence[WireEvent]
    cursor: str
    lag_s: float | None = None


class Connector(Protocol):
    """One source. Its events must be the same, ids included, whenever the same stretch of the source is read again."""

    name: str
    """The connector's name in the registry, a slug."""
    source: str
    """The URN under which it sends heartbeats; one of the organisation's sources."""
    organisation: str
    """Whose heartbeats these are."""
    cursor_key: str
    """What the cursor belongs to (a stream, a file); unique within the connector."""

    def resume(self, cursor: str | None) -> None:
        """Go on after `cursor`, as an earlier Batch gave it (None: from the beginning). Called before the first poll. May raise Refused."""

    def poll(self) -> Batch:
        """The next batch. Raises Retry, Finished or Refused; may block for as long as one read of the source takes."""

    def close(self) -> None:
        """Release files and connections. May be called at any moment after construction."""
