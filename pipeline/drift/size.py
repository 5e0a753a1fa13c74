"""The size of a change in the measure's own unit, recomputed from the sums since its onset: what a signal tells."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.drift.baseline import HOURS, Baseline
from pipeline.drift.fit import Array, Sums, score, weights
from pipeline.drift.score import logistic
from pipeline.drift.streams import Fed


class Told(NamedTuple):
    """See Signal: size with its interval, what was seen, what was usual in the same hours, and of how many."""

    size: float
    low: float
    high: float
    value: float
    usual: float
    n: int

    def coarse(self, step: int) -> "Told":
        """As grades may be told to anybody: in tenths, of answers in whole steps, so that two states do not tell the answers in between."""
        return Told(*(round(figure, 1) for figure in self[:5]), self.n - self.n % step)  # type: ignore[arg-type, call-arg]


def told_of(baseline: Baseline, level: float, info: float, fed: Fed, chosen: npt.NDArray[np.int64]) -> Told:
    """What the chosen hours tell, in order. level, info: what the level is off from the baseline, and how well that is known.

    Grades and log-seconds: weighted means. Compliance: shares; the interval is taken on log-odds. Volume: contacts in an open hour.
    """
    m = np.array(baseline.cells)[fed.hour[chosen] % HOURS] + level
    v, n = fed.v[chosen], fed.n[chosen]
    uncertainty = _uncertainty(baseline, info, Sums(fed.hour[chosen], v, n), m)
    if baseline.kind == "volume":
        seen, usual = float(v.mean()), float(np.exp(m).mean())
        size = math.log((v.sum() + 0.5) / (np.exp(m).sum() + 0.5))
        return Told(*_factors(size, uncertainty), seen, usual, int(v.sum()))
    total = float(n.sum())
    value = float((v * n).sum()) / total
    if baseline.kind == "compliance":
        usual = float((n / (1 + np.exp(-m))).sum()) / total
        odds = _odds(value, total)
        low, high = (logistic(odds + off) - usual for off in (-uncertainty, uncertainty))
        return Told(value - usual, min(low, value - usual), max(high, value - usual), value, usual, round(total))
    usual = float((m * n).sum()) / total
    size = value - usual
    if baseline.kind == "grade":
        return Told(size, size - uncertainty, size + uncertainty, value, usual, round(total))
    return Told(*_factors(size, uncertainty), math.exp(value), math.exp(usual), round(total))


def _uncertainty(baseline: Baseline, info: float, sums: Sums, m: Array) -> float:
    """Half the width of a 95 % interval of the size, in the kind's scale: of what was seen (hours and days stray) and of the level."""
    _, i = score(baseline.kind, sums, m, baseline.sigma2)
    days = sums.hour // 24
    f, _ = weights(i, np.append(True, days[1:] != days[:-1]), baseline.day, baseline.hour)
    return 1.96 * math.sqrt(baseline.over_week / float((f * i).sum()) + 1 / info)


def _factors(size: float, uncertainty: float) -> tuple[float, float, float]:
    return math.exp(size), math.exp(size - uncertainty), math.exp(size + uncertainty)


def _odds(share: float, n: float) -> float:
    """The log-odds of a share, half an observation away from certainty."""
    held = min(max(share, 0.5 / (n + 1)), (n + 0.5) / (n + 1))
    return math.log(held / (1 - held))
