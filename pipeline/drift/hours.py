"""Sums by hour, as detectors are fed them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]


class Hours(NamedTuple):
    """Sums of one measure of a channel, an entry for each hour that has any, in order.

    hour: hours since 1970 in UTC; hour h holds the moments (h, h + 1], without its own beginning, because minutes are ceilings. n, total: n
    and Σx, int64. squares: Σx², float64, nearest to the exact sum. x is in the integers of its measure: ms of a wait, thousandths of a
    grade, 1 or 0 of a norm, 0 of a volume; of `wait_log` millionths of the logarithm of the seconds, at least one second.
    """

    hour: Whole
    n: Whole
    total: Whole
    squares: NDArray[np.float64]


class GradeCount(NamedTuple):
    """How often a grade was given in an hour (since 1970, UTC), on the scale on which it was asked."""

    hour: int
    grade: float
    n: int
