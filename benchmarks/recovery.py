"""Memory of open contacts, and how soon a killed worker writes again."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from benchmarks.events import history, values
from benchmarks.latency import Seen, Stream
from benchmarks.machine import resident_bytes
from benchmarks.results import Result
from benchmarks.rig import Rig, Running
from deploy.local import network, process

RESTART_AIM_S = 3.0
OPEN_KINDS = 3
"""opened, queued and answered; not closed."""
SETTLING = 20_000
"""Contacts that come first and do not count: buffers and pools grow once."""


def run(rig: Rig, contacts: int, kills: int) -> list[Result]:
    """Memory first; the contacts it stores are the state that the restarts load."""
    rig.empty()
    return [_memory(rig, contacts), *_restarts(rig, contacts, kills)]


def _memory(rig: Rig, contacts: int) -> Result:
    now_ms = time.time_ns() // 1_000_000
    with rig.worker(contacts_in_memory=str(10 * (SETTLING + contacts))) as worker:
        worker.until(worker.ready, "the worker to be ready")
        rig.produce(values(history(SETTLING, now_ms, "near", OPEN_KINDS), 200))
        worker.until(lambda: worker.events() >= OPEN_KINDS * SETTLING and worker.written(), "the first contacts")
        before = resident_bytes(worker.pid)
        _, end = rig.produce(values(history(contacts, now_ms, "near", OPEN_KINDS, first=SETTLING), 200))
        worker.until(lambda: worker.events() >= OPEN_KINDS * (SETTLING + contacts) and worker.written(), "the other contacts")
        grown = resident_bytes(worker.pid) - before
        held = worker.metrics()["contactmeter_contacts_in_memory"]
        worker.until(lambda: rig.committed() >= end, "all records to be committed", timeout=30)
    note = f"{held:,.0f} contacts of {OPEN_KINDS} events held; {(before + grown) / 1e6:,.0f} MB in all"
    return Result("memory of 100,000 open contacts", (grown / contacts * 100_000 / 1e6,), "MB", better="lower", note=note)


def _restarts(rig: Rig, contacts: int, kills: int) -> list[Result]:
    """Kill the worker under a steady stream, start it anew at once, and watch for the first newer figure."""
    whole: list[float] = []
    parts: dict[str, list[float]] = {}
    client = rig.client()
    seen = Seen(client)
    with ExitStack() as cleanup:
        worker = rig.start_worker()
        cleanup.callback(lambda: process.end(worker.process, timeout=20))
        worker.until(worker.ready, "the worker to be ready")
        with Stream(rig, "restart"):
            for _ in range(kills):
                before = seen()
                worker.until(lambda before=before: seen() > before + 200, "events to flow")  # type: ignore[misc]
                process.kill(worker.process)
                killed, known = time.time(), seen()
                worker = rig.start_worker()
                started = worker
                answers: list[float] = []

                def newer(started: Running = started, answers: list[float] = answers, known: int = known) -> bool:
                    if not answers and network.http_ok(f"http://{network.LOOPBACK}:{started.port}/live"):
                        answers.append(time.time())
                    return seen() > known

                worker.until(newer, "the first figure after the kill", every=0.01)
                whole.append(time.time() - killed)
                for name, seconds in _breakdown(worker, killed, answers[0], time.time()):
                    parts.setdefault(name, []).append(seconds)
    client.close()
    shares = ", ".join(f"{name} {median(found):.2f} s" for name, found in parts.items())
    note = f"with {contacts:,} contacts stored; median parts: {shares}"
    return [Result("restart after kill -9, to the first new figure", tuple(whole), "s", target=RESTART_AIM_S, better="lower", note=note)]


def _breakdown(worker: Running, killed: float, answered: float, done: float) -> Iterator[tuple[str, float]]:
    """What the time went to, from the worker's own log."""
    assigned, loaded = worker.logged("assigned "), worker.logged("state of ")
    yield "interpreter and imports", answered - killed
    yield "configuration and joining the group", assigned - answered
    yield "state", loaded - assigned
    yield "first batch", done - loaded
