"""The mappings that ship with the real files they are for, their recomputation, and reading what the program says of them."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pipeline.store.reads import Views
from tests.e2e.running import ROOT, Stack
from tests.reference import assen, baltimore, katwijk, montpellier, pwc, techsupport, wabo, warsaw
from tests.reference.common import NormCounts, Source, Sums, needs

EXAMPLES = ROOT / "connectors/examples"
Sum = tuple[int, int, int]


@dataclass(frozen=True)
class Example:
    """A file, its mapping, and its recomputation."""

    mapping: str
    file: str
    organisation: str
    load: Callable[[], Source]
    as_of: datetime | None


FIRST_ROWS = {"katwijk": 30_000, "warsaw": 20_000}
"""Of the longest files so many rows are loaded here, Warsaw's days with the wrong clocks among them; tests/connectors reads all of them."""
EXAMPLE = {
    "pwc": Example("pwc_calls", pwc.FILE, "pwc", pwc.load, None),
    "techsupport": Example("techsupport_tickets", techsupport.FILE, "techsupport", techsupport.load, None),
    "baltimore": Example("baltimore_311", baltimore.FILE, "baltimore", baltimore.load, baltimore.AS_OF),
    "wabo": Example("wabo_receipt", wabo.FILE, "wabo", wabo.load, wabo.AS_OF),
    "assen": Example("assen_meldingen", assen.FILE, "assen", assen.load, assen.AS_OF),
    "katwijk": Example("katwijk_fixi", katwijk.FILE, "katwijk", lambda: katwijk.load(FIRST_ROWS["katwijk"]), None),
    "montpellier": Example("montpellier_qualiville", montpellier.FILE, "montpellier", montpellier.load, None),
}
OBSERVED = {"warsaw": ("warsaw_counters", warsaw.FILE)}
"""Files without contacts and answers."""
BY_VIA = [pytest.param("baltimore", True, id="baltimore-by-via", marks=needs(baltimore.FILE))]
ALL = [pytest.param(name, id=name, marks=needs(example.file)) for name, example in EXAMPLE.items()]


def first_rows(file: Path, rows: int, directory: Path) -> Path:
    """The header and the first rows of a packed file."""
    path = directory / "first.csv"
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines, path.open("w", encoding="utf-8", newline="") as first:
        first.writelines(islice(lines, rows + 1))
    return path


@cache
def reference(name: str) -> tuple[Source, datetime]:
    source = EXAMPLE[name].load()
    return source, EXAMPLE[name].as_of or source.last_event


def answer_measure(measure: str) -> str:
    """The reference knows one rating a file, or the aspects of one instrument; the product names the instrument."""
    if measure.startswith("answer:"):
        return measure.replace("answer:", f"answer:{montpellier.INSTRUMENT}:")
    return "answer:rating:1:satisfaction" if measure == "answer" else measure


def sums_of(measure: str, sums: Sums) -> Sum:
    """As the product has them: x of volume is 1 in the reference and 0 there, its n is the figure."""
    return (sums.n, 0, 0) if measure == "volume" else (sums.n, sums.total, sums.squares)


def quarter_sums(views: Views, name: str, at: datetime, opened: bool = False, via: bool = False) -> dict[tuple[str, str, str], Sum]:
    return {(row.measure, row.group, row.quarter): (row.n, row.total, row.squares) for row in views.quarter_sums(name, at, opened, via)}


FAR = datetime(2100, 1, 1, tzinfo=UTC)
"""After every deadline: what counts ever."""


def verdicts(views: Views, name: str, at: datetime, opened: bool, via: bool) -> dict[tuple[str, str, str], NormCounts]:
    found: dict[tuple[str, str, str], NormCounts] = {}
    for row in views.quarter_outcomes(name, at, opened, via):
        group = row.group.split(" via ")[1] if via else row.group
        excluded = {row.excluded: row.outcomes} if row.excluded else {}
        counts = NormCounts(row.within, row.late, row.overdue, row.pending, excluded)
        assert row.outcomes == counts.n + counts.pending + sum(excluded.values())
        key = (row.norm, group, row.quarter)
        found[key] = found.get(key, NormCounts()) + counts
    return found


def without_excluded(counts: dict[tuple[str, str, str], NormCounts]) -> dict[tuple[str, str, str], NormCounts]:
    kept = {key: NormCounts(found.within, found.late, found.open_overdue, found.pending) for key, found in counts.items()}
    return {key: found for key, found in kept.items() if found.n or found.pending}


def lines(stack: Stack, name: str, key: str, *arguments: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The program's JSON, by (measure, group, period)."""
    content = json.loads(stack.cli(*arguments, "--organisation", name, "--json"))
    return {(line["measure"], line["group"], line["period"]): line for line in content[key]}


def over_all(stack: Stack, name: str, norm: str, at: str) -> Counter[str]:
    """A norm's counts over all channels and quarters, as the program prints them."""
    totals: Counter[str] = Counter()
    for (measure, _, _), line in lines(stack, name, "quarters", "quarters", "--at", at).items():
        if measure == f"norm:{norm}":
            totals.update({"n": line["n"], **line["notes"]})
    return totals
