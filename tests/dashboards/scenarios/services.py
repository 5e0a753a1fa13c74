"""Prometheus and Alertmanager as Debian packages them, with the generated files, on free ports; and a receiver of what they send."""

import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from dashboards.alerts import files
from deploy.local import process
from deploy.local.network import LOOPBACK, free_ports
from tests.programs import program
from tests.waiting import wait_until

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
ALWAYS = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
NEVER = [{"years": ["1970"]}]


def asked(url: str, said: Any = None) -> Any:
    """The JSON that an address of this machine answers; `said` is posted. None while it does not."""
    body = None if said is None else json.dumps(said).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with _DIRECT.open(request, timeout=5) as answer:
            text = answer.read()
    except (urllib.error.URLError, OSError):
        return None
    return json.loads(text) if text.startswith((b"{", b"[")) else text.decode()


class Receiver:
    """What came to it: paths and messages, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    def alerts(self, path: str) -> list[dict[str, Any]]:
        """All alerts that came to a path."""
        return [alert for to, message in list(self.told) if to == path for alert in message["alerts"]]

    def got(self, path: str, status: str, name: str) -> bool:
        """Whether an alert of a name came to a path with a status."""
        return any((alert["status"], alert["labels"]["alertname"]) == (status, name) for alert in self.alerts(path))

    def names(self, path: str) -> set[str]:
        """The names of all alerts that came to a path."""
        return {alert["labels"]["alertname"] for alert in self.alerts(path)}


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver of webhooks on a free port, until the end of the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.told.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nobody wants a line a message."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="receiver", daemon=True)
    thread.start()
    receiver.url = f"http://{LOOPBACK}:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class Alertmanager:
    """One with the generated configuration, but for the addresses and for when it is morning."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, *alerts: Mapping[str, str]) -> None:
        """Tell it of alerts by their labels, as Prometheus does."""
        begin, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + after)) for after in (0, 600))
        said = [{"labels": dict(labels), "startsAt": begin, "endsAt": end} for labels in alerts]
        wait_until(lambda: asked(f"{self.url}/api/v2/alerts", said) is not None, "Alertmanager to take it", 10)

    def state(self, name: str) -> str:
        """active, suppressed or unprocessed; "" for what it does not know."""
        found = asked(f"{self.url}/api/v2/alerts") or []
        return next((str(one["status"]["state"]) for one in found if one["labels"]["alertname"] == name), "")


@contextmanager
def alertmanager(directory: Path, receiver: str, morning: list[dict[str, Any]]) -> Iterator[Alertmanager]:
    """It runs until the end of the block. `receiver`: where its receivers are, each under its own name."""
    content = yaml.safe_load(files()["prometheus/alertmanager.yml"])
    for one in content["receivers"]:
        for webhook in one["webhook_configs"]:
            del webhook["url_file"]
            webhook["url"] = f"{receiver}/{one['name']}"
    for one in content["time_intervals"]:
        one["time_intervals"] = morning if one["name"] == "ochtend" else one["time_intervals"]
    directory.mkdir()
    configuration = directory / "alertmanager.yml"
    configuration.write_text(yaml.safe_dump(content))
    port = free_ports(1)[0]
    command = [
        program("prometheus-alertmanager", "alertmanager"), f"--config.file={configuration}", f"--storage.path={directory / 'data'}",
        f"--web.listen-address={LOOPBACK}:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with _running(command, directory / "log", f"http://{LOOPBACK}:{port}"):
        yield Alertmanager(f"http://{LOOPBACK}:{port}")


class Prometheus:
    """One with the generated rules that reads a worker's /metrics."""

    def __init__(self, url: str) -> None:
        self.url = url

    def value(self, expression: str) -> float | None:
        """The value of the only series of an expression now."""
        found = asked(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        return float(found["data"]["result"][0]["value"][1]) if found and found["data"]["result"] else None

    def alert(self, name: str) -> dict[str, Any] | None:
        """An alert that is pending or fires."""
        found = asked(f"{self.url}/api/v1/alerts")
        alerts: list[dict[str, Any]] = found["data"]["alerts"] if found else []
        return next((one for one in alerts if one["labels"]["alertname"] == name), None)

    def state(self, name: str) -> str:
        """pending or firing; "" for what does neither."""
        found = self.alert(name)
        return str(found["state"]) if found else ""


@contextmanager
def prometheus(directory: Path, worker_port: int, alerts_to: Alertmanager) -> Iterator[Prometheus]:
    """It runs until the end of the block, with the intervals of docker-compose."""
    directory.mkdir()
    port = free_ports(1)[0]
    (directory / "rules.yml").write_text(files()["prometheus/rules.yml"])
    content = {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s", "external_labels": {"boards": "https://borden.test"}},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts_to.url.removeprefix("http://")]}]}]},
        "scrape_configs": [{"job_name": "worker", "static_configs": [{"targets": [f"{LOOPBACK}:{worker_port}"]}]}],
    }
    (directory / "prometheus.yml").write_text(yaml.safe_dump(content))
    command = [
        program("prometheus"), f"--config.file={directory / 'prometheus.yml'}", f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={LOOPBACK}:{port}",
    ]  # fmt: skip
    with _running(command, directory / "log", f"http://{LOOPBACK}:{port}"):
        yield Prometheus(f"http://{LOOPBACK}:{port}")


@contextmanager
def _running(command: list[str], log: Path, url: str) -> Iterator[None]:
    running = process.spawn(command, log, {}, log.parent)

    def ready() -> bool:
        assert running.poll() is None, log.read_text(errors="replace")[-2000:]
        return asked(f"{url}/-/ready") is not None

    try:
        wait_until(ready, f"{Path(command[0]).name} to be ready", 60)
        yield
    finally:
        process.end(running, 10)
