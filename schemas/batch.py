"""The batch codec: one Kafka record holds 1 to 500 CloudEvents of one organisation as a JSON array (CloudEvents batch format).

Decoding gives two outputs, events and refused events: one bad event never costs its neighbours.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from schemas.errors import InvalidEvent, InvalidRecord
from schemas.events import EVENTS, KINDS, PREFIX, Event
from schemas.messages import sentence

CONTENT_TYPE = "application/cloudevents-batch+json"
MAX_EVENTS = 500
MAX_BYTES = 1_000_000
"""A record's largest value in bytes. The topic accepts 16 MB: an oversized record is to be refused here, visibly, not at the broker."""

Headers = Sequence[tuple[str, bytes | None]]
"""Kafka allows a header without a value."""


@dataclass(frozen=True)
class Batch:
    """What a record says: its organisation, the valid events as (position, event), and what was refused."""

    organisation: str
    events: list[tuple[int, Event]]
    errors: list[InvalidEvent]


def headers(organisation: str, connector: str = "") -> list[tuple[str, bytes]]:
    """The headers every record carries; `connector` names who sends, where that is known."""
    named = [("connector", connector.encode())] if connector else []
    return [("content-type", CONTENT_TYPE.encode()), ("organisation", organisation.encode()), *named]


def encode(events: Iterable[dict[str, Any]]) -> Iterator[tuple[bytes, int]]:
    """Record values for events of one organisation as (value, number of events), in order, split at 500 events and 1 MB.

    Events are in wire form (times as text). Raises InvalidEvent for an event that alone exceeds the limit.
    """
    pending: list[bytes] = []
    size = 1  # of the pending record: its brackets, and the events with a comma between each two
    for position, event in enumerate(events):
        text = orjson.dumps(event)
        if len(text) + 2 > MAX_BYTES:
            raise InvalidEvent(position, "$", "event_too_large", f"the event has {len(text):,} bytes; a record takes {MAX_BYTES:,}")
        if len(pending) == MAX_EVENTS or size + len(text) + 1 > MAX_BYTES:
            yield b"[" + b",".join(pending) + b"]", len(pending)
            pending, size = [], 1
        pending.append(text)
        size += len(text) + 1
    if pending:
        yield b"[" + b",".join(pending) + b"]", len(pending)


def organisation_of(key: bytes | None, record_headers: Headers) -> str:
    """The organisation that key and header agree on. Raises InvalidRecord `organisation_mismatch`."""
    named = [value for name, value in record_headers if name == "organisation"]
    if key is None or named != [key]:
        shown = " and ".join(_shown(value) for value in named) or "absent"
        raise InvalidRecord(
            "organisation_mismatch",
            f"the key is {_shown(key)} and the header organisation is {shown}; "
            "a producer must send one such header, with the slug that is the key",
        )
    return key.decode(errors="replace")


def decode(value: bytes | None, key: bytes | None, record_headers: Headers) -> Batch:
    """Read one record. Raises InvalidRecord when nothing in it can be used; refused events are in `errors`."""
    organisation = organisation_of(key, record_headers)
    if value is None:
        raise InvalidRecord("empty_record", "the record has no value; a batch holds at least one event")
    if len(value) > MAX_BYTES:
        raise InvalidRecord(
            "record_too_large", f"the record has {len(value):,} bytes; at most {MAX_BYTES:,} are read: send smaller batches"
        )
    kind = next((content for name, content in record_headers if name == "content-type"), None)
    if kind is None or kind.split(b";")[0].strip().lower() != CONTENT_TYPE.encode():
        raise InvalidRecord("content_type", f"the header content-type is {_shown(kind)}; it must be {CONTENT_TYPE}")
    try:
        events = EVENTS.validate_json(value)
    except ValidationError as error:
        return _salvage(organisation, value, error)
    _check_count(len(events))
    return Batch(organisation, list(enumerate(events)), [])


def _shown(text: bytes | None) -> str:
    return "absent" if text is None else repr(text.decode(errors="replace")[:64])


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_EVENTS:
        raise InvalidRecord("event_count", f"the record holds {count} events; a batch holds 1 to {MAX_EVENTS}")


def _salvage(organisation: str, value: bytes, error: ValidationError) -> Batch:
    """Refuse the bad events of a batch and validate the others again."""
    try:
        # The parser that validated: another one draws the line of valid JSON elsewhere (NaN, 1e999).
        raw = from_json(value)
    except ValueError as fault:
        raise InvalidRecord("invalid_json", f"this is not JSON ({fault}); a record is a JSON array of CloudEvents in UTF-8") from None
    if not isinstance(raw, list):
        raise InvalidRecord("not_a_batch", "this is not a JSON array; a record is a JSON array of CloudEvents, also when it holds only one")
    _check_count(len(raw))
    first: dict[int, ErrorDetails] = {}
    for detail in error.errors(include_url=False):
        first.setdefault(int(detail["loc"][0]), detail)
    good = [position for position in range(len(raw)) if position not in first]
    events = EVENTS.validate_python([raw[position] for position in good])
    return Batch(
        organisation, list(zip(good, events, strict=True)), [explain(position, detail) for position, detail in sorted(first.items())]
    )


_REASONS = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "union_tag_invalid": "unknown_type",
    "union_tag_not_found": "missing_field",
    "missing_zone": "missing_zone",
    "bad_time": "bad_time",
    "time_out_of_range": "time_out_of_range",
    "literal_error": "unknown_value",
    "string_pattern_mismatch": "bad_format",
    "string_too_long": "out_of_range",
    "string_too_short": "out_of_range",
    "too_long": "out_of_range",
    "too_short": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
}


def explain(position: int, detail: ErrorDetails) -> InvalidEvent:
    """A pydantic error of one event as a refusal: JSON path, reason slug, and a sentence that says what to do."""
    location = [part for part in detail["loc"][1:] if part not in _TAGS and part != "[key]"]
    match detail["type"]:
        case "union_tag_invalid":
            location = ["type"]
            message = (
                f"type {json.dumps(detail['input']['type'])[:80]} is not one of version 1 (schemas/json/events.schema.json lists them)"
            )
        case "union_tag_not_found":
            location, message = ["type"], f"an event needs a type, such as {PREFIX}contact.opened"
        case "extra_forbidden":
            message = "this field is not known in version 1; check its spelling, or leave it in the source system"
        case _:
            message = sentence(detail)
    path = "$" + "".join(_step(part) for part in location)
    return InvalidEvent(position, path[:200], _REASONS.get(detail["type"], "wrong_type"), message)


def _step(part: int | str) -> str:
    if isinstance(part, str) and re.fullmatch(r"[\w-]+", part):
        return f".{part}"
    return f"[{json.dumps(part)}]"


_TAGS = frozenset(PREFIX + kind for kind in KINDS)
