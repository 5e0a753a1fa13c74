"""Baselines and worlds for the tests of the detector: plain, seeded, with known levels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.drift.baseline import HOURS, Baseline
from pipeline.drift.fit import Sums
from pipeline.drift.kinds import Name

Array = npt.NDArray[np.float64]
GRADES = tuple((float(grade), share) for grade, share in zip(range(1, 11), [1, 1, 1, 2, 4, 8, 20, 33, 20, 10], strict=True))
LEVELS: dict[Name, float] = {"grade": 7.6, "compliance": 1.4, "time": 3.6, "volume": 2.0}


def baseline(
    kind: Name,
    level: float | None = None,
    sigma2: float = 1.0,
    grades: Sequence[tuple[float, float]] = GRADES,
    **fields: float,
) -> Baseline:
    """A baseline that expects one level at all hours, well known, with hours and days that hardly stray."""
    total = sum(share for _, share in grades)
    usual: dict[str, float] = {
        "day": 0.01, "hour": 0.01, "over_day": 1.0, "over_week": 1.2, "daily": 20.0, "daily_extreme": 15.0, "saturation": 0.4,
        "known": 2000.0, "days": 84.0,
    }  # fmt: skip
    return Baseline(
        kind,
        (LEVELS[kind] if level is None else level,) * HOURS,
        sigma2 if kind in ("grade", "time") else 1.0,
        **{**usual, **fields},
        grades=tuple((value, share / total) for value, share in grades) if kind == "grade" else (),
    )


def week_pattern(kind: Name, strength: float = 1.0) -> Array:
    """m for the 168 hours of a week: a wave over the day, another one over the week."""
    hour = np.arange(HOURS)
    spread = {"grade": 0.15, "compliance": 0.4, "time": 0.3, "volume": 0.6}[kind]
    return LEVELS[kind] + strength * spread * (np.sin((hour % 24 - 8) / 9 * np.pi) + 0.5 * np.cos(hour // 24))


def open_hours(days: int, first_day: int = 0) -> npt.NDArray[np.int64]:
    """Hours 8 to 17 of Mondays to Fridays; day 0 is a Monday."""
    return np.array([day * 24 + hour for day in range(first_day, first_day + days) if day % 7 < 5 for hour in range(8, 17)], np.int64)


def world(
    kind: Name, hours: npt.NDArray[np.int64], rng: np.random.Generator, n: float = 12, shift: Array | float = 0.0,
    day: float = 0.0, hour: float = 0.0, pattern: Array | None = None, sigma: float = 1.0,
) -> Sums:  # fmt: skip
    """Sums of hours: levels by the week's pattern plus `shift`, with days and hours that stray by so much, about n observations each."""
    m = (week_pattern(kind) if pattern is None else pattern)[hours % HOURS] + shift
    days, where = np.unique(hours // 24, return_inverse=True)
    m = m + day * rng.normal(size=len(days))[where] + hour * rng.normal(size=len(hours))
    count = np.maximum(rng.poisson(n, len(hours)), 1).astype(float)
    if kind == "volume":
        return Sums(hours, rng.poisson(np.exp(m)).astype(float), np.ones(len(hours)))
    if kind == "compliance":
        return Sums(hours, rng.binomial(count.astype(int), 1 / (1 + np.exp(-m))) / count, count)
    if kind == "time":
        return Sums(hours, rng.normal(m, sigma / np.sqrt(count)), count)
    means = [float(np.clip(np.round(rng.normal(one, 1.6, int(k))), 1, 10).mean()) for one, k in zip(m, count, strict=True)]
    return Sums(hours, np.array(means), count)
