"""The rolling figures on one screen: a row a channel and measure, a column a window; for `figures --watch` and `demo`."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from pipeline.report import Line, shown
from pipeline.rolling import WINDOWS, is_share

STYLES = {"met": "green", "not_met": "red", "too_few": "dim"}
MARKS = {"met": "✓", "not_met": "✗", "too_few": "·", "": " "}
LEGEND = "value (n)   ✓ target met   ✗ not met   · too few to tell"
AROUND = 4
"""Lines of a table that are no rows: title, column titles, rule, legend."""
NARROW = 70
"""Columns below which the marks are not explained beside the number of rows left out."""

_WINDOWS_BY_WIDTH = (tuple(WINDOWS), ("1h", "24h", "7d"), ("24h", "7d"))
_LEAST = ("wait", "abandonment", "volume")
"""What a low terminal leaves out first."""

Cells = dict[tuple[str, str], dict[str, Line]]


def overview(heading: str, lines: Iterable[Line], brief: bool, width: int, height: int | None = None) -> Table:
    """A table of value and n per window, with ✓ met, ✗ not met, · too few to tell, for a terminal of `width` columns.

    `brief` leaves out all aspects but the overall grade. With a `height` in lines, the table leaves out rows until it fits, and says how
    many; as many windows are shown as fit the width.
    """
    cells: Cells = {}
    for line in lines:
        if not brief or in_brief(line):
            cells.setdefault((line.group, line.measure), {})[line.period] = line
    kept = cells if height is None else _fitting(cells, height - AROUND)
    caption = LEGEND if cells else "nothing measured yet"
    if len(kept) < len(cells):
        caption = f"… {len(cells) - len(kept)} more rows: contactmeter figures"
        if width >= NARROW:
            caption += "   ✓ met  ✗ not met  · too few"
    for windows in _WINDOWS_BY_WIDTH:
        columns = _columns(kept, windows)
        total = sum(max(map(cell_len, column)) + 2 for column in columns) - 2
        if total <= width:
            break
    table = Table(
        title=heading,
        title_justify="left",
        caption=caption,
        caption_justify="left",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        min_width=min(width, max(total, cell_len(heading), cell_len(caption))),  # neither title nor legend takes a second line
    )
    for number, column in enumerate(columns):
        table.add_column(column[0], justify="right" if number else "left", no_wrap=True, min_width=max(map(cell_len, column)))
    channel = ""
    for row, (group, measure) in enumerate(kept, start=1):
        if group != channel:
            table.add_row(Text(group, style="bold"))
            channel = group
        styles = ["", "", *(_style(kept[group, measure].get(window)) for window in windows)]
        table.add_row(*(Text(column[row], style=style) for column, style in zip(columns, styles, strict=True)))
    return table


def in_brief(line: Line) -> bool:
    """Whether a line is among those shown by default: of the answers only the overall grade."""
    return not line.measure.startswith("answer:") or line.measure.endswith(":overall")


def questionnaires_of(lines: Iterable[Line]) -> set[str]:
    """The questionnaires of which there are figures among the lines."""
    return {line.measure.split(":")[1] for line in lines if line.measure.startswith("answer:")}


def label(measure: str) -> str:
    """A measure key in fewer words: `norm telephone_45s`, `grade overall`."""
    kind, _, rest = measure.partition(":")
    if kind == "answer":
        instrument, version, aspect = rest.split(":")
        return f"grade {aspect} ({instrument} v{version})" if aspect != "overall" else "grade overall"
    return f"{kind} {rest}".strip()


def shown_target(line: Line) -> str:
    """A target in the unit of its measure; nothing when there is none."""
    return "" if line.target is None else f"{line.target:.0%}" if is_share(line.measure) else f"{line.target:g}"


def _fitting(cells: Cells, room: int) -> Cells:
    """The rows that fit into `room` lines, headings of channels counted: first without the least ones, then without the last ones."""
    for measure in _LEAST:
        if _height(cells) > room:
            cells = {key: windows for key, windows in cells.items() if key[1] != measure}
    while len(cells) > 1 and _height(cells) > room:
        cells = dict(list(cells.items())[:-1])
    return cells


def _height(cells: Cells) -> int:
    return len(cells) + len({group for group, _ in cells})


def _columns(cells: Cells, windows: Sequence[str]) -> list[list[str]]:
    """Title and texts of each column."""
    return [
        ["measure", *(f"  {label(measure)}" for _, measure in cells)],
        ["target", *(shown_target(next(iter(found.values()))) for found in cells.values())],
        *([window, *(_text(found.get(window)) for found in cells.values())] for window in windows),
    ]


def _text(line: Line | None) -> str:
    if line is None or line.n == 0:
        return "–  "
    number = "" if line.measure == "volume" else f" ({line.n:,})"
    return f"{shown(line.value, line.measure)}{number} {MARKS[line.attainment]}"


def _style(line: Line | None) -> str:
    return "dim" if line is None or line.n == 0 else STYLES.get(line.attainment, "")
