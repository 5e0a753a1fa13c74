"""How columns of tables and lines of series are shown, as Grafana's overrides by field name."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import (
    DashboardRegexMapOptions,
    DynamicConfigValue,
    RegexMap,
    Threshold,
    ThresholdsMode,
    ValueMappingResult,
)

from dashboards.build.colours import SERIES, STATES


class Column(NamedTuple):
    """How a column of a table is shown.

    unit: Grafana's name of it (percentunit, s, short). link: an address with ${__data.fields.…}; blank: it opens a tab of its own.
    state: texts begin with a symbol of colours.STATES and take its colour. bar: a bar behind the number. heat: its number fills the cell.
    """

    name: str
    title: str
    unit: str = ""
    decimals: int | None = None
    width: int | None = None
    link: str = ""
    link_title: str = ""
    blank: bool = False
    state: bool = False
    bar: bool = False
    heat: bool = False
    hidden: bool = False


class Line(NamedTuple):
    """How a series is drawn. below: fills the space down to the series of that name; dashed and dotted mark what is no measurement."""

    name: str
    title: str
    colour: str = ""
    dash: Sequence[float] = ()
    width: int = 2
    below: str = ""
    bars: bool = False
    right_unit: str = ""


def plain_thresholds() -> ThresholdsConfig:
    """None: a number alone is neither good nor bad, and Grafana's default would paint all from 80 on red."""
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(None, "text")])


def state_mappings() -> list[Any]:
    """Colours of texts by the symbol they begin with; the text stays as it is."""
    return [
        RegexMap(DashboardRegexMapOptions(f"^{re.escape(symbol)}.*", ValueMappingResult(color=colour, index=place)))
        for place, (symbol, colour) in enumerate(STATES.items())
    ]


def with_columns(panel: Any, columns: Sequence[Column], cells: bool) -> None:
    """Say of each column how it is shown; `cells`: the panel is a table."""
    for column in columns:
        panel.override_by_name(column.name, _column_properties(column, cells))


def _column_properties(column: Column, cells: bool) -> list[DynamicConfigValue]:
    found = [DynamicConfigValue("displayName", column.title)]
    if column.unit:
        found.append(DynamicConfigValue("unit", column.unit))
    if column.decimals is not None:
        found.append(DynamicConfigValue("decimals", column.decimals))
    if column.state:
        found.append(DynamicConfigValue("mappings", state_mappings()))
    if column.link:
        link = {"title": column.link_title or column.title, "url": column.link, "targetBlank": column.blank}
        found.append(DynamicConfigValue("links", [link]))
    if not cells:
        return found
    # Grafana writes what an empty table says into every empty cell too, and into links that such a cell fills in.
    found.append(DynamicConfigValue("noValue", ""))
    if column.width is not None:
        found.append(DynamicConfigValue("custom.width", column.width))
    if column.hidden:
        found.append(DynamicConfigValue("custom.hidden", True))
    if column.state:
        found.append(DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "basic"}))
    elif column.heat:
        found.append(DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "gradient"}))
        found.append(DynamicConfigValue("color", {"mode": "continuous-blues"}))
    elif column.bar:
        found.append(DynamicConfigValue("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}))
        found.append(DynamicConfigValue("color", {"mode": "fixed", "fixedColor": SERIES[0]}))
    return found


def line_properties(line: Line, colour: str) -> list[DynamicConfigValue]:
    """What Grafana is told of a line; `colour` unless it has its own."""
    found = [
        DynamicConfigValue("displayName", line.title),
        DynamicConfigValue("color", {"mode": "fixed", "fixedColor": line.colour or colour}),
        DynamicConfigValue("custom.lineWidth", line.width),
    ]
    if line.dash:
        found.append(DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": list(line.dash)}))
    if line.below:
        found += [DynamicConfigValue("custom.fillBelowTo", line.below), DynamicConfigValue("custom.fillOpacity", 15)]
    if line.bars:
        found += [DynamicConfigValue("custom.drawStyle", "bars"), DynamicConfigValue("custom.fillOpacity", 60)]
    if line.right_unit:
        found += [DynamicConfigValue("custom.axisPlacement", "right"), DynamicConfigValue("unit", line.right_unit)]
    return found
