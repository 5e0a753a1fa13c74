"""The supervisor, with small programs in the place of engines."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from deploy.local import supervisor
from deploy.local.supervisor import Run, Service, State, Supervisor, rotate
from tests.waiting import gone, wait_until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "TICK", 0.01)
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(supervisor, "CHECK_INTERVAL", 0.05)


def python(code: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-c", code]


SLEEP = python("import time; time.sleep(600)")


class Recorder:
    """Runs services until `enough` of their states, and keeps what was said and which states were seen."""

    def __init__(self, services: Sequence[Service], logs: Path, enough: Callable[[dict[str, Run]], bool]) -> None:
        self.said: list[str] = []
        self.seen: list[tuple[str, State]] = []
        self.pids: set[int] = set()
        self._enough = enough
        self._supervisor = Supervisor(services, logs, self.said.append, self._changed)
        self._supervisor.run()

    def _changed(self, runs: Sequence[Run]) -> None:
        for run in runs:
            if run.pid:
                self.pids.add(run.pid)
            entry = (run.service.name, run.state)
            if entry not in self.seen[-len(runs) :]:
                self.seen.append(entry)
        if self._enough({run.service.name: run for run in runs}):
            self._supervisor.stop()


def first(seen: list[tuple[str, State]], name: str, state: State) -> int:
    return seen.index((name, state))


def test_starts_after_what_it_needs_and_ends_in_reverse(tmp_path: Path) -> None:
    services = [
        Service("last", SLEEP, after=("setup", "engine")),
        Service("setup", python("print('made')"), after=("engine",), oneshot=True),
        Service("engine", SLEEP),
    ]
    result = Recorder(services, tmp_path, lambda runs: runs["last"].state is State.READY)
    order = [
        first(result.seen, name, state)
        for name, state in (
            ("engine", State.READY),
            ("setup", State.STARTING),
            ("setup", State.DONE),
            ("last", State.STARTING),
            ("last", State.READY),
            ("last", State.STOPPED),
            ("engine", State.STOPPED),
        )
    ]
    assert order == sorted(order)
    assert (tmp_path / "setup.log").read_text() == "made\n"
    assert all(gone(pid) for pid in result.pids)
    assert [line for line in result.said if line.endswith(": stopped")] == ["last: stopped", "engine: stopped"]


def test_waits_for_readiness(tmp_path: Path) -> None:
    door = tmp_path / "door"
    services = [
        Service("engine", python(f"import pathlib, time; pathlib.Path({str(door)!r}).touch(); time.sleep(600)"), ready=door.exists),
        Service("user", SLEEP, after=("engine",)),
    ]
    result = Recorder(services, tmp_path, lambda runs: runs["user"].state is State.READY)
    assert first(result.seen, "engine", State.READY) < first(result.seen, "user", State.STARTING)


def test_what_is_not_ready_in_time_is_killed_and_started_again(tmp_path: Path) -> None:
    service = Service("slow", SLEEP, ready=lambda: False, start_timeout=0.1)
    result = Recorder([service], tmp_path, lambda runs: runs["slow"].failures == 2)
    assert any("slow: was not ready within 0 s and was killed; starting again in" in line for line in result.said)
    assert len(result.pids) == 2
    assert all(gone(pid) for pid in result.pids)


def test_a_killed_service_is_started_again(tmp_path: Path) -> None:
    killed: list[int] = []

    def enough(runs: dict[str, Run]) -> bool:
        run = runs["victim"]
        if run.state is State.READY and run.pid and not killed:
            os.kill(run.pid, signal.SIGKILL)
            killed.append(run.pid)
            return False
        return run.state is State.READY and run.pid not in killed

    result = Recorder([Service("victim", SLEEP)], tmp_path, enough)
    assert any("victim: was killed by SIGKILL; starting again in 0.01 s" in line for line in result.said)


def test_a_crash_loop_is_called_one_with_the_end_of_its_log(tmp_path: Path) -> None:
    service = Service("broken", python("print('the reason'); raise SystemExit(3)"))
    result = Recorder([service], tmp_path, lambda runs: runs["broken"].failures == supervisor.CRASH_LOOP)
    assert "broken: ended with code 3; starting again in 0.01 s" in result.said
    loop = next(line for line in result.said if "times in a row" in line)
    assert f"broken: ended with code 3; starting again in 0.04 s. It failed 3 times in a row. The end of {tmp_path / 'broken.log'}:" in loop
    assert loop.endswith("    the reason")


def test_a_failing_setup_is_tried_again_and_holds_up_the_rest(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"import pathlib; p = pathlib.Path({str(mark)!r}); seen = p.exists(); p.touch(); raise SystemExit(0 if seen else 1)"
    services = [Service("setup", python(code), oneshot=True), Service("worker", SLEEP, after=("setup",))]
    result = Recorder(services, tmp_path, lambda runs: runs["worker"].state is State.READY)
    assert (
        first(result.seen, "setup", State.FAILED) < first(result.seen, "setup", State.DONE) < first(result.seen, "worker", State.STARTING)
    )


def test_a_service_that_no_longer_answers_is_killed(tmp_path: Path) -> None:
    service = Service("deaf", SLEEP, alive=lambda: False)
    result = Recorder([service], tmp_path, lambda runs: runs["deaf"].restarts == 1 and runs["deaf"].state is State.READY)
    assert any("deaf: failed 3 checks in a row and was killed" in line for line in result.said)
    assert len(result.pids) == 2


def test_a_check_that_fails_once_changes_nothing(tmp_path: Path) -> None:
    answers = iter([False, False, True, False, False, True])
    service = Service("shaky", SLEEP, alive=lambda: next(answers, True))
    ticking = Service("clock", python("import time; time.sleep(0.6)"), oneshot=True)
    result = Recorder([service, ticking], tmp_path, lambda runs: runs["clock"].state is State.DONE)
    assert next(answers, "all asked") == "all asked"
    assert ("shaky", State.FAILED) not in result.seen


def test_a_quiet_while_makes_it_forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "QUIET", 0.0)
    service = Service("sometimes", python("import time; time.sleep(0.2); raise SystemExit(1)"))
    result = Recorder([service], tmp_path, lambda runs: runs["sometimes"].restarts == 4)
    assert not any("in a row" in line for line in result.said)


def test_what_cannot_start_is_said_and_ends_nothing_else(tmp_path: Path) -> None:
    def refuse() -> list[str]:
        raise RuntimeError("no jars here")

    services = [Service("refused", refuse), Service("other", SLEEP)]
    result = Recorder(services, tmp_path, lambda runs: runs["refused"].failures == 2 and runs["other"].state is State.READY)
    assert "refused: could not start: no jars here; starting again in 0.01 s" in result.said


def test_what_does_not_stop_is_killed(tmp_path: Path) -> None:
    door = tmp_path / "door"
    code = f"import pathlib, signal, time; signal.signal(15, signal.SIG_IGN); pathlib.Path({str(door)!r}).touch(); time.sleep(600)"
    service = Service("stubborn", python(code), ready=door.exists, stop_timeout=0.2)
    result = Recorder([service], tmp_path, lambda runs: runs["stubborn"].state is State.READY)
    assert result.said[-1] == "stubborn: killed, it did not stop within 0.2 s"
    assert all(gone(pid) for pid in result.pids)


def test_the_delay_doubles_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.5)
    assert [supervisor.back_off(failures) for failures in (1, 2, 3, 7, 100_000)] == [0.5, 1, 2, 30, 30]


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ([Service("a", SLEEP, after=("b",))], r"unknown services \['b'\]"),
        ([Service("a", SLEEP, after=("b",)), Service("b", SLEEP, after=("a",))], r"a circle among \['a', 'b'\]"),
    ],
)
def test_an_order_that_cannot_be_met_is_refused(services: list[Service], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        Supervisor(services, tmp_path, print)


def test_a_large_log_is_rotated_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("ab", buffering=0) as file:
        file.write(b"x" * 100)
        rotate(log, limit=50)
        file.write(b"new")
        assert log.read_bytes() == b"new"
        rotate(log, limit=50)
    assert (tmp_path / "a.log.1").read_bytes() == b"x" * 100


SUPERVISED = """
import sys
from pathlib import Path
from deploy.local.supervisor import Service, State, Supervisor
logs, handling = Path(sys.argv[1]), sys.argv[2]
code = f"import pathlib, signal, sys, time; signal.signal(15, signal.{handling}); pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
def service(name):
    door = logs / f"{name}.door"
    return Service(name, lambda: [sys.executable, "-c", code, str(door)], ready=door.exists, stop_timeout=600)
def changed(runs):
    if all(run.state is State.READY for run in runs):
        print(*(run.pid for run in runs), flush=True)
def say(line):
    if line.endswith("stopping"):
        print(line, flush=True)
Supervisor([service("a"), service("b")], logs, say, changed).run()
"""


def supervised(logs: Path, handling: str = "SIG_IGN") -> tuple[subprocess.Popen[str], list[int]]:
    """A supervisor with two children that handle SIGTERM as said, and their process ids."""
    process = subprocess.Popen([sys.executable, "-c", SUPERVISED, str(logs), handling], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, [int(pid) for pid in process.stdout.readline().split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    process, pids = supervised(tmp_path, "SIG_DFL")
    with process:
        assert len(pids) == 2
        process.send_signal(number)
        assert process.wait(20) == 0
    assert all(gone(pid) for pid in pids)


def test_a_second_signal_kills_what_does_not_stop(tmp_path: Path) -> None:
    process, pids = supervised(tmp_path)
    with process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "b: stopping\n"
        assert not any(gone(pid) for pid in pids)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert all(gone(pid) for pid in pids)


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    process, pids = supervised(tmp_path)
    with process:
        process.kill()
    wait_until(lambda: all(gone(pid) for pid in pids), "the children to die")
