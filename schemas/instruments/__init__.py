"""The questionnaires that ship, a YAML document each: an instrument as an organisation's file holds it, and its questions in nl and en."""

from importlib import resources

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas import yamlfile
from schemas.instrument import Instrument
from schemas.messages import misfit
from schemas.types import Slug


class Question(BaseModel):
    """What is asked, in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    nl: str = Field(min_length=1, max_length=300)
    en: str = Field(min_length=1, max_length=300)


class Questionnaire(BaseModel):
    """An instrument and the question of each of its aspects."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Slug
    instrument: Instrument
    questions: dict[Slug, Question]

    @model_validator(mode="after")
    def _asks_every_aspect(self) -> "Questionnaire":
        for aspect in self.instrument.aspects:
            if aspect not in self.questions:
                raise misfit(f"aspect {aspect!r} has no question", "questions")
        for aspect in self.questions:
            if aspect not in self.instrument.aspects:
                raise misfit(f"{aspect!r} is no aspect of this instrument", "questions", aspect)
        return self


def questionnaires() -> dict[str, Questionnaire]:
    """Every questionnaire that ships, by name. Raises InvalidConfiguration."""
    folder = resources.files(__name__)
    found = (
        yamlfile.loads(entry.read_text(encoding="utf-8"), Questionnaire, entry.name)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    )
    return {one.name: one for one in found}
