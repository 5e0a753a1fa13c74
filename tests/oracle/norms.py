"""What a norm says of a contact: its start, deadline and stop, when it counts, and the reasons for which it may not."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.oracle.days import Calendar, as_date
from tests.oracle.terms import Clock, Turn, duration

if TYPE_CHECKING:
    from tests.oracle.contacts import Contact

_NEVER = date.max
ATTRIBUTE_MOMENTS = ("appointment_at", "term_starts_at")
_IN_THE_QUEUE = {"opened", "queued", *ATTRIBUTE_MOMENTS}
"""Leaving the queue ends the wait of norms that start there. Who left to voicemail and asked to be called back is owed the call."""


@dataclass(frozen=True)
class Outcome:
    """A norm's outcome for a contact; times in epoch ms, `measured` and `limit` in ms.

    `excluded`: every reason that holds; the product names one. `judged_at` is None with a reason, and where a mean or maximum has not
    stopped.
    """

    norm: str
    version: int
    statistic: str
    start: int
    deadline: int | None
    stop: int | None
    judged_at: int | None
    excluded: frozenset[str]
    measured: int | None
    limit: int | None

    @property
    def within(self) -> bool:
        if self.statistic == "max":
            return self.measured is not None and self.limit is not None and self.measured <= self.limit
        return self.stop is not None and self.deadline is not None and self.stop <= self.deadline


def outcomes(contact: "Contact", organisation: dict[str, Any], calendar: Calendar) -> dict[str, Outcome]:
    """By norm, for every norm that concerns the contact as it is known now."""
    found: dict[str, Outcome] = {}
    for norm in organisation.get("norms", ()):
        if not _concerns(norm["applies_to"], contact, organisation):
            continue
        start = _start(norm, contact)
        if start is None or not _valid(norm, calendar.day_of(start)):
            continue
        outcome = _judge(norm, _version(norm, organisation), start, contact, calendar)
        # Versions that start by different events may both be valid; a contact is judged by a norm once: by the earlier one.
        found[norm["id"]] = min(outcome, found.get(norm["id"], outcome), key=lambda one: one.version)
    return found


def _valid(norm: dict[str, Any], day: date) -> bool:
    return _since(norm) <= day < as_date(norm.get("valid", {}).get("to", _NEVER))


def _since(norm: dict[str, Any]) -> date:
    return as_date(norm.get("valid", {}).get("from", date.min))


def _version(norm: dict[str, Any], organisation: dict[str, Any]) -> int:
    """Its place among the versions of the norm, by date."""
    return len([other for other in organisation["norms"] if other["id"] == norm["id"] and _since(other) < _since(norm)]) + 1


def _concerns(conditions: dict[str, Any], contact: "Contact", organisation: dict[str, Any]) -> bool:
    known = contact.attributes
    classes = organisation.get("product_classes", {})
    allowed = {
        "channel": conditions["channels"],
        "product": conditions.get("products"),
        "team": conditions.get("teams"),
        "location": conditions.get("locations"),
        "segment": conditions.get("segments"),
        "via": conditions.get("vias"),
    }
    if any(values and known.get(name) not in values for name, values in allowed.items()):
        return False
    named = conditions.get("product_classes")
    if named and not any(known.get("product") in classes[one] for one in named):
        return False
    appointment = conditions.get("appointment")
    if appointment is not None and appointment != ("appointment_at" in known):
        return False
    if conditions.get("complexity") and known.get("complexity", "unknown") not in conditions["complexity"]:
        return False
    direction = conditions.get("direction")
    return direction is None or direction == known.get("direction")


def _begins(norm: dict[str, Any]) -> list[str]:
    """The moments of which the latest is the start."""
    start = norm.get("start", "opened")
    return list(start["latest_of"]) if isinstance(start, dict) else [start]


def _start(norm: dict[str, Any], contact: "Contact") -> int | None:
    moments = []
    for name in _begins(norm):
        moment = contact.attributes.get(name) if name in ATTRIBUTE_MOMENTS else contact.first(name)
        if moment is not None:
            moments.append(moment)
        elif name not in ATTRIBUTE_MOMENTS:
            return None
    return int(max(moments))


def _stop(norm: dict[str, Any], contact: "Contact") -> int | None:
    names = norm["stop"] if isinstance(norm["stop"], list | tuple) else [norm["stop"]]
    found = []
    for name in names:
        if name == "closed":
            found.append(contact.closed_at)
        elif name == "reached":
            found.append(next((one.at for one in contact.events if one.kind == "contact.called_back" and one.data["reached"]), None))
        else:
            found.append(contact.first(name))
    return min((at for at in found if at is not None), default=None)


def _turns(norm: dict[str, Any], contact: "Contact", stop: int | None) -> list[Turn]:
    """What may move the deadline, in order; a stop or close ends a pause."""
    turns = []
    for one in contact.events:
        match one.kind:
            case "contact.paused":
                turns.append(Turn(one.at, "paused"))
            case "contact.resumed" | "contact.closed":
                turns.append(Turn(one.at, "resumed"))
            case "contact.extended" if one.data.get("norm", norm["id"]) == norm["id"] and norm.get("statistic", "share") == "share":
                turns.append(Turn(one.at, "extended", one.data["due_at"]))
    if stop is None:
        return turns
    # The stop itself ends a pause; what happens at the same moment or later moves nothing that matters.
    return [turn for turn in turns if turn.at < stop] + [Turn(stop, "resumed")]


def _judge(norm: dict[str, Any], version: int, start: int, contact: "Contact", calendar: Calendar) -> Outcome:
    statistic = norm.get("statistic", "share")
    channel = contact.attributes["channel"]
    location = contact.attributes.get("location")
    stop = _stop(norm, contact)
    turns = _turns(norm, contact, stop)
    clock = Clock(norm, calendar, channel, location, start)
    deadline, suspended = clock.run(turns, contact.deadlines.get(norm["id"]) if statistic == "share" else None)
    reasons = _left_out(norm, start, contact, calendar)
    judged_at: int | None
    measured = None
    limit = duration(norm["threshold"]) if statistic != "share" else None
    if stop is not None and stop < start:
        reasons.add("stop_before_start")
    elif stop is not None and statistic != "share":
        measured = clock.measured(stop, turns)
    if deadline is None:
        reasons.add("no_deadline")
        judged_at = None
    elif statistic != "share":
        judged_at = stop
    else:
        judged_at = deadline if stop is None else min(stop, deadline)
    if stop is None:
        end = _end(norm, start, contact)
        if end is None:
            reasons |= {"closed_without_stop"} if contact.closed_at is not None else set()
        elif end.reason:
            reasons.add(end.reason)
        elif judged_at is not None:
            judged_at = end.at if end.wait_unknown else min(end.at, judged_at)
        if suspended:
            reasons.add("suspended")
    if statistic == "mean":
        deadline = None
    if reasons:
        judged_at = None
    return Outcome(norm["id"], version, statistic, start, deadline, stop, judged_at, frozenset(reasons), measured, limit)


class _End(NamedTuple):
    """A contact that was not answered gave up or left the queue otherwise: when, and why it does not count, if so."""

    at: int
    reason: str = ""
    wait_unknown: bool = False


def _end(norm: dict[str, Any], start: int, contact: "Contact") -> _End | None:
    if contact.answered_at is not None or not _IN_THE_QUEUE.issuperset(_begins(norm)):
        return None
    gone = next((one for one in contact.events if one.kind == "contact.abandoned"), None)
    left = contact.first("left_queue")
    offered = norm.get("denominator", "answered") == "offered"
    if gone is None:
        counts = offered and norm.get("left_queue", "counts") == "counts"
        return None if left is None else _End(left, "" if counts else "left_queue")
    unknown = gone.data.get("wait_unknown", False)
    shortest = duration(norm.get("short_abandon", "0s"))
    if shortest and not unknown and gone.at - start < shortest:
        return _End(gone.at, "short_abandon")
    return _End(gone.at if left is None else min(gone.at, left), "" if offered else "abandoned", unknown)


def _left_out(norm: dict[str, Any], start: int, contact: "Contact", calendar: Calendar) -> set[str]:
    exclusions = norm.get("exclusions", {})
    known = contact.attributes
    reasons = set()
    if exclusions.get("outside_opening_hours"):
        hours = calendar.open_on(calendar.day_of(start), known["channel"], known.get("location"))
        if not any(first <= start < last for first, last in hours):
            reasons.add("outside_opening_hours")
    if contact.result is not None and contact.result in exclusions.get("results", ()):
        reasons.add("excluded_result")
    if known.get("product") is not None and known["product"] in exclusions.get("products", ()):
        reasons.add("excluded_product")
    if known.get("team") is not None and known["team"] in exclusions.get("teams", ()):
        reasons.add("excluded_team")
    return reasons
