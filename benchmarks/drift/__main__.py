"""`python -m benchmarks.drift`: drive the detectors through the worlds, print the tables, and end with code 1 when a goal is not met."""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.drift.cost import cost
from benchmarks.drift.effects import KINDS, NONE
from benchmarks.drift.goals import Scores, goals
from benchmarks.drift.scorer import Score
from benchmarks.drift.suite import Cell, cells, loaded, run
from benchmarks.drift.tables import Table, beside, delays, ends, false_alarms, undisturbed, verdicts
from benchmarks.results import Result

OURS = "pipeline.drift.adapter:factory"
PEERS = {"CUSUM": "benchmarks.drift.peers:Cusum", "24 h mean": "benchmarks.drift.peers:Grafana", "ADWIN": "benchmarks.drift.peers:Adwin"}
SEED = 4711
"""Of the published table; nothing was developed on its worlds."""
QUICK_SEED = 1


@dataclass(frozen=True, slots=True)
class Sizes:
    """Worlds of a cell: years without change, each effect, and either of them for a peer."""

    years: int
    effects: int
    peers: int

    def of(self, cell: Cell, peer: bool) -> int:
        """How many worlds this cell gets."""
        usual = self.years if cell.effect is NONE else self.effects
        return min(usual, self.peers) if peer else usual


FULL = Sizes(250, 150, 40)
QUICK = Sizes(4, 6, 3)


def asked(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, `worlds` filled in; ends with a message where they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description="Measure drift detectors on seeded worlds.")
    parser.add_argument("--quick", action="store_true", help="few worlds, to see that it runs; the exit code ignores the goals")
    parser.add_argument("--seed", type=int, help=f"of the worlds (default {SEED}; with --quick {QUICK_SEED})")
    parser.add_argument("--only", choices=KINDS, action="append", help="this kind of stream only; may be given more than once")
    parser.add_argument("--streams", type=int, metavar="N", help=f"worlds in each cell (default {FULL.years}, of effects {FULL.effects})")
    parser.add_argument("--detector", default=OURS, metavar="MODULE:FACTORY", help=f"the detector to measure (default {OURS})")
    parser.add_argument("--no-peers", action="store_true", help="leave out CUSUM, the rule on a 24 h mean and ADWIN")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--write", type=Path, metavar="FILE", help='also write the tables into the section "Measured" of this file')
    options = parser.parse_args(arguments)
    if options.jobs < 1 or (options.streams is not None and options.streams < 1):
        parser.error("--jobs and --streams need at least 1")
    try:
        loaded(options.detector)
    except ValueError as error:
        parser.error(f"--detector: {error}")
    return options


def measured(options: argparse.Namespace, seed: int) -> dict[str, Scores]:
    """The scores of each detector by its name: first the one to measure, then the peers."""
    sizes = QUICK if options.quick else FULL
    if options.streams:
        sizes = Sizes(options.streams, options.streams, min(options.streams, sizes.peers))
    kinds = options.only or KINDS
    names = {"ours" if options.detector == OURS else options.detector: options.detector} | ({} if options.no_peers else PEERS)
    wanted = [
        (cell, sizes.of(cell, peer=at > 0)) for at, detector in enumerate(names.values()) for cell in cells(detector, kinds, noisy=at == 0)
    ]
    found = run(wanted, seed, options.jobs)
    return {name: {cell: scores for cell, scores in found.items() if cell.detector == detector} for name, detector in names.items()}


def _first(scores: Mapping[Cell, Sequence[Score]], most: int) -> Scores:
    """The same worlds as the peers got, no more."""
    return {cell: found[:most] for cell, found in scores.items()}


def tables(found: Mapping[str, Scores], results: Sequence[Result]) -> list[Table]:
    """All of them; ours first."""
    ours, *peers = found.values()
    shown = [verdicts(results), false_alarms(ours), delays(ours), ends(ours), undisturbed(ours)]
    if peers:
        most = max(len(scores) for scores in peers[0].values())
        shown.append(beside({name: _first(scores, most) for name, scores in found.items()}))
    return [table for table in shown if table.rows]


def main() -> int:
    """Entry point; the exit code."""
    options = asked()
    seed = options.seed if options.seed is not None else QUICK_SEED if options.quick else SEED
    began = time.monotonic()
    found = measured(options, seed)
    results = [*goals(next(iter(found.values()))), *cost(loaded(options.detector), options.only or KINDS, seed)]
    shown = tables(found, results)
    sizes = (
        "few worlds (`--quick`): a smoke test, no measurement" if options.quick else "full sizes" if not options.streams else "own sizes"
    )
    line = f"Measured {datetime.now(UTC):%Y-%m-%d} with seed {seed}, {sizes}, in {(time.monotonic() - began) / 60:.0f} minutes."
    if options.json:
        results_of = [{**asdict(result), "value": result.value, "met": result.met} for result in results]
        print(
            json.dumps({"measured": line, "goals": results_of, "tables": [asdict(table) for table in shown]}, ensure_ascii=False, indent=2)
        )
    else:
        print(line, *(table.text() for table in shown), sep="\n\n")
    if options.write:
        written(
            options.write,
            "\n".join(
                [
                    "## Measured",
                    "",
                    f"{line} Written by `python -m benchmarks.drift --write`.",
                    "",
                    *(table.markdown() for table in shown),
                    "",
                ]
            ),
        )
    return 0 if options.quick or all(result.met is not False for result in results) else 1


def written(page: Path, section: str) -> None:
    """Put the section into a page, in place of the one of its heading or else at the end."""
    text = page.read_text(encoding="utf-8") if page.exists() else "# Drift\n"
    heading = re.escape(section.partition("\n")[0])
    replaced, count = re.subn(rf"^{heading}\n.*?(?=^## |\Z)", lambda _: section, text, count=1, flags=re.DOTALL | re.MULTILINE)
    page.write_text(f"{replaced if count else text.rstrip() + 2 * chr(10) + section}".rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
