"""What the demo plants is found by the time the demo opens, and nothing else is."""

from collections import defaultdict

import numpy as np
import pytest
from numpy.typing import NDArray

from connectors.simulator import contacts, profile
from connectors.simulator.plants import parse
from connectors.simulator.state import Simulation
from connectors.simulator.town import HOUR_MS, day_of, organisation
from connectors.simulator.truth import facts_of_contacts
from connectors.simulator.world import ONE_DAY
from pipeline.cli.demo_drift import plants
from pipeline.drift.hours import Hours
from pipeline.drift.look import Known, Measured, look
from schemas.types import parse_instant

Pieces = dict[Measured, list[tuple[NDArray[np.int64], NDArray[np.int64]]]]


def sums(simulation: Simulation, as_of: int) -> dict[Measured, Hours]:
    """What is counted of the channels with a queue, by hour, from what the town intends."""
    pieces: Pieces = defaultdict(list)
    day = simulation.world.first_day
    while day <= day_of(as_of):
        for channel in profile.CHANNELS[:2]:
            drawn = contacts.draw(simulation.seed, simulation.scale, simulation.world.plants, channel, day)
            for fact in facts_of_contacts(drawn, as_of):
                pieces[channel.name, fact.measure].append((fact.at, fact.x))
                if fact.measure == "wait":
                    logs = np.rint(1e6 * np.log(np.maximum(fact.x / 1000, 1))).astype(np.int64)
                    pieces[channel.name, "wait_log"].append((fact.at, logs))
        day += ONE_DAY
    found = {}
    for key, several in pieces.items():
        at, x = (np.concatenate(column) for column in zip(*several, strict=True))
        hour, where = np.unique((-(-at // 60_000) - 1) // 60, return_inverse=True)
        total, squares = (np.bincount(where, weights=weights).astype(np.float64) for weights in (x, x.astype(np.float64) ** 2))
        found[key] = Hours(hour, np.bincount(where), np.rint(total).astype(np.int64), squares)
    return found


@pytest.mark.parametrize(
    ("opens", "speed"),
    [("2026-11-25T10:00:00+01:00", 1), ("2026-11-22T10:00:00+01:00", 60), ("2027-01-11T08:40:00+01:00", 1)],
    ids=["on a Wednesday", "on a Sunday", "on a Monday after the holidays"],
)
def test_what_the_demo_plants_is_found_when_it_opens(opens: str, speed: float) -> None:
    anchor = parse_instant(opens)
    planted = plants(Simulation(anchor, speed=speed).history_end)
    simulation = Simulation(anchor, speed=speed, drift_channel=None, plants=tuple(planted))
    as_of = simulation.history_end - simulation.history_end % 60_000
    longer, outage = simulation.world.plants
    states = look(organisation(), Known(as_of // HOUR_MS, sums(simulation, as_of), {}), as_of).states

    of_telephone = [one for one in states if one.channel == "telephone"]
    assert {one.stream for one in of_telephone} <= {"norm:telephone_45s", "wait"}
    assert "norm:telephone_45s" in {one.stream for one in of_telephone}
    for one in of_telephone:
        assert one.worse
        assert one.state != "over"
        assert one.at > longer.from_ms
        assert abs(one.onset - longer.from_ms) < 24 * HOUR_MS

    of_counter = [one for one in states if one.channel == "counter"]
    assert {one.stream for one in of_counter} == {"volume"}
    assert (of_counter[0].state, of_counter[-1].state) == ("found", "over")
    assert outage.from_ms < of_counter[0].at <= outage.to_ms
    assert len(of_telephone) + len(of_counter) == len(states)


def test_what_the_demo_plants_is_read_as_it_is_meant() -> None:
    longer, outage = map(parse, plants(parse_instant("2026-11-20T08:30:00+01:00")))
    assert (longer.what, longer.team, longer.from_ms) == ("wait", "Burgerzaken", parse_instant("2026-11-17T11:00:00+01:00"))
    assert (outage.what, outage.from_ms, outage.to_ms) == (
        "outage",
        parse_instant("2026-11-12T09:00:00+01:00"),
        parse_instant("2026-11-12T12:00:00+01:00"),
    )
