"""The questionnaires that ship."""

import re

import pytest
from pydantic import ValidationError

from schemas.instruments import Questionnaire, questionnaires

SHIPPED = questionnaires()


def test_four_ship_and_no_two_populations_are_one() -> None:
    assert set(SHIPPED) == {"after_contact", "general_survey", "counter_visitors", "external_customers"}
    who = [(one.instrument.population, one.instrument.audience) for one in SHIPPED.values()]
    assert len(set(who)) == 4


@pytest.mark.parametrize("name", SHIPPED)
def test_every_aspect_is_asked_in_both_languages(name: str) -> None:
    one = SHIPPED[name]
    assert one.name == name
    assert one.instrument.languages == ("nl", "en")
    assert "overall" in one.instrument.aspects
    assert any(aspect.expects == "overall" for aspect in one.instrument.aspects.values())
    for question in one.questions.values():
        assert question.nl.endswith("?")
        assert question.en.endswith("?")
        assert question.nl != question.en
        assert not re.search(r"\b(BSN|naam|name)\b", question.nl + question.en), "no question asks who answers"


def test_a_question_that_is_missing_or_too_many_is_refused() -> None:
    document = SHIPPED["after_contact"].model_dump(mode="json", by_alias=True)
    del document["questions"]["ease"]
    with pytest.raises(ValidationError, match="'ease' has no question"):
        Questionnaire.model_validate(document)
    document["questions"]["ease"] = document["questions"]["odd"] = document["questions"]["speed"]
    with pytest.raises(ValidationError, match="'odd' is no aspect"):
        Questionnaire.model_validate(document)
