"""Figures as a table for the terminal."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from pipeline.cli.overview import STYLES, label, shown_target
from pipeline.report import Line, shown

_ATTAINMENT = {"met": "✓ met", "not_met": "✗ not met", "too_few": "· too few", "": ""}


def figure_table(heading: str, lines: Sequence[Line], period: str) -> RenderableType:
    """A line a figure, with a heading for each channel (and quarter), and under a figure what stands beside it: fits 80 columns."""
    rolling = period == "window"
    rows = [_cells(line, rolling) for line in lines]
    titles = ("  measure", *(["window"] if rolling else []), "n", "value", "95 % interval", "target", "")
    widths = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]

    def text(cells: Sequence[str], style: str = "") -> Text:
        texts = [
            cell + " " * (width - cell_len(cell)) if number in (0, len(widths) - 1) else " " * (width - cell_len(cell)) + cell
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return Text(" ".join(texts).rstrip(), style=style)

    parts: list[RenderableType] = [Text(heading, style="italic"), text(titles, "bold"), Text("─" * (sum(widths) + len(widths) - 1))]
    group = measure = ""
    for line, cells in zip(lines, rows, strict=True):
        here = line.group if rolling else f"{line.period} {line.group}"
        if here != group:
            parts += [Text(here, style="bold")]
            group, measure = here, ""
        parts.append(text(["", *cells[1:]] if rolling and line.measure == measure else cells, STYLES.get(line.attainment, "")))
        measure = line.measure
        if line.notes:
            notes = ", ".join(f"{count:,} {reason}" for reason, count in line.notes.items())
            parts.append(Padding(Text(f"of which {notes}", style="dim"), (0, 0, 0, 6), expand=False))
    return Group(*parts) if lines else Group(Text(heading, style="italic"), Text("nothing measured yet"))


def _cells(line: Line, rolling: bool) -> list[str]:
    interval = "" if line.low is None else f"{shown(line.low, line.measure)} – {shown(line.high, line.measure)}"
    return [
        f"  {label(line.measure)}",
        *([line.period] if rolling else []),
        f"{line.n:,}",
        shown(line.value, line.measure),
        interval,
        shown_target(line),
        _ATTAINMENT[line.attainment],
    ]


def aligned(titles: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> Iterator[str]:
    """Lines of plain columns: the first `left` of them to the left, numbers to the right, the last as it is."""
    widths = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        cells = [
            cell + " " * (width - cell_len(cell)) if n < left or n == len(row) - 1 else " " * (width - cell_len(cell)) + cell
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  " + "  ".join(cells).rstrip()


def console_of_output() -> Console:
    """The terminal; a file or pipe gets lines wide enough for every column."""
    console = Console()
    return console if console.is_terminal else Console(width=120)
