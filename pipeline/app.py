"""Faust, and the only module that imports it: declares topics and the agent, hands records to the worker's loop.

The settings are those of docs/DESIGN.md, "Faust": raw values, no tables, no changelogs, no web server, `noack_take` and acknowledgement
after the write. An unexpected exception ends the process: an agent restarted by Faust would go on at the next record.
"""

import asyncio
import base64
import gc
import json
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import faust
from faust.tables import TableManager

from pipeline.decode import Record, Reject
from pipeline.kafka_security import KafkaSecurity
from pipeline.looking import Message
from pipeline.organisations import Organisations
from pipeline.settings import Settings
from pipeline.upkeep import Upkeep
from pipeline.worker import Taken, Worker
from schemas.partitions import PARTITIONS, partition_of
from schemas.topics import CONTACT_EVENTS, REJECTED_EVENTS, SIGNALS

log = logging.getLogger(__name__)

TAKE_RECORDS = 1_000
TAKE_WITHIN_S = 0.05
"""How long a record waits for company: part of the delay from sent to visible."""
TICK_S = 1.0
CONFIGURATION_S = 2.0


class NoTables(TableManager):
    """We have no tables; Faust would wait a second for some to be declared, a third of a restart."""

    async def on_start(self) -> None:
        """As Faust 0.15.3 does, without the wait."""
        await self._update_channels()
        await self.recovery.start()


SendRejects = Callable[[Sequence[Reject]], Awaitable[None]]
SendSignals = Callable[[Sequence[Message]], Awaitable[None]]


def make_app(settings: Settings) -> Any:
    """The Faust application, nothing declared yet. Any: Faust's own types do not cover what it offers (noack_take, its signals)."""
    static: dict[str, Any] = {"consumer_group_instance_id": settings.instance} if settings.instance else {}
    return faust.App(
        settings.group,
        broker=[f"kafka://{address}" for address in settings.kafka.split(",")],
        broker_credentials=_credentials(settings.kafka_security),
        store="memory://",
        TableManager=NoTables,
        datadir=str(Path(tempfile.gettempdir()) / "contactmeter-faust"),  # Faust makes it even when it keeps nothing there
        value_serializer="raw",
        key_serializer="raw",
        topic_partitions=PARTITIONS,
        topic_replication_factor=settings.replication,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        stream_wait_empty=False,
        stream_buffer_maxsize=512,
        stream_processing_timeout=3_600.0,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=16_000_000,
        consumer_metadata_max_age_ms=30_000,  # within which partitions that were added are noticed
        producer_acks=-1,
        producer_max_request_size=2_000_000,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_commit_interval=1.0,
        broker_max_poll_interval=30 * 86_400.0,  # it may wait long, for ClickHouse or braked; health.Watchdog finds a stuck one
        **static,
    )


def _credentials(security: KafkaSecurity) -> Any:
    """Faust's form of the settings; None for a broker that asks nothing."""
    if security.mechanism:
        return faust.SASLCredentials(
            username=security.user, password=security.password, ssl_context=security.context, mechanism=security.mechanism
        )
    return faust.SSLCredentials(security.context) if security.tls else None


def declare(app: Any, make_worker: Callable[[SendRejects, SendSignals], tuple[Worker, Organisations, Upkeep]]) -> None:
    """Declare topics, agent, timers and rebalance hooks.

    `make_worker` is called in the event loop with the functions that send rejects and signals.
    """
    events = app.topic(
        CONTACT_EVENTS, value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw", partitions=PARTITIONS
    )
    rejected = app.topic(
        REJECTED_EVENTS, value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw", partitions=PARTITIONS
    )

    signals = app.topic(SIGNALS, value_type=bytes, key_type=bytes, value_serializer="raw", key_serializer="raw", partitions=PARTITIONS)

    async def send_rejects(rejects: Sequence[Reject]) -> None:
        await _delivered(
            [
                await rejected.send(key=_claimed(reject).encode(), value=reject_value(reject), partition=partition_of(_claimed(reject)))
                for reject in rejects
            ]
        )

    async def send_signals(messages: Sequence[Message]) -> None:
        await _delivered([await signals.send(key=one.key, value=one.value, partition=partition_of(one.organisation)) for one in messages])

    parts: list[tuple[Worker, Organisations, Upkeep]] = []

    def worker() -> tuple[Worker, Organisations, Upkeep]:
        if not parts:
            parts.append(make_worker(send_rejects, send_signals))
        return parts[0]

    @app.agent(events, concurrency=1)  # type: ignore[untyped-decorator]
    async def measure(stream: Any) -> None:
        async for taken in stream.noack_take(TAKE_RECORDS, within=TAKE_WITHIN_S):
            await _or_die(worker()[0].take([_taken(event) for event in taken]))

    @app.on_partitions_assigned.connect  # type: ignore[untyped-decorator]
    async def assigned(_app: Any, assigned: Any, **_: Any) -> None:
        worker()[0].assigned(frozenset(tp.partition for tp in assigned if tp.topic == CONTACT_EVENTS))

    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def revoked(_app: Any, *_: Any, **__: Any) -> None:
        worker()[0].revoked()

    @app.task  # type: ignore[untyped-decorator]
    async def tick() -> None:
        gc.set_threshold(1_000_000, 10, 100)  # almost nothing here is cyclic; looking for it cost a fifth of the time
        while not app.should_stop:
            loop = worker()[0]
            loop.reassigned.clear()
            await _or_die(loop.tick())
            with suppress(TimeoutError):
                await asyncio.wait_for(loop.reassigned.wait(), TICK_S)

    @app.task  # type: ignore[untyped-decorator]
    async def configuration() -> None:
        while not app.should_stop:
            await asyncio.sleep(CONFIGURATION_S)
            loop, organisations, _ = worker()
            if await _or_die(asyncio.to_thread(organisations.changed)):
                await _or_die(loop.reconfigure(organisations.refresh))

    @app.task  # type: ignore[untyped-decorator]
    async def upkeep() -> None:
        while not app.should_stop:
            await asyncio.sleep(TICK_S)
            await _or_die(worker()[2].step())

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
    async def finish(_app: Any, **_: Any) -> None:
        await worker()[0].close()


async def _delivered(pending: Sequence[Awaitable[Any]]) -> None:
    for delivery in pending:
        await delivery


async def _or_die(step: Awaitable[Any]) -> Any:
    """Await a step; on any error end the process at once: nothing is acknowledged past the fault, the supervisor starts anew."""
    try:
        return await step
    except asyncio.CancelledError:
        raise
    except BaseException:
        log.critical("the worker stops: an error it can't handle; it is started again and goes on where it was", exc_info=True)
        logging.shutdown()
        os._exit(1)


def _taken(event: Any) -> Taken:
    message = event.message
    record = Record(
        message.topic,
        message.partition,
        message.offset,
        round(message.timestamp * 1000),
        message.key,
        message.value,
        _headers(message.headers),
    )
    return Taken(record, event.ack)


def _headers(headers: Any) -> list[tuple[str, bytes]]:
    """Faust gives a list of pairs, or a dictionary where one was set in between."""
    return list(headers.items()) if isinstance(headers, dict) else list(headers or ())


def _claimed(reject: Reject) -> str:
    """The organisation that a refused record claims, cut: whoever sent it may have sent megabytes."""
    return (reject.record.key or b"").decode(errors="replace")[:64]


def reject_value(reject: Reject) -> bytes:
    """The JSON text of a refusal for rejected-events. `original` is text; bytes that are none travel as base64."""
    record = reject.record
    content: dict[str, Any] = {
        "organisation": _claimed(reject),
        "source": reject.source,
        "connector": reject.connector,
        "reason": reject.reason,
        "path": reject.path,
        "message": reject.message,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "position": reject.position,
        "appended_at_ms": record.appended_ms,
        "size": reject.size,
        "sha256": reject.sha256,
    }
    try:
        content["original"] = reject.original.decode()
    except UnicodeDecodeError:
        content["original_base64"] = base64.b64encode(reject.original).decode()
    return json.dumps(content, ensure_ascii=False).encode()


def run(app: Any) -> int:
    """Run the application in the foreground until SIGTERM or SIGINT; the exit code."""
    worker = faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, override_logging=False, quiet=True, debug=False)
    worker.spinner = None  # it draws on the terminal, also when that is a log file
    worker.execute_from_commandline()
    return 0
