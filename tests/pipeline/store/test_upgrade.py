"""Migration 0003 on tables that version 0.1 filled, and workers of 0.1 that go on writing beside it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.store import state
from pipeline.store.client import DATABASE, VIEWS, Connection
from pipeline.store.migrate import migrations, repeatable
from tests.engines import start_clickhouse
from tests.pipeline.builders import NINE

NOW = datetime.now(UTC)
AT = datetime.fromtimestamp(NINE / 1000, UTC)
OLD_COLUMNS = (
    "organisation", "system", "contact", "version", "channel", "opened_at", "queued_at", "answered_at", "withdrawn", "timeline",
    "outcomes.norm", "outcomes.version", "outcomes.start", "outcomes.deadline", "outcomes.stop", "outcomes.judged_at",
    "outcomes.excluded", "writer", "offset",
)  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    engine = start_clickhouse(tmp_path_factory.mktemp("clickhouse"))
    try:
        opened = Connection(engine.host, engine.http_port, engine.user, engine.password).open("default")
        for database in (DATABASE, VIEWS):
            opened.command(f"CREATE DATABASE {database}")
        opened.database = DATABASE
        yield opened
    finally:
        engine.stop()


def old_row(contact: str, channel: str = "telephone", withdrawn: bool = False) -> list[object]:
    """A row as a worker of 0.1 writes it: two norms, one of them late."""
    timeline = f'[[{NINE},"urn:x","1","d",{NINE},"opened",{{"channel":"telephone"}}]]'
    return [
        "o", "s", contact, 3 * 65_536, channel, AT, None, AT, withdrawn, timeline, ["a", "b"], [1, 1], [AT, AT], [AT, AT], [AT, None],
        [AT, AT], ["", ""], 1, 5,
    ]  # fmt: skip


def test_rows_of_version_01_say_what_they_said(client: Client) -> None:
    first, second, *later = migrations()
    for migration in (first, second):
        for statement in migration.statements:
            client.command(repeatable(statement))
    client.insert("contacts", [old_row("before"), old_row("gone", withdrawn=True)], column_names=OLD_COLUMNS)
    client.insert(
        "gauges", [["o", "telephone", "q", "waiting", NOW, 3.0]],
        column_names=["organisation", "channel", "queue", "gauge", "observed_at", "value"],
    )  # fmt: skip
    before = client.query("SELECT * EXCEPT (opened_at, at) FROM contributions ORDER BY ALL").result_rows
    for migration in later:
        for statement in migration.statements:
            client.command(repeatable(statement))
    # A worker of 0.1 goes on.
    client.insert("contacts", [old_row("after"), old_row("unknown", channel="")], column_names=OLD_COLUMNS)
    client.insert(
        "gauges", [["o", "telephone", "q", "waiting", NOW + timedelta(minutes=1), 4.0]],
        column_names=["organisation", "channel", "queue", "gauge", "observed_at", "value"],
    )  # fmt: skip

    found = {
        stored.key[2]: stored for stored in state.contacts(client, [("o", "s", name) for name in ("before", "after", "gone", "unknown")])
    }
    assert {name: stored.judged.role for name, stored in found.items()} == {
        "before": "counts", "after": "counts", "gone": "withdrawn", "unknown": "unknown",
    }  # fmt: skip
    for name in ("before", "after"):
        assert [(outcome.norm, outcome.stop, outcome.measured) for outcome in found[name].judged.outcomes] == [
            ("a", NINE, None), ("b", None, None),
        ]  # fmt: skip
        assert (found[name].links, found[name].answers) == ({}, set())
    assert found["after"].events == [(NINE, "urn:x", "1", "d", NINE, "opened", {"channel": "telephone"})]
    now = client.query("SELECT * EXCEPT (opened_at, at) FROM contributions_of(organisations = ['o']) ORDER BY ALL").result_rows
    assert len(before) == 4
    assert sorted(map(tuple, now)) == sorted(map(tuple, [*before, *before]))
    assert client.query("SELECT value FROM gauge_readings FINAL ORDER BY observed_at").result_rows == [(3.0,), (4.0,)]
