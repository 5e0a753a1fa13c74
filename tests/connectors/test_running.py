"""Giving an organisation's file to the stack that runs here: against a worker's status that a test controls."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.local import stack
from pipeline.cli import running
from pipeline.cli.running import NotRunning, await_worker, ensure_organisation, kafka_address
from tests.connectors.test_sender import closed_port
from tests.connectors.topics import create_topic
from tests.engines import KafkaEngine

EXAMPLE = Path(__file__).parents[2] / "connectors" / "examples" / "pwc_calls" / "organisation.yaml"
KAFKA = "127.0.0.1:19092"


@contextmanager
def stack_with(directory: Path, port: int, kafka: str = KAFKA) -> Iterator[None]:
    """A directory that looks as if a stack ran on it."""
    place = stack.Layout(directory)
    place.create()
    place.stack_file.write_text(json.dumps({"environment": {"CONTACTMETER_KAFKA": kafka}, "ports": {"health": port}}))
    with stack.locked(place):
        yield


@pytest.fixture
def worker() -> Iterator[tuple[ThreadingHTTPServer, dict[str, Any]]]:
    """A server that answers /status with a document of the test's."""
    status: dict[str, Any] = {"organisations": [], "refused_configurations": {}, "committed": {}, "rejects": 0}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(status["later"].pop(0) if status.get("later") else status).encode())

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, status
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACTMETER_DIR", str(tmp_path / "stack"))


def test_the_address_of_kafka(tmp_path: Path) -> None:
    with pytest.raises(
        NotRunning, match=r"no stack runs on .*/stack; start it .* where you ran `up`, or set CONTACTMETER_DIR; or give --kafka"
    ):
        kafka_address(None)
    with stack_with(tmp_path / "stack", 1):
        assert (kafka_address(None), kafka_address("elsewhere:9092")) == (KAFKA, "elsewhere:9092")


def test_a_new_organisation_is_given_and_awaited(tmp_path: Path, worker: tuple[ThreadingHTTPServer, dict[str, Any]]) -> None:
    server, status = worker
    status["later"] = [{"organisations": []}, {"organisations": []}, {"organisations": ["pwc"]}]
    with stack_with(tmp_path / "stack", server.server_port):
        assert ensure_organisation(EXAMPLE, KAFKA) is True
    assert (tmp_path / "stack" / "organisations" / "pwc.yaml").read_bytes() == EXAMPLE.read_bytes()


def test_a_known_organisation_stays_as_it_is(tmp_path: Path, worker: tuple[ThreadingHTTPServer, dict[str, Any]]) -> None:
    server, status = worker
    status["organisations"] = ["pwc"]
    with stack_with(tmp_path / "stack", server.server_port):
        assert ensure_organisation(EXAMPLE, KAFKA) is False
        assert ensure_organisation(EXAMPLE, "elsewhere:9092") is False
    assert list((tmp_path / "stack" / "organisations").iterdir()) == []


def test_a_refusal_and_a_worker_that_never_takes_it_up(
    tmp_path: Path, worker: tuple[ThreadingHTTPServer, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, status = worker
    with stack_with(tmp_path / "stack", server.server_port):
        monkeypatch.setattr(running, "WAIT_S", 0.3)
        with pytest.raises(NotRunning, match=r"the worker did not take up .* see `contactmeter status`"):
            ensure_organisation(EXAMPLE, KAFKA)
        status["refused_configurations"] = {"pwc": "its zone changed"}
        with pytest.raises(NotRunning, match=r"the worker refuses .*: its zone changed"):
            ensure_organisation(EXAMPLE, KAFKA)


def test_a_worker_that_does_not_answer(tmp_path: Path) -> None:
    with stack_with(tmp_path / "stack", int(closed_port().split(":")[1])), pytest.raises(NotRunning, match="the worker does not answer"):
        ensure_organisation(EXAMPLE, KAFKA)


def test_nobody_waits_for_a_worker_under_the_brake(worker: tuple[ThreadingHTTPServer, dict[str, Any]], kafka: KafkaEngine) -> None:
    server, status = worker
    create_topic(kafka.bootstrap, "contact-events")
    stop = threading.Event()
    assert await_worker("pwc", kafka.bootstrap, server.server_port, stop, lambda _done, _of: None) == 0
    status["braked"] = "all was refused"
    with pytest.raises(NotRunning, match=r"the worker stands still: all was refused; .*contactmeter resume"):
        await_worker("pwc", kafka.bootstrap, server.server_port, stop, lambda _done, _of: None)
