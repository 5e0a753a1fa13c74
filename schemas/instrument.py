"""Questionnaires as configuration: their scales, aspects with targets, and the waves in which they were put."""

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from schemas.messages import misfit
from schemas.norm import Titles, Validity
from schemas.types import Slug


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


ScaleKind = Literal["grade", "satisfaction", "recommendation", "effort", "smileys", "yes-no"]
_NAMED: dict[str, tuple[float, float, ScaleKind]] = {
    "1-10": (1, 10, "grade"),
    "1-5": (1, 5, "satisfaction"),
    "0-10": (0, 10, "recommendation"),
    "1-7": (1, 7, "effort"),
    "smileys-3": (1, 3, "smileys"),
    "smileys-4": (1, 4, "smileys"),
    "smileys-5": (1, 5, "smileys"),
    "yes-no": (0, 1, "yes-no"),
}


class Scale(_Model):
    """Bounds of the answers, both included. Of smileys the unhappiest is 1; of yes and no, yes is 1."""

    minimum: float
    maximum: float
    kind: ScaleKind = "grade"

    @model_validator(mode="after")
    def _in_order(self) -> "Scale":
        if self.minimum >= self.maximum:
            raise ValueError(f"the minimum {self.minimum:g} must lie below the maximum {self.maximum:g}")
        return self


def _named_scale(value: object) -> object:
    if not isinstance(value, str):
        return value
    named = _NAMED.get(re.sub(r"\s", "", value))
    if named is None:
        raise ValueError(f"{value!r} is no scale; write one of {', '.join(_NAMED)}, or {{minimum: 1, maximum: 10}}")
    return dict(zip(("minimum", "maximum", "kind"), named, strict=True))


_SCALE_SCHEMA: dict[str, Any] = {
    "anyOf": [{"enum": list(_NAMED)}, {key: value for key, value in Scale.model_json_schema().items() if key != "title"}],
    "description": "The scale of the answers, by name or by its bounds.",
}
NamedScale = Annotated[Scale, BeforeValidator(_named_scale), WithJsonSchema(_SCALE_SCHEMA)]
"""A scale, in YAML by its name or its bounds."""


class Target(_Model):
    """What a mean should reach on the instrument's scale, and from when until when."""

    target: float
    valid: Validity = Validity()


class Aspect(_Model):
    """One item of an instrument. `target`: a mean on its scale, always; or `targets` with their validity.

    `scale`: its own, where it differs from the instrument's. `expects`: this item asks what was expected of that aspect. `priority`: a goal
    of the organisation's file that it belongs to. `indicator`: its name in a national benchmark. `watched`: drift of it is looked for; of
    an instrument without any, the aspect `overall` is watched, or else its first.
    """

    title: Titles
    scale: NamedScale | None = None
    target: float | None = None
    targets: tuple[Target, ...] = ()
    expects: Slug | None = None
    priority: Slug | None = None
    indicator: str = Field(default="", max_length=120)
    watched: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> "Aspect":
        if self.target is not None and self.targets:
            raise misfit("give either one `target` or `targets` with their dates", "targets")
        ordered = sorted(self.targets, key=lambda one: one.valid.start)
        for earlier, later in pairwise(ordered):
            if later.valid.start < earlier.valid.end:
                raise misfit(f"two targets are valid on {later.valid.start}; let the earlier end where the later begins", "targets")
        return self

    @property
    def all_targets(self) -> tuple[Target, ...]:
        """Its targets with their validity."""
        return self.targets if self.target is None else (Target(target=self.target),)


class Instrument(_Model):
    """A version of a questionnaire. Different instruments, versions, scales and populations are never pooled.

    `population`: how people came to answer. `audience`: who they are, where one population is not another (counter visitors, external
    customers). `comments: stored` keeps what they wrote, redacted and apart, for a short time.
    """

    version: int = Field(ge=1, le=65_535)
    title: Titles
    scale: NamedScale
    population: Literal["contact-triggered", "general", "panel"] = "contact-triggered"
    audience: Slug | None = None
    languages: tuple[Literal["nl", "en"], ...] = ("nl",)
    comments: Literal["dropped", "stored"] = "dropped"
    aspects: dict[Slug, Aspect] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Instrument":
        for name, aspect in self.aspects.items():
            scale = self.scale_of(name)
            for one in aspect.all_targets:
                if not scale.minimum <= one.target <= scale.maximum:
                    where = "target" if aspect.target is not None else "targets"
                    message = f"target {one.target} lies outside the scale {scale.minimum:g} to {scale.maximum:g}"
                    raise misfit(message, "aspects", name, where)
            if aspect.expects is not None and (aspect.expects == name or aspect.expects not in self.aspects):
                raise misfit(f"{aspect.expects!r} is not another aspect of this instrument", "aspects", name, "expects")
        return self

    def watched(self) -> tuple[str, ...]:
        """The aspects whose drift is looked for."""
        chosen = tuple(name for name, aspect in self.aspects.items() if aspect.watched)
        return chosen or ("overall" if "overall" in self.aspects else next(iter(self.aspects)),)

    def scale_of(self, aspect: str) -> Scale:
        """The scale of an aspect: its own, or the instrument's."""
        return self.aspects[aspect].scale or self.scale


class Wave(BaseModel):
    """One round of a questionnaire: field dates [from, to), whom it could have asked (`size`: N) and how many were invited."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    number: int = Field(ge=1, le=10_000)
    title: Titles | None = None
    instrument: Slug
    version: int = Field(ge=1, le=65_535)
    start: date = Field(alias="from")
    end: date = Field(alias="to")
    size: int | None = Field(default=None, ge=1)
    invited: int | None = Field(default=None, ge=1)
    published: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Wave":
        if self.start >= self.end:
            raise ValueError(f"it would end ({self.end}) before it begins ({self.start}); `to` is the first day after it")
        if self.size is not None and self.invited is not None and self.invited > self.size:
            raise misfit(f"{self.invited} invited of a population of {self.size}", "invited")
        return self
