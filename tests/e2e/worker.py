"""A worker process as a user runs it, for tests that stop, freeze and kill it."""

import contextlib
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from itertools import count
from pathlib import Path
from typing import Any

from deploy.local import network, process
from tests.waiting import wait_until as wait_until

ROOT = Path(__file__).parents[2]
_numbers = count(1)
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback goes through no proxy


class Worker:
    """One worker process, started when made. `log` is what it said."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        number = next(_numbers)
        self.log = directory / f"worker-{number}.log"
        self.port = network.free_ports(1)[0]
        self._process = process.spawn(
            [sys.executable, "-m", "pipeline.cli", "worker"],
            self.log,
            {**environment, "CONTACTMETER_HEALTH_PORT": str(self.port), "PYTHONPATH": str(ROOT)},
            directory,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def ended(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """(HTTP status, JSON) of its health; (0, {}) while it does not answer."""
        try:
            with _DIRECT.open(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except (OSError, HTTPException):
            return 0, {}

    def metric(self, name: str) -> float:
        """A metric without labels; 0 while the worker does not answer or has none of that name."""
        try:
            with _DIRECT.open(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except (OSError, HTTPException):
            return 0.0
        return next((float(line.split(" ")[1]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def ready(self) -> bool:
        """Fails the test when it has ended."""
        self._assert_alive()
        return self.get("/ready")[0] == 200

    def knows(self, organisation: str) -> bool:
        """True when the organisation is in force there. Fails the test when it has ended."""
        self._assert_alive()
        return bool(organisation in self.get("/status")[1].get("organisations", ()))

    def _assert_alive(self) -> None:
        assert self.ended() is None, f"the worker ended with code {self.ended()}:\n{self.said[-3000:]}"

    def wait_ready(self, timeout: float = 120.0) -> "Worker":
        wait_until(self.ready, "the worker to be ready", timeout)
        return self

    def wait_end(self, timeout: float = 120.0) -> int:
        """Its exit code, once it has ended."""
        return self._process.wait(timeout)

    def kill(self) -> None:
        """SIGKILL."""
        process.kill(self._process)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self, timeout: float = 60.0) -> bool:
        """SIGTERM; True when it ended by itself in time."""
        with contextlib.suppress(ProcessLookupError):
            self.thaw()
        return process.end(self._process, timeout)
