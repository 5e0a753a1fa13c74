"""The worker's health over HTTP (/ready, /live, /status, /metrics), and the watchdog that finds a silent consumer.

The watchdog compares committed offsets with the log's end from outside the consumer: after a broker was killed, Faust can stay up, look
alive and never consume again.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import CoordinatorNotAvailableError, KafkaError
from prometheus_client import generate_latest

from pipeline.metrics import LAG, REGISTRY
from schemas.kafka_clients import made

log = logging.getLogger(__name__)


class Health:
    """What the worker says of itself. Written by its threads, read by the HTTP server; every field is replaced as a whole."""

    def __init__(self) -> None:
        self.partitions: frozenset[int] = frozenset()
        self.assigned = False
        self.waiting_for = ""
        self.kafka_away = ""
        self.loading = False
        self.stalled = ""
        self.braked = ""
        self.braked_since: int | None = None
        self.judging_again = ""
        self.mismatches = 0
        self.checked_at: int | None = None
        self.refused: dict[str, str] = {}
        self.organisations: tuple[str, ...] = ()
        self.committed: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self.lag = 0
        self.events = 0
        self.rejects = 0
        self.last_event_at: int | None = None
        self.beat: float = time.monotonic()

    @property
    def ready(self) -> bool:
        """Partitions are assigned, their state is computed, ClickHouse and Kafka answer, and the brake is off."""
        return self.assigned and not self.waiting_for and not self.kafka_away and not self.braked

    def status(self) -> dict[str, Any]:
        """All of it, for people and for `contactmeter status`."""
        return {
            "ready": self.ready,
            "live": not self.stalled,
            "waiting_for": self.waiting_for or self.kafka_away,
            "stalled": self.stalled,
            "braked": self.braked,
            "braked_since": self.braked_since,
            "partitions": len(self.partitions),
            "organisations": list(self.organisations),
            "refused_configurations": self.refused,
            "judging_again": self.judging_again,
            "mismatches": self.mismatches,
            "checked_at": self.checked_at,
            "lag": self.lag,
            "committed": self.committed,
            "ends": self.ends,
            "events": self.events,
            "rejects": self.rejects,
            "last_event": self.last_event_at,
        }


def serve(health: Health, host: str, port: int) -> ThreadingHTTPServer:
    """Answer over HTTP in a thread. Raises OSError when the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._send(200, generate_latest(REGISTRY), "text/plain; version=0.0.4; charset=utf-8")
            elif self.path in ("/ready", "/live", "/status"):
                fine = {"/ready": health.ready, "/live": not health.stalled, "/status": True}[self.path]
                self._send(200 if fine else 503, json.dumps(health.status()).encode(), "application/json")
            else:
                self._send(404, b"try /ready, /live, /status or /metrics\n", "text/plain; charset=utf-8")

        def _send(self, code: int, body: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Nobody wants a line a probe."""

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


class Offsets:
    """Committed and end offsets of a group, by clients of its own (not the consumer that may have died). For use by several threads."""

    def __init__(self, bootstrap: str, group: str, topic: str, security: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._bootstrap, self._security = bootstrap, security
        self._group = group
        self._topic = topic
        self._admin: KafkaAdminClient | None = None
        self._consumer: KafkaConsumer | None = None
        self._lock = threading.Lock()

    def committed(self) -> dict[int, int]:
        """Committed offset by partition, for partitions that have one. Raises KafkaError."""
        with self._lock:
            if self._admin is None:
                self._admin = made(KafkaAdminClient, self._bootstrap, self._security)
            offsets = self._admin.list_group_offsets(self._group).get(self._group, {})
        return {tp.partition: meta.offset for tp, meta in offsets.items() if tp.topic == self._topic and meta.offset >= 0}

    def limits(self) -> tuple[dict[int, int], dict[int, int]]:
        """First and end offset by partition. Raises KafkaError."""
        with self._lock:
            if self._consumer is None:
                self._consumer = made(KafkaConsumer, self._bootstrap, self._security)
            partitions = [TopicPartition(self._topic, number) for number in sorted(self._consumer.partitions_for_topic(self._topic) or ())]
            first, end = self._consumer.beginning_offsets(partitions), self._consumer.end_offsets(partitions)
        return {tp.partition: offset for tp, offset in first.items()}, {tp.partition: offset for tp, offset in end.items()}

    def close(self) -> None:
        """Close both clients, so that the next call connects anew."""
        with self._lock:
            for client in (self._admin, self._consumer):
                if client is not None:
                    client.close()
            self._admin = self._consumer = None


class Watchdog:
    """Finds a stall: for `stall_after_s` s records lay ready in our partitions and no committed offset moved, though nothing was awaited.

    `die` is called once a stall is found; it should end the process, and a supervisor starts it again.
    """

    def __init__(
        self,
        health: Health,
        offsets: Offsets,
        stall_after_s: float,
        die: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._health = health
        self._offsets = offsets
        self._stall_after_s = stall_after_s
        self._die = die
        self._clock = clock
        self._since = clock()

    def look(self) -> None:
        """Compare once; to be called every few seconds."""
        health = self._health
        try:
            committed, (first, ends) = self._offsets.committed(), self._offsets.limits()
        except CoordinatorNotAvailableError:  # Kafka answers, but the group's coordinator is still being made, as at the very first start
            self._since = self._clock()
            return
        except KafkaError as error:
            if not health.kafka_away:
                log.warning("Kafka does not answer (%s); waiting, nothing is lost", error)
            health.kafka_away = "Kafka does not answer"
            self._offsets.close()
            self._since = self._clock()
            return
        if health.kafka_away:
            health.kafka_away = ""
            log.warning("Kafka answers again")
        ours = health.partitions or frozenset(ends)
        positions = {number: committed.get(number, first.get(number, 0)) for number in ours}
        health.lag = sum(max(0, ends.get(number, 0) - position) for number, position in positions.items())
        LAG.set(health.lag)
        if (
            positions != {number: health.committed.get(number) for number in ours}
            or health.lag == 0
            or health.waiting_for
            or health.loading
            or health.braked
        ):
            self._since = self._clock()
        health.committed, health.ends = positions, {number: ends.get(number, 0) for number in ours}
        if health.waiting_for or health.loading or not health.assigned:
            health.beat = self._clock()
        silent_s = self._clock() - health.beat
        if silent_s > self._stall_after_s:
            health.stalled = f"the windows stand still: nothing moved them for {silent_s:.0f} s"
            self._die(health.stalled)
            return
        stalled_s = self._clock() - self._since
        if stalled_s > self._stall_after_s:
            health.stalled = f"{health.lag} records lie ready and nothing was committed for {stalled_s:.0f} s"
            self._die(health.stalled)

    def run(self, every_s: float = 2.0) -> None:
        """Look for ever, in a daemon thread."""

        def loop() -> None:
            while True:
                try:
                    self.look()
                except Exception:  # the watchdog itself must not die of a surprise
                    log.exception("watchdog")
                time.sleep(every_s)

        threading.Thread(target=loop, name="watchdog", daemon=True).start()
