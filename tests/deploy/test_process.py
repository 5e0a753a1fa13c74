"""A process of the stack never outlives what started it."""

import signal
import subprocess
import sys
from pathlib import Path

from deploy.local import network, process
from tests.waiting import gone, wait_until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
PARENT = """
import sys, time
from pathlib import Path
from deploy.local import network, process
child = process.spawn([sys.executable, "-c", "import time; time.sleep(600)"], Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""

GUARD = "import sys; from deploy.local import guard; sys.exit(guard.watch(int(sys.argv[1]), sys.argv[2:]))"
WATCHED = f"""
import os, subprocess, sys, time
command = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
guard = subprocess.Popen([sys.executable, "-c", {GUARD!r}, str(os.getpid()), *command], start_new_session=True)
print(guard.pid, flush=True)
time.sleep(600)
"""


def test_a_child_dies_with_its_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        assert not gone(child)
        parent.kill()
        wait_until(lambda: gone(child))
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()


def test_the_guard_that_watches_ends_the_command_with_its_parent() -> None:
    """What runs where the kernel offers no death signal."""
    parent = subprocess.Popen([sys.executable, "-c", WATCHED], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    family = [int(parent.stdout.readline()) for _ in range(2)]
    try:
        assert not any(gone(pid) for pid in family)
        parent.kill()
        wait_until(lambda: all(gone(pid) for pid in family))
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()


def test_end_waits_then_kills(tmp_path: Path) -> None:
    polite = process.spawn(SLEEPER, tmp_path / "polite")
    assert process.end(polite, 10) is True
    assert polite.returncode == -signal.SIGTERM
    deaf = process.spawn(DEAF, tmp_path / "deaf")
    wait_until(lambda: "deaf" in (tmp_path / "deaf").read_text())
    assert process.end(deaf, 0.2) is False
    assert deaf.returncode == -signal.SIGKILL


def test_output_is_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    for word in ("one", "two"):
        process.spawn([sys.executable, "-c", "import os; print(os.environ['WORD'])"], log, {"WORD": word}).wait()
    assert log.read_text() == "one\ntwo\n"


def test_write_atomically_replaces_and_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "secret"
    process.write_atomically(path, "a", mode=0o600)
    process.write_atomically(path, "b", mode=0o600)
    assert path.read_text() == "b"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_free_ports_are_free_and_different() -> None:
    ports = network.free_ports(5)
    assert len(set(ports)) == 5
    assert all(network.is_free(port) for port in ports)
