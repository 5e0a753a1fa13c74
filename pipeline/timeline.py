"""What the events of a contact say together, before any norm is applied: attributes, first moments, closing, suspensions."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pipeline.contacts import EventTuple, effective

ATTRIBUTES = ("via", "product", "team", "location", "segment", "direction", "complexity", "person", "link")
"""Attributes of a contact, beside its channel, that are stored as text; the last writer by (occurred_at, source, id) wins."""

MOMENTS = ("appointment_at", "term_starts_at")
"""Attributes that are moments; they stand among the first moments."""

_WORDS = frozenset({"acknowledged", "informed", "responded", "promised", "called_back", "answered", "paused", "extended"})
"""Kinds by which the citizen hears something."""

_OWN = frozenset({"opened", "corrected", "withdrawn", "forgotten"})
"""Kinds that speak for the system that sent them alone."""
_TOGETHER = {
    kind: kinds
    for kinds in ({"closed", "reopened"}, {"paused", "resumed"}, {"callback_requested", "called_back", "reached"})
    for kind in kinds
}

Turn = tuple[int, str, dict[str, Any]]
"""(occurred_at in ms, paused | resumed | extended | closed, data): what moves a clock. Of closes those that follow another turn."""


class Timeline:
    """What the effective events of a contact say. Times in ms; None where it did not happen (yet).

    `first` holds the first moment of each kind, of `reached` (the first call-back that reached the citizen) and of what attributes tell,
    `closed_at` the last close that no reopening follows, `left_at` the first time it left the queue without being answered, `due` a given
    deadline per norm, `turns` what moves a clock, in order, `last_word_at` when the citizen last heard something, `callback_open_at`
    the first request for a call-back that is not settled.
    """

    # Most contacts have few of these: what stands here need not be set for each.
    same_as: tuple[str, str] | None = None
    closed_at: int | None = None
    left_at: int | None = None
    last_word_at: int | None = None
    callback_open_at: int | None = None
    callbacks = callbacks_settled = transfers = reopened = 0
    result = left_reason = ""
    wait_unknown = withdrawn = forgotten = confidential = False
    due: Mapping[str, int] = MappingProxyType({})
    turns: Sequence[Turn] = ()

    def __init__(self, kept: list[EventTuple]) -> None:
        self.events, self.defects = effective(kept)
        self.attributes: dict[str, str] = {}
        self.first: dict[str, int] = {}
        first = self.first
        for at, _source, _id, _digest, _time, kind, data in self.events:
            if kind not in first:
                first[kind] = at
            if kind in _WORDS:
                self.last_word_at = at
            if kind == "opened" or kind == "corrected":
                self._describe(data)
            elif kind == "closed":
                self.closed_at, self.result = at, data.get("result", "")
                if self.turns:
                    self.turns = [*self.turns, (at, kind, data)]  # a close ends a pause, also one that a reopening follows
            elif kind == "queued" or kind == "answered":
                continue  # the most frequent ones: nothing more to note
            else:
                self._note(at, kind, data)
        if "abandoned" in first or "left_queue" in first:
            self.left_at = self._left_at()
        self._note_disorder()

    def _describe(self, data: dict[str, Any]) -> None:
        attributes = self.attributes
        for name, value in data.items():
            if name == "deadlines":
                self.due = {**self.due, **value}
            elif name == "same_as":
                self.same_as = (value["system"], value["id"])
            elif name in MOMENTS:
                self.first[name] = value
            elif name == "confidential":
                self.confidential = self.confidential or value
            else:
                attributes[name] = value

    def _note(self, at: int, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "abandoned":
                if self.first[kind] == at:
                    self.wait_unknown = data.get("wait_unknown", False)
            case "left_queue":
                self.left_reason = self.left_reason or data["reason"]
            case "reopened":
                self.closed_at, self.result = None, ""
                self.reopened += 1
            case "transferred":
                self.transfers += 1
                if "team" in data:
                    self.attributes["team"] = data["team"]
            case "promised":
                self.due = {**self.due, data["norm"]: data["due_at"]}
            case "paused" | "resumed" | "extended":
                self.turns = [*self.turns, (at, kind, data)]
            case "callback_requested":
                self.callbacks += 1
                if self.callback_open_at is None:
                    self.callback_open_at = at
            case "called_back":
                self.callbacks_settled, self.callback_open_at = self.callbacks, None
                if data["reached"]:
                    self.first.setdefault("reached", at)
            case "withdrawn":
                self.withdrawn = True
            case "forgotten":
                self.withdrawn = self.forgotten = True

    def inherit(self, other: "Timeline") -> None:
        """Take over what another system tells of this contact and its own does not: own values always win, the channel is its own.

        Kinds that belong together (closed and reopened, paused and resumed) are taken over together. Call it for each enriching contact,
        ordered by (system, id).
        """
        own = frozenset(self.first)
        for name, value in other.attributes.items():
            if name != "channel":
                self.attributes.setdefault(name, value)
        self.due = {**other.due, **self.due}
        for kind, at in other.first.items():
            if not own & _TOGETHER.get(kind, {kind}) and kind not in _OWN:
                self.first[kind] = at
        if not own & _TOGETHER["closed"]:
            self.closed_at, self.reopened = other.closed_at, other.reopened
        if not self.result and self.closed_at is not None:
            self.result = other.result
        # As if one had told everything: whoever told of a close, it ends the pause of whoever told of that.
        closers = (self.events, () if own & _TOGETHER["closed"] else other.events)
        closes = {event[0] for events in closers for event in events if event[5] == "closed"}
        closes |= {turn[0] for turn in self.turns if turn[1] == "closed"}
        turns = [turn for turn in other.turns if not own & _TOGETHER.get(turn[1], {turn[1]}) and turn[1] != "closed"]
        turns += [turn for turn in self.turns if turn[1] != "closed"] + [(at, "closed", {}) for at in closes]
        self.turns = sorted(turns, key=lambda turn: turn[0])
        if not own & _TOGETHER["called_back"]:
            self.callbacks, self.callbacks_settled = other.callbacks, other.callbacks_settled
            self.callback_open_at = other.callback_open_at
        self.transfers = self.transfers or other.transfers
        self.left_reason = self.left_reason or other.left_reason
        if other.last_word_at is not None:
            self.last_word_at = max(other.last_word_at, self.last_word_at or 0)
        if "abandoned" not in own:
            self.wait_unknown = other.wait_unknown
        self.left_at = self._left_at()

    def _left_at(self) -> int | None:
        first = self.first
        if "answered" in first:
            return None
        return min((first[kind] for kind in ("abandoned", "left_queue") if kind in first), default=None)

    def _note_disorder(self) -> None:
        """A wrong order inside a contact is a defect, never a reject."""
        if self.events and self.events[0][5] == "opened":
            return  # they are sorted: nothing lies before it
        opened = self.first.get("opened")
        if opened is None:
            if self.events:
                self.defects.append("not_opened")
            return
        if self.closed_at is not None and self.closed_at < opened:
            self.defects.append("closed_before_opened")
        if any(event[0] < opened and event[5] != "closed" for event in self.events):
            self.defects.append("event_before_opened")

    @property
    def wait_ms(self) -> int | None:
        """From the first queueing (or opening, where nothing was queued) to the answer; None when it is not known or negative."""
        answered = self.first.get("answered")
        start = self.first.get("queued", self.first.get("opened"))
        if answered is None or start is None or answered < start:
            return None
        return answered - start

    @property
    def handling_ms(self) -> int | None:
        """From the first answer to the close that stands; None without both, or when negative."""
        answered = self.first.get("answered")
        if answered is None or self.closed_at is None or self.closed_at < answered:
            return None
        return self.closed_at - answered

    @property
    def suspended_at(self) -> int | None:
        """Since when the clock stands still: the first pause that no resumption and no close follows."""
        if not self.turns:
            return None
        since: int | None = None
        for at, kind, _ in self.turns:
            if kind == "paused":
                since = at if since is None else since
            elif kind != "extended":
                since = None
        return since if self.closed_at is None or since is None or since > self.closed_at else None
