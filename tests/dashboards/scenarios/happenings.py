"""What happens in the towns of the scenarios, whose contacts are those of tests/e2e/synthetic.py."""

import random

from connectors.protocol import WireEvent
from schemas.types import iso
from tests.e2e import synthetic
from tests.e2e.synthetic import DAY, HOUR, MAIL, MINUTE, PHONE, event

PER_HOUR = 12
_OPERATOR = '  contactmeter: {sources: ["urn:nld:oin:00000000000000000000:systeem:contactmeter"]}\n'
_STATUTORY = """  - id: klacht_6w
    title: {nl: Klacht binnen 6 weken, en: Complaint within 6 weeks}
    applies_to: {channels: [email]}
    clock: statutory-term
    threshold: 6w
    stop: closed
    target: 1.0
    source: Awb 9:11
"""
_SOON = """  - id: antwoord_2u
    title: {nl: E-mail binnen 2 uur, en: E-mail within 2 hours}
    applies_to: {channels: [email]}
    clock: elapsed
    threshold: 2h
    stop: [responded, closed]
    target: 0.8
    source: Test
"""


def organisation(name: str, hours: str = '{mon-sun: "00:00-24:00"}', escalate_after: str = "30min", law: bool = True) -> str:
    """The file of a town that is open day and night unless `hours` say otherwise. law: whether a term of law holds for e-mail."""
    text = synthetic.organisation(name).replace("systems:\n", f"systems:\n{_OPERATOR}")
    text = text.replace("norms:\n", f"norms:\n{_STATUTORY if law else _SOON}")
    return f"{text}opening_hours: {hours}\nclosing_days: {{public_holidays: none}}\ndrift: {{escalate_after: {escalate_after}}}\n"


def closed_now(weekday: int) -> str:
    """Opening hours of a week in which it is closed from the day before until the day after a weekday, 0 for Monday."""
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return "{" + ", ".join(f'{days[(weekday + ahead) % 7]}: "09:00-17:00"' for ahead in range(2, 6)) + "}"


def calls(seed: int, now: int, slow_from: int, slow_until: int) -> list[WireEvent]:
    """Six weeks of calls, most of them answered at once; between two moments most are not, those of one team above all."""
    rng = random.Random(seed)
    events: list[WireEvent] = []
    at, end, number = float(now - 42 * DAY), now - now % HOUR, 0
    while (at := at + rng.expovariate(PER_HOUR / HOUR)) < end:
        number += 1
        slow = slow_from <= at < slow_until
        late = rng.random() < (0.8 if slow else 0.15)
        call = synthetic.call(f"c{number}", int(at), rng.randrange(50_000, 200_000) if late else rng.randrange(3_000, 40_000))
        call[0]["data"]["team"] = "Burgerzaken" if rng.random() < (0.8 if slow and late else 0.3) else "Belastingen"
        events += call
    return events


def late_calls(now: int, number: int) -> list[WireEvent]:
    """Calls of the day before yesterday, none of them answered in time."""
    return [one for place in range(number) for one in synthetic.call(f"late{place}", now - 2 * DAY - place * MINUTE, 90_000)]


def heartbeat(connector: str, observed: int, read: int | None) -> WireEvent:
    """A sign of life of a connector of the telephone; read: when its source last answered."""
    data: dict[str, object] = (
        {"connector": connector} if read is None else {"connector": connector, "last_read_at": iso(read), "lag_s": 0.0}
    )
    return event("connector.observed", PHONE, observed, data)


def letter(contact: str, opened: int, due: int | None = None) -> list[WireEvent]:
    """An e-mail that nobody has answered; due: until when its term was extended."""
    found = [event("contact.opened", MAIL, opened, {"contact": contact, "channel": "email", "team": "Klachten"})]
    return found + ([event("contact.extended", MAIL, opened + DAY, {"contact": contact, "due_at": iso(due)})] if due else [])


def closed(contact: str, at: int) -> WireEvent:
    """It is answered and done."""
    return event("contact.closed", MAIL, at, {"contact": contact, "result": "handled"})
