"""Intervals against scipy's own and against published ones."""

from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, t

from pipeline.intervals import mean_interval, share_interval, t_quantile

# Two-sided 95 % points of Student's t: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975.
PUBLISHED_T = {1: 12.706, 2: 4.303, 5: 2.571, 10: 2.228, 30: 2.042, 100: 1.984}

# R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of seven methods", Statistics in Medicine
# 17 (1998) 857-872, table I, method 3 (Wilson's score interval without continuity correction).
NEWCOMBE = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0000, 0.1611), (1, 29): (0.0061, 0.1718)}


@pytest.mark.parametrize(("degrees", "expected"), PUBLISHED_T.items())
def test_points_of_t_are_the_published_ones(degrees: int, expected: float) -> None:
    assert t_quantile(degrees) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("degrees", [1, 2, 3, 29, 1_000, 100_000, 10_000_000])
def test_points_of_t_are_those_of_scipy(degrees: int) -> None:
    assert t_quantile(degrees) == pytest.approx(t.ppf(0.975, degrees), rel=1e-10)


@given(st.lists(st.integers(-10_000, 10_000), min_size=2, max_size=50))
def test_the_interval_of_a_mean_is_that_of_its_values(values: list[int]) -> None:
    found = mean_interval(len(values), sum(values), sum(value * value for value in values))
    assert found is not None
    half = t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
    assert found == pytest.approx((mean(values) - half, mean(values) + half), rel=1e-9, abs=1e-9)


def test_no_digits_are_lost_to_cancellation() -> None:
    values = [10**12 + grade for grade in (1, 2, 3, 4, 5)]
    found = mean_interval(5, sum(values), sum(value * value for value in values))
    near = mean_interval(5, 15, 55)
    assert found is not None
    assert near is not None
    assert found[1] - found[0] == pytest.approx(near[1] - near[0], abs=1e-3)  # a double near 10^12 has steps of 10^-4


def test_a_mean_of_none_or_one_has_no_interval_and_one_of_equals_no_width() -> None:
    assert mean_interval(0, 0, 0) is None
    assert mean_interval(1, 7_000, 49_000_000) is None
    assert mean_interval(3, 21, 147) == (7.0, 7.0)


@pytest.mark.parametrize(("counts", "expected"), NEWCOMBE.items())
def test_the_interval_of_a_share_is_the_published_one(counts: tuple[int, int], expected: tuple[float, float]) -> None:
    hits, n = counts
    assert share_interval(n, hits) == pytest.approx(expected, abs=5e-5)


@given(st.integers(1, 1_000_000), st.floats(0, 1))
def test_the_interval_of_a_share_is_that_of_scipy(n: int, share: float) -> None:
    hits = round(n * share)
    found = share_interval(n, hits)
    assert found is not None
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= found[0] <= hits / n + 1e-12
    assert hits / n - 1e-12 <= found[1] <= 1


def test_a_share_of_none_has_no_interval_and_one_of_all_or_nothing_ends_there() -> None:
    assert share_interval(0, 0) is None
    for n in (1, 5, 1_000):
        nothing, everything = share_interval(n, 0), share_interval(n, n)
        assert nothing is not None
        assert everything is not None
        assert nothing[0] == pytest.approx(0, abs=1e-15)
        assert everything[1] == pytest.approx(1, abs=1e-15)
        assert nothing[1] == pytest.approx(1 - everything[0])
