"""What boards read, on a real ClickHouse as a board's user."""

from collections.abc import Iterator

import pytest

from pipeline.store.boards_reading import LONGEST_S, MOST_ROWS, BoardReader, Column, Refused, kind_of
from pipeline.store.client import Connection, Unavailable
from pipeline.store.migrate import migrate
from tests.engines import ClickHouseEngine


@pytest.fixture
def reader(clickhouse: ClickHouseEngine) -> Iterator[BoardReader]:
    migrate(Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password))
    found = BoardReader(Connection(clickhouse.host, clickhouse.http_port, clickhouse.board_user, clickhouse.board_password))
    yield found
    found.close()


def test_columns_are_what_a_page_can_draw(reader: BoardReader) -> None:
    sql = """SELECT toDateTime64('2026-03-02 08:00:00.250', 3, 'Europe/Amsterdam') AS t, toDate('2026-03-02') AS d,
        toNullable(1.5) AS f, nan AS nothing, toDecimal64(2.5, 2) AS m, true AS b, NULL::Nullable(DateTime) AS none,
        toLowCardinality('x') AS s, [1, 2] AS a, 7 AS i"""
    assert reader.ask(sql) == [
        Column("t", "time", [1772434800250]),
        Column("d", "time", [1772409600000]),
        Column("f", "number", [1.5]),
        Column("nothing", "number", [None]),
        Column("m", "number", [2.5]),
        Column("b", "boolean", [True]),
        Column("none", "time", [None]),
        Column("s", "string", ["x"]),
        Column("a", "string", ["[1, 2]"]),
        Column("i", "number", [7]),
    ]


def test_kinds_look_through_wrappers() -> None:
    assert kind_of("LowCardinality(Nullable(String))") == "string"
    assert kind_of("Nullable(DateTime64(3, 'UTC'))") == "time"
    assert kind_of("UInt8") == "number"


def test_it_reads_the_views_and_nothing_else(reader: BoardReader) -> None:
    assert isinstance(reader.ask("SELECT organisation FROM v_organisations"), list)
    with pytest.raises(Refused, match="privileges"):
        reader.ask("SELECT * FROM contactmeter.contacts")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT nothing_of_the_kind", "nothing_of_the_kind"),
        ("SELEC 1", "Syntax error"),
        (f"SELECT number FROM numbers({MOST_ROWS * 20})", "choose a shorter time"),
        ("INSERT INTO v_organisations SELECT 1", "privileges|read"),
    ],
)
def test_what_is_wrong_or_too_much_is_refused_in_words(reader: BoardReader, sql: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as error:
        reader.ask(sql)
    assert "http://" not in str(error.value)
    assert reader.ask("SELECT 1 AS one") == [Column("one", "number", [1])], "the next question is answered"


def test_a_server_that_is_away_is_unavailable(clickhouse: ClickHouseEngine) -> None:
    away = BoardReader(Connection(clickhouse.host, 1, clickhouse.board_user, clickhouse.board_password))
    with pytest.raises(Unavailable):
        away.ask("SELECT 1")


def test_limits_lie_within_what_a_board_user_may_set() -> None:
    assert 1 <= LONGEST_S <= 30
    assert MOST_ROWS <= 1_000_000
