"""`contactmeter load` on a real broker: summary, exit codes, problems, resuming, killed again and again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from pipeline.cli import load
from schemas.topics import CONNECTOR_CURSORS, CONTACT_EVENTS, topics
from tests.connectors.collected import HEARTBEAT
from tests.connectors.mapped import MAPPING, csv_file, read_all, rows
from tests.connectors.topics import create_topic, read_topic
from tests.engines import KafkaEngine, start_kafka

pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")

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
    assert summary["rows"] == {"read": 41, "delivered_before": 0, "refused": 1, "without_event": 0}
    assert sum(summary["events"]["sent"].values()) == len(expected)
    assert Path(summary["problems_file"]).read_text(encoding="utf-8-sig").splitlines() == [
        "file,line,column,message,remedy",
        f'{path},42,,"the row has 2 cells, the header 8","put quotation marks around a text that holds a comma, or complete the row"',
    ]
    assert delivered(broker, "twice") == dict.fromkeys(expected, 1)
    second = invoke(path, "-m", "mapping.yaml", "--kafka", broker.bootstrap)
    assert second.exit_code == 0
    assert "41  rows were delivered by an earlier run; --from-start sends them again" in second.stdout
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
    assert 0 < json.loads(last.stdout)["rows"]["delivered_before"] < 4_000
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
        (["a.csv", "-m", "mapping.yaml"], "start it with `contactmeter up`, or give --kafka HOST:PORT"),
    ],
)
def test_what_keeps_it_from_starting(tmp_path: Path, arguments: list[str], message: str) -> None:
    csv_file(tmp_path / "a.csv", rows(3))
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
