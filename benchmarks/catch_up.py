"""Catch-up: how fast a worker works off what lies in Kafka, next to two yardsticks on the same machine."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from benchmarks import yardsticks
from benchmarks.events import KINDS, Order, earlier, history, values
from benchmarks.machine import WORKER_CORES, cpu_seconds, on
from benchmarks.results import Result
from benchmarks.rig import PARTITION, BenchmarkFailed, Rig, Running
from schemas.topics import CONTACT_EVENTS

WARM_UP = 0.1
"""Part of the events that is not timed: buffers fill, the interpreter specialises."""
POLL_S = 0.1


@dataclass(frozen=True)
class Case:
    """One way the events lie in Kafka."""

    name: str
    order: Order
    record_events: int
    stored: bool = False
    target: float | None = None
    aim: float | None = None


CASES = (
    Case("catch-up, near, records of 200", "near", 200, target=25_000, aim=50_000),
    Case("catch-up, near, records of 20", "near", 20),
    Case("catch-up, worst order, records of 200", "far", 200, target=20_000),
    Case("catch-up, worst order, already stored", "far", 200, stored=True),
)


@dataclass(frozen=True)
class Run:
    """Events a second, and of how many cores the worker and the engines were busy meanwhile."""

    rate: float
    worker: float
    clickhouse: float
    kafka: float


def run(rig: Rig, contacts: int, repeats: int, singles: int) -> list[Result]:
    """Every case, and the yardsticks on the records of the first one."""
    results = []
    for case in CASES:
        runs, read = [], []
        for _ in range(repeats):
            first, end = _lay_ready(rig, case, contacts)
            if case is CASES[0]:
                read.append(_yardstick("read", rig, CONTACT_EVENTS, PARTITION, first, end))
            runs.append(_catch_up(rig, contacts, end))
        results.append(_result(case, runs, contacts))
        if read:
            results += [
                Result("yardstick: aiokafka + orjson, the same records", tuple(found["orjson"] for found in read), "events/s"),
                Result("yardstick: aiokafka + json, the same records", tuple(found["json"] for found in read), "events/s"),
            ]
    return [*results, _idiomatic(rig, singles, repeats)]


def _result(case: Case, runs: list[Run], contacts: int) -> Result:
    best = max(runs, key=lambda found: found.rate)
    note = (
        f"{len(KINDS) * contacts:,} events; busy cores in the fastest run: worker {best.worker:.2f}, ClickHouse {best.clickhouse:.2f}, "
        f"Kafka {best.kafka:.2f}; {best.worker / best.rate * 1e6:.1f} µs of the worker an event"
    )
    return Result(case.name, tuple(found.rate for found in runs), "events/s", target=case.target, aim=case.aim, note=note)


def _lay_ready(rig: Rig, case: Case, contacts: int) -> tuple[int, int]:
    """Empty the store, store the contacts when the case asks for it, and put the events into Kafka; their offsets [first, end)."""
    rig.empty()
    now_ms = time.time_ns() // 1_000_000
    if case.stored:
        _, end = rig.produce(values(earlier(contacts, now_ms), 200))
        with rig.worker() as worker:
            worker.until(lambda: worker.events() >= contacts and worker.written(), "the contacts to be stored")
            worker.until(lambda: rig.committed() >= end, "their records to be committed")
    return rig.produce(values(history(contacts, now_ms, case.order), case.record_events))


def _catch_up(rig: Rig, contacts: int, end: int) -> Run:
    """Start a worker and time it from the end of the warm-up until everything is stored; then see that nothing is missing."""
    total = len(KINDS) * contacts
    with rig.worker() as worker:
        worker.until(lambda: worker.events() >= WARM_UP * total, "the warm-up", every=POLL_S / 2)
        begin, done, busy = time.monotonic(), worker.events(), _busy(rig, worker)
        worker.until(lambda: worker.events() >= total and worker.written(), "all events to be stored", every=POLL_S)
        seconds, used = time.monotonic() - begin, [after - before for before, after in zip(busy, _busy(rig, worker), strict=True)]
        worker.until(lambda: rig.committed() >= end, "all records to be committed", timeout=30)
        if worker.events() != total or rig.stored_contacts() != contacts:
            raise BenchmarkFailed(f"{worker.events():.0f} of {total} events and {rig.stored_contacts()} of {contacts} contacts arrived")
    return Run((total - done) / seconds, *(spent / seconds for spent in used))


def _busy(rig: Rig, worker: Running) -> tuple[float, float, float]:
    return cpu_seconds(worker.pid), cpu_seconds(rig.clickhouse.pid), cpu_seconds(rig.kafka.pid)


def _idiomatic(rig: Rig, singles: int, repeats: int) -> Result:
    """The Faust agent of the manual, on records of one event each."""
    admin = KafkaAdminClient(bootstrap_servers=[rig.bootstrap])
    rates = []
    for attempt in range(repeats):
        topic = f"singles-{attempt}"
        admin.create_topics([NewTopic(topic, 1, 1)])
        producer = KafkaProducer(bootstrap_servers=[rig.bootstrap], acks="all", linger_ms=20, batch_size=1_000_000)
        for value in values(history((singles + 3) // 4, time.time_ns() // 1_000_000, "near"), 1):
            producer.send(topic, value[1:-1])
        producer.flush()
        producer.close()
        rates.append(_yardstick("faust", rig, topic, singles, int(singles * WARM_UP))["rate"])
    admin.close()
    return Result("yardstick: idiomatic Faust agent, no work", tuple(rates), "events/s", note=f"{singles:,} records of one event")


def _yardstick(kind: str, rig: Rig, *arguments: str | int) -> dict[str, float]:
    """Run one of the programs of `yardsticks` on the worker's core; what it measured."""
    command = [sys.executable, "-m", yardsticks.__name__, kind, rig.bootstrap, *map(str, arguments)]
    with on(WORKER_CORES):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise BenchmarkFailed(f"the yardstick {kind} ended with code {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
