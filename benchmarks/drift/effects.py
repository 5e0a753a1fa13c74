"""What can happen to a stream in a world, and the list of what is planted in each kind."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["grade", "compliance", "time", "volume"]
Shape = Literal["none", "step", "ramp", "outage", "surge", "announced", "recovery"]

KINDS: tuple[Kind, ...] = ("grade", "compliance", "time", "volume")


@dataclass(frozen=True, slots=True)
class Effect:
    """size: in grades, as a difference of shares, or as a factor of times or volumes; 0 where a world draws its own.

    step: from one hour on. ramp: growing over a week. outage: two to eight open hours of nearly no volume, or hardly a contact within the
    norm. surge: three times the contacts for some days, quality as before; of volume itself, announced, as is its end. announced: another
    questionnaire, which moves the grade by .3 to 1. recovery: a step that is undone after two to four weeks.
    """

    name: str
    shape: Shape
    size: float = 0.0

    def side(self, kind: Kind) -> int:
        """On which side the stream should be found; 0: it should not be."""
        if self.shape in ("none", "surge", "announced"):
            return 0
        if self.shape == "outage":
            return -1
        return 1 if self.size > (1 if kind in ("time", "volume") else 0) else -1


NONE = Effect("no change", "none")
_SURGE, _OUTAGE = Effect("surge x3", "surge"), Effect("outage", "outage")

EFFECTS: dict[Kind, tuple[Effect, ...]] = {
    "grade": (
        Effect("-0.5 grade", "step", -0.5),
        Effect("-1.0 grade", "step", -1.0),
        Effect("+0.5 grade", "step", 0.5),
        Effect("-1.0 grade in a week", "ramp", -1.0),
        Effect("-1.0 grade, recovered", "recovery", -1.0),
        Effect("questionnaire change", "announced"),
        _SURGE,
    ),
    "compliance": (
        Effect("-10 points", "step", -0.10),
        Effect("-20 points", "step", -0.20),
        Effect("-20 points in a week", "ramp", -0.20),
        Effect("-20 points, recovered", "recovery", -0.20),
        _OUTAGE,
        _SURGE,
    ),
    "time": (
        Effect("time x1.25", "step", 1.25),
        Effect("time x1.6", "step", 1.6),
        Effect("time x1.6 in a week", "ramp", 1.6),
        Effect("time x1.6, recovered", "recovery", 1.6),
        _SURGE,
    ),
    "volume": (
        Effect("volume x0.6", "step", 0.6),
        Effect("volume x1.5", "step", 1.5),
        Effect("volume x1.5 in a week", "ramp", 1.5),
        Effect("volume x0.6, recovered", "recovery", 0.6),
        _OUTAGE,
        Effect("surge x3, announced", "surge"),
    ),
}
