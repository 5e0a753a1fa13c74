"""Run a command that does not outlive its parent: `python guard.py PARENT_PID COMMAND…`.

On Linux the kernel kills the command when the thread that started it ends (PR_SET_PDEATHSIG, kept across exec), so the
guard turns into the command and costs nothing. Elsewhere the guard stays, watches its parent and takes its own process
group along. A file of its own, run with `python -I -S`, so that it starts in milliseconds.
"""

import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1


def become(parent: int, command: list[str]) -> None:
    """Linux: ask the kernel for SIGKILL at the parent's death, then exec `command`."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died before the call took effect
        sys.exit(1)
    os.execv(command[0], command)


def watch(parent: int, command: list[str]) -> int:
    """Elsewhere: run `command` as a child; return its exit code. SIGTERM is passed on."""
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while child.poll() is None:
        if os.getppid() != parent:
            os.killpg(os.getpgrp(), signal.SIGKILL)
        time.sleep(0.2)
    return child.returncode


if __name__ == "__main__":
    parent_pid, *argv = sys.argv[1:]
    if sys.platform == "linux":
        become(int(parent_pid), argv)
    sys.exit(watch(int(parent_pid), argv))
