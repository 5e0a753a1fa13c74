"""Where panels ask: the two data sources, and a question to each as Grafana stores it."""

from typing import Any

from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusQuery
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

CLICKHOUSE = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="contactmeter")
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="contactmeter-prometheus")

PLUGIN_VERSION = "4.20.0"
"""The version of the ClickHouse plugin in whose form questions are stored."""


class Sql(variants.Dataquery, Builder["Sql"]):
    """SQL for the plugin's own editor. As a table, or as a series: a column `time`, numbers, and texts that name series."""

    def __init__(self, sql: str, series: bool = False, ref: str = "A") -> None:
        self.sql = sql
        self.series = series
        self.ref = ref

    def build(self) -> "Sql":
        """Itself: it is both the question and its builder."""
        return self

    def to_json(self) -> dict[str, Any]:
        """As Grafana stores it."""
        return {
            "refId": self.ref,
            "datasource": {"type": CLICKHOUSE.type_val, "uid": CLICKHOUSE.uid},
            "editorType": "sql",
            "format": 0 if self.series else 1,
            "pluginVersion": PLUGIN_VERSION,
            "queryType": "timeseries" if self.series else "table",
            "rawSql": self.sql,
        }


def promql(expression: str, legend: str, ref: str = "A") -> PrometheusQuery:
    """A question to Prometheus over the span of the board."""
    question: PrometheusQuery = PrometheusQuery().expr(expression).legend_format(legend).range().ref_id(ref).datasource(PROMETHEUS)
    return question
