"""Bad input on the running stack: refused with reason and position, counted once also after a replay, and the stream goes on."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import pytest

from connectors.protocol import WireEvent
from pipeline.decode import MAX_KEPT_BYTES
from schemas import batch
from schemas.topics import REJECTED_EVENTS
from schemas.types import iso
from tests.connectors.topics import read_topic
from tests.e2e import synthetic
from tests.e2e.running import Stack, records_of, wait_until

NAME = "fouten"
NOW = int(datetime.now(UTC).timestamp() * 1000)
Header = tuple[str, bytes]


@dataclass(frozen=True)
class Bad:
    """A record, the reason for which it or one of its events is refused, and the position of that event."""

    value: bytes
    reason: str
    position: int = -1
    headers: tuple[Header, ...] = tuple(batch.headers(NAME))
    organisation: str = NAME


def opened(contact: str, **data: object) -> WireEvent:
    return synthetic.event("contact.opened", synthetic.PHONE, NOW, {"contact": contact, "channel": "telephone", **data})


def with_one_bad(event: WireEvent) -> bytes:
    """A record of three events of which the middle one is bad."""
    number = abs(hash(orjson.dumps(event))) % 10**9
    return orjson.dumps([opened(f"before{number}"), event, opened(f"after{number}")])


def in_data(**data: object) -> WireEvent:
    event = opened("bad")
    return {**event, "data": {**event["data"], **data}}


BAD = {
    "unknown channel": Bad(with_one_bad(opened("bad", channel="chat")), "unknown_channel", 1),
    "no such channel": Bad(with_one_bad(in_data(channel="pigeon")), "unknown_value", 1),
    "unknown organisation": Bad(orjson.dumps([opened("x")]), "unknown_organisation", -1, tuple(batch.headers("nergens")), "nergens"),
    "foreign source": Bad(with_one_bad({**opened("bad"), "source": "urn:nld:oin:00000000000000000001:systeem:x"}), "foreign_source", 1),
    "key and header disagree": Bad(orjson.dumps([opened("x")]), "organisation_mismatch", -1, tuple(batch.headers("schoon"))),
    "broken JSON": Bad(orjson.dumps([opened("x")])[:-2], "invalid_json"),
    "wrong type": Bad(with_one_bad(in_data(product=7)), "wrong_type", 1),
    "missing zone": Bad(with_one_bad(in_data(occurred_at="2026-03-02T09:12:30")), "missing_zone", 1),
    "future event": Bad(with_one_bad(in_data(occurred_at=iso(NOW + 3_600_000))), "future", 1),
    "a key of 3 MB": Bad(orjson.dumps([opened("x")]), "unknown_organisation", -1, tuple(batch.headers("x" * 3_000_000)), "x" * 3_000_000),
    "10 MB": Bad(b"[" + b" " * 10_000_000 + b"]", "record_too_large"),
}


@pytest.fixture(scope="module")
def refused(stack: Stack) -> Iterator[dict[str, tuple[int, int]]]:
    """Every bad record sent, a good one after each; taken by a worker killed before it acknowledged, and once more by another."""
    stack.add_organisation(NAME, synthetic.organisation(NAME))
    places = {}
    for number, (what, bad) in enumerate(BAD.items()):
        places[what] = stack.produce(bad.organisation, [bad.value], bad.headers)[0]
        stack.send(NAME, synthetic.call(f"good{number}", NOW - 600_000))
    first = stack.worker(FAULT="kill:contacts:1")
    assert first.wait_end() == -signal.SIGKILL
    worker = stack.worker()
    stack.settle()
    yield places
    assert worker.stop()


@pytest.mark.parametrize("what", BAD)
def test_it_is_in_the_table_once_with_reason_and_position(stack: Stack, refused: dict[str, tuple[int, int]], what: str) -> None:
    bad, (partition, offset) = BAD[what], refused[what]
    rows = stack.query(
        "SELECT position, organisation, reason, message != '', length(original), size FROM rejects FINAL "
        "WHERE partition = {partition:UInt16} AND offset = {offset:Int64}",
        partition=partition, offset=offset,
    )  # fmt: skip
    assert [row[:4] for row in rows] == [(bad.position, bad.organisation[:64], bad.reason, True)]
    kept, size = rows[0][4:]
    assert kept == min(size, MAX_KEPT_BYTES)
    if bad.position < 0:
        assert size == len(bad.value)


@pytest.mark.parametrize("what", BAD)
def test_it_is_on_the_topic_with_reason_and_position(stack: Stack, refused: dict[str, tuple[int, int]], what: str) -> None:
    bad, (partition, offset) = BAD[what], refused[what]
    found = [json.loads(record.value) for record in read_topic(stack.kafka.bootstrap, REJECTED_EVENTS)]
    mine = [value for value in found if (value["partition"], value["offset"], value["position"]) == (partition, offset, bad.position)]
    assert mine, "not on the topic"
    assert {value["reason"] for value in mine} == {bad.reason}
    assert all(value == mine[0] for value in mine), "a replay says the same again"
    assert len(mine[0].get("original", "")) <= MAX_KEPT_BYTES


@pytest.mark.parametrize("number", range(len(BAD)), ids=list(BAD))
def test_the_stream_goes_on_after_it(stack: Stack, refused: dict[str, tuple[int, int]], number: int) -> None:
    sql = "SELECT length(JSONExtractArrayRaw(timeline)) FROM contacts FINAL WHERE contact = {contact:String}"
    assert stack.query(sql, contact=f"good{number}") == [(4,)]


def test_the_neighbours_of_a_bad_event_count(stack: Stack, refused: dict[str, tuple[int, int]]) -> None:
    expected = 2 * sum(bad.position == 1 for bad in BAD.values())
    counts = "countIf(match(contact, '^(before|after)')), countIf(contact IN ('bad', 'x'))"
    assert stack.query(f"SELECT {counts} FROM contacts FINAL WHERE organisation = {{name:String}}", name=NAME) == [(expected, 0)]
    assert stack.check_live(NAME) > 0


def test_the_most_frequent_reasons_are_counted_with_an_example(stack: Stack, refused: dict[str, tuple[int, int]]) -> None:
    by_reason = Counter(bad.reason for bad in BAD.values() if bad.organisation == NAME)
    with stack.views() as views:
        found = views.reject_reasons()[NAME]
    assert [(reason.reason, reason.rejects) for reason in found] == sorted(by_reason.items(), key=lambda item: (-item[1], item[0]))[:3]
    assert all(reason.example for reason in found)


def test_defects_are_counted_and_refused_nowhere(stack: Stack, refused: dict[str, tuple[int, int]]) -> None:
    """Closed before opened, an answer before its start, one id with two contents: defects of the contact."""
    opening = synthetic.event("contact.opened", synthetic.PHONE, NOW - 50_000, {"contact": "odd", "channel": "telephone"})
    events = [
        opening,
        {**opening, "data": {**opening["data"], "product": "other"}},
        synthetic.event("contact.queued", synthetic.PHONE, NOW - 49_000, {"contact": "odd"}),
        synthetic.event("contact.answered", synthetic.PHONE, NOW - 60_000, {"contact": "odd"}),
        synthetic.event("contact.closed", synthetic.PHONE, NOW - 70_000, {"contact": "odd", "result": "handled"}),
    ]
    before = stack.count("rejects", NAME)
    stack.produce(NAME, records_of(events, 10))
    wait_until(lambda: stack.query("SELECT 1 FROM contacts FINAL WHERE contact = 'odd'"), "the contact")
    defects, excluded = stack.query("SELECT defects, `outcomes.excluded` FROM contacts FINAL WHERE contact = 'odd'")[0]
    assert {"conflicting_event", "closed_before_opened", "event_before_opened"} <= set(defects)
    assert list(excluded) == ["stop_before_start"]
    assert stack.count("rejects", NAME) == before
