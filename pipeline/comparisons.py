"""Comparing two waves or quarters of one questionnaire: is the difference more than chance? Pure.

Means by Welch's t (B. L. Welch, Biometrika 34, 1947), shares by Newcombe's hybrid score interval (R. G. Newcombe, Statistics in Medicine
17, 1998, method 10), several aspects of one comparison by Holm (S. Holm, Scandinavian Journal of Statistics 6, 1979). Two-sided, 5 %.
The verdict never says "the same": fewer answers than it takes to tell give no demonstrable difference either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Literal, NamedTuple

from scipy.special import ndtr, stdtr, stdtrit

from pipeline.intervals import CONFIDENCE, mean_interval, share_interval
from pipeline.minutes import Sum

Verdict = Literal["higher", "lower", "no_difference"]
ALPHA = 1 - CONFIDENCE


@dataclass(frozen=True)
class Series:
    """What figures must share to be compared or to stand on one line. Of two versions of a questionnaire no two are alike."""

    instrument: str
    version: int
    aspect: str
    kind: str
    population: str
    audience: str = ""


class Break(NamedTuple):
    """A change of questionnaire, method or organisation at an instant; `channel` "" concerns all of them."""

    at: datetime
    kind: str
    instrument: str = ""
    channel: str = ""
    note: str = ""


class Difference(NamedTuple):
    """Later minus earlier, its 95 % interval, and the two-sided probability of at least so much by chance. In the unit of x."""

    value: float
    low: float
    high: float
    p: float


class Compared(NamedTuple):
    """A difference with its verdict after Holm; `difference` is None where fewer than two answers on a side tell nothing."""

    difference: Difference | None
    verdict: Verdict


def why_not(earlier: Series, later: Series) -> str:
    """Why figures of two series may not be compared; "" when they may."""
    for name, what in (
        ("instrument", "instruments"), ("version", "versions of the questionnaire"), ("aspect", "aspects"), ("kind", "scales"),
        ("population", "populations"), ("audience", "audiences"),
    ):  # fmt: skip
        one, other = getattr(earlier, name), getattr(later, name)
        if one != other:
            return f"different {what}: {one} and {other}"
    return ""


def breaks_between(breaks: Sequence[Break], start: datetime, end: datetime, instrument: str, channel: str = "") -> list[Break]:
    """The breaks that a line from `start` (of the earlier period) to `end` (of the later one) would cross, in order of time.

    A break at the very start is where the series begins; it is not crossed. Figures of all channels together (`channel` "") are
    broken by what concerns any of them.
    """
    return sorted(
        one
        for one in breaks
        if start < one.at < end and one.instrument in ("", instrument) and (not channel or one.channel in ("", channel))
    )  # fmt: skip


def difference_of_means(earlier: Sum, later: Sum) -> Difference | None:
    """Welch's t from (n, Σx, Σx²) of both; None below two values on a side.

    Two samples without any spread differ for certain or not at all.
    """
    if earlier[0] < 2 or later[0] < 2:
        return None
    value = later[1] / later[0] - earlier[1] / earlier[0]
    one, other = _variance(earlier) / earlier[0], _variance(later) / later[0]
    error = sqrt(one + other)
    if error == 0:
        return Difference(value, value, value, 1.0 if value == 0 else 0.0)
    degrees = (one + other) ** 2 / (one**2 / (earlier[0] - 1) + other**2 / (later[0] - 1))
    half = float(stdtrit(degrees, 1 - ALPHA / 2)) * error
    return Difference(value, value - half, value + half, 2 * float(stdtr(degrees, -abs(value) / error)))


def difference_of_shares(earlier: tuple[int, int], later: tuple[int, int]) -> Difference | None:
    """Newcombe's interval of the difference of two shares, each as (n, hits); None without values on a side.

    p is that of the score test with the pooled share (the square root of the chi-squared of the 2 x 2 table, without correction).
    """
    one, other = share_interval(*earlier), share_interval(*later)
    if one is None or other is None:
        return None
    before, after = earlier[1] / earlier[0], later[1] / later[0]
    value = after - before
    low = value - sqrt((after - other[0]) ** 2 + (one[1] - before) ** 2)
    high = value + sqrt((other[1] - after) ** 2 + (before - one[0]) ** 2)
    pooled = (earlier[1] + later[1]) / (earlier[0] + later[0])
    error = sqrt(pooled * (1 - pooled) * (1 / earlier[0] + 1 / later[0]))
    return Difference(value, low, high, 1.0 if error == 0 else 2 * float(ndtr(-abs(value) / error)))


def verdicts(differences: Sequence[Difference | None]) -> list[Compared]:
    """The verdicts of all aspects of one comparison: Holm's step-down keeps the chance of any false one at 5 %."""
    ranked = sorted((one.p, number) for number, one in enumerate(differences) if one is not None)
    demonstrable: set[int] = set()
    for rank, (p, number) in enumerate(ranked):
        if p > ALPHA / (len(ranked) - rank):
            break
        demonstrable.add(number)
    return [Compared(one, _verdict(one, number in demonstrable)) for number, one in enumerate(differences)]


def _verdict(difference: Difference | None, demonstrable: bool) -> Verdict:
    if difference is None or not demonstrable:
        return "no_difference"
    return "higher" if difference.value > 0 else "lower"


def interval_of_population(sums: Sum, size: int | None) -> tuple[float, float] | None:
    """The t interval of a mean narrowed by √(1 − n/N), for a single figure of a population of `size` (Cochran, Sampling Techniques).

    Not for comparisons: they ask whether the service changed, not whether those who were asked differ. None below two values.
    """
    bounds = mean_interval(*sums)
    if bounds is None or size is None:
        return bounds
    mean = sums[1] / sums[0]
    half = (mean - bounds[0]) * sqrt(max(0.0, 1 - sums[0] / size))
    return mean - half, mean + half


def _variance(sums: Sum) -> float:
    n, total, squares = sums
    return max(0, n * squares - total * total) / (n * (n - 1))
