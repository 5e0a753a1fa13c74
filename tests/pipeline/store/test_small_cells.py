"""Who reads everything, after every single answer, learns of no group of fewer answers than the threshold."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine
from tests.pipeline.store.publishing import Given
from tests.pipeline.store.satisfied import Town, organisation

CELL = 3
FIGURES = (
    "SELECT total FROM v_answer_blocks(organisation = '{name}')",
    "SELECT total FROM v_satisfaction(organisation = '{name}', at = '{at}')",
    "SELECT total FROM v_rolling WHERE organisation = '{name}' AND startsWith(measure, 'answer:')",
    "SELECT total FROM v_rolling_at(organisation = '{name}', at = '{at}') WHERE startsWith(measure, 'answer:')",
    "SELECT total FROM v_quarter_sums(organisation = '{name}', at = '{at}') WHERE startsWith(measure, 'answer:')",
)
CELLS = "SELECT dimension, channel, cell, withheld, total FROM v_satisfaction_by(organisation = '{name}')"


@pytest.fixture
def town(clickhouse: ClickHouseEngine, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A municipality of the test's own."""
    town = Town(clickhouse, organisation(request.node.name.replace("_", "-")[:60], CELL))
    try:
        yield town
    finally:
        town.close()


def coded(number: int, at: datetime, channel: str, team: str = "Balie", **fields: object) -> Given:
    """An answer whose grade is a power of two: a sum tells which answers are in it, and none else has it."""
    return Given(f"a{number}", at, channel, {"overall": float(2**number)}, instrument="coded", team=team, **fields)  # type: ignore[arg-type]


def members(total: int) -> frozenset[int]:
    return frozenset(number for number in range(64) if total // 1000 >> number & 1)


def atoms(groups: set[frozenset[int]]) -> set[frozenset[int]]:
    """The smallest groups that any adding and taking away of the figures could tell apart; those in no figure are left out."""
    in_figures: dict[frozenset[int], set[int]] = {}
    for number in frozenset().union(*groups):
        signature = frozenset(position for position, group in enumerate(groups) if number in group)
        in_figures.setdefault(signature, set()).add(number)
    return {frozenset(found) for found in in_figures.values()}


def let_the_quarter_end(town: Town) -> None:
    """The organisation's clock jumps ahead by a hundred days: from now on its quarter is over, while its answers stay where they are."""
    now = epoch_ms(datetime.now(UTC)) - 1
    version = town.owner.query(f"SELECT version FROM organisations FINAL WHERE organisation = '{town.name}'").result_rows[0][0]
    names = ["organisation", "since", "version", "seconds"]
    town.owner.insert("offsets", [[town.name, now, version, 100 * 86_400]], column_names=names)


def read_totals(town: Town, *queries: str) -> set[frozenset[int]]:
    return {members(total) for sql in queries for (total,) in town.read(sql)}


def test_an_attacker_learns_of_no_group_below_the_threshold(town: Town) -> None:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
    channels = ("telephone", "telephone", "counter")
    teams = ("Balie", "Zuid", "Balie", "Balie")
    answers = [coded(n, start + timedelta(seconds=n), channels[n % 3], teams[n % 4], wave="w" if n % 8 == 7 else "") for n in range(18)]
    answers[4] = coded(4, answers[4].at, "telephone", status="partial")
    # Written on paper and typed in later: given before the others, logged after them.
    answers[15] = coded(15, start, "telephone", logged=start + timedelta(seconds=15))
    seen: set[frozenset[int]] = set()
    for answer in answers:
        town.answer([answer])
        seen |= read_totals(town, *FIGURES[:3])
    assert len(seen) >= 2, "something must be shown while the quarter runs"
    assert not town.read(CELLS), "there are breakdowns of closed quarters only"
    let_the_quarter_end(town)
    seen |= read_totals(town, *FIGURES)
    found = atoms(seen)
    assert min(map(len, found)) >= CELL, found
    assert len(frozenset().union(*found)) >= 12
    check_cells(town, seen)


def test_what_is_logged_after_the_quarter_comes_in_steps_too(town: Town) -> None:
    at = datetime.now(UTC) - timedelta(days=190)
    town.answer([coded(n, at + timedelta(seconds=n), "telephone") for n in range(7)])
    seen = read_totals(town, *FIGURES[:2])
    assert seen == {frozenset(range(3)), frozenset(range(3, 7)), frozenset(range(7))}, "over: the rest joins the last block"
    before = town.read(CELLS)
    assert before
    for n in range(7, 12):
        town.answer([coded(n, at + timedelta(seconds=n), "telephone", logged=datetime.now(UTC) - timedelta(seconds=40 - n))])
        seen |= read_totals(town, *FIGURES[:2])
        assert town.read(CELLS) == before, "a single answer would show in a breakdown"
    assert atoms(seen) == {frozenset(range(3)), frozenset(range(3, 7)), frozenset(range(7, 10))}


def check_cells(town: Town, seen: set[frozenset[int]]) -> None:
    """What a channel's figure and the cells that are shown leave over is nobody, or enough."""
    rows = town.read(CELLS)
    assert {dimension for dimension, *_ in rows} == {"team", "product", "location", "segment"}
    shown = [members(total) for *_, withheld, total in rows if not withheld]
    assert all(len(group) >= CELL for group in shown)
    assert any(withheld for *_, withheld, _ in rows), "the example must have a cell to withhold"
    for dimension in ("team", "product"):
        for channel in ("telephone", "counter"):
            here = [row for row in rows if row[:2] == (dimension, channel)]
            open_cells = frozenset().union(*(members(total) for *_, withheld, total in here if not withheld))
            for group in seen:
                rest = group - open_cells
                assert not open_cells <= group or not rest or len(rest) >= CELL, (dimension, channel, group, open_cells)


def test_a_small_cell_is_withheld_and_so_is_the_next(town: Town) -> None:
    at = datetime.now(UTC) - timedelta(days=190)
    sizes = {"Balie": 6, "Zuid": 4, "Alleen": 2}
    number = 0
    for team, size in sizes.items():
        for _ in range(size):
            town.answer([coded(number, at + timedelta(seconds=number), "email", team)])
            number += 1
    rows = town.read(CELLS.replace("SELECT", "SELECT n,") + " WHERE channel = 'email' AND dimension = 'team' ORDER BY cell")
    # A team of one is shown under no name, as it has no team above it; its two answers are withheld, and Zuid's with them.
    assert [(cell, withheld, n) for n, _, _, cell, withheld, _ in rows] == [("", 1, None), ("Balie", 0, 6), ("Zuid", 1, None)]
    (total,) = town.read(
        "SELECT n FROM v_satisfaction(organisation = '{name}', at = '{at}') WHERE period_kind = 'quarter' AND channel = 'email'"
    )
    assert total == (12,)
