"""Bad input of every kind: events that are refused among good ones, and records of which nothing can be read."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from connectors.protocol import WireEvent
from schemas import batch
from schemas.types import iso
from tests.e2e import synthetic

Record = tuple[bytes | None, list[tuple[str, bytes]]]
"""Value and headers."""


def events(now: int, times: int) -> list[tuple[str, WireEvent]]:
    """(reason, event) for every reason for which one event is refused, so many of each; no two are the same."""
    return [bad for number in range(times) for bad in _events(now - number, f"bad-{number}")]


def _events(at: int, name: str) -> list[tuple[str, WireEvent]]:
    def opened(**data: object) -> WireEvent:
        return synthetic.event("contact.opened", synthetic.PHONE, at, {"contact": name, "channel": "telephone", **data})

    def answered(**data: object) -> WireEvent:
        usual = {"instrument": "rating", "version": 1, "answer": name, "revision": 0, "status": "complete", "items": {"overall": 5}}
        return synthetic.event("survey.answered", synthetic.SURVEY, at, {**usual, **data})

    def moved(occurred_at: str) -> WireEvent:
        made = opened()
        return {**made, "data": {**made["data"], "occurred_at": occurred_at}}

    return [
        ("missing_field", synthetic.event("contact.opened", synthetic.PHONE, at, {"channel": "telephone", "product": name})),
        ("unknown_field", opened(colour="blue")),
        ("unknown_type", synthetic.event("contact.exploded", synthetic.PHONE, at, {"contact": name})),
        ("wrong_type", opened(product=7)),
        ("bsn", opened(product="111222333")),
        ("unknown_value", opened(channel="pigeon")),
        ("bad_format", opened(person="not a hash")),
        ("out_of_range", opened(product="x" * 5_000)),
        ("missing_zone", moved("2026-03-02T09:12:30")),
        ("bad_time", moved("yesterday")),
        ("time_out_of_range", moved("1066-10-14T09:00:00Z")),
        ("future", moved(iso(at + synthetic.DAY))),
        ("foreign_source", synthetic.event("contact.opened", "urn:nld:oin:1:systeem:x", at, {"contact": name, "channel": "telephone"})),
        ("unknown_channel", opened(channel="chat")),
        ("unknown_instrument", answered(instrument="nothing")),
        ("unknown_aspect", answered(items={"colour": 5})),
        ("off_scale", answered(items={"overall": 11})),
    ]


def spread(some: Sequence[WireEvent], among: Sequence[WireEvent]) -> list[WireEvent]:
    """All of `among` in order, with some others (no more than those) spread evenly between them."""
    step = max(1, len(among) // (len(some) or 1))
    found: list[WireEvent] = []
    for number, event in enumerate(among):
        found.append(event)
        if number % step == 0:
            found += some[number // step : number // step + 1]
    return found


def records(name: str) -> list[tuple[str, Record]]:
    """(reason, record) for every reason for which a whole record of an organisation is refused in its partition."""
    usual = batch.headers(name)

    def value(content: Any) -> bytes:
        return orjson.dumps(content)

    return [
        ("empty_record", (None, usual)),
        ("organisation_mismatch", (value([]), batch.headers("someone-else"))),
        ("content_type", (value([{}]), [("content-type", b"text/plain"), usual[1]])),
        ("event_count", (value([]), usual)),
        ("invalid_json", (b'[{"specversion": ', usual)),
        ("not_a_batch", (value({"specversion": "1.0"}), usual)),
        ("record_too_large", (b"[" + b" " * batch.MAX_BYTES + b"]", usual)),
    ]


def reasons(bad: Sequence[tuple[str, Any]]) -> Counter[str]:
    """How often each reason stands there."""
    return Counter(reason for reason, _ in bad)
