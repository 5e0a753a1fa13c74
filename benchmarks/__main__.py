"""`python -m benchmarks`: measure, print a table, and end with code 1 when a target is not met."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import catch_up, core, latency, machine, recovery
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


FULL = Sizes(contacts=275_000, repeats=2, singles=100_000, core_contacts=100_000, latency_s=60, open_contacts=200_000, kills=5)
QUICK = Sizes(contacts=40_000, repeats=1, singles=10_000, core_contacts=20_000, latency_s=5, open_contacts=20_000, kills=1)

NAMES = ("core", "catch-up", "latency", "recovery")


def measure(names: Sequence[str], sizes: Sizes) -> list[Result]:
    """Run what was asked for, one after the other: they must not disturb each other."""
    results = core.run(sizes.core_contacts, sizes.repeats) if "core" in names else []
    if set(names) == {"core"}:
        return results
    with rig() as engines:
        if "catch-up" in names:
            results += catch_up.run(engines, sizes.contacts, sizes.repeats, sizes.singles)
        if "latency" in names:
            results += latency.run(engines, sizes.latency_s)
        if "recovery" in names:
            results += recovery.run(engines, sizes.open_contacts, sizes.kills)
    return results


def main() -> int:
    """Entry point; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the pipeline on a real Kafka and ClickHouse.")
    parser.add_argument("--only", choices=NAMES, action="append", help="measure this only; may be given more than once")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs; the exit code ignores the targets")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the table as Markdown")
    chosen = parser.parse_args()
    results = measure(chosen.only or NAMES, QUICK if chosen.quick else FULL)
    found = machine.described()
    if chosen.json:
        print(json.dumps(as_json(found, results), ensure_ascii=False, indent=2))
    else:
        print("\n".join(f"{name}: {value}" for name, value in found.items()), as_text(results), sep="\n\n")
    if chosen.write:
        chosen.write.write_text(as_markdown(found, results, f"{datetime.now(UTC):%Y-%m-%d}", chosen.quick), encoding="utf-8")
    return 0 if chosen.quick or all(result.met is not False for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
