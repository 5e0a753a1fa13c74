"""Random lives of contacts and answers in random municipalities, for Hypothesis: events as they go over the wire, in order of arrival."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.oracle.days import EPOCH, instant
from tests.oracle.door import Wire
from tests.oracle.towns import CHANNELS, MOODS, PLACES, PRODUCTS, SOURCES, TEAMS, Mood, organisations

STRANGER = "urn:nld:oin:2:systeem:pbx"
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
BSN = "111222333"
"""A number that passes the eleven test and belongs to nobody."""


class History(NamedTuple):
    """An organisation's document, and what arrived: events with the moment (ms) at which Kafka took them, in that order."""

    organisation: Wire
    arrivals: list[tuple[Wire, int]]


def iso(ms: int) -> str:
    """A moment as it goes over the wire."""
    return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")


# Moments ----------------------------------------------------------------------------------------------------------------

BEGINNINGS = [
    instant(text)
    for text in (
        "2026-03-02T09:00:00+01:00",  # a Monday morning
        "2026-03-06T16:59:30+01:00",  # half a minute before the weekend
        "2026-03-28T12:00:00+01:00",  # the clock goes forward at 2:00 on the 29th
        "2026-03-29T01:59:45+01:00",
        "2026-03-31T23:59:59.999+02:00",  # the end of a quarter, before Easter
        "2026-04-02T14:00:00+02:00",
        "2026-04-30T10:00:00+02:00",  # before 5 May, Ascension and the day after it
        "2026-10-24T15:00:00+02:00",  # the clock goes back at 3:00 on the 25th
        "2026-10-25T02:30:00+02:00",
        "2026-12-23T16:00:00+01:00",
    )
]
_STEPS = [0, 0, 1, 5 * SECOND, 45 * SECOND, 45 * SECOND + 1, MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY]
steps = st.one_of(st.sampled_from(_STEPS), st.sampled_from(_STEPS), st.integers(0, 3 * HOUR), st.integers(0, 12 * DAY))
"""Time from one event to the next, in ms: those at which norms and windows end are likely."""


# Lives ------------------------------------------------------------------------------------------------------------------

CONTACTS = [(system, name) for system in SOURCES for name in ("1", "2")]
_NORM_IDS = ["n0", "n1", "n2"]
Draw = st.DrawFn


def _attributes(draw: Draw, at: int) -> Wire:
    """A few attributes as `contact.opened` and `contact.corrected` carry them."""
    offsets = st.sampled_from([0, MINUTE, HOUR, DAY, 3 * DAY, 20 * DAY])
    choices: dict[str, Callable[[], Any]] = {
        "via": lambda: "app",
        "product": lambda: draw(st.sampled_from(PRODUCTS)),
        "team": lambda: draw(st.sampled_from(TEAMS)),
        "location": lambda: draw(st.sampled_from(PLACES)),
        "segment": lambda: "1234 ab",
        "direction": lambda: draw(st.sampled_from(["inbound", "outbound"])),
        "complexity": lambda: draw(st.sampled_from(["simple", "complex"])),
        "appointment_at": lambda: iso(at + draw(offsets)),
        "term_starts_at": lambda: iso(at + draw(offsets)),
        "deadlines": lambda: {draw(st.sampled_from(_NORM_IDS)): iso(at + draw(offsets))},
        "person": lambda: "0123456789abcdef0123456789abcdef",
        "link": lambda: "zaak-1",
        "same_as": lambda: dict(zip(("system", "id"), draw(st.sampled_from(CONTACTS)), strict=True)),
        "confidential": lambda: True,
    }
    chosen = draw(st.lists(st.sampled_from([*choices, "product", "team", "deadlines", "same_as", "same_as"]), max_size=4, unique=True))
    return {name: choices[name]() for name in chosen}


def _fields(draw: Draw, kind: str, at: int) -> Wire:
    """What an event of a kind says beside its contact and moment."""
    later = st.sampled_from([-DAY, 0, MINUTE, HOUR, DAY, 5 * DAY, 10 * DAY, 40 * DAY])
    match kind:
        case "opened":
            return {"channel": draw(st.sampled_from(CHANNELS)), **_attributes(draw, at)}
        case "corrected":
            channel = draw(st.sampled_from([None, *CHANNELS]))
            return ({"channel": channel} if channel else {}) | _attributes(draw, at)
        case "abandoned":
            return draw(st.sampled_from([{}, {"wait_unknown": True}]))
        case "left_queue":
            return {"reason": "voicemail"}
        case "promised":
            return {"norm": draw(st.sampled_from(_NORM_IDS)), "due_at": iso(at + draw(later))}
        case "extended":
            norm = draw(st.sampled_from([None, *_NORM_IDS]))
            return ({"norm": norm} if norm else {}) | {"due_at": iso(at + draw(later))}
        case "called_back":
            return {"reached": draw(st.booleans())}
        case "transferred":
            return {"team": draw(st.sampled_from(TEAMS))}
        case "closed":
            return draw(st.sampled_from([{}, {"result": "handled"}, {"result": "duplicate"}]))
        case _:
            return {}


def _wire(kind: str, at: int, name: str, source: str, **data: Any) -> Wire:
    return {
        "specversion": "1.0",
        "id": name,
        "source": source,
        "type": f"nl.contactmeter.{kind}",
        "time": iso(at),
        "data": {"occurred_at": iso(at), **data},
    }


@st.composite
def contact_lives(draw: st.DrawFn, system: str, name: str, begin: int, kinds: st.SearchStrategy[str]) -> list[Wire]:
    """One contact from its opening on, with some events that mostly follow each other."""
    happens = ["opened"] * draw(st.sampled_from([1, 1, 1, 1, 1, 1, 0, 2]))
    happens += draw(st.lists(kinds, min_size=1, max_size=8))
    happens += draw(st.sampled_from([[]] * 18 + [["withdrawn"], ["forgotten"]]))
    at, events = begin, []
    for position, kind in enumerate(happens):
        source = draw(st.sampled_from(SOURCES[system]))
        at += draw(steps) if position else 0
        moment = at - draw(st.sampled_from([0, 0, 0, 0, 0, HOUR, 3 * DAY]))
        events.append(_wire(f"contact.{kind}", moment, f"{name}-{position}", source, contact=name, **_fields(draw, kind, moment)))
    return events


@st.composite
def answer_lives(draw: st.DrawFn, name: str, begin: int) -> list[Wire]:
    """An answer in some revisions, mostly of one contact or of none."""
    contacts = st.sampled_from([None, *CONTACTS, ("elders", "1")])
    contact = draw(contacts)
    source, events = draw(st.sampled_from([*SOURCES["pbx"], *SOURCES["crm"]])), []
    for position in range(draw(st.integers(1, 3))):
        contact = draw(contacts) if draw(st.integers(0, 5)) == 5 else contact
        at = begin + draw(steps)
        version = draw(st.sampled_from([1, 1, 1, 2]))
        highest = 10 if version == 1 else 5
        grades = st.integers(10, highest * 10).map(lambda tenths: tenths / 10) | st.integers(1, highest)
        data: Wire = {
            "answer": name,
            "revision": draw(st.integers(0, 2)),
            "status": draw(st.sampled_from(["partial", "complete"])),
            "instrument": "na-contact",
            "version": version,
            "items": draw(st.dictionaries(st.sampled_from(["overall", "ease"]), grades, max_size=2)),
        }
        if contact:
            data["contact"] = dict(zip(("system", "id"), contact, strict=True))
        inherited = {"channel": CHANNELS, "product": PRODUCTS, "team": TEAMS, "location": PLACES, "segment": ("jong", "1234AB")}
        for field, values in inherited.items():
            if draw(st.sampled_from([False, False, True])):
                data[field] = draw(st.sampled_from(values))
        events.append(_wire("survey.answered", at, f"{name}-{position}", source, **data))
    return events


_WRONG_ANSWERS: list[Wire] = [
    {"instrument": "anders"}, {"version": 9}, {"items": {"anders": 1}}, {"items": {"overall": 10.5}}, {"product": f"bsn{BSN}"},
]  # fmt: skip


def _spoil(draw: Draw, event: Wire) -> Wire:
    """An event that may not come in, for one reason or another."""
    data = event["data"]
    of_nobody = {"system": "pbx", "id": BSN} if "instrument" in data else BSN
    faults: list[Wire] = [
        {"source": STRANGER},
        {"data": data | ({"channel": "letter"} if "channel" in data else {"contact": of_nobody})},
        {"time": iso(instant(event["time"]) + 400 * DAY)},
        {"data": data | {"occurred_at": iso(instant(data["occurred_at"]) + 400 * DAY)}},
        {"id": f"x{BSN}"},
        {"id": BSN},
        {"id": f"nr. {BSN[:4]}.{BSN[4:6]}.{BSN[6:]}"},
    ]
    if "instrument" in data:
        faults += [{"data": data | fault} for fault in _WRONG_ANSWERS]
    return event | draw(st.sampled_from(faults))


def _another_content(draw: Draw, event: Wire) -> Wire:
    """The same event id with something else in it."""
    moved = iso(instant(event["data"]["occurred_at"]) + draw(st.sampled_from([-MINUTE, SECOND, DAY])))
    return event | {"data": event["data"] | {"occurred_at": moved}}


def _kinds(organisation: Wire, mood: Mood) -> st.SearchStrategy[str]:
    """Kinds of events that the mood brings, and as often those at which the norms start and stop."""
    names: set[str] = set()
    for norm in organisation["norms"]:
        start, stop = norm["start"], norm["stop"]
        names |= {*(start["latest_of"] if isinstance(start, dict) else [start]), *(stop if isinstance(stop, list) else [stop])}
    wanted = ["called_back" if name == "reached" else name for name in sorted(names - {"appointment_at", "term_starts_at"})]
    return st.sampled_from(mood.kinds) | st.sampled_from(wanted)


def _name(draw: Draw, events: list[Wire]) -> None:
    """Let contacts of the second system name one of the first, mostly the same one."""
    for event in events:
        if event["type"].endswith("contact.opened") and event["source"] in SOURCES["crm"]:
            event["data"].setdefault("same_as", {"system": "pbx", "id": draw(st.sampled_from(["1", "1", "1", "2"]))})


def _crowd(draw: Draw, begin: int) -> list[Wire]:
    """About as many events of one contact as may count, in a row."""
    system, name = draw(st.sampled_from(CONTACTS))
    at, step = begin + draw(st.sampled_from([-DAY, 0, 2 * DAY])), draw(st.sampled_from([0, SECOND, HOUR]))
    told: list[tuple[str, Wire]] = [("transferred", {"team": team}) for team in TEAMS] + [("informed", {}), ("callback_requested", {})]
    source = SOURCES[system][0]
    return [
        _wire(f"contact.{kind}", at + number * step, f"{name}-many-{number}", source, contact=name, **fields)
        for number in range(draw(st.integers(190, 210)))
        for kind, fields in [told[number % len(told)]]
    ]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A municipality and what arrived."""
    mood = draw(st.sampled_from(MOODS))
    organisation = draw(organisations(mood))
    begin = draw(st.sampled_from(BEGINNINGS))
    appended = begin + 300 * DAY
    return History(organisation, [(event, appended) for event in draw(arrivals(organisation, mood, begin))])


@st.composite
def arrivals(draw: st.DrawFn, organisation: Wire, mood: Mood, begin: int) -> list[Wire]:
    """What arrived of a few contacts and answers: late, twice, in any order, some of it wrong."""
    kinds = _kinds(organisation, mood)
    events: list[Wire] = []
    for system, name in draw(st.lists(st.sampled_from(CONTACTS), min_size=1, max_size=3, unique=True)):
        events += draw(contact_lives(system, name, begin + draw(st.sampled_from([0, 0, 1, MINUTE, 7 * DAY])), kinds))
    if mood.leading == [{"leading_system": "pbx"}]:
        _name(draw, events)
    for name in draw(st.lists(st.sampled_from(["a1", "a2"]), max_size=2, unique=True)):
        events += draw(answer_lives(name, begin))
    events = _as_they_arrive(draw, events)
    if draw(st.sampled_from([False] * 15 + [True])):
        place = draw(st.integers(0, len(events)))
        events[place:place] = _crowd(draw, begin)
    return events


def _as_they_arrive(draw: Draw, events: list[Wire]) -> list[Wire]:
    """The events as they arrive: some twice, some with another content or spoiled, in order or not."""
    for event in list(events):
        match draw(st.sampled_from([""] * 24 + ["twice", "other", "wrong"])):
            case "twice":
                events.append(dict(event))
            case "other":
                events.append(_another_content(draw, event))
            case "wrong":
                events.append(_spoil(draw, event))
    events = draw(st.permutations(events)) if draw(st.booleans()) else events
    # Logged at moments that all differ: of two contents of one id that were logged at the same millisecond either may stand.
    logged = draw(st.permutations(range(len(events)))) if draw(st.booleans()) else range(len(events))
    return [event | {"time": iso(instant(event["time"]) // SECOND * SECOND + late)} for event, late in zip(events, logged, strict=True)]
