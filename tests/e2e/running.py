"""A whole stack for one test module: real Kafka, real ClickHouse, worker processes that can be stopped, frozen and killed.

Topics and databases have fixed names, so tests on one stack keep apart by organisation: each brings its own.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from connectors.protocol import WireEvent
from deploy.local import process
from pipeline.store.client import Connection, Unavailable, passing_errors
from pipeline.store.reads import Views
from schemas import batch
from schemas.partitions import PARTITIONS, partition_of
from schemas.topics import CONTACT_EVENTS
from tests.e2e import figures
from tests.e2e.worker import ROOT as ROOT
from tests.e2e.worker import Worker as Worker
from tests.e2e.worker import wait_until as wait_until
from tests.engines import ClickHouseEngine, KafkaEngine, start_clickhouse, start_kafka

GROUP = "contactmeter-worker"


class Offsets(NamedTuple):
    """Of contact-events, by partition: the offset up to which the workers have committed, and the end of the log."""

    committed: dict[int, int]
    ends: dict[int, int]

    def behind(self, ends: Mapping[int, int]) -> int:
        """Records before `ends` that are not committed yet."""
        return sum(max(0, end - self.committed.get(partition, 0)) for partition, end in ends.items())


class Stack:
    """Engines, an organisations directory, and everything tests do with them."""

    def __init__(self, directory: Path, start_store: Callable[[Path], ClickHouseEngine] = start_clickhouse) -> None:
        self.directory = directory
        self.organisations = directory / "organisations"
        self.organisations.mkdir()
        self._workers: list[Worker] = []
        self._client: Client | None = None
        self.kafka: KafkaEngine = start_kafka(directory / "kafka")
        try:
            self.clickhouse = start_store(directory / "clickhouse")
        except BaseException:
            self.kafka.stop()
            raise
        self._producer: KafkaProducer | None = None
        self._admin: KafkaAdminClient | None = None
        self._consumer: KafkaConsumer | None = None

    def close(self) -> None:
        """End everything that was started."""
        for worker in self._workers:
            worker.kill()
        if self._producer is not None:
            self._producer.close(timeout=5)
        self._close_clients()
        if self._client is not None:
            self._client.close()
        self.clickhouse.stop()
        self.kafka.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What the product's processes read."""
        return {
            "CONTACTMETER_DIR": str(self.directory / "no-local-stack"),
            "CONTACTMETER_KAFKA": self.kafka.bootstrap,
            **self.clickhouse.settings,
            "CONTACTMETER_ORGANISATIONS": str(self.organisations),
            "CONTACTMETER_INSTANCE": "test-1",
        }

    def cli(self, *arguments: str, code: int = 0) -> str:
        """Run the program; what it printed. Fails the test when it ends with another code."""
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments],
            env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT)},
            cwd=self.directory, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"contactmeter {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def worker(self, **environment: str) -> Worker:
        """Start a worker; variables without their prefix."""
        added = {f"CONTACTMETER_{name}": value for name, value in environment.items()}
        worker = Worker(self.directory, {**self.environment, **added})
        self._workers.append(worker)
        return worker

    def add_organisation(self, name: str, text: str) -> None:
        """Give the workers an organisation's file, as an editor that writes whole files does."""
        process.write_atomically(self.organisations / f"{name}.yaml", text)

    # ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────

    def produce(
        self, organisation: str, records: Sequence[bytes | None], headers: Sequence[tuple[str, bytes]] | None = None
    ) -> list[tuple[int, int]]:
        """Append records as they are; (partition, offset) of each, once all are acknowledged."""
        if self._producer is None:
            self._producer = KafkaProducer(bootstrap_servers=self.kafka.bootstrap, acks="all", max_request_size=20_000_000)
        chosen = batch.headers(organisation) if headers is None else list(headers)
        number = partition_of(organisation)
        futures = [self._producer.send(CONTACT_EVENTS, value, organisation.encode(), chosen, number) for value in records]
        return [(done.partition, done.offset) for done in (future.get(timeout=60) for future in futures)]

    def send(self, organisation: str, events: Sequence[WireEvent], size: int = 20) -> list[tuple[int, int]]:
        """Send events in records of `size`."""
        return self.produce(organisation, records_of(events, size))

    # ── waiting and reading ─────────────────────────────────────────────────────────────────────────────────────

    def offsets(self) -> Offsets | None:
        """None while Kafka does not say."""
        try:
            if self._admin is None:
                self._admin = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap, bootstrap_timeout_ms=5_000)
            if self._consumer is None:
                self._consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap, bootstrap_timeout_ms=5_000)
            committed = self._admin.list_group_offsets(GROUP).get(GROUP, {})
            ends = self._consumer.end_offsets([TopicPartition(CONTACT_EVENTS, number) for number in range(PARTITIONS)])
        except KafkaError:
            self._close_clients()
            return None
        return Offsets(
            {place.partition: found.offset for place, found in committed.items() if place.topic == CONTACT_EVENTS},
            {place.partition: end for place, end in ends.items()},
        )

    def lag(self) -> int | None:
        """Records appended and not yet committed, over all partitions; None while Kafka does not say."""
        found = self.offsets()
        return None if found is None else found.behind(found.ends)

    def _close_clients(self) -> None:
        for client in (self._admin, self._consumer):
            if client is not None:
                client.close()
        self._admin = self._consumer = None

    def settle(self, timeout: float = 300.0) -> None:
        """Wait until every record is stored and committed."""
        wait_until(lambda: self.lag() == 0, "everything to be stored and committed", timeout, every=0.1)

    @property
    def connection(self) -> Connection:
        return Connection(self.clickhouse.host, self.clickhouse.http_port, self.clickhouse.user, self.clickhouse.password)

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query as the owner of the tables. Raises Unavailable while ClickHouse does not answer."""
        if self._client is None:
            self._client = self.connection.open()
        try:
            with passing_errors("reading in a test"):
                return [tuple(row) for row in self._client.query(sql, parameters=parameters).result_rows]
        except Unavailable:
            self._client.close()
            self._client = None
            raise

    def count(self, table: str, organisation: str) -> int:
        """Rows of a table that hold for an organisation, mailboxes left out."""
        sql = f"SELECT count() FROM {table} FINAL WHERE organisation = {{organisation:String}}"
        if table == "contacts":
            sql += " AND role != 'mailbox'"
        return int(self.query(sql, organisation=organisation)[0][0])

    def stored(self, organisation: str) -> dict[str, list[tuple[Any, ...]]]:
        """What is stored of an organisation, without its name and without what may differ from run to run."""
        return {table: self.query(sql, organisation=organisation) for table, sql in _STORED.items()}

    @contextlib.contextmanager
    def views(self) -> Iterator[Views]:
        """The views, as the command line reads them."""
        views = Views(self.connection)
        try:
            yield views
        finally:
            views.close()

    def rolling_at(self, organisation: str, at: datetime) -> figures.Figures:
        """(channel, measure, window) -> (n, total, squares) of everything stored, exact; empty windows are absent."""
        return figures.exact(self.query, organisation, at)

    def shown_at(self, organisation: str, at: datetime) -> figures.Figures:
        """As `rolling_at`, but what the views publish."""
        with self.views() as views:
            return {(row.channel, row.measure, row.window): (row.n, row.total, row.squares) for row in views.rolling_at(organisation, at)}

    def check_live(self, organisation: str, timeout: float = 60.0) -> int:
        """The worker's rolling figures equal SQL's at the present minute, as soon as it has caught up; how many there are.

        And the views publish them: answers by whole blocks, all else as it is.
        """
        difference: dict[Any, Any] = {}
        exact: figures.Figures = {}
        at = datetime.now(UTC)

        def equal() -> bool:
            nonlocal exact, at
            as_of, kept = figures.kept(self.query, organisation)
            now = datetime.now(UTC).replace(second=0, microsecond=0)  # a minute that has begun: its figures no longer move by time alone
            at = max(now, as_of)
            exact = self.rolling_at(organisation, at)
            difference.clear()
            difference.update({key: (kept.get(key), exact.get(key)) for key in {*kept, *exact} if kept.get(key) != exact.get(key)})
            return bool(kept) and not difference

        try:
            wait_until(equal, "the live figures to equal SQL's", timeout, every=0.3)
        except AssertionError:
            raise AssertionError(f"(live, SQL) differ for {organisation}: {difference}") from None
        self.check_shown(organisation, at)
        return len(exact)

    def check_shown(self, organisation: str, at: datetime, zone: str = "Europe/Amsterdam") -> None:
        """The views show every figure that counts contacts, and of answers the blocks that the rules allow."""
        plain = {key: sums for key, sums in self.rolling_at(organisation, at).items() if not key[1].startswith("answer:")}
        assert self.shown_at(organisation, at) == plain | figures.published(self.query, organisation, at, zone)


_STORED = {
    "contacts": "SELECT * EXCEPT (organisation, version, appended_at, writer, offset, stored_at) FROM contacts FINAL"
    " WHERE organisation = {organisation:String} ORDER BY system, contact",
    "survey_answers": "SELECT * EXCEPT (organisation, version, appended_at, writer, offset, stored_at) FROM survey_answers FINAL"
    " WHERE organisation = {organisation:String} ORDER BY source, answer",
    "notices": "SELECT * EXCEPT (organisation) FROM notices FINAL"
    " WHERE organisation = {organisation:String} ORDER BY kind, source, id, digest",
    "gauges": "SELECT * EXCEPT (organisation, stored_at) FROM gauge_readings FINAL"
    " WHERE organisation = {organisation:String} ORDER BY channel, queue, gauge, observed_at",
}


def records_of(events: Sequence[WireEvent], size: int) -> list[bytes]:
    """Record values of at most `size` events each."""
    return [value for start in range(0, len(events), size) for value, _ in batch.encode(events[start : start + size])]


@contextlib.contextmanager
def running_stack(directory: Path, start_store: Callable[[Path], ClickHouseEngine] = start_clickhouse) -> Iterator[Stack]:
    """A stack with topics and tables in place, ended afterwards whatever happens."""
    stack = Stack(directory, start_store)
    try:
        stack.cli("setup")
        yield stack
    finally:
        stack.close()
