"""The four kinds of stream that drift is looked for in, and the constants of each: none of them is for a user to tune."""

from dataclasses import dataclass
from typing import Literal

Name = Literal["grade", "compliance", "time", "volume"]


@dataclass(frozen=True, slots=True)
class Kind:
    """Constants in the kind's own scale: grades of 1-10, logits, log-seconds, logs of a number of contacts.

    shifts: a small, a large and an extreme change. tolerance: a difference nobody would act on. spread: prior standard deviation of what an
    hour of the day, a day of the week or an hour of the week does. day, hour: prior standard deviation of a day, and of an hour in it.
    """

    name: Name
    shifts: tuple[float, float, float]
    tolerance: float
    spread: float
    day: float
    hour: float


KINDS: dict[Name, Kind] = {
    "grade": Kind("grade", (0.5, 1.2, 2.5), 0.05, 0.12, 0.10, 0.10),
    "compliance": Kind("compliance", (0.5, 1.3, 2.6), 0.05, 0.35, 0.25, 0.20),
    "time": Kind("time", (0.2, 0.5, 1.2), 0.03, 0.20, 0.12, 0.12),
    "volume": Kind("volume", (0.25, 0.7, 2.0), 0.08, 0.0, 0.10, 0.10),
}
"""Shifts and tolerances: docs/DRIFT.md, "Shifts"."""
