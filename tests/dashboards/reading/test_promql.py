"""The small part of Prometheus: values worked out by hand."""

import pytest

from dashboards.alerts.rules import METRIC_RULES
from dashboards.reading.boards import board
from dashboards.reading.promql import Series
from schemas.errors import InvalidConfiguration

PAGE = """# TYPE a counter
a_total{{x="1",y="p"}} {one}
a_total{{x="2",y="p"}} {two}
# TYPE g gauge
g {gauge}
# TYPE h histogram
h_bucket{{le="1"}} 3
h_sum 8
h_count 4
"""


@pytest.fixture
def series() -> Series:
    """Forty samples, 15 s apart, the last at 585 s: a_total grows by 3 and by 1 each; the second began anew halfway."""
    found = Series()
    for step in range(40):
        found.take(PAGE.format(one=3 * step, two=step % 20, gauge=4), step * 15.0)
    return found


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("g", [4]),
        ('a_total{x="1"}', [117]),
        ('a_total{x!="1"}', [19]),
        ('a_total{x=~"1|2", y="p"}', [117, 19]),
        ('a_total{x!~"1|2"}', []),
        ("sum(a_total)", [136]),
        ("max by (x) (a_total)", [117, 19]),
        ("sum(a_total) by (y)", [136]),
        ("count(a_total)", [2]),
        ("avg(a_total)", [68]),
        ("min(a_total)", [19]),
        ("rate(a_total[5m])", [0.2, 19 * 1.0 / 285 / 1]),
        ('increase(a_total{x="1"}[5m])', [60]),
        ("sum(rate(a_total[1m])) * 60", [16]),
        ("g > 3", [4]),
        ("g > 5", []),
        ("g == 4", [4]),
        ("1 + 2 * 3 - 4 / 2", [5]),
        ("h_sum / h_count", [2]),
        ("h_bucket", []),
        ("none_of_it", []),
    ],
)
def test_expressions(series: Series, expression: str, values: list[float]) -> None:
    assert sorted(series.ask(expression, 585.0).values()) == pytest.approx(sorted(values))


def test_a_sample_counts_for_five_minutes(series: Series) -> None:
    assert series.ask("g", 884.0)
    assert not series.ask("g", 886.0)
    assert not series.ask("rate(a_total[5m])", 1000.0)


@pytest.mark.parametrize(
    "expression", ["", "g ~ 1", "histogram_quantile(0.9, g)", "g[5m]", "sum(g", "rate(g)", 'g{x="1"', "g 1", "rate(g[5d])"]
)
def test_what_it_does_not_know_it_refuses(series: Series, expression: str) -> None:
    with pytest.raises(InvalidConfiguration, match="CONTACTMETER_PROMETHEUS"):
        series.ask(expression, 585.0)


def test_it_knows_what_our_board_and_rules_ask(series: Series) -> None:
    asked = [query.text for _, query in board("contactmeter-pipeline-nl").asked("prometheus")]
    asked += [rule.expr for rule in METRIC_RULES if "vector(" not in rule.expr and "absent(" not in rule.expr]
    for expression in asked:
        series.ask(expression, 585.0)
