"""What the demo tells beside its figures, and where it keeps its data."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from connectors.simulator.state import Simulation
from deploy.local import stack
from pipeline.cli.demo import Screen, Shown, remarks
from pipeline.cli.demo_drift import incident_lines
from pipeline.drift.incidents import Incident

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


def incident(
    name: str, state: Literal["open", "closed", "merged"] = "open", worse: bool = True, at: datetime = MONDAY, said: str = ""
) -> Incident:
    return Incident(
        "simulatiestad", name, state, ("telephone",), ("s",), worse, worse, ms(at), ms(at), ms(at) if state == "closed" else None, "", said
    )  # fmt: skip


def lines(*known: Incident, width: int = 80) -> list[str]:
    return [line.plain for line in incident_lines(known, "simulatiestad", ZoneInfo("Europe/Amsterdam"), width)]


def test_an_open_incident_is_told_with_what_can_be_done_about_it() -> None:
    found = lines(incident("3f9a11", said="Telephone: since Mon 10:00 58 % answered within 45 s (was 81 %). " * 2))
    assert found[0].startswith("incident 3f9a11  open since ")
    assert found[1] == "  Telephone: since Mon 10:00 58 % answered within 45 s (was 81 %). Telephone:"
    assert found[-1] == "  take note: contactmeter incident acknowledge simulatiestad 3f9a11"
    assert all(len(line) <= 80 for line in found)
    noted = replace(incident("3f9a11"), acknowledged_at=ms(MONDAY), acknowledged_by="ann")
    assert not any("take note" in line for line in lines(noted))


def test_a_long_sentence_takes_three_lines_and_says_that_it_goes_on() -> None:
    found = lines(incident("a", said="word " * 200), width=40)
    assert len(found) == 5
    assert found[3].endswith(" …")


def test_the_worst_and_newest_incidents_come_first_and_the_others_are_counted() -> None:
    later = MONDAY + timedelta(hours=3)
    known = [incident("better", worse=False, at=later), incident("first"), incident("last", at=later), incident("gone", "closed")]
    found = lines(*known, incident("same", "merged"))
    assert [line.split()[1] for line in found if line.startswith("incident")] == ["last", "first"]
    assert found[-1] == "1 more open, 1 over: contactmeter incident list simulatiestad --all"
    assert lines(incident("gone", "closed")) == ["no incident is open, 1 over: contactmeter incident list simulatiestad --all"]
    assert lines() == []


def test_incidents_take_their_lines_from_the_table() -> None:
    shown = Shown("Town · as of now", [], [], "3 contacts stored", [incident("3f9a11", said="Less.")])
    console = Console(file=io.StringIO(), width=80)
    console.print(shown.table(80, 24))
    assert isinstance(console.file, io.StringIO)
    written = console.file.getvalue().splitlines()
    assert len(written) <= 24
    assert written[0].startswith("incident 3f9a11")


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
