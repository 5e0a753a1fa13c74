"""Real engines for tests: a Kafka broker and a ClickHouse server of the test's own, on free ports, in a directory it gives.

They die with the thread that started them, so also with a test run that is killed: start them from the main thread.
"""

import secrets
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local import network, process
from deploy.local.clickhouse import APP_USER, BOARD_USER, ClickHouse
from deploy.local.kafka import Kafka

START_TIMEOUT = 60.0


class Engine:
    """One engine process: started when made; killed, restarted on the same ports and data, or stopped."""

    def __init__(self, log: Path, prepare: Callable[[], list[str]], ready: Callable[[], bool], environment: dict[str, str]) -> None:
        self.log = log
        self._prepare = prepare
        self._ready = ready
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def pid(self) -> int:
        assert self._process is not None, "the engine does not run"
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = process.spawn(self._prepare(), self.log, self._environment)
        deadline = time.monotonic() + START_TIMEOUT
        while not self._ready():
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                self.kill()
                reason = f"ended with code {code}" if code is not None else f"did not answer within {START_TIMEOUT:.0f} s"
                raise RuntimeError(f"{self.log.stem} {reason}; its log ends: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, as a power cut to this process."""
        if self._process is not None:
            process.kill(self._process)
            self._process = None

    def stop(self) -> None:
        """End it in good order; at once when it does not listen."""
        if self._process is not None:
            process.end(self._process, timeout=20)
            self._process = None

    def restart(self) -> None:
        """Start it again, on the same ports and data, stopping it first when it runs."""
        self.stop()
        self.start()


class KafkaEngine(Engine):
    """`bootstrap` is its address."""

    def __init__(self, directory: Path) -> None:
        ports = network.free_ports(2)
        kafka = Kafka(directory, ports[0], ports[1])
        self.bootstrap = kafka.bootstrap
        super().__init__(directory / "kafka.log", kafka.prepare, kafka.ready, {})


class ClickHouseEngine(Engine):
    """`user` owns the product's databases; `board_user` reads contactmeter_views only, as does each of `boards` (name -> password).

    `settings`: the environment by which the product finds it.
    """

    def __init__(self, directory: Path, boards: dict[str, str] | None = None) -> None:
        self.host = network.LOOPBACK
        self.http_port, self.tcp_port = network.free_ports(2)
        self.user, self.password = APP_USER, secrets.token_urlsafe(16)
        self.board_user, self.board_password = BOARD_USER, secrets.token_urlsafe(16)
        self.boards = {BOARD_USER: self.board_password, **(boards or {})}
        server = ClickHouse(directory, self.http_port, self.tcp_port, self.password, self.boards)
        self.settings = {
            "CONTACTMETER_CLICKHOUSE_HOST": self.host,
            "CONTACTMETER_CLICKHOUSE_HTTP_PORT": str(self.http_port),
            "CONTACTMETER_CLICKHOUSE_USER": self.user,
            "CONTACTMETER_CLICKHOUSE_PASSWORD": self.password,
        }
        super().__init__(directory / "clickhouse.log", server.prepare, server.ready, server.environment)


def start_kafka(directory: Path) -> KafkaEngine:
    """A broker with its data in `directory`, answering."""
    return KafkaEngine(directory)


def start_clickhouse(directory: Path, boards: dict[str, str] | None = None) -> ClickHouseEngine:
    """A server with its data in `directory`, answering; without any database of ours yet."""
    return ClickHouseEngine(directory, boards)
