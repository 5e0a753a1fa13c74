"""`contactmeter alert`: a test message through a real Alertmanager and to a webhook; duty by a real calendar; what alerts now."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml
from typer.testing import CliRunner

from dashboards import alerts
from deploy.local import network
from pipeline.cli import program as contactmeter
from pipeline.cli.alert import duty_of
from pipeline.store import shown
from pipeline.store.client import Connection
from schemas import yamlfile
from schemas.organisation import Organisation
from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine
from tests.pipeline.store.lives import Measured, municipality
from tests.programs import program


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(contactmeter("alert"), ["alert", *arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """The address of a webhook, and what it took."""
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append(json.loads(body))
            self.send_response(500 if self.path == "/broken" else 200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", taken
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def alertmanager(tmp_path: Path, hook: tuple[str, list[Any]]) -> Iterator[str]:
    """A real Alertmanager with our example, whose receivers are the webhook. Yields its address."""
    text = re.sub(r"url_file: \S+", f"url: {hook[0]}/", alerts.files()["prometheus/alertmanager.yml"]).replace(
        "group_wait: 15s", "group_wait: 0s"
    )
    (tmp_path / "alertmanager.yml").write_text(text, encoding="utf-8")
    (port,) = network.free_ports(1)
    command = [
        program("prometheus-alertmanager", "alertmanager"), f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/-/ready"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=2):
            return True
    except (URLError, OSError):
        return False


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.02)


def test_a_test_message_goes_through_alertmanager_to_its_receiver(alertmanager: str, hook: tuple[str, list[Any]]) -> None:
    output = run("test", "--alertmanager", f"{alertmanager}/", "--severity", "page", "-o", "leiden")
    assert "ContactmeterTest" in output
    wait_for(lambda: hook[1])
    (message,) = hook[1]
    (alert,) = message["alerts"]
    assert message["receiver"] == "beheer"
    assert alert["labels"] == {"alertname": "ContactmeterTest", "rule": "test", "severity": "page", "organisation": "leiden"}
    assert alert["annotations"]["summary"].startswith("TEST")
    assert alert["status"] == "firing"


def test_a_test_message_to_a_webhook_looks_like_one_of_grafana(hook: tuple[str, list[Any]]) -> None:
    assert "took it" in run("test", "--webhook", f"{hook[0]}/x")
    (message,) = hook[1]
    assert (message["status"], message["commonLabels"]["severity"]) == ("firing", "info")
    assert message["title"].startswith("TEST")


def test_a_message_that_is_not_taken_is_said(hook: tuple[str, list[Any]]) -> None:
    assert "answers 500" in run("test", "--webhook", f"{hook[0]}/broken", code=2)
    (port,) = network.free_ports(1)
    assert "does not answer" in run("test", "--webhook", f"http://127.0.0.1:{port}/", code=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "one of --alertmanager and --webhook"),
        (("--alertmanager", "http://a", "--webhook", "http://b"), "one of --alertmanager and --webhook"),
        (("--webhook", "file:///etc/passwd"), "is no address"),
        (("--webhook", "hooks.example"), "is no address"),
        (("--webhook", "http://a", "--severity", "none"), "write page, daily, info"),
    ],
)
def test_what_can_not_be_sent_is_refused(arguments: tuple[str, ...], message: str) -> None:
    assert message in run("test", *arguments, code=2)


@pytest.fixture
def town(clickhouse: ClickHouseEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Measured]:
    for name, value in clickhouse.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CONTACTMETER_KAFKA", "127.0.0.1:9")
    opening = {"mon-thu": "08:30-17:00", "fri": "08:30-13:00"}
    channels = {"telephone": {}, "counter": {"opening_hours": {"mon-fri": "09:00-12:00", "sat": "10:00-12:00"}}}
    text = municipality("dienststad", opening_hours=opening, channels=channels, norms=[], closing_days={"public_holidays": "nl"})
    town = Measured(clickhouse, text)
    try:
        yield town
    finally:
        town.close()


def test_duty_follows_the_calendar_of_all_channels(town: Measured) -> None:
    document = yaml.safe_load(run("policies", town.name))
    times = {one["name"]: one["time_intervals"] for one in document["muteTimes"]}
    hours = {tuple(one["weekdays"]): [(time["start_time"], time["end_time"]) for time in one["times"]] for one in times["diensturen"]}
    assert hours == {
        ("monday", "tuesday", "wednesday", "thursday"): [("08:30", "17:00")],
        ("friday",): [("08:30", "13:00")],
        ("saturday",): [("10:00", "12:00")],
    }
    closed = {(one["months"][0], one["days_of_month"][0]) for one in times["gesloten"]}
    assert ("12", "25") in closed
    assert all(one["location"] == "Europe/Amsterdam" for one in times["diensturen"] + times["gesloten"])
    assert {one["orgId"] for one in yaml.safe_load(run("policies", town.name, "--org", "3"))["muteTimes"]} == {3}
    again = yaml.safe_load(run("policies", town.name, "--for", "alertmanager"))["time_intervals"]
    assert {one["name"]: one["time_intervals"] for one in again} == times


def organisation(name: str, **fields: Any) -> Organisation:
    return yamlfile.loads(municipality(name, norms=[], closing_days={"public_holidays": "none"}, **fields), Organisation, "test")


def hours_of(*several: Organisation) -> set[tuple[str, str]]:
    active = duty_of(several, datetime(2026, 11, 23, tzinfo=UTC)).active
    return {(time["start_time"], time["end_time"]) for one in active for time in one["times"]}


def test_a_website_that_is_always_open_calls_nobody_at_night() -> None:
    always = {"opening_hours": {"mon-sun": "00:00-24:00"}}
    office = {"opening_hours": {"mon-fri": "09:00-17:00"}}
    assert hours_of(organisation("bemand", channels={"website": always, "telephone": office})) == {("09:00", "17:00")}
    assert hours_of(organisation("site", channels={"website": always})) == {("00:00", "24:00")}, "unless there is nothing else"


def test_duty_of_several_is_when_any_of_them_is_open() -> None:
    early, late = (
        organisation(name, channels={"telephone": {"opening_hours": {"mon-fri": hours}}})
        for name, hours in (("vroeg", "08:00-16:00"), ("laat", "10:00-18:00"))
    )
    assert hours_of(early, late) == {("08:00", "18:00")}


def test_what_is_asked_wrongly_is_refused(town: Measured) -> None:
    assert "no organisation 'nergens'" in run("policies", "nergens", code=2)
    assert "write grafana or alertmanager" in run("policies", town.name, "--for", "pager", code=2)


def test_what_alerts_now_is_listed_pages_first(town: Measured, clickhouse: ClickHouseEngine) -> None:
    assert "Er is geen melding" in run("list", "-o", town.name)
    owner = Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password).open()
    try:
        long_ago = epoch_ms(datetime.now(UTC) - timedelta(days=2))
        shown.refresh(owner, town.settings, shown.PARTS["status"], long_ago)
        shown.refresh(owner, town.settings, shown.PARTS["opening"], long_ago)
    finally:
        owner.close()
    output = run("list", "-o", town.name, "--lang", "en")
    assert re.search(r"^▲ page  dienststad  ✗ The figures of dienststad stand still", output, re.MULTILINE)
    (found,) = json.loads(run("list", "-o", town.name, "--json"))
    assert (found["rule"], found["labels"]["severity"]) == ("figures_still", "page")
    assert "dienststad" not in run("list", "-o", "andere")
