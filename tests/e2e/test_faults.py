"""The same figures whatever breaks: every fault is compared, row for row, with a clean load of the same events by another organisation.

What one fault looks like from outside; many at random moments are tests/chaos.
"""

import asyncio
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from connectors.protocol import WireEvent
from connectors.sender import Sender
from schemas import batch
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS
from tests.e2e import synthetic
from tests.e2e.running import Stack, Worker, records_of, wait_until

CONTACTS = 500
SMALL_BATCHES = {"BATCH_BYTES": "20000"}
"""Some sixty events a micro-batch, so that a fault finds a load half done."""

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Load:
    """The events that every organisation here gets, and what a clean load of them stored."""

    stack: Stack
    now: datetime
    events: list[WireEvent]
    rows: Rows = field(default_factory=dict)
    rolling: list[dict[tuple[str, str, str], tuple[int, int, int]]] = field(default_factory=list)

    def organisation(self, name: str) -> str:
        self.stack.add_organisation(name, synthetic.organisation(name))
        return name

    def rolling_of(self, name: str) -> list[dict[tuple[str, str, str], tuple[int, int, int]]]:
        """At the moment of the load and at three before it."""
        return [self.stack.rolling_at(name, self.now - timedelta(hours=hours)) for hours in (0, 1, 30, 300)]

    def check(self, name: str, live: bool = True) -> None:
        """Everything stored of `name`, and every figure, equals that of the clean load; needs a worker that runs when `live`."""
        rows = self.stack.stored(name)
        for table, expected in self.rows.items():
            assert len(rows[table]) == len(expected), f"rows of {table}"
            assert rows[table] == expected, table
        assert self.rolling_of(name) == self.rolling
        if live:
            assert self.stack.check_live(name) > 0


@pytest.fixture(scope="module")
def load(stack: Stack) -> Load:
    now = datetime.now(UTC)
    made = Load(stack, now, synthetic.history(CONTACTS, int(now.timestamp() * 1000)))
    clean, twice, shuffled, clients = (made.organisation(name) for name in ("schoon", "tweemaal", "geschud", "twee-clients"))
    stack.send(clean, made.events, size=100)
    stack.send(twice, made.events, size=100)
    stack.send(twice, made.events, size=30)
    mixed = list(made.events)
    random.Random(2).shuffle(mixed)
    stack.send(shuffled, mixed, size=70)
    send_by_two_clients(stack, clients, made.events)
    worker = stack.worker(BATCH_BYTES="200000")
    stack.settle()
    made.rows, made.rolling = stack.stored(clean), made.rolling_of(clean)
    for name in (clean, twice, shuffled, clients):
        assert stack.check_live(name) > 0
    assert worker.stop()
    return made


def send_by_two_clients(stack: Stack, name: str, events: list[WireEvent]) -> None:
    """Every second record by kafka-python, the others by aiokafka; both pass the partition."""
    records = records_of(events, 50)

    async def others() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap, acks="all")
        await producer.start()
        try:
            for value in records[1::2]:
                headers = batch.headers(name)
                await producer.send_and_wait(CONTACT_EVENTS, value, key=name.encode(), partition=partition_of(name), headers=headers)
        finally:
            await producer.stop()

    sent = stack.produce(name, records[::2])
    asyncio.run(others())
    assert {partition for partition, _ in sent} == {partition_of(name)}
    assert len(sent) + len(records[1::2]) == len(records)


def test_the_clean_load_holds_everything(load: Load) -> None:
    """What the others are compared with is no empty thing, and counts what was sent."""
    contacts = {item["data"]["contact"] for item in load.events if item["type"].startswith("nl.contactmeter.contact.")}
    answers = {item["data"]["answer"] for item in load.events if item["type"].endswith("survey.answered")}
    found = {table: load.stack.count(table, "schoon") for table in ("contacts", "survey_answers", "rejects")}
    assert found == {"contacts": len(contacts), "survey_answers": len(answers), "rejects": 0}
    volume = sum(sums[0] for (_, measure, window), sums in load.rolling[0].items() if (measure, window) == ("volume", "28d"))
    assert volume > CONTACTS * 0.8


@pytest.mark.parametrize("name", ["tweemaal", "geschud", "twee-clients"])
def test_order_repetition_and_client_change_nothing(load: Load, name: str) -> None:
    """Sent twice; shuffled; by two producers built on different Kafka clients."""
    load.check(name, live=False)


def progressed(load: Load, name: str, contacts: float) -> bool:
    """So many contacts are stored, or all that there are."""
    return load.stack.count("contacts", name) >= contacts or load.stack.lag() == 0


def test_kill_9_of_clickhouse_during_the_load(load: Load) -> None:
    name = load.organisation("klikhuis")
    load.stack.send(name, load.events)
    worker = load.stack.worker(**SMALL_BATCHES)
    wait_until(lambda: load.stack.count("contacts", name) >= 0.1 * CONTACTS, "progress", every=0.01)
    load.stack.clickhouse.kill()
    wait_until(lambda: worker.get("/ready")[0] == 503, "the worker to say that it waits")
    assert "ClickHouse" in worker.get("/status")[1]["waiting_for"]
    load.stack.clickhouse.start()
    load.stack.settle()
    assert worker.ended() is None, "it waits, it does not crash"
    assert "waiting, nothing is lost" in worker.said
    load.check(name)
    assert worker.ready()
    assert worker.stop()


def test_kill_9_of_kafka_during_the_load(load: Load) -> None:
    """Worker and sender both live through it; a worker that Faust leaves silently dead is ended by its watchdog, and started again."""
    name = load.organisation("kafka-om")
    workers = [load.stack.worker(**SMALL_BATCHES, STALL_AFTER_S="10").wait_ready()]
    done = threading.Event()

    def deliver() -> None:
        with Sender(load.stack.kafka.bootstrap, rate=400) as sender:
            sender.send(name, load.events)
        done.set()

    thread = threading.Thread(target=deliver, daemon=True)
    thread.start()
    wait_until(lambda: supervised(load, workers) and progressed(load, name, 0.3 * CONTACTS), "progress")
    load.stack.kafka.kill()
    load.stack.kafka.start()
    wait_until(lambda: supervised(load, workers) and done.is_set(), "the sender to deliver everything", 120)
    thread.join()
    wait_until(lambda: supervised(load, workers) and load.stack.lag() == 0, "everything to be stored and committed", 120)
    load.check(name)
    assert workers[-1].stop()


def supervised(load: Load, workers: list[Worker]) -> bool:
    """Start the last worker again when it has ended, as the stack's supervisor does; always true."""
    if workers[-1].ended() is not None:
        workers.append(load.stack.worker(**SMALL_BATCHES, STALL_AFTER_S="10"))
    return True
