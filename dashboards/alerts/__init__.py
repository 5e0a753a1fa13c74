"""Alert rules as data, their files for Grafana and Prometheus, and when a rule alerts."""

from dashboards.alerts import grafana, notifying, prometheus
from dashboards.alerts.rules import METRIC_RULES, RULES


def files() -> dict[str, str]:
    """The text of every generated file by its path under generated/alerting."""
    return {
        "grafana/rules.yaml": grafana.rules_file(RULES),
        "grafana/contact_points.yaml": notifying.contact_points(),
        "grafana/policies.yaml": notifying.policies(),
        "grafana/mute_times.yaml": notifying.mute_times(),
        "grafana/templates.yaml": notifying.templates(),
        "prometheus/rules.yml": prometheus.rules_file(METRIC_RULES),
        "prometheus/alertmanager.yml": notifying.alertmanager(METRIC_RULES),
    }
