"""The section "Sizing": computed from what was measured, put in its place and nowhere else."""

from pathlib import Path

import pytest

from benchmarks import sizing
from benchmarks.cost import Case, Costs, Figures, Start

MACHINE = {"processor": "a processor", "cores": "2", "Python": "3.11.7"}
HELD = {
    "bytes": 400_000.0, "entries": 40_000.0, "load_s": 1.0, "advance_s": 0.1, "longest_advance_s": 0.2, "figures_s": 0.1, "figures": 40.0,
}  # fmt: skip
COSTS = Costs(
    contact=4_000.0,
    known={"stored": 8.0, "since": 90.0},
    organisations={1: {**HELD, "advance_s": 0.001}, 100: {**HELD, "advance_s": 0.06}},
    starts=[
        Start(Case(1, 1), 5.0, 0.5, 1e8, 2e6),
        Start(Case(100, 1), 60.0, 2.5, 2e8, 2e8),
        Start(Case(4, 25), 5.0, 1.5, 1.5e8, 2e8),
    ],
    figures=Figures(20_000.0, 16.0, 5e-6),
    event_bytes=300.0,
)


def test_a_start_takes_its_time_anyway_and_for_each_contact() -> None:
    fixed, recent, older = COSTS.start_s
    assert fixed == 0.5
    assert recent == pytest.approx(2.0 / 1_000_000)
    assert older == pytest.approx((1.0 - 40_000 * recent) / 960_000)


def test_a_row_is_the_sum_of_its_parts() -> None:
    rows = [line.split(" | ") for line in sizing.section(COSTS, MACHINE, "2026-11-22", quick=False).splitlines() if line.startswith("| 1")]
    organisations, a_day, memory, disk, log, busy, start = (cell.strip("| ") for cell in rows[2])
    stored = 50_000 * 20 / 28 * 25 * 30.4
    assert (organisations, a_day) == ("100", "50,000")
    assert memory == f"{(200e6 + 100 * 400_000 + 8 * stored + 100_000 * 4_000) / 1e6:.0f} MB"
    assert disk == f"{(stored * 200 + 100 * 20_000 * 20 / 28 * 100 * 16) / 1e9:.1f} GB"
    assert log == f"{4 * 50_000 * 20 / 28 * 30 * 300 / 1e9:.1f} GB"
    assert busy == f"{3 * 4 * 50_000 / (8.5 * 3600) * 50e-6 + (0.06 + 100 * 40 * 5e-6) / 60:.2%}"
    fixed, recent, older = COSTS.start_s
    assert start == f"{fixed + 1_000_000 * recent + (stored - 1_000_000) * older:.1f} s"


def test_the_section_replaces_itself_and_leaves_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "OPERATIONS.md"
    page.write_text("# Operations\n\n## Before\n\nText.\n\n## Sizing\n\nOld.\n\n### Of it\n\nOld.\n\n## After\n\nText.\n", encoding="utf-8")
    for _ in range(2):
        sizing.write(page, COSTS, MACHINE, "2026-11-22", quick=True)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Operations\n\n## Before\n\nText.\n\n## Sizing\n")
    assert text.endswith(" |\n\n## After\n\nText.\n")
    assert text.count("## Sizing") == text.count("Written by `python -m benchmarks") == 1
    assert "Old." not in text


def test_a_file_without_the_section_gets_it_at_its_end(tmp_path: Path) -> None:
    page = tmp_path / "OPERATIONS.md"
    sizing.write(page, COSTS, MACHINE, "2026-11-22", quick=True)
    assert page.read_text(encoding="utf-8").startswith("# Operations\n\n## Sizing\n")
