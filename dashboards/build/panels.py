"""The panels that boards are made of, each in one form: a title that asks or says something, a question, and how its columns are shown."""

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import barchart, common, gauge, heatmap, stat, statetimeline, table, text, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.heatmap import HeatmapColorOptions
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, FieldColorModeId, Threshold, ThresholdsMode
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale
from grafana_foundation_sdk.models.text import TextMode

from dashboards.build.colours import GREEN, SERIES, VERMILION
from dashboards.build.fields import Column, Line, line_properties, plain_thresholds, state_mappings, with_columns
from dashboards.build.sources import CLICKHOUSE, PROMETHEUS, Sql, promql


def stat_panel(title: str, sql: str, about: str, columns: Sequence[Column] = (), graph: bool = False) -> stat.Panel:
    """One row of large values; each column is a value with its name."""
    panel = (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(CLICKHOUSE)
        .with_target(Sql(sql))
        .color_mode(kinds.BigValueColorMode.BACKGROUND if any(one.state for one in columns) else kinds.BigValueColorMode.NONE)
        .graph_mode(kinds.BigValueGraphMode.AREA if graph else kinds.BigValueGraphMode.NONE)
        .text_mode(kinds.BigValueTextMode.VALUE_AND_NAME if len(columns) > 1 else kinds.BigValueTextMode.VALUE)
        .justify_mode(kinds.BigValueJustifyMode.CENTER)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/.*/").values(False))
        .thresholds(plain_thresholds())
    )
    with_columns(panel, columns, cells=False)
    return panel


def gauge_panel(title: str, sql: str, about: str, target: float, unit: str = "percentunit") -> gauge.Panel:
    """One number between nought and one against a target: below it the arc has the colour of what is not met."""
    return (
        gauge.Panel()
        .title(title)
        .description(about)
        .datasource(CLICKHOUSE)
        .with_target(Sql(sql))
        .unit(unit)
        .min(0)
        .max(1)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(None, VERMILION), Threshold(target, GREEN)]))
    )


def table_panel(title: str, sql: str, about: str, columns: Sequence[Column], nothing: str = "") -> table.Panel:
    """Rows as they come. `nothing` stands there when there are none."""
    panel = (
        table.Panel()
        .title(title)
        .description(about)
        .datasource(CLICKHOUSE)
        .with_target(Sql(sql))
        .show_header(True)
        .cell_height(kinds.TableCellHeight.SM)
        .thresholds(plain_thresholds())
    )
    if nothing:
        panel.no_value(nothing)
    with_columns(panel, columns, cells=True)
    return panel


def series_panel(
    title: str, sql: str, about: str, lines: Sequence[Line] = (), unit: str = "short", decimals: int | None = None,
    least: float | None = None, most: float | None = None, points: bool = False, name: str = "",
) -> timeseries.Panel:  # fmt: skip
    """Lines over time. The question yields `time` and a column a line, or `time`, a text that names the series, and a number.

    name: what series of the second form are called, when not by that text alone.
    """
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .datasource(CLICKHOUSE)
        .with_target(Sql(sql, series=True))
        .unit(unit)
        .line_width(2)
        .fill_opacity(0)
        .show_points(kinds.VisibilityMode.ALWAYS if points else kinds.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(
            common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST).placement(kinds.LegendPlacement.BOTTOM).show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI))
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .thresholds(plain_thresholds())
    )
    if decimals is not None:
        panel.decimals(decimals)
    if least is not None:
        panel.min(least)
    if most is not None:
        panel.max(most)
    if name:
        panel.display_name(name)
    for place, line in enumerate(lines):
        panel.override_by_name(line.name, line_properties(line, SERIES[place % len(SERIES)]))
    return panel


def bar_panel(
    title: str, sql: str, about: str, category: str, bars: Sequence[Line], unit: str = "short", across: bool = False
) -> barchart.Panel:
    """A bar for each row, named by the column `category`. across: bars lie, for long names."""
    panel = (
        barchart.Panel()
        .title(title)
        .description(about)
        .datasource(CLICKHOUSE)
        .with_target(Sql(sql))
        .x_field(category)
        .orientation(kinds.VizOrientation.HORIZONTAL if across else kinds.VizOrientation.VERTICAL)
        .show_value(kinds.VisibilityMode.AUTO)
        .unit(unit)
        .legend(
            common.VizLegendOptions()
            .display_mode(kinds.LegendDisplayMode.LIST)
            .placement(kinds.LegendPlacement.BOTTOM)
            .show_legend(len(bars) > 1)
        )
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI))
        .thresholds(plain_thresholds())
    )
    for place, bar in enumerate(bars):
        colour = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": bar.colour or SERIES[place % len(SERIES)]})
        panel.override_by_name(bar.name, [DynamicConfigValue("displayName", bar.title), colour])
    return panel


def heat_panel(title: str, sql: str, about: str, unit: str = "short") -> heatmap.Panel:
    """Days across, hours down: the question yields `time` and a column for each row of the map, named as it is shown, the lowest first."""
    return (
        heatmap.Panel()
        .title(title)
        .description(about)
        .datasource(CLICKHOUSE)
        .with_target(Sql(sql, series=True))
        .calculate(False)
        .color(HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").scale(HeatmapColorScale.LINEAR).steps(64))
        .cell_gap(1)
        .show_value(kinds.VisibilityMode.AUTO)
        .unit(unit)
        .hide_y_histogram()
    )


def timeline_panel(title: str, sql: str, about: str) -> statetimeline.Panel:
    """States over time: `time`, a text that names the series, and a text that says the state, with its symbol first."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(about)
        .datasource(CLICKHOUSE)
        .with_target(Sql(sql, series=True))
        .merge_values(True)
        .show_value(kinds.VisibilityMode.AUTO)
        .row_height(0.85)
        .mappings(state_mappings())
        .thresholds(plain_thresholds())
        .legend(
            common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST).placement(kinds.LegendPlacement.BOTTOM).show_legend(False)
        )
    )


def text_panel(title: str, markdown: str) -> text.Panel:
    """Plain words, as Markdown."""
    return text.Panel().title(title).mode(TextMode.MARKDOWN).content(markdown)


def metric_panel(
    title: str, about: str, questions: Sequence[tuple[str, str]], unit: str = "short", least: float | None = 0
) -> timeseries.Panel:
    """Lines of Prometheus: pairs of expression and legend."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .datasource(PROMETHEUS)
        .unit(unit)
        .line_width(2)
        .show_points(kinds.VisibilityMode.NEVER)
        .tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI))
        .thresholds(plain_thresholds())
    )
    if least is not None:
        panel.min(least)
    for place, (expression, legend) in enumerate(questions):
        panel.with_target(promql(expression, legend, ref=chr(ord("A") + place)))
    return panel


def metric_stat(title: str, about: str, expression: str, bad_from: float, unit: str = "short") -> stat.Panel:
    """One number of Prometheus, with the colour of what is wrong from a limit on."""
    return (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(PROMETHEUS)
        .with_target(promql(expression, ""))
        .unit(unit)
        .color_mode(kinds.BigValueColorMode.BACKGROUND)
        .text_mode(kinds.BigValueTextMode.VALUE)
        .graph_mode(kinds.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(None, GREEN), Threshold(bad_from, VERMILION)]))
    )


def linked(panel: Any, title: str, url: str, blank: bool = False) -> Any:
    """The same panel with a link in its head."""
    return panel.links([DashboardLink(title).url(url).target_blank(blank)])


__all__ = [
    "Column", "Line", "bar_panel", "gauge_panel", "heat_panel", "linked", "metric_panel", "metric_stat", "series_panel", "stat_panel",
    "table_panel", "text_panel", "timeline_panel",
]  # fmt: skip
