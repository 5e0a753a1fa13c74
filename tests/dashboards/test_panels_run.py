"""Every question of every generated board runs as a board's user, and answers with the columns that its panel shows."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest
import yaml
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from dashboards.reading.answering import Asked
from dashboards.reading.boards import Board, Panel, Query, boards
from dashboards.reading.macros import Span
from dashboards.reading.times import span_of
from dashboards.words import LANGUAGES
from pipeline.store.boards_reading import kind_of
from tests.dashboards.towns import Town, minute

BOARDS = {uid: board for language in LANGUAGES for uid, board in boards(language).items()}
MAY_BE_EMPTY = {
    "Today by hour, and as usual",
    "Today by the hour",
    "By quarter of an hour, around now",
    "Odd data",
    "Open too long",
}
"""Panels, by their English titles, of what the simulated town does not have, or has in opening hours only: tests run at any time."""
NAMES = sorted({board.name for board in BOARDS.values()})
FIELD = re.compile(r"\$\{__data\.fields\.([^:}]+)[:}]")


@dataclass(frozen=True)
class Answer:
    """Columns by name, with their kinds (time, number, boolean, string) and values."""

    kinds: Mapping[str, str]
    rows: list[tuple[Any, ...]]

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        place = list(self.kinds).index(name)
        return [row[place] for row in self.rows]

    def of_kind(self, *kinds: str) -> list[str]:
        """The names of the columns of these kinds."""
        return [name for name, kind in self.kinds.items() if kind in kinds]


def ask(client: Client, text: str, chosen: Mapping[str, str], span: Span) -> Answer:
    """A board's question as it is asked over a span."""
    sql = Asked(span, 400, chosen).sql(text)
    found = json.loads(client.raw_query(sql, fmt="JSONCompact"))  # tells columns also where there are no rows
    names = [str(one["name"]) for one in found["meta"]]
    assert len(set(names)) == len(names), f"two columns have the same name: {names}"
    kinds = {name: kind_of(str(one["type"])) for name, one in zip(names, found["meta"], strict=True)}
    return Answer(kinds, [tuple(row) for row in found["data"]])


def opened(client: Client, board: Board, span: Span, last: bool = False) -> dict[str, str]:
    """What is chosen when a board is opened; `last`: the last option of every variable but the organisation instead."""
    chosen: dict[str, str] = {}
    for variable in board.variables:
        options = [value for value, _ in variable.options]
        if variable.sql:
            answer = ask(client, variable.sql, chosen, span)
            assert len(answer.kinds) == 2, f"variable {variable.name} must ask for a value and a text"
            options = [str(row[0]) for row in answer.rows]
        assert variable.value in ("", *options), f"variable {variable.name} begins with {variable.value!r}, which is no option"
        first = variable.value or (options[0] if options else "")
        chosen[variable.name] = options[-1] if last and options and variable.name != "organisation" else first
    return chosen


def span_shown(board: Board) -> Span:
    """The span that a board shows at first."""
    return span_of(board.begin, board.end, minute(), board.zone)


def asked(client: Client, board: Board, chosen: Mapping[str, str]) -> Iterator[tuple[Panel, Query, Answer]]:
    """Every question of a board to ClickHouse with its answer."""
    for panel, query in board.asked():
        try:
            yield panel, query, ask(client, query.text, chosen, span_shown(board))
        except ClickHouseError as error:
            raise AssertionError(f"{board.uid}, panel {panel.id} ({panel.title}), {chosen}: {error}") from error


def wrong(panel: Panel, query: Query, answer: Answer) -> list[str]:
    """What the panel needs and the answer does not have."""
    texts = answer.of_kind("string", "boolean")
    numbers = answer.of_kind("number")
    # Lines that texts name: Grafana finds them by the text, and there is none in an empty answer.
    lines = {str(value) for name in texts for value in answer.column(name)} if query.series else set()
    shown = set(answer.kinds) | lines
    unknown = not answer.rows and query.series and bool(texts)
    found = []
    for override in panel.overrides:
        name = override["matcher"]["options"]
        if override["matcher"]["id"] == "byName" and name not in shown and not unknown:
            found.append(f"says how {name!r} is shown, which is not among {sorted(shown)}")
        for link in (one for each in override["properties"] if each["id"] == "links" for one in each["value"]):
            found += [f"links with {name!r}, which is no column" for name in FIELD.findall(link["url"]) if name not in answer.kinds]
    for option in ("xField", "colorByField", "labelName"):
        name = panel.options.get(option)
        if name and name not in answer.kinds:
            found.append(f"{option} is {name!r}, which is no column")
    if query.series:
        times = answer.of_kind("time")
        if not times or not (numbers or texts):
            found.append(f"is a series, with columns {dict(answer.kinds)}")
        elif answer.column(times[0]) != sorted(answer.column(times[0])):
            found.append("is a series that does not go on in time")
    if panel.type in ("stat", "gauge") and not query.series and len(answer.rows) > 1:
        found.append(f"shows one row, and gets {len(answer.rows)}")
    if panel.type in ("gauge", "timeseries", "barchart", "heatmap") and not numbers:
        found.append(f"draws numbers, and gets {dict(answer.kinds)}")
    return [f"panel {panel.id} ({panel.title}) {one}" for one in found]


def swept(client: Client, board: Board, chosen: Mapping[str, str]) -> list[tuple[int, int, int]]:
    """Ask a whole board, its marks included, and see that nothing is wrong with the answers. Tells columns and rows by panel."""
    answers = list(asked(client, board, chosen))
    assert [said for panel, query, answer in answers for said in wrong(panel, query, answer)] == []
    for mark in board.marks:
        kinds = ask(client, mark.query.text, chosen, span_shown(board)).kinds
        assert list(kinds) == ["time", "timeEnd", "title", "text"], mark.name
        assert (kinds["time"], kinds["title"], kinds["text"]) == ("time", "string", "string"), mark.name
    return [(panel.id, len(answer.kinds), len(answer.rows)) for panel, _, answer in answers]


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_gets_the_columns_it_shows_and_is_not_empty(full_town: Town, name: str) -> None:
    shapes = []
    with full_town.reader() as client:
        for language in LANGUAGES:
            board = BOARDS[f"contactmeter-{name}-{language}"]
            chosen = opened(client, board, span_shown(board))
            assert chosen.get("organisation", full_town.name) == full_town.name
            shapes.append(swept(client, board, chosen))
        empty = {panel for panel, _, rows in shapes[-1] if not rows} - {one.id for one in board.panels if one.title in MAY_BE_EMPTY}
        for other in ({"channel": "telephone"}, {"channel": "email"}, {"instrument": "burgerpeiling:1"}):  # no panel is about none of these
            if empty and other.keys() <= chosen.keys():
                empty &= {panel.id for panel, _, answer in asked(client, board, chosen | other) if not answer.rows}
    assert shapes[0] == shapes[1]
    assert [panel.title for panel in board.panels if panel.id in empty] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_last_of_every_choice_is_no_error(full_town: Town, name: str) -> None:
    board = BOARDS[f"contactmeter-{name}-nl"]
    with full_town.reader() as client:
        swept(client, board, opened(client, board, span_shown(board), last=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_town_without_contacts_is_no_error(empty_town: Town, name: str) -> None:
    board = BOARDS[f"contactmeter-{name}-nl"]
    with empty_town.reader() as client:
        swept(client, board, opened(client, board, span_shown(board)))


@pytest.mark.parametrize("name", NAMES)
def test_an_organisation_that_the_user_may_not_see_is_no_error(full_town: Town, name: str) -> None:
    board = BOARDS[f"contactmeter-{name}-nl"]
    chosen = {variable.name: variable.value for variable in board.variables} | {"organisation": "o'brien\\"}
    with full_town.reader() as client:
        for panel, query, answer in asked(client, board, chosen):
            texts = [value for row in answer.rows for value in row if isinstance(value, str)]
            assert wrong(panel, query, answer) == []
            assert not any("telefoon" in text.lower() for text in texts), f"panel {panel.id} tells of another organisation: {texts}"
        assert [mark.name for mark in board.marks if ask(client, mark.query.text, chosen, span_shown(board)).rows] == []


def alert_questions() -> dict[str, str]:
    """The SQL of every alert rule as Grafana is given it."""
    text = files("dashboards").joinpath("generated", "alerting", "grafana", "rules.yaml").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    return {rule["uid"]: part["model"]["rawSql"] for rule in rules for part in rule["data"] if "rawSql" in part["model"]}


ALERTS = alert_questions()


@pytest.mark.parametrize("uid", ALERTS)
def test_every_alert_rule_asks_for_one_number_and_labels(full_town: Town, empty_town: Town, uid: str) -> None:
    span = Span(minute() - 600_000, minute())
    for town in (full_town, empty_town):
        with town.reader() as client:
            answer = ask(client, ALERTS[uid], {}, span)
        assert answer.of_kind("number") == ["value"], f"{uid}: Grafana takes every number of a table for a value"
        assert set(answer.kinds.values()) <= {"number", "string"}, f"{uid}: labels are texts"
        labels = [tuple(value for name, value in zip(answer.kinds, row, strict=True) if name != "value") for row in answer.rows]
        assert len(set(labels)) == len(labels), f"{uid}: two rows of the same instance"
