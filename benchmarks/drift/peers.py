"""What is commonly used, behind the same interface, each row fed as it comes: a CUSUM, a Grafana rule on a 24 h mean, ADWIN.

Peers know nothing of a budget, of weights or of announcements; they are set as their manuals say, from the same history.
"""

from collections import deque
from itertools import pairwise

import numpy as np
from river.drift import ADWIN

from benchmarks.drift.effects import Kind
from benchmarks.drift.hours import DAY, WEEK, Floats

_NAMES = {0: "ok", -1: "drifting_down", 1: "drifting_up"}


class Cusum:
    """Two-sided CUSUM (Page 1954) of values standardised by history, k .5, h 5: it drifts while a sum is above h.

    A sum stops at 2h, so that an end can be seen too. Grades are fed as the mean of an hour, once the next begins: a CUSUM of single
    answers would by its tables cry wolf every 465 of them.
    """

    def __init__(self, kind: Kind, history: Floats, budget: float = 0.25) -> None:
        del budget
        self._gathers = kind == "grade"
        self._hour, self._values = int(history[-1, 0]) + 1, list[float]()
        self._mean, self._spread = _by_cell(_hourly(history) if self._gathers else history)
        self._side = 0
        self._sums = {-1: 0.0, 1: 0.0}

    def update(self, t: float, value: float, weight: float) -> str:
        """The state after this row."""
        del weight
        hour = int(t)
        if not self._gathers:
            self._fed(hour, value)
            return _NAMES[self._side]
        if hour > self._hour:
            if self._values:
                self._fed(self._hour, sum(self._values) / len(self._values))
            self._hour, self._values = hour, []
        self._values.append(value)
        return _NAMES[self._side]

    def _fed(self, hour: int, value: float) -> None:
        cell = hour % WEEK
        off = (value - self._mean[cell]) / self._spread[cell]
        for side in self._sums:
            self._sums[side] = min(10.0, float(self.step(np.array(self._sums[side]), np.array(side * off))))
        side = max(self._sums, key=self._sums.__getitem__)
        self._side = side if self._sums[side] > 5 else 0

    @staticmethod
    def step(total: Floats, off: Floats) -> Floats:
        """Sums after values that are off by so many standard deviations."""
        return np.asarray(np.maximum(0.0, total + off - 0.5))

    def on_marker(self, t: float) -> None:
        """Unknown here."""


class Grafana:
    """The mean of the last 24 hours is three standard deviations of such means off, `for: 1h`: it fires once true for an hour."""

    def __init__(self, kind: Kind, history: Floats, budget: float = 0.25) -> None:
        del kind, budget
        self._rows: deque[tuple[float, float, float]] = deque()
        self._sum = self._weight = 0.0
        means = np.array([self._rolled(*row) for row in history.tolist()])
        settled = means[history[:, 0] >= history[0, 0] + DAY]
        middle, off = settled.mean(), 3 * settled.std()
        self._low, self._high = float(middle - off), float(middle + off)
        self._since: float | None = None
        self._side = self._pending = 0

    def _rolled(self, t: float, value: float, weight: float) -> float:
        self._rows.append((t, value, weight))
        self._sum += value * weight
        self._weight += weight
        while self._rows[0][0] <= t - DAY:
            _, old, less = self._rows.popleft()
            self._sum -= old * less
            self._weight -= less
        return self._sum / self._weight

    def update(self, t: float, value: float, weight: float) -> str:
        """The state after this row."""
        mean = self._rolled(t, value, weight)
        side = int(mean > self._high) - int(mean < self._low)
        if side != self._pending:
            self._pending, self._since = side, t
        if side == 0 or (self._since is not None and t - self._since >= 1):
            self._side = side
        return _NAMES[self._side]

    def on_marker(self, t: float) -> None:
        """Unknown here."""


class Adwin:
    """ADWIN (Bifet & Gavaldà 2007) of river with its defaults, on values standardised by history.

    It tells that its window's mean changed; we say to which side of history, and "ok" once a later change brings it within half a standard
    error of a day's mean.
    """

    def __init__(self, kind: Kind, history: Floats, budget: float = 0.25) -> None:
        del kind, budget
        self._mean, self._spread = _by_cell(history)
        self._adwin = ADWIN()  # type: ignore[no-untyped-call]
        self._side = 0
        a_day = len(history) / len(np.unique(history[:, 0] // DAY))
        self._near = 0.5 / np.sqrt(a_day)
        for t, value in history[:, :2].tolist():
            self._fed(t, value)

    def _fed(self, t: float, value: float) -> bool:
        cell = int(t) % WEEK
        self._adwin.update(float((value - self._mean[cell]) / self._spread[cell]))  # type: ignore[no-untyped-call]
        return bool(self._adwin.drift_detected)

    def update(self, t: float, value: float, weight: float) -> str:
        """The state after this row."""
        del weight
        if self._fed(t, value):
            mean = self._adwin.estimation
            self._side = 0 if abs(mean) < self._near else int(np.sign(mean))
        return _NAMES[self._side]

    def on_marker(self, t: float) -> None:
        """Unknown here."""


def _hourly(history: Floats) -> Floats:
    """The mean of each hour that has answers."""
    hours, at = np.unique(history[:, 0] // 1, return_inverse=True)
    numbers = np.bincount(at)
    return np.column_stack([hours, np.bincount(at, history[:, 1]) / numbers, numbers])


def _by_cell(history: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each hour of the week; of all where an hour has fewer than five values, or does not vary."""
    cells = (history[:, 0] % WEEK).astype(int)
    mean, spread = np.full(WEEK, history[:, 1].mean()), np.full(WEEK, max(history[:, 1].std(), 1e-9))
    order = np.argsort(cells, kind="stable")
    edges = np.concatenate([[0], np.flatnonzero(np.diff(cells[order])) + 1, [len(order)]])
    for start, end in pairwise(edges.tolist()):
        values = history[order[start:end], 1]
        if len(values) >= 5:
            cell = cells[order[start]]
            mean[cell], spread[cell] = values.mean(), values.std() or spread[cell]
    return mean, spread
