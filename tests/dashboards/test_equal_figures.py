"""The numbers on boards are those that the command line tells of the same organisation at the same moment."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from dashboards.reading.boards import boards
from schemas.words import Language
from tests.dashboards.screens import Screens, again
from tests.dashboards.test_panels_run import asked, opened, span_shown
from tests.dashboards.towns import Town

SHARE = re.compile(r"(?P<value>[\d.,]+) ?%(?: \((?:doel|target) (?P<target>[\d.,]+) ?%\))?, n = (?P<n>\d+)")
GRADE = re.compile(r"(?P<value>\d+[.,]\d) \((?P<low>-?\d+[.,]\d)–(?P<high>\d+[.,]\d)\), n = (?P<n>\d+)")
EXPECTED = re.compile(r"(?P<value>\d+) \((?P<low>\d+)–(?P<high>\d+)\)")


def cells(town: Town, name: str, language: Language) -> Iterator[dict[str, Any]]:
    """Every row of every panel of a board, as it stands when the board is opened."""
    board = boards(language)[f"contactmeter-{name}-{language}"]
    with town.reader() as client:
        for panel, _, answer in asked(client, board, opened(client, board, span_shown(board))):
            yield from ({"panel": panel.title, **dict(zip(answer.kinds, row, strict=True))} for row in answer.rows)


def number(text: str) -> float:
    """A number as people write it in either language."""
    return float(text.replace(",", "."))


def test_every_figure_that_is_kept_is_the_one_that_the_command_tells(screens: Screens) -> None:
    kept = {
        (row["window"], row["channel"], row["measure"]): row
        for row in screens.read("SELECT * FROM v_now_figures WHERE organisation = {organisation:String}")
    }
    assert len(screens.figures) > 50
    assert set(kept) == {(line["period"], line["group"], line["measure"]) for line in screens.figures}
    for line in screens.figures:
        row = kept[line["period"], line["group"], line["measure"]]
        assert (row["n"], row["total"]) == (line["n"], line["total"])
        assert row["attainment"] == (line["attainment"] or "too_few" if line["target"] is not None else ""), line
        for name in ("value", "low", "high", "target"):
            assert row[name] == (None if line[name] is None else pytest.approx(line[name], rel=1e-9, abs=1e-12)), (name, line)


def test_the_sums_of_quarters_are_those_that_the_command_tells(screens: Screens) -> None:
    kept: Counter[tuple[str, ...]] = Counter()
    for row in screens.read("SELECT * FROM v_now_quarters WHERE organisation = {organisation:String}"):
        for name in ("n", "total", "squares"):
            kept[row["quarter"], row["channel"], row["measure"], name] += row[name]
    quarters = screens.told("quarters")["quarters"]
    lines = {(line["period"], line["group"], line["measure"], name): line[name] for line in quarters for name in ("n", "total", "squares")}
    assert len({key[0] for key in lines}) >= 2
    assert {key: count for key, count in kept.items() if count} == {key: count for key, count in lines.items() if count}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_shares_and_grades_in_words_are_figures(screens: Screens, language: Language) -> None:
    matched = Counter[str]()
    for row in cells(screens.town, "now", language):
        lines = [line for line in screens.figures if line["group"] == row.get("channel", line["group"])]
        for text in (value for value in row.values() if isinstance(value, str)):
            if (found := SHARE.search(text)) is not None:
                matched["share"] += 1
                assert any(is_share(line, found) for line in lines), (
                    f"{row['panel']}: {text!r} is no share among the figures of {row['channel']}"
                )
            if (found := GRADE.search(text)) is not None:
                matched["grade"] += 1
                assert any(is_grade(line, found) for line in lines), (
                    f"{row['panel']}: {text!r} is no grade among the figures of {row['channel']}"
                )
    assert matched["share"] >= 2
    assert matched["grade"] >= 1


def is_share(line: dict[str, Any], found: re.Match[str]) -> bool:
    """Whether a figure is written like that, in whole percents."""
    if line["value"] is None or line["n"] != int(found["n"]) or abs(100 * line["value"] - number(found["value"])) > 0.5001:
        return False
    return not found["target"] or (line["target"] is not None and abs(100 * line["target"] - number(found["target"])) <= 0.5001)


def is_grade(line: dict[str, Any], found: re.Match[str]) -> bool:
    """Whether a figure is written like that, with one decimal."""
    if line["low"] is None or line["n"] != int(found["n"]):
        return False
    return all(abs(line[name] - number(found[name])) <= 0.05001 for name in ("value", "low", "high"))


@again
def test_the_channels_of_now_are_those_of_the_commands(screens: Screens) -> None:
    opened_now = {line["channel"]: line for line in screens.told("measures")["open"]}
    expected = {line["channel"]: line for line in screens.told_at("measures")["expected"]}  # depends on the time of the day
    volume = {line["group"]: line["n"] for line in screens.figures if (line["measure"], line["period"]) == ("volume", "24h")}
    channels = screens.rows("now", "Kanalen")
    assert {row["channel"] for row in channels} == set(volume)
    for row in channels:
        channel = row["channel"]
        assert row["contacts"] == volume[channel], channel
        now = opened_now.get(channel) or dict.fromkeys(("waiting", "open", "stale", "overdue", "late_today"), 0)
        assert row["open"] == now["open"] - now["stale"], channel
        for name in ("waiting", "overdue", "late_today"):
            assert row[name] == now[name], (channel, name)
        one, found = expected[channel], EXPECTED.fullmatch(row["expected"])
        assert (found is None) == (one["expected"] is None), channel
        if found is not None:
            for name, shown in (("expected", "value"), ("expected_low", "low"), ("expected_high", "high")):
                assert abs(one[name] - number(found[shown])) <= 0.5001, (channel, name)


@again
def test_the_counts_of_now_are_those_of_all_channels(screens: Screens) -> None:
    row = screens.row("now", "Nu")
    (whole,) = [line for line in screens.told("measures")["open"] if not line["channel"]]
    assert row["open"] == whole["open"] - whole["stale"]
    for name in ("waiting", "overdue", "late_today"):
        assert row[name] == whole[name], name
    assert row["callbacks"] == whole["callbacks_to_do"]
    incidents = screens.told("incident", "list", screens.town.name)
    assert row["incidents"] == sum(one["worse"] for one in incidents)


@again
def test_what_is_late_is_what_the_command_lists(screens: Screens) -> None:
    told = screens.told("open")
    rows = screens.rows("now", "Te laat, en vandaag te laat")  # 25 of each at most
    for section, late in (("overdue", True), ("today", False)):
        shown = {row["which"] for row in rows if row["late"].startswith("◷") == late}
        meant = {one["contact"] for one in told[section]}
        assert len(shown) >= min(len(meant), 25)
        assert shown <= meant | {one["contact"] for one in told["overdue"]}
