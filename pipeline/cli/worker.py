"""`contactmeter setup` and `contactmeter worker`: the parts put together."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

import typer
from kafka.errors import KafkaError

from pipeline import faults, health
from pipeline.app import declare, make_app, run
from pipeline.cli import endpoints
from pipeline.decode import Reject
from pipeline.organisations import Organisations
from pipeline.settings import Settings
from pipeline.store import migrate
from pipeline.store.client import Unavailable, persistently
from pipeline.store.facade import ClickHouseStore
from pipeline.topics import connect, ensure_topics
from pipeline.worker import Worker
from schemas.errors import ContactmeterError
from schemas.topics import CONTACT_EVENTS

log = logging.getLogger("contactmeter")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    app.command()(setup)
    app.command()(worker)


def setup() -> None:
    """Create the topics and bring ClickHouse's tables and views up to date. Safe to run again; `up` does it by itself."""
    _log_lines()
    try:
        found = endpoints.settings()
        for name in ensure_topics(found.kafka, found.replication):
            typer.echo(f"created topic {name}")
        for name in persistently(lambda: migrate.migrate(endpoints.connection(found)), _wait):
            typer.echo(f"applied migration {name}")
    except ContactmeterError as error:
        typer.echo(f"contactmeter setup: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo("topics and tables are in place")


def worker() -> None:
    """Run one worker: it reads contact-events and keeps the figures. `up` starts one; in production run several in one group."""
    _log_lines()
    try:
        raise typer.Exit(_run(endpoints.settings()))
    except ContactmeterError as error:
        typer.echo(f"contactmeter worker: {error}", err=True)
        raise typer.Exit(2) from None


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
    _await_topic(found.kafka, waiting)
    offsets = health.Offsets(found.kafka, found.group, CONTACT_EVENTS)
    health.Watchdog(state, offsets, found.stall_after_s, _die).run()  # its first look connects the clients that the state needs, too

    def make_worker(send_rejects: Callable[[Sequence[Reject]], Awaitable[None]]) -> tuple[Worker, Organisations]:
        parts = Worker(
            store,
            organisations.in_force,
            lambda partitions: _start_of(offsets, partitions),
            send_rejects,
            state,
            _now_ms,
            found.batch_bytes,
            found.contacts_in_memory,
        )
        return parts, organisations

    asyncio.set_event_loop(asyncio.new_event_loop())
    app = make_app(found)
    declare(app, make_worker)
    return run(app)


def _await_topic(kafka: str, waiting: Callable[[str], None]) -> None:
    """Wait until contact-events is there, and say so: without a broker Faust would end at once."""

    def away(seconds: float) -> None:
        waiting(f"Kafka at {kafka} does not answer")
        time.sleep(seconds)

    said = False
    while True:
        admin = connect(kafka, away)
        try:
            if CONTACT_EVENTS in admin.list_topics():
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
    """The offsets from which our partitions are read; waits while Kafka does not answer."""
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


def _log_lines() -> None:
    """One line a message on stderr. Faust's and Kafka's own chatter only from warnings on."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("faust", "aiokafka", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("kafka", "urllib3", "clickhouse_connect"):  # what they fail at is said by us, once
        logging.getLogger(name).setLevel(logging.CRITICAL)
