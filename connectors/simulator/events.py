"""From what the town intends to what its systems send: CloudEvents in wire form, each with the instant at which it is sent."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from connectors.simulator import profile
from connectors.simulator.contacts import Contacts, Steps
from connectors.simulator.plants import NEVER, Instants
from connectors.simulator.surveys import Surveys
from connectors.simulator.town import MINUTE_MS, opening
from schemas.events import PREFIX

Released = tuple[int, str, dict[str, Any]]
"""(instant at which it is sent, event id, the event in wire form)."""

INSTRUMENT = "after_contact"
INSTRUMENT_VERSION = 1
GAUGE_EVERY_MS = 5 * MINUTE_MS
ITEMS_OF_PARTIAL = 2

_RESULTS = {"queue": "first_contact", "written": "handled"}


def texts(at: Instants) -> list[str]:
    """RFC 3339 texts in UTC."""
    return [str(text) for text in np.datetime_as_string(at.astype("datetime64[ms]"), unit="ms", timezone="UTC")]


def _released(steps: Steps, kind: str, build: Callable[[int, str], dict[str, Any]]) -> Iterator[Released]:
    """The events of one kind, and those sent twice once more; `build` gets a position and the text of its instant."""
    at, sent, resent = steps.at[kind], steps.released[kind], steps.resent[kind]
    positions = np.flatnonzero(at < NEVER)
    rows = zip(positions.tolist(), texts(at[positions]), sent[positions].tolist(), resent[positions].tolist(), strict=True)
    for position, when, released, again in rows:
        event = build(position, when)
        yield released, event["id"], event
        if again < NEVER:
            yield again, event["id"], event


def _event(source: str, kind: str, identity: str, when: str, data: dict[str, Any]) -> dict[str, Any]:
    data["occurred_at"] = when
    return {"specversion": "1.0", "id": identity, "source": source, "type": PREFIX + kind, "time": when, "data": data}


def of_contacts(contacts: Contacts) -> Iterator[Released]:
    """Every event of the contacts of a day and channel."""
    channel, ids = contacts.channel, contacts.ids
    source = channel.source
    result = _RESULTS[channel.kind]
    called_back_later = contacts.steps.at.get("callback_requested")

    def details(kind: str, position: int) -> dict[str, Any]:
        match kind:
            case "opened":
                return _attributes(contacts, position)
            case "queued":
                return {"queue": channel.system}
            case "acknowledged":
                return {"automatic": True}
            case "transferred":
                return {"team": profile.PRODUCTS[contacts.transferred_to[position]][1]}
            case "called_back":
                return {"reached": bool(contacts.reached[position])}
            case "closed":
                forwarded = called_back_later is not None and called_back_later[position] < NEVER
                return {"result": "forwarded" if forwarded else result}
            case "withdrawn":
                return {"reason": "dubbel geregistreerd"}
            case _:
                return {}

    for kind in contacts.steps.at:

        def build(position: int, when: str, kind: str = kind) -> dict[str, Any]:
            contact = ids[position]
            return _event(source, f"contact.{kind}", f"{contact}.{kind}", when, {"contact": contact, **details(kind, position)})

        yield from _released(contacts.steps, kind, build)


def _attributes(contacts: Contacts, position: int) -> dict[str, Any]:
    channel = contacts.channel
    product, team = profile.PRODUCTS[contacts.product[position]]
    attributes: dict[str, Any] = {
        "channel": channel.name,
        "product": product,
        "team": team,
        "segment": "ondernemer" if contacts.business[position] else "inwoner",
        "direction": "inbound",
        # A made-up person, so that repeated contacts occur; the number stands for the keyed hash of a real connector.
        "person": f"{contacts.person[position]:016x}",
    }
    if channel.via:
        attributes["via"] = channel.via[contacts.via[position]]
    if channel.location:
        attributes["location"] = channel.location
    return attributes


def of_surveys(contacts: Contacts, surveys: Surveys) -> Iterator[Released]:
    """The invitations and answers that the contacts led to."""
    source = profile.source_of("enquete")
    positions = surveys.contact.tolist()

    def common(position: int) -> dict[str, Any]:
        at = positions[position]
        product, team = profile.PRODUCTS[contacts.product[at]]
        return {
            "instrument": INSTRUMENT,
            "version": INSTRUMENT_VERSION,
            "invitation": f"{contacts.ids[at]}.uitnodiging",
            "contact": {"system": contacts.channel.system, "id": contacts.ids[at]},
            "channel": contacts.channel.name,
            "product": product,
            "team": team,
            "segment": "ondernemer" if contacts.business[at] else "inwoner",
        }

    def invited(position: int, when: str) -> dict[str, Any]:
        return _event(source, "survey.invited", f"{contacts.ids[positions[position]]}.invited", when, common(position))

    def answer(position: int, when: str, revision: int) -> dict[str, Any]:
        contact = contacts.ids[positions[position]]
        partial = revision == 1 and bool(surveys.partial[position])
        items = dict(zip(profile.ASPECTS, surveys.grades[position].tolist(), strict=True))
        if partial:
            items = {aspect: items[aspect] for aspect in profile.ASPECTS[:ITEMS_OF_PARTIAL]}
        data = {
            **common(position),
            "answer": f"{contact}.antwoord",
            "revision": revision,
            "status": "partial" if partial else "complete",
            "items": items,
        }
        return _event(source, "survey.answered", f"{contact}.answered.{revision}", when, data)

    yield from _released(surveys.steps, "invited", invited)
    yield from _released(surveys.steps, "answered", lambda position, when: answer(position, when, 1))
    yield from _released(surveys.steps, "completed", lambda position, when: answer(position, when, 2))


def of_gauges(contacts: Contacts) -> Iterator[Released]:
    """What the queue of a day looks like every few minutes in opening hours."""
    hours = opening(contacts.day)
    if contacts.channel.kind != "queue" or hours is None:
        return
    steps = contacts.steps
    queued = steps.at["queued"]
    left = np.minimum(steps.at["answered"], steps.at["abandoned"])
    moments = np.arange(hours[0], hours[1], GAUGE_EVERY_MS)
    for moment, when in zip(moments.tolist(), texts(moments), strict=True):
        waiting = queued[(queued <= moment) & (moment < left)]
        gauges: dict[str, float] = {"waiting": len(waiting), "longest_wait_s": (moment - int(waiting.min())) // 1000 if len(waiting) else 0}
        if contacts.channel.name == "counter":
            gauges["counters_open"] = 3 + (hours[0] + 90 * MINUTE_MS <= moment < hours[0] + 240 * MINUTE_MS)
        identity = f"{contacts.channel.prefix}.stand.{when}"
        data = {"channel": contacts.channel.name, "queue": contacts.channel.system, "gauges": gauges}
        yield moment, identity, _event(contacts.channel.source, "channel.observed", identity, when, data)
