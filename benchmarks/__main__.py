"""`python -m benchmarks`: measure, print a table, and end with code 1 when a target is not met."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import boards, catch_up, core, cost, latency, machine, recovery, sizing
from benchmarks.results import Result, as_json, as_markdown, as_text
from benchmarks.rig import rig


@dataclass(frozen=True)
class Sizes:
    """How much is measured. Seconds and counts; quick sizes prove that it runs, their figures mean little."""

    contacts: int
    repeats: int
    singles: int
    core_contacts: int
    latency_s: float
    open_contacts: int
    kills: int
    board_contacts: int
    held: tuple[int, ...]
    stored: tuple[cost.Case, ...]


FULL = Sizes(
    contacts=275_000, repeats=2, singles=100_000, core_contacts=100_000, latency_s=60, open_contacts=200_000, kills=5,
    board_contacts=5_000_000,    held=(1, 100, 1_000), stored=(cost.Case(1, 1), cost.Case(100, 1), cost.Case(4, 25)),
)  # fmt: skip
QUICK = Sizes(
    contacts=40_000, repeats=1, singles=10_000, core_contacts=20_000, latency_s=5, open_contacts=20_000, kills=1, board_contacts=50_000,
    held=(1, 10), stored=(cost.Case(1, 1), cost.Case(10, 1), cost.Case(1, 10)),
)  # fmt: skip

NAMES = ("core", "boards", "catch-up", "latency", "recovery", "cost")


def measure(names: Sequence[str], sizes: Sizes) -> tuple[list[Result], cost.Costs | None]:
    """Run what was asked for, one after the other: they must not disturb each other. The costs apart, as the sizing needs them."""
    results, costs = core.run(sizes.core_contacts, sizes.repeats) if "core" in names else [], None
    if "boards" in names:
        results += boards.run(sizes.board_contacts)
    if set(names) <= {"core", "boards"}:
        return results, costs
    with rig() as engines:
        if "catch-up" in names:
            results += catch_up.run(engines, sizes.contacts, sizes.repeats, sizes.singles)
        if "latency" in names:
            results += latency.run(engines, sizes.latency_s)
        if "recovery" in names:
            results += recovery.run(engines, sizes.open_contacts, sizes.kills)
        if "cost" in names:
            costs = cost.run(engines, sizes.open_contacts, sizes.held, sizes.stored)
            results += costs.results()
    return results, costs


def main() -> int:
    """Entry point; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the pipeline on a real Kafka and ClickHouse.")
    parser.add_argument("--only", choices=NAMES, action="append", help="measure this only; may be given more than once")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs; the exit code ignores the targets")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the table as Markdown")
    parser.add_argument("--sizing", type=Path, metavar="FILE", help='also write what `cost` found into the section "Sizing" of this file')
    chosen = parser.parse_args()
    if chosen.sizing and chosen.only and "cost" not in chosen.only:
        parser.error("--sizing needs what `cost` measures: add --only cost")
    results, costs = measure(chosen.only or NAMES, QUICK if chosen.quick else FULL)
    found = machine.described()
    if chosen.json:
        print(json.dumps(as_json(found, results), ensure_ascii=False, indent=2))
    else:
        print("\n".join(f"{name}: {value}" for name, value in found.items()), as_text(results), sep="\n\n")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    if chosen.write:
        chosen.write.write_text(as_markdown(found, results, today, chosen.quick), encoding="utf-8")
    if chosen.sizing and costs:
        sizing.write(chosen.sizing, costs, found, today, chosen.quick)
    return 0 if chosen.quick or all(result.met is not False for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
