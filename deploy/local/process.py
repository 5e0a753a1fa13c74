"""Start and end one process of the local stack."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_GUARD = str(Path(__file__).with_name("guard.py"))


def spawn(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start `command` (its first word an absolute path) in a session of its own, output appended to `log`.

    The process is killed when the *thread* that called this ends, so call it from the main thread. `environment` is added
    to ours. Raises OSError when the command cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", _GUARD, str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=directory,
            start_new_session=True,
        )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the process and everything in its group, without waiting: safe in a signal handler."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and everything in its group at once."""
    kill_group(process)
    process.wait()


def end(process: subprocess.Popen[bytes], timeout: float) -> bool:
    """SIGTERM, and SIGKILL after `timeout` seconds. True when it ended by itself in time."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        kill(process)
        return False
    kill_group(process)  # whatever it left behind
    return True


def write_atomically(path: Path, content: str, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a kill in between, sees the old or the new content, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    temporary.replace(path)
