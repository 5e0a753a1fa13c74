"""Plain values that the tests of the core are made of: moments, events, contacts, an organisation, and records as they arrive."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson

from pipeline.answers import AnswerTuple, StoredAnswer, named_by
from pipeline.assignment import Assignment, Rows
from pipeline.configured import Configured
from pipeline.contacts import EventTuple, digest
from pipeline.contributions import Judged, Net, of_answer, of_contact
from pipeline.decode import AnswerKey, ContactKey, Decoded, Record, decode
from pipeline.held import StoredContact
from pipeline.known import Known, hash_of
from pipeline.norms import Outcome
from pipeline.rolling import LONGEST, Sums
from pipeline.rows import ANSWERS, CONTACTS, Row, answers_of, events_of, links_of
from pipeline.timeline import Timeline
from schemas import batch
from schemas.events import PREFIX
from schemas.organisation import Organisation
from schemas.partitions import partition_of
from schemas.types import iso

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NAME = "voorbeeldstad"
PBX, PBX_2, CRM = "urn:nld:oin:1:systeem:pbx", "urn:nld:oin:1:systeem:pbx-2", "urn:nld:oin:1:systeem:crm"


def ms(text: str) -> int:
    """Epoch milliseconds of a local time in Amsterdam, or of one with an offset."""
    at = datetime.fromisoformat(text)
    return round((at if at.tzinfo else at.replace(tzinfo=AMSTERDAM)).timestamp() * 1000)


NINE = ms("2026-03-02T09:00")
"""A Monday morning."""


def event(kind: str, at: int, id: str = "", source: str = PBX, time: int | None = None, **data: Any) -> EventTuple:  # noqa: A002
    """An event inside the core; its id is made of kind and moment unless one is given."""
    return (at, source, id or f"{kind}-{at}", digest(f"contact.{kind}", at, data), at if time is None else time, kind, data)


def timeline(*events: EventTuple) -> Timeline:
    """What events say together."""
    return Timeline(sorted(events))


def norm(**fields: Any) -> dict[str, Any]:
    """A norm as YAML holds it: calls answered within 45 seconds of queueing, unless other fields are given."""
    return {
        "id": "n",
        "title": {"nl": "n", "en": "n"},
        "applies_to": {"channels": ["telephone"]},
        "clock": "elapsed",
        "threshold": "45s",
        "start": "queued",
        "stop": "answered",
        "source": "invented",
        **fields,
    }


def organisation(*norms: dict[str, Any], **fields: Any) -> Organisation:
    """A small municipality with two systems, one of them with two sources, and two versions of a questionnaire."""
    aspects = {"overall": {"title": {"nl": "o", "en": "o"}, "target": 7.5}, "ease": {"title": {"nl": "g", "en": "e"}}}
    questionnaire = {"title": {"nl": "q", "en": "q"}, "aspects": aspects}
    document = {
        "organisation": NAME,
        "title": {"nl": "V", "en": "V"},
        "systems": {"pbx": {"sources": [PBX, PBX_2]}, "crm": {"sources": [CRM]}},
        "channels": {"telephone": {}, "email": {}},
        "norms": list(norms),
        "instruments": {
            "na-contact": [
                {**questionnaire, "version": 1, "scale": {"minimum": 1, "maximum": 10}},
                {**questionnaire, "version": 2, "scale": {"minimum": 0, "maximum": 8}},
            ]
        },
        "minimum_n": 2,
    }
    return Organisation.model_validate({**document, **fields})


BOTH, EMAIL = {"channels": ["telephone", "email"]}, {"channels": ["email"]}
CONFIGURED = {
    NAME: Configured.of(
        organisation(
            norm(denominator="offered", short_abandon="5s", target=0.8),
            norm(id="2wd", applies_to=BOTH, clock="working-days", threshold="2wd", start="opened", stop="closed"),
            norm(id="given", applies_to=EMAIL, clock="given", threshold=None, start="opened", stop=["responded", "closed"]),
        ),
        generation=3,
    )
}


def wire(kind: str, at: int, id: str = "", source: str = PBX, time: int | None = None, **data: Any) -> dict[str, Any]:  # noqa: A002
    """An event as a producer sends it; `kind` in full (`contact.opened`, `survey.answered`)."""
    return {
        "specversion": "1.0",
        "id": id or f"{kind}-{data.get('contact', '')}-{at}",
        "source": source,
        "type": PREFIX + kind,
        "time": iso(at if time is None else time),
        "data": {"occurred_at": iso(at), **data},
    }


def answer(at: int, grade: float, name: str = "a1", revision: int = 0, time: int | None = None, **data: Any) -> dict[str, Any]:
    """A survey answer as a producer sends it."""
    items = {"overall": grade}
    fields = {"instrument": "na-contact", "version": 1, "answer": name, "revision": revision, "status": "complete", "items": items}
    return wire("survey.answered", at, f"{name}-{revision}-{at}-{grade}", time=time, **{**fields, **data})


def record(events: Sequence[Any] | bytes, offset: int = 0, appended: int = NINE + 300 * DAY, **fields: Any) -> Record:
    """A record of the organisation as it arrives; `fields` replace its key, headers, value or partition."""
    value = events if isinstance(events, bytes) else orjson.dumps(list(events))
    usual = {"partition": partition_of(NAME), "key": NAME.encode(), "value": value, "headers": batch.headers(NAME)}
    return Record("contact-events", offset=offset, appended_ms=appended, **{**usual, **fields})


def decoded(events: Sequence[dict[str, Any]], offset: int = 0) -> Decoded:
    """What a record of valid events holds."""
    found = decode(record(events, offset), CONFIGURED)
    assert not found.rejects
    return found


class Shelf:
    """What a store keeps of the rows it is given: per key the row of the highest version, of equal ones the last."""

    def __init__(self) -> None:
        self.contacts: dict[ContactKey, Row] = {}
        self.answers: dict[AnswerKey, Row] = {}

    def write(self, rows: Rows) -> None:
        for table, kept in (("contacts", self.contacts), ("survey_answers", self.answers)):
            for row in rows.tables.get(table, ()):
                if row[:3] not in kept or kept[row[:3]][3] <= row[3]:
                    kept[row[:3]] = row

    def content(self, with_version: bool = False) -> dict[tuple[str, ...], Row]:
        """The rows by key, without appended_at, writer and offset, which depend on who wrote them when; the version only when asked for."""
        rows: dict[tuple[str, ...], Row] = dict(self.contacts.items())
        rows |= {("answer", *key): row for key, row in self.answers.items()}
        return {key: (row[3 if with_version else 4 :])[:-3] for key, row in rows.items()}

    def look_up(self, contacts: Iterable[ContactKey], answers: Iterable[AnswerKey]) -> tuple[list[StoredContact], list[StoredAnswer]]:
        return (
            [stored_contact(self.contacts[key]) for key in contacts if key in self.contacts],
            [stored_answer(self.answers[key]) for key in answers if key in self.answers],
        )

    def minutes(self) -> dict[tuple[str, str, int], tuple[int, ...]]:
        """Sums per (channel, measure, minute), recomputed from every row."""
        net = Net()
        contacts = {key: stored_contact(row) for key, row in self.contacts.items()}
        for stored in contacts.values():
            net.add(stored.judged.channel, of_contact(stored.judged), 1)
        for key, row in self.answers.items():
            value = stored_answer(row).value
            named = named_by(value) if value is not None else None
            contact = contacts.get((key[0], *named)) if named is not None else None
            net.add(*of_answer(value, contact.judged.channel if contact is not None else ""), 1)
        return {(channel, measure, minute): (n, total, squares) for channel, measure, minute, n, total, squares in net.deltas()}

    def assignment(self, writer: int, start: int, as_of: int) -> Assignment:
        """The state that a worker computes after an assignment."""
        contributions = ((*key, *sums) for key, sums in self.minutes().items() if key[2] > as_of - LONGEST)
        contacts, answers = (Known(np.array([hash_of(key) for key in kept], dtype=np.uint64)) for kept in (self.contacts, self.answers))
        sums = {NAME: Sums.load(as_of, contributions)}  # type: ignore[arg-type]
        unacknowledged = (self._past(self.contacts, start), self._past(self.answers, start))
        return Assignment(writer, {partition_of(NAME): start}, CONFIGURED, sums, contacts, answers, unacknowledged, self.naming(start))

    def naming(self, start: int) -> list[tuple[AnswerKey, ContactKey]]:
        """Which contacts the answers name that were written at or past an offset."""
        found = [(key, stored_answer(row).value) for key, row in self.answers.items() if row[-1] >= start]
        return [(key, (key[0], *named_by(value))) for key, value in found if value is not None and named_by(value)]  # type: ignore[misc]

    @staticmethod
    def _past(rows: dict[tuple[str, str, str], Row], start: int) -> dict[tuple[str, str, str], int]:
        """Versions of the rows written at or past an offset (the last column)."""
        return {key: row[3] for key, row in rows.items() if row[-1] >= start}


def stored_contact(row: Row) -> StoredContact:
    """A contact as a look-up finds it, from its row."""
    named = dict(zip(CONTACTS, row, strict=True))
    outcomes = zip(*(named[f"outcomes.{field}"] for field in Outcome._fields), strict=True)
    judged = Judged(
        named["channel"], named["opened_at"], named["answered_at"], named["abandoned_at"], named["wait_ms"], named["role"],
        tuple(map(Outcome._make, outcomes)),
    )  # fmt: skip
    return StoredContact(
        row[:3], named["version"], events_of(named["timeline"]), links_of(named["links"]), answers_of(named["answers"]),
        named["confidential"], named["appended_at"], judged, named["writer"], named["offset"],
    )  # fmt: skip


def stored_answer(row: Row) -> StoredAnswer:
    """An answer as a look-up finds it, from its row."""
    named = dict(zip(ANSWERS, row, strict=True))
    if named["forgotten"]:
        return StoredAnswer(row[:3], named["version"], None, named["appended_at"], named["writer"], named["offset"])
    data: dict[str, Any] = {"instrument": named["instrument"], "version": named["instrument_version"], "status": named["status"]}
    texts = ("channel", "product", "team", "location", "segment", "wave", "invitation")
    data |= {name: named[name] for name in texts if named[name]}
    if named["contact"]:
        data["contact"] = {"system": named["contact_system"], "id": named["contact"]}
    data["items"] = {aspect: grade / 1000 for aspect, grade in zip(named["aspects"], named["grades"], strict=True)}
    if named["has_comment"]:
        data["has_comment"] = True
    value: AnswerTuple = (named["revision"], named["logged_at"], named["digest"], named["answered_at"], data)
    return StoredAnswer(row[:3], named["version"], value, named["appended_at"], named["writer"], named["offset"])
