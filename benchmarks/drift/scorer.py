"""Drive a detector through a world and say what its alarms were worth.

An alarm is a change of state to one of the drifting ones. It is dated at the end of the hour that raised it: only closed hours are fed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np
from scipy.stats import chi2

from benchmarks.drift.effects import Kind
from benchmarks.drift.hours import DAY, Floats
from benchmarks.drift.ideal import ideal
from benchmarks.drift.worlds import HISTORY, QUARTER, WATCHED, World

SOON = 14 * DAY
"""Alarms this long after an announced change or a surge count against the detector."""
STATES = {"ok": 0, "drifting_down": -1, "drifting_up": 1}


class Detector(Protocol):
    """What is driven; docs/DRIFT.md, "The adapter"."""

    def update(self, t: float, value: float, weight: float) -> str:
        """The state after this row."""

    def on_marker(self, t: float) -> None:
        """Something was announced for this time."""


class Factory(Protocol):
    """Makes a detector of one stream from twelve quiet weeks. budget: false alarms per quarter it may give."""

    def __call__(self, kind: Kind, history: Floats, budget: float = 0.25) -> Detector: ...


@dataclass(frozen=True, slots=True)
class Score:
    """What became of one world. Hours; inf where it did not happen while it was watched, None where it does not apply.

    false: false alarms in each whole or begun quarter before the change. quarters: how many quarters that was. usual: as the world's.
    found: from the change to the first alarm on its side; found_open: the same in open hours; needed: in answers or contacts.
    ideal: when a step could have been found at best, see `ideal`.
    over: from the recovery until the alarm ended. premature: whether it ended while the change lasted.
    disturbed: an alarm on any side within two weeks of what should cause none.
    """

    false: tuple[int, ...]
    quarters: float
    usual: float
    found: float | None = None
    found_open: float | None = None
    needed: float | None = None
    ideal: float | None = None
    over: float | None = None
    premature: bool | None = None
    disturbed: bool | None = None


def states(detector: Detector, world: World) -> list[tuple[float, int]]:
    """The changes of state of a run: when (the end of the hour), and to which side, 0 for none."""
    changes, now, state = [], 0.0, 0
    markers = list(world.markers)
    for t, value, weight in world.run.tolist():
        if markers and markers[0] <= t:
            detector.on_marker(markers.pop(0))
        now = max(now, t // 1 + 1)
        found = STATES[detector.update(t, value, weight)]
        if found != state:
            changes.append((now, found))
            state = found
    return changes


def score(factory: Factory, world: World) -> Score:
    """Drive a new detector through the world."""
    return judged(states(factory(world.kind, world.history), world), world)


def judged(changes: Sequence[tuple[float, int]], world: World) -> Score:
    """What these changes of state are worth in this world."""
    until = world.end if world.change is None else world.change
    false = [0] * max(1, int(np.ceil((until - HISTORY) / QUARTER)))
    for at, side in changes:
        if side and at <= until:
            false[min(int((at - HISTORY) // QUARTER), len(false) - 1)] += 1
    before = tuple(false), (until - HISTORY) / QUARTER, world.usual
    if world.change is None:
        return Score(*before)
    alarms = [(at, side) for at, side in changes if side and at > world.change]
    if not world.side:
        return Score(*before, disturbed=any(at <= world.change + SOON for at, _ in alarms))
    last = world.change + WATCHED if world.recovery is None else world.recovery
    found = next((at for at, side in alarms if side == world.side and at <= last), inf)
    opened = float(np.count_nonzero((world.hours >= world.change) & (world.hours < found))) if found < inf else inf
    t, n = world.run[:, 0], world.run[:, 1 if world.kind == "volume" else 2]
    needed = float(n[(t >= world.change) & (t < found)].sum()) if found < inf else inf
    over, premature = _ended(changes, found, world.recovery) if found < inf and world.recovery is not None else (None, None)
    return Score(*before, found=found - world.change, found_open=opened, needed=needed, ideal=ideal(world), over=over, premature=premature)


def _ended(changes: Sequence[tuple[float, int]], found: float, recovery: float) -> tuple[float | None, bool]:
    """How long after the recovery an alarm found before it ended, None if none stood; and whether it ended before."""
    later = [(at, side) for at, side in changes if at >= found]
    premature = any(at <= recovery for at, _ in later[1:])
    if [at for at, _ in later if at <= recovery][-1:] != [found]:
        return None, premature
    return next((at - recovery for at, _ in later if at > recovery), inf), premature


@dataclass(frozen=True, slots=True)
class Rate:
    """False alarms per stream and quarter, with its 95 % interval; worst: of one stream over its run; most: in one quarter of a stream."""

    streams: int
    quarters: float
    alarms: int
    value: float
    low: float
    high: float
    worst: float
    most: int


def rate(scores: Sequence[Score]) -> Rate:
    """The false alarms of a cell. The interval is Poisson's, widened as streams differ more than Poisson allows (quasi-Poisson)."""
    alarms = np.array([sum(one.false) for one in scores])
    quarters = np.array([one.quarters for one in scores])
    total, exposure = int(alarms.sum()), float(quarters.sum())
    expected = quarters * total / exposure
    spread = float(((alarms - expected) ** 2 / expected).sum()) / (len(scores) - 1) if total and len(scores) > 1 else 1.0
    factor = max(1.0, spread)
    events = total / factor
    low = chi2.ppf(0.025, 2 * events) / 2 * factor if total else 0.0
    high = chi2.ppf(0.975, 2 * events + 2) / 2 * factor
    worst = float((alarms / quarters).max())
    return Rate(
        len(scores), exposure, total, total / exposure, low / exposure, high / exposure, worst, max(max(one.false) for one in scores)
    )


def quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least this part is at or below; inf counts as a value."""
    return sorted(values)[max(0, int(np.ceil(q * len(values))) - 1)] if values else inf
