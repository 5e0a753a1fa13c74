"""The batch codec: one Kafka record holds 1 to 500 CloudEvents of one organisation as a JSON array (CloudEvents batch format).

Decoding gives two outputs, events and refused events: one bad event never costs its neighbours.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from schemas.errors import InvalidEvent, InvalidRecord
from schemas.events import EVENTS, KINDS, PREFIX, Event

CONTENT_TYPE = "application/cloudevents-batch+json"
MAX_EVENTS = 500
MAX_BYTES = 1_000_000
"""A record's largest value in bytes. The topic accepts 16 MB, so that an oversized record is refused here, visibly, and not at the broker."""

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Batch:
    """What a record says: its organisation, the valid events as (position, event), and what was refused."""

    organisation: str
    events: list[tuple[int, Event]]
    errors: list[InvalidEvent]


def headers(organisation: str) -> list[tuple[str, bytes]]:
    """The headers every record carries."""
    return [("content-type", CONTENT_TYPE.encode()), ("organisation", organisation.encode())]


def encode(events: Iterable[dict[str, Any]]) -> Iterator[tuple[bytes, int]]:
    """Record values for events of one organisation as (value, number of events), in order, split at 500 events and 1 MB.

    Events are in wire form (times as text). Raises InvalidEvent for an event that alone exceeds the limit.
    """
    pending: list[bytes] = []
    size = 2
    for position, event in enumerate(events):
        text = orjson.dumps(event)
        if len(text) + 2 > MAX_BYTES:
            raise InvalidEvent(position, "$", "event_too_large", f"the event has {len(text):,} bytes; a record takes {MAX_BYTES:,}")
        if len(pending) == MAX_EVENTS or size + len(text) + 1 > MAX_BYTES:
            yield b"[" + b",".join(pending) + b"]", len(pending)
            pending, size = [], 2
        pending.append(text)
        size += len(text) + 1
    if pending:
        yield b"[" + b",".join(pending) + b"]", len(pending)


def organisation_of(key: bytes | None, record_headers: Headers) -> str:
    """The organisation that key and header agree on. Raises InvalidRecord `organisation_mismatch`."""
    named = [value for name, value in record_headers if name == "organisation"]
    if key is None or named != [key]:
        shown = ", ".join(repr(value.decode(errors="replace")[:64]) for value in named) or "absent"
        raise InvalidRecord(
            "organisation_mismatch",
            f"the key is {(key or b'').decode(errors='replace')[:64]!r} and the header organisation is {shown}; a producer must send the same slug in both",
        )
    return key.decode(errors="replace")


def decode(value: bytes | None, key: bytes | None, record_headers: Headers) -> Batch:
    """Read one record. Raises InvalidRecord when nothing in it can be used; refused events are in `errors`."""
    organisation = organisation_of(key, record_headers)
    if value is None:
        raise InvalidRecord("empty_record", "the record has no value; a batch holds at least one event")
    if len(value) > MAX_BYTES:
        raise InvalidRecord("record_too_large", f"the record has {len(value):,} bytes; at most {MAX_BYTES:,} are read: send smaller batches")
    kind = next((content for name, content in record_headers if name == "content-type"), b"")
    if kind.split(b";")[0].strip() != CONTENT_TYPE.encode():
        raise InvalidRecord("content_type", f"content-type is {kind.decode(errors='replace')[:64]!r}; it must be {CONTENT_TYPE}")
    try:
        events = EVENTS.validate_json(value)
    except ValidationError as error:
        return _salvage(organisation, value, error)
    _check_count(len(events))
    return Batch(organisation, list(enumerate(events)), [])


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_EVENTS:
        raise InvalidRecord("event_count", f"the record holds {count} events; a batch holds 1 to {MAX_EVENTS}")


def _salvage(organisation: str, value: bytes, error: ValidationError) -> Batch:
    """Refuse the bad events of a batch and validate the others again."""
    first: dict[int, dict[str, Any]] = {}
    for detail in error.errors(include_url=False):
        if not detail["loc"]:
            reason = "invalid_json" if detail["type"] == "json_invalid" else "not_a_batch"
            raise InvalidRecord(reason, f"{detail['msg']}; a record is a JSON array of CloudEvents") from None
        first.setdefault(int(detail["loc"][0]), dict(detail))
    raw = orjson.loads(value)
    _check_count(len(raw))
    good = [position for position in range(len(raw)) if position not in first]
    events = EVENTS.validate_json(orjson.dumps([raw[position] for position in good]))
    return Batch(organisation, list(zip(good, events, strict=True)), [explain(position, detail) for position, detail in sorted(first.items())])


_REASONS = {
    "missing": ("missing_field", "this field is required"),
    "extra_forbidden": ("unknown_field", "this field is not known in version 1; remove it or put it in the source's own store"),
    "union_tag_invalid": ("unknown_type", "this type is not one of version 1"),
    "union_tag_not_found": ("missing_field", "an event needs a type"),
    "missing_zone": ("missing_zone", ""),
    "bad_time": ("bad_time", ""),
    "time_out_of_range": ("time_out_of_range", ""),
    "literal_error": ("unknown_value", ""),
    "string_pattern_mismatch": ("bad_format", ""),
    "string_too_long": ("out_of_range", ""),
    "string_too_short": ("out_of_range", ""),
    "too_long": ("out_of_range", ""),
    "too_short": ("out_of_range", ""),
    "not_finite": ("out_of_range", ""),
    "greater_than_equal": ("out_of_range", ""),
    "less_than_equal": ("out_of_range", ""),
}


def explain(position: int, detail: dict[str, Any]) -> InvalidEvent:
    """A pydantic error of one event as a refusal: JSON path, reason slug, and a sentence that says what to do."""
    location = [part for part in detail["loc"][1:] if part not in _TAGS and part != "[key]"]
    reason, message = _REASONS.get(detail["type"], ("wrong_type", ""))
    if reason == "unknown_type":
        message = f"type {str(detail.get('ctx', {}).get('tag', ''))[:80]!r} is not one of version 1 (schemas/json/events.schema.json lists them)"
        location = ["type"]
    elif detail["type"] == "union_tag_not_found":
        location = ["type"]
    path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return InvalidEvent(position, path[:200], reason, message or str(detail["msg"]))


_TAGS = frozenset(PREFIX + kind for kind in KINDS)
