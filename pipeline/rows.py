"""Rows as ClickHouse stores them: one column list and one builder a table. Times are epoch milliseconds, minutes epoch minutes."""

from typing import Any

import orjson

from pipeline.answers import AnswerTuple, thousandths
from pipeline.contacts import EventTuple, Timeline
from pipeline.contributions import Judged
from pipeline.decode import AnswerKey, ContactKey, Reject
from pipeline.norms import Outcome
from pipeline.rolling import Figure

Row = tuple[Any, ...]

CONTACTS = (
    "organisation", "system", "contact", "version", "channel", "via", "product", "team", "location", "segment", "direction", "complexity",
    "person", "link", "same_as", "result", "opened_at", "queued_at", "answered_at", "abandoned_at", "left_at", "closed_at", "wait_ms",
    "withdrawn", "timeline", "outcomes.norm", "outcomes.version", "outcomes.start", "outcomes.deadline", "outcomes.stop",
    "outcomes.judged_at", "outcomes.excluded", "defects", "writer", "offset",
)  # fmt: skip
ANSWERS = (
    "organisation", "source", "answer", "version", "instrument", "instrument_version", "revision", "status", "channel", "product", "team",
    "segment", "wave", "invitation", "contact_system", "contact", "answered_at", "logged_at", "digest", "aspects", "grades",
    "has_comment", "writer", "offset",
)  # fmt: skip
ROLLING = (
    "organisation", "channel", "measure", "window", "as_of", "version", "n", "total", "squares", "value", "low", "high", "target",
    "attainment",
)  # fmt: skip
REJECTS = (
    "topic", "partition", "offset", "position", "organisation", "source", "reason", "path", "message", "original", "size", "sha256",
    "appended_at",
)  # fmt: skip
HEARTBEATS = ("organisation", "connector", "source", "observed_at", "last_read_at", "lag_s", "cursor")
GAUGES = ("organisation", "channel", "queue", "gauge", "observed_at", "value")
NOTICES = ("organisation", "kind", "source", "id", "digest", "occurred_at", "logged_at", "data")

COLUMNS: dict[str, tuple[str, ...]] = {
    "rejects": REJECTS,
    "heartbeats": HEARTBEATS,
    "gauges": GAUGES,
    "notices": NOTICES,
    "rolling": ROLLING,
    "survey_answers": ANSWERS,
    "contacts": CONTACTS,
}
"""Tables in the order in which one batch is written: contacts last, their row is the commit mark."""


def judged_of(timeline: Timeline, outcomes: tuple[Outcome, ...]) -> Judged:
    """What figures need of a contact, as its row will hold it."""
    first = timeline.first
    answered = first.get("answered")
    return Judged(
        timeline.attributes.get("channel", ""),
        first.get("opened"),
        answered,
        first.get("abandoned") if answered is None else None,
        timeline.wait_ms,
        timeline.withdrawn,
        outcomes,
    )


def contact_row(
    key: ContactKey, version: int, events: list[EventTuple], timeline: Timeline, judged: Judged, writer: int, offset: int
) -> Row:
    """A row of `contacts`. The timeline is one JSON string: nested columns cost three times as much to write."""
    attributes, first = timeline.attributes.get, timeline.first
    norms, versions, starts, deadlines, stops, judged_ats, excluded = zip(*judged.outcomes, strict=True) if judged.outcomes else ((),) * 7
    return (
        *key, version, judged.channel, attributes("via", ""), attributes("product", ""), attributes("team", ""), attributes("location", ""),
        attributes("segment", ""), attributes("direction", ""), attributes("complexity", ""), attributes("person", ""),
        attributes("link", ""), attributes("same_as", ""), timeline.result, judged.opened_at, first.get("queued"),
        judged.answered_at, judged.abandoned_at, timeline.left_at, timeline.closed_at, judged.wait_ms,
        judged.withdrawn, orjson.dumps(events).decode(), norms, versions, starts, deadlines, stops, judged_ats,
        excluded, tuple(timeline.defects), writer, offset,
    )  # fmt: skip


def events_of(timeline: str) -> list[EventTuple]:
    """The events of a stored timeline."""
    return [tuple(event) for event in orjson.loads(timeline)]


def answer_row(key: AnswerKey, version: int, value: AnswerTuple, writer: int, offset: int) -> Row:
    """A row of `survey_answers`; grades are in thousandths, in the order of aspects."""
    revision, logged_at, digest, answered_at, data = value
    contact = data.get("contact", {})
    return (
        *key, version, data["instrument"], data["version"], revision, data["status"], data.get("channel", ""), data.get("product", ""),
        data.get("team", ""), data.get("segment", ""), data.get("wave", ""), data.get("invitation", ""), contact.get("system", ""),
        contact.get("id", ""), answered_at, logged_at, digest, tuple(data["items"]), tuple(map(thousandths, data["items"].values())),
        bool(data.get("has_comment", False)), writer, offset,
    )  # fmt: skip


def reject_row(reject: Reject) -> Row:
    """A row of `rejects`."""
    record = reject.record
    claimed = (record.key or b"").decode(errors="replace")[:64]
    return (
        record.topic, record.partition, record.offset, reject.position, claimed, reject.source, reject.reason, reject.path, reject.message,
        reject.original.decode(errors="replace"), reject.size, reject.sha256, record.appended_ms,
    )  # fmt: skip


def figure_row(organisation: str, figure: Figure, version: int, target: float | None, attainment: str) -> Row:
    """A row of `rolling`; as_of in epoch seconds."""
    return (
        organisation, figure.channel, figure.measure, figure.window, figure.as_of * 60, version, figure.n, figure.total, figure.squares,
        figure.value, figure.low, figure.high, target, attainment,
    )  # fmt: skip
