"""Retention on the real server: set once, changed when it differs, and what is due goes while the rest stays."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.retention import Period, Retention
from pipeline.store import retention
from pipeline.store.client import Connection
from pipeline.store.migrate import migrate
from tests.engines import ClickHouseEngine, start_clickhouse

YEARS = Period.parse("10 years")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server of its own: the tables of the other tests hold contacts of years ago."""
    server: ClickHouseEngine = start_clickhouse(tmp_path_factory.mktemp("clickhouse-retention"))
    try:
        connection = Connection(server.host, server.http_port, server.user, server.password)
        migrate(connection)
        opened = connection.open()
        yield opened
        opened.close()
    finally:
        server.stop()


def apply(client: Client, wanted: Retention) -> list[str]:
    """Change what differs; what was changed."""
    changed = [kept for kept in retention.kept(client, wanted) if kept.differs]
    for kept in changed:
        retention.keep(client, kept)
    return [kept.what for kept in changed]


def test_every_rule_is_set_once_and_recognised(client: Client) -> None:
    apply(client, Retention())
    assert apply(client, Retention()) == []
    assert {kept.what: kept.now for kept in retention.kept(client, Retention())}["contacts"] == "25 months"
    longer = Retention(contacts=Period.parse("3 years"), figures=Period(0))
    assert [str(kept) for kept in retention.kept(client, longer) if kept.differs] == [
        "contacts: kept 25 months, CONTACTMETER_KEEP_CONTACTS says 36 months",
        "rolling: kept 100 days, CONTACTMETER_KEEP_FIGURES says forever",
        "signals: kept 25 months, CONTACTMETER_KEEP_CONTACTS says 36 months",
        "incidents: kept 25 months, CONTACTMETER_KEEP_CONTACTS says 36 months",
    ]
    changed = ["contacts", "incidents", "rolling", "signals"]
    assert sorted(apply(client, longer)) == changed
    assert apply(client, longer) == []
    assert sorted(apply(client, Retention())) == changed


def test_every_table_that_grows_has_a_rule(client: Client) -> None:
    sql = "SELECT name FROM system.tables WHERE database = 'contactmeter' AND engine LIKE '%MergeTree'"
    tables = {name for (name,) in client.query(sql).result_rows}
    for_ever = {"audit", "backups", "tombstones", "brakes", "reject_decisions", "rolling_last"}
    configuration = {"migrations", "organisations", "channels", "norms", "instruments", "offsets", "readers"}
    ruled = {rule.table for rule in retention.RULES}
    assert tables & ruled >= {"contacts", "survey_answers", "notices", "rejects", "rolling", "gauge_readings", "heartbeats"}
    assert not (for_ever | configuration) & ruled


def test_what_is_due_goes_and_the_rest_stays(client: Client) -> None:
    apply(client, Retention(contacts=YEARS))
    insert = "INSERT INTO contacts (organisation, system, contact, version, role, timeline, last_at, appended_at) VALUES"
    for contact, role, happened, sent in (
        ("old", "counts", 800, 799),
        ("new", "counts", 10, 10),
        ("history", "counts", 800, 10),
        ("forgotten", "forgotten", 800, 800),
    ):
        moments = f"now64(3) - INTERVAL {happened} DAY, now64(3) - INTERVAL {sent} DAY"
        client.command(f"{insert} ('retention', 's', '{contact}', 1, '{role}', '[]', {moments})")
    (contacts,) = (kept for kept in retention.kept(client, Retention()) if kept.what == "contacts")
    assert contacts.deletes == "1 rows"
    apply(client, Retention())
    client.command("OPTIMIZE TABLE contacts FINAL")
    left = {name for (name,) in client.query("SELECT contact FROM contacts WHERE organisation = 'retention'").result_rows}
    assert left == {"new", "history", "forgotten"}
