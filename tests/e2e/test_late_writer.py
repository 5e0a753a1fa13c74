"""An insert of a worker that has lost its partition, landing whenever it likes: the new owner's figures must come out right.

Two real loops on the real store, without Kafka: what is delivered to whom, and when the insert lands, is decided here.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import pytest

from pipeline.answers import StoredAnswer
from pipeline.brake import Brake
from pipeline.braking import Braking, Identity
from pipeline.configured import Configured
from pipeline.decode import AnswerKey, ContactKey, Record, Reject
from pipeline.health import Health
from pipeline.held import StoredContact
from pipeline.known import Hashes
from pipeline.rolling import Sums
from pipeline.rows import Row
from pipeline.store.facade import ClickHouseStore
from pipeline.worker import Taken, Worker
from schemas import batch, yamlfile
from schemas.organisation import Organisation
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS
from tests.e2e import figures, synthetic
from tests.e2e.running import Stack, records_of

IDENTITY = Identity("late-writer", "", "0")
COMMITTED, HELD, ALL = 8, 20, 30
"""Records 0-7 are stored and committed; 8-19 stand in the insert that is held; 20-29 follow."""


class Watched:
    """The real store. `before_write` may hold a write; `seen` is told what was just done."""

    def __init__(self, store: ClickHouseStore) -> None:
        self._store = store
        self.before_write: Callable[[], object] = lambda: None
        self.seen: Callable[[str], object] = lambda _what: None

    def sums(self, organisations: Sequence[str], as_of: int) -> dict[str, Sums]:
        found = self._store.sums(organisations, as_of)
        self.seen("sums")
        return found

    def unacknowledged(self, table: str, starts: Mapping[str, int]) -> dict[tuple[str, str, str], int]:
        found = self._store.unacknowledged(table, starts)
        self.seen(f"unacknowledged {table}")
        return found

    def naming(self, starts: Mapping[str, int]) -> list[tuple[AnswerKey, ContactKey]]:
        return self._store.naming(starts)

    def hashes(self, table: str, organisations: Sequence[str]) -> Hashes:
        found = self._store.hashes(table, organisations)
        self.seen(f"hashes of {table}")
        return found

    def look_up(self, contacts: Sequence[ContactKey], answers: Sequence[AnswerKey]) -> tuple[list[StoredContact], list[StoredAnswer]]:
        found = self._store.look_up(contacts, answers)
        self.seen("look-up")
        return found

    def write(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self.before_write()
        self._store.write(tables)
        self.seen("write")

    def write_figures(self, rows: Sequence[Row]) -> None:
        self._store.write_figures(rows)

    def now(self) -> float:
        return self._store.now()

    def written_by_others(self, organisation: str, writer: int, since: float) -> bool:
        return self._store.written_by_others(organisation, writer, since)


class Owner:
    """A worker's loop that owns the organisation's partition from `start` on."""

    def __init__(self, stack: Stack, configured: Configured, start: int, now: int, batch_bytes: int) -> None:
        self.name = configured.organisation.organisation
        self.partition = partition_of(self.name)
        self.store = Watched(ClickHouseStore(stack.connection, lambda _why: None))
        self.acknowledged: list[int] = []
        self._now = now

        async def send_rejects(_rejects: Sequence[Reject]) -> None:
            raise AssertionError("nothing here is to be refused")

        in_force, health = {self.name: configured}, Health()
        braking = Braking(Brake(), ClickHouseStore(stack.connection, lambda _why: None), IDENTITY, lambda: in_force, health, lambda: now)
        self.worker = Worker(
            self.store, lambda: in_force, lambda partitions: dict.fromkeys(partitions, start),
            send_rejects, health, braking, lambda: now, batch_bytes, contacts_in_memory=20,
        )  # fmt: skip
        self.worker.assigned(frozenset({self.partition}))

    async def take(self, values: Sequence[bytes], first: int) -> None:
        """Deliver records, the first of them at offset `first`."""
        key, headers = self.name.encode(), batch.headers(self.name)
        taken = []
        for offset, value in enumerate(values, first):
            record = Record(CONTACT_EVENTS, self.partition, offset, self._now, key, value, headers)
            taken.append(Taken(record, partial(self.acknowledged.append, offset)))
        await self.worker.take(taken)


MOMENTS = [
    "at once", "unacknowledged contacts 1", "unacknowledged survey_answers 1", "sums 1",
    "hashes of contacts 1", "hashes of survey_answers 1", "look-up 1", "look-up 2", "write 1", "write 3", "write 7", "write 12", "never",
]  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_figures_are_right_whenever_a_late_insert_lands(stack: Stack, moment: str) -> None:
    name = "laat-" + moment.replace(" ", "-").replace("_", "-")
    moment_ms = int(datetime.now(UTC).timestamp() * 1000)
    text = synthetic.organisation(name)
    organisation = yamlfile.loads(text, Organisation, name)
    ClickHouseStore(stack.connection, lambda _why: None).register(organisation, text, 0, (), moment_ms)
    events = synthetic.history(150, moment_ms, seed=3)
    # Each contact stands in many records.
    records = [value for number in range(ALL) for value in records_of(events[number::ALL], len(events))]

    asyncio.run(_two_owners(stack, Configured.of(organisation), records, moment, moment_ms))

    at = datetime.fromtimestamp(moment_ms / 1000, UTC)
    assert figures.kept(stack.query, name)[1] == stack.rolling_at(name, at)
    contacts = {item["data"]["contact"] for item in events if ".contact." in item["type"]}
    assert stack.count("contacts", name) == len(contacts)


async def _two_owners(stack: Stack, configured: Configured, records: Sequence[bytes], moment: str, now: int) -> None:
    land, landed = threading.Event(), threading.Event()
    old = Owner(stack, configured, 0, now, batch_bytes=10_000_000)
    await old.take(records[:COMMITTED], 0)
    await old.worker.close()
    assert old.acknowledged == list(range(COMMITTED))
    old.store.before_write = land.wait
    old.store.seen = lambda what: landed.set() if what == "write" else None
    await old.take(records[COMMITTED:HELD], COMMITTED)
    old.worker.revoked()

    new = Owner(stack, configured, COMMITTED, now, batch_bytes=1)  # one record a batch
    done: dict[str, int] = {}

    def seen(what: str) -> None:
        done[what] = done.get(what, 0) + 1
        if f"{what} {done[what]}" == moment:
            let_it_land()

    def let_it_land() -> None:
        land.set()
        assert landed.wait(30), "the held insert must land"

    new.store.seen = seen
    try:
        if moment == "at once":
            await asyncio.to_thread(let_it_land)
        await new.take(records[COMMITTED:], COMMITTED)
        await new.worker.close()
        assert land.is_set() == (moment != "never"), f"{moment} did not come; seen: {done}"
    finally:
        land.set()
    await old.worker.close()
    await new.worker.tick()
    assert new.acknowledged == list(range(COMMITTED, ALL))
    assert old.acknowledged == list(range(COMMITTED)), "what is no longer its own is not its to acknowledge"
