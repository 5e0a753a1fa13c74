"""The batch codec: what is read, what is refused, and that one never costs the other."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.batch import CONTENT_TYPE, MAX_BYTES, MAX_EVENTS, Batch, decode, encode, headers, organisation_of
from schemas.errors import InvalidEvent, InvalidRecord
from schemas.events import KINDS, PREFIX
from schemas.types import EARLIEST_MS, LATEST_MS, iso
from tests.schemas.examples import event

HEADERS = headers("leiderdorp")


def read(value: bytes | None) -> Batch:
    return decode(value, b"leiderdorp", HEADERS)


def refusal(value: bytes | None, key: bytes | None = b"leiderdorp", record_headers: Any = HEADERS) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as refused:
        decode(value, key, record_headers)
    return refused.value


def closed(n: int, **more: Any) -> dict[str, Any]:
    return {**event(), "id": f"gesloten-{n}", **more}


def test_one_event() -> None:
    decoded = read(orjson.dumps([event(occurred_at="2026-03-02T11:09:31.0049+01:00")]))
    assert decoded.organisation == "leiderdorp"
    ((position, read_event),) = decoded.events
    assert (position, decoded.errors) == (0, [])
    assert read_event["data"]["occurred_at"] == 1_772_446_171_004  # floored to the millisecond


@pytest.mark.parametrize("count", [1, 499, 500])
def test_up_to_500_events(count: int) -> None:
    decoded = read(orjson.dumps([closed(n) for n in range(count)]))
    assert [position for position, _ in decoded.events] == list(range(count))
    assert [read_event["id"] for _, read_event in decoded.events] == [f"gesloten-{n}" for n in range(count)]


@pytest.mark.parametrize("count", [0, 501])
@pytest.mark.parametrize("faulty", [False, True])
def test_too_few_or_too_many_events(count: int, faulty: bool) -> None:
    events: list[Any] = [closed(n) for n in range(count)]
    if faulty and events:
        events[7] = 7
    error = refusal(orjson.dumps(events))
    assert error.reason == "event_count"
    assert error.message == f"the record holds {count} events; a batch holds 1 to 500"


def test_half_a_million_faulty_events_are_counted_not_explained() -> None:
    assert refusal(b"[" + b"1," * 499_000 + b"1]").message == "the record holds 499001 events; a batch holds 1 to 500"


def test_at_most_a_megabyte() -> None:
    text = orjson.dumps([closed(1)])
    assert len(read(text + b" " * (MAX_BYTES - len(text))).events) == 1
    error = refusal(text + b" " * (MAX_BYTES - len(text) + 1))
    assert error.reason == "record_too_large"
    assert error.message == "the record has 1,000,001 bytes; at most 1,000,000 are read: send smaller batches"


def test_no_value() -> None:
    assert str(refusal(None)) == "empty_record: the record has no value; a batch holds at least one event"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[",
        b"[{]",
        b"\xef\xbb\xbf[]",
        b"\xff\xfe[\x00]\x00",
        "[\u00e9]".encode("cp1252"),
        b'[{"type":"\\ud800"}]',
        b"[" * 300 + b"]" * 300,
        b"[1" + b"0" * 5000 + b"]",
        b"[]]",
    ],
)
def test_broken_json(value: bytes) -> None:
    error = refusal(value)
    assert error.reason == "invalid_json"
    assert error.message.startswith("this is not JSON (")
    assert error.message.endswith("); a record is a JSON array of CloudEvents in UTF-8")


@pytest.mark.parametrize("value", [b"{}", orjson.dumps(event()), b"null", b"17", b'"[]"', b"NaN"])
def test_not_an_array(value: bytes) -> None:
    assert str(refusal(value)) == (
        "not_a_batch: this is not a JSON array; a record is a JSON array of CloudEvents, also when it holds only one"
    )


@pytest.mark.parametrize(
    ("key", "named", "message"),
    [
        (b"katwijk", [b"leiderdorp"], "the key is 'katwijk' and the header organisation is 'leiderdorp'"),
        (b"leiderdorp", [], "the key is 'leiderdorp' and the header organisation is absent"),
        (None, [b"leiderdorp"], "the key is absent and the header organisation is 'leiderdorp'"),
        (None, [], "the key is absent and the header organisation is absent"),
        (None, [None], "the key is absent and the header organisation is absent"),
        (b"leiderdorp", [None], "the key is 'leiderdorp' and the header organisation is absent"),
        (b"x", [b"x", b"x"], "the key is 'x' and the header organisation is 'x' and 'x'"),
        (b"leiderdorp", [b"leiderdorp", b"katwijk"], "the key is 'leiderdorp' and the header organisation is 'leiderdorp' and 'katwijk'"),
        (b"Leiderdorp", [b"leiderdorp"], "the key is 'Leiderdorp' and the header organisation is 'leiderdorp'"),
        (b"\xff", [b"x" * 99], f"the key is '\ufffd' and the header organisation is '{'x' * 64}'"),
    ],
)  # fmt: skip
def test_key_and_header_disagree(key: bytes | None, named: list[bytes | None], message: str) -> None:
    record_headers = [("content-type", CONTENT_TYPE.encode()), *(("organisation", value) for value in named)]
    error = refusal(orjson.dumps([event()]), key, record_headers)
    assert error.reason == "organisation_mismatch"
    assert error.message == message + "; a producer must send one such header, with the slug that is the key"


def test_the_organisation_is_read_also_when_the_value_is_broken() -> None:
    assert organisation_of(b"leiderdorp", HEADERS) == "leiderdorp"


@pytest.mark.parametrize(
    "content_type", [CONTENT_TYPE, f"{CONTENT_TYPE}; charset=utf-8", f"{CONTENT_TYPE} ;charset=UTF-8", CONTENT_TYPE.title()]
)
def test_content_type(content_type: str) -> None:
    assert decode(orjson.dumps([event()]), b"a", [("organisation", b"a"), ("content-type", content_type.encode())]).errors == []


@pytest.mark.parametrize(
    ("present", "shown"),
    [
        ([], "absent"),
        ([("content-type", None)], "absent"),
        ([("content-type", b"application/json")], "'application/json'"),
        ([("content-type", b"application/cloudevents+json")], "'application/cloudevents+json'"),
        ([("content-type", b"\xff")], "'\ufffd'"),
    ],
)
def test_other_content_type(present: list[tuple[str, bytes | None]], shown: str) -> None:
    error = refusal(orjson.dumps([event()]), b"a", [("organisation", b"a"), *present])
    assert str(error) == f"content_type: the header content-type is {shown}; it must be application/cloudevents-batch+json"


def test_one_bad_event_costs_no_other() -> None:
    events: list[Any] = [closed(n) for n in range(6)]
    events[1]["data"]["occurred_at"] = "2026-03-02T10:00:00"
    events[3] = "text"
    events[4]["type"] = "nl.contactmeter.contact.vanished"
    decoded = read(orjson.dumps(events))
    assert [(position, read_event["id"]) for position, read_event in decoded.events] == [
        (0, "gesloten-0"),
        (2, "gesloten-2"),
        (5, "gesloten-5"),
    ]
    assert [(error.position, error.path, error.reason) for error in decoded.errors] == [
        (1, "$.data.occurred_at", "missing_zone"),
        (3, "$", "wrong_type"),
        (4, "$.type", "unknown_type"),
    ]
    assert str(decoded.errors[0]) == (
        "event 1 at $.data.occurred_at: missing_zone: a time needs its zone; write 2026-03-02T09:00:00+01:00 or …Z"
    )


def test_all_events_bad() -> None:
    decoded = read(b"[1,null]")
    assert decoded.events == []
    assert [error.position for error in decoded.errors] == [0, 1]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(number: str) -> None:
    """The parser lets NaN pass, which is not JSON: the event is refused, its neighbours are not."""
    bad = json.dumps(event("survey.answered", items={"overall": 8})).replace('"overall": 8', f'"overall": {number}')
    decoded = read(f"[{json.dumps(closed(0))},{bad},{json.dumps(closed(2))}]".encode())
    assert [position for position, _ in decoded.events] == [0, 2]
    (error,) = decoded.errors
    assert (error.position, error.path, error.reason, error.message) == (
        1,
        "$.data.items.overall",
        "out_of_range",
        "a number must be finite",
    )


def test_one_refusal_an_event() -> None:
    """Of an event with several faults the first is told."""
    faulty = {"type": PREFIX + "contact.closed", "specversion": "2", "data": {}}
    assert [error.path for error in read(orjson.dumps([faulty, faulty])).errors] == ["$.specversion"] * 2


def test_a_path_is_at_most_200_characters() -> None:
    (error,) = read(orjson.dumps([{**event(), "x" * 5000: 1}])).errors
    assert len(error.path) == 200


def test_encode_splits_at_500_in_order() -> None:
    events = [closed(n) for n in range(1_203)]
    values = list(encode(iter(events)))
    assert [count for _, count in values] == [500, 500, 203]
    assert [entry for value, _ in values for entry in orjson.loads(value)] == events


def test_encode_splits_at_a_megabyte() -> None:
    events = [closed(n, dataref="x" * 400_000) for n in range(5)]
    values = list(encode(events))
    assert [count for _, count in values] == [2, 2, 1]
    assert all(len(value) <= MAX_BYTES for value, _ in values)
    assert [entry for value, _ in values for entry in orjson.loads(value)] == events


def test_encode_fills_a_record_to_the_last_byte() -> None:
    empty = len(orjson.dumps([closed(0, dataref="")]))
    ((value, count),) = encode([closed(0, dataref="x" * (MAX_BYTES - empty))])
    assert (len(value), count) == (MAX_BYTES, 1)
    with pytest.raises(InvalidEvent) as refused:
        list(encode([closed(0), closed(1, dataref="x" * (MAX_BYTES - empty + 1))]))
    assert (refused.value.position, refused.value.path, refused.value.reason) == (1, "$", "event_too_large")
    assert refused.value.message == "the event has 999,999 bytes; a record takes 1,000,000"


def test_encode_nothing() -> None:
    assert list(encode([])) == []


def test_limits_are_those_that_the_documents_name() -> None:
    assert (MAX_EVENTS, MAX_BYTES) == (500, 1_000_000)


IDENTIFIERS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200)
INSTANTS = st.integers(EARLIEST_MS, LATEST_MS - 1)


@given(st.lists(st.tuples(st.sampled_from(KINDS), IDENTIFIERS, INSTANTS, INSTANTS), min_size=1, max_size=40))
def test_round_trip(rows: list[tuple[str, str, int, int]]) -> None:
    """What is encoded is decoded: ids, kinds and times come back, in order."""
    events = []
    for kind, name, time, occurred_at in rows:
        example = event(kind, occurred_at=iso(occurred_at))
        events.append({**example, "id": name, "time": iso(time)})
    values = list(encode(events))
    decoded = [read(value) for value, _ in values]
    assert [len(part.events) for part in decoded] == [count for _, count in values]
    assert not any(part.errors for part in decoded)
    assert [
        (read_event["type"].removeprefix(PREFIX), read_event["id"], read_event["time"], read_event["data"]["occurred_at"])
        for part in decoded
        for _, read_event in part.events
    ] == rows


NAMES = st.sampled_from(["type", "data", "id", "time", "x y"]) | st.text(max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(JSON | st.just(event()), min_size=1, max_size=12))
def test_whatever_comes_in_is_either_read_or_refused(values: list[Any]) -> None:
    decoded = read(json.dumps(values).encode())
    assert sorted([position for position, _ in decoded.events] + [error.position for error in decoded.errors]) == list(range(len(values)))
    assert {position for position, _ in decoded.events} == {position for position, value in enumerate(values) if value == event()}


@given(
    st.binary(max_size=60), st.none() | st.binary(max_size=8), st.lists(st.tuples(st.text(max_size=4), st.none() | st.binary(max_size=8)))
)
def test_no_bytes_raise_anything_else(value: bytes, key: bytes | None, record_headers: list[tuple[str, bytes | None]]) -> None:
    refusal(value, key, record_headers)
    refusal(value + b"]")
