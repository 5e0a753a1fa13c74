"""A change in a channel is found, told once under one id, and is over when the channel recovers; on real engines, by killed workers too."""

import json
import random
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kafka import KafkaConsumer

from connectors.protocol import WireEvent
from connectors.simulator.town import ORGANISATION_FILE
from schemas.topics import SIGNALS
from schemas.types import iso
from tests.e2e import synthetic
from tests.e2e.running import Stack, wait_until
from tests.e2e.synthetic import DAY, HOUR

NOW = int(datetime.now(UTC).timestamp() * 1000)
HISTORY_DAYS = 42
PER_HOUR = 6
STREAM_OF_NORM = "norm:answered_45s"
LOOK_SOON = {"LOOK_EVERY_S": "1"}


def organisation(name: str) -> str:
    """A town whose telephone is staffed day and night: whenever the test runs, the last hours are open ones."""
    text = synthetic.organisation(name)
    return text.replace("telephone: {leading_system: phone}", 'telephone: {leading_system: phone, opening_hours: {mon-sun: "00:00-24:00"}}')


def calls(seed: int, slow_from: int, slow_until: int) -> list[WireEvent]:
    """Six weeks of calls up to now, most of them answered at once; between two moments most are not, those of one team above all."""
    rng = random.Random(seed)
    events: list[WireEvent] = []
    begin, end = NOW - HISTORY_DAYS * DAY, NOW - NOW % HOUR
    number = 0
    at = float(begin)
    while (at := at + rng.expovariate(PER_HOUR / HOUR)) < end:
        number += 1
        slow = slow_from <= at < slow_until
        late = rng.random() < (0.75 if slow else 0.15)
        team = "Burgerzaken" if rng.random() < (0.8 if slow and late else 0.3) else "Belastingen"
        wait = rng.randrange(50_000, 200_000) if late else rng.randrange(3_000, 40_000)
        call = synthetic.call(f"c{number}", int(at), wait)
        call[0]["data"]["team"] = team
        events += call
    return events


def stored(stack: Stack, name: str) -> list[tuple[Any, ...]]:
    sql = """SELECT stream, side, id, sequence, state FROM signals FINAL WHERE organisation = {name:String} ORDER BY stream, id, sequence"""
    return stack.query(sql, name=name)


def of_norm(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [row[2:] for row in rows if row[0] == STREAM_OF_NORM]


def told(stack: Stack, name: str) -> list[dict[str, Any]]:
    """Everything on the topic about an organisation, in order."""
    consumer = KafkaConsumer(SIGNALS, bootstrap_servers=stack.kafka.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=3_000)
    try:
        found = [(json.loads(record.value), record.key.decode()) for record in consumer]
    finally:
        consumer.close()
    mine = [(content, key) for content, key in found if content["organisation"] == name]
    assert all(key == f"{name}/{content['id']}" for content, key in mine)
    return [content for content, _ in mine]


def wait_for_look(stack: Stack, name: str) -> None:
    """Until a look has come to its end: checkpoints are written last."""
    sql = "SELECT count() FROM checkpoints WHERE organisation = {name:String}"
    wait_until(lambda: stack.query(sql, name=name)[0][0] > 0, f"a look at {name}", 120)


def test_a_change_is_found_and_told_once_though_workers_are_killed(stack: Stack) -> None:
    name = "drift-gedood"
    stack.add_organisation(name, organisation(name))
    stack.send(name, calls(1, NOW - 20 * HOUR, NOW), 400)
    for table in ("signals", "incidents", "watches"):  # after each of them another one dies
        worker = stack.worker(FAULT=f"kill:{table}:1", **LOOK_SOON)
        assert worker.wait_end() == -signal.SIGKILL, worker.said
    worker = stack.worker(**LOOK_SOON).wait_ready()
    wait_for_look(stack, name)
    assert worker.stop()

    found = of_norm(stored(stack, name))
    assert found, "the norm's drift was not found"
    assert {row[0] for row in found} == {found[0][0]}, "one change has one id"
    assert found[0][2] == "found"
    messages = [one for one in told(stack, name) if one["stream"] == STREAM_OF_NORM]
    assert {one["id"] for one in messages} == {found[0][0]}
    assert {(one["sequence"], one["state"]) for one in messages} == {row[1:] for row in found}
    first = messages[0]
    assert first["side"] == -1
    assert first["worse"]
    assert abs(first["onset"] - (NOW - 20 * HOUR)) <= 4 * HOUR
    assert any(one["name"] == "Burgerzaken" for one in first["contributors"])
    assert "Telefoon" in first["text_nl"]
    incidents = stack.query("SELECT incident, state, signals, pages FROM incidents FINAL WHERE organisation = {name:String}", name=name)
    assert [row for row in incidents if found[0][0] in row[2] and row[1] == "open" and row[3]]


def test_it_is_over_after_the_channel_recovers(stack: Stack) -> None:
    name = "drift-voorbij"
    stack.add_organisation(name, organisation(name))
    events = calls(2, NOW - 4 * DAY, NOW - 40 * HOUR)
    before = [one for one in events if one["data"]["occurred_at"] < iso(NOW - 42 * HOUR)]
    stack.send(name, before, 400)
    worker = stack.worker(**LOOK_SOON).wait_ready()
    wait_until(lambda: of_norm(stored(stack, name)), "the drift to be found", 120)
    (first, *more) = of_norm(stored(stack, name))
    assert first[2] == "found"
    assert all(row[2] == "grown" for row in more)
    kept = set(map(id, before))
    stack.send(name, [one for one in events if id(one) not in kept], 400)
    wait_until(lambda: of_norm(stored(stack, name))[-1][2] == "over", "it to be over", 120)
    assert {row[0] for row in of_norm(stored(stack, name))} == {first[0]}, "it is over under the id under which it was found"
    assert worker.stop()
    closed = stack.query(
        "SELECT state FROM incidents FINAL WHERE organisation = {name:String} AND has(signals, {id:String})", name=name, id=first[0]
    )
    assert closed


def test_what_the_simulator_plants_is_found_and_over(stack: Stack, tmp_path: Path) -> None:
    """The simulator, Kafka, a worker, ClickHouse: a channel that makes people wait for four days, and recovers."""
    name = "simulatiestad"
    stack.add_organisation(name, ORGANISATION_FILE.read_text(encoding="utf-8"))
    zone = ZoneInfo("Europe/Amsterdam")
    first, last = (datetime.fromtimestamp((NOW - days * DAY) / 1000, zone).replace(hour=11, minute=0) for days in (14, 9))
    plant = f"telephone@Burgerzaken:wait:x6:{first:%Y-%m-%dT%H:%M}..{last:%Y-%m-%dT%H:%M}"
    stack.cli("simulate", "--weeks", "10", "--scale", "0.7", "--history-only", "--plant", plant, "--state", str(tmp_path / "state"))
    worker = stack.worker(**LOOK_SOON).wait_ready()

    def states() -> list[tuple[Any, ...]]:
        sql = """SELECT stream, state, side, toUnixTimestamp64Milli(onset), text_nl FROM signals FINAL
                 WHERE organisation = {name:String} AND channel = 'telephone' ORDER BY id, sequence"""
        return stack.query(sql, name=name)

    wait_until(lambda: any(row[:2] == ("norm:telephone_45s", "over") for row in states()), "the planted change to be over", 240)
    assert worker.stop()
    mine = [row for row in states() if row[0] == "norm:telephone_45s"]
    assert (mine[0][1], mine[-1][1]) == ("found", "over")
    assert {row[2] for row in mine} == {-1}
    assert abs(mine[0][3] - first.timestamp() * 1000) < 2 * DAY
    assert "Burgerzaken" in mine[0][4]
    shown = stack.cli("drift", "list", name, "--all", "--lang", "en")
    assert "Telephone, over" in shown
