"""What led to a signal, as lines of text for a terminal. Pure."""

from collections.abc import Callable, Iterable, Sequence
from math import log
from zoneinfo import ZoneInfo

from pipeline.calendars import local_date
from pipeline.drift.notation import figure_text
from pipeline.drift.phrases import WORDS
from pipeline.drift.picture import FLOOR, TEXTS, Picture, position
from pipeline.explain_words import DAYS
from pipeline.numbers import number_text
from schemas.words import Language

BLOCKS = "▁▂▃▄▅▆▇█"
NONE = "·"
"""Stands where there is no value."""


def mean(values: Sequence[float]) -> float:
    """The plain mean."""
    return sum(values) / len(values)


def sparkline(
    values: Sequence[float | None],
    width: int = 72,
    scale: tuple[float, float] | None = None,
    of: Callable[[Sequence[float]], float] = mean,
) -> str:
    """Values as a row of blocks, at most `width` of them: neighbours are put together by `of`.

    scale: the values of the lowest and of the highest block; those of the row itself when None. What lies beyond is drawn at the edge.
    """
    n = min(width, len(values))
    groups = [[one for one in values[i * len(values) // n : (i + 1) * len(values) // n] if one is not None] for i in range(n)]
    cells = [of(group) if group else None for group in groups]
    known = [one for one in cells if one is not None]
    low, high = scale or (min(known, default=0.0), max(known, default=0.0))
    return "".join(NONE if one is None else _block(one, low, high) for one in cells)


def _block(value: float, low: float, high: float) -> str:
    if high <= low:
        return BLOCKS[len(BLOCKS) // 2]
    return BLOCKS[min(len(BLOCKS) - 1, max(0, int(len(BLOCKS) * (value - low) / (high - low))))]


def plot(picture: Picture, language: Language, zone: ZoneInfo, width: int = 72) -> str:
    """What was seen and what is usual on one scale, the test of each side on another, and below them marks and days."""
    texts, words, points = TEXTS[language], WORDS[language], picture.points
    if not points:
        return texts["nothing"]
    columns = min(width, len(points))

    def row(values: Sequence[float | None], scale: tuple[float, float], of: Callable[[Sequence[float]], float] = mean) -> str:
        return sparkline(values, columns, scale, of)

    figures = [one for point in points for one in (point.seen, point.expected) if one is not None]
    scale, limit = (min(figures), max(figures)), log(picture.threshold)
    test = (FLOOR, FLOOR + (limit - FLOOR) * len(BLOCKS) / (len(BLOCKS) - 1))  # the highest block is what reaches the threshold
    low, high = (figure_text(picture.kind, one, words) for one in scale)
    threshold = texts["threshold"].format(number_text(picture.threshold, words))
    days = [local_date(point.at - 1, zone) for point in points]
    starts = [(i, f"{DAYS[language][day.weekday()]} {day.day}-{day.month}") for i, day in enumerate(days) if i == 0 or day != days[i - 1]]
    marks = [(position(points, mark), f"↑ {texts[mark.what]}") for mark in picture.marks]
    rows = [
        (texts["seen"], row([point.seen for point in points], scale)),
        (texts["expected"], f"{row([point.expected for point in points], scale)}  {low} – {high}"),
        ("", ""),
        (texts["fall"], row([point.fall for point in points], test, max)),
        (texts["rise"], f"{row([point.rise for point in points], test, max)}  █: {threshold}"),
        *(("", line) for line in _placed(marks, len(points), columns)),
        *(("", line) for line in _placed(starts, len(points), columns)[:1]),
    ]
    wide = max(len(name) for name, _ in rows)
    return "\n".join([picture.measure, *(f"{name:<{wide}}  {row}".rstrip() for name, row in rows)])


def _placed(texts: Iterable[tuple[int, str]], n: int, columns: int) -> list[str]:
    """Texts below their positions, in as many rows as are needed that none covers another."""
    rows: list[str] = []
    for i, text in sorted(texts):
        column = min(columns - 1, max(0, i) * columns // n)
        row = next((number for number, row in enumerate(rows) if not row or len(row) < column), len(rows))
        rows[row : row + 1] = [f"{rows[row] if row < len(rows) else '':<{column}}{text}"]
    return rows
