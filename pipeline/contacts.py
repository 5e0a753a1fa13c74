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
"""Of more events than this the smallest by (occurred_at, source, id) count, with the defect `too_many_events`.

What takes a contact out of the figures or out of sight (`withdrawn`, `forgotten`, `confidential: true`) goes before all others.
"""


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
        try:
            merged.sort()
        except TypeError:  # one content, of which an older version kept less or more: their data, which have no order, were compared
            return _merge_one_by_one(kept, new)
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
        if len(result) > MAX_EVENTS + 1 and result.pop(_least_needed(result)) is event:
            continue
        changes += 1
    return result, changes


def _least_needed(events: Sequence[EventTuple]) -> int:
    """The position of the event to leave out of too many: the last that does not take the contact out, else the last."""
    return next((position for position in reversed(range(len(events))) if not _takes_out(events[position])), -1)


def _takes_out(event: EventTuple) -> bool:
    return event[5] in ("withdrawn", "forgotten") or bool(event[6].get("confidential"))


def effective(kept: list[EventTuple]) -> tuple[list[EventTuple], list[str]]:
    """The events that count, in order, and the defects of the set: conflicting contents of one id, too many events."""
    defects = []
    if len(kept) > MAX_EVENTS:
        kept = kept.copy()
        kept.pop(_least_needed(kept))
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


_KEPT_OF_CONFIDENTIAL = frozenset(
    {"channel", "direction", "complexity", "appointment_at", "term_starts_at", "deadlines", "confidential", "same_as", "result", "norm",
     "due_at", "reached", "wait_unknown", "automatic"}
)  # fmt: skip


def confidential(events: Iterable[EventTuple]) -> list[EventTuple]:
    """Events of a confidential contact without what is not needed to count it: no product, team, location, segment, person or link.

    The digest stays that of the whole event, so that the same event sent again is found to be the same.
    """
    return [(*event[:6], {key: value for key, value in event[6].items() if _is_kept(event[5], key)}) for event in events]


def _is_kept(kind: str, key: str) -> bool:
    return key in _KEPT_OF_CONFIDENTIAL or (kind == "left_queue" and key == "reason")
