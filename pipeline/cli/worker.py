"""`contactmeter setup` and `contactmeter worker`: the parts put together."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Annotated

import typer
from kafka.errors import KafkaError

from pipeline import faults, health, topics
from pipeline.app import SendRejects, SendSignals, declare, make_app, run
from pipeline.brake import Brake
from pipeline.braking import Braking, Identity
from pipeline.cli import endpoints, keeping
from pipeline.looking import Looks
from pipeline.organisations import Organisations
from pipeline.settings import Settings
from pipeline.showing import Shows
from pipeline.store import migrate, retention
from pipeline.store.client import Unavailable, persistently
from pipeline.store.drift_looks import DriftStore
from pipeline.store.facade import ClickHouseStore
from pipeline.store.shown import ShownStore
from pipeline.topics import check_partitions, connect, connected, ensure_topics
from pipeline.upkeep import Upkeep
from pipeline.worker import Worker
from schemas.partitions import PARTITIONS
from schemas.topics import CONTACT_EVENTS

log = logging.getLogger("contactmeter")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    app.command()(setup)
    app.command()(worker)


def setup(
    delete_expired: Annotated[
        bool, typer.Option("--delete-expired", help="Also shorten a retention when that deletes what is stored now.")
    ] = False,
) -> None:
    """Create the topics, bring tables and views up to date, set how long all is kept. Safe to run again; `up` does it by itself."""
    with endpoints.command("setup") as found:
        with connected(found.kafka, found.kafka_security) as admin:
            for name in ensure_topics(admin, found.replication, found.retention):
                typer.echo(f"created topic {name}")
            keeping.change(topics.kept(admin, found.retention), partial(topics.keep, admin), delete_expired)
        set_up_tables(found, delete_expired)
    typer.echo("topics and tables are in place")


def set_up_tables(found: Settings, delete_expired: bool = False) -> None:
    """ClickHouse's half of `setup`. Waits while ClickHouse does not answer."""
    connection = endpoints.connection(found)
    for name in persistently(lambda: migrate.migrate(connection), _wait):
        typer.echo(f"applied migration {name}")
    client = persistently(connection.open, _wait)
    try:
        tables = persistently(lambda: retention.kept(client, found.retention), _wait)
        keeping.change(tables, lambda table: persistently(lambda: retention.keep(client, table), _wait), delete_expired)
    finally:
        client.close()


def worker() -> None:
    """Run one worker: it reads contact-events and keeps the figures. `up` starts one; in production run several in one group."""
    with endpoints.command("worker") as found:
        raise typer.Exit(_run(found))


def _run(found: Settings) -> int:
    state = health.Health()
    health.serve(state, found.health_host, found.health_port)

    def waiting(why: str) -> None:
        state.waiting_for = why

    store = ClickHouseStore(endpoints.connection(found), waiting, faults.after_insert(found.fault))
    organisations = Organisations(found.organisations, store, found.boards, state, _now_ms)
    organisations.refresh()
    if not organisations.in_force():
        log.warning("no organisation is in force: put a YAML file into %s", found.organisations)
    identity = Identity(found.group, found.instance, version("contactmeter"))
    braking = Braking(Brake(found.brake_share, found.brake_run), store, identity, organisations.in_force, state, _now_ms)
    braking.adopt()
    _await_topic(found, waiting)
    offsets = health.Offsets(found.kafka, found.group, CONTACT_EVENTS, found.kafka_security.options())
    health.Watchdog(state, offsets, found.stall_after_s, _die).run()  # its first look connects the clients that the state needs, too

    def make_worker(send_rejects: SendRejects, send_signals: SendSignals) -> tuple[Worker, Organisations, Upkeep]:
        loop = Worker(
            store,
            organisations.present,
            lambda partitions: _start_of(offsets, partitions),
            send_rejects,
            state,
            braking,
            _now_ms,
            found.batch_bytes,
            found.contacts_in_memory,
        )
        drift = DriftStore(endpoints.connection(found), faults.after_insert(found.fault))
        looks = Looks(loop.organisations, drift, send_signals, _now_ms, found.look_every_s)
        shows = Shows(loop.organisations, ShownStore(endpoints.connection(found)), store.writes, _now_ms)
        return loop, organisations, Upkeep(loop, store, state, looks, shows)

    asyncio.set_event_loop(asyncio.new_event_loop())
    app = make_app(found)
    declare(app, make_worker)
    return run(app)


def _await_topic(found: Settings, waiting: Callable[[str], None]) -> None:
    """Wait until contact-events is there, and say so: without a broker Faust would end at once.

    Raises InvalidConfiguration when it has another number of partitions than producers count with.
    """
    kafka = found.kafka

    def away(seconds: float) -> None:
        waiting(f"Kafka at {kafka} does not answer")
        time.sleep(seconds)

    said = False
    while True:
        admin = connect(kafka, found.kafka_security, away)
        try:
            if CONTACT_EVENTS in admin.list_topics():
                check_partitions(admin, CONTACT_EVENTS)
                waiting("")
                return
        except KafkaError:
            continue
        finally:
            admin.close()
        why = f"Kafka at {kafka} has no topic {CONTACT_EVENTS}; `contactmeter setup` creates it"
        if not said:
            log.warning("%s; waiting", why)
            said = True
        waiting(why)
        time.sleep(1.0)


def _start_of(offsets: health.Offsets, partitions: frozenset[int]) -> dict[int, int]:
    """The offsets from which our partitions are read; waits while Kafka does not answer. Ends the process when partitions were added."""
    if max(partitions, default=0) >= PARTITIONS:
        _die(f"it was given partition {max(partitions)} of {CONTACT_EVENTS}, which must have {PARTITIONS} partitions and never more")
    while True:
        try:
            committed, (first, _) = offsets.committed(), offsets.limits()
        except KafkaError as error:
            log.info("committed offsets can't be read yet: %s", error)
            offsets.close()
            time.sleep(0.2)
            continue
        return {number: max(committed.get(number, 0), first.get(number, 0)) for number in partitions}


def _die(why: str) -> None:
    """End the process at once, as after a fault that can't be handled; a supervisor starts it again."""
    log.critical("the worker stops: %s; it is started again", why)
    logging.shutdown()
    os._exit(1)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _wait(error: Unavailable) -> None:
    log.warning("%s; waiting", error)
    time.sleep(error.retry_after)
