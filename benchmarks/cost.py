"""What things cost: memory of contacts and organisations, time of a minute's advance, and the start of a worker on what is stored."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import footprint, municipality
from benchmarks.events import KINDS, configuration, history, values
from benchmarks.machine import resident_bytes
from benchmarks.results import Result
from benchmarks.rig import MEASURED, BenchmarkFailed, Rig, Running
from pipeline.assignment import GENERATIONS
from pipeline.rolling import Sums
from pipeline.rows import figure_row
from pipeline.store.writer import Writer

START_TARGET_S, START_TARGET_CONTACTS = 3.0, 1_000_000
_COPIED_AT_ONCE = 20
"""Organisations: what one statement writes must fit in the server's memory."""


@dataclass(frozen=True)
class Start:
    """A worker's start on what is stored: seconds from its assignment to its state, its memory then, and of ClickHouse's disk."""

    organisations: int
    contacts: int
    first_s: float
    seconds: float
    worker_bytes: float
    disk_bytes: float

    def result(self) -> Result:
        """With the target where it is meant for so many contacts."""
        return Result(
            f"start with {self.contacts:,} stored contacts of {self.organisations:,} organisations",
            (self.seconds,),
            "s",
            target=START_TARGET_S if self.contacts == START_TARGET_CONTACTS else None,
            better="lower",
            note=f"from the assignment to the state; the worker then holds {self.worker_bytes / 1e6:,.0f} MB; the very first start, which also "
            f"stores each organisation's configuration, took {self.first_s:,.0f} s from the process to ready",
        )


@dataclass(frozen=True)
class Costs:
    """All that was measured; `organisations` by their number. Bytes and seconds."""

    contact: float
    known: dict[str, float]
    organisations: dict[int, dict[str, float]]
    starts: list[Start]
    event_bytes: float
    figure_bytes: float
    figures_a_day: float

    @property
    def stored_bytes(self) -> float:
        """Of a stored contact on ClickHouse's disk."""
        return self.starts[-1].disk_bytes / self.starts[-1].contacts

    def results(self) -> list[Result]:
        """For the table of all benchmarks."""
        found = [
            Result("memory of an open contact in the cache", (self.contact,), "bytes", better="lower"),
            Result("memory of a contact known to be stored", (self.known["stored"],), "bytes", better="lower", note=self._known_note()),
        ]
        for number, one in self.organisations.items():
            note = (
                f"{one['entries']:,.0f} series-minutes and {one['bytes'] / 1e3:,.0f} kB each; loaded from columns in {one['load_s']:.2f} s; "
                f"longest advance {one['longest_advance_s']:.3f} s; {one['figures']:.0f} figures each a minute, computed in {one['figures_s']:.3f} s"
            )
            words = f"four weeks of {number:,} organisation{'s' if number > 1 else ''}"
            found.append(Result(f"{words}, memory", (number * one["bytes"] / 1e6,), "MB", better="lower", note=note))
            found.append(Result(f"{words}, advance by a minute", (one["advance_s"],), "s", better="lower"))
        return found + [start.result() for start in self.starts]

    def _known_note(self) -> str:
        return f"{self.known['since']:.0f} bytes when stored since the start"


def run(rig: Rig, contacts: int, organisations: Sequence[int], stored: Sequence[int]) -> Costs:
    """Measure: the cache with `contacts`, the sums of so many `organisations`, and a start with as many `stored`."""
    figures_a_day, figure_bytes = _figures_of_a_day(rig)
    sample = list(values(history(1_000, time.time_ns() // 1_000_000, "near"), 200))
    return Costs(
        contact=_footprint(footprint.contacts, contacts)["bytes"],
        known=_footprint(footprint.known, 10 * contacts),
        organisations={number: _footprint(footprint.organisations, number) for number in organisations},
        starts=[_start(rig, number) for number in stored],
        event_bytes=sum(map(len, sample)) / (1_000 * len(KINDS)),
        figure_bytes=figure_bytes,
        figures_a_day=figures_a_day,
    )


def _footprint(kind: footprint.Kind, count: int) -> dict[str, float]:
    """What `footprint` finds in a process of its own."""
    command = [sys.executable, "-m", footprint.__name__, kind.__name__, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1_800, check=False)
    if done.returncode:
        raise BenchmarkFailed(f"{' '.join(command[1:])} ended with code {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _figures_of_a_day(rig: Rig) -> tuple[float, float]:
    """How many rows of `rolling` one organisation causes between 11:00 and midnight, made into a working day; bytes of each on disk."""
    rig.empty()
    sums, later = Sums(municipality.NOW), municipality.after_now()
    for key, columns in municipality.until_now():
        sums.fill(key, *columns)
    sums.touched()
    rows = []
    for minute in range(municipality.NOW + 1, municipality.NOW - municipality.NOW % municipality.DAY + municipality.DAY):
        sums.advance(minute)
        sums.apply(later.get(minute, ()))
        rows += [figure_row(MEASURED, found, minute * GENERATIONS, None, "") for found in sums.touched()]
    rig.write({"rolling": rows})
    share = (municipality.CLOSES - municipality.NOW % municipality.DAY) / (municipality.CLOSES - municipality.OPENS)
    return len(rows) / share, rig.disk_bytes("rolling") / len(rows)


def _start(rig: Rig, organisations: int) -> Start:
    """Store four weeks of so many organisations and time a worker's start on them; its second, for the first registers every organisation."""
    rig.empty()
    each = municipality.CONTACTS_A_DAY * municipality.WORKING_DAYS
    names = [MEASURED, *(f"cost-{number}" for number in range(1, organisations))]
    for name in names[1:]:
        rig.configure(name, configuration(name))
    now_ms = time.time_ns() // 1_000_000
    with rig.worker() as worker:
        begin = time.monotonic()
        worker.until(worker.ready, "the organisations to be registered", timeout=1_800)
        first_s = time.monotonic() - begin
        _, end = rig.produce(values(history(each, now_ms, "near"), 200))
        worker.until(lambda: worker.events() >= len(KINDS) * each and worker.written(), "one organisation's contacts to be stored")
        worker.until(lambda: rig.committed() >= end, "their records to be committed")
    client = rig.client()
    for first in range(1, organisations, _COPIED_AT_ONCE):
        client.command(
            "INSERT INTO contacts SELECT * REPLACE (copy AS organisation) FROM (SELECT * FROM contacts WHERE organisation = {one:String}) "
            "ARRAY JOIN {names:Array(String)} AS copy",
            parameters={"one": MEASURED, "names": names[first : first + _COPIED_AT_ONCE]},
        )
    client.close()
    with rig.worker() as worker:
        worker.until(worker.ready, "the state", timeout=1_800)
        seconds, worker_bytes = _loading(worker), resident_bytes(worker.pid)
    return Start(organisations, organisations * each, first_s, seconds, worker_bytes, rig.disk_bytes("contacts"))


def _loading(worker: Running) -> float:
    return worker.logged("state of ") - worker.logged("assigned ")
