"""What a board user can see: the organisations that `readers` names for it, through the views, and nothing else, whatever it asks."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.assignment import Assignment
from pipeline.configured import Configured
from pipeline.decode import Record, decode
from pipeline.drift.incidents import Incident
from pipeline.drift.signal import Signal
from pipeline.drift.status import Watch
from pipeline.known import Known
from pipeline.rolling import Sums, minute_of
from pipeline.store import drift, drift_incidents, shown
from pipeline.store.client import VIEWS, Connection
from pipeline.store.facade import ClickHouseStore
from pipeline.store.migrate import migrate
from schemas import batch, yamlfile
from schemas.organisation import Organisation
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS
from tests.e2e import synthetic
from tests.e2e.running import records_of
from tests.engines import ClickHouseEngine, start_clickhouse

NOW = int(datetime.now(UTC).timestamp() * 1000)
OURS, THEIRS = "onze-stad", "hun-stad"
READERS = {OURS: "ours", THEIRS: "theirs"}
FORBIDDEN = {"person", "timeline", "writer"}
EMPTY = {
    "v_answer_blocks", "v_attainment", "v_breaks", "v_monthly", "v_norm_times", "v_priorities", "v_repeats", "v_response", "v_satisfaction",
    "v_satisfaction_by", "v_visits", "v_waves", "v_now_attainment", "v_now_blocks", "v_now_norm_times", "v_now_repeats", "v_now_response",
    "v_now_satisfaction", "v_now_satisfaction_by",
}  # fmt: skip
"""Views that these data leave empty, or may; test_satisfaction_readers.py and test_source_views.py look at them."""


@dataclass(frozen=True)
class View:
    """A view and the parameters it takes; `call` is how to read it, with the organisation asked for where it takes one."""

    name: str
    parameters: frozenset[str]

    @property
    def takes_organisation(self) -> bool:
        return "organisation" in self.parameters

    def call(self, organisation: str) -> str:
        values = {"organisation": f"'{organisation}'", "since": "now64(3) - toIntervalDay(60)", "at": "now64(3)", "by": "'product'"}
        arguments = ", ".join(f"{name} = {value}" for name, value in values.items() if name in self.parameters)
        return f"{self.name}({arguments})" if arguments else self.name


@dataclass(frozen=True)
class Database:
    """A server with the product's tables and the data of two organisations, each with a reader of its own."""

    engine: ClickHouseEngine
    owner: Client
    ours: Client
    theirs: Client

    def views(self) -> list[View]:
        sql = "SELECT name, create_table_query FROM system.tables WHERE database = 'contactmeter_views' ORDER BY name"
        return [View(name, frozenset(re.findall(r"{(\w+):", text))) for name, text in self.owner.query(sql).result_rows]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    passwords = {user: f"password-of-{user}" for user in READERS.values()}
    engine = start_clickhouse(tmp_path_factory.mktemp("clickhouse"), passwords)
    clients: list[Client] = []
    try:
        connection = Connection(engine.host, engine.http_port, engine.user, engine.password)
        migrate(connection)
        store = ClickHouseStore(connection, lambda _why: None)
        for name, reader in READERS.items():
            fill(store, name, reader)
            drift_of(connection, name)
            shown_of(connection, name)
        clients.append(connection.open())
        clients += [Connection(engine.host, engine.http_port, user, password).open(VIEWS) for user, password in passwords.items()]
        yield Database(engine, *clients)
    finally:
        for client in clients:
            client.close()
        engine.stop()


def fill(store: ClickHouseStore, name: str, reader: str) -> None:
    """Rows in every table: contacts, answers, gauges, heartbeats, a reject, a defect, rolling figures."""
    text = synthetic.organisation(name)
    organisation = yamlfile.loads(text, Organisation, name)
    store.register(organisation, text, 0, (reader,), NOW)
    events = synthetic.history(60, NOW, seed=9)
    events.append(synthetic.event("contact.opened", synthetic.PHONE, NOW, {"contact": "bad", "channel": "chat"}))
    events.append(synthetic.event("contact.opened", synthetic.PHONE, NOW, {"contact": "p", "channel": "telephone", "person": "ab" * 16}))
    events.append(synthetic.event("contact.queued", synthetic.PHONE, NOW - 1, {"contact": "p"}))
    configured = {name: Configured.of(organisation)}
    state = Assignment(1, {}, configured, {name: Sums(minute_of(NOW))}, Known.none(), Known.none())
    records = [
        Record(CONTACT_EVENTS, partition_of(name), offset, NOW, name.encode(), value, batch.headers(name))
        for offset, value in enumerate(records_of(events, 500))
    ]
    rows = state.apply([decode(record, configured) for record in records])
    rows.add("rolling", state.figures())
    store.write(rows.tables)


def drift_of(connection: Connection, name: str) -> None:
    """A signal, its incident, and how the watch over its stream stands."""
    found = Signal(name, f"s-{name}", 0, "found", "telephone", "wait", "wait", "time", 1, NOW, NOW - 1, 2.0, 1.5, 2.5, 60.0, 30.0, 400)
    incident = Incident(name, f"i-{name}", "open", ("telephone",), (found.id,), True, True, NOW, NOW, None, "langer", "longer")
    with closing(connection.open()) as client:
        drift.write_signals(client, [found], [("langer", "longer")], NOW)
        drift.write_watches(client, name, [Watch("telephone", "wait", "drifting", NOW, NOW, NOW, 0.25)], NOW)
        drift_incidents.write_incidents(client, [incident], NOW)


def shown_of(connection: Connection, name: str) -> None:
    """Figures kept for boards."""
    with closing(connection.open()) as client:
        shown.refresh_all(client, yamlfile.loads(synthetic.organisation(name), Organisation, name), NOW)


def test_every_view_shows_a_reader_its_own_organisation_only(database: Database) -> None:
    views = database.views()
    assert {view.name for view in views} >= {"v_rolling", "v_rolling_at", "v_quarter_sums", "v_quarter_outcomes", "v_outcomes_at"}
    for view in views:
        for client, own, other in ((database.ours, OURS, THEIRS), (database.theirs, THEIRS, OURS)):
            seen = {name for (name,) in client.query(f"SELECT organisation FROM {view.call(own)}").result_rows}
            assert seen == {own} or (not seen and view.name in EMPTY), view.name
            assert client.query(f"SELECT count() FROM {view.call(other)} WHERE organisation = '{other}'").result_rows == [(0,)], view.name


def test_no_view_tells_of_persons_timelines_or_writers(database: Database) -> None:
    for view in database.views():
        columns = set(database.ours.query(f"SELECT * FROM {view.call(OURS)} LIMIT 0").column_names)
        assert not columns & FORBIDDEN, view.name
        assert not columns & {"answer", "grades", "original"}, f"{view.name}: single answers and originals are nobody's to read"
    text = orjson.dumps([database.ours.query(f"SELECT * FROM {view.call(OURS)}").result_rows for view in database.views()], default=str)
    assert b"ab" * 16 not in text, "a person's hash"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT organisation FROM v_organisations WHERE organisation = '{THEIRS}' OR 1",
        "SELECT a.organisation FROM v_organisations a RIGHT JOIN v_rejects b ON 1 = 1",
        "SELECT b.organisation FROM v_organisations a CROSS JOIN v_counts b",
        "SELECT organisation FROM (SELECT * FROM v_counts UNION ALL SELECT * FROM v_counts)",
        f"SELECT organisation FROM v_defects WHERE organisation IN (SELECT '{THEIRS}' UNION ALL SELECT '{OURS}')",
        f"SELECT organisation FROM v_rolling_at(organisation = '{THEIRS}', at = now()) UNION ALL SELECT organisation FROM v_norms",
        "WITH 'theirs' AS user SELECT organisation FROM v_organisations",
        "SELECT organisation FROM v_days UNION ALL SELECT organisation FROM v_now_open UNION ALL SELECT organisation FROM v_shown",
        "SELECT b.organisation FROM v_status a CROSS JOIN v_days b",
        "SELECT organisation FROM v_gauges SETTINGS enable_optimize_predicate_expression = 0",
        "SELECT arrayJoin(groupUniqArray(organisation)) FROM v_last_event",
    ],
)
def test_hand_written_queries_see_no_more(database: Database, sql: str) -> None:
    assert {name for (name,) in database.ours.query(sql).result_rows} == {OURS}


def test_a_condition_is_never_tried_on_rows_of_others(database: Database) -> None:
    """A condition with a side effect (an error, a pause) would tell what stands in rows that the view hides."""
    for view in database.views():
        if view.takes_organisation:
            sql = f"SELECT count() FROM {view.call(THEIRS)} WHERE throwIf(organisation != '', 'leaked') = 0"
            assert database.ours.query(sql).result_rows == [(0,)], view.name
        else:
            sql = f"SELECT count() FROM {view.name} WHERE throwIf(organisation != '{OURS}', 'leaked') = 0"
            assert database.ours.query(sql).result_rows[0][0] > 0 or view.name in EMPTY, view.name


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM contactmeter.contacts",
        "SELECT timeline FROM contactmeter.contacts",
        "SELECT * FROM contactmeter.survey_answers",
        "SELECT * FROM contactmeter.contributions",
        "SELECT * FROM contactmeter.readers",
        "SELECT * FROM contactmeter.organisations",
        "SELECT * FROM contactmeter.rolling_last",
        "SELECT * FROM contactmeter.shown_open",
        "SELECT * FROM merge('contactmeter', '.*')",
        "SELECT * FROM system.processes",
        "SELECT * FROM system.users",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1', 'contactmeter.contacts')",
        "SELECT * FROM Python(x)",
        "INSERT INTO contactmeter.readers (user, organisation, version) VALUES ('ours', 'hun-stad', 1)",
        "CREATE VIEW contactmeter_views.mine AS SELECT 1",
        "ALTER TABLE contactmeter.contacts DELETE WHERE 1",
        "DROP VIEW contactmeter_views.v_rolling",
        "SYSTEM SHUTDOWN",
    ],
)
def test_everything_but_the_views_is_refused(database: Database, sql: str) -> None:
    with pytest.raises(DatabaseError, match=r"ACCESS_DENIED|READONLY|CANNOT_EXTRACT_TABLE_STRUCTURE|FUNCTION_NOT_ALLOWED"):
        database.ours.command(sql)


def test_system_tables_tell_nothing_of_other_databases(database: Database) -> None:
    found = {name for (name,) in database.ours.query("SELECT DISTINCT database FROM system.tables").result_rows}
    assert "contactmeter" not in found


def test_a_revoked_reader_sees_nothing_at_once(database: Database) -> None:
    def readers(revoked: bool, version: int) -> None:
        names = ["user", "organisation", "version", "revoked"]
        database.owner.insert("readers", [["theirs", THEIRS, NOW + version, revoked]], column_names=names)

    readers(True, 1)
    try:
        for view in database.views():
            assert database.theirs.query(f"SELECT count() FROM {view.call(THEIRS)}").result_rows == [(0,)], view.name
    finally:
        readers(False, 2)
    assert database.theirs.query("SELECT organisation FROM v_organisations").result_rows == [(THEIRS,)]


def test_every_view_runs_with_its_makers_rights_and_names_the_reader(database: Database) -> None:
    sql = "SELECT name, create_table_query FROM system.tables WHERE database = 'contactmeter_views'"
    for name, text in database.owner.query(sql).result_rows:
        assert re.search(r"SQL SECURITY DEFINER", text), name
        assert "authenticatedUser()" in text or "contactmeter_views.v_outcomes_at" in text, name
