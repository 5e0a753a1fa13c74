"""The simulated town in a real ClickHouse, stored as a worker stores it, without Kafka in between: for what boards and alerts read."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from connectors.protocol import Finished, WireEvent
from connectors.simulator.connector import Simulator
from connectors.simulator.state import Simulation
from connectors.simulator.town import MINUTE_MS, ORGANISATION_FILE
from pipeline.assignment import Assignment
from pipeline.configured import Configured
from pipeline.decode import Record, decode
from pipeline.drift.incidents import incidents
from pipeline.drift.look import look
from pipeline.drift.words import sentence
from pipeline.known import Known
from pipeline.looking import rules_of
from pipeline.rolling import Sums, minute_of
from pipeline.store.client import VIEWS, Client, Connection
from pipeline.store.drift_looks import DriftStore
from pipeline.store.facade import ClickHouseStore
from pipeline.store.migrate import migrate
from schemas import batch, yamlfile
from schemas.organisation import Organisation
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS
from tests.e2e.running import records_of
from tests.engines import ClickHouseEngine, start_clickhouse

TOWN = "simulatiestad"


class Town:
    """One organisation in a ClickHouse. `owner` may do everything, `board` is the connection of a board user. Times are epoch ms."""

    def __init__(self, engine: ClickHouseEngine, now_ms: int, file: str = "") -> None:
        text = file or ORGANISATION_FILE.read_text(encoding="utf-8")
        self.engine = engine
        self.owner = Connection(engine.host, engine.http_port, engine.user, engine.password)
        self.board = Connection(engine.host, engine.http_port, engine.board_user, engine.board_password)
        self.organisation = yamlfile.loads(text, Organisation, TOWN)
        self.name = self.organisation.organisation
        self.store = ClickHouseStore(self.owner, lambda _why: None)
        self.drift = DriftStore(self.owner)
        self.store.register(self.organisation, text, 0, (engine.board_user, engine.user), now_ms)
        configured = {self.name: Configured.of(self.organisation)}
        self._configured = configured
        self._state = Assignment(1, {}, configured, {self.name: Sums(minute_of(now_ms))}, Known.none(), Known.none())
        self._offset = 0

    def take(self, events: Sequence[WireEvent], appended_ms: int) -> None:
        """Store what the worker stores of events that the log took in at a moment, and its figures as of then."""
        for begin in range(0, len(events), 20_000):
            values = records_of(events[begin : begin + 20_000], 500)
            records = [
                Record(
                    CONTACT_EVENTS,
                    partition_of(self.name),
                    self._offset + place,
                    appended_ms,
                    self.name.encode(),
                    value,
                    batch.headers(self.name),
                )
                for place, value in enumerate(values)
            ]
            self._offset += len(values)
            self.store.write(self._state.apply([decode(record, self._configured) for record in records]).tables)
        self.figures(appended_ms)

    def figures(self, now_ms: int) -> None:
        """Let the worker's clock go on, and store its figures of then."""
        self._state.advance(minute_of(now_ms))
        self.store.write({"rolling": self._state.figures()})

    def look(self, now_ms: int) -> None:
        """Look for drift as the worker does, and derive incidents."""
        known = self.drift.known(self.organisation, now_ms)
        if known is not None:
            found = look(self.organisation, known, now_ms)
            texts = [
                (sentence(one, self.organisation, "nl", now_ms), sentence(one, self.organisation, "en", now_ms)) for one in found.states
            ]
            self.drift.write_signals(found.states, texts, now_ms)
            self.drift.write_standing(self.name, found.checkpoints, found.watches, now_ms)
        signals, events, before = self.drift.incident_inputs(self.name, now_ms)
        derived = incidents(self.name, signals, events, rules_of(self.organisation, now_ms), now_ms, before)
        self.drift.write_incidents([one for one in derived if one not in before], now_ms)

    @contextmanager
    def reader(self) -> Iterator[Client]:
        """A client of the board user in the database of views."""
        with closing(self.board.open(VIEWS)) as client:
            yield client


@contextmanager
def town(directory: Path, now_ms: int | None = None, file: str = "") -> Iterator[Town]:
    """A server of its own with an empty town; it ends afterwards, whatever happens. file: its configuration, else that of the simulator."""
    engine = start_clickhouse(directory)
    try:
        migrate(Connection(engine.host, engine.http_port, engine.user, engine.password))
        yield Town(engine, now_ms or minute(), file)
    finally:
        engine.stop()


def minute() -> int:
    """The minute that is now, epoch ms."""
    return time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS


def history(simulation: Simulation) -> list[WireEvent]:
    """All events of a simulation's history."""
    simulator, events = Simulator(simulation, history_only=True), list[WireEvent]()
    simulator.resume(None)
    while True:
        try:
            events += simulator.poll().events
        except Finished:
            return events
