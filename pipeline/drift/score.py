"""Score and information of a sum of observations, and the log-likelihood ratio of a shift of their level.

A sum is (v, n): the mean of n observations, or for volume a number of contacts (n is not used). `m` is what the baseline expects, in the
kind's own scale: grades, logits, log-seconds, the log of a number of contacts. With ℓ(a) the log-likelihood ratio of a shift a of the
level against none:

    score U = ℓ′(0), information i = −E ℓ″(0)   (Cox & Hinkley 1974, Theoretical Statistics, ch. 4)

    time        i = n/σ²         U = i(v − m)        ℓ(a) = a·U − i·a²/2
    grade       i = n/σ²         U = i(v − m)        ℓ(a) = n[θ(v − m) − K(θ)] with K′(θ) = a
    compliance  i = n·p(1 − p)   U = n(v − p)        ℓ(a) = n[a·v − ln(1 − p + p·eᵃ)], p = 1/(1 + e⁻ᵐ)
    volume      i = λ            U = v − λ           ℓ(a) = a·v − λ(eᵃ − 1), λ = eᵐ

Grades are few, discrete and skewed: a Gaussian ratio gave three times the false alarms. K is the log of the moment generating function of
the channel's own residuals, and θ tilts their distribution so that its mean becomes a (the exponential family through it: Efron 1981).
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

LogRatio = Callable[[float], float]
"""ℓ as a function of the shift a."""


class Tilt(NamedTuple):
    """One exponential tilt of a distribution of residuals: the mean becomes `shift`; ratio = θ·Σr − n·K(θ)."""

    shift: float
    theta: float
    k: float


class Residuals:
    """The distribution of single residuals, as values with probabilities and mean 0."""

    def __init__(self, values: Sequence[float], probabilities: Sequence[float]) -> None:
        mean = sum(v * p for v, p in zip(values, probabilities, strict=True))
        self.values = tuple(v - mean for v in values)
        self.probabilities = tuple(probabilities)
        self._tilts: dict[float, Tilt] = {}

    def log_mgf(self, theta: float) -> tuple[float, float, float]:
        """K, K′ and K″ at θ."""
        top = max(theta * v for v in self.values)
        weights = [p * math.exp(theta * v - top) for v, p in zip(self.values, self.probabilities, strict=True)]
        total = sum(weights)
        first = sum(w * v for w, v in zip(weights, self.values, strict=True)) / total
        second = sum(w * v * v for w, v in zip(weights, self.values, strict=True)) / total - first * first
        return top + math.log(total), first, second

    def tilt(self, shift: float) -> Tilt:
        """The tilt to a mean, of at most 80 % of what the scale leaves room for: nothing can be tilted beyond its own end."""
        room = max(self.values) if shift > 0 else -min(self.values)
        aim = math.copysign(min(abs(shift), 0.8 * room), shift)
        key = round(aim, 4)
        found = self._tilts.get(key)
        if found is None:
            found = self._tilts[key] = self._solve(key)
        return found

    def moved(self, shift: float) -> "Residuals":
        """The distribution around another mean: half of it as the tilt that leads there has it, half as it was."""
        theta = self.tilt(shift).theta
        top = max(theta * v for v in self.values)
        weights = [p * math.exp(theta * v - top) for v, p in zip(self.values, self.probabilities, strict=True)]
        total = sum(weights)
        mean = sum(w * v for w, v in zip(weights, self.values, strict=True)) / total
        values = [v - mean for v in self.values]
        return Residuals([*values, *self.values], [*(w / total / 2 for w in weights), *(p / 2 for p in self.probabilities)])

    def variance(self) -> float:
        """Of a single residual."""
        return sum(p * v * v for v, p in zip(self.values, self.probabilities, strict=True))

    def _solve(self, shift: float) -> Tilt:
        """Newton's method on K′, which rises; bisection where a step would leave what is known, no further than any sum makes sense of."""
        low, high = (0.0, 30.0) if shift > 0 else (-30.0, 0.0)
        theta = 0.0
        for _ in range(60):
            _, first, second = self.log_mgf(theta)
            low, high = (theta, high) if first < shift else (low, theta)
            following = theta + (shift - first) / second if second > 0 else math.inf
            if not low < following < high:
                following = (low + high) / 2
            if abs(following - theta) <= 1e-13 * max(1.0, abs(theta)):
                break
            theta = following
        return Tilt(shift, theta, self.log_mgf(theta)[0])


def logistic(x: float) -> float:
    """1/(1 + e⁻ˣ), also where eˣ would overflow."""
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
