"""The picture and the lines for a terminal: well formed, to scale, readable without colour, and the same for the same input."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import log
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.drift.picture import Mark, Picture, Point, position, svg
from pipeline.drift.plot import mean, plot, sparkline
from tests.pipeline.builders import AMSTERDAM, DAY, HOUR, ms

SVG = "{http://www.w3.org/2000/svg}"
FIRST = ms("2026-11-16T09:00")
"""The end of the first hour of a Monday."""
POINTS = [
    Point(FIRST + day * DAY + hour * HOUR, 0.8 if day < 2 else 0.6, 0.8, 0.7, 0.9, 4.0 * day - 4, -5.0)
    for day in range(4)
    for hour in range(8)
]
MARKS = (Mark(FIRST + 2 * DAY - HOUR, "onset"), Mark(FIRST + 2 * DAY + 3 * HOUR, "found"), Mark(FIRST + 3 * DAY, "grown"))
PICTURE = Picture("Balie: <20 min> & meer", "norm ‘b’", "compliance", POINTS, MARKS, 730.0)


def elements(picture: Picture = PICTURE, language: Any = "nl") -> ElementTree.Element:
    return ElementTree.fromstring(svg(picture, language, AMSTERDAM))


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def path(root: ElementTree.Element, style: str) -> list[tuple[float, float]]:
    """The points of the line of a style."""
    (found,) = [element for element in root.iter(f"{SVG}path") if element.get("class") == style]
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", found.get("d", ""))]


def test_it_tells_what_it_is_to_who_can_not_see_it() -> None:
    root = elements()
    assert [root.get(name) for name in ("role", "aria-labelledby", "lang")] == ["img", "title desc", "nl"]
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert title.text == PICTURE.title
    assert desc is not None
    assert "(730)" in (desc.text or "")


def test_every_line_has_its_name_and_every_mark() -> None:
    assert {"gezien", "gewoonlijk", "± 2 sd", "daling", "stijging", "drempel 730", "▸ begin", "▸ gevonden", "▸ gegroeid"} <= set(
        texts(elements())
    )
    english = set(texts(elements(language="en")))
    assert {"seen", "usual", "fall", "rise", "threshold 730", "▸ onset", "▸ found", "▸ grown", "Mon 16-11"} <= english


def test_higher_figures_stand_higher_and_later_ones_to_the_right() -> None:
    seen = path(elements(), "seen")
    assert len(seen) == len(POINTS)
    assert all(one[0] < other[0] for one, other in pairwise(seen))
    assert seen[0][1] < seen[-1][1]
    fall, threshold = path(elements(), "fall"), path(elements(), "threshold")
    crossed = [y <= threshold[0][1] for _, y in fall]
    assert crossed == [point.fall >= log(730) for point in POINTS]


def test_the_onset_is_the_beginning_of_its_hour_and_a_find_the_end() -> None:
    assert [position(POINTS, mark) for mark in MARKS] == [16, 19, 24]
    assert position(POINTS, Mark(FIRST - DAY, "onset")) == 0
    assert position(POINTS, Mark(FIRST + 9 * DAY, "over")) == len(POINTS) - 1


def test_an_hour_without_a_figure_is_a_gap() -> None:
    points = [*POINTS[:5], POINTS[5]._replace(seen=None), *POINTS[6:]]
    root = elements(replace(PICTURE, points=points))
    (line,) = [one.get("d", "") for one in root.iter(f"{SVG}path") if one.get("class") == "seen"]
    assert line.count("M") == 2
    assert len(list(root.iter(f"{SVG}circle"))) == len(POINTS) - 1


@pytest.mark.parametrize(
    "points",
    [POINTS[:1], [POINTS[0]._replace(seen=None)], [one._replace(seen=0.5, low=0.5, high=0.5, expected=0.5) for one in POINTS], POINTS * 40],
)
def test_it_can_be_drawn_from_little_and_from_much(points: Sequence[Point]) -> None:
    root = elements(replace(PICTURE, points=points))
    assert all(0 <= x <= 960 for x, _ in path(root, "fall"))
    assert plot(replace(PICTURE, points=points), "nl", AMSTERDAM)


def test_without_hours_it_says_so() -> None:
    nothing = replace(PICTURE, points=())
    assert "Er zijn geen uren om te tonen." in texts(elements(nothing))
    assert plot(nothing, "en", AMSTERDAM) == "There are no hours to show."


def test_it_is_the_same_for_the_same_input() -> None:
    assert svg(PICTURE, "nl", AMSTERDAM) == svg(PICTURE, "nl", AMSTERDAM)


def test_a_sparkline_goes_from_lowest_to_highest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([1, None, 2]) == "▁·█"
    assert sparkline([3, 3]) == "▅▅"
    assert sparkline([]) == ""
    assert sparkline([None]) == "·"
    assert sparkline([-5, 0.5, 20], scale=(0, 1)) == "▁▅█"


def test_a_long_row_is_put_together() -> None:
    assert sparkline([0, 2, 10, 4, None, None], width=3, scale=(0, 8)) == "▂█·"
    assert sparkline([0, 8, 0, 0], width=2, of=max) == "█▁"
    assert mean([1, 3]) == 2


def test_the_lines_for_a_terminal() -> None:
    assert plot(PICTURE, "nl", AMSTERDAM).splitlines() == [
        "norm ‘b’",
        "gezien      ████████████████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁",
        "gewoonlijk  ████████████████████████████████  60 % – 80 %",
        "",
        "daling      ▁▁▁▁▁▁▁▁▃▃▃▃▃▃▃▃▆▆▆▆▆▆▆▆████████",
        "stijging    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  █: drempel 730",
        "                            ↑ begin ↑ gegroeid",
        "                               ↑ gevonden",
        "            ma 16-11        wo 18-11",
    ]
    assert max(map(len, plot(replace(PICTURE, points=POINTS * 20), "en", AMSTERDAM).splitlines())) < 100
