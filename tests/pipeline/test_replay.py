"""Which rejects can be sent again, and as what."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from pipeline.replay import Place, StoredReject, record_value, why_not
from schemas import bsn

PLACE = Place("contact-events", 3, 1_234_567, 4)
EVENT = '{"id":"é","data":{"grade":NaN}}'


def stored(original: str = EVENT, **fields: object) -> StoredReject:
    sent = original.encode()
    usual = StoredReject(
        PLACE, "stad", "unknown_channel", "urn:x", "pbx", "$", "…", len(sent), sha256(sent).hexdigest(), original,
        datetime.now(UTC), "", None, "", "",
    )  # fmt: skip
    return replace(usual, **fields)  # type: ignore[arg-type]


def test_an_event_goes_as_a_batch_of_one_and_a_record_as_itself() -> None:
    assert why_not(stored()) == ""
    assert record_value(stored()) == f"[{EVENT}]".encode(), "byte for byte, also what another JSON writer would refuse"
    assert record_value(stored("[]", place=PLACE._replace(position=-1))) == b"[]"


@pytest.mark.parametrize(
    ("reject", "why"),
    [
        (stored(reason="bsn"), "citizen service number"),
        (stored(bsn.mask('{"note":"bsn 111222333"}')), "citizen service number"),
        (stored(bsn.mask('{"note":"1112.22.333"}')), "citizen service number"),
        (stored(bsn.mask('{"note":"111 222 333"}')), "citizen service number"),
        (stored(reason="organisation_mismatch"), "only its source can say whose it is"),
        (stored(organisation="A b"), "no organisation's slug"),
        (stored(organisation="x" * 64), "no organisation's slug"),
        (stored(organisation=""), "no organisation's slug"),
        (stored(""), "it has no content"),
        (stored(size=70_000), "it was cut"),
        (stored("\ufffd", size=1, sha256=sha256(b"\xff").hexdigest()), "not byte for byte"),
        (stored(sha256="0" * 64), "not byte for byte"),
    ],
)
def test_what_cannot_be_sent_again_and_why(reject: StoredReject, why: str) -> None:
    assert why in why_not(reject)


@pytest.mark.parametrize("place", [PLACE, PLACE._replace(position=-1), Place("a.b_c-d", 63, 0, 499)])
def test_an_id_is_read_as_it_is_written(place: Place) -> None:
    assert Place.parse(f" {place} ") == place


@pytest.mark.parametrize(
    "text", ["", "12", "contact-events/1/2", "contact-events/1/2/-2", "contact-events/x/2/3", "a b/1/2/3", "t/1/2/3/4"]
)
def test_what_is_no_id_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="TOPIC/PARTITION/OFFSET/POSITION"):
        Place.parse(text)
