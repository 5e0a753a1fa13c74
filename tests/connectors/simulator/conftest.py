"""One simulated history for every test here: 16 weeks that hold Easter, a clock change and King's Day, ending on a Wednesday morning."""

from itertools import takewhile

import pytest

from connectors.simulator.events import Released
from connectors.simulator.state import Simulation
from schemas.types import parse_instant

ANCHOR = parse_instant("2026-05-13T11:00:00+02:00")


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    """A simulation with its default drift: the telephone, since Wednesday 6 May."""
    return Simulation(ANCHOR, seed=20)


@pytest.fixture(scope="session")
def history(simulation: Simulation) -> list[Released]:
    """Everything sent up to the anchor."""
    return list(takewhile(lambda item: item[0] <= ANCHOR, simulation.world.stream()))
