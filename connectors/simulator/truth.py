"""The simulator's truth: what a correct measurement must find, counted from the draws themselves and never from the events.

Sums are triples [n, sum, sum of squares] of integers under the product's measure keys: `volume`, `wait` (milliseconds), `abandonment`,
`norm:<id>` (sum = within) and `answer:<instrument>:<version>:<aspect>` (thousandths of a grade).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from connectors.simulator import profile
from connectors.simulator.contacts import Contacts
from connectors.simulator.events import INSTRUMENT, INSTRUMENT_VERSION, ITEMS_OF_PARTIAL
from connectors.simulator.plants import NEVER, Instants
from connectors.simulator.profile import Promise
from connectors.simulator.surveys import Surveys
from connectors.simulator.town import DAY_MS, HOUR_MS, MINUTE_MS, day_of, midnight, working_day_after
from connectors.simulator.world import ONE_DAY, World

Sums = list[int]
Table = dict[str, dict[str, dict[str, Sums]]]
"""First key (a day, a window) -> channel -> measure -> [n, sum, sum of squares]."""

WINDOWS = {"1h": HOUR_MS, "24h": DAY_MS, "7d": 7 * DAY_MS, "28d": 28 * DAY_MS}


@dataclass
class Truth:
    """What had been sent by `as_of` comes to this.

    by_day: under the local day at which a thing counts (contacts: opened; waits: answered; norms: judged; grades: answered).
    by_opening_day: the same of contacts, under the day on which they opened. rolling: (as_of − window, as_of], minutes rounded up.
    events: of contacts and surveys, each once. late: those sent after they happened; resent: those sent twice by mistake (ids).
    withdrawn: contacts that were, and count nowhere.
    """

    as_of: int
    by_day: Table = field(default_factory=dict)
    by_opening_day: Table = field(default_factory=dict)
    rolling: Table = field(default_factory=dict)
    withdrawn: int = 0
    events: int = 0
    late: list[str] = field(default_factory=list)
    resent: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Fact:
    """Things of one measure that count: when, and how much."""

    measure: str
    at: Instants
    x: NDArray[np.int64]


def truth(world: World, as_of: int) -> Truth:
    """What the world has come to at an instant (epoch milliseconds, a whole minute)."""
    if as_of % MINUTE_MS:
        raise ValueError(f"as_of {as_of} is not a whole minute")
    found = Truth(as_of)
    last = day_of(as_of)
    days = [world.first_day + n * ONE_DAY for n in range((last - world.first_day).days + 1)]
    starts = np.array([midnight(day) for day in days])
    for day in days:
        for contacts, surveys in world.draws(day):
            channel = contacts.channel.name
            found.withdrawn += int(np.count_nonzero(contacts.steps.released["withdrawn"] <= as_of))
            for fact in facts_of_contacts(contacts, as_of):
                _add(found.by_opening_day, day.isoformat(), channel, fact.measure, fact.x)
                _spread(found, fact, channel, days, starts)
            for fact in _of_answers(surveys, as_of):
                _spread(found, fact, channel, days, starts)
            _events(found, contacts, surveys)
    return found


def _known(steps_at: Instants, released: Instants, as_of: int) -> Instants:
    return np.where(released <= as_of, steps_at, NEVER)


def facts_of_contacts(contacts: Contacts, as_of: int) -> Iterator[Fact]:
    """What counts of the contacts of a day and channel, as far as it had been sent by `as_of`."""
    steps = contacts.steps
    known = {kind: _known(at, steps.released[kind], as_of) for kind, at in steps.at.items()}
    counts = (known["opened"] < NEVER) & (known["withdrawn"] == NEVER)
    opened = known["opened"][counts]
    yield Fact("volume", opened, np.zeros(len(opened), dtype=np.int64))
    if contacts.channel.kind == "queue":
        answered, abandoned, queued = known["answered"], known["abandoned"], known["queued"]
        helped = counts & (answered < NEVER)
        start = np.where(queued < NEVER, queued, known["opened"])
        gave_up = counts & ~helped & (abandoned < NEVER)
        yield Fact("wait", answered[helped], answered[helped] - start[helped])
        yield Fact("abandonment", answered[helped], np.zeros(np.count_nonzero(helped), dtype=np.int64))
        yield Fact("abandonment", abandoned[gave_up], np.ones(np.count_nonzero(gave_up), dtype=np.int64))
    for promise in profile.PROMISES:
        if promise.channel == contacts.channel.name:
            yield _kept(promise, contacts.day, known, counts, as_of)


def _kept(promise: Promise, day: date, known: dict[str, Instants], counts: NDArray[np.bool_], as_of: int) -> Fact:
    start = known[promise.start]
    stop = np.minimum.reduce([known[kind] for kind in promise.stops])
    if promise.working_days:
        end_of_term = midnight(working_day_after(day, promise.working_days) + ONE_DAY) - 1
        deadline = np.full(len(start), end_of_term, dtype=np.int64)
    else:
        deadline = start + promise.within_ms
    ended = np.minimum(known["closed"], known.get("abandoned", known["closed"]))
    open_too_long = (stop == NEVER) & (ended == NEVER) & (deadline <= as_of)
    judged = counts & (start < NEVER) & ((stop < NEVER) | open_too_long)
    return Fact(f"norm:{promise.norm}", np.minimum(stop, deadline)[judged], (stop <= deadline)[judged].astype(np.int64))


def _of_answers(surveys: Surveys, as_of: int) -> Iterator[Fact]:
    steps = surveys.steps
    first = _known(steps.at["answered"], steps.released["answered"], as_of)
    second = _known(steps.at["completed"], steps.released["completed"], as_of)
    at = np.where(second < NEVER, second, first)
    only_part = surveys.partial & (second == NEVER)
    for column, aspect in enumerate(profile.ASPECTS):
        given = (at < NEVER) & ~(only_part & (column >= ITEMS_OF_PARTIAL))
        yield Fact(f"answer:{INSTRUMENT}:{INSTRUMENT_VERSION}:{aspect}", at[given], 1000 * surveys.grades[given, column])


def _spread(found: Truth, fact: Fact, channel: str, days: list[date], starts: NDArray[np.int64]) -> None:
    position = np.searchsorted(starts, fact.at, side="right") - 1
    for number in np.unique(position):
        _add(found.by_day, days[number].isoformat(), channel, fact.measure, fact.x[position == number])
    for name, length in WINDOWS.items():
        _add(found.rolling, name, channel, fact.measure, fact.x[(fact.at > found.as_of - length) & (fact.at <= found.as_of)])


def _add(table: Table, key: str, channel: str, measure: str, x: NDArray[np.int64]) -> None:
    if not len(x):
        return
    sums = table.setdefault(key, {}).setdefault(channel, {}).setdefault(measure, [0, 0, 0])
    sums[0] += len(x)
    sums[1] += int(x.sum())
    sums[2] += int((x * x).sum())


def _events(found: Truth, contacts: Contacts, surveys: Surveys) -> None:
    """Count what was sent, and note what was sent late or twice."""
    names = {"invited": "invited", "answered": "answered.1", "completed": "answered.2"}
    for steps, ids, suffixes in (
        (contacts.steps, contacts.ids, {kind: kind for kind in contacts.steps.at}),
        (surveys.steps, [contacts.ids[position] for position in surveys.contact], names),
    ):
        for kind, suffix in suffixes.items():
            sent = steps.released[kind] <= found.as_of
            found.events += int(np.count_nonzero(sent))
            late = np.flatnonzero(sent & (steps.released[kind] > steps.at[kind]))
            found.late.extend(f"{ids[position]}.{suffix}" for position in late)
            found.resent.extend(f"{ids[position]}.{suffix}" for position in np.flatnonzero(steps.resent[kind] <= found.as_of))
