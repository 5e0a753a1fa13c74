"""The statistic against published values: Moustakides, Polunchenko & Tartakovsky 2009, Shiryaev-Roberts, unit shift of a normal mean.

They are computed for the very recursion of `Component.after`, by the integral equation that the average run length solves (Nyström), and
the shortest also by simulation.
"""

import math

import numpy as np
import pytest
from scipy.stats import norm

from pipeline.drift.statistic import Component

SHIFT = 1.0
PUBLISHED = [(56.04, 100.79, 6.71), (560.37, 1000.79, 11.14), (5603.7, 10000.78, 15.73)]
"""A, average run length without a change, average delay of a change at the beginning."""


def step(log_w: float, x: float) -> float:
    """One observation a day, of which the likelihood ratio is that of a unit shift of a normal mean."""
    component = Component()
    component.w = log_w
    return component.after(1.0, SHIFT * x - SHIFT * SHIFT / 2)


def run_length(threshold: float, mean: float, nodes: int = 500) -> float:
    """The average number of observations of N(mean, 1) until W >= threshold, beginning at W = 0."""
    low, high = -25.0, math.log(threshold)
    places, weights = np.polynomial.legendre.leggauss(nodes)
    grid = low + (high - low) * (places + 1) / 2
    weights = weights * (high - low) / 2
    without = np.array([step(log_w, SHIFT / 2) for log_w in grid])  # where a likelihood ratio of 1 leads
    drift, spread = SHIFT * mean - SHIFT * SHIFT / 2, SHIFT
    kernel = norm.pdf(grid[None, :], without[:, None] + drift, spread) * weights[None, :]
    lengths = np.linalg.solve(np.eye(nodes) - kernel, np.ones(nodes))
    first = norm.pdf(grid, step(-1e9, SHIFT / 2) + drift, spread) * weights
    return float(1 + first @ lengths)


@pytest.mark.parametrize(("threshold", "quiet", "delay"), PUBLISHED)
def test_published_run_lengths(threshold: float, quiet: float, delay: float) -> None:
    assert run_length(threshold, 0.0) == pytest.approx(quiet, rel=0.02)
    assert run_length(threshold, SHIFT) == pytest.approx(delay, rel=0.02)


def test_the_same_by_simulation() -> None:
    rng = np.random.default_rng(20261122)
    lengths = []
    for _ in range(20_000):
        log_w, count = -1e9, 0
        while log_w < math.log(56.04):
            log_w, count = step(log_w, float(rng.normal(SHIFT))), count + 1
        lengths.append(count)
    assert np.mean(lengths) == pytest.approx(6.71, rel=0.02)


def test_without_a_change_it_grows_by_a_day_a_day() -> None:
    """E W = elapsed days: the reason why the average run length is at least the threshold."""
    rng, days, runs = np.random.default_rng(7), 3, 40_000
    log_w = np.full(runs, -1e9)
    for _ in range(days):
        log_w = np.array([step(*pair) for pair in zip(log_w.tolist(), rng.normal(size=runs).tolist(), strict=True)])
    assert np.exp(log_w).mean() == pytest.approx(days, rel=0.05)
