"""What was measured, and how it is shown: to people as a table, to programs as JSON, in docs/BENCHMARKS.md as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True)
class Result:
    """One figure: its runs, and the target it should meet (`least` or `most`, by `better`); no target where it only informs."""

    name: str
    runs: tuple[float, ...]
    unit: str
    target: float | None = None
    aim: float | None = None
    better: Literal["higher", "lower"] = "higher"
    note: str = ""

    @property
    def value(self) -> float:
        """The median of the runs."""
        return median(self.runs)

    @property
    def met(self) -> bool | None:
        """Whether the median meets the target; None without one."""
        return None if self.target is None else self._reaches(self.target)

    @property
    def verdict(self) -> str:
        """In words, for the table."""
        if self.target is None:
            return ""
        if not self._reaches(self.target):
            return "NOT MET"
        if self.aim is None:
            return "met"
        return "met, and the aim" if self._reaches(self.aim) else "met, not the aim"

    def _reaches(self, limit: float) -> bool:
        return self.value >= limit if self.better == "higher" else self.value <= limit

    def cells(self) -> tuple[str, str, str, str, str]:
        """What the table shows: name, value with unit, spread, target, verdict."""
        spread = f"{shown(min(self.runs))} – {shown(max(self.runs))}" if len(self.runs) > 1 else ""
        sign = "≥" if self.better == "higher" else "≤"
        target = "" if self.target is None else f"{sign} {shown(self.target)}" + ("" if self.aim is None else f" (aim {shown(self.aim)})")
        return self.name, f"{shown(self.value)} {self.unit}", spread, target, self.verdict


HEADINGS = ("what", "median", "spread", "target", "verdict")


def shown(value: float) -> str:
    """A figure with three digits that matter."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def as_text(results: Sequence[Result]) -> str:
    """A table for a terminal."""
    rows = [HEADINGS, *(result.cells() for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:], "", *notes(results)])


def notes(results: Iterable[Result]) -> list[str]:
    """What is said of single figures, a line each."""
    return [f"- {result.name}: {result.note}" for result in results if result.note]


def as_json(machine: Mapping[str, str], results: Sequence[Result]) -> dict[str, Any]:
    """The same for a program."""
    return {"machine": dict(machine), "results": [{**asdict(result), "median": result.value, "met": result.met} for result in results]}


_ABOUT = """\
# Benchmarks

Written by `python -m benchmarks --write docs/BENCHMARKS.md` (`make bench` prints the same); nothing here is typed in by hand.

Each figure comes from a real Kafka broker and a real ClickHouse server that the benchmark starts and stops itself. The worker is the
product's own process, pinned to one core; broker, database and the sending side share the other cores. The events are made by
`benchmarks/events.py`: four a contact (opened, queued, answered, closed), two norms (one of elapsed time, one of working days), all within
the last 28 days.

How it is measured:

- **catch-up**: the records lie in Kafka before the worker starts. The clock runs from the first micro-batch after the warm-up (a tenth of
  the events) being folded in until the last row of the last batch is stored, read from the worker's metrics ten times a second; afterwards
  the stored contacts are counted and the committed offsets must reach the end.
  *near*: each contact's events lie within 400 events of each other. *worst order*: each of them lies in another micro-batch, 40,000 events
  apart. *already stored*: the worst order again, every contact having been stored before, by a worker started anew with an empty memory,
  so that each is looked up.
- **yardsticks**, on the worker's core and on the same machine: aiokafka reading the very records of *near* and decoding them with orjson
  or json, and nothing else; a Faust agent as its manual shows it, one JSON event a record, doing nothing.
- **delay**: from handing an event to the sender until a figure that holds it is read from the table `rolling`, by a client that asks fifty
  times a second. Every event opens a new contact. *during a load*: another organisation of the same partition loads history meanwhile, at
  the default rate of `contactmeter load`.
- **memory**: growth of the worker's resident memory over 200,000 contacts that were opened, queued and answered, not closed.
- **restart**: from kill -9 of the worker (static membership, 100 events/s arriving) until the first figure newer than the kill is read.
- **cost**: memory of the worker's state by growth of a process that holds nothing else, twenty series an organisation of 500 contacts a
  working day; *advance* is the move of all windows by a minute, processor time, the median of an hour of live contributions. *start*: a
  worker on stored contacts, from its assignment to its state, by its own log. What it comes to is in docs/OPERATIONS.md, "Sizing".
- **boards**: every question of the Dutch boards and of the alert rules, three times each, as a board user, of contacts of two years that
  ClickHouse itself made up (`benchmarks/boards_world.py`); the table has the slowest question by its median. The shown figures are
  made anew before, part after part, as the worker does in its spare time.
- **core**: decode and fold in, without Kafka, Faust and ClickHouse; processor time.
"""


def as_markdown(machine: Mapping[str, str], results: Sequence[Result], when: str, quick: bool) -> str:
    """docs/BENCHMARKS.md."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(result.cells() for result in results)]
    sizes = "small sizes (`--quick`): a smoke test, no measurement" if quick else "full sizes"
    return "\n".join(
        [
            _ABOUT,
            f"## Measured {when}, {sizes}",
            "",
            *(f"- {name}: {value}" for name, value in machine.items()),
            "",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            "Notes:",
            "",
            *notes(results),
            "",
        ]
    )
