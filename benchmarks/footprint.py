"""What the worker's state takes, each kind in a process of its own: `python -m benchmarks.footprint KIND COUNT` prints JSON."""

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from benchmarks import municipality
from benchmarks.core import NAME, fresh, records
from benchmarks.machine import WORKER_CORES, on, resident_bytes
from pipeline.decode import decode
from pipeline.known import Known
from pipeline.rolling import Sums

OPEN_KINDS = 3
"""opened, queued and answered; not closed."""
WARM_UP = 5_000
MINUTES = 60


def contacts(count: int) -> dict[str, float]:
    """Bytes of an open contact of three events in the cache."""
    now_ms = time.time_ns() // 1_000_000
    state, configured = fresh(now_ms)

    def fold(first: int, several: int) -> None:
        for record in records(several, now_ms, "near", OPEN_KINDS, first):
            state.apply([decode(record, configured)])

    fold(0, WARM_UP)
    return {"bytes": _grown(lambda: fold(WARM_UP, count)) / count}


def known(count: int) -> dict[str, float]:
    """Bytes of a contact that is known to be stored: found at the start, and stored since."""
    keys = [(NAME, "telefonie", f"call-{number:010d}") for number in range(count)]
    hashes = np.random.default_rng(1).integers(0, 2**63, count, dtype=np.uint64)
    held = Known.none()

    def load() -> None:
        nonlocal held
        held = Known(hashes)

    stored = _grown(load)
    return {"stored": stored / count, "since": _grown(lambda: held.add(keys)) / count}


def organisations(count: int) -> dict[str, float]:
    """Four weeks of `count` municipalities: bytes and entries each.

    And processor seconds to load all of them, to advance all by a minute, and to compute the figures that changed by it.
    """
    columns, later = municipality.until_now(), municipality.after_now()
    held: list[Sums] = []

    def load() -> None:
        for _ in range(count):
            sums = Sums(municipality.NOW)
            for key, contributions in columns:
                sums.fill(key, *contributions)
            sums.touched()
            held.append(sums)

    begin = time.process_time()
    grown = _grown(load)
    loaded = time.process_time() - begin
    advancing, computing, figures = [], [], 0
    for minute in range(municipality.NOW + 1, municipality.NOW + 1 + MINUTES):
        begin = time.process_time()
        for sums in held:
            sums.advance(minute)
        advancing.append(time.process_time() - begin)
        for sums in held:
            sums.apply(later.get(minute, ()))
        begin = time.process_time()
        figures += sum(len(sums.touched()) for sums in held)
        computing.append(time.process_time() - begin)
    return {
        "bytes": grown / count, "entries": len(held[0].minutes()), "load_s": loaded, "advance_s": median(advancing),
        "longest_advance_s": max(advancing), "figures_s": median(computing), "figures": figures / count / MINUTES,
    }  # fmt: skip


def _grown(act: Callable[[], None]) -> float:
    """By how many bytes this process has grown."""
    gc.collect()
    before = resident_bytes(os.getpid())
    act()
    gc.collect()
    return resident_bytes(os.getpid()) - before


Kind = Callable[[int], dict[str, float]]
KINDS: dict[str, Kind] = {found.__name__: found for found in (contacts, known, organisations)}

if __name__ == "__main__":
    with on(WORKER_CORES):
        print(json.dumps(KINDS[sys.argv[1]](int(sys.argv[2]))))
