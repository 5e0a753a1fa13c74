"""Fitting a baseline to the hourly sums of some weeks. Some milliseconds a stream; the formulas are in baseline.py and docs/DRIFT.md."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.drift.baseline import HOURS, Baseline
from pipeline.drift.kinds import KINDS, Kind, Name

Array = npt.NDArray[np.float64]
FOLDS = 6
_SWEEPS = 12
_SIGMA2_PRIOR = 1.0
"""Variance of the prior of σ² of waits, in log-seconds, whose mean is 1."""
_FAR = 4.0
"""Sums farther out than this many standard deviations count as if they were so far: one storm must not blind the detector for months."""
_LIKE_THE_DAY_BEFORE = 0.7
"""Prior of how much days that are like the day before add to the variance of a week: so much of the part that straying days have in it."""
_ADDED_ANSWERS, _ANYWHERE_MEAN, _ANYWHERE_SPREAD, _UNHAPPY = 25.0, 7.5, 1.4, 0.15
"""How people grade anywhere: most near the mean, some anywhere below it; it counts like so many answers."""
_OVER: tuple[tuple[int, ...], ...] = ((1,), (2,), ())
"""Over which axes of (set, day, hour) the effects of hours, of days and of single hours of the week are summed."""
_GRADES = np.arange(1.0, 11.0)


@dataclass(frozen=True)
class Sums:
    """Hourly sums: hour (counted from a Monday 00:00 local time), mean or number v, and n. Equal lengths, hours ascending and unique."""

    hour: npt.NDArray[np.int64]
    v: Array
    n: Array

    def __len__(self) -> int:
        return len(self.hour)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Sums":
        """Some of them."""
        return Sums(self.hour[chosen], self.v[chosen], self.n[chosen])


def sums_of(kind: Name, t: Array, value: Array, weight: Array) -> Sums:
    """Hourly sums of single observations or of sums; those without weight are left out, but for volumes, where 0 contacts are a fact."""
    hour = np.floor(t).astype(np.int64)
    kept = np.ones(len(t), dtype=bool) if kind == "volume" else weight > 0
    found, where = np.unique(hour[kept], return_inverse=True)
    if kind == "volume":
        return Sums(found, _added(where, value), np.ones(len(found)))
    n = _added(where, weight[kept])
    return Sums(found, _added(where, weight[kept] * value[kept]) / n, n)


def _added(group: npt.NDArray[np.intp], values: Array) -> Array:
    return np.bincount(group, weights=values).astype(np.float64)


def fit(kind: Name, sums: Sums, grades: Sequence[tuple[float, float]] = ()) -> Baseline:
    """The baseline of a stream. `grades`: (grade, how many) of the single answers; without it a normal distribution is taken.

    Raises ValueError without any sum.
    """
    if not len(sums):
        raise ValueError("a baseline needs at least one hour with observations")
    constants = KINDS[kind]
    distribution = _distribution(grades) if kind == "grade" else ()
    day, hour, sigma2 = constants.day**2, constants.hour**2, _variance(distribution) if distribution else 1.0
    for _ in range(2):
        cells, expected = _cross_fitted(constants, sums, sigma2, day + hour)
        if kind == "time":
            sigma2 = _variance_of_single(sums, sums.v - expected, sigma2)
        u, i = score(kind, sums, expected, sigma2)
        day, hour = _noise(constants, sums, u, i, day, hour)
    return _summary(kind, sums, cells, u, i, sigma2, day, hour, distribution)


def score(kind: Name, sums: Sums, m: Array, sigma2: float) -> tuple[Array, Array]:
    """Score and information of each sum (see score.py)."""
    if kind == "compliance":
        p = 1 / (1 + np.exp(-m))
        return sums.n * (sums.v - p), sums.n * p * (1 - p)
    if kind == "volume":
        return sums.v - np.exp(m), np.exp(m)
    i = sums.n / sigma2
    return i * (sums.v - m), i


def _variance_of_single(sums: Sums, r: Array, before: float) -> float:
    """σ² of single waits from n·r² = σ² + n·τ², by weighted least squares over hours, shrunk to 1 as far as they leave it open.

    Where all hours have as many waits nothing tells σ² from τ²; then their sum is all that matters, too.
    """
    y, x = np.minimum(sums.n * r * r, 16 * before * (1 + sums.n * 0.02)), sums.n
    w = 1 / (before + 0.02 * x) ** 2
    sw, sx, sy, sxx, sxy = w.sum(), (w * x).sum(), (w * y).sum(), (w * x * x).sum(), (w * x * y).sum()
    spread = sw * sxx - sx * sx
    if spread <= 1e-9 * sw * sxx:
        return 1.0
    found, sampling = (sxx * sy - sx * sxy) / spread, 2 * sxx / spread
    return float(np.clip((found * _SIGMA2_PRIOR + sampling) / (_SIGMA2_PRIOR + sampling), 0.1, 4.0))


def _cross_fitted(kind: Kind, sums: Sums, sigma2: float, noise: float) -> tuple[Array, Array]:
    """The levels of the week from all weeks, and for each sum what the weeks of the other folds expect."""
    weeks, of_week = sums.hour // HOURS, sums.hour % HOURS
    fold = (weeks - weeks.min()) % FOLDS
    place = fold * HOURS + of_week
    if kind.name == "volume":
        weight, amount = np.ones(len(sums)), sums.v
    else:
        # Its information, by what a stream of this level tells on average, so that it need not change while the levels are sought.
        i = sums.n * _per_observation(kind.name, sums, sigma2)
        weight = i / (1 + i * noise)
        amount = weight * sums.v
    weights, amounts = _without_each_fold(place, weight), _without_each_fold(place, amount)
    alone = weights.sum(axis=(1, 2)) <= 0  # all weeks are of one fold
    weights[alone], amounts[alone] = weights[0], amounts[0]
    if kind.name == "volume":
        levels = _volume_levels(weights, amounts)
    else:
        levels = _levels(kind, weights, amounts, _per_observation(kind.name, sums, sigma2))
    levels = levels.reshape(FOLDS + 1, HOURS)
    return levels[0], levels[1 + fold, of_week]


def _without_each_fold(place: npt.NDArray[np.int64], column: Array) -> Array:
    """Sums by hour of the week (1 + folds, 7, 24): over all weeks, then over those outside of each fold."""
    by_fold = np.bincount(place, column, FOLDS * HOURS).astype(np.float64).reshape(FOLDS, 7, 24)
    return np.concatenate([by_fold.sum(axis=0)[None], by_fold.sum(axis=0) - by_fold])


def _per_observation(kind: Name, sums: Sums, sigma2: float) -> float:
    """The information of one observation."""
    if kind == "compliance":
        p = _share(float((sums.v * sums.n).sum() / sums.n.sum()))
        return p * (1 - p)
    return 1 / sigma2


def _share(p: float) -> float:
    return min(max(p, 0.002), 0.998)


def _levels(kind: Kind, weight: Array, amount: Array, per_observation: float) -> Array:
    """m for each hour of the week, for several sets at once: weight, amount: Σ of informations, and of informations times v (sets, 7, 24).

    Each effect in turn takes a step of Newton's method towards what it should be, given the others and its own prior.
    """
    prior = 1 / kind.spread**2
    mean = amount.sum(axis=(1, 2)) / weight.sum(axis=(1, 2))
    if kind.name == "compliance":
        mean = np.clip(mean, 0.002, 0.998)
        mean = np.log(mean / (1 - mean))
    m = np.broadcast_to(mean[:, None, None], weight.shape).copy()
    effects = [np.zeros((len(m), 1, 24)), np.zeros((len(m), 7, 1)), np.zeros(m.shape)]
    for _ in range(_SWEEPS):
        for effect, over in zip(effects, _OVER, strict=True):
            u, i = _pull(kind.name, weight, amount, m, per_observation)
            step = (u.sum(axis=over, keepdims=True) - effect * prior) / (i.sum(axis=over, keepdims=True) + prior)
            step = np.clip(step, -1, 1)
            effect += step
            m += step
        u, i = _pull(kind.name, weight, amount, m, per_observation)
        m += np.clip(u.sum(axis=(1, 2), keepdims=True) / i.sum(axis=(1, 2), keepdims=True), -1, 1)
    return m


def _pull(kind: Name, weight: Array, amount: Array, m: Array, per_observation: float) -> tuple[Array, Array]:
    """Score and information of the levels m."""
    if kind == "compliance":
        p = 1 / (1 + np.exp(-m))
        return (amount - weight * p) / per_observation, weight * p * (1 - p) / per_observation
    return amount - weight * m, weight


def _volume_levels(count: Array, total: Array) -> Array:
    """ln λ (sets, 7, 24). Hour and day alone: λ = rate of the hour · rate of the day, over the hours that were open."""
    hour, day = np.ones((len(count), 1, 24)), np.ones((len(count), 7, 1))
    for _ in range(_SWEEPS):  # iterative proportional fitting; half a contact is added, so that no rate becomes 0
        hour *= (total.sum(axis=1, keepdims=True) + 0.5) / ((count * hour * day).sum(axis=1, keepdims=True) + 0.5)
        day *= (total.sum(axis=2, keepdims=True) + 0.5) / ((count * hour * day).sum(axis=2, keepdims=True) + 0.5)
    return np.asarray(np.log(np.maximum((total + 3 * hour * day) / (count + 3), 0.02)))


def _noise(kind: Kind, sums: Sums, u: Array, i: Array, day: float, hour: float) -> tuple[float, float]:
    """τ_d² and τ_h² by moments, each shrunk to its prior as far as the data leave it open.

    E U² = i + i²(τ_d² + τ_h²) for an hour, and for two hours of one day E UU′ = ii′τ_d². So the sums over hours, and over pairs of hours of
    a day, give both.
    """
    limit = _FAR * np.sqrt(i + i * i * (day + hour))
    u = np.clip(u, -limit, limit)
    _, where = np.unique(sums.hour // 24, return_inverse=True)
    u_day, i_day = np.bincount(where, weights=u), np.bincount(where, weights=i)
    uu, ii = np.bincount(where, weights=u * u), np.bincount(where, weights=i * i)
    pairs = (i_day**2 - ii).sum()
    prior = kind.day**2
    sampling = 2 * ((i_day + i_day**2 * prior) ** 2).sum()
    found_day = _shrunk(float((u_day**2 - uu).sum()), float(pairs), float(sampling), prior)
    both = kind.day**2 + kind.hour**2
    sampling = 2 * ((i + i * i * both) ** 2).sum()
    found_both = _shrunk(float((uu - np.bincount(where, weights=i)).sum()), float(ii.sum()), float(sampling), both)
    return found_day, max(found_both - found_day, 0.1 * kind.hour**2)


def _shrunk(total: float, weight: float, sampling: float, prior: float) -> float:
    """The estimate total/weight with the variance sampling/weight², and a prior with a standard deviation of its own size."""
    if weight <= 0:
        return prior
    variance = sampling / weight**2
    found = (total / weight * prior**2 + prior * variance) / (prior**2 + variance)
    return max(found, 0.05 * prior)


def weights(i: Array, starts: npt.NDArray[np.bool_], day: float, hour: float) -> tuple[Array, Array]:
    """f for each hour, and J before it: the information of the hours of its day before it. `starts`: the first hour of each day.

    The sum of f·i over a day is J/(1 + Jτ_d²): what a day can tell, that strays by τ_d as a whole.
    """
    x = i / (1 + i * hour)
    total = np.cumsum(x)
    first = np.maximum.accumulate(np.where(starts, np.arange(len(x)), 0))
    j = total - x - (total - x)[first]
    f = np.divide(x, i * (1 + j * day) * (1 + (j + x) * day), out=np.zeros_like(x), where=i > 0)
    return f, j


def _summary(
    kind: Name,
    sums: Sums,
    cells: Array,
    u: Array,
    i: Array,
    sigma2: float,
    day: float,
    hour: float,
    grades: tuple[tuple[float, float], ...],
) -> Baseline:
    days = sums.hour // 24
    starts = np.append(True, days[1:] != days[:-1])
    f, j = weights(i, starts, day, hour)
    limit = _FAR * np.sqrt(i + i * i * (day + hour))
    told, known = f * np.clip(u, -limit, limit), f * i
    span = float(days[-1] - days[0] + 1)
    weeks = max(1.0, math.ceil(span / 7))
    span = max(span, 7 * weeks - 2)  # a week ends on Friday where weekends are closed
    over_day = _over(told, known, days)
    total = float(known.sum())
    after = (j + i / (1 + i * hour)) * day
    y = (j * day / (1 + j * day) + after / (1 + after)) / 2
    raw_week = _over(told, known, sums.hour // HOURS)
    saturation = max(float((known * y).sum()) / max(total, 1e-9), 1e-3)
    trust = saturation**2 / (saturation**2 + 2 / weeks)
    over_week = max(1.0, 1 + trust * (raw_week - 1) + (1 - trust) * _LIKE_THE_DAY_BEFORE * saturation)
    q = 1 / (1 + i * (day + hour))
    return Baseline(
        kind=kind,
        cells=tuple(cells.tolist()),
        sigma2=sigma2,
        day=day,
        hour=hour,
        over_day=max(1.0, over_day),
        over_week=over_week,
        daily=max(total / span, 1e-6),
        daily_extreme=max(float((q * i).sum()) / span, 1e-6),
        saturation=saturation,
        known=total / over_week,
        days=span,
        grades=grades,
    )


def _over(told: Array, known: Array, groups: npt.NDArray[np.int64]) -> float:
    """Σ(sum of scores)² / Σ information over groups: 1 where the groups do not stray together beyond what was allowed for."""
    _, where = np.unique(groups, return_inverse=True)
    return float((np.bincount(where, weights=told) ** 2).sum() / max(float(known.sum()), 1e-9))


def _distribution(grades: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Values and probabilities of single grades: those that were given, and some more as people grade anywhere.

    The more keep every grade possible: a channel with forty answers has not shown yet how its unhappy ones grade, and must not be beside
    itself at the first of them.
    """
    values, counts = np.array(grades or [(_ANYWHERE_MEAN, 0)], dtype=np.float64).T
    mean = float((values * counts).sum() / counts.sum()) if grades else _ANYWHERE_MEAN
    near = np.exp(-((_GRADES - mean) ** 2) / (2 * _ANYWHERE_SPREAD**2))
    below = np.where(mean > _GRADES, 1.0, 0.0)
    added = (1 - _UNHAPPY) * near / near.sum() + _UNHAPPY * below / max(below.sum(), 1.0)
    every = np.union1d(values, _GRADES)
    held = np.zeros(len(every))
    held[every.searchsorted(values)] += counts
    held[every.searchsorted(_GRADES)] += _ADDED_ANSWERS * added / added.sum()
    held /= held.sum()
    return tuple(zip(every.tolist(), held.tolist(), strict=True))


def _variance(distribution: Sequence[tuple[float, float]]) -> float:
    values, probabilities = np.array(distribution).T
    return float((values**2 * probabilities).sum() - (values * probabilities).sum() ** 2)
