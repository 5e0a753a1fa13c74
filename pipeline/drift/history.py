"""Which hours a baseline is fitted to: those of the last twelve weeks in which nothing was the matter."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from pipeline.drift.baseline import Baseline
from pipeline.drift.fit import Sums, fit, sums_of
from pipeline.drift.kinds import Name
from pipeline.drift.streams import Fed

HISTORY_DAYS = 84
LONGEST_DAYS = 105
"""So far back these days are looked for, where some were left out."""
LEARNING_DAYS = 28
_CLOSED_DAYS = 3
"""So many days without hours may come before the day of the fit: a long weekend."""
Span = tuple[int, int, int | None]
"""(found, onset, over or None while it lasts) of a signal, in ms."""


def in_control(fed: Fed, place: int, skipped: npt.NDArray[np.bool_], past: Iterable[Span], since: int) -> npt.NDArray[np.bool_]:
    """Which hours before a place tell what is usual: none of a signal found by then, none left out, none before the day `since`."""
    day, at = int(fed.hour[place]) // 24, int(fed.at[place])
    found = (fed.hour[:place] // 24 >= max(since, day - LONGEST_DAYS)) & ~skipped[:place]
    for told, onset, over in past:
        if told < at:
            found &= (fed.at[:place] < onset) | (fed.at[:place] >= (at if over is None else over))
    return found


def learned(fed: Fed, place: int, chosen: npt.NDArray[np.bool_]) -> int:
    """How many days the chosen hours before a place span, up to its own day."""
    used = np.unique(fed.hour[:place][chosen] // 24)
    if not len(used):
        return 0
    return int(min(int(fed.hour[place]) // 24, used[-1] + 1 + _CLOSED_DAYS) - used[0])


def fitted(kind: Name, fed: Fed, place: int, chosen: npt.NDArray[np.bool_]) -> Baseline:
    """The baseline of the last HISTORY_DAYS of the chosen hours before a place: farther back by as many days as nothing was chosen of."""
    day, days = int(fed.hour[place]) // 24, fed.hour[:place] // 24
    used = np.unique(days[chosen])
    length = day - used[0]
    lost = length - len(used) * length / len(np.unique(days[days >= used[0]]))
    places = np.flatnonzero(chosen & (days >= day - HISTORY_DAYS - lost))
    sums = Sums(fed.hour[places], fed.v[places], fed.n[places])
    if (np.diff(sums.hour) == 0).any():  # the hour that comes twice in autumn
        sums = sums_of(kind, sums.hour.astype(np.float64), sums.v, sums.n)
    return fit(kind, sums, fed.grades.given(fed.at[places]) if fed.grades is not None else ())
