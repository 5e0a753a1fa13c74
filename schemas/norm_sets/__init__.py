"""Norms as Dutch municipalities and the law publish them, to be copied into an organisation's file. A YAML document a set."""

from collections.abc import Collection
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from schemas.norm import Norm, Titles
from schemas.types import Slug


class NormSet(BaseModel):
    """Norms that belong together. `retrieved` says when the source was read, `readings` where its text leaves something open.

    `product_classes` describes the classes that the norms ask for; which products are in them an organisation's file must say.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: Titles
    source: str = Field(min_length=1)
    retrieved: str = Field(min_length=1)
    readings: tuple[str, ...] = ()
    product_classes: dict[Slug, Titles] = {}
    norms: tuple[Norm, ...] = Field(min_length=1)


def norm_set_names() -> tuple[str, ...]:
    """The sets there are."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files(__name__).iterdir() if file.name.endswith(".yaml")))


def norm_set_text(name: str) -> str:
    """A set as it is written, with its comments. Raises InvalidConfiguration when there is no such set."""
    if name not in norm_set_names():
        raise InvalidConfiguration(f"there is no norm set {name!r}; there are {', '.join(norm_set_names())}")
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def norm_set(name: str) -> NormSet:
    """A set with what is said about it. Raises InvalidConfiguration."""
    return yamlfile.loads(norm_set_text(name), NormSet, f"{name}.yaml")


def load_norm_set(name: str, channels: Collection[str] | None = None) -> tuple[Norm, ...]:
    """The norms of a set; with `channels` only as far as they concern those. Raises InvalidConfiguration."""
    norms = norm_set(name).norms
    if channels is None:
        return norms
    found = []
    for norm in norms:
        kept = tuple(channel for channel in norm.applies_to.channels if channel in channels)
        if kept:
            found.append(norm.model_copy(update={"applies_to": norm.applies_to.model_copy(update={"channels": kept})}))
    return tuple(found)
