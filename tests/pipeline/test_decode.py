"""From a record to events: every reason to refuse, and that nothing a producer sends stops the stream or harms its neighbours."""

import json
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.configured import Configured
from pipeline.contacts import digest
from pipeline.decode import MAX_FUTURE_MS, MAX_KEPT_BYTES, Decoded, Record, decode
from schemas import batch
from schemas.events import KINDS, PREFIX
from schemas.partitions import partition_of
from tests.pipeline.builders import CONFIGURED, CRM, DAY, MINUTE, NAME, NINE, PBX, PBX_2, answer, organisation, record, wire

APPENDED = NINE + DAY


def read(events: list[Any] | bytes, **fields: Any) -> Decoded:
    """What a record appended a day after nine holds."""
    return decode(record(events, appended=APPENDED, **fields), CONFIGURED)


def opened(at: int = NINE, contact: str = "c1", **fields: Any) -> dict[str, Any]:
    return wire("contact.opened", at, contact=contact, **{"channel": "telephone", **fields})


# What is taken ---------------------------------------------------------------------------------------------------------


def test_events_of_a_contact_stay_together_in_order_of_arrival() -> None:
    found = read([opened(), wire("contact.closed", NINE + 9, contact="c2"), wire("contact.queued", NINE, contact="c1", queue="q")])
    assert (found.organisation, found.events, found.rejects) == (NAME, 3, [])
    assert list(found.contacts) == [(NAME, "pbx", "c1"), (NAME, "pbx", "c2")]
    data: dict[str, Any] = {"channel": "telephone"}
    first, second = found.contacts[NAME, "pbx", "c1"]
    assert first == (NINE, PBX, f"contact.opened-c1-{NINE}", digest("contact.opened", NINE, data), NINE, "opened", data)
    assert second[5:] == ("queued", {"queue": "q"})


def test_a_contact_belongs_to_the_system_of_its_source() -> None:
    found = read([opened(), opened(source=PBX_2), opened(source=CRM)])
    assert {key: [event[1] for event in events] for key, events in found.contacts.items()} == {
        (NAME, "pbx", "c1"): [PBX, PBX_2],
        (NAME, "crm", "c1"): [CRM],
    }


def test_the_digest_leaves_out_when_it_was_logged() -> None:
    found = read([opened(id="e", time=NINE), opened(id="e", time=NINE + MINUTE), opened(id="e", product="Paspoort")])
    digests = [event[3] for event in found.contacts[NAME, "pbx", "c1"]]
    assert digests[0] == digests[1] != digests[2]


def test_an_answer_is_kept_by_source_and_answer_id() -> None:
    found = read([answer(NINE, 8, "a7", revision=2, time=NINE + 5, channel="email", contact={"system": "pbx", "id": "c1"})])
    ((key, (revision, time, _digest, answered_at, data)),) = found.answers
    assert key == (NAME, PBX, "a7")
    assert (revision, time, answered_at) == (2, NINE + 5, NINE)
    assert (data["items"], data["contact"], data["channel"]) == ({"overall": 8.0}, {"system": "pbx", "id": "c1"}, "email")


def test_heartbeats_gauges_and_notices_become_rows() -> None:
    found = read(
        [
            wire("connector.observed", NINE, connector="simulator", lag_s=1.5, last_read_at="2026-03-02T07:59:00Z", cursor="7"),
            wire("connector.observed", NINE, connector="folder"),
            wire("channel.observed", NINE, channel="telephone", gauges={"waiting": 3, "longest_wait_s": 12.5}),
            wire("marker.cancelled", NINE, "m", time=NINE + 1, marker="m1"),
        ]
    )
    assert found.heartbeats == [(NAME, "simulator", PBX, NINE, NINE - MINUTE, 1.5, "7"), (NAME, "folder", PBX, NINE, None, None, "")]
    assert found.gauges == [
        (NAME, "telephone", "", "waiting", NINE, NINE, 3.0),
        (NAME, "telephone", "", "longest_wait_s", NINE, NINE, 12.5),
    ]
    text = digest("marker.cancelled", NINE, {"marker": "m1"})
    assert found.notices == [(NAME, "marker.cancelled", PBX, "m", text, NINE, NINE + 1, '{"marker":"m1"}')]
    assert (found.contacts, found.answers, found.rejects) == ({}, [], [])


# Whole records that are refused ----------------------------------------------------------------------------------------

HEADERS = batch.headers(NAME)
GOOD = [opened()]


@pytest.mark.parametrize(
    ("events", "fields", "reason", "message"),
    [
        (GOOD, {"key": b"elders"}, "organisation_mismatch", "the key is 'elders' and the header organisation is 'voorbeeldstad'"),
        (GOOD, {"key": None}, "organisation_mismatch", "the key is absent"),
        (GOOD, {"headers": HEADERS[:1]}, "organisation_mismatch", "the header organisation is absent"),
        (GOOD, {"headers": [*HEADERS, ("organisation", b"elders")]}, "organisation_mismatch", "'voorbeeldstad' and 'elders'"),
        (GOOD, {"headers": [("organisation", None)]}, "organisation_mismatch", "must send one such header"),
        (GOOD, {"key": b"\xff", "headers": [HEADERS[0], ("organisation", b"\xff")]}, "unknown_organisation", "add its YAML file"),
        (GOOD, {"key": b"elders", "headers": batch.headers("elders")}, "unknown_organisation", "there is no organisation 'elders'"),
        (GOOD, {"partition": 0}, "wrong_partition", f"'voorbeeldstad' belongs in partition {partition_of(NAME)}, not in 0"),
        (GOOD, {"headers": HEADERS[1:]}, "content_type", "the header content-type is absent"),
        (GOOD, {"headers": [("content-type", b"application/json"), HEADERS[1]]}, "content_type", "it must be application/cloudevents"),
        (GOOD, {"value": None}, "empty_record", "the record has no value"),
        (b"", {}, "invalid_json", "this is not JSON"),
        (b'[{"id":', {}, "invalid_json", "a JSON array of CloudEvents in UTF-8"),
        (b'\xef\xbb\xbf[{"id": "1"}]', {}, "invalid_json", "this is not JSON"),
        ('[{"id": "é"}]'.encode("cp1252"), {}, "invalid_json", "this is not JSON"),
        (b"[" * 5_000, {}, "invalid_json", "this is not JSON"),
        (b"{}", {}, "not_a_batch", "also when it holds only one"),
        (b"NaN", {}, "not_a_batch", "this is not a JSON array"),
        (b"[]", {}, "event_count", "the record holds 0 events"),
        ([{}] * 501, {}, "event_count", "the record holds 501 events"),
    ],
)  # fmt: skip
def test_a_record_is_refused_as_a_whole(events: list[Any] | bytes, fields: dict[str, Any], reason: str, message: str) -> None:
    found = read(events, **fields)
    (reject,) = found.rejects
    assert (reject.reason, reject.path, reject.position, reject.source) == (reason, "$", -1, "")
    assert message in reject.message
    assert reject.original == (found.record.value or b"")
    assert (reject.size, reject.sha256) == (len(reject.original), sha256(reject.original).hexdigest())
    assert (found.contacts, found.answers, found.events) == ({}, [], 0)


def test_a_record_of_10_mb_is_refused_in_64_kb() -> None:
    value = b"[" + b" " * 10_000_000 + b"]"
    (reject,) = read(value).rejects
    assert (reject.reason, reject.position, reject.size) == ("record_too_large", -1, len(value))
    assert reject.original == value[:MAX_KEPT_BYTES] == value[: 64 * 1024]
    assert reject.sha256 == sha256(value).hexdigest()
    assert "10,000,002 bytes; at most 1,000,000 are read" in reject.message


def test_a_refused_record_counts_for_the_organisation_it_claims() -> None:
    assert read(GOOD, key=b"elders").organisation == "elders"
    assert read(GOOD, key=None).organisation == ""
    assert read(GOOD, key=b"x" * 100).organisation == "x" * 64


# Single events that are refused ----------------------------------------------------------------------------------------

FOREIGN = "urn:nld:oin:1:systeem:elders"
WITHOUT_TIME = {key: value for key, value in opened().items() if key != "time"}


@pytest.mark.parametrize(
    ("event", "path", "reason", "message"),
    [
        (opened(source=FOREIGN), "$.source", "foreign_source", f"'{FOREIGN}' may not speak for 'voorbeeldstad'"),
        (opened(at=APPENDED + MAX_FUTURE_MS + 1), "$.data.occurred_at", "future", "2026-03-03T08:05:00.001Z is more than 5 minutes after"),
        (opened(channel="app"), "$.data.channel", "unknown_channel", "'voorbeeldstad' does not use channel 'app'"),
        (answer(NINE, 5, channel="app"), "$.data.channel", "unknown_channel", "add it to the organisation's file"),
        (answer(NINE, 5, instrument="panel"), "$.data.instrument", "unknown_instrument", "there is no instrument 'panel' version 1"),
        (answer(NINE, 5, version=3), "$.data.instrument", "unknown_instrument", "there is no instrument 'na-contact' version 3"),
        (answer(NINE, 5, items={"overall": 5, "speed": 5}), "$.data.items.speed", "unknown_aspect", "has no aspect 'speed'"),
        (answer(NINE, 10.001), "$.data.items.overall", "off_scale", "10.001 lies off the scale of 'na-contact' version 1: 1 to 10"),
        (answer(NINE, 0.5), "$.data.items.overall", "off_scale", "0.5 lies off the scale"),
        (answer(NINE, 9, version=2), "$.data.items.overall", "off_scale", "version 2: 0 to 8"),
        (answer(NINE, float("nan")), "$.data.items.overall", "out_of_range", "a number must be finite"),
        (opened(colour="red"), "$.data.colour", "unknown_field", "not known in version 1"),
        (WITHOUT_TIME, "$.time", "missing_field", "this is required"),
        ({**opened(), "type": PREFIX + "contact.sung"}, "$.type", "unknown_type", "is not one of version 1"),
        ({"id": "1"}, "$.type", "missing_field", "an event needs a type"),
        (opened(contact=""), "$.data.contact", "out_of_range", "this is empty"),
        ({**opened(), "time": "2026-03-02T09:00:00"}, "$.time", "missing_zone", "a time needs its zone"),
        ({**opened(), "time": "yesterday"}, "$.time", "bad_time", "this is not a time"),
        ({**opened(), "time": "1980-03-02T09:00:00Z"}, "$.time", "time_out_of_range", "must lie between"),
        ({**opened(), "source": "pbx"}, "$.source", "bad_format", "this must be a URN"),
        (opened(direction="sideways"), "$.data.direction", "unknown_value", "this must be 'inbound' or 'outbound'"),
        (7, "$", "wrong_type", "this must be a mapping"),
        (None, "$", "wrong_type", "this must be a mapping"),
    ],
)
def test_an_event_is_refused_and_its_neighbours_survive(event: Any, path: str, reason: str, message: str) -> None:
    before, after = opened(contact="before"), opened(contact="after")
    # As json writes it: orjson would send a NaN as null.
    found = read(json.dumps([before, event, after], ensure_ascii=False).encode())
    (reject,) = found.rejects
    assert (reject.position, reject.path, reject.reason) == (1, path, reason)
    assert message in reject.message
    assert reject.source == (event["source"] if isinstance(event, dict) and "source" in event else "")
    original = json.loads(reject.original)
    assert original == event or (reason == "out_of_range" and str(original) == str(event))
    assert (reject.size, reject.sha256) == (len(reject.original), sha256(reject.original).hexdigest())
    assert list(found.contacts) == [(NAME, "pbx", "before"), (NAME, "pbx", "after")]
    assert found.events == 3


def test_neighbours_of_a_refused_event_say_the_same_as_without_it() -> None:
    good = [
        opened(deadlines={"permit": "2026-03-09T23:59:59.999+01:00"}, same_as={"system": "crm", "id": "7"}, complexity="simple"),
        wire("contact.abandoned", NINE, contact="c1", wait_unknown=True),
        answer(NINE, 8, channel="email"),
        wire("channel.observed", NINE, channel="telephone", gauges={"waiting": 3}),
    ]
    clean, mixed = read(good), read([{"id": 1}, *good, 7])
    for name in ("contacts", "answers", "gauges"):
        assert getattr(mixed, name) == getattr(clean, name)
    assert [reject.position for reject in mixed.rejects] == [0, 5]


def test_many_events_of_a_record_can_be_refused() -> None:
    found = read([opened(channel="app"), opened(), {"id": 3}, opened(source=FOREIGN)])
    assert sorted((reject.position, reject.reason) for reject in found.rejects) == [
        (0, "unknown_channel"), (2, "missing_field"), (3, "foreign_source"),
    ]  # fmt: skip
    assert found.events == 4


def test_a_large_event_is_kept_in_64_kb() -> None:
    event = opened()
    event["data"] |= {f"field-{i}": "é" * 100 for i in range(1_000)}
    (reject,) = read([event]).rejects
    whole = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    assert (reject.original, reject.size, reject.sha256) == (whole[:MAX_KEPT_BYTES], len(whole), sha256(whole).hexdigest())


def test_the_future_begins_five_minutes_after_the_record_was_appended() -> None:
    last = APPENDED + 5 * MINUTE
    kinds: list[dict[str, Any]] = [
        {"kind": "contact.opened", "contact": "c", "channel": "telephone"},
        {"kind": "connector.observed", "connector": "x"},
        {"kind": "marker.cancelled", "marker": "m"},
    ]
    for fields in kinds:
        assert read([wire(at=last, **fields)]).rejects == []
        assert [reject.reason for reject in read([wire(at=last + 1, **fields)]).rejects] == ["future"]


def test_what_lies_ahead_in_the_data_is_no_future() -> None:
    later = "2027-03-02T09:00:00Z"
    marker = wire("marker.set", NINE, marker="m")
    marker["data"] |= {"kind": "campaign", "from": later}
    assert read([opened(appointment_at=later, deadlines={"permit": later}), marker]).rejects == []


def test_both_ends_of_a_scale_are_on_it() -> None:
    found = read([answer(NINE, grade, f"a{grade}", version=version) for version, grade in ((1, 1), (1, 10), (2, 0), (2, 8))])
    assert (len(found.answers), found.rejects) == (4, [])


def test_the_last_moment_that_is_no_future_is_not_blamed_for_the_channel() -> None:
    (reject,) = read([opened(at=APPENDED + MAX_FUTURE_MS, channel="app")]).rejects
    assert reject.reason == "unknown_channel"


def test_of_several_faults_the_foreign_source_is_told() -> None:
    (reject,) = read([opened(at=APPENDED + DAY, source=FOREIGN, channel="app")]).rejects
    assert reject.reason == "foreign_source"


# Nothing raises --------------------------------------------------------------------------------------------------------

TEXTS = [PBX, NAME, "2026-03-02T09:00:00Z", "telephone", "1.0", "\ud800", "\x00", "é" * 300, *(PREFIX + kind for kind in KINDS)]
FIELDS = ["specversion", "id", "source", "type", "time", "data", "contact", "occurred_at", "channel", "items", "version", "x"]
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5), st.sampled_from(TEXTS)
)  # fmt: skip
fields = st.sampled_from(FIELDS)
trees = st.recursive(
    leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(fields, inner, max_size=4)), max_leaves=12
)
envelopes = st.builds(
    lambda usual, changes: {**usual, **changes},
    st.sampled_from([opened(), answer(NINE, 8), wire("channel.observed", NINE, channel="email", gauges={"waiting": 1})]),
    st.dictionaries(fields, trees, max_size=2),
)
changed_data = st.builds(
    lambda usual, changes: {**usual, "data": {**usual["data"], **changes}},
    st.sampled_from([opened(), answer(NINE, 8), wire("connector.observed", NINE, connector="x")]),
    st.dictionaries(fields, trees, max_size=2),
)


def holds_together(found: Decoded) -> None:
    """Each event is in exactly one place, and every refusal says why."""
    taken = sum(map(len, found.contacts.values())) + len(found.answers) + len(found.heartbeats) + len(found.gauges) + len(found.notices)
    assert found.events == taken + len([reject for reject in found.rejects if reject.position >= 0])
    for reject in found.rejects:
        assert reject.reason
        assert reject.message
        assert reject.path.startswith("$")
        assert len(reject.path) <= 210
        assert len(reject.original) <= MAX_KEPT_BYTES


@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_no_bytes_raise(value: bytes) -> None:
    holds_together(read(value))


@given(st.one_of(trees, st.lists(st.one_of(trees, envelopes, changed_data), max_size=5)))
def test_no_json_raises(tree: Any) -> None:
    holds_together(read(json.dumps(tree).encode()))


@given(
    st.one_of(st.none(), st.binary(max_size=20)),
    st.lists(st.tuples(st.sampled_from(["organisation", "content-type", "x"]), st.one_of(st.none(), st.binary(max_size=30)))),
    st.one_of(st.none(), st.binary(max_size=20)),
)
def test_no_key_or_headers_raise(key: bytes | None, headers: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    found = decode(Record("contact-events", 0, 0, NINE, key, value, headers), CONFIGURED)
    assert [reject.position for reject in found.rejects] == [-1]


DEEP = b"[" * 190 + b"]" * 190


@pytest.mark.parametrize("value", [b"[1" + b"0" * 4_299 + b"]", b'[{"type":1' + b"0" * 4_400 + b"}]", DEEP, b"[-0,1e999]"])
def test_extreme_json_is_refused(value: bytes) -> None:
    found = read(value)
    assert found.rejects
    assert found.contacts == {}


def test_decoding_leaves_the_record_as_it_was() -> None:
    value = orjson.dumps([opened(), {"id": 1}])
    found = record(value)
    decode(found, CONFIGURED)
    assert found.value == value
    assert decode(found, CONFIGURED).contacts == read(value).contacts


# ── privacy at the door ─────────────────────────────────────────────────────────────────────────────────────────────

BSN = "111222333"


def test_an_event_with_a_citizen_service_number_is_refused_and_its_copy_masked() -> None:
    events = [opened(), opened(contact="2", product=f"verhuizing {BSN}"), {"id": BSN}, opened(contact="3")]
    found = decode(record(events), CONFIGURED)
    assert [(reject.position, reject.reason, reject.path) for reject in found.rejects] == [(1, "bsn", "$.data.product"), (2, "bsn", "$.id")]
    assert len(found.contacts) == 2
    for reject in found.rejects:
        assert BSN not in reject.original.decode() + reject.message + reject.path
        assert "*********" in reject.original.decode()


@pytest.mark.parametrize("value", [f'{{"nummer": {BSN}}}', f"[{BSN}", f'["\\u0031{BSN[1:]}"'])
def test_a_record_that_cannot_be_read_is_masked_too(value: str) -> None:
    (reject,) = decode(record(value.encode()), CONFIGURED).rejects
    assert (reject.position, BSN[1:] in reject.original.decode()) == (-1, False)


def test_ids_of_nine_digits_are_let_through_where_the_system_says_so() -> None:
    systems = {"pbx": {"sources": [PBX], "nine_digit_ids": True}, "crm": {"sources": [CRM]}}
    configured = {NAME: Configured.of(organisation(systems=systems))}

    def refused(**fields: Any) -> list[str]:
        return [reject.path for reject in decode(record([wire("contact.opened", NINE, **fields)]), configured).rejects]

    assert refused(contact=BSN, channel="telephone") == []
    assert refused(contact=BSN, channel="telephone", product=BSN) == ["$.data.product"]
    assert refused(contact=BSN, channel="telephone", source=CRM) == ["$.id"]
    assert refused(contact="1", channel="telephone", source=CRM, same_as={"system": "pbx", "id": BSN}) == []
    assert refused(contact="1", channel="telephone", same_as={"system": "crm", "id": BSN}) == ["$.data.same_as.id"]


def test_a_full_postcode_is_cut_to_its_four_digits() -> None:
    found = decode(record([opened(location="2351 AB", segment="2351ab")]), CONFIGURED)
    ((content,),) = found.contacts.values()
    assert (content[6]["location"], content[6]["segment"]) == ("2351", "2351")
    ((content,),) = decode(record([opened(location="Balie 2351 AB")]), CONFIGURED).contacts.values()
    assert content[6]["location"] == "Balie 2351 AB"


@pytest.mark.parametrize(("comments", "expected"), [("dropped", []), ("stored", ["bel […] terug"])])
def test_a_comment_is_kept_redacted_and_apart_or_not_at_all(comments: str, expected: list[str]) -> None:
    instrument = {"version": 1, "title": {"nl": "q", "en": "q"}, "scale": "1-10", "comments": comments,
                  "aspects": {"overall": {"title": {"nl": "o", "en": "o"}}}}  # fmt: skip
    configured = {NAME: Configured.of(organisation(instruments={"na-contact": [instrument]}))}
    found = decode(record([answer(NINE, 8, channel="email", comment="bel 06-12345678 terug")]), configured)
    assert [row[-1] for row in found.comments] == expected
    ((_, value),) = found.answers
    assert value[4]["has_comment"] is True
    assert "06-12345678" not in str(found.answers)


def test_a_revision_without_a_comment_takes_the_comment_back() -> None:
    instrument = {"version": 1, "title": {"nl": "q", "en": "q"}, "scale": "1-10", "comments": "stored",
                  "aspects": {"overall": {"title": {"nl": "o", "en": "o"}}}}  # fmt: skip
    configured = {NAME: Configured.of(organisation(instruments={"na-contact": [instrument]}))}
    events = [answer(NINE, 8, channel="email", comment="traag"), answer(NINE, 8, channel="email", revision=1)]
    found = decode(record(events), configured)
    assert [row[-1] for row in found.comments] == ["traag", ""]
    assert found.comments[0][3] < found.comments[1][3]
