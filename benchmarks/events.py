"""The events that are measured with: contacts of four events each under two norms, in orders that are kind or unkind to the worker."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

from schemas import yamlfile
from schemas.batch import encode
from schemas.events import PREFIX
from schemas.organisation import Organisation
from schemas.partitions import partition_of
from schemas.types import iso

Event = dict[str, Any]
"""An event in wire form."""
Order = Literal["near", "far"]

SOURCE = "urn:nld:oin:00000001234567890000:systeem:telefonie"
KINDS = ("opened", "queued", "answered", "closed")
SPAN_MS = 27 * 86_400_000
"""The contacts are spread over 27 days, so that all lie in the longest window."""
NEAR_CONTACTS = 100
"""near: blocks of this many contacts, the first event of each, then the second of each …: 4 · 100 events from first to last."""
FAR_CONTACTS = 40_000
"""far: the same with blocks of this size. A micro-batch holds at most 6 MB, some 18,000 events, so none holds two of one contact."""

_CONFIGURATION = """\
organisation: {name}
title: {{nl: Meting, en: Benchmark}}
simulated: true
systems:
  telefonie: {{sources: ["{source}"]}}
channels:
  telephone: {{}}
norms:
  - {{id: answer-45s, title: {{nl: Opnemen, en: Answering}}, applies_to: {{channels: [telephone]}}, clock: elapsed, threshold: 45s,
     start: queued, stop: answered, target: 0.8, source: benchmark}}
  - {{id: settle-2wd, title: {{nl: Afhandelen, en: Settling}}, applies_to: {{channels: [telephone]}}, clock: working-days, threshold: 2wd,
     start: opened, stop: closed, target: 0.9, source: benchmark}}
"""


def configuration(name: str) -> str:
    """The YAML file of an organisation with two norms on one channel."""
    return _CONFIGURATION.format(name=name, source=SOURCE)


def organisation(name: str) -> Organisation:
    """The same, read."""
    return yamlfile.loads(configuration(name), Organisation, f"configuration of {name}")


def neighbour_of(name: str) -> str:
    """The name of another organisation in the same partition."""
    candidates = (f"{name}-{number}" for number in range(100_000))
    return next(candidate for candidate in candidates if partition_of(candidate) == partition_of(name))


def event(contact: str, kind: str, at_ms: int, **data: Any) -> Event:
    """One event of a contact."""
    at = iso(at_ms)
    return {
        "specversion": "1.0",
        "id": f"{contact}-{kind}",
        "source": SOURCE,
        "type": f"{PREFIX}contact.{kind}",
        "time": at,
        "data": {"contact": contact, "occurred_at": at, **data},
    }


def opened(contact: str, at_ms: int) -> Event:
    """The first event of a contact."""
    return event(contact, "opened", at_ms, channel="telephone", product="Paspoort", team="Burgerzaken")


def contact_of(number: int, at_ms: int) -> tuple[Event, Event, Event, Event]:
    """A telephone call: opened, queued, answered after 20 to 80 seconds, closed."""
    name = name_of(number)
    return (
        opened(name, at_ms),
        event(name, "queued", at_ms + 100),
        event(name, "answered", at_ms + 20_000 + number * 37 % 60_000),
        event(name, "closed", at_ms + 200_000, result="handled"),
    )


def name_of(number: int) -> str:
    """The id of a contact: as long as that of a telephone system."""
    return f"call-{number:010d}"


def history(contacts: int, now_ms: int, order: Order, kinds: int = len(KINDS), first: int = 0) -> Iterator[Event]:
    """The first `kinds` events of `contacts` contacts, spread evenly over 27 days that ended an hour ago."""
    block = NEAR_CONTACTS if order == "near" else FAR_CONTACTS
    begin = now_ms - SPAN_MS - 3_600_000
    for start in range(0, contacts, block):
        numbers = range(start, min(start + block, contacts))
        several = [contact_of(first + number, begin + number * SPAN_MS // contacts) for number in numbers]
        for kind in range(kinds):
            for made in several:
                yield made[kind]


def earlier(contacts: int, now_ms: int) -> Iterator[Event]:
    """One event of each contact of `history`, none of those four: stores the contact beforehand."""
    begin = now_ms - SPAN_MS - 3_600_000
    for number in range(contacts):
        yield event(name_of(number), "informed", begin + number * SPAN_MS // contacts + 50)


def values(events: Iterable[Event], size: int) -> Iterator[bytes]:
    """Record values of `size` events each."""
    remaining = iter(events)
    while chunk := list(islice(remaining, size)):
        yield from (value for value, _ in encode(chunk))
