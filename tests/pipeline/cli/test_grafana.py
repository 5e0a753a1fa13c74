"""`grafana check` against a stand-in: a small server that answers as Grafana's HTTP API does for these calls. It is not Grafana."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dashboards.reading.boards import boards
from dashboards.words import LANGUAGES
from pipeline.cli import program
from pipeline.cli.grafana import _our_rules

TOKEN = "glsa_secret"
OURS = {uid: board for language in LANGUAGES for uid, board in boards(language).items()}
SOURCES = {"contactmeter": "grafana-clickhouse-datasource", "contactmeter-prometheus": "prometheus"}


class StandIn(ThreadingHTTPServer):
    """What it is asked, and what it answers: change that before asking."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.authorization = f"Bearer {TOKEN}"
        self.health: dict[str, Any] = {"database": "ok", "version": "13.2.0"}
        self.sources = dict(SOURCES)
        self.boards = {uid: dict(board.content) for uid, board in OURS.items()}
        self.rules: list[dict[str, Any]] = [
            {"uid": rule["uid"], "name": rule["title"], "health": "ok", "state": "inactive"} for rule in _our_rules()
        ]
        self.moved_to = ""
        self.refused: dict[str, str] = {}
        """What a question must hold to be refused, and why."""
        self.nothing: list[str] = []
        """What a question must hold to get no rows."""
        self.asked: list[dict[str, Any]] = []
        self.imported: list[str] = []

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        *_, last = path.split("/")
        if path == "/api/health":
            return 200, self.health
        if path.startswith("/api/datasources/uid/"):
            return (200, {"uid": last, "type": self.sources[last]}) if last in self.sources else (404, {"message": "Data source not found"})
        if path.startswith("/api/dashboards/uid/"):
            return (200, {"dashboard": self.boards[last], "meta": {}}) if last in self.boards else (404, {"message": "Dashboard not found"})
        if path == "/api/v1/provisioning/alert-rules":
            return 200, [{"uid": rule["uid"], "title": rule["name"]} for rule in self.rules]
        if path == "/api/prometheus/grafana/api/v1/rules":
            return 200, {"status": "success", "data": {"groups": [{"name": "contactmeter", "rules": self.rules}]}}
        if (method, path) == ("POST", "/api/dashboards/db"):
            self.imported.append(body["dashboard"]["uid"])
            return 200, {"status": "success", "uid": body["dashboard"]["uid"]}
        if (method, path) == ("POST", "/api/ds/query"):
            return self._query(body)
        return 404, {"message": "Not found"}

    def _query(self, body: dict[str, Any]) -> tuple[int, Any]:
        (query,) = body["queries"]
        self.asked.append({**query, "from": body["from"], "to": body["to"]})
        text = query.get("rawSql") or query["expr"]
        for part, why in self.refused.items():
            if part in text:
                return 400, {"results": {query["refId"]: {"status": 400, "error": why}}}
        values: list[list[Any]] = [[], []] if any(part in text for part in self.nothing) else [["blauwestad", "x"], ["Blauwestad", "y"]]
        fields = [{"name": "value", "type": "string"}, {"name": "text", "type": "string"}]
        return 200, {"results": {query["refId"]: {"status": 200, "frames": [{"schema": {"fields": fields}, "data": {"values": values}}]}}}


class Handler(BaseHTTPRequestHandler):
    """One call."""

    server: StandIn

    def do_GET(self) -> None:
        self._answer("GET", {})

    def do_POST(self) -> None:
        self._answer("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, method: str, body: dict[str, Any]) -> None:
        if self.server.moved_to:
            self.send_response(302)
            self.send_header("Location", self.server.moved_to)
            self.end_headers()
            return
        told = self.headers["Authorization"] == self.server.authorization
        status, answer = self.server.answer(method, self.path, body) if told else (401, {"message": "Invalid API key"})
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def grafana() -> Iterator[StandIn]:
    with StandIn() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def check(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(program("grafana"), ["grafana", "check", *map(str, arguments)])
    assert TOKEN not in done.output
    return done.exit_code, done.output


def test_a_grafana_that_has_everything_answers_every_panel(grafana: StandIn, token: Path) -> None:
    code, output = check("--url", f"{grafana.url}/", "--token-file", token, "--json")
    told = json.loads(output)
    assert code == 0, output
    assert {finding["level"] for finding in told["findings"]} == {"ok"}
    questions = {uid: sum(len(panel.queries) for panel in board.panels) + len(board.marks) for uid, board in OURS.items()}
    assert {tally["board"]: (tally["asked"], tally["answered"]) for tally in told["boards"]} == {
        uid: (n, n) for uid, n in questions.items()
    }
    assert not any(tally["empty"] or tally["errors"] for tally in told["boards"])
    assert grafana.imported == []


def test_questions_go_as_a_page_sends_them(grafana: StandIn, token: Path) -> None:
    assert check("--url", grafana.url, "--token-file", token, "--since", "2h")[0] == 0
    sql = [asked["rawSql"] for asked in grafana.asked if "rawSql" in asked]
    assert any("organisation = 'blauwestad'" in text for text in sql), "the first organisation that the data source sees"
    assert not [text for text in sql if "${" in text], "variables are written out"
    macros = any("$__" in query.text for board in OURS.values() for _, query in board.asked())
    assert any("$__" in text for text in sql) == macros, "macros are the plugin's to expand"
    for asked in grafana.asked:
        assert int(asked["to"]) - int(asked["from"]) == 7_200_000
        assert asked["intervalMs"] == 20_000
        assert asked["datasource"] == {"type": SOURCES[asked["datasource"]["uid"]], "uid": asked["datasource"]["uid"]}
    assert {asked["format"] for asked in grafana.asked if "rawSql" in asked} <= {0, 1}


def test_an_organisation_may_be_named(grafana: StandIn, token: Path) -> None:
    assert check("--url", grafana.url, "--token-file", token, "--organisation", "o'brien")[0] == 0
    assert any("organisation = 'o''brien'" in asked.get("rawSql", "") for asked in grafana.asked)


def test_what_is_wrong_is_told_with_its_panel_and_what_to_do(grafana: StandIn, token: Path) -> None:
    board = OURS["contactmeter-now-nl"]
    panel, query = next(board.asked())
    grafana.refused[query.text[:20]] = "code: 60, Table does not exist"
    grafana.health["version"] = "10.4.0"
    del grafana.sources["contactmeter-prometheus"]
    grafana.sources["contactmeter"] = "mysql"
    grafana.rules[0].update(health="error", lastError="failed to build query")
    code, output = check("--url", grafana.url, "--token-file", token)
    assert code == 1
    assert "warning  grafana      version 10.4.0; boards and alert rules are written for 12.0 and later" in output
    assert "there is none with uid contactmeter-prometheus; provision it" in output
    assert "contactmeter has type 'mysql', not 'grafana-clickhouse-datasource'" in output
    assert f"{grafana.rules[0]['name']}: failed to build query" in output
    assert (
        f"error    {board.uid}: panel {panel.id} {query.ref} ({panel.title}): POST /api/ds/query: HTTP 400: code: 60, Table does not exist"
        in output
    )


def test_empty_panels_are_named_but_are_no_error(grafana: StandIn, token: Path) -> None:
    board = OURS["contactmeter-now-nl"]
    panel, query = next(board.asked())
    grafana.nothing = [query.text.split("${")[0]]
    code, output = check("--url", grafana.url, "--token-file", token)
    assert code == 0
    assert f"empty    {board.uid}: panel {panel.id} {query.ref} ({panel.title})" in output


def test_boards_that_are_missing_are_imported_unless_told_not_to(grafana: StandIn, token: Path) -> None:
    del grafana.boards["contactmeter-now-en"]
    code, output = check("--url", grafana.url, "--token-file", token, "--no-import")
    assert (code, grafana.imported) == (1, [])
    assert "error    board        contactmeter-now-en is not there" in output
    code, output = check("--url", grafana.url, "--token-file", token)
    assert (code, grafana.imported) == (0, ["contactmeter-now-en"])
    assert "contactmeter-now-en was not there and is imported" in output


def test_a_board_that_was_changed_by_hand_is_told(grafana: StandIn, token: Path) -> None:
    changed = json.loads(json.dumps(grafana.boards["contactmeter-now-nl"]))
    target = next(panel["targets"][0] for panel in changed["panels"] if panel.get("targets"))
    target["rawSql"] = "SELECT 1"
    grafana.boards["contactmeter-now-nl"] = changed
    code, output = check("--url", grafana.url, "--token-file", token)
    assert code == 0
    assert "warning  board        contactmeter-now-nl is there, with other questions than this version's" in output
    assert "SELECT 1" in [asked.get("rawSql") for asked in grafana.asked], "what is there is asked"


def test_alert_rules_that_are_missing_are_named(grafana: StandIn, token: Path) -> None:
    gone = grafana.rules.pop()
    code, output = check("--url", grafana.url, "--token-file", token)
    assert code == 1
    assert f"1 of {len(grafana.rules) + 1} are not there: {gone['name']}" in output


def test_a_board_that_cannot_be_read_is_told_and_the_others_are_asked(grafana: StandIn, token: Path) -> None:
    uid = next(iter(OURS))
    grafana.boards[uid] = grafana.boards[uid] | {"panels": [{"type": "stat"}]}
    code, output = check("--url", grafana.url, "--token-file", token)
    assert code == 1
    assert f"{uid} is not a board that contactmeter wrote" in " ".join(output.split())
    assert grafana.asked


def test_a_user_with_a_password_will_do(grafana: StandIn, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(TOKEN)
    grafana.authorization = "Basic " + base64.b64encode(f"admin:{TOKEN}".encode()).decode()
    assert check("--url", grafana.url, "--user", "admin", "--password-file", tmp_path / "password")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give --token-file, or --user with --password-file"),
        (["--user", "admin"], "--user goes with --password-file"),
        (["--user", "admin", "--token-file", "{token}"], "give --token-file, or --user"),
        (["--token-file", "{token}.none"], "can't be read: No such file"),
        (["--token-file", "{empty}"], "must hold the secret and nothing else"),
        (["--token-file", "{token}", "--since", "soon"], "--since 'soon'"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_anything_is_asked(
    grafana: StandIn, token: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    given = [one.format(token=token, empty=tmp_path / "empty") for one in arguments]
    code, output = check("--url", grafana.url, *given)
    assert (code, grafana.asked) == (2, [])
    assert said in " ".join(output.split())


def test_a_token_that_is_refused_is_said(grafana: StandIn, token: Path) -> None:
    grafana.authorization = "Bearer another"
    code, output = check("--url", grafana.url, "--token-file", token)
    assert code == 1
    assert "HTTP 401: Invalid API key (is the token or the password right?)" in output


def test_a_token_does_not_follow_to_another_address(grafana: StandIn, token: Path) -> None:
    with StandIn() as elsewhere:
        grafana.moved_to = f"{elsewhere.url}/api/health"
        code, output = check("--url", grafana.url, "--token-file", token)
    assert code == 1
    assert "sends on to another address" in output


@pytest.mark.parametrize("url", ["grafana.example", "ftp://grafana.example", "https://user:pass@grafana.example", "https://"])
def test_an_address_must_be_one(url: str, token: Path) -> None:
    code, output = check("--url", url, "--token-file", token)
    assert code == 1
    assert "must be written as https://grafana.example" in output
    assert "pass" not in output


def test_no_grafana_is_said_in_words(token: Path) -> None:
    with StandIn() as gone:
        url = gone.url
    code, output = check("--url", url, "--token-file", token)
    assert code == 1
    assert f"contactmeter grafana: {url} does not answer: [Errno 111] Connection refused" in output
