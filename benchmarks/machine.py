"""The machine that is measured: its cores, who may run on which, and what a process has used. Linux tells all of it, others less."""

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

_CAN_PIN = hasattr(os, "sched_setaffinity")
CORES: tuple[int, ...] = tuple(sorted(os.sched_getaffinity(0))) if _CAN_PIN else ()
"""The cores that this process was given; empty where nobody can be pinned."""
WORKER_CORES = frozenset(CORES[-1:])
"""The worker's own core; engines and this program get the others."""
OTHER_CORES = frozenset(CORES[:-1]) or WORKER_CORES

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@contextmanager
def on(cores: frozenset[int]) -> Iterator[None]:
    """Run this thread, and what it starts meanwhile, on these cores; no effect where pinning is unknown."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used; NaN where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> float:
    """Memory that a process holds; NaN where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return float("nan")


def described() -> dict[str, str]:
    """What a reader must know to compare figures: processor, cores, Python and the libraries of the hot path."""
    libraries = ("faust-streaming", "aiokafka", "pydantic", "orjson", "clickhouse-connect", "kafka-python", "chdb-core")
    pinned = f"worker on core {CORES[-1]}, the rest on the others" if len(CORES) > 1 else "nobody pinned to a core of its own"
    return {
        "processor": _processor(),
        "cores": f"{os.cpu_count()} ({pinned})",
        "system": f"{platform.system()} {platform.release()}",
        "Python": sys.version.split()[0],
        **{name: version(name) for name in libraries},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
