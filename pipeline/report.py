"""Figures as people and programs read them on the command line: from integer sums to value, interval and attainment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.rolling import attainment, figure, is_share
from pipeline.store.reads import OutcomeRow, QuarterRow, RollingRow


@dataclass(frozen=True)
class Line:
    """One figure of a table. `period` is a window or a quarter; `notes` counts what stands beside it (open and overdue, excluded)."""

    period: str
    group: str
    measure: str
    n: int
    value: float | None
    low: float | None
    high: float | None
    target: float | None
    attainment: str
    total: int
    squares: int
    notes: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For programs: everything, sums included."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def rolling_lines(rows: Iterable[RollingRow], targets: Mapping[str, float], minimum_n: int) -> list[Line]:
    """Rolling figures as lines; period is the window."""
    return [_line(row.window, row.channel, row.measure, (row.n, row.total, row.squares), targets, minimum_n, {}) for row in rows]


def quarter_lines(
    sums: Iterable[QuarterRow], outcomes: Iterable[OutcomeRow], targets: Mapping[str, Mapping[str, float]], minimum_n: int
) -> list[Line]:
    """Quarter figures as lines, and under notes what the verdicts say: open and overdue, pending, stale, excluded by reason.

    `targets` by quarter: a norm's target may change over the years.
    """
    notes: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in outcomes:
        found = notes.setdefault((row.quarter, row.group, f"norm:{row.norm}"), {})
        counts = {"within": row.within, "late": row.late, "overdue": row.overdue, "pending": row.pending, "stale": row.stale}
        if row.excluded:
            counts = {f"excluded {row.excluded}": row.outcomes}
        for name, count in counts.items():
            if count:
                found[name] = found.get(name, 0) + count
    lines = [
        _line(
            row.quarter,
            row.group,
            row.measure,
            (row.n, row.total, row.squares),
            targets.get(row.quarter, {}),
            minimum_n,
            notes.pop((row.quarter, row.group, row.measure), {}),
        )
        for row in sums
    ]
    lines += [_line(*key, (0, 0, 0), targets.get(key[0], {}), minimum_n, found) for key, found in notes.items() if found]
    return sorted(lines, key=lambda line: (line.period, line.group, line.measure))


def _line(
    period: str, group: str, measure: str, sums: tuple[int, int, int], targets: Mapping[str, float], minimum_n: int, notes: dict[str, int]
) -> Line:
    found = figure(group, measure, period, 0, sums)
    target = targets.get(measure)
    state = attainment(found, target, minimum_n) if found.n else ""  # nothing was measured: that is no verdict
    return Line(period, group, measure, found.n, found.value, found.low, found.high, target, state, *sums[1:], notes)


def shown(value: float | None, measure: str) -> str:
    """A value as people read it: a share in percent, a wait in seconds, a grade with two decimals, a number of contacts."""
    if value is None:
        return "–"
    if measure == "volume":
        return f"{value:,.0f}"
    if is_share(measure):
        return f"{value:.1%}"
    return f"{value:,.1f} s" if measure == "wait" else f"{value:.2f}"
