"""The rolling figures on one screen: a row a channel and measure, a column a window; for `figures --watch` and `demo`."""

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pipeline.report import Line, shown
from pipeline.rolling import WINDOWS, is_share

STYLES = {"met": "green", "not_met": "red", "too_few": "dim"}
MARKS = {"met": "✓", "not_met": "✗", "too_few": "·", "": " "}


WIDE = 112
"""Columns of a terminal from which on all four windows fit; a narrower one shows those of a day and a week."""


def overview(heading: str, lines: Iterable[Line], brief: bool, width: int) -> Table:
    """A table of value and n per window, with ✓ met, ✗ not met, · too few to tell, for a terminal of `width` columns.

    `brief` leaves out all aspects but the overall grade.
    """
    windows_shown = list(WINDOWS) if width >= WIDE else ["24h", "7d"]
    cells: dict[tuple[str, str], dict[str, Line]] = {}
    for line in lines:
        if not (brief and line.measure.startswith("answer:") and not line.measure.endswith(":overall")):
            cells.setdefault((line.group, line.measure), {})[line.period] = line
    caption = "value (n)   ✓ target met   ✗ not met   · too few to tell" if cells else "nothing measured yet"
    table = Table(
        title=heading, title_justify="left", caption=caption, caption_justify="left", box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False
    )
    table.add_column("measure", overflow="fold", min_width=28)
    table.add_column("target", justify="right", no_wrap=True)
    for window in windows_shown:
        table.add_column(window, justify="right", no_wrap=True)
    channel = ""
    for (group, measure), windows in cells.items():
        if group != channel:
            table.add_row(Text(group, style="bold"))
            channel = group
        target = next(iter(windows.values())).target
        shown_target = "" if target is None else f"{target:.0%}" if is_share(measure) else f"{target:g}"
        table.add_row(f"  {label(measure)}", shown_target, *(_cell(windows.get(window), measure) for window in windows_shown))
    return table


def _cell(line: Line | None, measure: str) -> Text:
    if line is None or line.n == 0:
        return Text("–  ", style="dim")
    number = "" if measure == "volume" else f" ({line.n:,})"
    return Text(f"{shown(line.value, measure)}{number} {MARKS[line.attainment]}", style=STYLES.get(line.attainment, ""))


def label(measure: str) -> str:
    """A measure key in fewer words: `norm telephone_45s`, `grade overall`."""
    kind, _, rest = measure.partition(":")
    if kind == "answer":
        instrument, version, aspect = rest.split(":")
        return f"grade {aspect} ({instrument} v{version})" if aspect != "overall" else "grade overall"
    return f"{kind} {rest}".strip()
