"""The statistics that boards write in SQL are those of pipeline.satisfaction and pipeline.comparisons."""

import re
from collections import defaultdict
from collections.abc import Mapping

import pytest
from scipy.special import stdtrit

from dashboards.build.figures import comparing, grades
from dashboards.build.figures.quarters import BEFORE, CHOSEN, YEAR_BEFORE
from pipeline.comparisons import verdicts
from pipeline.satisfaction import difference, told
from tests.dashboards.screens import Row, Screens
from tests.dashboards.test_equal_quarter import before, last

QUARTERS = "period_kind = 'quarter' AND channel = ''"
Sums = tuple[tuple[int, int, int], int, int]


def asked(screens: Screens, sql: str) -> list[Row]:
    """What a board's question yields for the last quarter that is over."""
    chosen: Mapping[str, str] = {"organisation": screens.town.name, "quarter": last(screens)}
    return screens.read(re.sub(r"\$\{(\w+):sqlstring\}", lambda name: f"'{chosen[name[1]]}'", sql))


def sums(row: Row) -> Sums:
    return (row["n"], row["total"], row["squares"]), row["low_n"], row["high_n"]


@pytest.mark.parametrize(("degrees", "apart"), [(4, 1e-3), (8, 1e-4), (19, 1e-5), (500, 1e-6)])
def test_the_point_of_t(screens: Screens, degrees: int, apart: float) -> None:
    (row,) = asked(screens, f"SELECT {grades.t_point(f'toFloat64({degrees})')} AS t")
    assert row["t"] == pytest.approx(stdtrit(degrees, 0.975), rel=apart)


def test_figures_with_their_intervals(screens: Screens) -> None:
    rows = asked(screens, f"SELECT kind, n, total, squares, low_n, high_n, told, told_low, told_high FROM {grades.figures(QUARTERS)}")
    assert {row["kind"] for row in rows} == {"grade", "recommendation", "satisfaction", "yes-no"}
    for row in rows:
        meant = told(row["kind"], *sums(row))
        near = 0.1 if row["kind"] == "recommendation" else 1e-3  # points of 100
        for shown, value in zip((row["told"], row["told_low"], row["told_high"]), meant, strict=True):
            assert shown == (None if value is None else pytest.approx(value, abs=near)), row


def test_what_differs_from_another_quarter(screens: Screens) -> None:
    now = last(screens)
    three = f"{QUARTERS} AND period IN ({CHOSEN}, {BEFORE}, {YEAR_BEFORE})"
    compared = comparing.compared(CHOSEN, (("_before", BEFORE), ("_year", YEAR_BEFORE)), three)
    shown = {(row["instrument"], row["instrument_version"], row["aspect"]): row for row in asked(screens, f"SELECT * FROM {compared}")}
    by_key: dict[tuple[str, int], dict[tuple[str, str], Row]] = defaultdict(dict)
    for row in asked(screens, f"SELECT * FROM v_now_satisfaction WHERE organisation = ${{organisation:sqlstring}} AND {three}"):
        by_key[row["instrument"], row["instrument_version"]][row["period"], row["aspect"]] = row
    seen = set()
    for (instrument, version), cells in by_key.items():
        for suffix, then in (("_before", before(now, 1)), ("_year", before(now, 4))):
            aspects = sorted(aspect for period, aspect in cells if period == now and (then, aspect) in cells)
            pairs = [(cells[then, aspect], cells[now, aspect]) for aspect in aspects]
            found = verdicts([difference(later["kind"], sums(earlier), sums(later)) for earlier, later in pairs])
            for aspect, one in zip(aspects, found, strict=True):
                row = shown[instrument, version, aspect]
                assert row[f"verdict{suffix}"] == one.verdict, (aspect, suffix)
                seen.add(one.verdict)
                if one.difference is not None:
                    assert row[f"difference{suffix}"] == pytest.approx(one.difference.value, abs=1e-9)
                    assert row[f"p{suffix}"] == pytest.approx(one.difference.p, abs=2e-3)
    assert "no_difference" in seen
    assert seen & {"higher", "lower"}
