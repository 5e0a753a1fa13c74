"""A contact is the merge of its events: a grow-only set keyed by (source, id, digest), and everything else derived from that set.

Merging is set union with a bound, so it is commutative, associative and idempotent. An event inside the core is the plain tuple
`(at_ms, source, id, digest, time_ms, kind, data)`: sorting a list of them *is* the merge order (docs/DESIGN.md, "Hot path").
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import orjson

EventTuple = tuple[int, str, str, str, int, str, dict[str, Any]]
"""(occurred_at in ms, source, id, digest, time in ms, kind without `contact.`, data without contact and occurred_at)."""

MAX_EVENTS = 200
"""Of more events than this the smallest by (occurred_at, source, id) count, with the defect `too_many_events`."""

ATTRIBUTES = ("channel", "via", "product", "team", "location", "segment", "direction", "complexity", "person", "link")
"""Attributes of a contact that are stored as text; the last writer by (occurred_at, source, id) wins."""


def digest(kind: str, at_ms: int, data: dict[str, Any]) -> str:
    """BLAKE2b-128, in hex, of the canonical JSON of kind, occurred_at and data: what an event says, whenever it was logged."""
    return blake2b(orjson.dumps([kind, at_ms, data], option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def merge(kept: list[EventTuple], new: Sequence[EventTuple]) -> tuple[list[EventTuple], int]:
    """The merged set, sorted, and how often it changed, counting event by event in the order of `new`.

    The count is the same however the events are cut into batches: versions of a row rest on it. Of one content logged at several
    times the earliest time stays, so that reading a source again changes nothing.
    """
    if kept and len(new) == 1 and new[0][0] > kept[-1][0] and len(kept) < MAX_EVENTS:
        return [*kept, new[0]], 1  # the usual case: the digest covers occurred_at, so a later event is none of those kept
    merged = kept + list(new)
    if len(merged) <= MAX_EVENTS:
        merged.sort()
        result: list[EventTuple] = []
        before: EventTuple | None = None
        for event in merged:
            if before is not None and event[3] == before[3] and event[2] == before[2] and event[1] == before[1]:
                if event[4] == before[4]:
                    continue
                return _merge_one_by_one(kept, new)
            result.append(event)
            before = event
        return result, len(result) - len(kept)
    return _merge_one_by_one(kept, new)


def _merge_one_by_one(kept: list[EventTuple], new: Iterable[EventTuple]) -> tuple[list[EventTuple], int]:
    """As `merge`, also past the bound and for one content logged at two times."""
    result, changes = list(kept), 0
    for event in new:
        same = next((other for other in result if other[3] == event[3] and other[2] == event[2] and other[1] == event[1]), None)
        if same is not None:
            if event[4] >= same[4]:
                continue
            result.remove(same)
        insort(result, event)
        # One more is kept than counts, so that "too many" can be told from the kept set alone.
        if len(result) > MAX_EVENTS + 1 and result.pop() is event:
            continue
        changes += 1
    return result, changes


def effective(kept: list[EventTuple]) -> tuple[list[EventTuple], list[str]]:
    """The events that count, in order, and the defects of the set: conflicting contents of one id, too many events."""
    defects = []
    if len(kept) > MAX_EVENTS:
        kept = kept[:MAX_EVENTS]
        defects.append("too_many_events")
    if len({event[2] for event in kept}) < len(kept) and len({(event[1], event[2]) for event in kept}) < len(kept):
        winner: dict[tuple[str, str], EventTuple] = {}
        for event in kept:
            rival = winner.get((event[1], event[2]))
            if rival is None or (rival[4], rival[3]) < (event[4], event[3]):
                winner[event[1], event[2]] = event
        kept = [event for event in kept if winner[event[1], event[2]] is event]
        defects.append("conflicting_event")
    return kept, defects


class Timeline:
    """What the effective events of a contact say, before any norm is applied. Times in ms; None where it did not happen (yet).

    `first` holds the first moment of each kind, `closed_at` the last close that no reopening follows, `left_at` the first time it left
    the queue without being answered, `due` a given deadline per norm.
    """

    __slots__ = ("attributes", "closed_at", "defects", "due", "events", "first", "left_at", "result", "wait_unknown", "withdrawn")

    def __init__(self, kept: list[EventTuple]) -> None:
        self.events, self.defects = effective(kept)
        self.attributes: dict[str, str] = {}
        self.first: dict[str, int] = {}
        self.due: dict[str, int] = {}
        self.closed_at: int | None = None
        self.result = ""
        self.wait_unknown = False
        self.withdrawn = False
        self.left_at: int | None = None
        first, attributes = self.first, self.attributes
        for at, _source, _id, _digest, _time, kind, data in self.events:
            if kind not in first:
                first[kind] = at
                if kind == "abandoned":
                    self.wait_unknown = data.get("wait_unknown", False)
            if kind == "opened" or kind == "corrected":
                for name, value in data.items():
                    if name == "deadlines":
                        self.due.update(value)
                    elif name == "same_as":
                        attributes[name] = f"{value['system']}/{value['id']}"
                    elif name == "appointment_at":
                        first[name] = value
                    else:
                        attributes[name] = value
            elif kind == "closed":
                self.closed_at, self.result = at, data.get("result", "")
            elif kind == "reopened":
                self.closed_at, self.result = None, ""
            elif kind == "transferred":
                attributes["team"] = data["team"]
            elif kind == "promised":
                self.due[data["norm"]] = data["due_at"]
            elif kind == "withdrawn" or kind == "forgotten":
                self.withdrawn = True
        if "answered" not in first:
            ends = [first[kind] for kind in ("abandoned", "left_queue") if kind in first]
            self.left_at = min(ends) if ends else None
        self._note_disorder()

    def _note_disorder(self) -> None:
        """A wrong order inside a contact is a defect, never a reject."""
        if self.events and self.events[0][5] == "opened":
            return  # they are sorted: nothing lies before it
        opened = self.first.get("opened")
        if opened is None:
            self.defects.append("not_opened")
            return
        if self.closed_at is not None and self.closed_at < opened:
            self.defects.append("closed_before_opened")
        if any(at < opened for kind, at in self.first.items() if kind not in ("closed", "appointment_at")):
            self.defects.append("event_before_opened")

    @property
    def wait_ms(self) -> int | None:
        """From the first queueing (or opening, where nothing was queued) to the answer; None when it is not known or negative."""
        answered = self.first.get("answered")
        start = self.first.get("queued", self.first.get("opened"))
        if answered is None or start is None or answered < start:
            return None
        return answered - start
