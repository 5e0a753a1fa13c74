"""Deterministic ids and the envelope of events: reading a source again gives the same events, so nothing counts twice."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from connectors.protocol import WireEvent
from schemas.events import PREFIX
from schemas.types import iso


def event_id(*parts: str) -> str:
    """32 hex digits: BLAKE2b-128 of the parts, each preceded by its length in bytes, so that ("ab", "c") and ("a", "bc") differ.

    Use what identifies the event in its source (source or mapping, type, contact, a number within the contact), never a file name, a row
    number or the time of reading.
    """
    digest = blake2b(digest_size=16)
    for part in parts:
        text = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(text))
        digest.update(text)
    return digest.hexdigest()


def cloud_event(kind: str, source: str, identifier: str, time_ms: int, data: Mapping[str, Any]) -> WireEvent:
    """An event in wire form. `kind` is the type without its prefix, `time_ms` (epoch milliseconds) is when the source logged it."""
    return {
        "specversion": "1.0",
        "id": identifier,
        "source": source,
        "type": PREFIX + kind,
        "time": iso(time_ms),
        "data": dict(data),
    }
