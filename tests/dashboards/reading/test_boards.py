"""Boards read back from their files."""

import json
from typing import Any

import pytest

from dashboards.reading.boards import BoardError, Place, board, boards, read
from schemas.words import Language

CLICKHOUSE = {"type": "grafana-clickhouse-datasource", "uid": "contactmeter"}


def content(**changes: Any) -> dict[str, Any]:
    """A small board as Grafana stores it."""
    asked = {"refId": "A", "datasource": CLICKHOUSE, "rawSql": "SELECT 1", "format": 1}
    metric = {"refId": "B", "expr": "up", "legendFormat": "{{job}}"}
    place = {"x": 12, "y": 1, "w": 12, "h": 8}
    panels = [
        {"id": 1, "type": "row", "title": "Kop", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}, "panels": [
            {"id": 2, "type": "table", "title": "Nu", "gridPos": place, "targets": [asked, {**asked, "refId": "C", "format": 0}],
             "fieldConfig": {"defaults": {"unit": "s"}, "overrides": [{"matcher": {"id": "byName", "options": "a"}, "properties": []}]}},
        ]},
        {"id": 3, "type": "timeseries", "gridPos": place, "datasource": {"type": "prometheus", "uid": "x"},
         "targets": [metric, {**metric, "hide": True}]},
    ]  # fmt: skip
    variables = [
        {"type": "query", "name": "organisation", "label": "Organisatie", "query": "SELECT 1, 2"},
        {
            "type": "custom",
            "name": "window",
            "query": "1h,1d",
            "current": {"value": "1h", "text": "1 uur"},
            "options": [{"value": "1h", "text": "1 uur"}],
        },
    ]
    whole = {"uid": "contactmeter-now-nl", "title": "Nu", "time": {"from": "now-24h", "to": "now"}, "refresh": "10s", "timezone": "browser"}
    marks = [{"name": "Incidenten", "iconColor": "#D55E00", "datasource": CLICKHOUSE, "enable": True, "target": asked}]
    return {**whole, "panels": panels, "annotations": {"list": marks}, "templating": {"list": variables}, **changes}


def test_a_board_is_read() -> None:
    found = read(json.dumps(content()), "now.json")
    assert (found.uid, found.name, found.language, found.begin, found.end, found.refresh) == (
        "contactmeter-now-nl", "now", "nl", "now-24h", "now", "10s",
    )  # fmt: skip
    assert [(panel.id, panel.type) for panel in found.panels] == [(1, "row"), (2, "table"), (3, "timeseries")]
    table = found.panel(2)
    assert (table.title, table.place, table.defaults["unit"], len(table.overrides)) == ("Nu", Place(12, 1, 12, 8), "s", 1)
    assert [(query.ref, query.text, query.series) for query in table.queries] == [("A", "SELECT 1", False), ("C", "SELECT 1", True)]
    assert [(panel.id, query.text, query.legend) for panel, query in found.asked("prometheus")] == [(3, "up", "{{job}}")]
    assert [(mark.name, mark.colour, mark.query.text) for mark in found.marks] == [("Incidenten", "#D55E00", "SELECT 1")]
    first, second = found.variables
    assert (first.sql, first.options, first.value) == ("SELECT 1, 2", (), "")
    assert (second.sql, second.options, second.value, second.text) == ("", (("1h", "1 uur"),), "1h", "1 uur")
    with pytest.raises(KeyError):
        found.panel(9)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"uid": "other"}, "its uid is 'other', not contactmeter-<name>-<language>"),
        ({"uid": "contactmeter-now-de"}, "its uid is 'contactmeter-now-de'"),
        ({"title": None, "time": {}}, "'from' is missing"),
        ({"panels": [{"id": 1, "type": "text"}]}, "'gridPos' is missing"),
        ({"panels": content()["panels"] * 2}, "two panels have the same id"),
        ({"templating": {"list": [{"type": "query", "name": "team", "includeAll": True}]}}, "variable 'team' has Grafana's own 'all'"),
        ({"templating": {"list": [{"type": "query", "name": "team", "multi": True}]}}, "variable 'team' takes several values"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BoardError) as raised:
        read(json.dumps(content(**changes)), "boards/nl/now.json")
    assert str(raised.value).startswith("boards/nl/now.json is not a board that contactmeter wrote: ")
    assert said in str(raised.value)
    assert "python -m dashboards.generate" in str(raised.value)


def test_a_panel_that_asks_elsewhere_is_named() -> None:
    whole = content()
    whole["panels"][1]["datasource"]["type"] = "loki"
    with pytest.raises(BoardError, match=r"panel 3 \(''\): it asks a data source of type 'loki'"):
        read(json.dumps(whole), "now.json")
    with pytest.raises(BoardError, match=r"now\.json is no JSON"):
        read("{", "now.json")


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_generated_boards_are_read(language: Language) -> None:
    found = boards(language)
    assert all(uid == f"contactmeter-{one.name}-{language}" and one.panels for uid, one in found.items())
    assert "now" in {one.name for one in found.values()}
    assert board(f"contactmeter-now-{language}") is found[f"contactmeter-now-{language}"]
    with pytest.raises(KeyError):
        board(f"contactmeter-nothing-{language}")


def test_both_languages_have_the_same_boards_with_the_same_panels() -> None:
    shapes = [
        {one.name: [(panel.id, panel.type, panel.place) for panel in one.panels] for one in boards(language).values()}
        for language in ("nl", "en")
    ]
    assert shapes[0] == shapes[1]
