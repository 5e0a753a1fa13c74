"""The embedded ClickHouse server: users, views with a definer, durability. Every view of the product depends on the second."""

from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from deploy.local.clickhouse import ClickHouse
from deploy.local.errors import ClickHouseError
from tests.engines import ClickHouseEngine, start_clickhouse

READERS = "organisation IN (SELECT organisation FROM contactmeter.probe_readers WHERE user = authenticatedUser())"


def connect(engine: ClickHouseEngine, user: str, password: str) -> Client:
    return clickhouse_connect.get_client(host=engine.host, port=engine.http_port, username=user, password=password)


@pytest.fixture(scope="module")
def app(clickhouse: ClickHouseEngine) -> Iterator[Client]:
    client = connect(clickhouse, clickhouse.user, clickhouse.password)
    for statement in (
        "CREATE DATABASE IF NOT EXISTS contactmeter",
        "CREATE DATABASE IF NOT EXISTS contactmeter_views",
        (
            "CREATE TABLE contactmeter.probe (organisation String, at DateTime64(3, 'UTC'), n Int64)"
            " ENGINE = ReplacingMergeTree ORDER BY (organisation, at)"
        ),
        "CREATE TABLE contactmeter.probe_readers (user String, organisation String) ENGINE = MergeTree ORDER BY user",
        "INSERT INTO contactmeter.probe_readers VALUES ('board', 'leiden'), ('other', 'utrecht')",
        (
            "INSERT INTO contactmeter.probe VALUES"
            " ('leiden', '2026-01-01 00:00:00', 1), ('leiden', '2026-01-02 00:00:00', 2), ('utrecht', '2026-01-01 00:00:00', 4)"
        ),
        (
            "CREATE VIEW contactmeter_views.v_probe DEFINER = app SQL SECURITY DEFINER AS"
            f" SELECT *, authenticatedUser() AS reader FROM contactmeter.probe FINAL WHERE {READERS}"
        ),
        (
            "CREATE VIEW contactmeter_views.v_probe_at DEFINER = app SQL SECURITY DEFINER AS"
            f" SELECT * FROM contactmeter.probe FINAL WHERE {READERS} AND at < {{at:DateTime64(3, 'UTC')}}"
        ),
    ):
        client.command(statement)
    yield client
    for view in ("v_probe", "v_probe_at"):
        client.command(f"DROP VIEW contactmeter_views.{view}")
    for table in ("probe", "probe_readers"):
        client.command(f"DROP TABLE contactmeter.{table}")
    client.close()


@pytest.fixture(scope="module")
def board(app: Client, clickhouse: ClickHouseEngine) -> Iterator[Client]:
    client = connect(clickhouse, clickhouse.board_user, clickhouse.board_password)
    yield client
    client.close()


def test_a_board_user_reads_its_own_organisations_through_the_view(board: Client) -> None:
    assert board.query("SELECT organisation, n, reader FROM contactmeter_views.v_probe ORDER BY n").result_rows == [
        ("leiden", 1, "board"),
        ("leiden", 2, "board"),
    ]


def test_a_parameterised_view_filters_by_reader_too(board: Client) -> None:
    sql = "SELECT n FROM contactmeter_views.v_probe_at(at = {at:DateTime64(3, 'UTC')}) ORDER BY n"
    assert board.query(sql, parameters={"at": "2026-01-01 12:00:00"}).result_rows == [(1,)]
    assert board.query(sql, parameters={"at": "2026-02-01 00:00:00"}).result_rows == [(1,), (2,)]


def test_the_product_itself_sees_nothing_through_a_view_it_is_no_reader_of(app: Client) -> None:
    assert app.query("SELECT * FROM contactmeter_views.v_probe").result_rows == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM contactmeter.probe",
        "SELECT * FROM contactmeter.probe_readers",
        "SELECT * FROM system.processes",
        "INSERT INTO contactmeter.probe VALUES ('leiden', now(), 9)",
        "DROP VIEW contactmeter_views.v_probe",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1/', 'CSV', 'a String')",
        "CREATE TEMPORARY TABLE a (b Int8)",
        "SYSTEM STOP LISTEN HTTP",
    ],
)
def test_a_board_user_may_nothing_else(board: Client, sql: str) -> None:
    with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
        board.command(sql)


def test_a_board_user_sees_no_base_table(board: Client) -> None:
    names = board.query("SELECT database, name FROM system.tables WHERE database LIKE 'contactmeter%'").result_rows
    assert {database for database, _ in names} == {"contactmeter_views"}


def test_a_board_user_cannot_lift_its_limits(board: Client) -> None:
    with pytest.raises(DatabaseError, match="max_execution_time shouldn't be greater than 30"):
        board.query("SELECT 1", settings={"max_execution_time": 60})
    assert board.query("SELECT 1", settings={"max_execution_time": 10}).result_rows == [(1,)]
    with pytest.raises(DatabaseError, match="READONLY"):
        board.query("SELECT 1 SETTINGS readonly = 0")


@pytest.mark.parametrize("who", ["app", "board"])
def test_the_python_table_function_is_off_for_good(who: str, app: Client, board: Client) -> None:
    client = {"app": app, "board": board}[who]
    with pytest.raises(DatabaseError, match="allow_python_table_function"):
        client.query("SELECT * FROM Python(x)")
    with pytest.raises(DatabaseError, match="allow_python_table_function"):
        client.query("SELECT * FROM Python(x) SETTINGS allow_python_table_function = 1")
    assert client.query("SELECT 1").result_rows == [(1,)]


def test_the_product_user_has_its_databases_and_no_files(app: Client) -> None:
    assert app.query("SELECT timezone(), currentUser()").result_rows == [("UTC", "app")]
    for sql in (
        "CREATE DATABASE elsewhere",
        "CREATE TABLE default.a (b Int8) ENGINE = Memory",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    ):
        with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
            app.command(sql)


def test_a_wrong_password_is_refused(clickhouse: ClickHouseEngine) -> None:
    with pytest.raises(DatabaseError, match="AUTHENTICATION_FAILED"):
        connect(clickhouse, "app", "guess")


def test_acknowledged_rows_survive_kill_9_and_other_board_users_come_at_a_restart(tmp_path: Path) -> None:
    engine = start_clickhouse(tmp_path, boards={"second": "second-password"})
    try:
        client = connect(engine, engine.user, engine.password)
        client.command("CREATE DATABASE contactmeter")
        client.command("CREATE TABLE contactmeter.kept (n UInt64) ENGINE = MergeTree ORDER BY n")
        for start in range(0, 5000, 1000):
            client.insert("kept", [[number] for number in range(start, start + 1000)], database="contactmeter")
        engine.kill()
        engine.restart()
        assert client.query("SELECT count(), sum(n) FROM contactmeter.kept").result_rows == [(5000, 12_497_500)]
        assert connect(engine, "second", "second-password").query("SELECT 1").result_rows == [(1,)]
        client.close()
    finally:
        engine.stop()


def test_stops_in_good_order(tmp_path: Path) -> None:
    engine = start_clickhouse(tmp_path)
    engine.stop()
    assert "could not stop" not in engine.log.read_text()


@pytest.mark.parametrize(
    ("name", "password", "message"), [("app", "x", "taken"), ("Board", "x", "lower-case"), ("a'b", "x", "lower-case"), ("b", "", "empty")]
)
def test_a_board_user_that_cannot_be_one_is_refused(tmp_path: Path, name: str, password: str, message: str) -> None:
    with pytest.raises(ClickHouseError, match=message):
        ClickHouse(tmp_path, 1, 2, "secret", {name: password})
