"""Made-up events of the last weeks, with everything that goes wrong in real ones: for the tests that break things on purpose.

The same seed and moment give the same events, whoever the organisation is: what two organisations stored can be compared.
"""

import random
from collections.abc import Iterator

from connectors.identity import cloud_event, event_id
from connectors.protocol import WireEvent
from schemas.types import iso

PHONE = "urn:nld:oin:00000000000000000000:systeem:test-phone"
MAIL = "urn:nld:oin:00000000000000000000:systeem:test-mail"
SURVEY = "urn:nld:oin:00000000000000000000:systeem:test-survey"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

_ORGANISATION = """
organisation: {name}
title: {{nl: Teststad, en: Test town}}
minimum_n: 2
systems:
  phone: {{sources: ["{phone}"]}}
  mail: {{sources: ["{mail}"]}}
  survey: {{sources: ["{survey}"]}}
channels:
  telephone: {{leading_system: phone}}
  email: {{leading_system: mail}}
norms:
  - id: answered_45s
    title: {{nl: Binnen 45 seconden, en: Within 45 seconds}}
    applies_to: {{channels: [telephone]}}
    clock: elapsed
    threshold: 45s
    target: 0.8
    denominator: offered
    start: queued
    stop: answered
    source: Test
  - id: answered_2wd
    title: {{nl: Binnen 2 werkdagen, en: Within 2 working days}}
    applies_to: {{channels: [email]}}
    clock: working-days
    threshold: 2wd
    target: 0.8
    start: opened
    stop: [responded, closed]
    source: Test
instruments:
  rating:
    - version: 1
      title: {{nl: Waardering, en: Rating}}
      scale: {{minimum: 1, maximum: 10}}
      aspects:
        overall: {{title: {{nl: Geheel, en: Overall}}, target: 7.5}}
        ease: {{title: {{nl: Gemak, en: Ease}}}}
"""


def organisation(name: str) -> str:
    """The file of an organisation that may send these events."""
    return _ORGANISATION.format(name=name, phone=PHONE, mail=MAIL, survey=SURVEY)


def event(kind: str, source: str, at: int, data: dict[str, object], *, logged: int | None = None, name: str = "") -> WireEvent:
    """An event that happened at `at` (epoch ms); its id follows from its content, or from `name`."""
    identifier = event_id(kind, source, name or repr(sorted(data.items())), "" if name else str(at))
    return cloud_event(kind, source, identifier, logged or at, {**data, "occurred_at": iso(at)})


def call(contact: str, at: int, wait: int = 20_000) -> list[WireEvent]:
    """One telephone call, answered and closed."""
    return [
        event("contact.opened", PHONE, at, {"contact": contact, "channel": "telephone"}),
        event("contact.queued", PHONE, at + 1_000, {"contact": contact}),
        event("contact.answered", PHONE, at + wait, {"contact": contact}),
        event("contact.closed", PHONE, at + wait + 4 * MINUTE, {"contact": contact, "result": "handled"}),
    ]


def history(contacts: int, now: int, seed: int = 1) -> list[WireEvent]:
    """Events of that many contacts over the 30 days before `now`, roughly by time, with what real sources do to them.

    Late and double events, conflicting contents under one id, answers with revisions, corrections to another channel, withdrawals, open
    contacts whose deadline lies ahead, heartbeats, gauges and markers. None is refused.
    """
    chance = random.Random(seed)
    found: list[tuple[float, WireEvent]] = []
    for number in range(contacts):
        at = now - 30 * DAY + int(chance.random() * 30 * DAY)
        for made in _contact(f"c{number}", at, now, chance):
            happened = chance.expovariate(1 / (20 * MINUTE)) + number * (30 * DAY / contacts)
            found.append((happened, made))
            if chance.random() < 0.05:
                found.append((happened + chance.random() * DAY, made))
    for number in range(contacts // 20):
        at = now - number * MINUTE
        found.append((number, event("channel.observed", PHONE, at, {"channel": "telephone", "gauges": {"waiting": number % 7}})))
        found.append((number, event("connector.observed", PHONE, at, {"connector": "test"})))
        found.append((number, event("marker.set", PHONE, at, {"marker": f"m{number}", "kind": "campaign", "from": iso(at)})))
    found.sort(key=lambda pair: pair[0])
    return [made for _, made in found]


def _contact(contact: str, at: int, now: int, chance: random.Random) -> Iterator[WireEvent]:
    made = list(_call(contact, at, chance) if chance.random() < 0.6 else _mail(contact, at, chance))
    yield from (item for item in made if item["data"]["occurred_at"] <= iso(now))
    if chance.random() < 0.3:
        yield from (item for item in _answers(contact, at + HOUR, chance) if item["data"]["occurred_at"] <= iso(now))


def _call(contact: str, at: int, chance: random.Random) -> Iterator[WireEvent]:
    wait = int(chance.expovariate(1 / 40_000))
    yield event("contact.opened", PHONE, at, {"contact": contact, "channel": "telephone", "product": f"p{chance.randrange(5)}"})
    yield event("contact.queued", PHONE, at + 500, {"contact": contact})
    if chance.random() < 0.1:
        yield event("contact.abandoned", PHONE, at + 500 + wait, {"contact": contact})
        return
    yield event("contact.answered", PHONE, at + 500 + wait, {"contact": contact})
    yield event("contact.closed", PHONE, at + wait + 5 * MINUTE, {"contact": contact, "result": "handled"})
    if chance.random() < 0.05:  # one id, another content, logged later
        yield event("contact.answered", PHONE, at + wait, {"contact": contact}, logged=at + wait + HOUR, name=f"again {contact}")
        yield event("contact.answered", PHONE, at + wait + 100, {"contact": contact}, logged=at + wait + DAY, name=f"again {contact}")


def _mail(contact: str, at: int, chance: random.Random) -> Iterator[WireEvent]:
    yield event("contact.opened", MAIL, at, {"contact": contact, "channel": "email", "team": f"t{chance.randrange(3)}"})
    taken = at + int(chance.expovariate(1 / DAY))
    if chance.random() < 0.8:
        yield event("contact.responded", MAIL, taken, {"contact": contact})
        yield event("contact.closed", MAIL, taken + HOUR, {"contact": contact, "result": "handled"})
    if chance.random() < 0.05:
        yield event("contact.corrected", MAIL, at + HOUR, {"contact": contact, "channel": "telephone"})
    if chance.random() < 0.03:
        yield event("contact.withdrawn", MAIL, at + 2 * HOUR, {"contact": contact, "reason": "test"})


def _answers(contact: str, at: int, chance: random.Random) -> Iterator[WireEvent]:
    channel = chance.choice(["telephone", "email"])
    for revision in range(chance.choice([1, 1, 1, 2])):
        items = {"overall": chance.randint(1, 10), "ease": chance.randint(1, 100) / 10 if chance.random() < 0.2 else chance.randint(1, 10)}
        items = {aspect: max(1, value) for aspect, value in items.items()}
        data = {
            "instrument": "rating", "version": 1, "channel": channel, "answer": f"a-{contact}", "revision": revision, "status": "complete",
            "items": items, "contact": {"system": "phone", "id": contact},
        }  # fmt: skip
        yield event("survey.answered", SURVEY, at + revision * HOUR, data)
