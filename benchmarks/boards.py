"""What boards and alerts ask of ClickHouse with five million contacts stored: each question as a board user asks it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import boards_world
from benchmarks.results import Result
from dashboards.alerts.rules import RULES
from dashboards.reading.answering import Asked
from dashboards.reading.boards import boards
from dashboards.reading.times import span_of
from pipeline.store import shown
from pipeline.store.client import VIEWS, Client, Connection
from pipeline.store.facade import ClickHouseStore
from pipeline.store.migrate import migrate
from schemas.organisation import Organisation
from tests.engines import start_clickhouse

ASKED = 3
POINTS = 1_000
LIMIT_MS = 300.0
OF = "metropool"
"""The organisation that is asked about: the largest."""
SLOWEST = 5


def run(contacts: int) -> list[Result]:
    """Fill a server, let it show its figures as a worker would, and ask every question of every board and every alert."""
    with TemporaryDirectory() as directory:
        engine = start_clickhouse(Path(directory))
        try:
            owner = Connection(engine.host, engine.http_port, engine.user, engine.password)
            board = Connection(engine.host, engine.http_port, engine.board_user, engine.board_password)
            migrate(owner)
            store = ClickHouseStore(owner, lambda _why: None)
            with closing(owner.open()) as client, closing(board.open(VIEWS)) as reader:
                made = boards_world.fill(client, store, contacts, (engine.board_user, engine.user))
                refreshed = {(name, part): _refreshed(client, made[name], part) for name in made for part in shown.PARTS}
                asked = {name: [1_000 * _seconds(partial(reader.query, sql)) for _ in range(ASKED)] for name, sql in questions(reader)}
        finally:
            engine.stop()
    return _results(contacts, asked, refreshed)


def questions(reader: Client) -> Iterator[tuple[str, str]]:
    """Every question of the Dutch boards and of the alerts, as SQL; variables are what a board first shows."""
    for board in boards("nl").values():
        chosen: dict[str, str] = {"organisation": OF}
        asked = Asked(span_of(board.begin, board.end, time.time_ns() // 1_000_000, board.zone), POINTS, chosen)
        for variable in board.variables:
            if variable.sql and variable.name not in chosen:
                sql = asked.sql(variable.sql)
                yield f"{board.name}: ${variable.name}", sql
                rows = reader.query(sql).result_rows
                chosen[variable.name] = str(rows[0][0]) if rows else ""
        yield from ((f"{board.name}: {mark.name}", asked.sql(mark.query.text)) for mark in board.marks)
        for panel in board.panels:
            yield from ((f"{board.name}: {panel.title}", asked.sql(query.text)) for query in panel.queries if query.kind == "clickhouse")
    for rule in RULES:
        yield f"alert: {rule.id}", rule.sql


def _refreshed(client: Client, organisation: Organisation, part: str) -> float:
    return _seconds(lambda: shown.refresh(client, organisation, shown.PARTS[part], time.time_ns() // 1_000_000))


def _seconds(action: Callable[[], object]) -> float:
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def _results(contacts: int, asked: dict[str, list[float]], refreshed: dict[tuple[str, str], float]) -> list[Result]:
    slowest = sorted(asked, key=lambda name: median(asked[name]), reverse=True)
    largest = {part: seconds for (name, part), seconds in refreshed.items() if name == OF}
    told = "; ".join(f"{name} {median(asked[name]):.0f}" for name in slowest[:SLOWEST])
    parts = "; ".join(f"{part} {seconds:.1f}" for part, seconds in sorted(largest.items(), key=lambda one: -one[1]))
    own = int(contacts * boards_world.SHARES[OF])
    return [
        Result(
            f"boards: slowest of {len(asked)} questions, {contacts:,} contacts stored", tuple(asked[slowest[0]]), "ms", LIMIT_MS,
            better="lower", note=f"{own:,} of them of the organisation that is asked about; the slowest, ms: {told}",
        ),
        Result("boards: a question", tuple(median(runs) for runs in asked.values()), "ms", better="lower"),
        Result("boards: every shown figure of it anew", (sum(largest.values()),), "s", better="lower", note=f"seconds: {parts}"),
    ]  # fmt: skip
