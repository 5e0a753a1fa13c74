"""What a stream usually does: an expected level for each of the 168 hours of a week, and how far hours and days stray from it.

Fitted to some weeks in which nothing was the matter, then frozen. The level of an hour of the week is

    m = centre + effect of the hour of the day + effect of the day of the week + effect of that hour of the week,

each effect shrunk to 0 by information/(information + 1/spread²): the posterior mean under a normal prior (Efron & Morris 1975). An hour
that strays counts less than its number of answers says: its information i is discounted to i/(1 + i·T). Of volumes an hour of the week has
(its own contacts + 3·what hour and day alone say)/(its weeks + 3).

Hours and days stray together (a day of bad weather, a sick colleague) with variances τ_h² and τ_d², found by moments on weeks that were not
used for the levels they are held against (fit.py).
"""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from pipeline.drift.kinds import KINDS, Kind, Name
from pipeline.drift.score import Residuals

HOURS = 168


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline; all in the kind's own scale, informations in 1/scale².

    cells: m by hour of the week (168). sigma2: variance of one observation (grade, time; 1 otherwise). day, hour: variances τ_d², τ_h².
    over_day, over_week: c1 and c7 >= 1, what is left of over-dispersion in the sums of days and weeks. daily: I, effective information of
    an average day; daily_extreme: the same for the extreme shift. saturation: ȳ, how used up a day was on
    average when something was told (see detector.py).
    known: information about the level. grades: values and probabilities of single grades (empty for other kinds). days: on how many days
    of observations it rests.
    """

    kind: Name
    cells: tuple[float, ...]
    sigma2: float
    day: float
    hour: float
    over_day: float
    over_week: float
    daily: float
    daily_extreme: float
    saturation: float
    known: float
    days: float
    grades: tuple[tuple[float, float], ...] = ()

    @property
    def constants(self) -> Kind:
        """The constants of its kind."""
        return KINDS[self.kind]

    @cached_property
    def residuals(self) -> Residuals:
        """The distribution of single grades around their mean."""
        return Residuals([value for value, _ in self.grades], [probability for _, probability in self.grades])

    def document(self) -> dict[str, Any]:
        """As plain values, to be stored; `Baseline.of` reads it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Baseline":
        """From stored plain values."""
        return cls(**{**document, "cells": tuple(document["cells"]), "grades": tuple((v, p) for v, p in document["grades"])})
