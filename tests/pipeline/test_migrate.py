"""Migrations on a real server: twice, cut off anywhere, and held against what the worker writes."""

import re
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.rows import COLUMNS
from pipeline.store.client import DATABASE, VIEWS, Connection
from pipeline.store.migrate import migrate, migrations, repeatable
from tests.engines import start_clickhouse


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A server of this module's own, without the product's databases."""
    engine = start_clickhouse(tmp_path_factory.mktemp("clickhouse"))
    try:
        yield Connection(engine.host, engine.http_port, engine.user, engine.password)
    finally:
        engine.stop()


@pytest.fixture
def client(connection: Connection) -> Iterator[Client]:
    opened = connection.open("default")
    for database in (VIEWS, DATABASE):
        opened.command(f"DROP DATABASE IF EXISTS {database} SYNC")
    yield opened
    opened.close()


def objects(client: Client) -> list[tuple[str, str, str]]:
    sql = f"SELECT database, name, create_table_query FROM system.tables WHERE database IN ('{DATABASE}', '{VIEWS}') ORDER BY 1, 2"
    return [(database, name, text) for database, name, text in client.query(sql).result_rows]


def test_a_second_run_changes_nothing(connection: Connection, client: Client) -> None:
    names = [migration.name for migration in migrations()]
    assert migrate(connection) == names
    made = objects(client)
    assert migrate(connection) == []
    assert objects(client) == made


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.95])
def test_cut_off_half_way_it_starts_over(connection: Connection, client: Client, part: float) -> None:
    migrate(connection)
    whole = objects(client)
    for database in (VIEWS, DATABASE):
        client.command(f"DROP DATABASE {database} SYNC")
    for database in (DATABASE, VIEWS):
        client.command(f"CREATE DATABASE {database}")
    statements = [statement for migration in migrations() for statement in migration.statements]
    inside = connection.open()
    for statement in statements[: int(part * len(statements))]:
        inside.command(repeatable(statement))
    inside.close()
    assert migrate(connection) == [migration.name for migration in migrations()]
    assert objects(client) == whole


def test_every_statement_can_be_run_again() -> None:
    for migration in migrations():
        for statement in migration.statements:
            again = repeatable(statement)
            assert re.match(r"CREATE OR REPLACE VIEW|.*IF NOT EXISTS", again) or not statement.startswith("CREATE"), statement[:80]


@pytest.mark.parametrize("table", COLUMNS)
def test_the_columns_that_the_worker_writes_exist(connection: Connection, client: Client, table: str) -> None:
    """And every other column has a default, or a row would lack it."""
    migrate(connection)
    sql = f"SELECT name, default_kind FROM system.columns WHERE database = '{DATABASE}' AND table = '{table}' ORDER BY position"
    found = {name: kind for name, kind in client.query(sql).result_rows}  # noqa: C416 (mypy sees no pairs)
    assert set(COLUMNS[table]) <= set(found)
    assert {name for name, kind in found.items() if not kind} <= set(COLUMNS[table])
