"""Incidents: signals of one cause together, so that a coordinator gets one message instead of four. Pure.

Two signals of a channel are of one cause when the later was found while the earlier lasted, or within a day after it was over: what
returns within a day is the same matter, seldom a new one. Signals of several channels are of one cause when all are for the worse, began
within three hours of each other and were found within a day, as in an outage. When a signal *began* joins nothing within a channel: that
is an estimate, which for slow figures reaches far back, and would open again what was closed long ago.

What somebody said of an incident (taken note, silenced) covers what is found up to a day later. What is found after that may be
another cause in the same channel, of which nobody knows yet: it asks for somebody again.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from pipeline.drift.incident_words import text_of
from pipeline.drift.signal import Signal
from schemas.words import Language

HOUR_MS = 3_600_000
TOGETHER_MS = 24 * HOUR_MS
"""What is found within it is of one cause; what somebody said of an incident covers what is found within it."""
SAME_ONSET_MS = 3 * HOUR_MS
LONGEST_SILENCE_MS = 7 * 24 * HOUR_MS
"""A silence without an end ends here, and so does a longer one: nothing is silenced for ever by mistake."""
_LASTING = 1 << 62

State = Literal["open", "closed", "merged"]


class IncidentEvent(NamedTuple):
    """`incident.acknowledged` or `incident.silenced`; the order of the fields is the order in which they count, the last word last.

    digest: of its content, which tells apart events of one moment. until: of a silence, None without an end of its own. Times in ms.
    """

    at: int
    logged_at: int
    digest: str
    kind: Literal["acknowledged", "silenced"]
    incident: str
    who: str
    until: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What depends on the organisation. Both functions are called by `incidents` only.

    escalate_after: ms on duty that may go by before somebody reacts. on_duty_ms: the ms on duty of a channel between two moments.
    sentence: what is said of one state of a signal.
    """

    escalate_after: int
    on_duty_ms: Callable[[str, int, int], int]
    sentence: Callable[[Signal, Language], str]


@dataclass(frozen=True, slots=True)
class Incident:
    """Signals of one cause. Times in ms: of opening, updating and closing by event time, as in signals; the rest by the clock.

    incident: its id, from its first signal; it stays what it is. state: `merged` when it turned out to be another's cause, `merged_into`.
    channels, signals: names and ids, sorted. worse: whether anything in it is for the worse; the rest is improvement. pages: whether it
    may call somebody: for the worse, and not found in a back-fill. updated_at: the last signal that was found or grew. acknowledged,
    silenced: by whom, while it covers all that lasts. reason: of that silence, else of that acknowledgement. asks_since: since when it
    waits for somebody; None when nobody need react (closed, noted, silenced, or it does not page). escalated_at: while it has waited
    too long, since when.
    """

    organisation: str
    incident: str
    state: State
    channels: tuple[str, ...]
    signals: tuple[str, ...]
    worse: bool
    pages: bool
    opened_at: int
    updated_at: int
    closed_at: int | None
    text_nl: str
    text_en: str
    merged_into: str = ""
    acknowledged_at: int | None = None
    acknowledged_by: str = ""
    silenced_until: int | None = None
    silenced_by: str = ""
    reason: str = ""
    asks_since: int | None = None
    escalated_at: int | None = None


def incident_id(signal: str) -> str:
    """The id of the incident that a signal opens."""
    return hashlib.blake2b(f"incident\0{signal}".encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class _Course:
    """A signal through all its states. found: when first, found_last: when last (late data may end it and find it again)."""

    signal: str
    found: int
    found_last: int
    updated: int
    ended: int
    onset: int
    now: Signal

    @property
    def asks(self) -> bool:
        """Whether it asks for somebody, as long as nobody has said anything."""
        return self.ended == _LASTING and self.now.worse and self.now.announce


def incidents(
    organisation: str,
    signals: Iterable[Signal],
    events: Iterable[IncidentEvent],
    rules: Rules,
    now_ms: int,
    known: Sequence[Incident] = (),
) -> list[Incident]:
    """The incidents of an organisation, in order of opening, from every state of its signals; order and repetition don't matter.

    known: what this function gave before. What was one incident stays one, under its id, also when late data moved the signals of it; two
    that turn out to be one are the older, and the younger is given as merged into it. Those without any of `signals` are left out.
    """
    courses = _courses(organisation, signals)
    earlier = [one for one in known if one.organisation == organisation]
    said = sorted(set(events), key=lambda one: one._replace(until=_LASTING if one.until is None else one.until))
    found: list[Incident] = []
    for members, before in _groups(courses, earlier):
        standing = [one for one in before if one.state != "merged"]
        name = standing[0].incident if standing else incident_id(members[0].signal)
        merged = [one for one in before if one.incident != name]
        found += (replace(one, state="merged", merged_into=name, asks_since=None, escalated_at=None) for one in merged)
        one = _incident(organisation, name, members, standing, rules)
        names = {name, *(other.incident for other in merged)}
        noted = _noted(one, members, [event for event in said if event.incident in names], now_ms)
        found.append(_asking(noted, members, standing, rules, now_ms))
    return sorted(found, key=lambda one: (one.opened_at, one.incident))


def _courses(organisation: str, signals: Iterable[Signal]) -> list[_Course]:
    """Each signal once, in the order in which they were found."""
    states: dict[str, dict[int, Signal]] = {}
    for one in signals:
        if one.organisation == organisation:
            states.setdefault(one.id, {})[one.sequence] = one
    return sorted((_course([of[number] for number in sorted(of)]) for of in states.values()), key=lambda one: (one.found, one.signal))


def _course(states: list[Signal]) -> _Course:
    first, last = states[0], states[-1]
    found_last = max((one.at for one in states if one.state == "found"), default=first.at)
    updated = max((one.at for one in states if one.state != "over"), default=first.at)
    return _Course(first.id, first.at, found_last, updated, last.at if last.state == "over" else _LASTING, first.onset, last)


def _together(earlier: _Course, later: _Course) -> bool:
    """Whether two signals, the earlier not over for more than a day when the later was found, are of one cause."""
    return earlier.now.channel == later.now.channel or (
        earlier.now.worse
        and later.now.worse
        and abs(earlier.onset - later.onset) <= SAME_ONSET_MS
        and later.found - earlier.found <= TOGETHER_MS
    )


def _groups(courses: list[_Course], known: list[Incident]) -> list[tuple[list[_Course], list[Incident]]]:
    """The signals of each incident in the order in which they were found, and the incidents they were known as, oldest first."""
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while (higher := above.get(name, name)) != name:
            name = higher
        return name

    def join(one: str, other: str) -> None:
        one, other = top(one), top(other)
        if one != other:
            above[other] = one

    for incident in known:
        for signal in incident.signals:
            join(incident.signals[0], signal)
    lately: list[_Course] = []
    for course in courses:
        lately = [one for one in lately if course.found <= one.ended + TOGETHER_MS]
        for one in lately:
            if _together(one, course):
                join(one.signal, course.signal)
        lately.append(course)
    groups: dict[str, tuple[list[_Course], list[Incident]]] = {}
    for course in courses:
        groups.setdefault(top(course.signal), ([], []))[0].append(course)
    for incident in sorted(known, key=lambda one: (one.opened_at, one.incident)):
        if (group := groups.get(top(incident.signals[0]))) is not None:
            group[1].append(incident)
    return list(groups.values())


def _incident(organisation: str, name: str, members: list[_Course], standing: list[Incident], rules: Rules) -> Incident:
    """What follows from the signals alone. What was known of signals that are no longer at hand is kept."""
    lasting = any(one.ended == _LASTING for one in members)
    last = [one.now for one in members]
    return Incident(
        organisation,
        name,
        "open" if lasting else "closed",
        tuple(sorted({*(one.channel for one in last), *(channel for one in standing for channel in one.channels)})),
        tuple(sorted({*(one.id for one in last), *(signal for one in standing for signal in one.signals)})),
        any(one.worse for one in last) or any(one.worse for one in standing),
        any(one.worse and one.announce for one in last) or any(one.pages for one in standing),
        standing[0].opened_at if standing else members[0].found,
        max(one.updated for one in members),
        None if lasting else max(one.ended for one in members),
        text_of(last, "nl", rules.sentence),
        text_of(last, "en", rules.sentence),
    )


def _noted(incident: Incident, members: list[_Course], said: list[IncidentEvent], now_ms: int) -> Incident:
    """With the last acknowledgement and the last silence, where they cover all that lasts and ask for somebody."""
    newest = max((one.found_last for one in members if one.asks), default=0)
    last = {event.kind: event for event in said if newest <= event.at + TOGETHER_MS}
    noted, silence = last.get("acknowledged"), last.get("silenced")
    if noted is not None:
        incident = replace(incident, acknowledged_at=noted.at, acknowledged_by=noted.who, reason=noted.reason)
    if silence is not None and incident.state == "open":
        until = silence.at + LONGEST_SILENCE_MS
        until = until if silence.until is None else min(until, silence.until)
        if until > now_ms:
            incident = replace(incident, silenced_until=until, silenced_by=silence.who, reason=silence.reason)
    return incident


def _asking(incident: Incident, members: list[_Course], standing: list[Incident], rules: Rules, now_ms: int) -> Incident:
    """With since when it asks for somebody: since the first time that this was seen, as data may tell of it only hours later."""
    channels = {one.now.channel for one in members if one.asks}
    if not channels or incident.acknowledged_at is not None or incident.silenced_until is not None:
        return incident
    since = min((one.asks_since for one in standing if one.asks_since is not None), default=now_ms)
    escalated = min((one.escalated_at for one in standing if one.escalated_at is not None), default=None)
    if escalated is None and max(rules.on_duty_ms(channel, since, now_ms) for channel in channels) >= rules.escalate_after:
        escalated = now_ms
    return replace(incident, asks_since=since, escalated_at=escalated)
