"""The whole local stack on the real engines, by its commands; set-up, worker and simulator are stand-ins."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from kafka import KafkaProducer

from deploy.local import stack
from deploy.local.errors import ClickHouseError, StackError
from deploy.local.network import free_ports
from deploy.local.stack import Layout
from pipeline.cli import reporting
from tests.deploy.stand_in import PROGRAM, STATUS
from tests.deploy.test_kafka import create, read
from tests.waiting import gone, wait_until

SERVICES = ("kafka", "clickhouse", "setup", "worker", "board", "simulator")


class Stack:
    """A directory and the program on it."""

    def __init__(self, directory: Path) -> None:
        self.place = Layout(directory)
        self.variables = {**os.environ, "CONTACTMETER_DIR": str(directory)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*PROGRAM, *arguments], env=self.variables, capture_output=True, text=True, timeout=300, check=False)

    def content(self) -> dict[str, Any]:
        content = stack.read_stack(self.place)
        assert content is not None
        return content

    def pids(self) -> dict[str, int]:
        return {name: run["pid"] for name, run in self.content()["services"].items() if run["pid"]}

    def client(self) -> Client:
        port = self.content()["ports"]["clickhouse_http"]
        return clickhouse_connect.get_client(host="127.0.0.1", port=port, username="app", password=self.place.password_file.read_text())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs, with a topic of one record and a table of one row."""
    it = Stack(tmp_path_factory.mktemp("stack") / "data")
    try:
        started = it.run("up", "--detach", "--simulate")
        assert started.returncode == 0, started.stdout + started.stderr
        bootstrap = it.content()["environment"]["CONTACTMETER_KAFKA"]
        create(bootstrap, "kept")
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
        producer.send("kept", b"record", partition=0).get(20)
        producer.close()
        client = it.client()
        client.command("CREATE DATABASE contactmeter")
        client.command("CREATE TABLE contactmeter.kept (n UInt8) ENGINE = MergeTree ORDER BY n")
        client.command("INSERT INTO contactmeter.kept VALUES (7)")
        client.close()
        yield it
    finally:
        it.run("down")


def assert_data_are_there(it: Stack) -> None:
    assert read(it.content()["environment"]["CONTACTMETER_KAFKA"], "kept") == [b"record"]
    client = it.client()
    assert client.query("SELECT n FROM contactmeter.kept").result_rows == [(7,)]
    client.close()


def test_status_says_what_runs(running: Stack) -> None:
    answer = running.run("status", "--json")
    content = json.loads(answer.stdout)
    assert answer.returncode == 0
    assert content["running"] is True
    assert content["worker"] == STATUS
    assert tuple(content["services"]) == SERVICES
    assert {run["state"] for run in content["services"].values()} == {"ready", "done"}
    assert content["addresses"]["kafka"] == running.content()["environment"]["CONTACTMETER_KAFKA"]
    text = running.run("status").stdout
    assert "lag: 1,234 records" in text
    assert content["rows"] is None, "the stand-in makes no tables"
    assert f"last event arrived: {datetime.fromtimestamp(1767225600).astimezone():%Y-%m-%d %H:%M:%S}" in text


def test_status_shows_why_most_was_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    content = {
        "directory": "here",
        "pid": 1,
        "services": {},
        "addresses": {},
        "worker": STATUS,
        "rows": {"stad": {"contacts": 9, "answers": 0, "rejects": 1200}, "dorp": {"contacts": 1, "answers": 0, "rejects": 0}},
        "rejected": {"stad": [{"reason": "unknown_channel", "rejects": 1200, "example": "no channel 'chat'"}]},
        "open_rejects": {"nergens": 3, "stad": 1200},
    }
    reporting.show(content)
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "stad: 9 contacts, 0 answers, 1,200 rejects stored",
        "  1,200 × unknown_channel, for example: no channel 'chat'",
        "dorp: 1 contacts, 0 answers, 0 rejects stored",
        "1,203 rejects wait for a decision: stad 1,200, nergens 3; see `contactmeter rejects list`",
    ]
    reporting.show({**content, "worker": {**STATUS, "braked": "all was refused"}})
    assert "the brake is on: all was refused. Mend the cause, then `contactmeter resume`" in capsys.readouterr().out


def test_logs_are_shown_by_service(running: Stack) -> None:
    assert running.run("logs", "setup").stdout == f"set up on {running.content()['environment']['CONTACTMETER_KAFKA']}\n"
    everything = running.run("logs", "-n", "2").stdout
    assert "worker     working" in everything
    assert "simulator  simulated" in everything
    unknown = running.run("logs", "wroker")
    assert unknown.returncode == 2
    assert "There is no log of 'wroker'" in unknown.stderr
    assert "worker" in unknown.stderr


def test_logs_can_be_followed(running: Stack) -> None:
    with subprocess.Popen(
        [*PROGRAM, "logs", "-f", "-n", "0", "simulator"], env=running.variables, stdout=subprocess.PIPE, text=True
    ) as follow:
        assert follow.stdout is not None
        assert follow.stdout.readline() == "simulated\n"
        follow.terminate()


def test_passwords_are_the_owners_alone_and_in_no_other_file(running: Stack) -> None:
    passwords = [running.place.password_file, running.place.boards / "board"]
    for file in passwords:
        assert file.stat().st_mode & 0o777 == 0o600
    for path in (running.place.stack_file, *running.place.logs.iterdir(), *(running.place.clickhouse / "etc").iterdir()):
        assert not any(file.read_text() in path.read_text(errors="replace") for file in passwords), path


def test_a_second_up_on_the_same_directory_is_refused(running: Stack) -> None:
    answer = running.run("up")
    assert answer.returncode == 1
    assert f"A stack already runs on {running.place.directory} (process {running.content()['pid']})" in answer.stderr
    assert "contactmeter down" in answer.stderr
    detached = running.run("up", "--detach")
    assert detached.returncode == 1
    assert "A stack already runs" in detached.stderr
    assert "It did not start" not in detached.stderr


@pytest.mark.parametrize("name", ["worker", "simulator", "clickhouse", "kafka"])
def test_kill_9_of_any_child_is_survived(running: Stack, name: str) -> None:
    before = running.content()["services"][name]
    os.kill(before["pid"], signal.SIGKILL)

    def back() -> bool:
        run = running.content()["services"][name]
        return bool(run["state"] == "ready" and run["restarts"] == before["restarts"] + 1 and run["pid"] != before["pid"])

    wait_until(back, f"{name} to come back")
    assert_data_are_there(running)
    assert "was killed by SIGKILL; starting again" in (running.place.logs / "supervisor.log").read_text()


def test_kill_9_of_the_supervisor_leaves_nothing_and_the_next_start_goes_on(running: Stack) -> None:
    before = running.content()
    pids = running.pids()
    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: all(gone(pid) for pid in [before["pid"], *pids.values()]), "everything to end")
    status = running.run("status")
    assert status.returncode == 1
    assert "Nothing runs" in status.stdout
    assert "the last stack was killed" in running.run("doctor").stdout
    assert running.run("up", "--detach").returncode == 0
    after = running.content()
    assert after["ports"] == before["ports"]
    assert after["pid"] != before["pid"]
    assert_data_are_there(running)
    pids = running.pids()
    down = running.run("down")
    assert (down.returncode, down.stdout) == (0, "Everything has ended.\n")
    assert all(gone(pid) for pid in pids.values())
    assert {run["state"] for run in running.content()["services"].values()} == {"stopped", "done"}
    assert running.run("down").stdout == f"Nothing runs on {running.place.directory}.\n"


def test_ports_are_kept_moved_or_configured() -> None:
    names = dict(zip(stack.PORTS, free_ports(len(stack.PORTS)), strict=True))
    assert stack.choose_ports({}, names) == names
    configured = free_ports(1)[0]
    assert stack.choose_ports({"kafka": configured}, names) == {**names, "kafka": configured}
    chosen = stack.choose_ports({}, {})
    assert set(chosen) == set(stack.PORTS)
    assert len(set(chosen.values())) == 6


def test_a_port_that_is_taken_moves_unless_it_was_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "PORT_PATIENCE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert stack.choose_ports({}, {"kafka": port})["kafka"] != port
        with pytest.raises(StackError, match=f"Port {port}, configured for kafka, is not free"):
            stack.choose_ports({"kafka": port}, {})
    with pytest.raises(StackError, match=r"no port named kafak\. Names: kafka, "):
        stack.choose_ports({"kafak": 1}, {})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("kafka:9092", "NAME=NUMBER"),
        ("clickhouse_http=80000", "80000 is no port (1-65535)"),
        ("kafka=0", "0 is no port (1-65535)"),
        ("kafak=9092", "no port named kafak"),
    ],
)
def test_a_port_option_that_is_none_is_refused(tmp_path: Path, given: str, said: str) -> None:
    answer = Stack(tmp_path).run("up", "--port", given)
    assert answer.returncode == 2
    assert said in answer.stderr


@pytest.mark.parametrize("command", ["up", "down", "status", "logs"])
def test_a_directory_that_is_a_file_is_named(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    answer = Stack(tmp_path / "file").run(command)
    assert answer.returncode == 2
    assert answer.stderr == f"{tmp_path / 'file'} is a file, not a directory. Choose another place with CONTACTMETER_DIR.\n"


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = Stack(tmp_path / "file" / "data").run("up")
    assert answer.returncode == 1
    assert f"The directory {tmp_path / 'file' / 'data'} cannot be used" in answer.stderr
    assert "CONTACTMETER_DIR" in answer.stderr


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    it = Stack(tmp_path / "data")
    it.variables["CONTACTMETER_CACHE"] = str(tmp_path / "file")
    answer = it.run("up", "--detach")
    assert answer.returncode == 1
    assert f"The cache {tmp_path / 'file' / 'jars'} cannot be written" in answer.stderr
    assert "Choose another with CONTACTMETER_CACHE" in answer.stderr
    assert "Ctrl-C" not in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


def test_sigint_ends_a_detached_stack(tmp_path: Path) -> None:
    """Also when it was started where a shell ignores SIGINT, as for what it runs in the background."""
    it = Stack(tmp_path / "data")
    ignoring = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    try:
        command = [sys.executable, "-c", ignoring, *PROGRAM, "up", "--detach"]
        started = subprocess.run(command, env=it.variables, capture_output=True, text=True, timeout=300, check=False)
        assert started.returncode == 0, started.stdout + started.stderr
        assert "Ctrl-C" not in started.stdout + started.stderr
        pids = [it.content()["pid"], *it.pids().values()]
        os.kill(pids[0], signal.SIGINT)
        wait_until(lambda: all(gone(pid) for pid in pids), "everything to end")
        assert {run["state"] for run in it.content()["services"].values()} == {"stopped", "done"}
    finally:
        it.run("down")


def test_a_file_in_secrets_makes_a_board_user(tmp_path: Path) -> None:
    place = Layout(tmp_path)
    place.create()
    (place.boards / "second").write_text("second-password\n")
    ports = dict(zip(stack.PORTS, range(1, len(stack.PORTS) + 1), strict=True))
    clickhouse = next(service for service in stack.engines(place, ports, print) if service.name == "clickhouse")
    clickhouse.command()
    users = (place.clickhouse / "etc" / "users.xml").read_text()
    assert "<second><password_sha256_hex>" in users
    assert "<board><password_sha256_hex>" in users
    (place.boards / "No good").write_text("x")
    with pytest.raises(ClickHouseError, match="'No good'"):
        stack.engines(place, ports, print)
