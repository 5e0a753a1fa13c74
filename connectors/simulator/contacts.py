"""One day's contacts of one channel as the town intends them: arrays of instants, drawn from (seed, day, channel) alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from connectors.simulator import profile
from connectors.simulator.plants import NEVER, Flags, Floats, Instants, Plant, Planted
from connectors.simulator.profile import Channel
from connectors.simulator.town import DAY_MS, HOUR_MS, MINUTE_MS, midnight, opening, working_day_after

LATE_SHARE = 0.03
RESENT_SHARE = 0.01
INHABITANTS = 40_000
LATE_MOOD = 0.4
"""By how much the grade of a contact is lower that a plant made late, beside what the wait does."""


@dataclass
class Steps:
    """What happens when: for each kind of event an array of instants, one a contact, NEVER where it does not happen.

    `released` is when the system sends the event (late events: after they happened), `resent` when it sends it once more by mistake.
    """

    at: dict[str, Instants] = field(default_factory=dict)
    released: dict[str, Instants] = field(default_factory=dict)
    resent: dict[str, Instants] = field(default_factory=dict)

    def add(self, kind: str, at: Instants, rng: np.random.Generator) -> None:
        """Add a kind of event, and draw which of them are sent late or twice."""
        n = len(at)
        delay = np.minimum(rng.lognormal(np.log(25 * MINUTE_MS), 1.2, n), 12 * HOUR_MS).astype(np.int64)
        delay = np.where(rng.random(n) < LATE_SHARE, delay, 0)
        again = rng.integers(1_000, 30 * MINUTE_MS, n)
        resent = rng.random(n) < RESENT_SHARE
        happens = at < NEVER
        self.at[kind] = at
        self.released[kind] = np.where(happens, at + delay, NEVER)
        self.resent[kind] = np.where(happens & resent, at + delay + again, NEVER)

    def drop(self, dropped: Flags) -> None:
        """Let nothing happen for some of the contacts."""
        for moments in (self.at, self.released, self.resent):
            for kind in moments:
                moments[kind] = np.where(dropped, NEVER, moments[kind])


@dataclass
class Contacts:
    """The contacts that open on one day in one channel.

    `strain` (0 and up) is how much each had to wait, as it weighs on the grade; `mood` is what a planted change adds to the grade.
    """

    channel: Channel
    day: date
    ids: list[str]
    product: NDArray[np.int64]
    business: Flags
    person: NDArray[np.int64]
    via: NDArray[np.int64]
    steps: Steps
    strain: Floats
    mood: Floats
    transferred_to: NDArray[np.int64]
    reached: Flags

    def __len__(self) -> int:
        return len(self.ids)


def generator(seed: int, day: date, channel: Channel, part: int) -> np.random.Generator:
    """The random numbers of one part of one channel's day."""
    return np.random.default_rng([seed, day.toordinal(), profile.CHANNELS.index(channel), part])


def draw(seed: int, scale: float, plants: Iterable[Plant], channel: Channel, day: date) -> Contacts:
    """The day's contacts of a channel. What is planted takes no draws from the others, so that the town is otherwise the same."""
    rng = generator(seed, day, channel, 0)
    hours = opening(day)
    start, end = midnight(day), midnight(day + timedelta(days=1))
    planted = Planted.on(plants, channel, start, end)
    volume = channel.per_day * scale * rng.lognormal(-0.004, 0.09)
    volume *= profile.WEEKDAY[day.weekday()] if hours else channel.quiet
    n = int(rng.poisson(volume * planted.peak))
    if channel.kind == "queue" and hours:
        opened = _spread(rng, n, hours[0], hours[1], profile.QUEUE_HOURS)
    else:
        opened = _spread(rng, n, start, end, profile.WRITTEN_HOURS)
    weights = np.asarray(channel.products) / sum(channel.products)
    product = rng.choice(len(weights), size=n, p=weights)
    late = planted.made_late(opened, product, rng.random(n))
    contacts = Contacts(
        channel=channel,
        day=day,
        ids=[f"{channel.prefix}-{day}-{number:04d}" for number in range(1, n + 1)],
        product=product,
        business=rng.random(n) < 0.12,
        person=rng.integers(0, max(1, int(INHABITANTS * scale)), n),
        via=rng.integers(0, max(1, len(channel.via)), n),
        steps=Steps(),
        strain=np.zeros(n),
        mood=planted.added(opened, product) - LATE_MOOD * late,
        transferred_to=rng.integers(0, len(profile.PRODUCTS), n),
        reached=rng.random(n) < 0.85,
    )
    contacts.steps.add("opened", opened, rng)
    if channel.kind == "queue":
        closed = _queue(contacts, opened, hours, late, planted.longer(opened, product), rng)
    else:
        closed = _written(contacts, opened, late, rng)
    withdrawn = np.where((rng.random(n) < 0.008) & (closed < NEVER), closed + rng.integers(MINUTE_MS, 4 * HOUR_MS, n), NEVER)
    contacts.steps.add("withdrawn", withdrawn, rng)
    contacts.steps.drop(~planted.gets_through(opened, product, generator(seed, day, channel, 2).random(n)))
    return contacts


def _spread(rng: np.random.Generator, n: int, start: int, end: int, pattern: tuple[float, ...]) -> Instants:
    """n instants in [start, end), ascending, by a pattern of hours since `start`."""
    hours = -(-(end - start) // HOUR_MS)
    lengths = np.minimum(np.arange(1, hours + 1) * HOUR_MS, end - start) - np.arange(hours) * HOUR_MS
    weights = np.array([pattern[min(hour, len(pattern) - 1)] for hour in range(hours)]) * lengths
    hour = rng.choice(hours, size=n, p=weights / weights.sum())
    return np.sort(start + hour * HOUR_MS + (rng.random(n) * lengths[hour]).astype(np.int64))


def _queue(
    contacts: Contacts, opened: Instants, hours: tuple[int, int] | None, late: Flags, longer: Floats, rng: np.random.Generator
) -> Instants:
    """Calls and visits: queue, wait (`longer`: so many times), be helped or give up.

    Adds the steps and the strain; returns when each ended.
    """
    n, telephone = len(contacts), contacts.channel.name == "telephone"
    busy = np.zeros(n) if hours is None else np.isin((opened - hours[0]) // HOUR_MS, (1, 2, 3, 6))
    if telephone:
        # An exponential wait of which the wanted share lies within the norm; it differs by day, hour of the day and call.
        logit = 1.60 + 0.15 * rng.standard_normal() - 0.3 * busy
        within = 1 / (1 + np.exp(-logit))
        wait_s = profile.NORM_S * rng.exponential(size=n) / -np.log1p(-within)
        made_late = profile.NORM_S + 1 + rng.exponential(70, n)
        patience_s, shortest_s = 420.0, 0.5
    else:
        wait_s = 60 * (4 + 2 * busy) * rng.weibull(1.3, n) * rng.lognormal(0, 0.15)
        made_late = wait_s + 60 * (6 + rng.exponential(5, n))
        patience_s, shortest_s = 9_000.0, 5.0
    late_anyway = (wait_s > profile.NORM_S) & telephone
    wait_s = np.where(late & ~late_anyway, made_late, wait_s) * longer
    gives_up_s = rng.exponential(patience_s, n)
    abandons = gives_up_s < wait_s
    wait = (np.maximum(np.minimum(wait_s, gives_up_s), shortest_s) * 1000).astype(np.int64)
    queued = opened + (0 if telephone else rng.integers(5_000, 60_000, n))
    ended_wait = queued + wait
    contacts.strain[:] = np.log2(np.maximum(wait_s / (profile.NORM_S if telephone else 480), 1))
    talk = (rng.lognormal(np.log(210 if telephone else 400), 0.6, n) * 1000).astype(np.int64)
    closed = ended_wait + np.where(abandons, 0, talk)
    answered = np.where(abandons, NEVER, ended_wait)

    steps = contacts.steps
    steps.add("queued", queued, rng)
    steps.add("answered", answered, rng)
    steps.add("abandoned", np.where(abandons, ended_wait, NEVER), rng)
    transferred = ~abandons & (rng.random(n) < (0.07 if telephone else 0.02))
    steps.add("transferred", np.where(transferred, ended_wait + talk // 3, NEVER), rng)
    contacts.strain += 0.5 * transferred
    calls_back = ~abandons & (rng.random(n) < (0.08 if telephone else 0.0))
    steps.add("callback_requested", np.where(calls_back, closed - talk // 10, NEVER), rng)
    later = _in_office(contacts.day, closed, rng.choice(4, size=n, p=(0.3, 0.45, 0.17, 0.08)), rng)
    steps.add("called_back", np.where(calls_back, later, NEVER), rng)
    steps.add("closed", np.where(abandons, NEVER, closed), rng)
    return closed


def _written(contacts: Contacts, opened: Instants, late: Flags, rng: np.random.Generator) -> Instants:
    """Messages: confirmed by a machine, answered by a person. Adds the steps and the strain; returns when each ended."""
    n, name = len(contacts), contacts.channel.name
    norm_days = profile.NORM_DAYS[name]
    shares = profile.RESPONSE_DAYS[name]
    days = rng.choice(len(shares), size=n, p=shares)
    days = np.where(late & (days <= norm_days), norm_days + 1 + rng.integers(0, 3, n), days)
    contacts.strain[:] = 0.6 * np.maximum(days - 1, 0)
    ended = _in_office(contacts.day, opened + 3 * MINUTE_MS, days, rng)
    # One in two hundred is lost and never answered; a few are closed without an answer.
    ended = np.where(rng.random(n) < 0.005, NEVER, ended)
    without_answer = (rng.random(n) < 0.03) & (name != "social")
    responded = np.where(without_answer, NEVER, ended)
    closed = np.where(ended < NEVER, ended + np.where(without_answer, 0, rng.integers(MINUTE_MS, 20 * MINUTE_MS, n)), NEVER)

    steps = contacts.steps
    if name != "social":
        slow = rng.random(n) < (0.05 if name == "email" else 0.02)
        seconds = np.where(slow, profile.ACKNOWLEDGED_S + rng.exponential(5_400, n), rng.exponential(40, n) + 1)
        steps.add("acknowledged", opened + np.minimum(seconds * 1000, 6 * HOUR_MS).astype(np.int64), rng)
    transferred = (rng.random(n) < 0.06) & (ended < NEVER)
    steps.add("transferred", np.where(transferred, opened + (np.minimum(ended, opened + DAY_MS) - opened) // 2, NEVER), rng)
    contacts.strain += 0.3 * transferred
    steps.add("responded", responded, rng)
    steps.add("closed", closed, rng)
    return closed


def _in_office(day: date, earliest: Instants, days: NDArray[np.int64], rng: np.random.Generator) -> Instants:
    """An instant within opening hours of the `days`-th working day after `day` (0: still today), never before `earliest`.

    What can't be done today any more is done on the next working day.
    """
    chance = rng.random(len(days))
    result = np.empty(len(days), dtype=np.int64)
    today = opening(day)
    possible = earliest < (today[1] - 30 * MINUTE_MS if today else 0)
    days = np.where((days == 0) & ~possible, 1, days)
    for count in np.unique(days):
        chosen = days == count
        hours = opening(working_day_after(day, int(count)))
        if hours is not None:
            start = np.maximum(earliest[chosen], hours[0])
            result[chosen] = start + (chance[chosen] * (np.maximum(hours[1], start + MINUTE_MS) - start)).astype(np.int64)
    return result
