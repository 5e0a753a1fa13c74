"""The store as the worker's loop uses it: every call waits by itself while ClickHouse is unavailable."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from clickhouse_connect.driver.client import Client

from pipeline import metrics
from pipeline.answers import StoredAnswer
from pipeline.brake import Stop
from pipeline.decode import AnswerKey, ContactKey
from pipeline.held import StoredContact
from pipeline.known import Hashes
from pipeline.rolling import Sums
from pipeline.rows import Row
from pipeline.store import aggregates, audit, brakes, configuration, erasure, state
from pipeline.store.client import Connection, Unavailable, persistently
from pipeline.store.writer import Writer
from schemas.organisation import Organisation

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class ClickHouseStore:
    """Reads and writes; one connection a thread for reading, one for batches, one for figures.

    `waiting` is told why while ClickHouse is unavailable, and "" when it answers again.
    """

    def __init__(
        self, connection: Connection, waiting: Callable[[str], None], after_insert: Callable[[str], None] = lambda _table: None
    ) -> None:
        self._connection = connection
        self._waiting = waiting
        self._local = threading.local()
        self._batches = Writer(connection, self._wait, after_insert)
        self._figures = Writer(connection, self._wait)
        self._figures_lock = threading.Lock()
        self._said: float | None = None
        self._away: dict[int, str] = {}
        """Why each thread waits: one that gets through does not speak for another."""
        self._writes: Counter[str] = Counter()

    def sums(self, organisations: Sequence[str], as_of: int) -> dict[str, Sums]:
        """See state.sums."""
        return self._read(lambda client: state.sums(client, organisations, as_of))

    def unacknowledged(self, table: str, starts: Mapping[str, int]) -> dict[tuple[str, str, str], int]:
        """See state.unacknowledged."""
        return self._read(lambda client: state.unacknowledged(client, table, starts))

    def naming(self, starts: Mapping[str, int]) -> list[tuple[AnswerKey, ContactKey]]:
        """See state.naming."""
        return self._read(lambda client: state.naming(client, starts))

    def hashes(self, table: str, organisations: Sequence[str]) -> Hashes:
        """See state.hashes."""
        return self._read(lambda client: state.hashes(client, table, organisations))

    def look_up(self, contacts: Sequence[ContactKey], answers: Sequence[AnswerKey]) -> tuple[list[StoredContact], list[StoredAnswer]]:
        """The stored ones among contacts and answers."""
        return self._read(lambda client: (state.contacts(client, contacts), state.answers(client, answers)))

    def note(self, organisation: str, action: str, detail: str) -> None:
        """A row of the audit trail in the worker's own name. See audit.note."""
        self._read(lambda client: audit.note(client, time.time_ns() // 1_000_000, organisation, "worker", action, detail))

    def now(self) -> float:
        """See state.now."""
        return self._read(state.now)

    def written_by_others(self, organisation: str, writer: int, since: float) -> bool:
        """See state.written_by_others."""
        return self._read(lambda client: state.written_by_others(client, organisation, writer, since))

    def older(self, table: str, organisation: str, generation: int, limit: int) -> list[tuple[str, str, str]]:
        """See state.older."""
        return self._read(lambda client: state.older(client, table, organisation, generation, limit))

    def erase_forgotten(self, organisations: Sequence[str]) -> int:
        """See erasure.erase."""
        return self._read(lambda client: erasure.erase(client, organisations))

    def aggregate(self, organisation: str) -> timedelta:
        """See aggregates.keep_up. Nothing waits for these: when ClickHouse can't count them now, it is asked again in an hour."""
        try:
            with closing(self._connection.open()) as client:
                return aggregates.keep_up(client, organisation, datetime.now(UTC))
        except Unavailable as error:
            log.warning("the monthly aggregates of %s wait: %s", organisation, error)
            return timedelta(hours=1)

    def configuration_stamp(self) -> tuple[int, int]:
        """See configuration.stamp."""
        return self._read(configuration.stamp)

    def in_force(self, organisation: str = "") -> dict[str, configuration.InForce]:
        """See configuration.in_force."""
        return self._read(lambda client: configuration.in_force(client, organisation))

    def register(self, organisation: Organisation, text: str, generation: int, readers: tuple[str, ...], now_ms: int) -> None:
        """See configuration.register."""
        self._read(lambda client: configuration.register(client, organisation, text, generation, readers, now_ms))

    def stops(self, group: str, instance: str) -> list[Stop]:
        """See brakes.of_worker."""
        return self._read(lambda client: brakes.of_worker(client, group, instance))

    def write_stop(self, stop: Stop) -> None:
        """See brakes.write."""
        self._read(lambda client: brakes.write(client, stop))

    def released(self, stop: Stop) -> str:
        """See brakes.released."""
        return self._read(lambda client: brakes.released(client, stop))

    def write(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Insert a batch's rows, contacts last."""
        self._batches.write(tables)
        self._writes.update({row[0] for table in ("contacts", "survey_answers") for row in tables.get(table, ())})
        self._answers_again()

    def writes(self, organisation: str) -> int:
        """How many batches so far wrote contacts or answers of an organisation."""
        return self._writes[organisation]

    def write_figures(self, rows: Sequence[Row]) -> None:
        """Insert rows of `rolling` apart from any batch."""
        with self._figures_lock:
            self._figures.write({"rolling": rows})
        self._answers_again()

    def _read(self, action: Callable[[Client], Result]) -> Result:
        def attempt() -> Result:
            client = getattr(self._local, "client", None)
            if client is None:
                client = self._local.client = self._connection.open()
            try:
                return action(client)
            except Unavailable:
                self._local.client = None
                raise

        found = persistently(attempt, self._wait)
        self._answers_again()
        return found

    def _wait(self, error: Unavailable) -> None:
        """Wait as long as it takes, and say so: at once, then every half minute."""
        metrics.RETRIES.inc()
        metrics.WAITING.set(1)
        self._away[threading.get_ident()] = str(error)
        now = time.monotonic()
        if self._said is None or now - self._said > 30:
            self._said = now
            log.warning("%s; waiting, nothing is lost", error)
        self._waiting(str(error))
        time.sleep(error.retry_after)

    def _answers_again(self) -> None:
        if self._away.pop(threading.get_ident(), None) is not None and not self._away:
            self._said = None
            metrics.WAITING.set(0)
            self._waiting("")
            log.warning("ClickHouse answers again")
