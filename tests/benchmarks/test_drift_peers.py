"""The harness against published values: Lucas & Crosier 1982, a two-sided CUSUM with k .5 and h 4, average run lengths by simulation."""

import numpy as np
import pytest

from benchmarks.drift.peers import Cusum

PUBLISHED = {0.0: 168.0, 0.5: 26.6, 1.0: 8.38, 2.0: 3.34}
"""By the shift in standard deviations."""


@pytest.mark.parametrize(("shift", "published"), PUBLISHED.items())
def test_published_run_lengths(shift: float, published: float) -> None:
    rng = np.random.default_rng([1982, round(10 * shift)])
    runs = 20_000 if shift else 12_000
    lengths = np.zeros(runs)
    sums = {side: np.zeros(runs) for side in (-1, 1)}
    running = np.ones(runs, dtype=bool)
    while running.any():
        lengths[running] += 1
        off = rng.normal(shift, 1.0, runs)
        for side in sums:
            sums[side] = Cusum.step(sums[side], side * off)
        running &= ~((sums[-1] > 4) | (sums[1] > 4))
    assert lengths.mean() == pytest.approx(published, rel=0.02)
