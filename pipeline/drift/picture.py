"""What led to a signal, as a picture (SVG): the figure against what is usual, and below it the test. Pure.

Nothing is told by colour alone: what is seen is a line with dots, what is usual a dashed line in its band, and each side of the test has a
dash and a name of its own. Hours that are no points (it was closed) take no room.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from math import ceil, floor, log, log10
from textwrap import wrap
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pipeline.calendars import local_date
from pipeline.drift.kinds import Name
from pipeline.drift.notation import figure_text
from pipeline.drift.phrases import WORDS, Words
from pipeline.explain_words import DAYS
from pipeline.numbers import number_text
from schemas.words import Language

WIDTH, LEFT, RIGHT = 960, 76, 110
TOP, HEIGHT, BETWEEN, BELOW = 92, 210, 78, 40
LINE = 16
FINEST: dict[Name, float] = {"grade": 0.1, "compliance": 0.01, "time": 1, "volume": 0.1}
"""Steps that need another decimal are smaller."""
MOST_DAYS = 12
"""Days that have room for their name."""
FLOOR = log(0.01)
"""The test is shown from here on: below it there is nothing to tell."""
_STYLE = """
text { font: 13px sans-serif; fill: #222 } .title { font-weight: bold; font-size: 15px } .small { font-size: 12px; fill: #444 }
path, line, .frame { fill: none; stroke: #222 } .frame { stroke: #777 } .day { stroke: #d8d8d8 } .dot { fill: #222 }
.band { fill: #dce6f2; stroke: none } .expected { stroke: #31639c; stroke-width: 1.5; stroke-dasharray: 6 4 } .seen { stroke-width: 1.5 }
.fall { stroke: #a23b00; stroke-width: 2 } .rise { stroke: #00635a; stroke-width: 2; stroke-dasharray: 2 3 }
.threshold { stroke-dasharray: 10 4 } .mark { stroke-width: 1.5; stroke-dasharray: 1 2 }
"""
TEXTS: dict[Language, dict[str, str]] = {
    "nl": {
        "desc": "Boven: het cijfer tegen wat gewoonlijk is, met een band van twee standaardafwijkingen. Onder: de toets; bij de drempel "
        "({threshold}) is er een signaal. Gesloten uren nemen geen plaats in.",
        "band": "± 2 sd", "seen": "gezien", "expected": "gewoonlijk", "fall": "daling", "rise": "stijging", "threshold": "drempel {}",
        "path": "toets: hoe goed een verandering past (logaritmisch)", "onset": "begin", "found": "gevonden", "grown": "gegroeid",
        "over": "voorbij", "nothing": "Er zijn geen uren om te tonen.",
    },
    "en": {
        "desc": "Above: the figure against what is usual, with a band of two standard deviations. Below: the test; at the threshold "
        "({threshold}) there is a signal. Closed hours take no room.",
        "band": "± 2 sd", "seen": "seen", "expected": "usual", "fall": "fall", "rise": "rise", "threshold": "threshold {}",
        "path": "test: how well a change fits (logarithmic)", "onset": "onset", "found": "found", "grown": "grown", "over": "over",
        "nothing": "There are no hours to show.",
    },
}  # fmt: skip


class Point(NamedTuple):
    """An hour or a day, by its end in epoch ms.

    seen: its figure, None without one. expected, low, high: what was usual, ± two standard deviations. fall, rise: ln of the statistic of
    each side at its end.
    """

    at: int
    seen: float | None
    expected: float
    low: float
    high: float
    fall: float
    rise: float


class Mark(NamedTuple):
    """A moment in the life of a signal."""

    at: int
    what: Literal["onset", "found", "grown", "over"]


@dataclass(frozen=True)
class Picture:
    """What is to be shown. title: a sentence. measure: what the upper panel is of. threshold: of the statistic itself, not of its ln."""

    title: str
    measure: str
    kind: Name
    points: Sequence[Point]
    marks: Sequence[Mark]
    threshold: float


def position(points: Sequence[Point], mark: Mark) -> int:
    """The point of a mark: that which began at the onset or holds it, and that which ended with any other."""
    i = (bisect_right if mark.what == "onset" else bisect_left)([point.at for point in points], mark.at)
    return min(i, len(points) - 1)


def svg(picture: Picture, language: Language, zone: ZoneInfo) -> str:
    """The picture as an SVG document of two panels, the same for the same input."""
    texts = TEXTS[language]
    height = TOP + 2 * HEIGHT + BETWEEN + BELOW
    threshold = number_text(picture.threshold, WORDS[language])
    body = list(_panels(picture, WORDS[language], texts, zone)) if picture.points else [_text(LEFT, TOP, texts["nothing"])]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
            f' role="img" aria-labelledby="title desc" lang="{language}">',
            f'<title id="title">{escape(picture.title)}</title>',
            f'<desc id="desc">{escape(texts["desc"].format(threshold=threshold))}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            *(_text(12, 24 + 20 * row, line, "title") for row, line in enumerate(wrap(picture.title, 105)[:2])),
            *body,
            "</svg>",
            "",
        ]
    )


@dataclass(frozen=True)
class _Panel:
    """A rectangle with a scale: position i of n points and a value become x and y; what lies beyond is drawn at the edge."""

    top: int
    n: int
    least: float
    greatest: float

    def x(self, i: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (i + 0.5) / self.n

    def y(self, value: float) -> float:
        part = (value - self.least) / (self.greatest - self.least)
        return self.top + HEIGHT * (1 - min(1.0, max(0.0, part)))

    def at(self, i: int, value: float) -> str:
        return f"{self.x(i):.1f},{self.y(value):.1f}"

    def line(self, values: Sequence[float | None], style: str) -> str:
        """A line, with a gap where there is no value."""
        runs = groupby(enumerate(values), key=lambda one: one[1] is None)
        parts = [" L".join(self.at(i, value) for i, value in run if value is not None) for gap, run in runs if not gap]
        return f'<path class="{style}" d="{" ".join("M" + part for part in parts)}"/>'

    def frame(self) -> str:
        return f'<rect class="frame" x="{LEFT}" y="{self.top}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT}"/>'


def _panels(picture: Picture, words: Words, texts: dict[str, str], zone: ZoneInfo) -> Iterator[str]:
    points = picture.points
    bounds = [one for point in points for one in (point.low, point.high, point.seen) if one is not None]
    least, greatest = min(bounds), max(bounds)
    room = 0.06 * (greatest - least) or 0.5
    upper = _Panel(TOP, len(points), least - room, greatest + room)
    peak = max(log(picture.threshold), *(max(point.fall, point.rise) for point in points))
    lower = _Panel(TOP + HEIGHT + BETWEEN, len(points), FLOOR, peak + 0.08 * (peak - FLOOR))
    yield from _days(points, upper, lower, words, zone)
    yield from _figures(picture, upper, words, texts)
    yield from _test(picture, lower, words, texts)
    yield from _marks(picture, upper, lower, texts)
    yield from (panel.frame() for panel in (upper, lower))


def _figures(picture: Picture, panel: _Panel, words: Words, texts: dict[str, str]) -> Iterator[str]:
    """What was seen, over what is usual."""
    points = picture.points
    highs = [panel.at(i, point.high) for i, point in enumerate(points)]
    lows = [panel.at(i, point.low) for i, point in enumerate(points)]
    yield f'<path class="band" d="M{" L".join([*highs, *reversed(lows)])} Z"/>'
    yield panel.line([point.expected for point in points], "expected")
    yield panel.line([point.seen for point in points], "seen")
    seen = [(i, point.seen) for i, point in enumerate(points) if point.seen is not None]
    radius = 2.6 if len(points) <= 200 else 1.6
    yield from (f'<circle class="dot" cx="{panel.x(i):.1f}" cy="{panel.y(value):.1f}" r="{radius}"/>' for i, value in seen)
    ticks = _ticks(panel.least, panel.greatest)
    finer = int(ticks[1] - ticks[0] < FINEST[picture.kind])
    for value in ticks:
        yield _text(LEFT - 8, panel.y(value) + 4, figure_text(picture.kind, value, words, finer), "small", "end")
    yield _text(LEFT, panel.top - 8, picture.measure, "small")
    last = points[-1]
    named = [(last.expected, texts["expected"]), (last.high, texts["band"]), *((value, texts["seen"]) for _, value in seen[-1:])]
    yield from _names(panel, named)


def _test(picture: Picture, panel: _Panel, words: Words, texts: dict[str, str]) -> Iterator[str]:
    """The path of the statistic, against its threshold."""
    limit = log(picture.threshold)
    yield f'<path class="threshold" d="M{LEFT},{panel.y(limit):.1f} H{WIDTH - RIGHT}"/>'
    yield panel.line([point.fall for point in picture.points], "fall")
    yield panel.line([point.rise for point in picture.points], "rise")
    for power in range(-2, floor(panel.greatest / log(10)) + 1):
        text = number_text(10**power, words, max(0, -power))
        yield _text(LEFT - 8, panel.y(power * log(10)) + 4, text, "small", "end")
    yield _text(LEFT, panel.top - 8, texts["path"], "small")
    last = picture.points[-1]
    threshold = texts["threshold"].format(number_text(picture.threshold, words))
    yield from _names(panel, [(limit, threshold), (last.fall, texts["fall"]), (last.rise, texts["rise"])])


def _days(points: Sequence[Point], upper: _Panel, lower: _Panel, words: Words, zone: ZoneInfo) -> Iterator[str]:
    """A line where a day begins, and the names of as many days as there is room for."""
    days = [local_date(point.at - 1, zone) for point in points]
    starts = [i for i, day in enumerate(days) if i == 0 or day != days[i - 1]]
    bottom, every = lower.top + HEIGHT, ceil(len(starts) / MOST_DAYS)
    for number, i in enumerate(starts):
        x = upper.x(i - 0.5)
        yield from (f'<path class="day" d="M{x:.1f},{panel.top} V{panel.top + HEIGHT}"/>' for panel in (upper, lower))
        if number % every == 0:
            day = days[i]
            yield _text(x + 2, bottom + 16, f"{DAYS[words.lang][day.weekday()]} {day.day}-{day.month}", "small")


def _marks(picture: Picture, upper: _Panel, lower: _Panel, texts: dict[str, str]) -> Iterator[str]:
    """A line through both panels for each moment of the signal, named between them; names that would meet stand in rows."""
    rows: list[float] = []
    for mark in sorted(picture.marks):
        x = upper.x(position(picture.points, mark) + (-0.5 if mark.what == "onset" else 0.5))
        text = texts[mark.what]
        row = next((row for row, end in enumerate(rows) if end < x), len(rows))
        rows[row : row + 1] = [x + 8 * len(text) + 8]
        yield f'<path class="mark" d="M{x:.1f},{upper.top} V{lower.top + HEIGHT}"/>'
        yield _text(x + 4, upper.top + HEIGHT + LINE * (row + 1), f"▸ {text}")


def _names(panel: _Panel, named: Sequence[tuple[float, str]]) -> Iterator[str]:
    """Names of lines at their right end, moved apart where they would meet."""
    y = float(panel.top)
    placed = []
    for value, text in sorted(named, key=lambda one: panel.y(one[0])):
        y = max(panel.y(value) + 4, y + LINE - 2)
        placed.append((y, text))
    over = max(0.0, placed[-1][0] - (panel.top + HEIGHT + 4))
    yield from (_text(WIDTH - RIGHT + 8, y - over, text, "small") for y, text in placed)


def _ticks(least: float, greatest: float) -> list[float]:
    """Some four to ten round values within bounds."""
    scale = 10.0 ** floor(log10(greatest - least))
    step = next(step for part in (1, 0.5, 0.2, 0.1) if (greatest - least) / (step := scale * part) >= 4)
    return [number * step for number in range(ceil(least / step), floor(greatest / step) + 1)]


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
