"""Stored rows beside what the oracle expects of them: rows by column name, as the core makes them or as ClickHouse returns them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.oracle.contacts import Contact, Key
from tests.oracle.days import instant
from tests.oracle.figures import Answer, Expected
from tests.oracle.norms import Outcome

Stored = Mapping[str, Any]
"""A row by column name; a time is epoch milliseconds or a datetime (one without a zone is in UTC)."""

_TEXTS = ("channel", "via", "product", "team", "location", "segment", "direction", "complexity", "person", "link")
_FACTS = ("opened_at", "answered_at", "abandoned_at", "left_at", "closed_at", "wait_ms")
_FIRST = {"queued_at": "queued", "acknowledged_at": "acknowledged", "responded_at": "responded"}
_TIMES = {"transfers": "transferred", "reopened": "reopened", "callbacks": "callback_requested"}
_OF_ANSWERS = ("channel", "product", "team", "location", "segment")
_OUTCOMES = ("version", "start", "deadline", "stop", "judged_at", "measured")


def disagreements(oracle: Expected, contacts: Mapping[Key, Stored], answers: Mapping[Key, Stored]) -> list[str]:
    """What stored contacts and answers say otherwise than they must, in words; contacts by (system, id), answers by (source, answer)."""
    # A mailbox only waits for a contact that others have named.
    known = {key: row for key, row in contacts.items() if row["role"] != "mailbox"}
    found = [f"contact {key} is stored and has no event" for key in known.keys() - oracle.contacts.keys()]
    found += [f"contact {key} is not stored" for key in oracle.contacts.keys() - known.keys()]
    found += [f"answer {key} is stored and never came" for key in answers.keys() - oracle.answers.keys()]
    found += [f"answer {key} is not stored" for key in oracle.answers.keys() - answers.keys()]
    for key in known.keys() & oracle.contacts.keys():
        found += [f"contact {key}: {what}" for what in _of_contact(known[key], oracle.contacts[key])]
    for key in answers.keys() & oracle.answers.keys():
        found += [f"answer {key}: {what}" for what in _of_answer(answers[key], oracle.answers[key])]
    return found


def _of_contact(row: Stored, contact: Contact) -> Iterator[str]:
    role = contact.role
    named = contact.attributes.get("same_as")
    if role == "unlinked" and named and (named["system"], named["id"]) != contact.key:
        # Whether the contact that it names is there, a row can't know; the views say it.
        role = "enriches"
    told: dict[str, Any] = {"role": role, "result": contact.result or "", "confidential": contact.confidential}
    told["appointment_at"] = contact.attributes.get("appointment_at")
    told |= {name: contact.attributes.get(name, "") for name in _TEXTS} | {name: getattr(contact, name) for name in _FACTS}
    told |= {name: contact.first(kind) for name, kind in _FIRST.items()} | {name: contact.times(kind) for name, kind in _TIMES.items()}
    yield from _compare(row, told)
    columns = {name: row[f"outcomes.{name}"] for name in (*_OUTCOMES, "excluded")}
    stored = {norm: {name: values[at] for name, values in columns.items()} for at, norm in enumerate(row["outcomes.norm"])}
    if len(stored) != len(row["outcomes.norm"]):
        yield f"a norm judges twice: {row['outcomes.norm']}"
    for norm in stored.keys() - contact.outcomes.keys():
        yield f"{norm} does not concern it: {stored[norm]}"
    for norm, outcome in contact.outcomes.items():
        yield from (f"{norm}: {what}" for what in _of_outcome(stored.get(norm), outcome))


def _of_outcome(stored: Stored | None, outcome: Outcome) -> Iterator[str]:
    if outcome.statistic != "share" and outcome.stop is None:
        # What never stopped of a mean or maximum counts nowhere; a row may leave it out, or name any reason.
        if stored is not None and stored["judged_at"] is not None:
            yield f"counts at {stored['judged_at']} and has not stopped"
    elif stored is None:
        yield f"is absent; expected {outcome}"
    else:
        yield from _compare(stored, {name: getattr(outcome, name) for name in _OUTCOMES})
        # Of several reasons the product names one.
        if stored["excluded"] not in (outcome.excluded or {""}):
            yield f"excluded because {stored['excluded']!r}, expected {set(outcome.excluded) or ''}"


def _of_answer(row: Stored, answer: Answer) -> Iterator[str]:
    """An answer by itself; what it inherits shows in the sums."""
    told: dict[str, Any] = {"forgotten": answer.forgotten}
    if not answer.forgotten:
        told |= {"revision": answer.revision, "answered_at": answer.answered_at}
        told |= {name: answer.data.get(name, "") for name in _OF_ANSWERS}
    grades = {} if answer.forgotten else answer.grades
    stored = dict(zip(row["aspects"], row["grades"], strict=True))
    if stored != grades:
        yield f"grades are {stored}, expected {grades}"
    yield from _compare(row, told)


def _compare(row: Stored, told: Mapping[str, Any]) -> Iterator[str]:
    for name, value in told.items():
        stored = row[name]
        if isinstance(stored, datetime):
            stored = instant((stored if stored.tzinfo else stored.replace(tzinfo=UTC)).isoformat())
        if stored != value:
            yield f"{name} is {stored!r}, expected {value!r}"
