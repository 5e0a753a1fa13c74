"""Over twelve calm weeks nobody is called more often than the budget of the organisation's file allows, and nothing comes and goes."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from connectors.simulator.state import Simulation
from connectors.simulator.town import instant
from pipeline.drift.backtest import DAY_MS
from pipeline.drift.detector import QUARTER_DAYS
from pipeline.drift.streams import budget_of
from tests.dashboards.scenarios.calm import WEEKS, Gap, Told, Weeks
from tests.dashboards.towns import history, town

LAST = date(2026, 6, 1)
"""A Monday: the weeks before it hold Easter, King's Day and Ascension."""
END = instant(LAST, 8 * 60)
LEARNING_WEEKS = 4


def told(directory: Path, seed: int, gaps: list[Gap], plants: tuple[str, ...] = (), scale: float = 0.5) -> tuple[Told, float]:
    """What is told of the last weeks of a simulated town, and how many pages its file allows in them."""
    weeks = WEEKS + LEARNING_WEEKS
    with town(directory, END) as one:
        one.take(history(Simulation(END, seed, weeks, scale, drift_channel=None, plants=plants)), END)
        found = Weeks(one, END, WEEKS).tell(gaps)
        quarters = WEEKS * 7 / QUARTER_DAYS
        return found, quarters * sum(budget_of(one.organisation, channel, 1) for channel in one.organisation.channels)


def ordinary_gaps() -> Iterator[Gap]:
    """What happens in calm weeks too: back-ups at night, maintenance at weekends, restarts and deployments by day."""
    for back in range(WEEKS * 7):
        day = LAST - timedelta(days=back)
        yield Gap("telefooncentrale", instant(day, 60), instant(day, 4 * 60))
        if day.weekday() == 5:
            yield Gap("postbus", instant(day, 20 * 60), instant(day + timedelta(days=1), 20 * 60), unreadable=True)
        if day.weekday() == 2:
            yield Gap("formulieren", instant(day, 10 * 60), instant(day, 10 * 60 + 12))
        if day.weekday() == 3:
            yield Gap("worker", instant(day, 11 * 60), instant(day, 11 * 60 + 12))
        if day.weekday() == 4:
            yield Gap("webcare", instant(day, 12 * 60 + 56), instant(day + timedelta(days=3), 8 * 60 + 36))


@pytest.mark.parametrize("seed", [1, 2])
def test_calm_weeks(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(3, 23))
def test_more_calm_weeks(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)


def check(directory: Path, seed: int) -> None:
    """At most the pages of the budget, none for a connector, none that flaps, and none that was left to the next in line."""
    found, budget = told(directory, seed, list(ordinary_gaps()))
    print(f"seed {seed}: {len(found.pages)} pages where {budget:.1f} are allowed: {[alert.summary.nl for alert in found.pages]}")
    assert len(found.pages) <= budget
    assert {alert.rule for alert in found.pages} <= {"incident"}
    assert not found.flaps


def test_weeks_that_are_not_calm_are_told_once_each(tmp_path: Path) -> None:
    """The same rules, in weeks in which people wait for long, and a connector is silent for half an hour of a morning."""
    first, last = LAST - timedelta(days=26), LAST - timedelta(days=13)
    silent = Gap("baliesysteem", instant(first, 9 * 60), instant(first, 9 * 60 + 40))
    plant = f"telephone@Burgerzaken:wait:x6:{first}T11:00..{last}T11:00"
    found, _ = told(tmp_path, 1, [*ordinary_gaps(), silent], (plant,))
    (connector,) = [alert for alert in found.pages if alert.rule == "connector_silent"]
    assert connector.labels["connector"] == "baliesysteem"
    assert connector.fired_at is not None
    assert silent.begin + 15 * 60_000 < connector.fired_at < silent.end
    incidents = [alert for alert in found.pages if alert.rule == "incident"]
    print([alert.summary.nl for alert in incidents])
    first_told = min(alert.fired_at for alert in incidents if alert.fired_at is not None and alert.labels["channel"] == "telephone")
    assert 0 <= first_told - instant(first, 11 * 60) < 5 * DAY_MS
    assert len(incidents) <= 2, "one change is not told again and again"
    assert {alert.rule for alert in found.pages} == {"connector_silent", "incident"}
    assert not found.flaps
