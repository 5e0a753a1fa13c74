"""How long it took until everything was as it should be again: measured by every scenario, printed at the end of the run."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from tests.e2e.running import Stack, wait_until


@dataclass
class Scenario:
    """Times in seconds of one scenario, by fault."""

    name: str
    times: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""

    def add(self, fault: str, seconds: float) -> None:
        """Note one recovery."""
        self.times.setdefault(fault, []).append(seconds)


SCENARIOS: list[Scenario] = []


def scenario(name: str) -> Scenario:
    """A scenario that will be in the table."""
    made = Scenario(name)
    SCENARIOS.append(made)
    return made


def seconds_to_recover(stack: Stack, ready: Callable[[], bool], timeout: float = 300.0) -> float:
    """How long until the workers are ready, and all that lay in the log by then is stored and committed."""
    begin = time.monotonic()
    ends: Mapping[int, int] | None = None

    def caught_up() -> bool:
        nonlocal ends
        if not ready():
            return False
        found = stack.offsets()
        if found is None:
            return False
        if ends is None:
            ends = found.ends
        return found.behind(ends) == 0

    wait_until(caught_up, "the workers to have caught up with the log", timeout)
    return time.monotonic() - begin


def table() -> list[str]:
    """Lines of a table: scenario, fault, how often, median and longest recovery."""
    lines = [f"{'scenario':34} {'fault':38} {'times':>5} {'median s':>9} {'longest s':>9}"]
    for one in SCENARIOS:
        for fault, times in one.times.items():
            lines.append(f"{one.name:34} {fault:38} {len(times):5} {median(times):9.1f} {max(times):9.1f}")
        if one.note:
            lines.append(f"{one.name:34} {one.note}")
    return lines
