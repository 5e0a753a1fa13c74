"""Comparisons against published values and against scipy's own tests."""

from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from pipeline.comparisons import (
    Break,
    Difference,
    Series,
    breaks_between,
    difference_of_means,
    difference_of_shares,
    interval_of_population,
    verdicts,
    why_not,
)
from pipeline.intervals import mean_interval

Sums = tuple[int, int, int]


def sums(values: list[int]) -> Sums:
    return len(values), sum(values), sum(value * value for value in values)


def sums_of(n: int, mean: float, deviation: float) -> Sums:
    """Sums in thousandths that have such a mean and standard deviation."""
    total = round(n * mean * 1000)
    return n, total, round(((n - 1) * (deviation * 1000) ** 2) + total * total / n)


def test_six_point_six_after_six_point_four_is_no_demonstrable_difference() -> None:
    found = difference_of_means(sums_of(353, 6.4, 1.6), sums_of(353, 6.6, 1.6))
    assert found is not None
    assert found.value == pytest.approx(200, abs=1)
    assert found.p == pytest.approx(2 * stats.norm.sf(1.66), abs=0.002)
    assert verdicts([found])[0].verdict == "no_difference"


def test_means_agree_with_welch_of_scipy() -> None:
    rng = np.random.default_rng(3)
    for n, m in ((5, 9), (30, 200), (353, 332)):
        earlier, later = (rng.integers(1, 11, size).tolist() for size in (n, m))
        found, theirs = difference_of_means(sums(earlier), sums(later)), stats.ttest_ind(later, earlier, equal_var=False)
        interval = theirs.confidence_interval(0.95)
        assert found == pytest.approx((np.mean(later) - np.mean(earlier), interval.low, interval.high, theirs.pvalue), rel=1e-9)


def test_shares_agree_with_newcombe() -> None:
    """Newcombe 1998, table II, method 10: 56/70 - 48/80 and 9/10 - 3/10."""
    for later, earlier, low, high in (((70, 56), (80, 48), 0.0524, 0.3339), ((10, 9), (10, 3), 0.1705, 0.8090)):
        found = difference_of_shares(earlier, later)
        assert found is not None
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)
        table = [[n - hits, hits] for n, hits in (earlier, later)]
        assert found.p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)


def test_too_little_tells_nothing() -> None:
    assert difference_of_means((1, 7000, 49_000_000), (300, 2_100_000, 14_700_000_000)) is None
    assert difference_of_shares((0, 0), (5, 5)) is None
    assert [one.verdict for one in verdicts([None, None])] == ["no_difference", "no_difference"]
    same = difference_of_means(sums([7, 7]), sums([8, 8, 8]))
    assert same == Difference(1, 1, 1, 0.0)


def test_holm_asks_more_of_several_aspects() -> None:
    """Holm 1979: the smallest of four must stay below 5 % / 4, the next below 5 % / 3; after the first failure nothing counts."""
    found = [Difference(value, 0, 0, p) for value, p in ((1, 0.010), (-1, 0.016), (1, 0.030), (1, 0.020))]
    assert [one.verdict for one in verdicts(found)] == ["higher", "lower", "higher", "higher"]
    found = [Difference(value, 0, 0, p) for value, p in ((1, 0.010), (-1, 0.020), (1, 0.024), (1, 0.6))]
    assert [one.verdict for one in verdicts(found)] == ["higher", "no_difference", "no_difference", "no_difference"]
    assert verdicts([Difference(1, 0, 0, 0.024), None])[0].verdict == "higher"


def test_only_like_is_compared_with_like() -> None:
    one = Series("q", 1, "overall", "grade", "contact-triggered")
    assert why_not(one, one) == ""
    for other, word in (
        (Series("r", 1, "overall", "grade", "contact-triggered"), "instruments"),
        (Series("q", 2, "overall", "grade", "contact-triggered"), "versions"),
        (Series("q", 1, "ease", "grade", "contact-triggered"), "aspects"),
        (Series("q", 1, "overall", "satisfaction", "contact-triggered"), "scales"),
        (Series("q", 1, "overall", "grade", "panel"), "populations"),
        (Series("q", 1, "overall", "grade", "contact-triggered", "visitors"), "audiences"),
    ):
        assert word in why_not(one, other)


def test_a_break_between_is_found_where_it_concerns_the_series() -> None:
    moments = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 4, 5, 7)]
    version = Break(moments[1], "version", "q")
    fused = Break(moments[2], "reorganisation", "", "counter")
    both = [fused, version]
    assert breaks_between(both, moments[0], moments[3], "q", "counter") == [version, fused]
    assert breaks_between(both, moments[0], moments[3], "q", "email") == [version]
    assert breaks_between(both, moments[0], moments[3], "other") == [fused], "all channels together are broken by what concerns one"
    assert breaks_between(both, moments[1], moments[2], "q", "counter") == [], "at the edges nothing is crossed"


def test_a_finite_population_narrows_a_single_figure() -> None:
    one = sums_of(100, 7.0, 1.5)
    plain = mean_interval(*one)
    assert plain is not None
    assert interval_of_population(one, None) == plain
    narrowed = interval_of_population(one, 400)
    assert narrowed is not None
    assert (narrowed[1] - narrowed[0]) / (plain[1] - plain[0]) == pytest.approx((1 - 100 / 400) ** 0.5)
    everyone = interval_of_population(one, 100)
    assert everyone == pytest.approx((7000, 7000))
    assert interval_of_population((1, 7, 49), 10) is None
