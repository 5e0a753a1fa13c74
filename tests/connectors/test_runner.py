"""The loop around a connector: the order of things, retries, stops."""

import logging
import threading

import pytest

from connectors import runner
from connectors.cursors import MemoryCursors
from connectors.protocol import Batch, Finished, Refused, Retry
from connectors.registry import connector_class
from schemas.events import EVENT
from tests.connectors.collected import Collected, MortalCursors

EVENTS = [{"id": "1", "type": "nl.contactmeter.contact.opened"}, {"id": "2", "type": "nl.contactmeter.contact.closed"}]


class Scripted:
    """A connector that plays a script of batches and errors, and then ends."""

    name = "scripted"
    source = "urn:nld:oin:00000000000000000000:systeem:scripted"
    organisation = "leiden"
    cursor_key = "stream"

    def __init__(self, *script: Batch | Exception) -> None:
        self.script = list(script)
        self.resumed: list[str | None] = []
        self.closed = 0

    def resume(self, cursor: str | None) -> None:
        self.resumed.append(cursor)

    def poll(self) -> Batch:
        step = self.script.pop(0) if self.script else Finished()
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        self.closed += 1


def test_the_cursor_is_stored_after_delivery() -> None:
    log: list[str] = []
    connector = Scripted(
        Batch("leiden", EVENTS, "a"), Batch("leiden", [], "b"), Batch("leiden", [], "b"), Batch("oegstgeest", EVENTS[:1], "c")
    )
    delivered: list[str] = []
    runner.run(
        connector,
        Collected(log),
        MortalCursors(9, log),
        stop=threading.Event(),
        delivered=lambda one: delivered.append(one.cursor),
        clock=lambda: 0,
    )
    assert log == ["send leiden 2", "flush", "cursor a", "cursor b", "send oegstgeest 1", "flush", "cursor c", "flush"]
    assert (delivered, connector.closed) == (["a", "b", "b", "c"], 1)


def test_it_goes_on_from_the_stored_cursor() -> None:
    cursors = MemoryCursors()
    cursors.put("scripted", "stream", "a")
    cursors.put("scripted", "another", "z")
    connector = Scripted()
    runner.run(connector, Collected(), cursors, stop=threading.Event())
    assert connector.resumed == ["a"]


def test_nothing_new_and_a_source_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    slept: list[float] = []
    now = 1_778_662_800.0

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    away = [Retry(40, "the register refuses the connection") for _ in range(3)]
    connector = Scripted(Retry(5), *away, Batch("leiden", EVENTS, "a", lag_s=7.5), away[0])
    sender = Collected()
    with caplog.at_level(logging.WARNING):
        runner.run(connector, sender, MemoryCursors(), stop=threading.Event(), clock=lambda: now, sleep=sleep)
    assert slept == [5, 40, 40, 40, 40]
    said = "scripted: the register refuses the connection; trying again every 40 s"
    assert [record.getMessage() for record in caplog.records] == [said, said], "once each time it goes away"
    read = [EVENT.validate_python(beat)["data"] for beat in sender.heartbeats()]
    assert [(int(beat["occurred_at"] / 1000 - 1_778_662_800), int(beat["last_read_at"] / 1000 - 1_778_662_800)) for beat in read] == [
        (0, 0),
        (45, 0),
        (85, 0),
        (125, 125),
        (165, 165),
    ], "a source that is away was not read"
    assert [beat.get("lag_s") for beat in read] == [0.0, None, None, 7.5, None]


def test_a_stop_ends_it_between_two_batches() -> None:
    stop = threading.Event()
    connector = Scripted(Batch("leiden", EVENTS, "a"), Batch("leiden", EVENTS, "b"))
    cursors = MemoryCursors()
    runner.run(connector, Collected(), cursors, stop=stop, delivered=lambda _batch: stop.set())
    assert (cursors.get("scripted", "stream"), connector.closed) == ("a", 1)


def test_a_stop_does_not_wait_for_a_pause() -> None:
    stop = threading.Event()
    connector = Scripted(*[Retry(3600)] * 3)
    thread = threading.Thread(target=lambda: runner.run(connector, Collected(), MemoryCursors(), stop=stop))
    thread.start()
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_what_a_person_must_change_surfaces() -> None:
    connector = Scripted(Refused("the token has expired; make a new one"))
    with pytest.raises(Refused, match="make a new one"):
        runner.run(connector, Collected(), MemoryCursors(), stop=threading.Event())
    assert connector.closed == 1


def test_a_connector_that_does_not_exist() -> None:
    with pytest.raises(Refused, match="connector 'fax' does not exist; there are: mapped-file, simulator"):
        connector_class("fax")
