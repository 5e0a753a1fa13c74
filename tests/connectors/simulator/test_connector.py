"""The simulator as a connector: history, then the live stream; a restart goes on where it was; through the command to a real Kafka."""

import json
import threading
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner

from connectors import runner
from connectors.cursors import KafkaCursors, MemoryCursors
from connectors.protocol import Batch, Connector, Finished, Refused, Retry, WireEvent
from connectors.registry import connector_class
from connectors.simulator.connector import BATCH_EVENTS, Simulator
from connectors.simulator.events import Released
from connectors.simulator.state import TRUTH_FILE, Simulation, read_simulation
from connectors.simulator.town import organisation
from pipeline.cli import simulate
from schemas import batch
from schemas.partitions import partition_of
from schemas.topics import CONNECTOR_CURSORS, CONTACT_EVENTS
from tests.connectors.simulator.conftest import ANCHOR
from tests.connectors.topics import create_topic, read_topic
from tests.engines import KafkaEngine

SLUG = "simulatiestad"


class Clock:
    """Epoch seconds that a test moves."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def __call__(self) -> float:
        return self.at_ms / 1000


class Collected:
    """A delivery that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[WireEvent] = []

    def send(self, organisation: str, events: Sequence[WireEvent]) -> None:
        assert organisation == SLUG
        self.events += events

    def flush(self) -> None:
        pass

    def ids(self) -> list[str]:
        return [event["id"] for event in self.events if not event["type"].endswith("connector.observed")]


def drain(simulator: Simulator) -> list[Batch]:
    """Every batch that there is now."""
    found = []
    try:
        while True:
            found.append(simulator.poll())
    except (Retry, Finished):
        return found


def test_it_is_a_connector_of_its_organisation(simulation: Simulation) -> None:
    connector: Connector = connector_class("simulator")(simulation)
    assert connector.organisation == organisation().organisation == SLUG
    assert connector.source in organisation().system_of_source()


def test_history_comes_first_in_large_batches(simulation: Simulation, history: list[Released]) -> None:
    simulator = Simulator(simulation, clock=Clock(ANCHOR))
    simulator.resume(None)
    batches = drain(simulator)
    assert [event for each in batches for event in each.events] == [item[2] for item in history]
    assert all(BATCH_EVENTS <= len(each.events) < BATCH_EVENTS + 50 for each in batches[:-1])
    lags = [each.lag_s for each in batches]
    assert lags == sorted(lags, key=lambda lag: -(lag or 0))


def test_the_live_stream_goes_on_without_gap_or_overlap(simulation: Simulation, history: list[Released]) -> None:
    begin = history[-8_000][0]
    clock = Clock(begin)
    simulator = Simulator(simulation, clock=clock)
    simulator.resume(None)
    events = [event for each in drain(simulator) for event in each.events]
    while clock.at_ms < ANCHOR:
        clock.at_ms = min(ANCHOR, clock.at_ms + 3_333_333)
        events += [event for each in drain(simulator) for event in each.events]
    assert events == [item[2] for item in history]


def test_a_restart_after_any_batch_goes_on_with_the_same_events(simulation: Simulation, history: list[Released]) -> None:
    clock = Clock(ANCHOR)
    simulator = Simulator(simulation, clock=clock)
    simulator.resume(None)
    batches = drain(simulator)
    for stop in (len(batches) - 9, len(batches) - 2):
        again = Simulator(simulation, clock=clock)
        again.resume(batches[stop].cursor)
        events = [event for each in [*batches[: stop + 1], *drain(again)] for event in each.events]
        assert events == [item[2] for item in history]


def test_events_are_held_until_their_time(simulation: Simulation) -> None:
    clock = Clock(ANCHOR)
    simulator = Simulator(simulation, clock=clock)
    upcoming = next(simulation.world.stream(ANCHOR))
    simulator.resume(f"{simulation.fingerprint}:{ANCHOR}")
    clock.at_ms = upcoming[0] - 1
    with pytest.raises(Retry):
        simulator.poll()
    clock.at_ms = upcoming[0]
    assert simulator.poll().events[0] == upcoming[2]


@pytest.mark.parametrize("cursor", ["0123456789abcdef:1", "nonsense", ""])
def test_a_cursor_of_another_simulation_is_refused(simulation: Simulation, cursor: str) -> None:
    with pytest.raises(Refused, match="another simulation"):
        Simulator(simulation).resume(cursor)


def test_the_runner_sends_everything_with_heartbeats_and_writes_the_truth(tmp_path: Path) -> None:
    simulation = Simulation(ANCHOR, weeks=1, scale=0.2)
    sent, cursors = Collected(), MemoryCursors()
    for _ in range(2):  # The second run finds its cursor, and nothing to send.
        simulator = Simulator(simulation, truth_directory=tmp_path, history_only=True)
        runner.run(simulator, sent, cursors, stop=threading.Event(), clock=Clock(ANCHOR))
    counts = Counter(sent.ids())
    assert {count for _, count in counts.items()} == {1, 2}
    document = json.loads((tmp_path / TRUTH_FILE).read_text())
    assert document["as_of"] == ANCHOR
    assert document["events"] == sum(".stand." not in identity for identity in counts)
    assert sorted(document["resent"]) == sorted(identity for identity, count in counts.items() if count == 2)
    assert all(event["source"] == Simulator.source for event in sent.events if event["type"].endswith("connector.observed"))


def test_the_truth_follows_the_live_stream_by_the_hour(tmp_path: Path) -> None:
    simulation = Simulation(ANCHOR, weeks=1, scale=0.2)
    clock = Clock(ANCHOR + 3_599_999)
    simulator = Simulator(simulation, truth_directory=tmp_path, clock=clock)
    simulator.resume(None)
    drain(simulator)
    assert json.loads((tmp_path / TRUTH_FILE).read_text())["as_of"] == ANCHOR + 59 * 60_000
    clock.at_ms += 59 * 60_000
    drain(simulator)
    assert json.loads((tmp_path / TRUTH_FILE).read_text())["as_of"] == ANCHOR + 59 * 60_000
    clock.at_ms += 60_000
    drain(simulator)
    assert json.loads((tmp_path / TRUTH_FILE).read_text())["as_of"] == ANCHOR + 119 * 60_000


def test_the_command_sends_its_history_to_kafka_once(kafka: KafkaEngine, tmp_path: Path) -> None:
    create_topic(kafka.bootstrap, CONTACT_EVENTS)
    create_topic(kafka.bootstrap, CONNECTOR_CURSORS, 1, {"cleanup.policy": "compact"})
    app = typer.Typer()
    simulate.register(app)
    plant = "email:grade:-1:2026-01-01T09:00"
    arguments = ["--kafka", kafka.bootstrap, "--state", str(tmp_path), "--history-only", "--weeks", "1", "--scale", "0.3", "--plant", plant]
    for _ in range(2):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    refused = CliRunner().invoke(app, [*arguments, "--seed", "9"])
    assert refused.exit_code == 2
    assert "runs with seed 1, not 9" in refused.output

    counts: Counter[str] = Counter()
    for record in read_topic(kafka.bootstrap, CONTACT_EVENTS):
        if record.key == SLUG.encode():
            assert record.partition == partition_of(SLUG)
            assert batch.decode(record.value, record.key, record.headers).errors == []
            counts.update(event["id"] for event in orjson.loads(record.value) if not event["type"].endswith("connector.observed"))
    document = json.loads((tmp_path / TRUTH_FILE).read_text())
    assert [(planted["channel"], planted["what"]) for planted in document["planted"]] == [("email", "grade")], "and no default drift"
    assert sum(".stand." not in identity for identity in counts) == document["events"] > 1_000
    assert sorted(document["resent"]) == sorted(identity for identity, count in counts.items() if count > 1)
    cursors = KafkaCursors(kafka.bootstrap)
    try:
        stored = cursors.get(Simulator.name, Simulator.cursor_key)
    finally:
        cursors.close()
    assert stored is not None
    assert stored.startswith(read_simulation(tmp_path).fingerprint)


def test_a_played_day_lies_behind_the_clock_and_says_so(tmp_path: Path) -> None:
    """What is fresh is told by heartbeats: a day that is played must not look like a source without contacts since."""
    played = Simulation(ANCHOR, weeks=1, scale=0.2, speed=60)
    clock = Clock(ANCHOR + 60_000)
    simulator = Simulator(played, clock=clock)
    simulator.resume(None)
    batches: list[Batch] = []
    with pytest.raises(Retry) as waits:
        batches.extend(iter(simulator.poll, None))
    assert waits.value.lag_s == (clock.at_ms - played.now(clock.at_ms)) / 1000 > 86_400
    assert [each.lag_s for each in batches] == [(clock.at_ms - int(each.cursor.partition(":")[2])) / 1000 for each in batches]
    assert [simulator.is_live(each) for each in batches] == [False] * (len(batches) - 1) + [True]
    live = Simulator(Simulation(ANCHOR, weeks=1, scale=0.2), clock=Clock(ANCHOR))
    live.resume(None)
    with pytest.raises(Retry) as caught_up:
        deque(iter(live.poll, None), maxlen=0)
    assert caught_up.value.lag_s == 0
