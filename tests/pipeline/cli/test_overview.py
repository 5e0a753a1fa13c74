"""The table of the demo: everything that is left of it can be read, however small the terminal."""

import io

import pytest
from rich.console import Console

from pipeline.cli.overview import overview
from pipeline.report import Line
from pipeline.rolling import WINDOWS

MEASURES = ("abandonment", "answer:klanttevredenheid:1:overall", "answer:klanttevredenheid:1:ease", "norm:telephone_45s", "volume", "wait")
CHANNELS = ("counter", "email", "form", "social", "telephone")


def lines(value: float = 0.81) -> list[Line]:
    return [
        Line(window, channel, measure, 1_234, value, None, None, 0.8, "met", 0, 0)
        for channel in CHANNELS
        for measure in MEASURES
        for window in WINDOWS
    ]


def printed(width: int, height: int | None, given: list[Line]) -> list[str]:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(overview("Town · as of now", given, brief=True, width=width, height=height))
    return console.export_text().splitlines()


@pytest.mark.parametrize("height", [8, 18, 24, 40])
def test_titles_stay_and_names_are_whole_however_low_the_terminal(height: int) -> None:
    rows = printed(80, height, lines())
    assert len(rows) <= height
    assert rows[0].strip().startswith("Town · as of now")
    assert {"measure", "target", "24h", "7d"} <= set(rows[1].split())
    measures = [row.split("  ")[1].strip() for row in rows[3:-1] if row.startswith("  ")]
    assert set(measures) <= {"abandonment", "grade overall", "norm telephone_45s", "volume", "wait"}
    assert max(map(len, rows)) <= 80


def test_a_low_terminal_keeps_every_channel_and_says_what_it_leaves_out() -> None:
    rows = printed(80, 19, lines())
    text = "\n".join(rows)
    assert "wait" not in text
    assert "abandonment" not in text
    assert "volume" not in text
    assert [channel for channel in CHANNELS if channel in rows[-1] or f"\n{channel}" in text] == list(CHANNELS)
    assert rows[-1].startswith("… 15 more rows: contactmeter figures")
    assert "more rows" not in "\n".join(printed(80, 40, lines()))


@pytest.mark.parametrize(("width", "windows"), [(120, list(WINDOWS)), (100, list(WINDOWS)), (80, ["1h", "24h", "7d"]), (64, ["24h", "7d"])])
def test_as_many_windows_as_fit(width: int, windows: list[str]) -> None:
    assert printed(width, None, lines())[1].split()[2:] == windows


def test_nothing_measured_is_said() -> None:
    assert "nothing measured yet" in printed(80, 24, [])[-1]
