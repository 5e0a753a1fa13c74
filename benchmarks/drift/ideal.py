"""How soon a change could be found at best, in a world of which everything is known: the yardstick beside a measured delay.

No detector whose runs without change last A days on average finds a change sooner, on average and for large A, than when the information
it has gathered since reaches ln A (Lorden 1971). Of a day with n observations of variance v, over k hours, that is
shift² / 2(day² + hour²/k + v/n), with the true spread of days and hours and the true shift. It leaves out what likeness of one day to the
next and heavy tails take away, so it errs on the early side.
"""

from math import inf, log

import numpy as np
from scipy.special import logit

from benchmarks.drift.hours import DAY
from benchmarks.drift.worlds import World

QUARTER_DAYS = 182.5
"""Two sides of a stream share its budget; a quarter has 91.25 days."""


def ideal(world: World, budget: float = 0.25) -> float | None:
    """Hours from the change to then; inf where it is not watched that long; None where there is no step to be found."""
    if world.change is None or world.effect.shape != "step":
        return None
    shift, (day_spread, hour_spread, spread) = _shift(world), world.spreads
    days, hours = np.unique(world.hours[world.hours >= world.change] // DAY, return_counts=True)
    gathered, wanted = 0.0, log(QUARTER_DAYS / budget)
    for day, number in zip(days.tolist(), hours.tolist(), strict=True):
        rows = world.run[(world.run[:, 0] // DAY == day) & (world.run[:, 0] >= world.change)]
        n = rows[:, 1 if world.kind == "volume" else 2].sum()
        more = shift**2 / 2 / (day_spread**2 + hour_spread**2 / number + spread**2 / n) if n else 0.0
        if gathered + more >= wanted:
            opened = world.hours[(world.hours // DAY == day) & (world.hours >= world.change)]
            return float(opened[int(np.ceil(number * (wanted - gathered) / more)) - 1]) + 1 - world.change
        gathered += more
    return inf


def _shift(world: World) -> float:
    """The change in grades, log-odds or logs."""
    size = world.effect.size
    if world.kind == "grade":
        return size
    if world.kind != "compliance":
        return log(size)
    usual = float(np.average(world.history[:, 1], weights=world.history[:, 2]))
    return float(logit(max(usual + size, 0.01)) - logit(usual))
