"""The board over HTTP: whom it answers, what it refuses, and that a reader's values stay values."""

import json
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from dashboards.reading.boards import board, boards
from deploy.local.network import LOOPBACK
from tests.dashboards.board.conftest import Served
from tests.dashboards.towns import TOWN

PANELS = "/api/boards/contactmeter-fixture-nl/panels"
FROM_HERE = {"X-Contactmeter": "board", "Content-Type": "application/json"}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def content(self) -> Any:
        return json.loads(self.text)


def ask(served: Served, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
    """One request, as given: no client that tidies it up."""
    connection = HTTPConnection(LOOPBACK, served.port, timeout=30)
    try:
        connection.request(method, path, body, {one.replace("_", "-"): text for one, text in headers.items()})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read().decode())
    finally:
        connection.close()


def values(served: Served, panel: int, **query: str) -> list[Any]:
    """The first column of a panel's answer; [] for no rows."""
    asked = urlencode({"var-organisation": TOWN, **{name.replace("var_", "var-"): text for name, text in query.items()}})
    answer = ask(served, f"{PANELS}/{panel}?{asked}")
    assert answer.status == 200, answer.text
    frame = answer.content["frames"][0]
    return list(frame[0]["values"]) if frame else []


def test_every_answer_forbids_what_a_page_does_not_need(served: Served) -> None:
    for path in ("/", "/d/contactmeter-now-nl", "/health", "/d/none", "/static/board.js", "/api/alerts?organisation=x", "/nowhere"):
        headers = ask(served, path).headers
        assert "default-src 'none'; script-src 'self';" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "same-origin")


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{8790}", f"{LOOPBACK}.evil.example"])
def test_it_answers_to_its_own_name_only(served: Served, host: str) -> None:
    assert ask(served, "/api/boards/contactmeter-now-nl", Host=host).status == 421


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**FROM_HERE},
        {**FROM_HERE, "Origin": "https://evil.example"},
        {"Content-Type": "application/json", "Origin": "here"},
        {"X-Contactmeter": "board", "Content-Type": "text/plain", "Origin": "here"},
    ],
)
def test_only_its_own_page_may_say_that_an_incident_is_seen(served: Served, headers: dict[str, str]) -> None:
    given = {name: served.url if text == "here" else text for name, text in headers.items()}
    before = list(served.seen)
    assert ask(served, f"/api/incidents/{TOWN}/x/seen", "POST", '{"who": "Jan"}', **given).status == 403
    assert served.seen == before


@pytest.mark.parametrize(
    ("body", "says"), [('{"who": " "}', "Zeg wie u bent"), ("[]", "Zeg wie u bent"), ('{"who": "Jan"}', "wacht op niemand"), ("{", "")]
)
def test_what_is_said_of_no_incident_is_refused_in_words(served: Served, body: str, says: str) -> None:
    answer = ask(served, f"/api/incidents/{TOWN}/none/seen", "POST", body, Origin=served.url, **FROM_HERE)
    assert answer.status == 422
    assert says in answer.content["problem"]


@pytest.mark.parametrize("value", ["'", "\\' OR 1 = 1 --", "x' UNION ALL SELECT 1", "\\", "${organisation}", "$__fromTime", "*/"])
def test_a_value_never_becomes_sql(served: Served, value: str) -> None:
    assert values(served, 3, var_team=value) == []
    assert values(served, 3, var_team="*") != []


def test_the_sql_and_where_it_goes_stay_on_the_server(served: Served) -> None:
    answer = ask(served, "/api/boards/contactmeter-now-nl")
    assert answer.status == 200
    assert "SELECT" not in answer.text
    assert values(served, 3, rawSql="SELECT 1", sql="SELECT 1") == values(served, 3)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/d/contactmeter-none-nl", 404),
        ("/api/boards/contactmeter-now-nl/panels/999", 404),
        ("/api/boards/contactmeter-now-nl/panels/one", 404),
        ("/static/page.html", 404),
        ("/static/", 403),
        ("/public/contactmeter/operations.html", 200),
        ("/public/contactmeter/../boards/nl/now.json", 404),
        ("/static/..%2fserver.py", 404),
        ("/static/none.js", 404),
        (f"{PANELS}/3?from=yesterday", 422),
        (f"{PANELS}/3?from=now&to=now-1h", 422),
        (f"{PANELS}/3?points=many", 422),
        (f"{PANELS}/12?from=now-1h", 422),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_said(served: Served, path: str, status: int) -> None:
    answer = ask(served, path)
    assert answer.status == status
    assert "Traceback" not in answer.text


def test_errors_are_in_the_language_of_the_page(served: Served) -> None:
    assert "weigert deze vraag" in ask(served, f"{PANELS}/12").content["problem"]
    assert "refuses this question" in ask(served, f"{PANELS.replace('-nl', '-en')}/12").content["problem"]


def test_the_viewer_draws_all_that_the_boards_are_made_of() -> None:
    """It knows part of Grafana only: what a board begins to use is to be drawn here too."""
    known = {
        "type": {"row", "stat", "gauge", "timeseries", "barchart", "table", "heatmap", "state-timeline", "text"},
        "matcher": {"byName", "byRegexp"},
        "mapping": {"regex"},
        "unit": {"short", "percentunit", "s"},
        "cell": {"color-background", "gauge"},
        "color": {"fixed", "continuous-blues", "palette-classic-by-name"},
        "calc": {"lastNotNull"},
        "threshold": {"absolute"},
        "property": {
            "displayName", "unit", "decimals", "mappings", "links", "color", "min", "max", "noValue", "thresholds", "custom.width",
            "custom.hidden", "custom.cellOptions", "custom.lineWidth", "custom.lineStyle", "custom.fillBelowTo", "custom.fillOpacity",
            "custom.drawStyle", "custom.showPoints", "custom.spanNulls",
        },
    }  # fmt: skip
    used: dict[str, set[str]] = {kind: set() for kind in known}
    for panel in (one for uid in boards("nl") for one in board(uid).panels):
        config = {**panel.defaults, **{f"custom.{name}": value for name, value in panel.defaults.get("custom", {}).items()}}
        properties = [(one["id"], one["value"]) for override in panel.overrides for one in override["properties"]]
        used["type"].add(panel.type)
        used["matcher"] |= {override["matcher"]["id"] for override in panel.overrides}
        used["calc"] |= set(panel.options.get("reduceOptions", {}).get("calcs", []))
        for name, value in [*((name, value) for name, value in config.items() if name != "custom"), *properties]:
            used["property"].add(name)
            used["mapping"] |= {one["type"] for one in value} if name == "mappings" else set()
            used["unit"] |= {value} if name == "unit" else set()
            used["cell"] |= {value["type"]} if name == "custom.cellOptions" else set()
            used["color"] |= {value["mode"]} if name == "color" else set()
            used["threshold"] |= {value["mode"]} if name == "thresholds" else set()
    assert {kind: names - known[kind] for kind, names in used.items() if names - known[kind]} == {}
