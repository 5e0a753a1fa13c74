"""Seeded worlds: one stream of a channel, twelve quiet weeks and then a run in which nothing happens, or one planted thing.

Nothing here knows a detector. What is assumed of municipalities is in `hours`, `grades` and `_Nature`, drawn anew for each world.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from benchmarks.drift.effects import KINDS, Effect, Kind
from benchmarks.drift.grades import scale
from benchmarks.drift.hours import DAY, THIRDS, WEEK, Floats, day_effects, holidays, season, week

Counts = npt.NDArray[np.int64]

HISTORY = 12 * WEEK
QUARTER = 13 * WEEK
WATCHED = 28 * DAY
"""A change is looked for this long, and so is its end."""
MOST_ANSWERS = 150
"""A day, on average: busier channels are asked to answer less often, so that a world stays affordable."""


@dataclass(frozen=True, slots=True)
class World:
    """history, run: rows of (t, value, weight), in order of arrival; t in hours since a Monday 00:00, the run goes on where history ends.

    change, recovery, end: hours; the first two None where there is none. side: on which the change should be found, 0 not at all.
    markers: when something is announced. hours: the run's open ones.
    usual: answers, or contacts, in an average open day; where there is an outage, in an hour like its first.
    spreads: true standard deviations of a day, of an hour in it, and of one answer or contact, in grades, log-odds or logs.
    """

    kind: Kind
    effect: Effect
    history: Floats
    run: Floats
    end: float
    change: float | None
    recovery: float | None
    side: int
    markers: tuple[float, ...]
    hours: Floats
    usual: float
    spreads: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Nature:
    """What a stream is like: the spread of its days and of its hours, the amplitude of its season, by kind and drawn between the limits."""

    day: tuple[float, float]
    hour: tuple[float, float]
    season: float


_NATURES: dict[Kind, _Nature] = {
    "grade": _Nature((0.05, 0.15), (0.05, 0.15), 0.06),
    "compliance": _Nature((0.12, 0.35), (0.10, 0.30), 0.10),
    "time": _Nature((0.06, 0.18), (0.06, 0.18), 0.05),
    "volume": _Nature((0.06, 0.20), (0.05, 0.15), 0.12),
}
"""A day's volume beyond chance: between .11 and .19 in four of five channels of real request and call logs, .29 in the fifth."""


def world(kind: Kind, effect: Effect, third: str, noise: float, seed: int, index: int, days: int = 4 * QUARTER // DAY) -> World:
    """The world of that seed and index. `days`: how long the run is where nothing happens; otherwise it ends when the effect was watched.

    noise: a factor of the spread of days and hours. The same arguments give the same arrays.
    """
    name = int.from_bytes(effect.name.encode(), "big") % 2**32
    rng = np.random.default_rng([seed, KINDS.index(kind), name, list(THIRDS).index(third), round(10 * noise), index])
    return _Maker(kind, effect, third, noise, rng, days).made()


class _Maker:
    """Draws a world: first what the channel is like, then what happens, then every hour."""

    def __init__(self, kind: Kind, effect: Effect, third: str, noise: float, rng: np.random.Generator, days: int) -> None:
        self.kind, self.effect, self.rng = kind, effect, rng
        low, high = THIRDS[third]
        self.per_day = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        self.week = week(rng)
        days = HISTORY // DAY + (days if effect.shape == "none" else 140)
        self.hours = np.arange(days * DAY, dtype=np.float64)
        self.day = (self.hours // DAY).astype(int)
        self.cell = (self.hours % WEEK).astype(int)
        closed = holidays(rng, days)
        self.open = self.week.open[self.cell] & ~closed[self.day]
        self.after_closing = np.concatenate([[False], closed[:-1]])[self.day]
        nature = _NATURES[kind]
        self.day_spread, self.hour_spread = (noise * rng.uniform(*between) for between in (nature.day, nature.hour))
        self.level = season(rng, self.hours, nature.season) + day_effects(rng, days, self.day_spread)[self.day]
        self.days = days
        self.change = self._chosen() if effect.shape != "none" else None
        self.recovery = self._ends(self.change) if self.change is not None else None
        self.end = self._watched()

    def made(self) -> World:
        """The world."""
        rows, usual, spread = {"grade": self._grades, "compliance": self._shares, "time": self._times, "volume": self._volumes}[self.kind]()
        rows = rows[rows[:, 0] < self.end]
        before = rows[:, 0] < HISTORY
        if self.change is not None and self.effect.shape == "outage":
            usual *= self.week.relative[int(self.change) % WEEK]
        side = 0 if self.change is None else self.effect.side(self.kind)
        hours = self.hours[self.open & (self.hours >= HISTORY) & (self.hours < self.end)]
        return World(
            self.kind,
            self.effect,
            rows[before],
            rows[~before],
            self.end,
            self.change,
            self.recovery,
            side,
            self._markers(),
            hours,
            usual,
            (self.day_spread, self.hour_spread, spread),
        )

    def _chosen(self) -> float:
        """An hour in which people work, in the third to tenth week of the run."""
        busy = self.week.relative[self.cell] > 0.5 * self.week.relative[self.week.open].mean()
        weeks = (self.hours >= HISTORY + 2 * WEEK) & (self.hours < HISTORY + 10 * WEEK)
        return float(self.rng.choice(self.hours[busy & weeks & self.open & (self.cell % DAY >= 8) & (self.cell % DAY < 17)]))

    def _ends(self, change: float) -> float | None:
        shape, after = self.effect.shape, self.hours[self.open & (self.hours >= change)]
        if shape == "outage":
            return float(after[int(self.rng.integers(2, 9))])
        if shape in ("surge", "recovery"):
            days = self.rng.uniform(1, 5) if shape == "surge" else self.rng.uniform(14, 28)
            return float(after[np.searchsorted(after, change + days * DAY)])
        return None

    def _watched(self) -> float:
        if self.change is None:
            return float(len(self.hours))
        return WATCHED + (self.recovery if self.recovery is not None and self.effect.shape == "recovery" else self.change)

    def _markers(self) -> tuple[float, ...]:
        if self.change is None or not (self.effect.shape == "announced" or (self.effect.shape == "surge" and self.kind == "volume")):
            return ()
        return (self.change,) if self.recovery is None else (self.change, self.recovery)

    def _profile(self) -> Floats:
        """How much of the effect is there in each hour, 0 to 1."""
        if self.change is None:
            return np.zeros(len(self.hours))
        grown = np.clip((self.hours - self.change) / WEEK, 0, 1) if self.effect.shape == "ramp" else (self.hours >= self.change) * 1.0
        return np.asarray(grown * (self.hours < (np.inf if self.recovery is None else self.recovery)))

    def _contacts(self) -> Counts:
        """Contacts of each hour, of a channel that slowly grows or shrinks and is busier after a closed day.

        The day effects are the stream's own where volume is watched, else others, with now and then a storm.
        """
        rng, load = self.rng, self.per_day * self.week.relative[self.cell]
        load = load * np.where(self.after_closing, rng.uniform(1, 1.25), 1.0) * np.exp(rng.uniform(-0.1, 0.2) * self.hours / (365 * DAY))
        if self.kind == "volume":
            level, spread = self.level - self.day_spread**2 / 2, self.hour_spread
        else:
            own = _NATURES["volume"]
            level = season(rng, self.hours, own.season) + day_effects(rng, self.days, rng.uniform(*own.day))[self.day]
            storms = np.where(rng.random(self.days) < rng.uniform(0, 6) / 365, rng.uniform(2, 3, self.days), 1.0)
            level, spread = level + np.log(storms)[self.day], rng.uniform(*own.hour)
        load = load * np.exp(level) * rng.gamma(1 / spread**2, spread**2, len(load))
        return np.where(self.open, rng.poisson(load * self._loaded()), 0).astype(int)

    def _loaded(self) -> Floats:
        """What the effect does to the number of contacts, as a factor."""
        shape, factor = self.effect.shape, 1.0
        if shape == "surge":
            factor = 3.0
        elif shape == "outage":
            factor = self.rng.uniform(0, 0.05) if self.kind == "volume" else self.rng.uniform(0.5, 1)
        elif self.kind == "volume" and self.effect.size:
            factor = self.effect.size
        return np.asarray(factor ** self._profile())

    def _volumes(self) -> tuple[Floats, float, float]:
        contacts = self._contacts()[self.open]
        return np.column_stack([self.hours[self.open], contacts, np.ones(len(contacts))]), self.per_day, 1.0

    def _hourly(self) -> Floats:
        """What moves an hour within its day, at random."""
        return self.hour_spread * self.rng.standard_normal(len(self.hours))

    def _monday(self, most: float) -> Floats:
        return np.where(self.cell < DAY, self.rng.uniform(0, most), 0.0)

    def _grades(self) -> tuple[Floats, float, float]:
        """One row an answer. In half of the worlds one in twenty arrives up to 72 hours late, with the time it was given."""
        rng, asked = self.rng, scale(self.rng)
        share = min(rng.uniform(0.05, 0.25), MOST_ANSWERS / self.per_day)
        answers = rng.binomial(self._contacts(), share)
        size = self.effect.size or (rng.choice([-1, 1]) * rng.uniform(0.3, 1) if self.effect.shape == "announced" else 0.0)
        daily = rng.uniform(0, 0.15) * np.sin(2 * np.pi * (self.cell % DAY - rng.uniform(0, 24)) / DAY)
        mean = asked.usual + self.level + self._hourly() + daily - self._monday(0.2) - rng.uniform(0, 0.1) * self.week.busyness[self.cell]
        when = np.repeat(self.hours, answers) + rng.random(int(answers.sum()))
        rows = np.column_stack([when, asked.draw(rng, np.repeat(mean + size * self._profile(), answers)), np.ones(len(when))])
        late = rng.random(len(when)) < (0.05 if rng.random() < 0.5 else 0.0)
        return rows[np.argsort(when + late * rng.uniform(1, 72, len(when)), kind="stable")], self.per_day * share, asked.spread

    def _shares(self) -> tuple[Floats, float, float]:
        """One row an hour in which something was judged; in one of ten worlds, whose norm ends with the day, one row a day."""
        rng, usual = self.rng, self.rng.uniform(0.6, 0.95)
        judged = rng.binomial(self._contacts(), rng.uniform(0.7, 1))
        base = logit(usual) - rng.uniform(0.1, 0.6) * self.week.busyness[self.cell] - self._monday(0.4)
        if self.effect.shape == "outage":
            moved = float(logit(rng.uniform(0.01, 0.1)) - logit(usual))
        else:
            moved = _shift(base[self.open][:WEEK], self.effect.size) if self.effect.size else 0.0
        odds = base + self.level + self._hourly() + moved * self._profile()
        within = rng.binomial(judged, expit(odds))
        hours = self.hours
        if self.effect.shape != "outage" and rng.random() < 0.1:
            last = np.array([np.flatnonzero(self.open[i : i + DAY])[-1:].sum() for i in range(0, len(hours), DAY)])
            hours, judged, within = np.arange(0.0, len(hours), DAY) + last, _by_day(judged), _by_day(within)
        some = judged > 0
        return np.column_stack([hours[some], within[some] / judged[some], judged[some]]), self.per_day, float((usual * (1 - usual)) ** -0.5)

    def _times(self) -> tuple[Floats, float, float]:
        """One row an hour with contacts: the mean of their log-seconds, each skewed (a gamma's shape) around the hour's."""
        rng, contacts = self.rng, self._contacts()
        level = rng.uniform(np.log(20), np.log(400)) + self.level + self._hourly() + self._monday(0.25)
        level = level + rng.uniform(0.1, 0.4) * self.week.busyness[self.cell] + np.log(self.effect.size or 1.0) * self._profile()
        some = contacts > 0
        n, spread, shape = contacts[some], rng.uniform(0.6, 1.2), rng.uniform(2, 10)
        noise = rng.choice([-1, 1]) * spread * (rng.gamma(shape * n) / n - shape) / np.sqrt(shape)
        return np.column_stack([self.hours[some], level[some] + noise, n]), self.per_day, float(spread)


def _by_day(values: Counts) -> Counts:
    return np.asarray(values.reshape(-1, DAY).sum(axis=1))


def _shift(odds: Floats, points: float) -> float:
    """The shift of these log-odds that moves their mean share by `points`; by bisection."""
    low, high, wanted = -12.0, 12.0, expit(odds).mean() + points
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(odds + middle).mean() < wanted else (low, middle)
    return low
