"""The loop that drives any connector: resume, poll, send, flush, store the cursor, say that it lives.

The cursor is stored after the events are acknowledged, never before: a kill in between sends a batch twice, which the pipeline merges.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from connectors.cursors import Cursors
from connectors.identity import cloud_event, event_id
from connectors.protocol import Batch, Connector, Finished, Retry, WireEvent
from schemas.types import iso

log = logging.getLogger(__name__)

HEARTBEAT_S = 30.0
"""The least time between two heartbeats of a connector."""
_CURSOR_SHOWN = 1_000


class Delivery(Protocol):
    """What the runner needs of a sender."""

    def send(self, organisation: str, events: Sequence[WireEvent]) -> None:
        """Take events for delivery."""

    def flush(self) -> None:
        """Block until everything sent is acknowledged."""


def run(
    connector: Connector,
    sender: Delivery,
    cursors: Cursors,
    *,
    stop: threading.Event,
    delivered: Callable[[Batch], None] = lambda _batch: None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], object] | None = None,
) -> None:
    """Drive `connector` until its source ends or `stop` is set; closes it in every case.

    `clock` gives epoch seconds; `sleep` waits, by default on `stop`, so that a stop is not kept waiting. `delivered` is called with each
    batch once its cursor is stored. Raises Refused (by the connector), DeliveryFailed and CursorNotStored.
    """
    pause = sleep if sleep is not None else stop.wait
    heartbeat = _Heartbeat(connector, sender, clock)
    cursor = cursors.get(connector.name, connector.cursor_key)
    away = ""
    try:
        connector.resume(cursor)
        while not stop.is_set():
            try:
                batch = connector.poll()
            except Retry as retry:
                if retry.why and retry.why != away:
                    log.warning("%s: %s; trying again every %g s", connector.name, retry.why, retry.after)
                away = retry.why
                heartbeat.beat(cursor, read=not retry.why, lag_s=None if retry.why else retry.lag_s)
                pause(retry.after)
                continue
            except Finished:
                heartbeat.beat(cursor, read=True, last=True)
                sender.flush()
                return
            away = ""
            if batch.events:
                sender.send(batch.organisation, batch.events)
                sender.flush()
            if batch.cursor != cursor:
                cursors.put(connector.name, connector.cursor_key, batch.cursor)
                cursor = batch.cursor
            heartbeat.beat(cursor, read=True, lag_s=batch.lag_s)
            delivered(batch)
    finally:
        connector.close()


class _Heartbeat:
    """Sends `connector.observed`, at most every HEARTBEAT_S: a quiet source and a dead connector must not look alike."""

    def __init__(self, connector: Connector, sender: Delivery, clock: Callable[[], float]) -> None:
        self._connector = connector
        self._sender = sender
        self._clock = clock
        self._sent_at = float("-inf")
        self._read_ms: int | None = None

    def beat(self, cursor: str | None, *, read: bool, lag_s: float | None = None, last: bool = False) -> None:
        """`read`: the source answered just now. `last` sends the final state, whatever the interval."""
        now = self._clock()
        now_ms = int(now * 1000)
        if read:
            self._read_ms = now_ms
        if now - self._sent_at < HEARTBEAT_S and not last:
            return
        self._sent_at = now
        connector = self._connector
        event = connector_observed(connector.name, connector.source, now_ms, self._read_ms, lag_s, cursor)
        self._sender.send(connector.organisation, [event])


def connector_observed(name: str, source: str, now_ms: int, read_ms: int | None, lag_s: float | None, cursor: str | None) -> WireEvent:
    """The heartbeat of connector `name` at `now_ms` (epoch milliseconds); `read_ms` is when its source last answered."""
    data: dict[str, object] = {"occurred_at": iso(now_ms), "connector": name}
    if read_ms is not None:
        data["last_read_at"] = iso(read_ms)
    if lag_s is not None:
        data["lag_s"] = max(0.0, lag_s)
    if cursor is not None:
        data["cursor"] = cursor[:_CURSOR_SHOWN]
    return cloud_event("connector.observed", source, event_id("connector.observed", source, name, str(now_ms)), now_ms, data)
