"""From a Kafka record to the plain values of the core, and what is refused on the way."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from pydantic_core import from_json

from pipeline.answers import AnswerTuple
from pipeline.configured import Configured
from pipeline.contacts import EventTuple, digest
from pipeline.redaction import redact
from schemas import batch, bsn
from schemas.errors import InvalidEvent, InvalidRecord
from schemas.events import KINDS, PREFIX, Event
from schemas.partitions import PARTITIONS, partition_of
from schemas.types import iso

MAX_FUTURE_MS = 5 * 60_000
"""An event may lie this far after the moment its record was appended to the log: clocks differ; more is a wrong clock."""
MAX_KEPT_BYTES = 64 * 1024
"""How much of a refused original is kept."""

ContactKey = tuple[str, str, str]
"""(organisation, system, contact id in that system)."""
AnswerKey = tuple[str, str, str]
"""(organisation, CloudEvents source, answer id)."""

COMMENT_REVISION = 2**43
"""A comment's version is revision · this + time in ms (which is less): the greatest (revision, time) counts, as of the answer."""
_POSTCODE = re.compile(r"\s*([1-9]\d{3})\s?[A-Za-z]{2}\s*")
_KIND_OF_TYPE = {PREFIX + kind: kind for kind in KINDS}
_EMPTY: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record as it arrived. `appended_ms` is its LogAppendTime."""

    topic: str
    partition: int
    offset: int
    appended_ms: int
    key: bytes | None
    value: bytes | None
    headers: batch.Headers


@dataclass(frozen=True, slots=True)
class Reject:
    """Something refused. position is that of the event in its record, −1 for the whole record; original is cut at 64 KB."""

    record: Record
    position: int
    reason: str
    path: str
    message: str
    source: str
    original: bytes
    size: int
    sha256: str

    @property
    def connector(self) -> str:
        """Who sent the record, as its header `connector` says; "" without one."""
        named = next((value for name, value in self.record.headers if name == "connector"), None)
        return (named or b"").decode(errors="replace")[:64]


@dataclass(slots=True)
class Decoded:
    """What one record holds: events by contact in order of arrival, answers, and rows of what is only kept.

    named: the contacts that events and answers name, by `same_as` and `contact`.
    """

    record: Record
    organisation: str
    contacts: dict[ContactKey, list[EventTuple]] = field(default_factory=dict)
    named: list[ContactKey] = field(default_factory=list)
    answers: list[tuple[AnswerKey, AnswerTuple]] = field(default_factory=list)
    heartbeats: list[tuple[Any, ...]] = field(default_factory=list)
    gauges: list[tuple[Any, ...]] = field(default_factory=list)
    notices: list[tuple[Any, ...]] = field(default_factory=list)
    comments: list[tuple[Any, ...]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    events: int = 0
    raw: list[Any] | None = None


def decode(record: Record, organisations: Mapping[str, Configured]) -> Decoded:
    """Everything a record says. Never raises for what a producer sent: it is either in the lists or among the rejects."""
    try:
        content = batch.decode(record.value, record.key, record.headers)
        configured = _configured(content.organisation, record.partition, organisations)
    except InvalidRecord as error:
        claimed = (record.key or b"").decode(errors="replace")[:64]
        reject = _reject(record, -1, error.reason, "$", bsn.mask(error.message), "", _masked(record.value or b""))
        return Decoded(record, claimed, rejects=[reject])
    decoded = Decoded(record, content.organisation, events=len(content.events) + len(content.errors))
    events, errors = content.events, content.errors
    if bsn.may_hold(record.value or b""):
        refused = _refuse_citizen_numbers(decoded, configured)
        events = [event for event in events if event[0] not in refused]
        errors = [fault for fault in errors if fault.position not in refused]
    for fault in errors:
        _add_reject(decoded, fault)
    _sort_out(decoded, events, configured)
    return decoded


def _refuse_citizen_numbers(decoded: Decoded, configured: Configured) -> set[int]:
    """Refuse every event in which a citizen service number stands, whatever else may be wrong with it; the positions of those."""
    refused = set()
    for position, event in enumerate(_raw(decoded)):
        path = next(bsn.paths(event, configured.exempt_from_bsn(event)), None)
        if path is not None:
            message = "a citizen service number (BSN) stands here; measuring never needs it, leave it in the source system"
            _add_reject(decoded, InvalidEvent(position, path, "bsn", message))
            refused.add(position)
    return refused


def _masked(value: bytes) -> bytes:
    """A record that could not be read event by event, without citizen service numbers."""
    if not bsn.may_hold(value):
        return value
    text = re.sub(r"\\u003([0-9])", r"\1", value.decode(errors="surrogateescape"))
    return bsn.mask(text).encode(errors="surrogateescape")


def _configured(organisation: str, partition: int, organisations: Mapping[str, Configured]) -> Configured:
    """The organisation of a record. Raises InvalidRecord when there is none, or when it belongs in another partition.

    There its contacts would be taken as new, by a worker that never saw them.
    """
    configured = organisations.get(organisation)
    if configured is None:
        message = f"there is no organisation {organisation[:64]!r}; add its YAML file to the organisations directory"
        raise InvalidRecord("unknown_organisation", message)
    right = partition_of(organisation)
    if partition != right:
        message = f"{organisation!r} belongs in partition {right}, not in {partition}: crc32 of the slug modulo {PARTITIONS}; send it there"
        raise InvalidRecord("wrong_partition", message)
    return configured


def _sort_out(decoded: Decoded, events: list[tuple[int, Event]], configured: Configured) -> None:
    organisation, record = decoded.organisation, decoded.record
    latest, systems, channels, contacts = record.appended_ms + MAX_FUTURE_MS, configured.systems, configured.channels, decoded.contacts
    for position, event in events:
        speaker = systems.get(event["source"])
        data = event["data"]
        at = data.pop("occurred_at")
        kind = _KIND_OF_TYPE[event["type"]]
        channel = data.get("channel")
        if speaker is None or at > latest or event["time"] > latest or (channel is not None and channel not in channels):
            _refuse(decoded, position, event, at, speaker is None, latest)
            continue
        if "location" in data or "segment" in data:
            _cut_postcodes(data)
        system, source = speaker
        if kind.startswith("contact."):
            key = (organisation, system, data.pop("contact"))
            if "same_as" in data:
                decoded.named.append((organisation, data["same_as"]["system"], data["same_as"]["id"]))
            content = (at, source, event["id"], digest(kind, at, data), event["time"], kind[8:], data or _EMPTY)
            if key in contacts:
                contacts[key].append(content)
            else:
                contacts[key] = [content]
        elif kind == "survey.answered":
            fault = _fault_of_answer(position, data, configured)
            if fault is None:
                _take_answer(decoded, event, at, data, configured)
            else:
                _add_reject(decoded, fault)
        else:
            _keep(decoded, kind, event, at, data)


def _cut_postcodes(data: dict[str, Any]) -> None:
    """A full postcode names a street; its four digits are enough."""
    for name in ("location", "segment"):
        if name in data and (postcode := _POSTCODE.fullmatch(data[name])):
            data[name] = postcode[1]


def _take_answer(decoded: Decoded, event: Event, at: int, data: dict[str, Any], configured: Configured) -> None:
    key = (decoded.organisation, event["source"], data.pop("answer"))
    revision = data.pop("revision")
    comment = data.pop("comment", "").strip()
    if comment:
        data["has_comment"] = True
    if configured.instruments[data["instrument"], data["version"]].comments == "stored" and (comment or revision):
        version = revision * COMMENT_REVISION + event["time"]
        decoded.comments.append((*key, version, data["instrument"], data["version"], at, redact(comment)))
    if "contact" in data:
        decoded.named.append((decoded.organisation, data["contact"]["system"], data["contact"]["id"]))
    decoded.answers.append((key, (revision, event["time"], digest("survey.answered", at, data), at, data)))


def _keep(decoded: Decoded, kind: str, event: Event, at: int, data: dict[str, Any]) -> None:
    """Rows of what no figure is computed from here: gauges, heartbeats, and notices (invitations, markers, incidents)."""
    organisation = decoded.organisation
    if kind == "channel.observed":
        queue = data.get("queue", "")
        seen = (at, event["time"])
        decoded.gauges.extend((organisation, data["channel"], queue, gauge, *seen, value) for gauge, value in data["gauges"].items())
    elif kind == "connector.observed":
        decoded.heartbeats.append(
            (organisation, data["connector"], event["source"], at, data.get("last_read_at"), data.get("lag_s"), data.get("cursor", ""))
        )
    else:
        text = orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()
        decoded.notices.append((organisation, kind, event["source"], event["id"], digest(kind, at, data), at, event["time"], text))


def _fault_of_answer(position: int, data: dict[str, Any], configured: Configured) -> InvalidEvent | None:
    """Why an answer can't be counted: its instrument, an aspect, or a value off the scale."""
    name, version = data["instrument"], data["version"]
    instrument = configured.instruments.get((name, version))
    if instrument is None:
        return InvalidEvent(
            position,
            "$.data.instrument",
            "unknown_instrument",
            f"there is no instrument {name!r} version {version}; add it to the organisation's file",
        )
    for aspect, value in data["items"].items():
        if aspect not in instrument.aspects:
            return InvalidEvent(
                position, f"$.data.items.{aspect}", "unknown_aspect", f"instrument {name!r} version {version} has no aspect {aspect!r}"
            )
        scale = instrument.scale_of(aspect)
        if not scale.minimum <= value <= scale.maximum:
            limits = f"{scale.minimum:g} to {scale.maximum:g}"
            return InvalidEvent(
                position, f"$.data.items.{aspect}", "off_scale", f"{value:g} lies off the scale of {name!r} version {version}: {limits}"
            )
    return None


def _refuse(decoded: Decoded, position: int, event: Event, at: int, foreign: bool, latest: int) -> None:
    organisation = decoded.organisation
    if foreign:
        fault = InvalidEvent(
            position,
            "$.source",
            "foreign_source",
            f"{event['source']!r} may not speak for {organisation!r}; add it to a system in the organisation's file",
        )
    elif max(at, event["time"]) > latest:
        path, moment = ("$.data.occurred_at", at) if at > latest else ("$.time", event["time"])
        message = f"{iso(moment)} is more than 5 minutes after its record arrived; check the clock and zone of the source"
        fault = InvalidEvent(position, path, "future", message)
    else:
        channel = event["data"]["channel"]
        fault = InvalidEvent(
            position,
            "$.data.channel",
            "unknown_channel",
            f"{organisation!r} does not use channel {channel!r}; add it to the organisation's file",
        )
    _add_reject(decoded, fault)


def _raw(decoded: Decoded) -> list[Any]:
    """The events as the source sent them, as the validator reads them: NaN and all."""
    if decoded.raw is None:
        decoded.raw = from_json(decoded.record.value or b"[]")
    return decoded.raw


def _add_reject(decoded: Decoded, fault: InvalidEvent) -> None:
    """Refuse one event, keeping its JSON: the values that the source sent, without its white space, citizen service numbers masked."""
    event = _raw(decoded)[fault.position]
    if fault.reason == "bsn":
        event = bsn.masked(event)
    source = event.get("source") if isinstance(event, dict) else None
    named = source[:200] if isinstance(source, str) else ""
    original = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    decoded.rejects.append(_reject(decoded.record, fault.position, fault.reason, fault.path, fault.message, named, original))


def _reject(record: Record, position: int, reason: str, path: str, message: str, source: str, original: bytes) -> Reject:
    return Reject(
        record, position, reason, path, message[:1000], source, original[:MAX_KEPT_BYTES], len(original), sha256(original).hexdigest()
    )
