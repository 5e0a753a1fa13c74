"""What a simulation was started with is kept, and only that is gone on with."""

import json
from pathlib import Path

import pytest

from connectors.protocol import Refused
from connectors.simulator.state import STATE_FILE, TRUTH_FILE, Simulation, open_simulation, write_truth
from connectors.simulator.truth import truth
from schemas.types import parse_instant
from tests.connectors.simulator.conftest import ANCHOR

HOUR_MS = 3_600_000


def test_a_restart_keeps_the_anchor_and_with_it_the_drift(tmp_path: Path) -> None:
    first = open_simulation(tmp_path, ANCHOR + 12_345, {"seed": 3, "weeks": 8})
    again = open_simulation(tmp_path, ANCHOR + 40 * 24 * HOUR_MS, {})
    assert first == again
    assert again.anchor_ms == ANCHOR
    assert again.world == first.world
    assert open_simulation(tmp_path, ANCHOR, {"seed": 3}) == first


def test_other_parameters_than_those_kept_are_refused(tmp_path: Path) -> None:
    open_simulation(tmp_path, ANCHOR, {"seed": 3})
    with pytest.raises(Refused, match=r"runs with seed 3, not 4; leave that option out"):
        open_simulation(tmp_path, ANCHOR, {"seed": 4})


@pytest.mark.parametrize("content", ["", "{", "[]", '{"anchor_ms": 60000, "unknown": 1}'])
def test_a_broken_file_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    (tmp_path / STATE_FILE).write_text(content)
    with pytest.raises(Refused, match=STATE_FILE):
        open_simulation(tmp_path, ANCHOR, {})


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="can't be written"):
        open_simulation(tmp_path / "file" / "state", ANCHOR, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("weeks", 0),
        ("scale", 0.0),
        ("scale", float("nan")),
        ("speed", 0.5),
        ("drift_channel", "chat"),
        ("drift_days", 0),
        ("drift_days", 100),
        ("drift_lasts", 0),
    ],
)
def test_parameters_that_make_no_sense_are_refused_and_nothing_is_kept(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(Refused, match=name.replace("_", " ")):
        open_simulation(tmp_path, ANCHOR, {name: value})
    assert not (tmp_path / STATE_FILE).exists()


def test_the_drift_is_placed_by_working_days() -> None:
    (drift,) = Simulation(ANCHOR, drift_days=12, drift_lasts=3).world.plants
    # 27 April, King's Day, is no working day.
    assert drift.from_ms == parse_instant("2026-04-24T00:00:00+02:00")
    assert drift.to_ms == parse_instant("2026-04-30T00:00:00+02:00")
    assert Simulation(ANCHOR, drift_channel=None).world.plants == ()


def test_a_fast_simulation_catches_up_and_is_never_in_the_future() -> None:
    fast = Simulation(ANCHOR, speed=24)
    assert fast.history_end == parse_instant("2026-05-12T08:30:00+02:00")
    assert fast.now(ANCHOR + HOUR_MS // 2) == fast.history_end + 12 * HOUR_MS
    for minutes in range(0, 300, 7):
        assert fast.now(ANCHOR + minutes * 60_000) <= ANCHOR + minutes * 60_000
    assert fast.now(ANCHOR + 2 * HOUR_MS) == ANCHOR + 2 * HOUR_MS
    assert Simulation(ANCHOR).now(ANCHOR + 5) == ANCHOR + 5


def test_the_truth_is_written_with_what_was_planted(tmp_path: Path) -> None:
    simulation = open_simulation(tmp_path, ANCHOR, {"weeks": 2, "scale": 0.1})
    found = truth(simulation.world, ANCHOR)
    write_truth(tmp_path, simulation, found)
    document = json.loads((tmp_path / TRUTH_FILE).read_text())
    assert document["simulated"] is True
    assert document["simulation"]["seed"] == 1
    assert document["planted"] == [
        {
            "channel": "telephone",
            "what": "norm",
            "size": 0.25,
            "from_ms": parse_instant("2026-05-06T00:00:00+02:00"),
            "to_ms": None,
            "team": None,
        }
    ]
    assert document["rolling"] == found.rolling
    assert document["by_day"]["2026-05-12"]["telephone"]["volume"][0] > 10
