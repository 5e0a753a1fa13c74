"""Contacts out of events: what counts of conflicting contents, attributes, links between systems, secrets and oblivion."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.days import Calendar
from tests.oracle.door import Seen, Wire
from tests.oracle.norms import Outcome, outcomes

Key = tuple[str, str]
"""(system, id) of a contact; (source, answer) of an answer."""

ATTRIBUTES = (
    "channel", "via", "product", "team", "location", "segment", "direction", "complexity", "appointment_at", "term_starts_at", "person",
    "same_as", "link",
)  # fmt: skip
SECRET = ("product", "team", "location", "segment", "via", "person", "link", "same_as")
"""What is removed of a confidential contact."""

_TOGETHER = {"contact.reopened": "contact.closed", "contact.resumed": "contact.paused", "contact.called_back": "contact.callback_requested"}
"""Kinds that only mean something together with another: who tells of the one is believed about both."""

MOST_EVENTS = 200
"""The first ones, after those that withdraw a contact or make it confidential."""


@dataclass
class Contact:
    """What the events of one contact say together."""

    key: Key
    own: list[Seen]
    attributes: dict[str, Any] = field(default_factory=dict)
    deadlines: dict[str, int] = field(default_factory=dict)
    events: list[Seen] = field(default_factory=list)
    role: str = "counts"
    """`counts`; `enriches` another; `unlinked`: of a system that does not lead its channel, and enriches none; `unknown` while nobody told
    its channel; `withdrawn`; `forgotten`. All but the first count for nothing."""
    confidential: bool = False
    conflicting: bool = False
    inherited_result: str | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def first(self, kind: str) -> int | None:
        """When it happened first."""
        return next((one.at for one in self.events if one.kind == f"contact.{kind}"), None)

    @property
    def channel(self) -> str | None:
        return self.attributes.get("channel")

    @property
    def opened_at(self) -> int | None:
        return self.first("opened")

    @property
    def answered_at(self) -> int | None:
        return self.first("answered")

    @property
    def abandoned_at(self) -> int | None:
        """When it gave up; None for one that was answered all the same."""
        return self.first("abandoned") if self.answered_at is None else None

    @property
    def left_at(self) -> int | None:
        """When it gave up or left the queue otherwise; None for one that was answered."""
        ends = [at for at in (self.first("abandoned"), self.first("left_queue")) if at is not None]
        return min(ends) if ends and self.answered_at is None else None

    def times(self, kind: str) -> int:
        """How often it happened."""
        return sum(one.kind == f"contact.{kind}" for one in self.events)

    @property
    def close(self) -> Seen | None:
        """The last close that no reopening follows."""
        last = [one for one in self.events if one.kind in ("contact.closed", "contact.reopened")][-1:]
        return last[0] if last and last[0].kind == "contact.closed" else None

    @property
    def closed_at(self) -> int | None:
        return self.close.at if self.close else None

    @property
    def result(self) -> str | None:
        """What it was closed as."""
        return self.close.data.get("result", self.inherited_result) if self.close else None

    @property
    def wait_ms(self) -> int | None:
        """From the first queue (else the opening) to the first answer; None when unknown or negative."""
        start = self.first("queued")
        start = self.opened_at if start is None else start
        if start is None or self.answered_at is None or self.answered_at < start:
            return None
        return self.answered_at - start

    @property
    def forgotten(self) -> bool:
        return self.role == "forgotten"

    @property
    def counted(self) -> bool:
        return self.role == "counts"


def contacts(events: Iterable[Seen], organisation: Wire, calendar: Calendar) -> dict[Key, Contact]:
    """Every contact that has an event of its own, forgotten ones included."""
    system_of = {source: slug for slug, system in organisation["systems"].items() for source in system["sources"]}
    told: dict[Key, list[Seen]] = defaultdict(list)
    for one in events:
        if one.kind.startswith("contact."):
            told[system_of[one.source], one.data["contact"]].append(one)
    found = {key: _alone(key, own) for key, own in told.items()}
    _link(found, organisation)
    for contact in found.values():
        if contact.counted:
            contact.outcomes = outcomes(contact, organisation, calendar)
    return found


def effective(events: list[Seen]) -> tuple[list[Seen], bool]:
    """One content an event id, in order, and whether any had several: of each content the earliest logging, of those the latest.

    Of too many contents only the first are looked at.
    """
    contents: dict[tuple[str, str], dict[str, Seen]] = defaultdict(dict)
    for one in events:
        same = contents[one.source, one.id]
        content = json.dumps([one.kind, one.at, one.data], sort_keys=True)
        if content not in same or one.time < same[content].time:
            same[content] = one
    many = sorted((one for same in contents.values() for one in same.values()), key=lambda one: (not _takes_out(one), one.order))
    standing: dict[tuple[str, str], Seen] = {}
    for one in many[:MOST_EVENTS]:
        rival = standing.setdefault((one.source, one.id), one)
        standing[one.source, one.id] = max(rival, one, key=lambda either: either.time)
    return sorted(standing.values(), key=lambda one: one.order), len(standing) < min(len(many), MOST_EVENTS)


def _takes_out(one: Seen) -> bool:
    return one.kind == "contact.withdrawn" or bool(one.data.get("confidential"))


def _alone(key: Key, told: list[Seen]) -> Contact:
    """A contact by its own events."""
    if any(one.kind == "contact.forgotten" for one in told):
        return Contact(key, [], role="forgotten")
    own, conflicting = effective(told)
    contact = Contact(key, own, conflicting=conflicting)
    contact.events = contact.own
    contact.confidential = any(one.data.get("confidential") for one in contact.own)
    for one in contact.own:
        if one.kind in ("contact.opened", "contact.corrected"):
            contact.attributes |= {name: one.data[name] for name in ATTRIBUTES if name in one.data}
            contact.deadlines |= one.data.get("deadlines", {})
        elif one.kind == "contact.transferred":
            contact.attributes["team"] = one.data["team"]
        elif one.kind == "contact.promised":
            contact.deadlines[one.data["norm"]] = one.data["due_at"]
    if contact.confidential:
        _keep_secret(contact)
    return contact


def _keep_secret(contact: Contact) -> None:
    for name in SECRET:
        contact.attributes.pop(name, None)


def _link(found: dict[Key, Contact], organisation: Wire) -> None:
    """Give each contact its role, and what other systems know of those that they name."""
    enriching: dict[Key, list[Contact]] = defaultdict(list)
    for key, contact in sorted(found.items()):
        if contact.forgotten:
            continue
        leading = (organisation["channels"].get(contact.channel or "") or {}).get("leading_system")
        if any(one.kind == "contact.withdrawn" for one in contact.own):
            contact.role = "withdrawn"
        elif contact.channel is None or leading not in (None, key[0]):
            named = contact.attributes.get("same_as")
            target = found.get((named["system"], named["id"])) if named else None
            if target is not None and target is not contact and not target.forgotten:
                contact.role = "enriches"
                enriching[target.key].append(contact)
            else:
                contact.role = "unlinked" if named or contact.channel else "unknown"
    # What is inherited is what the others know by themselves: taken from all before any is changed.
    inherited = {key: [(dict(one.attributes), dict(one.deadlines), one.result, one.own) for one in many] for key, many in enriching.items()}
    for key, many in inherited.items():
        _inherit(found[key], many)


def _inherit(contact: Contact, others: list[tuple[dict[str, Any], dict[str, int], str | None, list[Seen]]]) -> None:
    kinds = {_TOGETHER.get(one.kind, one.kind) for one in contact.own} | {"contact.opened"}
    events = list(contact.own)
    for attributes, deadlines, result, own in others:
        for name, value in attributes.items():
            if name not in ("channel", "same_as"):
                contact.attributes.setdefault(name, value)
        for norm, due in deadlines.items():
            contact.deadlines.setdefault(norm, due)
        contact.inherited_result = contact.inherited_result or result
        events += [one for one in own if _TOGETHER.get(one.kind, one.kind) not in kinds]
        kinds |= {_TOGETHER.get(one.kind, one.kind) for one in own}
    contact.events = sorted(events, key=lambda one: one.order)
    if contact.confidential:
        _keep_secret(contact)
