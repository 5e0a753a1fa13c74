"""The mixture of Shiryaev-Roberts statistics of one side, in logs, with the onset and size that go with it.

For a shift the statistic is W ← (W + Δ)·Λ with Λ the likelihood ratio of what was seen in a step and Δ the time it took, in days of
average information (Shiryaev 1963, Roberts 1966; with Δ in place of 1, so that its clock is the day and not the observation). Without a
change W minus the elapsed days is a martingale, so the first time that W >= A takes at least A days on average, whatever the distribution
(Pollak 1985). The mean over several shifts keeps that (Pollak 1987), and so does Λ to a power q <= 1, for which E Λ^q <= 1 (Jensen).
"""

import math
from typing import Any

NEVER = -1e9
"""ln 0."""
FIELDS = ("w", "s", "onset", "told", "known", "n", "seen", "usual")


class Component:
    """One shift on one side. w: ln W. s, onset: the sum of ln Λ^q since its last minimum, and the hour after that minimum.

    Since the onset: told = ΣfU, known = Σfi, n, seen = Σn·v, usual = Σn·(expected v).
    """

    __slots__ = FIELDS

    def __init__(self) -> None:
        self.reset(0)

    def reset(self, onset: int) -> None:
        """Begin anew: nothing is known of a change before `onset` (hours)."""
        self.w = NEVER
        self.s = 0.0
        self.onset = onset
        self.told = self.known = self.n = self.seen = self.usual = 0.0

    def after(self, delta: float, increment: float) -> float:
        """ln W after a step that is not taken yet: Δ in days, ln Λ^q."""
        w = self.w
        if delta <= 0:
            return w + increment
        added = math.log(delta)
        if added > w:
            w, added = added, w
        return w + (math.log1p(math.exp(added - w)) if added > w - 40 else 0.0) + increment

    def step(self, hour: int, w: float, increment: float, told: float, known: float, n: float, seen: float, usual: float) -> None:
        """Take the step of an hour: w as `after` gave it."""
        self.w = w
        self.s += increment
        if self.s <= 0:
            self.s = 0.0
            self.onset = hour + 1
            self.told = self.known = self.n = self.seen = self.usual = 0.0
            return
        self.told += told
        self.known += known
        self.n += n
        self.seen += seen
        self.usual += usual

    def state(self) -> list[float]:
        """Its numbers, to be stored."""
        return [getattr(self, name) for name in FIELDS]

    @classmethod
    def of(cls, state: list[Any]) -> "Component":
        """From stored numbers."""
        made = cls()
        for name, value in zip(FIELDS, state, strict=True):
            setattr(made, name, value)
        return made


def mean(logs: list[float]) -> float:
    """The log of the mean of what has these logs."""
    top = max(logs)
    return top + math.log(sum(math.exp(one - top) for one in logs) / len(logs))
