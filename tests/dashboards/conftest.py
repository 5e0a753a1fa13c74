"""Two towns for tests of boards: one with a quarter of a year of everything, one in which nothing happened."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from connectors.identity import cloud_event, event_id
from connectors.protocol import WireEvent
from connectors.runner import connector_observed
from connectors.simulator.state import Simulation
from pipeline.cli.speaking import operator_source
from pipeline.store import shown
from pipeline.store.aggregates import aggregate
from schemas.types import iso
from tests.dashboards import poll
from tests.dashboards.screens import Screens
from tests.dashboards.towns import Town, history, minute, town

DAY, HOUR = 86_400_000, 3_600_000


@pytest.fixture(scope="session")
def full_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The simulated town with 14 weeks behind it, a drift that was found and taken note of, a poll, markers, heartbeats and rejects."""
    now_ms = minute()
    with town(tmp_path_factory.mktemp("full-town"), now_ms, poll.file(now_ms)) as one:
        told = history(Simulation(anchor_ms=now_ms, weeks=14, scale=0.3, drift_days=10))
        one.take([*told, *poll.answers(now_ms), *_said(one, now_ms)], now_ms)
        one.look(now_ms)
        with one.reader() as client:
            incidents = [str(row[0]) for row in client.query("SELECT incident FROM v_incidents").result_rows]
        one.take([_spoken(one, "incident.acknowledged", now_ms, {"incident": name, "who": "Jan de Vries"}) for name in incidents], now_ms)
        _show(one, now_ms)
        yield one


@pytest.fixture(scope="session")
def screens(full_town: Town) -> Iterator[Screens]:
    """The boards of the full town."""
    with closing(Screens(full_town)) as found:
        yield found


@pytest.fixture(scope="session")
def empty_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose configuration is in force, without any contact yet."""
    with town(tmp_path_factory.mktemp("empty-town")) as one:
        now_ms = minute()
        one.figures(now_ms)
        one.look(now_ms)
        _show(one, now_ms)
        yield one


def _show(one: Town, now_ms: int) -> None:
    with closing(one.owner.open()) as client:
        aggregate(client, one.name, datetime.fromtimestamp(now_ms / 1000, UTC))
        shown.refresh_all(client, one.organisation, now_ms)


def _said(one: Town, now_ms: int) -> list[WireEvent]:
    """What people and connectors said, and three events that are refused."""
    telephone, email = (one.organisation.systems[name].sources[0] for name in ("telefooncentrale", "postbus"))
    refused = {"occurred_at": iso(now_ms - HOUR), "contact": "onbekend-kanaal", "channel": "duif"}
    return [
        *(
            _spoken(one, "marker.set", now_ms - days * DAY, {"marker": name, "kind": kind, "from": iso(now_ms - days * DAY), **more})
            for name, kind, days, more in (
                ("terugbelteam", "initiative", 40, {"channels": ["telephone"], "note": "Terugbelteam begonnen"}),
                ("brief", "campaign", 6, {"to": iso(now_ms - 3 * DAY), "note": "Brief over de belastingen"}),
                ("storing", "outage", 9, {"to": iso(now_ms - 9 * DAY + HOUR), "channels": ["email"]}),
            )
        ),
        connector_observed("telefonie", telephone, now_ms, now_ms, 2.0, "regel 4711"),
        connector_observed("post", email, now_ms - 5 * DAY, now_ms - 5 * DAY, 60.0, None),
        *(
            cloud_event("contact.opened", telephone, f"duif-{number}", now_ms - HOUR, {**refused, "contact": f"duif-{number}"})
            for number in range(3)
        ),
    ]


def _spoken(one: Town, kind: str, at_ms: int, data: dict[str, object]) -> WireEvent:
    """An event in the operator's name."""
    said = {"occurred_at": iso(at_ms), **data}
    return cloud_event(kind, operator_source(one.organisation), event_id(kind, str(data), str(at_ms)), at_ms, said)
