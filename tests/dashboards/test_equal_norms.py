"""The board "Normen": the figures of the command line, and else what the contacts themselves say."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from math import ceil

import pytest

from tests.dashboards.screens import FEW, Row, Screens, again, few, lasting, moment, share, title_of, verdicts, within

SYMBOLS = {"met": "✓ ", "not_met": "✗ ", "too_few": "◔ ", "": ""}
WINDOWS = {"month": "28d", "week": "7d", "day": "24h", "hour": "1h"}


def cell(line: Row | None) -> str:
    """A figure as the boards Normen and Kanaal write it."""
    if line is None or line["n"] == 0:
        return "geen contacten"
    if line["n"] < FEW:
        return few(line["n"])
    symbol = SYMBOLS[line["attainment"]]
    if line["measure"].startswith("norm_mean:"):
        return f"{symbol}{lasting(line['value'])}, n = {line['n']}"
    ends = f" ({100 * line['low']:.0f}–{100 * line['high']:.0f})" if line["low"] is not None and "low" in line else ""
    return f"{symbol}{share(line['value'], 1)}{ends}, n = {line['n']}"


def check_norms(screens: Screens, rows: list[Row], channels: set[str]) -> None:
    """Every row of the norms of these channels is what the commands tell."""
    figures = {(one["group"], one["measure"], one["period"]): one for one in screens.figures}
    so_far = {(one["group"], one["measure"]): one for one in screens.quarter(screens.running)}
    overdue = Counter((one["channel"], norm) for one in screens.told("open")["overdue"] for norm in one["overdue_norms"])
    norms = {(channel, measure) for channel, measure, _ in figures if channel in channels and measure.startswith("norm")}
    assert {(row["channel"], row["norm"]) for row in rows} == {(channel, measure.partition(":")[2]) for channel, measure in norms}
    for row in rows:
        (measure,) = [measure for channel, measure in norms if (channel, measure.partition(":")[2]) == (row["channel"], row["norm"])]
        assert row["name"] == title_of(screens.town, row["norm"])
        for column, window in WINDOWS.items():
            assert row[column] == cell(figures.get((row["channel"], measure, window))), (measure, window)
        found = so_far.get((row["channel"], measure))
        if found is not None and found["n"] >= FEW:  # all contacts of a quarter are counted: it has no interval
            value = lasting(found["value"]) if measure.startswith("norm_mean:") else share(found["value"], 1)
            assert row["quarter"] == f"{SYMBOLS[found['attainment']]}{value}, n = {found['n']}", measure
        else:
            assert row["quarter"] == cell(found), measure
        assert (row["overdue"] or 0) == overdue[row["channel"], row["norm"]], measure


@again
def test_every_norm(screens: Screens) -> None:
    rows = screens.rows("norms", "Elke norm, de slechtste eerst")
    assert len(rows) >= 6
    check_norms(screens, rows, set(screens.town.organisation.channels))


@again
def test_norms_now(screens: Screens) -> None:
    row = screens.row("norms", "Normen nu")
    states = Counter(
        one["attainment"] for one in screens.figures if one["period"] == "28d" and one["group"] and one["measure"].startswith("norm")
    )
    judged = states["met"] + states["not_met"]
    symbol = "✗" if states["not_met"] else "✓" if states["met"] else "◔"
    rest = f"; te weinig contacten: {states['too_few']}" if states["too_few"] else ""
    assert row["state"] == f"{symbol} {states['met']} van {judged}{rest}"
    (whole,) = [one for one in screens.told("measures")["open"] if not one["channel"]]
    assert (row["overdue"], row["today"]) == (whole["overdue"], whole["late_today"])
    assert (row["by_law"], row["within_week"]) == (0, 0)  # no norm of the town is one of law


def judged(screens: Screens) -> Iterator[tuple[date, Row, str, bool]]:
    """(local day, contact, norm, whether it was within) of every verdict of a norm that counts, but of means."""
    means = {one.id for one in screens.town.organisation.norms if one.statistic == "mean"}
    for contact in screens.contacts:
        for one in verdicts(contact):
            if one["judged_at"] is not None and one["judged_at"] <= screens.at and not one["excluded"] and one["norm"] not in means:
                yield screens.local(one["judged_at"]).date(), contact, one["norm"], within(one)


def test_judged_by_day(screens: Screens) -> None:
    first, last = screens.days(28)
    meant: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for day, _, _, kept in judged(screens):
        meant[day][0] += 1
        meant[day][1] += not kept
    rows = screens.rows("norms", "Beoordeeld per dag")
    days = [screens.local(moment(row["time"])).date() for row in rows]
    assert set(days) == {day for day in meant if first <= day <= last}
    assert {day: [row["judged"], row["late"]] for day, row in zip(days, rows, strict=True)} == {day: meant[day] for day in days}


@pytest.mark.parametrize("title", ["Sinds wanneer gehaald of niet (telkens 7 dagen)", "Deel binnen de norm (telkens 7 dagen)"])
def test_weeks(screens: Screens, title: str) -> None:
    by_day: dict[tuple[str, date], list[int]] = defaultdict(lambda: [0, 0])
    for day, _, norm, kept in judged(screens):
        for later in range(7):
            sums = by_day[norm, day + timedelta(days=later)]
            sums[0], sums[1] = sums[0] + 1, sums[1] + kept
    rows = screens.rows("norms", title)
    assert len(rows) > 50
    names = {title_of(screens.town, norm): norm for norm in screens.targets}
    for row in rows:
        norm = names[row["name"]]
        n, good = by_day[norm, screens.local(moment(row["time"])).date()]
        if "state" in row:
            assert row["state"] == ("◔ te weinig" if n < FEW else "✓ gehaald" if good / n >= screens.targets[norm] else "✗ niet gehaald"), (
                row
            )
        else:
            assert row["share"] == (None if n < FEW else pytest.approx(good / n)), row


def cells(screens: Screens) -> dict[tuple[str, str, str, str], list[int]]:
    """Sums of 28 days by channel, norm, dimension and cell."""
    today = screens.local(screens.at).date()
    found: dict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for day, contact, norm, kept in judged(screens):
        if day > today - timedelta(days=28):
            for dimension in ("team", "product", "location"):
                sums = found[contact["channel"], norm, dimension, contact[dimension]]
                sums[0], sums[1] = sums[0] + 1, sums[1] + kept
    return found


def test_where_it_goes_wrong(screens: Screens) -> None:
    targets = screens.targets
    meant = {
        (channel, title_of(screens.town, norm), dimension, cell): (f"✗ {share(kept / n, 1)}, n = {n}", ceil(n * targets[norm] - kept))
        for (channel, norm, dimension, cell), (n, kept) in cells(screens).items()
        if n >= FEW and kept < targets[norm] * n and not (dimension == "location" and not cell)
    }
    rows = screens.rows("norms", "Waar het misgaat (28 dagen)")
    shown = {(row["channel"], row["name"], row["dimension"], row["cell"]): (row["share"], int(row["excess"])) for row in rows}
    assert shown
    if len(rows) < 40:
        assert shown == meant
    else:
        assert shown.items() <= meant.items()


def test_what_does_not_count(screens: Screens) -> None:
    notes = [one["notes"] for one in screens.quarter(screens.running)]
    left_out = sorted(count for found in notes for note, count in found.items() if note.startswith("excluded "))
    assert sorted(int(row["contacts"]) for row in screens.rows("norms", "Telt niet mee, en waarom (dit kwartaal)")) == left_out
    assert sorted(int(row["outcomes"]) for row in screens.rows("data", "Buiten beschouwing, dit kwartaal")) == left_out


def test_means_and_longest_times(screens: Screens) -> None:
    rows = {row["name"]: row for row in screens.rows("norms", "Gemiddelden en langste tijden")}
    assert len(rows) == 2
    for column, period in (("month", "28d"), ("day", "24h")):
        told = {
            one["norm"]: one
            for one in screens.told_at("measures", "--period", period)["norms"]
            if one["period"] == period and one["channel"]
        }
        for norm in ("telephone_mean_60s", "counter_longest_30min"):
            shown, one = rows[title_of(screens.town, norm)][column], told.get(norm)
            if one is None or one["n"] == 0:
                assert shown == "geen contacten"
            elif one["n"] < FEW:
                assert shown == few(one["n"])
            else:
                symbol = "✓" if one["met"] else "✗"
                assert shown == f"{symbol} gemiddeld {lasting(one['mean'])}, langste {lasting(one['longest'])}, n = {one['n']}"
