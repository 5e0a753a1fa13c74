"""`contactmeter load` on a real broker: summary, exit codes, problems, resuming, killed again and again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from pipeline.cli import load, running
from schemas.partitions import partition_of
from schemas.topics import CONNECTOR_CURSORS, CONTACT_EVENTS, topics
from tests.connectors.collected import HEARTBEAT
from tests.connectors.mapped import MAPPING, csv_file, read_all, rows
from tests.connectors.test_running import stack_with, worker
from tests.connectors.topics import create_topic, read_topic
from tests.engines import KafkaEngine, start_kafka

pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")

__all__ = ["worker"]  # a fixture

ORGANISATION = """
organisation: leiden
title: {nl: Leiden, en: Leiden}
systems: {desk: {sources: ["urn:nld:oin:00000000000000000000:systeem:desk"]}}
channels: {telephone: {}, counter: {}}
norms:
  - id: answered
    title: {nl: Termijn, en: Term}
    applies_to: {channels: [telephone]}
    clock: given
    stop: closed
    source: a test
instruments:
  after:
    - version: 1
      title: {nl: Na afloop, en: Afterwards}
      scale: {minimum: 1, maximum: 10}
      aspects: {overall: {title: {nl: Oordeel, en: Rating}}}
"""
PROGRAM = "import typer; from pipeline.cli import load; app = typer.Typer(); load.register(app); app()"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaEngine]:
    """A broker of its own, because the command knows one topic only."""
    engine = start_kafka(tmp_path_factory.mktemp("kafka-load"))
    try:
        for name in (CONTACT_EVENTS, CONNECTOR_CURSORS):
            create_topic(engine.bootstrap, name, topics()[name].partitions, topics()[name].config)
        yield engine
    finally:
        engine.stop()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONTACTMETER_KAFKA", raising=False)
    monkeypatch.delenv("CONTACTMETER_DIR", raising=False)
    (tmp_path / "mapping.yaml").write_text(MAPPING)


def invoke(*arguments: object) -> Result:
    app = typer.Typer()
    load.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def delivered(broker: KafkaEngine, prefix: str) -> Counter[str]:
    """How often each event of contacts whose id begins with `prefix` lies in the topic."""
    events = [event for record in read_topic(broker.bootstrap, CONTACT_EVENTS) for event in orjson.loads(record.value)]
    contacts = [(event, event["data"].get("contact", "")) for event in events if event["type"] != HEARTBEAT]
    return Counter(
        event["id"] for event, contact in contacts if (contact if isinstance(contact, str) else contact["id"]).startswith(prefix)
    )


def named(prefix: str, count: int) -> list[str]:
    return [prefix + row for row in rows(count)]


def test_a_dry_run_shows_events_and_problems_and_needs_no_kafka(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [*named("dry", 10), "short,row"])
    result = invoke(path, "--mapping", "mapping.yaml", "--dry-run")
    assert result.exit_code == 1
    assert [json.loads(line)["type"] for line in result.stdout.splitlines()[:2]] == ["nl.contactmeter.contact.opened"] * 2
    assert f"{path}: 11 rows, 19 events (dry run: nothing sent)" in result.stdout
    assert f"{path}:12: the row has 2 cells, the header 8; put quotation marks" in result.stderr
    assert list(tmp_path.glob("*.problems.csv")) == []


def test_loading_twice_sends_once_and_again_when_asked(broker: KafkaEngine, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [*named("twice", 40), "short,row"])
    expected = {event["id"] for event in read_all(path)[0]}
    first = invoke(path, "-m", "mapping.yaml", "--kafka", broker.bootstrap, "--json")
    assert first.exit_code == 1, first.output
    summary = json.loads(first.stdout)
    assert summary["rows"] == {"read": 41, "delivered_before": 0, "refused": 1, "refused_before": 0, "without_event": 0}
    assert sum(summary["events"]["sent"].values()) == len(expected)
    assert Path(summary["problems_file"]).read_text(encoding="utf-8-sig").splitlines() == [
        "file,line,column,message,remedy",
        f'{path},42,,"the row has 2 cells, the header 8","put quotation marks around a text that holds a comma, or complete the row"',
    ]
    assert delivered(broker, "twice") == dict.fromkeys(expected, 1)
    second = invoke(path, "-m", "mapping.yaml", "--kafka", broker.bootstrap)
    assert second.exit_code == 1, "one row still is not in"
    assert "41  rows were delivered by an earlier run" in second.stdout
    assert "1  row was refused by an earlier run; listed in a.csv.problems.csv" in second.stdout
    assert "nothing new to send; --from-start sends everything again (nothing is counted twice)" in second.stdout
    assert delivered(broker, "twice") == dict.fromkeys(expected, 1)
    assert invoke(path, "-m", "mapping.yaml", "--kafka", broker.bootstrap, "--from-start", "--rate", "0").exit_code == 1
    assert delivered(broker, "twice") == dict.fromkeys(expected, 2)


def test_a_corrected_mapping_reads_the_file_again(broker: KafkaEngine, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", named("fix", 5))
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING.replace(", Balie: counter", ""))
    assert invoke(path, "-m", mapping, "--kafka", broker.bootstrap).exit_code == 1
    mapping.write_text(MAPPING)
    assert invoke(path, "-m", mapping, "--kafka", broker.bootstrap).exit_code == 0
    assert set(delivered(broker, "fix")) == {event["id"] for event in read_all(path)[0]}


def test_killed_again_and_again_it_delivers_everything(broker: KafkaEngine, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", named("kill", 4_000))
    expected = {event["id"] for event in read_all(path)[0]}
    command = [sys.executable, "-c", PROGRAM, str(path), "-m", "mapping.yaml", "--kafka", broker.bootstrap, "--rate", "4000", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    kills = 0
    while kills < 3:
        before = sum(delivered(broker, "kill").values())
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
        try:
            deadline = time.monotonic() + 60
            while sum(delivered(broker, "kill").values()) < before + 1_500:  # A batch of the connector and more: its cursor is stored.
                assert process.poll() is None, "it ended before it was killed"
                assert time.monotonic() < deadline, "nothing was delivered"
        finally:
            process.kill()
            process.communicate()
        kills += 1
    last = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True, timeout=60)
    # All 4,000 when the third kill came too late to cost anything; the two before it did not.
    assert 0 < json.loads(last.stdout)["rows"]["delivered_before"] <= 4_000
    assert set(delivered(broker, "kill")) == expected


def test_ctrl_c_stops_after_the_batch_in_hand(broker: KafkaEngine, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", named("stop", 4_000))
    command = [sys.executable, "-c", PROGRAM, str(path), "-m", "mapping.yaml", "--kafka", broker.bootstrap, "--rate", "2000"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while not delivered(broker, "stop"):
            assert time.monotonic() < deadline, "nothing was delivered"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "stopped; the same command goes on after the last row delivered" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv", "-m", "mapping.yaml"], "none.csv: can't be read"),
        (["mapping.yaml", "-m", "none.yaml"], "none.yaml: can't be read"),
        (["a.csv", "-m", "mapping.yaml"], "or set CONTACTMETER_DIR; or give --kafka HOST:PORT"),
    ],
)
def test_what_keeps_it_from_starting(tmp_path: Path, arguments: list[str], message: str) -> None:
    csv_file(tmp_path / "a.csv", rows(3))
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_unknown_organisation_is_refused_before_anything_is_sent(
    broker: KafkaEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worker: tuple[ThreadingHTTPServer, dict[str, Any]]
) -> None:
    monkeypatch.setenv("CONTACTMETER_DIR", str(tmp_path / "stack"))
    path = csv_file(tmp_path / "a.csv", named("nobody", 5))
    with stack_with(tmp_path / "stack", worker[0].server_port, broker.bootstrap):
        result = invoke(path, "-m", "mapping.yaml")
        (tmp_path / "organisation.yaml").write_text(ORGANISATION.replace("counter: {}", "chat: {}"))
        disagreeing = invoke(path, "-m", "mapping.yaml")
    assert (result.exit_code, disagreeing.exit_code) == (2, 2)
    assert "organisation leiden is not known to the stack; put an organisation.yaml beside the mapping" in result.stderr
    assert "channel 'counter' (contact.opened) is not one of the organisation's channels (chat, telephone)" in disagreeing.stderr
    assert list((tmp_path / "stack" / "organisations").iterdir()) == []
    assert delivered(broker, "nobody") == {}


def test_a_load_waits_for_the_worker_and_says_what_it_refused(
    broker: KafkaEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worker: tuple[ThreadingHTTPServer, dict[str, Any]]
) -> None:
    server, status = worker
    monkeypatch.setenv("CONTACTMETER_DIR", str(tmp_path / "stack"))
    monkeypatch.setattr(running, "POLL_S", 0.01)
    path = csv_file(tmp_path / "a.csv", named("waits", 5))
    partition = str(partition_of("leiden"))
    known = {"organisations": ["leiden"], "rejects": 7}
    with stack_with(tmp_path / "stack", server.server_port, broker.bootstrap):
        (tmp_path / "stack" / "organisations" / "leiden.yaml").write_text(ORGANISATION)
        behind, done = {partition: 0}, {partition: 10**9}
        status |= known | {"committed": done}
        status["later"] = [known, known, known | {"committed": behind}, known | {"rejects": 8, "committed": done}]
        status["rejects"] = 8
        refused = invoke(path, "-m", "mapping.yaml")
        assert status["later"] == []
        fine = invoke(path, "-m", "mapping.yaml")
        monkeypatch.setattr(running, "WAIT_S", 0.1)
        status["committed"] = behind
        stuck = invoke(path, "-m", "mapping.yaml", "--from-start")
        (tmp_path / "stack" / "organisations" / "leiden.yaml").write_text(ORGANISATION.replace("version: 1", "version: 2"))
        disagreeing = invoke(path, "-m", "mapping.yaml", "--from-start")
        tried = invoke(path, "-m", "mapping.yaml", "--dry-run")
    assert refused.exit_code == 1, refused.output
    assert "1  event was refused by the worker meanwhile: see `contactmeter rejects list`" in refused.stdout
    assert fine.exit_code == 0, fine.output
    assert stuck.exit_code == 1
    assert "not stored yet: see `contactmeter status`" in stuck.stdout
    for told in (disagreeing, tried):
        assert told.exit_code == 2
        assert "instrument 'after' has no version 1 in the organisation file (2)" in told.stderr


def test_a_dry_run_compares_with_the_organisation_beside_the_mapping(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", rows(1))
    organisation = tmp_path / "organisation.yaml"
    organisation.write_text(ORGANISATION)
    fine = invoke(path, "-m", "mapping.yaml", "--dry-run")
    assert fine.exit_code == 0, fine.output
    assert f"{path}: 1 row, 1 event (dry run: nothing sent)" in fine.stdout
    organisation.write_text(ORGANISATION.replace("organisation: leiden", "organisation: delft"))
    assert "organisation 'leiden' is not that of the organisation file, 'delft'" in invoke(path, "-m", "mapping.yaml", "--dry-run").stderr
    organisation.write_text("organisation: leiden")
    broken = invoke(path, "-m", "mapping.yaml", "--dry-run")
    assert broken.exit_code == 2
    assert "organisation.yaml" in broken.stderr
