"""Every alert rule there is: on ClickHouse, and on the pipeline's own metrics."""

from typing import Final

from dashboards.alerts.daily import DAILY
from dashboards.alerts.metrics import METRICS
from dashboards.alerts.paging import PAGING
from dashboards.alerts.rule import MetricRule, Rule

RULES: Final[tuple[Rule, ...]] = (*PAGING, *DAILY)
METRIC_RULES: Final[tuple[MetricRule, ...]] = METRICS


def rule(name: str) -> Rule:
    """A rule by its id. Raises KeyError."""
    return {one.id: one for one in RULES}[name]
