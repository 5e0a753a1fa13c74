"""Numbers and names as people read them."""

from typing import get_args

import pytest

from pipeline import names
from pipeline.cli.asked import simulated_text
from pipeline.cli.satisfaction_words import WORDS
from pipeline.numbers import number_text, share_text
from schemas import words
from schemas.events import KINDS
from schemas.norm import StartMoment, StopEvent
from schemas.types import CHANNELS


@pytest.mark.parametrize(
    ("value", "digits", "signed", "nl", "en"),
    [
        (2875, 0, False, "2.875", "2,875"),
        (-0.004, 2, True, "0,00", "0.00"),
        (0.0, 2, True, "0,00", "0.00"),
        (-0.006, 2, True, "−0,01", "−0.01"),
        (1234.5, 1, True, "+1.234,5", "+1,234.5"),
        (None, 0, False, "–", "–"),
    ],
)
def test_numbers(value: float | None, digits: int, signed: bool, nl: str, en: str) -> None:
    assert [number_text(value, WORDS[lang], digits, signed) for lang in ("nl", "en")] == [nl, en]


def test_shares() -> None:
    assert [share_text(one, WORDS["nl"]) for one in (0.333, None)] == ["33,3 %", "–"]
    assert share_text(-0.0001, WORDS["en"], signed=True) == "0.0 %"


def test_what_says_by_its_name_that_it_is_simulated_does_not_say_it_twice() -> None:
    simulated = {"simulated": True}
    assert simulated_text(simulated, "Simulatiestad (gesimuleerd)", "GESIMULEERD") == ""
    assert simulated_text(simulated, "Gemeente S", "GESIMULEERD") == " · GESIMULEERD"
    assert simulated_text({"simulated": False}, "Gemeente S", "GESIMULEERD") == ""


def test_every_channel_and_event_of_the_contract_has_a_dutch_name() -> None:
    assert words.CHANNELS.keys() == set(CHANNELS)
    kinds = {kind.removeprefix("contact.") for kind in KINDS if kind.startswith("contact.")}
    moments = {*get_args(StopEvent), *(one for part in get_args(StartMoment) for one in (get_args(part) or (part,)))}
    assert names.EVENTS.keys() == kinds | moments


def test_values_are_named_only_where_they_are_words_of_the_contract() -> None:
    assert names.value_text("channel", "telephone, letter", "nl") == "telefoon, brief"
    assert names.value_text("product", "letter", "nl") == "letter"
    assert [names.value_text("automatic", True, language) for language in ("nl", "en")] == ["ja", "yes"]
    assert names.event_text("closed, reached", "nl") == "gesloten, teruggebeld en bereikt"
