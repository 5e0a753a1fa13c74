"""What the demo tells beside its figures, and where it keeps its data."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from connectors.simulator.state import Simulation
from deploy.local import stack
from pipeline.cli.demo import Screen, Shown, remarks

SETTINGS = {"zone": "Europe/Amsterdam"}
SUNDAY = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def test_a_closed_town_hall_is_said_with_the_day_that_is_played() -> None:
    played = Simulation(ms(SUNDAY), speed=60)
    now = SUNDAY + timedelta(minutes=2)
    found = remarks(played, ms(now), datetime(2026, 11, 20, 9, 20, tzinfo=UTC), 42_000, SETTINGS)
    assert found == ["Town hall is closed now: Fri 2026-11-20 10:30 is played at 60 times its speed"]
    assert len(found[0]) <= 80


def test_history_that_loads_is_counted() -> None:
    found = remarks(Simulation(ms(SUNDAY)), ms(SUNDAY), SUNDAY - timedelta(weeks=9), 22_448, SETTINGS)
    assert found == ["loading 16 weeks of history: 22,448 contacts so far"]
    assert remarks(Simulation(ms(SUNDAY)), ms(SUNDAY), None, 0, SETTINGS) == ["loading 16 weeks of history: 0 contacts so far"]


def test_an_open_town_hall_needs_no_remark() -> None:
    assert remarks(Simulation(ms(MONDAY)), ms(MONDAY), MONDAY, 42_000, SETTINGS) == []
    later = MONDAY + timedelta(hours=12)
    assert "closed now" in remarks(Simulation(ms(MONDAY)), ms(later), later, 42_000, SETTINGS)[0]


def test_stopping_gives_the_terminal_back_with_the_last_table() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24, legacy_windows=False)
    screen = Screen(console)
    screen.say("worker: ready after 3.0 s")
    screen.show(Shown("Town · as of now", [], [], "3 contacts stored"))
    screen.say("simulator: stopping")
    screen.say("worker: stopping")
    assert isinstance(console.file, io.StringIO)
    entered, _, after = console.file.getvalue().rpartition("\x1b[?1049l")
    assert "\x1b[?1049h" in entered, "the alternate screen was entered, and left"
    assert "Town · as of now" in after
    assert after.index("Town · as of now") < after.index("stopping …") < after.index("worker: stopping")
    assert after.count("stopping …") == 1


def test_the_demo_has_a_directory_of_its_own_that_whoever_looks_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONTACTMETER_DIR", raising=False)
    own, demo = tmp_path / ".contactmeter", tmp_path / ".contactmeter-demo"
    assert (stack.layout().directory, stack.demo_layout().directory) == (own, demo)
    stack.demo_layout().create()
    with stack.locked(stack.demo_layout()):
        assert stack.layout().directory == demo
        assert stack.layout(own=True).directory == own
        stack.layout(own=True).create()
        with stack.locked(stack.layout(own=True)):
            assert stack.layout().directory == own
    monkeypatch.setenv("CONTACTMETER_DIR", str(tmp_path / "here"))
    assert stack.layout() == stack.demo_layout() == stack.Layout(tmp_path / "here")
