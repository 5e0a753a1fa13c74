"""What is measured on: Kafka and ClickHouse started for this run, the product's topics and tables, and its worker on a core of its own."""

import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from benchmarks.events import configuration, neighbour_of
from benchmarks.machine import OTHER_CORES, WORKER_CORES, on
from deploy.local import network, process
from pipeline.health import Offsets
from pipeline.kafka_security import KafkaSecurity
from pipeline.retention import Retention
from pipeline.rows import Row
from pipeline.settings import Settings
from pipeline.store import migrate
from pipeline.store.client import Connection
from pipeline.store.writer import Writer
from pipeline.topics import connected, ensure_topics
from schemas import batch
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS
from tests.engines import ClickHouseEngine, KafkaEngine

MEASURED = "benchmark"
NEIGHBOUR = neighbour_of(MEASURED)
"""Another organisation, whose events stand in the same partition."""
PARTITION = partition_of(MEASURED)

_ROOT = Path(__file__).parent.parent


class BenchmarkFailed(Exception):
    """Something that should have happened did not; the text holds the end of the log that tells why."""


class Running:
    """One worker process."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self.log = directory / f"worker-{time.monotonic_ns()}.log"
        self.port = network.free_ports(1)[0]
        self.started = time.time()
        command = [sys.executable, "-m", "pipeline.cli", "worker"]
        with on(WORKER_CORES):
            self.process = process.spawn(command, self.log, {**environment, "CONTACTMETER_HEALTH_PORT": str(self.port)}, _ROOT)

    @property
    def pid(self) -> int:
        return self.process.pid

    def metrics(self) -> dict[str, float]:
        """The worker's metrics by name and labels; none while it does not answer yet."""
        try:
            with network.DIRECT.open(f"http://{network.LOOPBACK}:{self.port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}

    def events(self) -> float:
        """How many events it has folded in."""
        return self.metrics().get("contactmeter_events_total", 0.0)

    def written(self) -> bool:
        """Whether the rows of every batch folded in so far are stored."""
        found = self.metrics()
        return found.get("contactmeter_batch_seconds_count", 0.0) == found.get("contactmeter_insert_seconds_count", -1.0)

    def ready(self) -> bool:
        """Partitions assigned, state computed."""
        return network.http_ok(f"http://{network.LOOPBACK}:{self.port}/ready")

    def logged(self, message: str) -> float:
        """When it first logged a message that begins so, in epoch seconds; NaN when it did not."""
        found = re.search(rf"^(\S+)Z INFO \S+: {message}", self.log.read_text(errors="replace"), re.MULTILINE)
        return datetime.fromisoformat(f"{found[1]}+00:00").timestamp() if found else float("nan")

    def until(self, condition: Callable[[], bool], what: str, timeout: float = 300.0, every: float = 0.1) -> None:
        """Wait for a condition. Raises BenchmarkFailed when the worker ends, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not condition():
            code = self.process.poll()
            if code is not None or time.monotonic() > deadline:
                why = f"the worker ended with code {code}" if code is not None else f"waited {timeout:.0f} s in vain"
                raise BenchmarkFailed(f"{why} for: {what}; its log ends:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(every)


class Rig:
    """The engines and what stands on them. Use `rig()`."""

    def __init__(self, directory: Path, kafka: KafkaEngine, clickhouse: ClickHouseEngine) -> None:
        self.directory = directory
        self.bootstrap = kafka.bootstrap
        self.kafka, self.clickhouse = kafka, clickhouse
        self._connection = Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)
        with connected(self.bootstrap, KafkaSecurity()) as admin:
            ensure_topics(admin, 1, Retention())
        migrate.migrate(self._connection)
        self._organisations = directory / "organisations"
        self._organisations.mkdir()
        for name in (MEASURED, NEIGHBOUR):
            self.configure(name, configuration(name))
        self._environment = {
            "CONTACTMETER_KAFKA": self.bootstrap,
            "CONTACTMETER_CLICKHOUSE_HOST": clickhouse.host,
            "CONTACTMETER_CLICKHOUSE_HTTP_PORT": str(clickhouse.http_port),
            "CONTACTMETER_CLICKHOUSE_USER": clickhouse.user,
            "CONTACTMETER_CLICKHOUSE_PASSWORD": clickhouse.password,
            "CONTACTMETER_ORGANISATIONS": str(self._organisations),
            "CONTACTMETER_INSTANCE": "benchmark",
        }

    def configure(self, name: str, yaml: str) -> None:
        """Give an organisation its file, for the next worker that starts."""
        (self._organisations / f"{name}.yaml").write_text(yaml, encoding="utf-8")

    def write(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Insert rows as a worker does."""
        writer = Writer(self._connection, lambda error: time.sleep(error.retry_after))
        writer.write(tables)
        writer.close()

    def disk_bytes(self, table: str) -> float:
        """What a table of the product takes on disk, merged into one part first."""
        client = self.client()
        try:
            client.command(f"OPTIMIZE TABLE {table} FINAL")
            sql = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = {table:String}"
            return float(client.query(sql, parameters={"table": table}).result_rows[0][0])
        finally:
            client.close()

    def client(self) -> Client:
        """A connection to ClickHouse."""
        return self._connection.open()

    @contextmanager
    def worker(self, **settings: str) -> Iterator[Running]:
        """The product's worker with these settings (`CONTACTMETER_…`) beside the usual ones; stopped afterwards."""
        running = self.start_worker(**settings)
        try:
            yield running
        finally:
            process.end(running.process, timeout=20)

    def start_worker(self, **settings: str) -> Running:
        """The same, for who stops it themselves."""
        return Running({**self._environment, **{f"CONTACTMETER_{name.upper()}": value for name, value in settings.items()}}, self.directory)

    def produce(self, values: Iterable[bytes]) -> tuple[int, int]:
        """Put records of the measured organisation into its partition as fast as it goes; the offsets [first, end) they got."""
        producer = KafkaProducer(
            bootstrap_servers=[self.bootstrap], acks="all", linger_ms=20, batch_size=1_000_000, max_request_size=2 * batch.MAX_BYTES
        )
        first = self.end_offset()
        key, headers = MEASURED.encode(), batch.headers(MEASURED)
        for value in values:
            producer.send(CONTACT_EVENTS, value, key, headers, PARTITION)
        producer.flush()
        producer.close()
        return first, self.end_offset()

    def end_offset(self) -> int:
        """Where the measured partition ends."""
        consumer = KafkaConsumer(bootstrap_servers=[self.bootstrap])
        partition = TopicPartition(CONTACT_EVENTS, PARTITION)
        try:
            return int(consumer.end_offsets([partition])[partition])
        finally:
            consumer.close()

    def committed(self) -> int:
        """Up to where the workers' group has committed the measured partition."""
        offsets = Offsets(self.bootstrap, Settings().group, CONTACT_EVENTS)
        try:
            return offsets.committed().get(PARTITION, 0)
        finally:
            offsets.close()

    def empty(self) -> None:
        """Take away everything stored; while no worker runs."""
        client = self.client()
        for table in ("contacts", "rolling"):
            client.command(f"TRUNCATE TABLE {table}")
        client.close()

    def stored_contacts(self) -> int:
        """How many contacts of the measured organisation are stored."""
        client = self.client()
        try:
            return int(client.query(f"SELECT uniqExact(contact) FROM contacts WHERE organisation = '{MEASURED}'").result_rows[0][0])
        finally:
            client.close()


@contextmanager
def rig() -> Iterator[Rig]:
    """Engines on free ports with their data in a temporary directory, on the cores that are not the worker's; all of it goes afterwards."""
    with tempfile.TemporaryDirectory(prefix="contactmeter-benchmark-") as name, on(OTHER_CORES):
        directory = Path(name)
        kafka = KafkaEngine(directory / "kafka")
        try:
            clickhouse = ClickHouseEngine(directory / "clickhouse")
            try:
                yield Rig(directory, kafka, clickhouse)
            finally:
                clickhouse.stop()
        finally:
            kafka.stop()
