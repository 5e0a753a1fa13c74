"""What one hour tells of a stream, and with which weight it counts.

The information i of an hour is discounted twice: hours stray (x = i/(1 + iτ_h²)), and a day strays as a whole, so that with J the
information its earlier hours used up,

    f = x/[i(1 + Jτ_d²)(1 + (J + x)τ_d²)]      (the sum of f·i over a day is J/(1 + Jτ_d²), what one straying day can tell)

What is left of correlation between days, c7, and within them, c1, takes the rest: a likelihood ratio counts with the power f/c for the
small shift, c = 1 + (c7 − 1)·y/ȳ, y the mean of Jτ_d²/(1 + Jτ_d²) before and after the hour; f/c1 for the large one; and for the extreme
one 1/(1 + i(τ_h² + τ_d²)), which lets a single hour speak.
"""

import math
from typing import Any, NamedTuple

from pipeline.drift.baseline import Baseline
from pipeline.drift.score import Tilt, logistic


class Hour(NamedTuple):
    """What one hour tells: information i, expected level m and value, and the weights with which it counts.

    used: J after it. powers, deltas: of the small, the large and the extreme shift.
    """

    v: float
    n: float
    i: float
    u: float
    m: float
    expected: float
    f: float
    used: float
    c: float
    powers: tuple[float, ...]
    deltas: tuple[float, ...]


def told_by(base: Baseline, m: float, v: float, n: float, used: float) -> Hour:
    """What (v, n) tells where m is expected. used: J, the information that earlier hours of its day used up."""
    expected = m
    if base.kind == "compliance":
        expected = logistic(m)
        i = n * expected * (1 - expected)
        u = n * (v - expected)
    elif base.kind == "volume":
        expected = i = math.exp(m)
        u = v - i
    else:
        i = n / base.sigma2
        u = i * (v - m)
    i = max(i, 1e-12)
    day = base.day
    x = i / (1 + i * base.hour)
    a, b = used * day, (used + x) * day
    f = x / (i * (1 + a) * (1 + b))
    y = (a / (1 + a) + b / (1 + b)) / 2
    c = 1 + (base.over_week - 1) * y / base.saturation
    extreme = 1 / (1 + i * (base.hour + day))
    delta, sudden = f * i / base.daily, extreme * i / base.daily_extreme
    return Hour(
        v, n, i, u, m, expected, f, used + x, c,
        (f / c, f / base.over_day, extreme), (delta, delta, sudden),
    )  # fmt: skip


def prepared(base: Baseline, shift: float) -> Any:
    """What a shift needs at every hour: its tilt for grades, (a, eᵃ) for compliance and volume, a for times."""
    kind = base.kind
    if kind == "grade":
        return base.residuals.tilt(shift)
    return (shift, math.exp(shift)) if kind in ("compliance", "volume") else shift


def log_ratio(base: Baseline, told: Hour, shift: Any) -> float:
    """ℓ(a) of a shift that was prepared, see score.py; of volumes as far as their hours do not stray, and log-normal as far as they do."""
    kind = base.kind
    if kind == "grade":
        tilt: Tilt = shift
        return told.n * (tilt.theta * (told.v - told.m) - tilt.k)
    if kind == "time":
        return float(shift * (told.u - told.i * shift / 2))
    a, e = shift
    if kind == "compliance":
        return float(told.n * (a * told.v - math.log1p(told.expected * (e - 1))))
    straying = told.i * (base.day + base.hour)
    share = straying / (1 + straying)
    log = math.log((told.v + 0.5) / (told.expected + 0.5))
    return float((1 - share) * (a * told.v - told.expected * (e - 1)) + share * told.expected * (a * log - a * a / 2))
