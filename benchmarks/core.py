"""The pure core alone: processor time an event of decoding and of folding in, without Kafka, Faust and ClickHouse."""

import gc
import time

from benchmarks.events import KINDS, Order, history, organisation, values
from benchmarks.machine import WORKER_CORES, on
from benchmarks.results import Result
from pipeline.assignment import Assignment
from pipeline.configured import Configured
from pipeline.decode import Record, decode
from pipeline.known import Known
from pipeline.rolling import Sums, minute_of
from pipeline.settings import Settings
from schemas import batch
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS

NAME = "benchmark"
RECORD_EVENTS = 200


def run(contacts: int, repeats: int) -> list[Result]:
    """Decode, and all the rest, for both orders; in µs an event."""
    with on(WORKER_CORES):
        return [result for order in ("near", "far") for result in _measure(order, contacts, repeats)]


def fresh(now_ms: int) -> tuple[Assignment, dict[str, Configured]]:
    """The state of a worker that nothing is stored for, and the configuration."""
    configured = {NAME: Configured.of(organisation(NAME))}
    return Assignment(1, {}, configured, {NAME: Sums(minute_of(now_ms))}, Known.none(), Known.none()), configured


def records(contacts: int, now_ms: int, order: Order, kinds: int = len(KINDS), first: int = 0) -> list[Record]:
    """The records of `history` as the worker would take them."""
    name, headers = NAME.encode(), batch.headers(NAME)
    return [
        Record(CONTACT_EVENTS, partition_of(NAME), offset, now_ms, name, value, headers)
        for offset, value in enumerate(values(history(contacts, now_ms, order, kinds, first), RECORD_EVENTS))
    ]


def _measure(order: Order, contacts: int, repeats: int) -> list[Result]:
    now_ms = time.time_ns() // 1_000_000
    taken = records(contacts, now_ms, order)
    decoding, folding, rows = [], [], 0
    for _ in range(repeats):
        spent, whole, rows = fold(taken, now_ms)
        decoding.append(spent / (4 * contacts) * 1e6)
        folding.append((whole - spent) / (4 * contacts) * 1e6)
    note = f"{4 * contacts:,} events, {rows:,} rows of contacts"
    words = {"near": "near", "far": "worst order"}[order]
    return [
        Result(f"core, decode, {words}", tuple(decoding), "µs/event", better="lower", note=note),
        Result(f"core, fold in and rows, {words}", tuple(folding), "µs/event", better="lower", note=note),
    ]


def fold(taken: list[Record], now_ms: int) -> tuple[float, float, int]:
    """(processor seconds of decoding, of everything, rows of contacts): the worker's loop over records, as the worker cuts them."""
    state, configured = fresh(now_ms)
    settings, size = Settings(), max(1, Settings().batch_bytes // len(taken[0].value or b" "))
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 10, 100)  # as pipeline.app sets it
    try:
        decoding, rows, begin = 0.0, 0, time.process_time()
        for start in range(0, len(taken), size):
            before = time.process_time()
            decoded = [decode(record, configured) for record in taken[start : start + size]]
            decoding += time.process_time() - before
            state.missing(decoded)
            rows += len(state.apply(decoded).tables.get("contacts", ()))
            state.figures()
            state.trim(settings.contacts_in_memory)
        return decoding, time.process_time() - begin, rows
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
