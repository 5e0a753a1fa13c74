"""Delivery to Kafka: batches of one organisation a record, in the organisation's partition, acknowledged by every replica, never lost.

At least once: what a failure leaves in doubt is sent again, and the pipeline merges events by id.
"""

import logging
import threading
import time
from collections.abc import Sequence
from types import MappingProxyType, TracebackType
from typing import Self

import kafka.errors as kafka_errors
from kafka import KafkaProducer

from connectors.kafka_client import AccessDenied, Patience, Security, connect, options
from connectors.protocol import WireEvent
from connectors.records import Pending, Record, encode
from schemas import batch
from schemas.errors import ContactmeterError
from schemas.kafka_clients import made
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS

log = logging.getLogger(__name__)

_PERMANENT = (
    kafka_errors.AuthorizationError,
    kafka_errors.SaslAuthenticationFailedError,
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.RecordListTooLargeError,
    kafka_errors.InvalidTopicError,
    kafka_errors.InvalidRecordError,
    kafka_errors.PolicyViolationError,
    kafka_errors.UnsupportedVersionError,
)
"""Sending again can't mend these; every other failure is sent again until it succeeds."""

_TICK_S = 0.25
_LONGEST_PAUSE_S = 30.0


class DeliveryFailed(ContactmeterError):
    """Kafka refuses what was sent; a person must change something first. Nothing of it counts as delivered."""


class Sender:
    """Sends events; may be shared by threads.

    `rate` limits to that many events a second (a load of history must not hold up its neighbours in the partition); None is no limit.
    `linger` (at most 1 s) is how long an event may wait for others to share its record. `max_in_flight` bounds the bytes handed to Kafka
    and not acknowledged yet: `send` blocks beyond it. `give_up_after`: seconds to wait for Kafka at the start before Unreachable is
    raised; None waits for ever. Later outages are always waited for. `connector` is who sends, for whoever must find a refused record's
    origin.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        topic: str = CONTACT_EVENTS,
        rate: float | None = None,
        linger: float = 0.05,
        max_in_flight: int = 32_000_000,
        give_up_after: float | None = None,
        security: Security = MappingProxyType({}),
        connector: str = "",
    ) -> None:
        if not 0 <= linger <= 1:
            raise ValueError(f"linger is {linger} s; it must lie between 0 and 1")
        if rate is not None and rate <= 0:
            raise ValueError(f"rate is {rate} events/s; it must be above 0, or None for no limit")
        self._bootstrap = bootstrap
        self._topic = topic
        self._security = security
        self._connector = connector
        self._linger = linger
        self._max_in_flight = max_in_flight
        self._rate = rate
        # A slow load is spread over small records, so that it flows instead of arriving in gulps.
        self._most = batch.MAX_EVENTS if rate is None else max(1, min(batch.MAX_EVENTS, int(rate / 10)))
        self._next_slot = 0.0

        self._changed = threading.Condition()
        self._pending: dict[str, Pending] = {}
        self._in_flight: dict[int, Record] = {}
        self._in_flight_bytes = 0
        self._to_repeat: list[int] = []
        self._repeat_from = 0.0
        self._repeat_pause = 0.0
        self._last_number = 0
        self._error: DeliveryFailed | None = None
        self._closed = False
        self._patience = Patience(f"Kafka at {bootstrap}")

        self._producer = self._connect(give_up_after)
        self._thread = threading.Thread(target=self._attend, name="sender", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close(drain=kind is None)

    def send(self, organisation: str, events: Sequence[WireEvent]) -> None:
        """Take events of one organisation for delivery; blocks while too much is in flight or Kafka is away.

        Raises InvalidEvent (nothing of this call is taken) for an event too large for a record, DeliveryFailed for an earlier delivery.
        """
        for value, count in encode(events, self._most):
            full: list[int] = []
            with self._changed:
                while self._in_flight_bytes > self._max_in_flight:
                    self._wait()
                self._raise_error()
                if organisation in self._pending and not self._pending[organisation].fits(value, count, self._most):
                    full.append(self._claim(organisation))
                if organisation not in self._pending:
                    self._pending[organisation] = Pending(time.monotonic())
                    self._changed.notify_all()
                self._pending[organisation].add(value, count)
                if self._pending[organisation].events >= self._most:
                    full.append(self._claim(organisation))
            for number in full:
                self._emit(number)

    def repeat(self, organisation: str, value: bytes, connector: str) -> None:
        """Send the value of a record that was refused once more, byte for byte, in the name of the connector that sent it.

        Blocks as `send` does. Raises DeliveryFailed for an earlier delivery.
        """
        with self._changed:
            while self._in_flight_bytes > self._max_in_flight:
                self._wait()
            self._raise_error()
            number = self._take_off(Record(organisation, value, 1, connector))
        self._emit(number)

    def flush(self) -> None:
        """Block until everything sent is acknowledged. Raises DeliveryFailed."""
        for number in self._claim_due(float("inf")):
            self._emit(number)
        with self._changed:
            while self._in_flight:
                self._wait()
            self._raise_error()

    def close(self, drain: bool = True) -> None:
        """Deliver what is left (unless `drain` is False) and release the connection. Raises DeliveryFailed."""
        try:
            if drain and not self._closed:
                self.flush()
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()
            self._thread.join(timeout=5)  # It may be waiting for Kafka; it ends by itself, as a daemon.
            _drop(self._producer)

    def _connect(self, give_up_after: float | None = None) -> KafkaProducer:
        settings = {
            **options(self._security),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,
            "max_request_size": 2 * batch.MAX_BYTES,
            "max_block_ms": 2_000,
        }
        return connect(lambda: made(KafkaProducer, self._bootstrap, settings), self._bootstrap, give_up_after)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closed:
            raise ContactmeterError("this sender is closed")

    def _wait(self) -> None:
        """Wait for a change, with `_changed` held. Raises DeliveryFailed."""
        self._raise_error()
        if not self._changed.wait(_TICK_S):
            self._patience.waiting()

    def _claim(self, organisation: str) -> int:
        """Turn what is pending into a record in flight and return its number; with `_changed` held, so that `flush` never misses it."""
        return self._take_off(self._pending.pop(organisation).record(organisation, self._connector))

    def _take_off(self, record: Record) -> int:
        self._last_number += 1
        self._in_flight[self._last_number] = record
        self._in_flight_bytes += len(record.value)
        return self._last_number

    def _claim_due(self, pending_since: float) -> list[int]:
        with self._changed:
            due = [name for name, pending in self._pending.items() if pending.since <= pending_since]
            return [self._claim(name) for name in due]

    def _emit(self, number: int) -> None:
        """Hand a record in flight to the producer, at its turn when a rate is set."""
        with self._changed:
            record = self._in_flight[number]
            slot = max(self._next_slot, time.monotonic())
            self._next_slot = slot + (record.events / self._rate if self._rate else 0.0)
        if (delay := slot - time.monotonic()) > 0:
            time.sleep(delay)
        self._produce(number, record)

    def _produce(self, number: int, record: Record) -> None:
        key = record.organisation.encode()
        headers = batch.headers(record.organisation, record.connector)
        while not (self._closed or self._error):
            try:
                future = self._producer.send(self._topic, record.value, key, headers, partition_of(record.organisation))
            except kafka_errors.KafkaTimeoutError:
                self._patience.waiting(f"is the topic {self._topic} there? `contactmeter setup` creates it")
            except kafka_errors.IllegalStateError:
                with self._changed:  # This producer is closed, or broken for good: `_attend` makes a new one.
                    self._to_repeat.append(number)
                    self._changed.notify_all()
                return
            except (kafka_errors.KafkaError, ValueError) as error:
                self._fail(error)
                return
            else:
                future.add_callback(self._delivered, number)
                future.add_errback(self._not_delivered, number)
                return

    def _delivered(self, number: int, _metadata: object) -> None:
        with self._changed:
            record = self._in_flight.pop(number, None)
            if record is not None:
                self._in_flight_bytes -= len(record.value)
            self._patience.moving()
            self._repeat_pause = 0.0
            self._changed.notify_all()

    def _not_delivered(self, number: int, error: BaseException) -> None:
        if isinstance(error, _PERMANENT):
            self._fail(error)
            return
        with self._changed:
            self._to_repeat.append(number)
            self._changed.notify_all()

    def _fail(self, error: BaseException) -> None:
        text = (
            f"Kafka at {self._bootstrap} refuses a record for {self._topic}: {type(error).__name__}: {error}; "
            "check the rights of this client and that `contactmeter setup` made the topic"
        )
        with self._changed:
            self._error = self._error or DeliveryFailed(text)
            self._changed.notify_all()

    def _attend(self) -> None:
        """The sender's own thread. Whatever ends it is told to whoever sends or flushes: nobody may wait for a thread that is gone."""
        try:
            self._send_what_is_due()
        except BaseException as error:
            self._fail(error)
            raise

    def _send_what_is_due(self) -> None:
        """What has lingered long enough goes out, and what failed is sent again by a new producer."""
        while True:
            with self._changed:
                if self._closed or self._error:
                    return
                self._changed.wait(self._next_due())
            for number in self._claim_due(time.monotonic() - self._linger):
                self._emit(number)
            if self._to_repeat and time.monotonic() >= self._repeat_from:
                try:
                    self._repeat()
                except AccessDenied as error:
                    self._fail(error)

    def _next_due(self) -> float:
        """Seconds until a pending record must go, at most a tick; with `_changed` held."""
        oldest = min((pending.since for pending in self._pending.values()), default=None)
        return _TICK_S if oldest is None else max(0.0, min(_TICK_S, oldest + self._linger - time.monotonic()))

    def _repeat(self) -> None:
        # A new producer, because a failed idempotent one may refuse everything from then on; closing the old one fails what it still holds.
        old, self._producer = self._producer, self._connect()
        _drop(old)
        with self._changed:
            numbers, self._to_repeat = self._to_repeat, []
            again = [(number, self._in_flight[number]) for number in numbers if number in self._in_flight]
        self._repeat_pause = min(_LONGEST_PAUSE_S, 2 * self._repeat_pause or 1.0)
        self._repeat_from = time.monotonic() + self._repeat_pause
        log.warning("Kafka at %s: sending %d records again whose delivery failed", self._bootstrap, len(again))
        for number, record in again:
            self._produce(number, record)


def _drop(producer: KafkaProducer) -> None:
    """Close without waiting; what the producer still held fails, so that it is sent again or left out, as the caller wants."""
    try:
        producer.close(timeout=0)
    except kafka_errors.KafkaError:
        # kafka-python leaves its thread behind when a close without waiting finds unsent records.
        producer._sender.force_close()
