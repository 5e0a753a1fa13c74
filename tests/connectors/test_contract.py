"""What every connector must keep to; a new connector adds a case here and inherits the tests."""

import gzip
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors import runner
from connectors.cursors import MemoryCursors
from connectors.mapped_file.connector import MappedFile
from connectors.protocol import Batch, Connector, Finished, Retry, WireEvent
from connectors.registry import NAMES, connector_class
from connectors.simulator.connector import Simulator
from connectors.simulator.state import Simulation
from schemas import batch
from schemas.types import parse_instant
from tests.connectors.collected import Collected, Killed, MortalCursors
from tests.connectors.mapped import HEADER, csv_file, mapping, rows


@dataclass(frozen=True)
class Case:
    """`make` gives a new connector on the same source each time; `reordered` one whose source has another order, where it has one."""

    make: Callable[[], Connector]
    reordered: Callable[[], Connector] | None = None


def csv_case(directory: Path) -> Case:
    shuffled = random.Random(7).sample(rows(100), 100)
    given, other = csv_file(directory / "a.csv", rows(100)), csv_file(directory / "b.csv", shuffled)
    return Case(lambda: MappedFile(given, mapping(), rows_a_batch=13), lambda: MappedFile(other, mapping(), rows_a_batch=13))


def json_case(directory: Path) -> Case:
    lines = [orjson.dumps(dict(zip(HEADER.split(","), row.split(","), strict=True))) for row in rows(60)]
    given, other = directory / "a.jsonl.gz", directory / "b.jsonl"
    given.write_bytes(gzip.compress(b"\n".join(lines)))
    other.write_bytes(b"\n".join(reversed(lines)))
    return Case(lambda: MappedFile(given, mapping(), rows_a_batch=13), lambda: MappedFile(other, mapping(), rows_a_batch=13))


def simulator_case(_directory: Path) -> Case:
    simulation = Simulation(parse_instant("2026-05-13T11:00:00+02:00"), seed=3, weeks=2)
    return Case(lambda: Simulator(simulation, history_only=True))


CASES = {"mapped-file csv": csv_case, "mapped-file json lines": json_case, "simulator": simulator_case}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    made: Case = CASES[request.param](tmp_path_factory.mktemp("case"))
    return made


def batches(connector: Connector, cursor: str | None = None) -> list[Batch]:
    """Everything after a cursor."""
    connector.resume(cursor)
    found = []
    try:
        while True:
            found.append(connector.poll())
    except (Finished, Retry):
        connector.close()
        return found


def events(found: list[Batch]) -> list[WireEvent]:
    return [event for one in found for event in one.events]


def contents(given: list[WireEvent]) -> set[bytes]:
    return {orjson.dumps(event, option=orjson.OPT_SORT_KEYS) for event in given}


def test_every_registered_connector_has_a_case() -> None:
    assert {name.split(" ")[0] for name in CASES} == set(NAMES)


def test_it_is_what_the_registry_names(case: Case) -> None:
    connector = case.make()
    assert isinstance(connector, connector_class(connector.name))
    connector.close()


def test_every_event_is_valid(case: Case) -> None:
    found = batches(case.make())
    assert len(found) >= 3, "the tests below need several batches"
    for one in found:
        for value, _ in batch.encode(one.events):
            decoded = batch.decode(value, one.organisation.encode(), batch.headers(one.organisation))
            assert decoded.errors == []


def test_reading_again_gives_the_same(case: Case) -> None:
    assert batches(case.make()) == batches(case.make())


def test_another_order_gives_the_same_set(case: Case) -> None:
    if case.reordered is not None:
        assert contents(events(batches(case.reordered()))) == contents(events(batches(case.make())))


def test_it_resumes_after_the_last_delivered(case: Case) -> None:
    found = batches(case.make())
    for done, one in enumerate(found, start=1):
        assert events(batches(case.make(), one.cursor)) == events(found[done:])


def test_cursors_move_and_never_return(case: Case) -> None:
    cursors = [one.cursor for one in batches(case.make())]
    assert len(set(cursors)) == len(cursors)


def test_it_may_be_closed_at_any_moment(case: Case) -> None:
    case.make().close()
    connector = case.make()
    connector.resume(None)
    connector.poll()
    connector.close()
    connector.close()


def test_killed_before_each_cursor_loses_nothing(case: Case) -> None:
    everything = events(batches(case.make()))
    cursors, sender, kills = MortalCursors(lives=0), Collected(), 0
    while True:
        connector = case.make()
        try:
            runner.run(connector, sender, cursors, stop=threading.Event())
        except Killed:
            kills += 1
            cursors.lives = 1  # The next life stores one cursor and is killed at the second.
        else:
            break
    assert kills >= 2
    assert contents(sender.events()) == contents(everything)


def test_heartbeats(case: Case) -> None:
    sender, now = Collected(), 1_778_662_800.0

    def clock() -> float:
        nonlocal now
        now += 11
        return now

    connector = case.make()
    runner.run(connector, sender, MemoryCursors(), stop=threading.Event(), clock=clock)
    beats: list[dict[str, Any]] = sender.heartbeats()
    times = [parse_instant(beat["data"]["occurred_at"]) for beat in beats]
    assert all(later - earlier >= 30_000 for earlier, later in pairwise(times[:-1])), "but for the last one"
    assert {(beat["source"], beat["data"]["connector"]) for beat in beats} == {(connector.source, connector.name)}
    for value, _ in batch.encode(beats):
        assert batch.decode(value, b"x", batch.headers("x")).errors == []
