"""Everything expected of a list of events: refusals, contacts, answers and figures. `expected` is the oracle's only entrance."""

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from tests.oracle.contacts import Contact, Key, contacts
from tests.oracle.days import Calendar
from tests.oracle.door import Seen, Wire, refusals, seen

HOUR = 3_600_000
WINDOWS = {"1h": HOUR, "24h": 24 * HOUR, "7d": 168 * HOUR, "28d": 672 * HOUR}
INHERITED = ("channel", "product", "team", "location", "segment")
"""What an answer takes over from its contact where it does not say it itself."""

Sums = tuple[int, int, int]
"""n, Σx, Σx²."""


class Contribution(NamedTuple):
    """One thing that counts: once, at a moment (ms), with a value (ms, thousandths of a grade, or 0 and 1)."""

    channel: str
    measure: str
    at: int
    x: int
    began: int
    opened_at: int | None


@dataclass
class Answer:
    """The revision of an answer that stands, with what it inherits from its contact."""

    key: Key
    revision: int
    answered_at: int
    data: Wire = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    forgotten: bool = False

    @property
    def grades(self) -> dict[str, int]:
        """Thousandths by aspect."""
        exact = {aspect: Decimal(repr(grade)) * 1000 for aspect, grade in self.data["items"].items()}
        return {aspect: int(grade.to_integral_value(ROUND_HALF_EVEN)) for aspect, grade in exact.items()}


@dataclass
class Expected:
    """What must be stored and shown. `refused`: by position in the list, every reason that holds (the product names one of them)."""

    calendar: Calendar
    refused: dict[int, frozenset[str]]
    contacts: dict[Key, Contact]
    answers: dict[Key, Answer]

    def contributions(self) -> Iterator[Contribution]:
        """Everything that counts, in no particular order."""
        for contact in self.contacts.values():
            if contact.counted:
                yield from _of_contact(contact)
        for answer in self.answers.values():
            channel = answer.attributes.get("channel")
            if channel is not None and not answer.forgotten:
                prefix = f"answer:{answer.data['instrument']}:{answer.data['version']}"
                for aspect, grade in answer.grades.items():
                    yield Contribution(channel, f"{prefix}:{aspect}", answer.answered_at, grade, answer.answered_at, answer.answered_at)

    def minutes(self) -> dict[tuple[str, str, int], Sums]:
        """By (channel, measure, minute): minute m holds what counts after m-1 and up to m."""
        return self._sums(lambda one: (one.channel, one.measure, -(-one.at // 60_000)))

    def figures(self, as_of: int) -> dict[tuple[str, str, str], Sums]:
        """By (channel, measure, window), at a whole minute (ms); series without anything in the window are absent."""
        found: dict[tuple[str, str, str], Sums] = {}
        for window, length in WINDOWS.items():

            def place(one: Contribution, begin: int = as_of - length) -> Hashable:
                return (one.channel, one.measure) if begin < one.at <= as_of else None

            found |= {(channel, measure, window): sums for (channel, measure), sums in self._sums(place).items()}
        return found

    def quarters(self, at: int, by: str = "judged") -> dict[tuple[str, str, str], Sums]:
        """By (quarter, channel, measure): what began and counted by a moment, in the quarter in which it counted or was `opened`."""

        def place(one: Contribution) -> Hashable:
            moment = one.at if by == "judged" else one.opened_at
            if moment is None or one.at > at or one.began > at:
                return None
            return self.calendar.quarter_of(moment), one.channel, one.measure

        return self._sums(place)

    def _sums(self, place: Callable[[Contribution], Any]) -> dict[Any, Sums]:
        found: dict[Any, Sums] = defaultdict(lambda: (0, 0, 0))
        for one in self.contributions():
            where = place(one)
            if where is not None:
                n, total, squares = found[where]
                found[where] = (n + 1, total + one.x, squares + one.x * one.x)
        return dict(found)


def expected(arrivals: Iterable[tuple[Wire, int]], organisation: Wire) -> Expected:
    """What events must come to, for the organisation that a YAML document describes.

    An arrival is an event as it went over the wire, of a shape that the schema allows, and the moment (epoch ms) at which Kafka took its
    record. Takes time and memory in proportion to the number of events.
    """
    calendar = Calendar(organisation)
    refused, accepted = {}, []
    for position, (event, appended) in enumerate(arrivals):
        one = seen(event)
        reasons = refusals(event, one, appended, organisation)
        if reasons:
            refused[position] = reasons
        else:
            accepted.append(one)
    found = contacts(accepted, organisation, calendar)
    return Expected(calendar, refused, found, _answers(accepted, found))


def _of_contact(contact: Contact) -> Iterator[Contribution]:
    channel = contact.channel
    assert channel is not None
    opened, answered, abandoned = contact.opened_at, contact.answered_at, contact.abandoned_at

    def counts(measure: str, at: int, x: int, began: int | None = None) -> Contribution:
        return Contribution(channel, measure, at, x, at if began is None else began, opened)

    if opened is not None:
        yield counts("volume", opened, 0)
    if answered is not None:
        yield counts("abandonment", answered, 0)
        if contact.wait_ms is not None:
            yield counts("wait", answered, contact.wait_ms)
    elif abandoned is not None:
        yield counts("abandonment", abandoned, 1)
    for outcome in contact.outcomes.values():
        if outcome.judged_at is None:
            continue
        if outcome.statistic == "mean":
            assert outcome.measured is not None
            yield counts(f"norm_mean:{outcome.norm}", outcome.judged_at, outcome.measured, outcome.start)
        else:
            yield counts(f"norm:{outcome.norm}", outcome.judged_at, int(outcome.within), outcome.start)


def _answers(accepted: list[Seen], found: dict[Key, Contact]) -> dict[Key, Answer]:
    standing: dict[Key, Seen] = {}
    forgotten: set[Key] = set()
    for one in accepted:
        if one.kind != "survey.answered":
            continue
        key = (one.source, one.data["answer"])
        if key not in standing or _rank(one) > _rank(standing[key]):
            standing[key] = one
        if (contact := _named(one, found)) is not None and contact.forgotten:
            forgotten.add(key)
    answers = {}
    for key, one in standing.items():
        contact = _named(one, found)
        answer = Answer(key, one.data["revision"], one.at, one.data, forgotten=key in forgotten)
        known = {} if contact is None else contact.attributes
        for name in INHERITED:
            value = one.data.get(name, known.get(name))
            if value is not None:
                answer.attributes[name] = value
        answers[key] = answer
    return answers


def _named(answer: Seen, found: dict[Key, Contact]) -> Contact | None:
    """The contact that a revision names, where it is known."""
    named = answer.data.get("contact")
    return found.get((named["system"], named["id"])) if named else None


def _rank(one: Seen) -> tuple[int, int, str]:
    return (one.data["revision"], one.time, json.dumps(one.data, sort_keys=True))
