"""Three municipalities on one real server, and the users of boards that may read one, two or none of them."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.client import Client

from pipeline.store import readers, shown
from pipeline.store.client import VIEWS, Connection
from pipeline.store.configuration import in_force
from pipeline.store.facade import ClickHouseStore
from pipeline.store.migrate import migrate
from tests.engines import ClickHouseEngine, start_clickhouse
from tests.pipeline.test_views_security import NOW, View, drift_of, fill

OURS, NEIGHBOUR, STRANGER = "onze-stad", "buurgemeente", "verre-stad"
CENTRE = {OURS, NEIGHBOUR}
SECRET = "geheime opmerking"


@dataclass(frozen=True)
class Database:
    """Three municipalities. `ours` may read one, `centre` two of them, `nobody` none; `board`, of CONTACTMETER_BOARD_USERS, every one."""

    engine: ClickHouseEngine
    connection: Connection
    owner: Client
    ours: Client
    centre: Client
    nobody: Client

    def views(self) -> list[View]:
        sql = """SELECT name, extractAll(create_table_query, '{(\\\\w+):') FROM system.tables
                 WHERE database = 'contactmeter_views' ORDER BY name"""
        return [View(name, frozenset(parameters)) for name, parameters in self.owner.query(sql).result_rows]


@contextmanager
def municipalities(directory: Path) -> Iterator[Database]:
    """A server of its own in `directory`, with something in every table for each municipality; stopped at the end."""
    passwords = {user: f"password-of-{user}" for user in ("ours", "centre", "nobody")}
    with ExitStack() as stack:
        engine = start_clickhouse(directory, passwords)
        stack.callback(engine.stop)
        connection = Connection(engine.host, engine.http_port, engine.user, engine.password)
        migrate(connection)
        owner = stack.enter_context(closing(connection.open()))
        store = ClickHouseStore(connection, lambda _why: None)
        for name in (OURS, NEIGHBOUR, STRANGER):
            fill(store, name, "board")
            drift_of(connection, name)
            row = [name, f"a-{name}", datetime.now(UTC), f"{SECRET} van {name}"]
            owner.insert("comments", [row], column_names=["organisation", "answer", "answered_at", "comment"])
            shown.refresh_all(owner, in_force(owner)[name].organisation, NOW)
        readers.grant(owner, "ours", [OURS], NOW)
        readers.grant(owner, "centre", sorted(CENTRE), NOW)
        clients = {
            user: stack.enter_context(closing(Connection(engine.host, engine.http_port, user, password).open(VIEWS)))
            for user, password in passwords.items()
        }
        yield Database(engine, connection, owner, **clients)
