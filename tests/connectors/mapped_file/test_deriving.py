"""Rows that belong together, rows that stand for many, rows left out, rows with a wrong clock."""

import random
from pathlib import Path
from typing import Any

import pytest

from connectors.mapped_file.jumps import Jumps
from connectors.mapped_file.mapping import Mapping
from connectors.protocol import WireEvent
from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from tests.connectors.mapped import csv_file, read_all

DAY_MS = 86_400_000
HEAD = """
mapping: moved
organisation: leiden
source: urn:nld:oin:00000000000000000000:systeem:desk
system: desk
times: {zone: Europe/Amsterdam, formats: [iso, "%Y-%m-%d"]}
"""
MOVED = (
    HEAD
    + """
contact: created
groups:
  seen: {by: created, order: [first, id]}
events:
  - type: contact.opened
    when: [{column: seen.number, equals: "1"}]
    at: created
    data: {channel: {value: public_space}, product: category}
  - type: contact.corrected
    when: [{column: seen.number, not_in: ["1"]}]
    at: {columns: first, time: "23:59"}
    per: [id]
    data: {product: category}
  - type: contact.closed
    when: [{column: seen.last, equals: "yes"}, {column: gone, not_before: first}]
    at: {columns: gone, days: 1, time: "08:30"}
"""
)
REPORTS = [
    "a,2026-05-20T09:00:00,2026-05-20,2026-05-22,Afval",
    "b,2026-05-20T09:00:00,2026-05-22,2026-05-24,Groen",
    "c,2026-05-20T09:00:00,2026-05-24,2026-05-29,Wegen",
    "d,2026-05-21T09:00:00,2026-05-21,,Afval",
    "e,2026-05-23T09:00:00,2026-05-23,2026-05-20,Afval",
]
TOTALS = (
    HEAD
    + """
expand: {count: n, share: unhappy}
leave_out:
  - {name: nobody, when: [{column: n, in: ["0"]}], because: nobody answered}
tables: {satisfied: {values: {"yes": 0, "no": 1}}, aspect: {values: {Snelheid: speed}}}
events:
  - type: survey.answered
    at: day
    item: {aspect: {column: item, table: aspect}, value: {column: expand.hit, table: satisfied}}
    data:
      answer: [item, expand.number]
      revision: 0
      status: {value: complete}
      instrument: {value: totals}
      version: 1
"""
)


def by(text: str) -> Mapping:
    return yamlfile.loads(text, Mapping, "mapping.yaml")


def said(events: list[WireEvent]) -> list[tuple[str, str, Any]]:
    return sorted((event["data"]["occurred_at"], event["type"].rsplit(".", 1)[1], event["data"].get("product")) for event in events)


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_one_contact_know_each_other_in_any_order(tmp_path: Path, seed: int) -> None:
    lines = random.Random(seed).sample(REPORTS, len(REPORTS))
    events, problems, connector = read_all(csv_file(tmp_path / "a.csv", lines, "id,created,first,gone,category"), by(MOVED))
    assert problems == []
    assert said(events) == [
        ("2026-05-20T07:00:00.000Z", "opened", "Afval"),
        ("2026-05-21T07:00:00.000Z", "opened", "Afval"),
        ("2026-05-22T21:59:00.000Z", "corrected", "Groen"),
        ("2026-05-23T07:00:00.000Z", "opened", "Afval"),
        ("2026-05-24T21:59:00.000Z", "corrected", "Wegen"),
        ("2026-05-30T06:30:00.000Z", "closed", None),
    ]
    assert len({event["id"] for event in events}) == 6
    assert connector.tally.silent == 0


def test_rows_left_out_are_in_no_group(tmp_path: Path) -> None:
    rule = 'leave_out: [{name: first-day, when: [{column: first, in: ["2026-05-20"]}], because: a test}]\n'
    path = csv_file(tmp_path / "a.csv", REPORTS, "id,created,first,gone,category")
    events, _, connector = read_all(path, by(MOVED + rule))
    assert ("2026-05-20T07:00:00.000Z", "opened", "Groen") in said(events)
    assert connector.tally.left_out == {"first-day": 1}


def test_a_row_stands_for_many_answers(tmp_path: Path) -> None:
    lines = ["Snelheid,2026-05-20T09:00:00,8,0.31", "Snelheid,2026-05-21T09:00:00,0,0.06"]
    events, problems, connector = read_all(csv_file(tmp_path / "a.csv", lines, "item,day,n,unhappy"), by(TOTALS))
    assert problems == []
    assert [event["data"]["items"]["speed"] for event in events] == [0, 0, 1, 1, 1, 1, 1, 1], "2.48 of 8 are 2"
    assert [event["data"]["answer"] for event in events][:2] == ["Snelheid 1", "Snelheid 2"]
    assert (len({event["id"] for event in events}), connector.tally.left_out, connector.tally.rows) == (8, {"nobody": 1}, 2)


@pytest.mark.parametrize(
    ("share", "n", "expected"), [("0.5", "1", 1), ("0.25", "2", 1), ("0.02", "45", 1), ("0", "3", 0), ("1", "3", 3), ("50%", "4", 2)]
)
def test_shares_of_whole_answers(tmp_path: Path, share: str, n: str, expected: int) -> None:
    events, _, _ = read_all(csv_file(tmp_path / "a.csv", [f"Snelheid,2026-05-20T09:00:00,{n},{share}"], "item,day,n,unhappy"), by(TOTALS))
    assert sum(event["data"]["items"]["speed"] == 0 for event in events) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Snelheid,2026-05-20T09:00:00,,0.5", "'' is not a whole number"),
        ("Snelheid,2026-05-20T09:00:00,2.5,0.5", "'2.5' is no whole number from 0 to"),
        ("Snelheid,2026-05-20T09:00:00,3,5", "'5' is no share from 0 to 1"),
        ("Snelheid,2026-05-20T09:00:00,3,few", "'few' is not a share"),
        ("Prijs,2026-05-20T09:00:00,3,0.5", "'Prijs' is not in table aspect"),
    ],
)
def test_totals_that_are_refused(tmp_path: Path, line: str, message: str) -> None:
    events, problems, _ = read_all(csv_file(tmp_path / "a.csv", [line], "item,day,n,unhappy"), by(TOTALS))
    assert events == []
    assert message in problems[0].message


CLOCKS = """
clocks:
  - {name: iso-week, when: [{column: id, in: [b]}, {column: first, equals: "2026-05-22"}], because: a year ahead, shift: {years: -1}}
  - {name: summer, when: [{column: id, equals: d}], because: set to summer time, shift: {minutes: -60}}
"""


def test_declared_corrections_move_every_time_of_a_row(tmp_path: Path) -> None:
    text = MOVED.replace("groups:\n  seen: {by: created, order: [first, id]}\n", "").replace(
        'when: [{column: seen.number, equals: "1"}]\n    ', ""
    )
    start, end = text.index("  - type: contact.corrected"), text.index("  - type: contact.closed")
    text = text[:start] + text[end:].replace('{column: seen.last, equals: "yes"}, ', "") + CLOCKS
    path = csv_file(tmp_path / "a.csv", REPORTS[1:4:2], "id,created,first,gone,category")
    events, problems, connector = read_all(path, by(text))
    assert problems == []
    assert said(events) == [
        ("2025-05-20T07:00:00.000Z", "opened", "Groen"),
        ("2025-05-25T06:30:00.000Z", "closed", None),
        ("2026-05-21T06:00:00.000Z", "opened", "Afval"),
    ]
    assert connector.tally.corrected == {"iso-week": 1, "summer": 1}


def test_a_shift_that_hits_no_day(tmp_path: Path) -> None:
    text = MOVED + "clocks: [{name: leap, when: [{column: id, empty: false}], because: a test, shift: {years: -1}}]\n"
    _, problems, _ = read_all(
        csv_file(tmp_path / "a.csv", ["a,2024-02-29T09:00:00,2024-02-29,,x"], "id,created,first,gone,category"), by(text)
    )
    assert "can't be moved by -1 years" in problems[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            MOVED + "leave_out: [{name: x, when: [{column: seen.last, equals: no}], because: y}]\n",
            "'seen.last' is made later than it is used",
        ),
        (
            TOTALS + "clocks: [{name: x, when: [{column: expand.hit, equals: no}], because: y, shift: {days: 1}}]\n",
            "'expand.hit' is made later",
        ),
        (MOVED + "clocks: [{name: x, when: [{column: id, empty: true}], because: y, shift: {}}]\n", "say how far the times move"),
        (
            MOVED + CLOCKS + "leave_out: [{name: summer, when: [{column: id, empty: true}], because: y}]\n",
            "two rules under leave_out and clocks have one name",
        ),
        (TOTALS.replace("    item: {", "    when: [{column: n, before: day, empty: true}]\n    item: {"), "a condition has exactly one of"),
        (
            TOTALS.replace("      revision: 0\n", "      revision: 0\n      items: {speed: n}\n"),
            "`item` is for survey.answered, in place of",
        ),
    ],
)
def test_mappings_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        by(text.replace("equals: no}", 'equals: "no"}'))


def warned(times: list[int]) -> list[str]:
    jumps = Jumps()
    for line, at in enumerate(times, start=2):
        jumps.see(line, at)
    return jumps.warnings()


def test_a_clock_years_off_is_noticed() -> None:
    times = [1_577_000_000_000 + 60_000 * number for number in range(2_000)]
    assert warned(times) == []
    assert warned(times[::-1]) == [], "newest first is an order too"
    ahead = [at + 366 * DAY_MS if number % 10 == 3 else at for number, at in enumerate(times)]
    (warning,) = warned(ahead)
    assert "200 rows, the first on line 5, lie about 366 days after the rows around them: is a clock wrong?" in warning
    both = [times[number] - 2_880 * DAY_MS if number % 7 == 0 else at for number, at in enumerate(ahead)]
    assert [text.split(" the rows around")[0].rsplit(" ", 1)[1] for text in warned(both)] == ["before", "after"]


def test_nothing_is_said_of_a_file_in_no_order_nor_of_a_few_late_rows() -> None:
    times = [1_577_000_000_000 + 3_600_000 * number for number in range(5_000)]
    assert warned(random.Random(1).sample(times, len(times))) == []
    assert warned(times[:400]) == [], "too few rows to tell"
    assert warned([*times, times[0], times[1]]) == []
