"""The section "Sizing" of docs/OPERATIONS.md, computed from what was measured. The rest of that file belongs to people."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.cost import Costs
from benchmarks.municipality import CLOSES, CONTACTS_A_DAY, EVENTS_A_CONTACT, OPENS, WORKING_DAYS
from benchmarks.results import shown
from pipeline.retention import Period, Retention
from pipeline.settings import Settings

ORGANISATIONS = (1, 10, 100, 1_000)
PROGRAM_MB = 200
"""A worker that holds nothing yet, with its buffers."""
EVENT_US = 50
"""Of the worker, in unkind order, Kafka and inserts included: more than any run of docs/BENCHMARKS.md took."""
BUSY = 3
"""So many times an average minute of the day."""
_WORKING = WORKING_DAYS / 28

_ABOUT = """\
## Sizing

Written by `python -m benchmarks --only cost --sizing docs/OPERATIONS.md`, up to the next heading of this rank; nothing here is typed in
by hand.

An organisation has {contacts} contacts a working day here, of {events} events each, on four channels, with 20 series of figures: volumes,
waits, abandonment, norms, four aspects of a survey. Yours differs: the first table says what a thing costs, the second what that comes to.

- *Worker memory*: {program} MB, the sums of four weeks (columns as narrow as their values: 5 to 17 bytes a minute that is not empty),
  8 bytes for every stored contact, and the cache, bounded by `CONTACTMETER_CONTACTS_IN_MEMORY` ({cached:,}): what it does not hold is
  looked up. Several workers of one group share all but program and cache.
- *Disk*: contacts kept {kept}, figures {figures}, the log {log}; one copy of each. A replica doubles it; leave a third free for merges.
- *Busiest minute*: share of one core that a worker is busy when contacts come {busy} times as fast as on average, at {event} µs an event,
  its advance to the minute and the writing of its figures included.
- *Start*: from the assignment until figures are written again. It is SQL over all stored contacts of the worker's organisations, so it is
  shared out among workers as far as ClickHouse has cores for it. Kafka keeps what arrives meanwhile.

What boards ask of ClickHouse is not in it.
"""


def write(path: Path, costs: Costs, machine: Mapping[str, str], when: str, quick: bool) -> None:
    """Put the section into a file, in place of the one that stands there or else at the end."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Operations\n"
    found = section(costs, machine, when, quick)
    replaced, count = re.subn(r"^## Sizing\n.*?(?=^## |\Z)", lambda _: found, text, count=1, flags=re.DOTALL | re.MULTILINE)
    path.write_text(f"{replaced if count else text.rstrip() + 2 * chr(10) + found}".rstrip() + "\n", encoding="utf-8")


def section(costs: Costs, machine: Mapping[str, str], when: str, quick: bool) -> str:
    """The section as Markdown, with its heading."""
    kept = Retention()
    about = _ABOUT.format(
        contacts=CONTACTS_A_DAY, events=EVENTS_A_CONTACT, program=PROGRAM_MB, cached=Settings().contacts_in_memory, kept=kept.contacts,
        figures=kept.figures, log=kept.events, busy=BUSY, event=EVENT_US,
    )  # fmt: skip
    sizes = "small sizes (`--quick`): a smoke test, no measurement" if quick else "full sizes"
    measured = f"Measured {when} ({sizes}) on {machine['processor']}, cores {machine['cores']}, Python {machine['Python']}."
    headings = ("organisations", "contacts a day", "worker memory", "disk of ClickHouse", "disk of Kafka", "busiest minute", "start")
    rows = (_row(costs, kept, number) for number in ORGANISATIONS)
    return "\n".join([about, measured, "", *_table(("what", "costs"), _units(costs)), "", *_table(headings, rows), "", ""])


def _units(costs: Costs) -> list[tuple[str, str]]:
    """What one of each thing costs."""
    number, one = max(costs.organisations.items())
    fixed, recent, older = costs.start_s
    advances = ", ".join(f"{shown(found['advance_s'] * 1e3)} ms for {several:,}" for several, found in costs.organisations.items())
    return [
        ("an open contact in the cache", f"{costs.contact / 1e3:.1f} kB"),
        ("a stored contact, in memory", f"{costs.known['stored']:.1f} bytes; {costs.known['since']:.0f} when stored since the start"),
        ("a stored contact, on disk", f"{costs.stored_bytes:.0f} bytes"),
        (
            f"four weeks of an organisation, in memory ({number:,} held)",
            f"{one['bytes'] / 1e3:.0f} kB: {one['entries']:,.0f} series-minutes",
        ),
        ("its figures", f"{costs.figures.a_day:,.0f} rows a working day of {costs.figures.stored_bytes:.1f} bytes on disk"),
        ("a figure, made and sent", f"{costs.figures.seconds * 1e6:.0f} µs"),
        ("advancing organisations by a minute", f"{advances} (processor time)"),
        ("an event in the log", f"{costs.event_bytes:.0f} bytes"),
        ("a start", f"{fixed:.2f} s, and a stored contact {recent * 1e6:.2f} µs of the last four weeks, {older * 1e6:.2f} µs older"),
        *((start.result().name, f"{start.seconds:.1f} s") for start in costs.starts),
    ]


def _row(costs: Costs, kept: Retention, organisations: int) -> tuple[str, ...]:
    """One size, from the units: means of the largest number of organisations measured."""
    number, one = max(costs.organisations.items())
    a_day = organisations * CONTACTS_A_DAY
    recent, stored = a_day * WORKING_DAYS, a_day * _WORKING * _days(kept.contacts)
    cached = min(Settings().contacts_in_memory, stored)
    memory = PROGRAM_MB * 1e6 + organisations * one["bytes"] + stored * costs.known["stored"] + cached * costs.contact
    figures = organisations * costs.figures.a_day * _WORKING * _days(kept.figures)
    events_a_second = BUSY * EVENTS_A_CONTACT * a_day / (60 * (CLOSES - OPENS))
    a_minute = organisations * (one["advance_s"] / number + one["figures"] * costs.figures.seconds)
    fixed, of_recent, of_older = costs.start_s
    return (
        f"{organisations:,}",
        f"{a_day:,}",
        _size(memory),
        _size(stored * costs.stored_bytes + figures * costs.figures.stored_bytes),
        _size(EVENTS_A_CONTACT * a_day * _WORKING * _days(kept.events) * costs.event_bytes),
        f"{events_a_second * EVENT_US * 1e-6 + a_minute / 60:.2%}",
        f"{shown(fixed + recent * of_recent + (stored - recent) * of_older)} s",
    )


def _days(period: Period) -> float:
    """A month counts 30.4."""
    return period.count * 30.4 if period.unit == "month" else period.days


def _size(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *rows)]
