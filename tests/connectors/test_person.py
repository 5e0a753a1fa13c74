"""Person hashes: what is normalised, keys by period, the key file, and that nothing raw leaves the connector."""

import hmac
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.mapped_file.connector import MappedFile
from connectors.mapped_file.mapping import Mapping
from connectors.mapped_file.problems import Problem, ProblemFile
from connectors.person import BadKeyFile, PersonKeys, add_key, load_keys, normalised
from connectors.protocol import Finished, Refused, WireEvent
from schemas.types import epoch_ms
from tests.connectors.mapped import changed, csv_file, mapping

KEYS = PersonKeys([0, 1_000], [b"a" * 32, b"b" * 32])


@pytest.mark.parametrize(
    "text", ["0612345678", "06-12345678", "06 12 34 56 78", "+31 6 12345678", "0031612345678", "(06) 123 456 78", "612345678"]
)
def test_ways_to_write_a_phone_number(text: str) -> None:
    assert normalised("phone", text) == "+31612345678"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("phone", "+32 2 555 12 12", "+3225551212"),
        ("phone", "anonymous", None),
        ("phone", "112", None),
        ("phone", "", None),
        ("email", "  Jan.de.Vries@Example.NL ", "jan.de.vries@example.nl"),
        ("email", "jan", None),
        ("email", "a b@c.nl", None),
        ("email", "", None),
    ],
)
def test_normalised(kind: Any, text: str, expected: str | None) -> None:
    assert normalised(kind, text) == expected


def test_the_hash_is_keyed_and_differs_by_organisation_kind_and_period() -> None:
    expected = hmac.new(b"a" * 32, b"leiden\nphone\n+31612345678", "sha256").hexdigest()[:32]
    assert KEYS.hash("leiden", "phone", "06-12345678", 999) == expected
    others = {
        KEYS.hash("leiden", "phone", "06-12345678", 1_000),
        KEYS.hash("delft", "phone", "06-12345678", 0),
        KEYS.hash("leiden", "email", "a@b.nl", 0),
        KEYS.hash("leiden", "phone", "06-12345679", 0),
    }
    assert len(others | {expected}) == 5
    assert KEYS.hash("leiden", "phone", "06-12345678", -5) == expected, "the first key holds before its day too"
    assert KEYS.hashes("leiden", "phone", "0612345678") == [(0, expected), (1_000, KEYS.hash("leiden", "phone", "0612345678", 1_000))]
    assert (KEYS.hash("leiden", "phone", "unknown", 0), KEYS.hashes("leiden", "phone", "unknown")) == (None, [])
    assert b"a" * 32 not in repr(KEYS).encode()


def test_a_key_file_is_made_and_gets_new_periods(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    assert add_key(path, date(2026, 1, 1)) is True
    first = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert add_key(path, date(2027, 1, 1)) is False
    assert path.read_text().startswith(first)
    keys = load_keys(path)
    assert list(keys.starts) == [epoch_ms(datetime(year, 1, 1, tzinfo=UTC)) for year in (2026, 2027)]
    assert len({*keys.keys}) == 2
    assert all(len(key) == 32 for key in keys.keys)
    with pytest.raises(BadKeyFile, match="the last key begins on 2026-06-01 or later already; choose a later day"):
        add_key(path, date(2026, 6, 1))


SECRET = "5e" * 32


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a key file has at least one key"),
        (f"2026-01-01 {SECRET}\n2025-01-01 {SECRET}\n", "its days ascend, each once"),
        (f"2026-01-01 {SECRET}ff\n", r"keys:1: this line is no key; a line is a day \(2026-01-01\)"),
        (f"# a comment\n2026-13-01 {SECRET}\n", "keys:2: this line is no key"),
    ],
)
def test_key_files_that_are_refused_never_show_a_key(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(BadKeyFile, match=message) as caught:
        load_keys(path)
    assert "5e5e" not in str(caught.value)


def test_a_key_file_that_others_may_read_or_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with pytest.raises(BadKeyFile, match="make one with `contactmeter person key"):
        load_keys(path)
    path.write_text(f"2026-01-01 {SECRET}\n")
    path.chmod(0o640)
    with pytest.raises(BadKeyFile, match="run `chmod 600"):
        load_keys(path)
    with pytest.raises(BadKeyFile, match="can't be written"):
        add_key(tmp_path / "nowhere" / "keys", date(2026, 1, 1))


PHONES = ["06-12345678", "+31 6 87654321", "anoniem", "", "0612345678"]


def with_persons() -> Mapping:
    small = mapping().model_dump(by_alias=True)
    opened = small["events"][0]
    data = {**opened["data"], "person": {"column": "Phone", "kind": "phone"}, "location": {"column": "Postcode", "postcode": 4}}
    return Mapping.model_validate({**small, "events": [{**opened, "data": data}, *small["events"][1:]]})


def everything(path: Path, by: Mapping, keys: PersonKeys | None) -> tuple[list[WireEvent], list[Problem], MappedFile]:
    problems: list[Problem] = []
    connector = MappedFile(path, by, problem=problems.append, persons=keys)
    connector.resume(None)
    events: list[WireEvent] = []
    try:
        while True:
            events += connector.poll().events
    except Finished:
        return events, problems, connector


def test_no_raw_number_or_address_leaves_the_connector(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = [f"C{n},x,Balie,Paspoort,2026-03-02T09:0{n}:00,,,,{phone},2312 EZ" for n, phone in enumerate(PHONES)]
    lines += ["C8,x,Fax,Paspoort,2026-03-02T09:00:00,,,,06-12345678,2312EZ", "C9,x,Balie,short,06-12345678"]
    path = csv_file(tmp_path / "a.csv", lines, "Id,Name,Channel,Product,Opened,Closed,Due,Grade,Phone,Postcode")
    events, problems, connector = everything(path, with_persons(), KEYS)
    hashes = [event["data"].get("person") for event in events]
    assert [bool(one) for one in hashes] == [True, True, False, False, True]
    assert hashes[0] == hashes[4] != hashes[1]
    assert {event["data"]["location"] for event in events} == {"2312"}
    assert len(problems) == 2
    with ProblemFile(tmp_path / "problems.csv") as listed:
        for problem in problems:
            listed.write(problem)
    left = [orjson.dumps(events), (tmp_path / "problems.csv").read_bytes(), connector.cursor_key.encode(), caplog.text.encode()]
    left += [json.dumps(vars(connector.tally)).encode(), *(str(problem).encode() for problem in problems)]
    for produced in left:
        assert not re.search(rb"(12345678|87654321|6 ?12 ?34|EZ)", produced)


def test_without_keys_nothing_is_read(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [], "Id,Name,Channel,Product,Opened,Closed,Due,Grade,Phone,Postcode")
    with pytest.raises(
        Refused, match=r"hashes persons \(column 'Phone'\): set CONTACTMETER_PERSON_KEY_FILE .* `contactmeter person key FILE`"
    ):
        everything(path, with_persons(), None)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("person", "Phone", "person, and no other field, has a kind"),
        ("product", {"column": "Phone", "kind": "phone"}, "person, and no other field, has a kind"),
        ("person", {"column": ["Phone", "Name"], "kind": "phone"}, "person: one column, without table or default"),
        (
            "person",
            {"column": "Product", "kind": "phone"},
            "column 'Product' holds a person's number or address: it can be used for `person` only",
        ),
        ("person", {"column": "Phone", "kind": "bsn"}, "Input should be 'phone', 'email' or 'hash'"),
    ],
)
def test_mappings_that_would_leak_are_refused(field: str, value: Any, message: str) -> None:
    small = mapping().model_dump(by_alias=True)
    opened = small["events"][0]
    with pytest.raises(ValueError, match=message):
        changed(events=[{**opened, "data": {**opened["data"], field: value}}])


def test_a_hash_made_elsewhere_is_kept(tmp_path: Path) -> None:
    small = mapping().model_dump(by_alias=True)
    opened = small["events"][0]
    by = changed(events=[{**opened, "data": {**opened["data"], "person": {"column": "Grade", "kind": "hash"}}}])
    path = csv_file(
        tmp_path / "a.csv", ["C1,x,Balie,P,2026-03-02T09:00:00,,," + "0123456789abcdef" * 2, "C2,x,Balie,P,2026-03-02T09:00:00,,,jan@x.nl"]
    )
    events, problems, _ = everything(path, by, None)
    assert [event["data"]["person"] for event in events] == ["0123456789abcdef" * 2]
    assert "a keyed hash in 16 to 64 hexadecimal digits" in problems[0].message
    assert "jan@x.nl" not in str(problems[0])
