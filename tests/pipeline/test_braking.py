"""The worker's loop under the brake, against a store in memory: what is held, what lets it go, and what is lost (nothing)."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

from pipeline.brake import RUN, Stop
from pipeline.configured import Configured
from pipeline.decode import Record
from pipeline.health import Watchdog
from pipeline.worker import Taken
from schemas import batch, yamlfile
from schemas.organisation import Organisation
from tests.pipeline.test_worker_loop import ALL, NOW, PARTITION, SOURCE, Fixture, MemoryStore, record, run

OTHER = yamlfile.loads(
    f"""
organisation: voorbeeld
title: {{nl: Voorbeeld, en: Example}}
systems: {{centrale: {{sources: ["{SOURCE}"]}}}}
channels: {{telephone: {{}}, chat: {{}}}}
""",
    Organisation,
    "voorbeeld.yaml",
)
"""Uses the channel of `poison`."""


def poison(offset: int, count: int = RUN) -> Record:
    """A record of contacts on a channel that the organisation does not use."""
    good = record(offset)
    assert good.value is not None
    event = good.value[1:-1].replace(b"telephone", b"chat")
    events = [event.replace(b'"c%d"' % offset, b'"p%d-%d"' % (offset, number)) for number in range(count)]
    return Record("contact-events", PARTITION, offset, NOW, b"voorbeeld", b"[" + b",".join(events) + b"]", batch.headers("voorbeeld"))


def taken(fixture: Fixture, offset: int) -> Taken:
    return Taken(poison(offset), lambda: fixture.acknowledged.append(offset))


async def held(fixture: Fixture, offset: int = 0) -> asyncio.Task[None]:
    """A worker that stands still before a batch of rubbish, its stop stored."""
    under_way = asyncio.create_task(fixture.worker.take([taken(fixture, offset)]))
    await until(lambda: bool(fixture.health.braked and standing(fixture.store)))
    assert not under_way.done()
    return under_way


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (what is waited for happens in the product)
            await asyncio.sleep(0.01)


async def resume(fixture: Fixture) -> None:
    """What `contactmeter resume` does, and the worker's next look."""
    for stop in standing(fixture.store):
        fixture.store.write_stop(replace(stop, released_at=NOW + 1, released_by="somebody"))
    fixture.braking._looked = 0.0
    await fixture.worker.tick()


def standing(store: MemoryStore) -> list[Stop]:
    """The stops that nobody ended."""
    return [stop for stop in store.stopped.values() if stop.released_at is None]


def rejects_stored(store: MemoryStore) -> int:
    return sum(len(tables.get("rejects", ())) for tables in store.writes)


def contacts_stored(store: MemoryStore) -> int:
    return sum(len(tables.get("contacts", ())) for tables in store.writes)


def test_a_flood_of_rejects_stops_the_worker_before_anything_of_it_is_applied() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        await fixture.worker.take(fixture.taken(0))
        under_way = await held(fixture, 1)
        await fixture.worker.tick()  # the windows go on
        assert not fixture.health.ready
        assert "500 events in a row" in fixture.health.status()["braked"]
        assert fixture.acknowledged == [0]
        assert (fixture.rejects, rejects_stored(fixture.store)) == ([], 0)
        await resume(fixture)
        await under_way
        await fixture.worker.close()
        assert fixture.health.ready
        assert fixture.acknowledged == [0, 1]
        assert (len(fixture.rejects), rejects_stored(fixture.store)) == (RUN, RUN)
        await fixture.worker.take([taken(fixture, 2)])  # one release is enough
        await fixture.worker.close()
        assert fixture.acknowledged == [0, 1, 2]

    run(scenario)


def test_another_configuration_lets_the_held_batch_be_judged_again() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        under_way = await held(fixture)
        await fixture.worker.reconfigure(lambda: True)  # another file of somebody else: no cure
        await until(lambda: bool(fixture.health.braked))
        assert not under_way.done()

        def cure() -> bool:
            fixture.configured = {"voorbeeld": Configured.of(OTHER)}
            return True

        await fixture.worker.reconfigure(cure)
        await under_way
        await fixture.worker.close()
        assert fixture.acknowledged == [0]
        assert (rejects_stored(fixture.store), contacts_stored(fixture.store)) == (0, RUN)
        assert not standing(fixture.store)
        assert {stop.released_by for stop in fixture.store.stopped.values()} == {"another configuration"}

    run(scenario)


def test_a_rebalance_drops_the_held_batch_and_the_brake_stays_on() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        under_way = await held(fixture)
        fixture.worker.revoked()
        await under_way
        fixture.worker.assigned(ALL)
        again = asyncio.create_task(fixture.worker.take([taken(fixture, 0)]))
        await asyncio.sleep(0.05)
        assert fixture.health.braked
        assert fixture.acknowledged == []
        await resume(fixture)
        await again
        await fixture.worker.close()
        assert fixture.acknowledged == [0]
        assert rejects_stored(fixture.store) == RUN

    run(scenario)


def test_a_restart_stays_braked_until_version_or_configuration_is_another() -> None:
    store = MemoryStore()

    async def first() -> None:
        fixture = Fixture(store=store)
        fixture.worker.assigned(ALL)
        (await held(fixture)).cancel()

    run(first)

    async def same() -> None:
        fixture = Fixture(store=store)
        fixture.braking.adopt()
        fixture.worker.assigned(ALL)
        under_way = asyncio.create_task(fixture.worker.take(fixture.taken(0)))  # good events, too, wait
        await asyncio.sleep(0.05)
        assert "500 events in a row" in fixture.health.braked
        assert not under_way.done()
        under_way.cancel()

    run(same)

    async def newer(fixture: Fixture, by: str) -> None:
        fixture.braking.adopt()
        assert not fixture.health.braked
        (stop,) = store.stopped.values()
        assert (stop.released_at, stop.released_by) == (NOW, by)

    before = dict(store.stopped)
    run(lambda: newer(Fixture(store=store, software="2"), "version 2"))
    store.stopped = before
    fixture = Fixture(store=store)
    fixture.configured = {"voorbeeld": Configured.of(OTHER)}
    run(lambda: newer(fixture, "another configuration"))


def test_a_restart_in_the_middle_of_the_rubbish_needs_no_second_release() -> None:
    store = MemoryStore()

    async def first() -> None:
        fixture = Fixture(store=store)
        fixture.worker.assigned(ALL)
        under_way = await held(fixture)
        await resume(fixture)
        await under_way
        await fixture.worker.close()

    run(first)

    async def second(software: str, passes: bool) -> None:
        fixture = Fixture(store=store, software=software)
        fixture.braking.adopt()
        fixture.worker.assigned(ALL)
        under_way = asyncio.create_task(fixture.worker.take([taken(fixture, 1)]))
        await until(lambda: under_way.done() or bool(fixture.health.braked))
        assert under_way.done() == passes
        under_way.cancel()
        await fixture.worker.close()

    run(lambda: second("1", passes=True))
    run(lambda: second("2", passes=False))


def test_resumed_while_no_batch_is_held() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        under_way = await held(fixture)
        fixture.worker.revoked()
        await under_way
        fixture.worker.assigned(ALL)
        await resume(fixture)
        assert fixture.health.ready

    run(scenario)


def test_a_brake_is_no_stall_and_a_worker_that_ends_waits_for_nothing() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        fixture.worker.assigned(ALL)
        under_way = await held(fixture)
        now = [0.0]
        died: list[str] = []
        watchdog = Watchdog(fixture.health, _Offsets(), 60, died.append, clock=lambda: now[0])  # type: ignore[arg-type]
        for second in range(0, 600, 10):
            now[0] = fixture.health.beat = float(second)
            watchdog.look()
        assert (died, fixture.health.lag) == ([], 1)
        under_way.cancel()
        await asyncio.wait([under_way])
        await fixture.worker.close()
        assert fixture.acknowledged == []

    run(scenario)


class _Offsets:
    """One record lies ready and nothing is committed."""

    def committed(self) -> dict[int, int]:
        return {}

    def limits(self) -> tuple[dict[int, int], dict[int, int]]:
        return {PARTITION: 0}, {PARTITION: 1}


def test_the_stop_is_stored_also_when_the_store_is_away_at_first() -> None:
    async def scenario() -> None:
        fixture = Fixture()
        gate = threading.Event()
        write = fixture.store.write_stop
        fixture.store.write_stop = lambda stop: (gate.wait(10), write(stop))[1]  # type: ignore[method-assign]
        fixture.worker.assigned(ALL)
        under_way = asyncio.create_task(fixture.worker.take([taken(fixture, 0)]))
        await until(lambda: bool(fixture.health.braked))
        assert not fixture.store.stopped
        gate.set()
        await until(lambda: bool(fixture.store.stopped))
        await resume(fixture)
        await under_way
        await fixture.worker.close()
        assert fixture.acknowledged == [0]

    run(scenario)
