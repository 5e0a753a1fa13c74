"""Keeps the services of the local stack running: starts, waits until ready, restarts with back-off, ends all."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FrameType

from deploy.local import process

TICK = 0.1
CHECK_INTERVAL = 5.0
CHECKS_FAILED = 3
"""So many `alive` checks in a row, CHECK_INTERVAL seconds apart, must fail before a service is killed."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
QUIET = 60.0
"""Seconds in service after which earlier failures are forgotten."""
CRASH_LOOP = 3
"""From this many failures without a quiet while it is called a crash loop, and the end of the log is shown."""
LOG_BYTES = 10_000_000


class State(StrEnum):
    WAITING = "waiting"  # for the services it comes after
    STARTING = "starting"
    READY = "ready"
    DONE = "done"  # a oneshot that succeeded
    FAILED = "failed"  # to be started again at `retry_at`
    STOPPED = "stopped"


@dataclass(frozen=True)
class Service:
    """What to run. `command` is asked before every start; an exception from it counts as a failed start.

    `ready` and `alive` are cheap and never raise. `after` names services that must be ready (a oneshot: done) first.
    A `oneshot` runs to its end and is done when its exit code is 0; `ready` is not asked.
    """

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready: Callable[[], bool] = lambda: True
    alive: Callable[[], bool] | None = None
    after: tuple[str, ...] = ()
    oneshot: bool = False
    start_timeout: float = 120.0
    stop_timeout: float = 10.0


@dataclass
class Run:
    """What has become of a service. `since` is wall-clock time, for people; all else is monotonic."""

    service: Service
    log: Path
    state: State = State.WAITING
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    failures: int = 0
    restarts: int = 0
    changed_at: float = 0.0
    retry_at: float = 0.0
    check_at: float = 0.0
    checks_failed: int = 0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def up(self) -> bool:
        return self.state in (State.READY, State.DONE)


class Supervisor:
    """Runs services until `stop` is called or a signal comes. One line per change of state goes to `say`.

    Use it from the main thread: the kernel ties the life of the processes to the thread that starts them.
    """

    def __init__(
        self,
        services: Sequence[Service],
        logs: Path,
        say: Callable[[str], None],
        changed: Callable[[Sequence[Run]], None] = lambda _: None,
    ) -> None:
        self._runs = {run.service.name: run for run in (Run(service, logs / f"{service.name}.log") for service in _in_order(services))}
        self._logs = logs
        self._say = say
        self._changed = changed
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask for the end; `run` then ends every service and returns."""
        self._stop.set()

    def run(self) -> None:
        """Start and keep everything until `stop`, SIGINT, SIGTERM or SIGHUP; end all in reverse order; return."""
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            self._changed(list(self._runs.values()))
            rotate_at = time.monotonic()
            while not self._stop.wait(TICK):
                for run in self._runs.values():
                    self._advance(run, time.monotonic())
                    if self._stop.is_set():
                        break
                if time.monotonic() >= rotate_at:
                    rotate_at = time.monotonic() + CHECK_INTERVAL
                    self._rotate()
        finally:
            try:
                for run in reversed(self._runs.values()):
                    self._end(run)
            finally:
                for number, handler in previous.items():
                    signal.signal(number, handler)

    def _rotate(self) -> None:
        for log in self._logs.glob("*.log"):
            try:
                rotate(log)
            except OSError as error:  # a full disk must not end the supervisor
                self._say(f"{log} could not be rotated: {error}")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop.is_set():  # asked twice: no more patience
            for run in self._runs.values():
                if run.process:
                    process.kill_group(run.process)
        self._stop.set()

    def _advance(self, run: Run, now: float) -> None:
        """Take one service one step further."""
        if run.process is None:
            due = run.state is State.WAITING or (run.state is State.FAILED and now >= run.retry_at)
            if due and all(self._runs[name].up for name in run.service.after):
                self._start(run, now)
            return
        code = run.process.poll()
        if code is not None:
            process.kill_group(run.process)  # whatever it left behind
            run.process = None
            if run.service.oneshot and code == 0:
                self._enter(run, State.DONE, f"done after {now - run.changed_at:.1f} s")
            else:
                self._fail(run, f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}")
        elif run.state is State.STARTING and not run.service.oneshot:
            if run.service.ready():
                run.check_at = now + CHECK_INTERVAL
                run.checks_failed = 0
                self._enter(run, State.READY, f"ready after {time.monotonic() - run.changed_at:.1f} s")
            elif now - run.changed_at > run.service.start_timeout:
                process.kill(run.process)
                self._fail(run, f"was not ready within {run.service.start_timeout:.0f} s and was killed")
        elif run.state is State.READY:
            if run.failures and now - run.changed_at > QUIET:
                run.failures = 0
            if run.service.alive and now >= run.check_at:
                self._check(run, run.service.alive)

    def _check(self, run: Run, alive: Callable[[], bool]) -> None:
        run.checks_failed = 0 if alive() else run.checks_failed + 1
        run.check_at = time.monotonic() + CHECK_INTERVAL
        if run.checks_failed >= CHECKS_FAILED and run.process:
            process.kill(run.process)
            self._fail(run, f"failed {run.checks_failed} checks in a row and was killed")

    def _start(self, run: Run, now: float) -> None:
        run.restarts += run.state is State.FAILED
        run.changed_at = now  # `command` may take long the first time
        try:
            run.process = process.spawn(run.service.command(), run.log, run.service.environment)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one service must not end the others
            self._fail(run, f"could not start: {error}")
            return
        self._enter(run, State.STARTING, f"starting (pid {run.process.pid})")

    def _fail(self, run: Run, reason: str) -> None:
        run.process = None
        run.failures += 1
        delay = back_off(run.failures)
        run.retry_at = time.monotonic() + delay
        message = f"{reason}; starting again in {delay:g} s"
        if run.failures >= CRASH_LOOP:
            message += f". It failed {run.failures} times in a row. The end of {run.log}:\n" + last_lines(run.log, 10)
        self._enter(run, State.FAILED, message)

    def _end(self, run: Run) -> None:
        if run.process is not None:
            self._say(f"{run.service.name}: stopping")
            in_time = process.end(run.process, run.service.stop_timeout)
            run.process = None
            self._enter(run, State.STOPPED, "stopped" if in_time else f"killed, it did not stop within {run.service.stop_timeout:g} s")
        elif run.state is not State.DONE:
            run.state = State.STOPPED
            self._changed(list(self._runs.values()))

    def _enter(self, run: Run, state: State, message: str) -> None:
        run.state = state
        run.since = time.time()
        run.changed_at = time.monotonic()
        self._say(f"{run.service.name}: {message}")
        self._changed(list(self._runs.values()))


def _in_order(services: Sequence[Service]) -> list[Service]:
    """Each service after those it comes after. ValueError for a name that is not there, or a circle."""
    names = {service.name for service in services}
    ordered: list[Service] = []
    rest = list(services)
    while rest:
        placed = {service.name for service in ordered}
        ready = [service for service in rest if placed.issuperset(service.after)]
        if not ready:
            unknown = {name for service in rest for name in service.after} - names
            what = f"unknown services {sorted(unknown)}" if unknown else f"a circle among {[service.name for service in rest]}"
            raise ValueError(f"The order of the services cannot be met: {what}")
        ordered += ready
        rest = [service for service in rest if service not in ready]
    return ordered


def back_off(failures: int) -> float:
    """Seconds to wait after so many failures in a row (1 or more): doubling, up to LONGEST_DELAY."""
    return min(FIRST_DELAY * 2.0 ** min(failures - 1, 20), LONGEST_DELAY)


def last_lines(log: Path, count: int) -> str:
    """The last lines of a log, indented; says so when there are none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 65_536))
            lines = file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        lines = []
    return "\n".join(f"    {line}" for line in lines or ["(nothing was logged)"])


def rotate(log: Path, limit: int = LOG_BYTES) -> None:
    """Move the content of a large log to LOG.1, in place: its service keeps the file open, and appends."""
    if log.stat().st_size > limit:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
