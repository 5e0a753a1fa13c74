"""What an hour says: its information, discounted for how hours and days stray, and for or against a shift.

Its information i is discounted twice: hours stray (x = i/(1 + iτ_h²)), and a day strays as a whole, so that with J the information that its
earlier hours used up,

    f = x/[i(1 + Jτ_d²)(1 + (J + x)τ_d²)]      (the sum of f·i over a day is J/(1 + Jτ_d²), what one straying day can tell)

What is left of correlation between days, c7, and within them, c1, takes the rest: a likelihood ratio counts with the power f/c for the
small shift, c = 1 + (c7 − 1)·y/ȳ, y the mean of Jτ_d²/(1 + Jτ_d²) before and after the hour; f/c1 for the large one; and for the extreme
one 1/(1 + i(τ_h² + τ_d²)), which lets a single hour speak.

Each side compares a shift of δ + ε with one of ε, the margin: what the level may be off by, for the extreme shift 2τ_d.
"""

import math
from typing import Any, NamedTuple

from pipeline.drift.baseline import Baseline
from pipeline.drift.score import Tilt, logistic
from pipeline.drift.statistic import Component

MOST_OF_ONE_HOUR = 3.0
"""As much as an hour may say for a rise of volume: one citizen who reports ten things, or one letter to all, is no drift."""


class Hour(NamedTuple):
    """What one hour tells: v of n, information i and score u; expected: level m, and as a value; then the weights with which it counts.

    f: see above. used: J after it. c, powers: as above. deltas: what each shift's clock advances, in days of average information.
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
    powers: tuple[float, float, float]
    deltas: tuple[float, float, float]


class Evidence:
    """What hours say against one baseline. What a shift needs again and again is made once."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self._straying = baseline.day + baseline.hour
        self._sudden_margin = 2 * math.sqrt(baseline.day)
        self._pairs: dict[tuple[int, int, float], tuple[Any, Any]] = {}
        self._moved = 0.0
        self._sigma2 = baseline.sigma2
        self._residuals = baseline.residuals if baseline.kind == "grade" else None

    def at_level(self, level: float) -> None:
        """Grades at another level than the baseline's have another distribution: nearer to an end of the scale there is less room."""
        moved = round(level, 1)
        if self._residuals is not None and moved != self._moved:
            self._moved = moved
            self._residuals = self.baseline.residuals.moved(moved) if moved else self.baseline.residuals
            self._sigma2 = self._residuals.variance() if moved else self.baseline.sigma2
            self._pairs.clear()

    def expected(self, m: float) -> float:
        """A level as a value: a grade, a share, log-seconds, a number of contacts."""
        kind = self.baseline.kind
        return logistic(m) if kind == "compliance" else math.exp(m) if kind == "volume" else m

    def hour(self, m: float, v: float, n: float, used: float) -> Hour:
        """What the sum (v, n) of an hour tells where m is expected. used: J, the information that earlier hours of its day used up."""
        base = self.baseline
        expected = self.expected(m)
        if base.kind == "compliance":
            i = n * expected * (1 - expected)
            u = n * (v - expected)
        elif base.kind == "volume":
            i = expected
            u = v - i
        else:
            i = n / self._sigma2
            u = i * (v - m)
        i = max(i, 1e-12)
        x = i / (1 + i * base.hour)
        a, b = used * base.day, (used + x) * base.day
        f = x / (i * (1 + a) * (1 + b))
        y = (a / (1 + a) + b / (1 + b)) / 2
        c = 1 + (base.over_week - 1) * y / base.saturation
        extreme = 1 / (1 + i * self._straying)
        delta, sudden = f * i / base.daily, extreme * i / base.daily_extreme
        powers, deltas = (f / c, f / base.over_day, extreme), (delta, delta, sudden)
        return Hour(v, n, i, u, m, expected, f, used + x, c, powers, deltas)

    def gain(self, told: Hour, side: int, number: int, margin: float) -> float:
        """ln Λ^q of an hour for one of the three shifts on a side: q·[ℓ(s(δ + ε)) − ℓ(sε)]."""
        margin = self._sudden_margin if number == 2 else margin
        key = (side, number, margin)
        pair = self._pairs.get(key)
        if pair is None:
            delta = self.baseline.constants.shifts[number]
            pair = self._pairs[key] = (self._prepared(side * (delta + margin)), self._prepared(side * margin))
        gain = told.powers[number] * (self._log_ratio(told, pair[0]) - self._log_ratio(told, pair[1]))
        return min(gain, MOST_OF_ONE_HOUR) if side > 0 and self.baseline.kind == "volume" else gain

    def log_ratio(self, told: Hour, shift: float) -> float:
        """ℓ(a) of an hour, see score.py. Volumes stray by factors: ℓ is log-normal by as much as straying has part in the variance."""
        return self._log_ratio(told, self._prepared(shift))

    def _prepared(self, shift: float) -> Any:
        """The tilt of a shift for grades, (a, eᵃ) for compliance and volume, a for times."""
        kind = self.baseline.kind
        if self._residuals is not None:
            return self._residuals.tilt(shift)
        return (shift, math.exp(shift)) if kind in ("compliance", "volume") else shift

    def _log_ratio(self, told: Hour, prepared: Any) -> float:
        kind = self.baseline.kind
        if kind == "grade":
            tilt: Tilt = prepared
            return told.n * (tilt.theta * (told.v - told.m) - tilt.k)
        if kind == "time":
            return float(prepared * (told.u - told.i * prepared / 2))
        a, e = prepared
        if kind == "compliance":
            return float(told.n * (a * told.v - math.log1p(told.expected * (e - 1))))
        straying = told.i * self._straying / (1 + told.i * self._straying)
        log = math.log((told.v + 0.5) / (told.expected + 0.5))
        return float((1 - straying) * (a * told.v - told.expected * (e - 1)) + straying * told.expected * (a * log - a * a / 2))

    def step(self, component: Component, hour: int, told: Hour, number: int, gain: float) -> float:
        """Let a component take an hour; its ln W afterwards."""
        w = component.after(told.deltas[number], gain)
        n = told.n if self.baseline.kind != "volume" else 1.0
        component.step(hour, w, gain, told.f * told.u, told.f * told.i, n, n * told.v, n * told.expected)
        return w

    def size(self, component: Component, told: Hour | None) -> float:
        """The change since a component's onset, an hour under way included, in the kind's scale.

        ΣfU/Σfi; for compliance and volume, where that is only its beginning, the change of the log-odds or the log.
        """
        sums = [component.told, component.known, component.n, component.seen, component.usual]
        if told is not None:
            more = (told.f * told.u, told.f * told.i, told.n, told.n * told.v, told.n * told.expected)
            sums = [one + other for one, other in zip(sums, more, strict=True)]
        score, known, n, seen, usual = sums
        if known <= 0:
            return 0.0
        if self.baseline.kind == "volume":
            return math.log((seen + 0.5) / (usual + 0.5))
        if self.baseline.kind == "compliance":
            p, e = (min(max(share / n, 0.5 / (n + 1)), (n + 0.5) / (n + 1)) for share in (seen, usual))
            return math.log(p / (1 - p)) - math.log(e / (1 - e))
        return score / known
