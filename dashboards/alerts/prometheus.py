"""The rules on metrics as Prometheus reads them."""

from typing import Any, Final

from dashboards.alerts.grafana import RUNBOOKS, dumped
from dashboards.alerts.rule import VALUE, MetricRule, filled, period

INTERVAL_S: Final = 15


def rules_file(rules: tuple[MetricRule, ...]) -> str:
    """The file of all rules."""
    group = {"name": "contactmeter", "interval": period(INTERVAL_S), "rules": [content(rule) for rule in rules]}
    return dumped({"groups": [group]}, "Alert rules on the pipeline's metrics.")


def content(rule: MetricRule) -> dict[str, Any]:
    """A rule as Prometheus knows it. Times of 0 are left out, as it wants."""
    times = {"for": rule.for_s, "keep_firing_for": rule.keep_firing_s}
    return {
        "alert": rule.name,
        "expr": rule.expr,
        **{name: period(seconds) for name, seconds in times.items() if seconds},
        "labels": {"severity": rule.severity, "team": "beheer"},
        "annotations": {
            "summary": rule.title.nl,
            "description": filled(rule.description.nl, _go),
            "summary_en": rule.title.en,
            "description_en": filled(rule.description.en, _go),
            # The address of Grafana, where Prometheus is told it: `external_labels: {boards: https://…}`.
            "runbook_url": f"{{{{ $externalLabels.boards }}}}{RUNBOOKS}#{rule.anchor}",
        },
    }


def _go(name: str) -> str:
    return '{{ printf "%.0f" $value }}' if name == VALUE else f"{{{{ $labels.{name} }}}}"
