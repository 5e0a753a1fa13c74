"""A channel's hours: when it is open, how busy each hour of the week is, the holidays, and what moves a day or an hour at random."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WEEK = 168
DAY = 24
THIRDS: dict[str, tuple[float, float]] = {"5-30": (5, 30), "30-300": (30, 300), "300-5000": (300, 5000)}
"""Contacts in an open day."""


@dataclass(frozen=True, slots=True)
class Week:
    """relative[168]: how busy an hour of the week is; 0 where closed, and 1 is an average day's contacts in one hour."""

    relative: Floats

    @property
    def open(self) -> npt.NDArray[np.bool_]:
        return self.relative > 0

    @property
    def busyness(self) -> Floats:
        """The log of an open hour's load against the average open hour; 0 where closed."""
        average = self.relative[self.open].mean()
        return np.asarray(np.log(np.where(self.open, self.relative, average) / average))


def week(rng: np.random.Generator) -> Week:
    """An office week, a late Thursday, a Saturday morning, or a channel that never closes, with its peaks."""
    kind = rng.choice(["office", "long", "late", "saturday", "always"], p=[0.3, 0.25, 0.15, 0.15, 0.15])
    opens, closes = (8, 18) if kind == "long" else (int(rng.integers(8, 10)), 17)
    is_open = np.zeros((7, DAY), dtype=bool)
    is_open[:5, opens:closes] = True
    if kind == "late":
        is_open[3, closes:20] = True
    elif kind == "saturday":
        is_open[5, 9:13] = True
    elif kind == "always":
        is_open[:] = True
    hour = np.arange(DAY) + 0.5
    morning, afternoon = rng.uniform(9.5, 11.5), rng.uniform(13.5, 15.5)
    shape = np.exp(-(((hour - morning) / rng.uniform(1.5, 3)) ** 2)) + rng.uniform(0.5, 0.9) * np.exp(-(((hour - afternoon) / 2.5) ** 2))
    shape = shape + np.where((hour > 8) & (hour < 18), rng.uniform(0.15, 0.5), rng.uniform(0.02, 0.12))
    days = np.array([rng.uniform(1.05, 1.4), 1.05, 1.0, 0.98, rng.uniform(0.75, 0.95), rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.4)])
    relative = np.where(is_open, days[:, None] * shape * rng.gamma(60, 1 / 60, (7, DAY)), 0.0)
    return Week(relative.ravel() / relative.sum() * is_open.any(axis=1).sum())


def holidays(rng: np.random.Generator, days: int) -> npt.NDArray[np.bool_]:
    """Which days are closed: about nine weekdays a year, now and then two in a row."""
    closed = np.zeros(days + 1, dtype=bool)
    for day in np.flatnonzero((rng.random(days) < 7 / 365) & (np.arange(days) % 7 < 5)):
        closed[day : day + 1 + int(rng.random() < 0.3)] = True
    return closed[:days]


def day_effects(rng: np.random.Generator, days: int, spread: float) -> Floats:
    """What a day does to all its hours, of standard deviation `spread`; in half of the worlds like the day before's, some heavy-tailed."""
    correlation = float(rng.uniform(0.3, 0.5)) if rng.random() < 0.5 else 0.0
    heavy = rng.random() < 0.25
    shocks = rng.standard_t(6, days) / np.sqrt(1.5) if heavy else rng.standard_normal(days)
    effects = np.empty(days)
    effects[0] = shocks[0]
    for day in range(1, days):
        effects[day] = correlation * effects[day - 1] + np.sqrt(1 - correlation**2) * shocks[day]
    return spread * effects


def season(rng: np.random.Generator, hours: Floats, most: float) -> Floats:
    """A slow movement of the level over the year, of an amplitude up to `most`."""
    year, amplitude = 2 * np.pi * hours / (365 * DAY), rng.uniform(0.2, 1) * most
    first, second = rng.uniform(0, 2 * np.pi, 2)
    return np.asarray(amplitude * (0.8 * np.sin(year + first) + 0.2 * np.sin(2 * year + second)))
