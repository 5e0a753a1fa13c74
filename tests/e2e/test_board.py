"""The real `contactmeter board` beside a real worker: somebody takes note of an incident on it, and it asks a real Prometheus."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from kafka import KafkaConsumer

from dashboards.reading.boards import board
from deploy.local import process
from deploy.local.network import LOOPBACK, free_ports
from schemas.topics import CONTACT_EVENTS
from tests.dashboards.scenarios import happenings
from tests.e2e.running import ROOT, Stack, wait_until
from tests.e2e.synthetic import HOUR
from tests.e2e.worker import Worker
from tests.programs import program

NAME = "bordkijk"
PIPELINE = "contactmeter-pipeline-en"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Shown:
    """A board that runs as a process of its own; `prometheus`: the port at which it looks for one."""

    stack: Stack
    worker: Worker
    port: int
    prometheus: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def ask(self, path: str, said: Any = None, **headers: str) -> tuple[int, Any]:
        """(HTTP status, JSON) of a path, (0, None) while nobody answers; `said` is posted."""
        body = None if said is None else json.dumps(said).encode()
        request = urllib.request.Request(f"{self.url}{path}", body, {one.replace("_", "-"): text for one, text in headers.items()})
        try:
            with _DIRECT.open(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode()
                return error.code, json.loads(text) if text.startswith("{") else text
        except OSError:
            return 0, None

    def incident(self) -> str:
        """The incident that its strip of alerts asks somebody to look at; "" while there is none."""
        _, found = self.ask(f"/api/alerts?organisation={NAME}")
        return next((str(one["incident"]) for one in (found or {"alerts": []})["alerts"] if one["incident"]), "")


@pytest.fixture(scope="module")
def shown(stack: Stack) -> Iterator[Shown]:
    """A town whose telephone drifts, a worker that looks every second, and the board as `contactmeter board` starts it."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    stack.add_organisation(NAME, happenings.organisation(NAME))
    stack.send(NAME, happenings.calls(1, now, now - 20 * HOUR, now), 400)
    worker = stack.worker(LOOK_EVERY_S="1").wait_ready()
    found = Shown(stack, worker, *free_ports(2))
    environment = {
        **stack.environment,
        "CONTACTMETER_BOARD_PORT": str(found.port),
        "CONTACTMETER_BOARD_PASSWORD": stack.clickhouse.board_password,
        "CONTACTMETER_PROMETHEUS": f"http://{LOOPBACK}:{found.prometheus}",
        "PYTHONPATH": str(ROOT),
    }
    log = stack.directory / "board.log"
    running = process.spawn([sys.executable, "-m", "pipeline.cli", "board"], log, environment, stack.directory)
    try:
        yield found
        assert running.poll() is None, log.read_text()
        assert process.end(running, 15), "it ends by itself"
        assert "Traceback" not in log.read_text()
    finally:
        process.end(running, 5)
        worker.stop()


def told(stack: Stack) -> list[dict[str, Any]]:
    """The data of every incident.acknowledged of the town, from Kafka."""
    consumer = KafkaConsumer(
        CONTACT_EVENTS, bootstrap_servers=stack.kafka.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=3_000
    )
    try:
        values = [record.value for record in consumer if record.key == NAME.encode()]
    finally:
        consumer.close()
    events = [event for value in values for event in json.loads(value)]
    return [event["data"] for event in events if event["type"].endswith("incident.acknowledged")]


def test_who_looks_at_an_incident_reaches_kafka_the_trail_and_the_worker(shown: Shown) -> None:
    wait_until(shown.incident, "the board to say that an incident waits", 180, every=0.5)
    incident = shown.incident()
    path = f"/api/incidents/{NAME}/{incident}/seen"
    headers = {"Content_Type": "application/json", "Origin": shown.url}
    assert shown.ask(path, {"who": "Een ander"}, **headers)[0] == 403, "without its own header"
    assert shown.ask(path, {"who": "Jan de Vries"}, X_Contactmeter="board", **headers) == (
        200,
        {"incident": incident, "who": "Jan de Vries"},
    )

    assert [(one["incident"], one["who"]) for one in told(shown.stack)] == [(incident, "Jan de Vries")]
    trail = shown.stack.query("SELECT detail FROM audit WHERE organisation = {name:String} AND action = 'incident_acknowledged'", name=NAME)
    assert [json.loads(row[0])["who"] for row in trail] == ["Jan de Vries"]
    sql = "SELECT acknowledged_by FROM contactmeter_views.v_incidents WHERE organisation = {name:String} AND incident = {incident:String}"
    wait_until(
        lambda: shown.stack.query(sql, name=NAME, incident=incident) == [("Jan de Vries",)], "the worker to take note", 60, every=0.5
    )


def test_the_figures_of_the_pipeline_come_from_prometheus(shown: Shown, tmp_path: Path) -> None:
    panel = next(panel.id for panel, query in board(PIPELINE).asked("prometheus") if query.text.startswith("count(up"))
    address = f"/api/boards/{PIPELINE}/panels/{panel}?from=now-5m"
    wait_until(lambda: shown.ask("/api/alerts?organisation=x")[0] == 200, "the board to answer", 60)
    status, content = shown.ask(address)
    assert status == 422
    assert "CONTACTMETER_PROMETHEUS" in content["problem"], "what to do while it does not answer"

    scraped = {"job_name": "worker", "static_configs": [{"targets": [f"{LOOPBACK}:{shown.worker.port}"]}]}
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [scraped]}))
    command = [
        program("prometheus"), f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={LOOPBACK}:{shown.prometheus}",
    ]  # fmt: skip
    running = process.spawn(command, tmp_path / "prometheus.log", {}, tmp_path)

    def values() -> list[float]:
        status, content = shown.ask(address)
        return [value for frame in content["frames"] for column in frame[1:] for value in column["values"]] if status == 200 else []

    try:
        wait_until(lambda: values()[-1:] == [0.0], "Prometheus to say that no worker is away", 60, every=0.5)
        for one, _ in board(PIPELINE).asked("prometheus"):
            status, content = shown.ask(f"/api/boards/{PIPELINE}/panels/{one.id}?from=now-5m")
            assert status == 200, content
    finally:
        process.end(running, 10)
