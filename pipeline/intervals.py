"""95 % intervals of means and shares, from integer sums."""

from functools import lru_cache
from math import sqrt

from scipy.special import ndtri, stdtrit

CONFIDENCE = 0.95
_Z = float(ndtri((1 + CONFIDENCE) / 2))


@lru_cache(maxsize=8_192)
def t_quantile(degrees: int) -> float:
    """The two-sided 95 % point of Student's t."""
    return float(stdtrit(degrees, (1 + CONFIDENCE) / 2))


def mean_interval(n: int, total: int, squares: int) -> tuple[float, float] | None:
    """The t interval of a mean of integers, from n, Σx and Σx², in the unit of x; None below two values.

    The variance is computed in integers, (n·Σx² − (Σx)²) / (n(n−1)), so that no digits are lost to cancellation.
    """
    if n < 2:
        return None
    variance = max(0, n * squares - total * total) / (n * (n - 1))
    half = t_quantile(n - 1) * sqrt(variance / n)
    mean = total / n
    return mean - half, mean + half


def share_interval(n: int, hits: int) -> tuple[float, float] | None:
    """Wilson's score interval of a share (Wilson 1927); None without values."""
    if n < 1:
        return None
    share, zz = hits / n, _Z * _Z
    centre = (share + zz / (2 * n)) / (1 + zz / n)
    half = _Z * sqrt(share * (1 - share) / n + zz / (4 * n * n)) / (1 + zz / n)
    return max(0.0, centre - half), min(1.0, centre + half)
