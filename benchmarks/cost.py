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
from benchmarks.rig import MEASURED, BenchmarkFailed, Rig
from pipeline.rolling import Sums
from pipeline.rows import figure_row

START_TARGET_S, START_TARGET_CONTACTS = 3.0, 1_000_000
EACH = municipality.CONTACTS_A_DAY * municipality.WORKING_DAYS
_COPIED_AT_ONCE = 20
"""Organisations: what one statement writes must fit in the server's memory."""
_COPY = """
INSERT INTO contacts SELECT * REPLACE (
    copy.1 AS organisation, concat(contact, '-', toString(copy.2)) AS contact,
    opened_at - toIntervalDay(28 * copy.2) AS opened_at, answered_at - toIntervalDay(28 * copy.2) AS answered_at,
    arrayMap(at -> at - toIntervalDay(28 * copy.2), `outcomes.judged_at`) AS `outcomes.judged_at`
)
FROM (SELECT * FROM contacts WHERE organisation = {one:String}) ARRAY JOIN {copies:Array(Tuple(String, UInt16))} AS copy
"""
"""Contacts of one organisation copied to others, so many periods of 28 days earlier: what the sums are made of moves, no more."""


@dataclass(frozen=True)
class Case:
    """What is stored: so many organisations with 10,000 contacts in each of so many periods of 28 days, the last one just over."""

    organisations: int
    periods: int

    @property
    def contacts(self) -> int:
        return self.organisations * self.periods * EACH


@dataclass(frozen=True)
class Start:
    """A worker's start on it: seconds from its assignment to its state, its memory then, and of ClickHouse's disk."""

    case: Case
    first_s: float
    seconds: float
    worker_bytes: float
    disk_bytes: float

    def result(self) -> Result:
        """With the target where it is meant for so many contacts."""
        case = self.case
        return Result(
            f"start with {case.contacts:,} stored contacts, one in {case.periods} of the last four weeks",
            (self.seconds,),
            "s",
            target=START_TARGET_S if case.contacts == START_TARGET_CONTACTS else None,
            better="lower",
            note=f"{case.organisations:,} organisations; from the assignment to the state; the worker then holds "
            f"{self.worker_bytes / 1e6:,.0f} MB; the very first start, which also stores each organisation's configuration, took "
            f"{self.first_s:,.0f} s from the process to ready",
        )


@dataclass(frozen=True)
class Costs:
    """All that was measured; `organisations` by their number. Bytes and seconds."""

    contact: float
    known: dict[str, float]
    organisations: dict[int, dict[str, float]]
    starts: list[Start]
    figures: "Figures"
    event_bytes: float

    @property
    def stored_bytes(self) -> float:
        """Of a stored contact on ClickHouse's disk."""
        return self.starts[0].disk_bytes / self.starts[0].case.contacts

    @property
    def start_s(self) -> tuple[float, float, float]:
        """Of a start: seconds it takes anyway, and for each stored contact of the last four weeks and each older one.

        From the least that was stored, the most of the last four weeks, and the one with the most periods.
        """
        least = min(self.starts, key=lambda start: start.case.contacts)
        recent = max((start for start in self.starts if start.case.periods == 1), key=lambda start: start.case.contacts)
        mixed = max(self.starts, key=lambda start: start.case.periods)
        each = max(0.0, recent.seconds - least.seconds) / recent.case.contacts
        older = mixed.case.contacts * (1 - 1 / mixed.case.periods)
        return least.seconds, each, max(0.0, mixed.seconds - least.seconds - each * (mixed.case.contacts - older)) / older

    def results(self) -> list[Result]:
        """For the table of all benchmarks."""
        found = [
            Result("memory of an open contact in the cache", (self.contact,), "bytes", better="lower"),
            Result("memory of a contact known to be stored", (self.known["stored"],), "bytes", better="lower", note=self._known_note()),
        ]
        for number, one in self.organisations.items():
            held = f"four weeks of {number:,} organisation{'s' if number > 1 else ''}"
            entries = f"{one['entries']:,.0f} series-minutes and {one['bytes'] / 1e3:,.0f} kB each"
            loaded = f"{entries}; loaded from columns in {one['load_s']:.2f} s"
            figures = f"then {one['figures']:.0f} figures each, computed in {one['figures_s']:.3f} s"
            advance = f"longest {one['longest_advance_s']:.3f} s; {figures}"
            found += [
                Result(f"{held}, memory", (number * one["bytes"] / 1e6,), "MB", better="lower", note=loaded),
                Result(f"{held}, advance by a minute", (one["advance_s"] * 1e3,), "ms", better="lower", note=advance),
            ]
        return found + [start.result() for start in self.starts]

    def _known_note(self) -> str:
        return f"{self.known['since']:.0f} bytes when stored since the start"


@dataclass(frozen=True)
class Figures:
    """Rows of `rolling` that an organisation causes on a working day; bytes of one on disk; seconds of the worker to make and send it."""

    a_day: float
    stored_bytes: float
    seconds: float


def run(rig: Rig, contacts: int, organisations: Sequence[int], stored: Sequence[Case]) -> Costs:
    """Measure: the cache with `contacts`, the sums of so many `organisations`, and a start on each case of `stored`."""
    sample = list(values(history(1_000, time.time_ns() // 1_000_000, "near"), 200))
    return Costs(
        contact=_footprint(footprint.contacts, contacts)["bytes"],
        known=_footprint(footprint.known, 10 * contacts),
        organisations={number: _footprint(footprint.organisations, number) for number in organisations},
        starts=[_start(rig, case) for case in stored],
        figures=_figures(rig),
        event_bytes=sum(map(len, sample)) / (1_000 * len(KINDS)),
    )


def _footprint(kind: footprint.Kind, count: int) -> dict[str, float]:
    """What `footprint` finds in a process of its own."""
    command = [sys.executable, "-m", footprint.__name__, kind.__name__, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1_800, check=False)
    if done.returncode:
        raise BenchmarkFailed(f"{' '.join(command[1:])} ended with code {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _figures(rig: Rig) -> Figures:
    """From the rows between 11:00 and midnight, moved to the present day: old ones would be deleted at once."""
    rig.empty()
    sums, later = Sums(municipality.NOW), municipality.after_now()
    for key, columns in municipality.until_now():
        sums.fill(key, *columns)
    sums.touched()
    moved = (time.time_ns() // 60_000_000_000 - municipality.NOW) // municipality.DAY * municipality.DAY
    midnight = municipality.NOW - municipality.NOW % municipality.DAY + municipality.DAY
    rows, spent = [], 0.0
    for minute in range(municipality.NOW + 1, midnight):
        sums.advance(minute)
        sums.apply(later.get(minute, ()))
        begin = time.process_time()
        rows += [figure_row(MEASURED, found._replace(as_of=minute + moved), 1, None, "") for found in sums.touched()]
        spent += time.process_time() - begin
    begin = time.process_time()
    rig.write({"rolling": rows})
    spent += time.process_time() - begin
    share = (municipality.CLOSES - municipality.NOW % municipality.DAY) / (municipality.CLOSES - municipality.OPENS)
    return Figures(len(rows) / share, rig.disk_bytes("rolling") / len(rows), spent / len(rows))


def _start(rig: Rig, case: Case) -> Start:
    """Store it and time a worker's start on it: the second one, for the first registers every organisation."""
    rig.empty()
    names = [MEASURED, *(f"cost-{number}" for number in range(1, case.organisations))]
    for name in names[1:]:
        rig.configure(name, configuration(name))
    with rig.worker() as worker:
        begin = time.monotonic()
        worker.until(worker.ready, "the organisations to be registered", timeout=1_800)
        first_s = time.monotonic() - begin
        _, end = rig.produce(values(history(EACH, time.time_ns() // 1_000_000, "near"), 200))
        worker.until(lambda: worker.events() >= len(KINDS) * EACH and worker.written(), "one organisation's contacts to be stored")
        worker.until(lambda: rig.committed() >= end, "their records to be committed")
    copies = [(name, period) for name in names[1:] for period in range(case.periods)]
    statements = [copies[first : first + _COPIED_AT_ONCE] for first in range(0, len(copies), _COPIED_AT_ONCE)]
    if case.periods > 1:
        statements.append([(MEASURED, period) for period in range(1, case.periods)])  # last, for it is what the others are copied from
    client = rig.client()
    for some in statements:
        client.command(_COPY, parameters={"one": MEASURED, "copies": some})
    stored = client.query("SELECT uniqExact(organisation, contact) FROM contacts").result_rows[0][0]
    client.close()
    if stored != case.contacts:
        raise BenchmarkFailed(f"{stored:,} contacts are stored; it should be {case.contacts:,}")
    disk_bytes = rig.disk_bytes("contacts")
    with rig.worker() as worker:
        worker.until(worker.ready, "the state", timeout=1_800)
        seconds = worker.logged("state of ") - worker.logged("assigned ")
        return Start(case, first_s, seconds, resident_bytes(worker.pid), disk_bytes)
