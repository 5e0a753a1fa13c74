"""The likelihood ratios: E exp ℓ = 1 without a change, by exact sums; their slope at 0 is the score, its variance the information."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binom, norm, poisson

from pipeline.drift.baseline import Baseline
from pipeline.drift.evidence import Evidence
from pipeline.drift.fit import Sums, score
from pipeline.drift.kinds import KINDS, Name
from pipeline.drift.score import Residuals, logistic
from tests.pipeline.drift.simulated import baseline

GRADES = ((1.0, 0.05), (4.0, 0.1), (6.0, 0.15), (8.0, 0.45), (10.0, 0.25))
MEAN = sum(value * share for value, share in GRADES)
LEVELS: dict[Name, float] = {"grade": MEAN, "compliance": 1.1, "time": 3.4, "volume": 1.6}
N: dict[Name, int] = {"grade": 3, "compliance": 7, "time": 4, "volume": 1}
shifts = st.floats(-2.5, 2.5).filter(lambda a: abs(a) > 1e-3)


def outcomes(kind: Name) -> list[tuple[float, float]]:
    """Every value that an hour can have, with its probability under the baseline (times: on a grid)."""
    n, m = N[kind], LEVELS[kind]
    if kind == "grade":
        every = itertools.product(GRADES, repeat=n)
        return [(sum(value for value, _ in one) / n, math.prod(share for _, share in one)) for one in every]
    if kind == "compliance":
        return [(k / n, float(binom.pmf(k, n, logistic(m)))) for k in range(n + 1)]
    if kind == "volume":
        return [(float(y), float(poisson.pmf(y, math.exp(m)))) for y in range(300)]
    grid = np.linspace(-12, 12, 4_001)
    scale = math.sqrt(0.8 / n)
    return list(zip((m + scale * grid).tolist(), (norm.pdf(grid) * (grid[1] - grid[0])).tolist(), strict=True))


def base(kind: Name) -> Baseline:
    """Of hours and days that do not stray: then the model is exact."""
    return baseline(kind, LEVELS[kind], sigma2=0.8, grades=GRADES, day=0.0, hour=0.0)


def ratio(kind: Name, a: float, v: float) -> float:
    """ℓ(a) of one hour where LEVELS[kind] is expected."""
    return Evidence(base(kind)).log_ratio(Evidence(base(kind)).hour(LEVELS[kind], v, N[kind], 0.0), a)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("a", [-1.2, -0.3, 0.25, 0.9])
def test_a_likelihood_ratio_is_one_on_average(kind: Name, a: float) -> None:
    assert sum(share * math.exp(ratio(kind, a, v)) for v, share in outcomes(kind)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_to_a_power_it_is_less(kind: Name) -> None:
    """Jensen: so a discounted ratio raises no false alarms."""
    found = [sum(share * math.exp(q * ratio(kind, 0.7, v)) for v, share in outcomes(kind)) for q in (0.2, 0.6, 1.0)]
    assert found[0] < 1
    assert found[1] < 1
    assert found[2] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@given(up=st.floats(0.1, 0.9))
def test_the_slope_at_nothing_is_the_score(kind: Name, up: float) -> None:
    every = outcomes(kind)
    v = every[int(up * (len(every) if kind != "volume" else 12))][0]
    told = Evidence(base(kind)).hour(LEVELS[kind], v, N[kind], 0.0)
    # From both sides; tilts are found to 4 decimals, and the slope of grades is in units of their own variance.
    slope = (ratio(kind, 1e-3, v) - ratio(kind, -1e-3, v)) / 2e-3
    scale = 0.8 / sum(share * (value - MEAN) ** 2 for value, share in GRADES) if kind == "grade" else 1.0
    assert slope == pytest.approx(told.u * scale, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("kind", ["compliance", "volume", "time"])
def test_the_information_is_the_variance_of_the_score(kind: Name) -> None:
    every = outcomes(kind)
    values = np.array([v for v, _ in every])
    shares = np.array([share for _, share in every])
    sums = Sums(np.arange(len(values)), values, np.full(len(values), float(N[kind])))
    u, i = score(kind, sums, np.full(len(values), LEVELS[kind]), 0.8)
    assert float((shares * u).sum()) == pytest.approx(0, abs=1e-6)
    assert float((shares * u * u).sum()) == pytest.approx(float(i[0]), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@given(v=st.floats(0, 1), n=st.integers(1, 500), m=st.floats(-3, 3))
def test_the_fit_and_the_detector_score_alike(kind: Name, v: float, n: int, m: float) -> None:
    told = Evidence(baseline(kind, m, sigma2=0.8, grades=GRADES)).hour(m, v, n, 0.0)
    weight = 1.0 if kind == "volume" else float(n)
    u, i = score(kind, Sums(np.array([30]), np.array([v]), np.array([weight])), np.array([m]), 0.8)
    assert [told.u, told.i] == [pytest.approx(float(u[0]), abs=1e-9), pytest.approx(float(i[0]))]


# ── tilts of grades ─────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def distributions(draw: st.DrawFn) -> Residuals:
    values = draw(st.lists(st.integers(1, 10), min_size=2, max_size=10, unique=True))
    weights = [draw(st.integers(1, 50)) for _ in values]
    return Residuals([float(v) for v in values], [weight / sum(weights) for weight in weights])


@given(distributions(), shifts)
@example(Residuals((1, 10), (0.001, 0.999)), 2.5)
def test_a_tilted_distribution_has_the_mean_asked_for(residuals: Residuals, a: float) -> None:
    tilt = residuals.tilt(a)
    room = max(residuals.values) if a > 0 else -min(residuals.values)
    weights = [p * math.exp(tilt.theta * r - tilt.k) for r, p in zip(residuals.values, residuals.probabilities, strict=True)]
    assert sum(weights) == pytest.approx(1)
    assert sum(w * r for w, r in zip(weights, residuals.values, strict=True)) == pytest.approx(tilt.shift, abs=1e-6)
    assert tilt.shift == pytest.approx(math.copysign(min(abs(a), 0.8 * room), a), abs=1e-4)
    assert (tilt.theta > 0) == (a > 0)
    assert tilt.k >= -1e-12, "the log of a mean of exp is at least the mean, 0"


@given(distributions(), st.floats(-3, 3))
def test_the_log_mgf_and_its_derivatives(residuals: Residuals, theta: float) -> None:
    k, first, second = residuals.log_mgf(theta)
    direct = math.log(sum(p * math.exp(theta * r) for r, p in zip(residuals.values, residuals.probabilities, strict=True)))
    assert k == pytest.approx(direct, abs=1e-9)
    eps = 1e-4
    above, below = residuals.log_mgf(theta + eps), residuals.log_mgf(theta - eps)
    assert (above[0] - below[0]) / (2 * eps) == pytest.approx(first, abs=1e-5)
    assert (above[1] - below[1]) / (2 * eps) == pytest.approx(second, abs=1e-4)
    assert second >= -1e-9


def test_residuals_are_centred() -> None:
    residuals = Residuals([6, 8, 10], [0.25, 0.5, 0.25])
    assert residuals.values == (-2, 0, 2)
    assert residuals.log_mgf(0) == (0, 0, 2)


@pytest.mark.parametrize(("x", "p"), [(0, 0.5), (-1000, 0), (1000, 1), (math.log(3), 0.75)])
def test_logistic(x: float, p: float) -> None:
    assert logistic(x) == pytest.approx(p)


def test_around_another_mean_there_is_another_room() -> None:
    """Grades that have fallen can rise by more than before; without it every good grade after an announced fall spoke for a rise."""
    residuals = Residuals([value for value, _ in GRADES], [share / sum(n for _, n in GRADES) for _, share in GRADES])
    fallen = residuals.moved(-2.0)
    assert max(fallen.values) > max(residuals.values) + 1
    assert fallen.variance() > residuals.variance()
    assert sum(v * p for v, p in zip(fallen.values, fallen.probabilities, strict=True)) == pytest.approx(0, abs=1e-9)
    assert sum(fallen.probabilities) == pytest.approx(1)
    assert fallen.tilt(2.0).theta < residuals.tilt(2.0).theta
