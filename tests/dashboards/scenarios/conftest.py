"""A whole stack with a worker for the scenarios of alerts, and the towns in which they happen."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.protocol import WireEvent
from pipeline.store.client import Connection
from schemas.types import iso
from tests.dashboards.scenarios import happenings
from tests.dashboards.scenarios.asking import Asked, now_ms
from tests.e2e.conftest import SOCKETS
from tests.e2e.running import Stack, running_stack
from tests.e2e.synthetic import DAY, HOUR, MINUTE
from tests.e2e.worker import Worker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """ClickHouse is killed here: sockets of its client are collected as in tests/e2e."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(SOCKETS))


@dataclass
class Watched:
    """A stack with a worker that looks for drift every second. recovers: what happens in the town `drift` after it was found.

    In `open` a connector is silent, a term of law about to pass and a norm not met; `dicht` is closed, its norms are nobody's law, and few
    call. In `drift` and `escalatie` few calls are answered in time.
    """

    stack: Stack
    now: int
    recovers: list[WireEvent] = field(default_factory=list)
    worker: Worker | None = None

    def asked(self, name: str, organisation: str) -> Asked:
        """A rule, asked as the board user."""
        engine = self.stack.clickhouse
        return Asked(name, organisation, Connection(engine.host, engine.http_port, engine.board_user, engine.board_password))

    def fill(self) -> None:
        """All towns with what happens first: six weeks of some, a few contacts of others."""
        now = self.now
        weekday = datetime.fromtimestamp(now / 1000, ZoneInfo("Europe/Amsterdam")).weekday()
        drifts = happenings.calls(1, now, now - 23 * HOUR, now - 19 * HOUR)
        place = next(number for number, one in enumerate(drifts) if one["data"]["occurred_at"] > iso(now - 19 * HOUR))
        self.recovers = drifts[place:]
        heard = [
            happenings.heartbeat("telefonie", now - 20 * MINUTE, now - 20 * MINUTE),
            happenings.heartbeat("zaken", now, now),
            happenings.heartbeat("bron-weg", now, now - 30 * MINUTE),
        ]
        for name, text, events in (
            ("drift", happenings.organisation("drift"), drifts[:place]),
            ("escalatie", happenings.organisation("escalatie", escalate_after="10s"), happenings.calls(2, now, now - 20 * HOUR, now)),
            ("open", happenings.organisation("open"),
             [*heard, *happenings.letter("zaak-1", now - 50 * DAY, now + 10 * HOUR), *happenings.letter("zaak-2", now - 20 * DAY),
              *happenings.late_calls(now, 40)]),
            ("dicht", happenings.organisation("dicht", happenings.closed_now(weekday), law=False),
             [*heard, *happenings.letter("zaak-1", now - HOUR), *happenings.late_calls(now, 1)]),
        ):  # fmt: skip
            self.stack.add_organisation(name, text)
            self.stack.send(name, events, 400)


@pytest.fixture(scope="package")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The worker begins when all of it waits for it."""
    with running_stack(tmp_path_factory.mktemp("alerts")) as stack:
        found = Watched(stack, now_ms())
        found.fill()
        found.worker = stack.worker(LOOK_EVERY_S="1").wait_ready()
        yield found
