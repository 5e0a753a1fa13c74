"""The detector for any benchmark: no Kafka, no ClickHouse, no configuration.

    detector = factory("grade", history, budget=0.25)
    detector.update(t, value, weight)       # 'ok', 'drifting_down' or 'drifting_up'
    detector.on_marker(t)                   # a change was announced

t: hours since a Monday 00:00 local time, of the event. history: rows (t, value, weight) of some weeks in which nothing was the matter, 12
at best. grade: one answer of 1-10, weight 1. compliance: the share within a norm in an hour, weight the number judged. time: mean
log-seconds of an hour, weight their number. volume: contacts in an open hour. budget: false alarms a quarter that this stream may cost.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.drift.detector import Detector, Status
from pipeline.drift.fit import fit, sums_of
from pipeline.drift.kinds import KINDS, Name


class Adapter:
    """A detector that takes observations as they come. One that comes late, of an hour that has passed, changes nothing."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def update(self, t: float, value: float, weight: float = 1.0) -> Status:
        """Take an observation; what is known after it."""
        detector, hour = self._detector, math.floor(t)
        if detector.hour is not None and hour < detector.hour:
            return detector.status
        return detector.update(hour, value, weight)

    def on_marker(self, t: float) -> None:
        """A change was announced for t: what was usual is learned anew."""
        self._detector.relearn(math.floor(t))


def factory(kind: Name, history: Sequence[Sequence[float]] | npt.NDArray[np.float64], budget: float = 0.25) -> Adapter:
    """A detector fitted to a history. Raises ValueError for an unknown kind or a history without observations."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of stream; write one of {', '.join(KINDS)}")
    rows = np.asarray(history, dtype=np.float64).reshape(-1, 3)
    t, value, weight = rows.T
    grades: list[tuple[float, float]] = []
    if kind == "grade":
        values, counts = np.unique(np.round(value, 3), return_counts=True)
        grades = list(zip(values.tolist(), counts.astype(float).tolist(), strict=True))
    return Adapter(Detector(fit(kind, sums_of(kind, t, value, weight), grades), budget))
