"""RowBinary as a real server writes it."""

import pytest

from pipeline.store.client import Connection
from pipeline.store.rowbinary import Reader
from tests.engines import ClickHouseEngine

EDGES = [0, 1, -1, 2**31, -(2**63), 2**63 - 1]
WIDE = [2**63, -(2**63) - 1, 2**64, 2**126, -(2**126)]


@pytest.fixture(scope="module")
def connection(clickhouse: ClickHouseEngine) -> Connection:
    return Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)


def test_strings_and_arrays_of_integers_are_read(connection: Connection) -> None:
    text = "é" * 200  # a length of two bytes
    client = connection.open(database="default")
    narrow, wide = (f"arrayMap(x -> toInt128(x), {[str(value) for value in values]})" for values in (EDGES, EDGES + WIDE))
    sql = (
        f"SELECT toLowCardinality('{text}'), '', range(300)::Array(Int64), []::Array(Int64), {narrow}, {wide} "
        "FROM numbers(2) FORMAT RowBinary"
    )
    read = Reader(client.raw_query(sql))
    client.close()
    for _ in range(2):
        assert read
        assert (read.string(), read.string()) == (text, "")
        assert (read.int64s().tolist(), read.int64s().tolist()) == (list(range(300)), [])
        for name, values in (("int64", EDGES), ("object", EDGES + WIDE)):
            found = read.int128s()
            assert (found.dtype.name, found.tolist()) == (name, values)
    assert not read
