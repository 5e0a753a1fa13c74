"""Rows as ClickHouse stores them: one column list and one builder a table. Times are epoch milliseconds, minutes epoch minutes."""

from typing import Any

import orjson

from pipeline.answers import AnswerTuple, thousandths
from pipeline.contacts import EventTuple
from pipeline.contributions import Judged
from pipeline.decode import AnswerKey, ContactKey, Reject
from pipeline.held import Answers, Contact, Links
from pipeline.norms import Outcome
from pipeline.rolling import Figure
from pipeline.timeline import Timeline
from pipeline.versions import TOMBSTONE

Row = tuple[Any, ...]

CONTACTS = (
    "organisation", "system", "contact", "version", "channel", "via", "product", "team", "location", "segment", "direction", "complexity",
    "person", "link", "same_as", "result", "opened_at", "queued_at", "answered_at", "abandoned_at", "left_at", "left_reason", "closed_at",
    "last_at", "appointment_at", "acknowledged_at", "responded_at", "last_word_at", "suspended_at", "callback_open_at", "callbacks",
    "callbacks_settled", "transfers", "reopened", "wait_ms", "handling_ms", "withdrawn", "role", "confidential", "timeline", "links",
    "answers", "outcomes.norm", "outcomes.version", "outcomes.start", "outcomes.deadline", "outcomes.stop", "outcomes.judged_at",
    "outcomes.excluded", "outcomes.measured", "defects", "appended_at", "writer", "offset",
)  # fmt: skip
ANSWERS = (
    "organisation", "source", "answer", "version", "instrument", "instrument_version", "revision", "status", "channel", "product", "team",
    "location", "segment", "wave", "invitation", "contact_system", "contact", "answered_at", "logged_at", "digest", "aspects", "grades",
    "has_comment", "forgotten", "appended_at", "writer", "offset",
)  # fmt: skip
ROLLING = (
    "organisation", "channel", "measure", "window", "as_of", "version", "n", "total", "squares", "value", "low", "high", "target",
    "attainment",
)  # fmt: skip
REJECTS = (
    "topic", "partition", "offset", "position", "organisation", "source", "reason", "path", "message", "original", "size", "sha256",
    "appended_at", "connector",
)  # fmt: skip
HEARTBEATS = ("organisation", "connector", "source", "observed_at", "last_read_at", "lag_s", "cursor")
GAUGE_READINGS = ("organisation", "channel", "queue", "gauge", "observed_at", "logged_at", "value")
TOMBSTONES = ("organisation", "table", "second", "third")
NOTICES = ("organisation", "kind", "source", "id", "digest", "occurred_at", "logged_at", "data")

COMMENTS = ("organisation", "source", "answer", "version", "instrument", "instrument_version", "answered_at", "comment")

COLUMNS: dict[str, tuple[str, ...]] = {
    "rejects": REJECTS,
    "heartbeats": HEARTBEATS,
    "gauge_readings": GAUGE_READINGS,
    "notices": NOTICES,
    "comments": COMMENTS,
    "tombstones": TOMBSTONES,
    "rolling": ROLLING,
    "survey_answers": ANSWERS,
    "contacts": CONTACTS,
}
"""Tables in the order in which one batch is written: contacts last, their row is the commit mark."""


def judged_of(timeline: Timeline, role: str, outcomes: tuple[Outcome, ...]) -> Judged:
    """What figures need of a contact, as its row will hold it."""
    first = timeline.first
    answered = first.get("answered")
    return Judged(
        timeline.attributes.get("channel", ""),
        first.get("opened"),
        answered,
        first.get("abandoned") if answered is None else None,
        timeline.wait_ms,
        role,
        outcomes,
    )


def contact_row(key: ContactKey, version: int, contact: Contact, timeline: Timeline, judged: Judged, writer: int, offset: int) -> Row:
    """A row of `contacts`. The timeline is one JSON string: nested columns cost three times as much to write."""
    attributes, first, events = timeline.attributes.get, timeline.first, contact.events
    outcomes = tuple(zip(*judged.outcomes, strict=True)) if judged.outcomes else ((),) * 8
    return (
        *key, version, judged.channel, attributes("via", ""), attributes("product", ""), attributes("team", ""), attributes("location", ""),
        attributes("segment", ""), attributes("direction", ""), attributes("complexity", ""), attributes("person", ""),
        attributes("link", ""), _named(timeline), timeline.result, judged.opened_at,
        first.get("queued"), judged.answered_at, judged.abandoned_at, timeline.left_at, timeline.left_reason, timeline.closed_at,
        contact.last_at, first.get("appointment_at"), first.get("acknowledged"), first.get("responded"),
        timeline.last_word_at, timeline.suspended_at, timeline.callback_open_at, timeline.callbacks, timeline.callbacks_settled,
        timeline.transfers, timeline.reopened, judged.wait_ms, timeline.handling_ms, timeline.withdrawn, judged.role,
        contact.confidential, orjson.dumps(events).decode(), _links(contact.links), _answers(contact.answers),
        *outcomes, tuple(timeline.defects), contact.appended_at, writer, offset,
    )  # fmt: skip


def _named(timeline: Timeline) -> str:
    return "/".join(timeline.same_as) if timeline.same_as and not timeline.confidential else ""


def _links(links: Links) -> str:
    return orjson.dumps([[*key, *link] for key, link in sorted(links.items())]).decode() if links else ""


def _answers(answers: Answers) -> str:
    return orjson.dumps(sorted(answers)).decode() if answers else ""


def events_of(timeline: str) -> list[EventTuple]:
    """The events of a stored timeline."""
    return [tuple(event) for event in orjson.loads(timeline)]


def links_of(links: str) -> Links:
    """The stored contacts that name this one."""
    found = orjson.loads(links) if links else ()
    return {(system, name): (changes, [tuple(event) for event in events]) for system, name, changes, events in found}


def answers_of(answers: str) -> Answers:
    """The stored answers that named this contact."""
    return {(source, answer) for source, answer in orjson.loads(answers)} if answers else set()


def answer_row(key: AnswerKey, version: int, value: AnswerTuple, appended_at: int, writer: int, offset: int) -> Row:
    """A row of `survey_answers`; grades are in thousandths, in the order of aspects."""
    revision, logged_at, digest, answered_at, data = value
    contact = data.get("contact", {})
    return (
        *key, version, data["instrument"], data["version"], revision, data["status"], data.get("channel", ""), data.get("product", ""),
        data.get("team", ""), data.get("location", ""), data.get("segment", ""), data.get("wave", ""), data.get("invitation", ""),
        contact.get("system", ""), contact.get("id", ""), answered_at, logged_at, digest, tuple(data["items"]),
        tuple(map(thousandths, data["items"].values())), bool(data.get("has_comment", False)), False, appended_at, writer, offset,
    )  # fmt: skip


def forgotten_answer_row(key: AnswerKey, appended_at: int, writer: int, offset: int) -> Row:
    """What is left of an answer whose contact was forgotten: its key."""
    empty = ("",) * 10
    return (*key, TOMBSTONE, "", 0, 0, *empty, 0, 0, "", (), (), False, True, appended_at, writer, offset)


def reject_row(reject: Reject) -> Row:
    """A row of `rejects`."""
    record = reject.record
    claimed = (record.key or b"").decode(errors="replace")[:64]
    return (
        record.topic, record.partition, record.offset, reject.position, claimed, reject.source, reject.reason, reject.path, reject.message,
        reject.original.decode(errors="replace"), reject.size, reject.sha256, record.appended_ms,
        reject.connector,
    )  # fmt: skip


def figure_row(organisation: str, figure: Figure, version: int, target: float | None, attainment: str) -> Row:
    """A row of `rolling`; as_of in epoch seconds."""
    return (
        organisation, figure.channel, figure.measure, figure.window, figure.as_of * 60, version, figure.n, figure.total, figure.squares,
        figure.value, figure.low, figure.high, target, attainment,
    )  # fmt: skip
