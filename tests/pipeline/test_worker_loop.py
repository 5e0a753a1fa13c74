"""The worker's loop against a store in memory: what is acknowledged, in which order, and what is dropped. Real engines: tests/e2e."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from pipeline.answers import StoredAnswer
from pipeline.brake import Brake, Stop
from pipeline.braking import Braking, Identity
from pipeline.configured import Configured
from pipeline.decode import AnswerKey, ContactKey, Record, Reject
from pipeline.health import Health
from pipeline.held import StoredContact
from pipeline.known import Hashes, Known
from pipeline.rolling import Sums
from pipeline.rows import Row
from pipeline.worker import Taken, Worker
from schemas import batch, yamlfile
from schemas.organisation import Organisation
from schemas.partitions import partition_of
from schemas.types import iso

NOW = 1_790_000_000_000
SOURCE = "urn:nld:oin:00000001:systeem:telefooncentrale"
ORGANISATION = yamlfile.loads(
    f"""
organisation: voorbeeld
title: {{nl: Voorbeeld, en: Example}}
systems: {{centrale: {{sources: ["{SOURCE}"]}}}}
channels: {{telephone: {{}}}}
""",
    Organisation,
    "voorbeeld.yaml",
)
PARTITION = partition_of("voorbeeld")


class MemoryStore:
    """Keeps what is written; can hold a write or a look-up until told to go on."""

    def __init__(self) -> None:
        self.writes: list[Mapping[str, Sequence[Row]]] = []
        self.loads = 0
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.stopped: dict[int, Stop] = {}
        """By when they began; a release holds whatever is written later."""

    def stops(self, group: str, instance: str) -> list[Stop]:
        return [stop for stop in self.stopped.values() if (stop.group, stop.instance) == (group, instance)]

    def write_stop(self, stop: Stop) -> None:
        if stop.released_at is not None or stop.since not in self.stopped:
            self.stopped[stop.since] = stop

    def released(self, stop: Stop) -> str:
        return self.stopped[stop.since].released_by if stop.since in self.stopped else ""

    def sums(self, organisations: Sequence[str], as_of: int) -> dict[str, Sums]:
        self.loads += 1
        return {name: Sums(as_of) for name in organisations}

    def unacknowledged(self, table: str, starts: Mapping[str, int]) -> dict[tuple[str, str, str], int]:
        return {}

    def naming(self, starts: Mapping[str, int]) -> list[tuple[AnswerKey, ContactKey]]:
        return []

    def hashes(self, table: str, organisations: Sequence[str]) -> Hashes:
        return Known.none()._stored

    def look_up(self, contacts: Sequence[ContactKey], answers: Sequence[AnswerKey]) -> tuple[list[StoredContact], list[StoredAnswer]]:
        return [], []

    def write(self, tables: Mapping[str, Sequence[Row]]) -> None:
        assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        self.writes.append(tables)

    def write_figures(self, rows: Sequence[Row]) -> None:
        self.writes.append({"rolling": rows})

    def now(self) -> float:
        return NOW / 1000

    def written_by_others(self, organisation: str, writer: int, since: float) -> bool:
        return False


class Fixture:
    """A worker on a memory store, and the offsets it acknowledged."""

    def __init__(self, committed: int = 0, store: MemoryStore | None = None, software: str = "1") -> None:
        self.store = store or MemoryStore()
        self.health = Health()
        self.acknowledged: list[int] = []
        self.rejects: list[Reject] = []
        self.configured = {"voorbeeld": Configured.of(ORGANISATION)}
        self.braking = Braking(
            Brake(), self.store, Identity("group", "instance", software), lambda: self.configured, self.health, lambda: NOW
        )
        self.worker = Worker(
            self.store, lambda: self.configured, lambda partitions: dict.fromkeys(partitions, committed), self._send, self.health,
            self.braking, lambda: NOW, batch_bytes=1_000_000, contacts_in_memory=1_000,
        )  # fmt: skip

    async def _send(self, rejects: Sequence[Reject]) -> None:
        self.rejects.extend(rejects)

    def taken(self, *offsets: int, partition: int = PARTITION) -> list[Taken]:
        """Records that each open one contact."""
        return [Taken(record(offset, partition), lambda offset=offset: self.acknowledged.append(offset)) for offset in offsets]  # type: ignore[misc]


def record(offset: int, partition: int = PARTITION) -> Record:
    event = {
        "specversion": "1.0", "id": f"e{offset}", "source": SOURCE, "type": "nl.contactmeter.contact.opened", "time": iso(NOW),
        "data": {"contact": f"c{offset}", "occurred_at": iso(NOW), "channel": "telephone"},
    }  # fmt: skip
    value, _ = next(iter(batch.encode([event])))
    return Record("contact-events", partition, offset, NOW, b"voorbeeld", value, batch.headers("voorbeeld"))


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 30))


ALL = frozenset(range(64))


def test_acknowledges_in_order_and_only_what_is_stored() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        fixture.store.gate.clear()
        await fixture.worker.take(fixture.taken(0, 1))
        await asyncio.sleep(0.05)
        assert fixture.acknowledged == []
        following = asyncio.create_task(fixture.worker.take(fixture.taken(2)))
        await asyncio.sleep(0.05)
        assert fixture.acknowledged == []
        fixture.store.gate.set()
        await following
        await fixture.worker.close()
        assert fixture.acknowledged == [0, 1, 2]
        assert [len(tables["contacts"]) for tables in fixture.store.writes] == [2, 1]

    run(scenario)


def test_an_insert_under_way_at_a_rebalance_is_not_acknowledged() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        fixture.store.gate.clear()
        await fixture.worker.take(fixture.taken(0))
        fixture.worker.revoked()
        fixture.worker.assigned(ALL)
        fixture.store.gate.set()
        await fixture.worker.close()
        assert len(fixture.store.writes) == 1, "it is stored all the same"
        assert fixture.acknowledged == []

    run(scenario)


def test_a_record_of_before_the_rebalance_is_dropped_when_its_acknowledgement_would_skip_others() -> None:
    async def scenario() -> None:
        fixture = Fixture(committed=5)
        fixture.worker.assigned(ALL)
        await fixture.worker.take(fixture.taken(7))  # the first assignment of a process has no stale buffers
        await fixture.worker.close()
        fixture.worker.revoked()
        fixture.worker.assigned(ALL)
        await fixture.worker.take(fixture.taken(8))  # still in Faust's buffer; 5 is delivered again
        await fixture.worker.take(fixture.taken(5, 6, 7, 8))
        await fixture.worker.close()
        assert fixture.acknowledged == [7, 5, 6, 7, 8]

    run(scenario)


def test_records_of_partitions_that_are_not_ours_are_dropped() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL - {PARTITION})
        await fixture.worker.take(fixture.taken(0))
        fixture.worker.revoked()
        await fixture.worker.take(fixture.taken(1))
        await fixture.worker.close()
        assert fixture.acknowledged == []
        assert not any(tables.get("contacts") for tables in fixture.store.writes)

    run(scenario)


def test_another_configuration_computes_the_state_anew_and_loses_no_record() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        await fixture.worker.take(fixture.taken(0))
        fixture.store.gate.clear()
        under_way = asyncio.create_task(fixture.worker.take(fixture.taken(1)))
        await asyncio.sleep(0.05)
        fixture.worker.reload()
        fixture.store.gate.set()
        await under_way
        await fixture.worker.take(fixture.taken(2, 3))
        await fixture.worker.close()
        assert fixture.acknowledged == [0, 1, 2, 3]
        assert fixture.store.loads == 2

    run(scenario)


def test_an_error_of_the_last_write_surfaces_though_no_record_follows() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        fixture.store.error = RuntimeError("disk on fire")
        await fixture.worker.take(fixture.taken(0))
        await asyncio.sleep(0.1)
        with pytest.raises(RuntimeError, match="disk on fire"):
            await fixture.worker.tick()
        assert fixture.acknowledged == []

    run(scenario)


def test_ready_only_while_partitions_are_ours() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        assert not fixture.health.ready
        fixture.worker.assigned(ALL)
        await fixture.worker.tick()
        assert fixture.health.ready
        fixture.worker.revoked()
        assert not fixture.health.ready

    run(scenario)


def test_rejects_are_delivered_before_their_record_is_acknowledged() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        broken = Record("contact-events", PARTITION, 0, NOW, b"voorbeeld", b"{", batch.headers("voorbeeld"))
        seen: list[int] = []
        await fixture.worker.take([Taken(broken, lambda: seen.append(len(fixture.rejects)))])
        await fixture.worker.close()
        assert seen == [1]
        assert fixture.store.writes[0]["rejects"][0][6] == "invalid_json"
        assert fixture.health.rejects == 1

    run(scenario)
