"""Terms of norms as text, and the versions of a norm."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.norm import Norm, Validity
from schemas.terms import duration_ms, working_days

NORM: dict[str, Any] = {
    "id": "opnemen",
    "title": {"nl": "Opgenomen", "en": "Answered"},
    "applies_to": {"channels": ["telephone"]},
    "clock": "elapsed",
    "threshold": "45s",
    "stop": "answered",
    "source": "Kwaliteitshandvest",
}


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0s", 0),
        ("45s", 45_000),
        ("15min", 900_000),
        ("24h", 86_400_000),
        ("2d", 172_800_000),
        (" 15 min ", 900_000),
        ("3653d", 315_619_200_000),
    ],
)
def test_duration(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "45", "s", "45 sec", "1.5h", "-1s", "2wd", "3654d", "1h30min", 45, 4.5, None, True, "٤s"])
def test_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not a duration|is longer than ten years"):
        duration_ms(text)


@pytest.mark.parametrize(("text", "days"), [("1wd", 1), ("2 wd", 2), ("2500wd", 2_500)])
def test_working_days(text: str, days: int) -> None:
    assert working_days(text) == days


@pytest.mark.parametrize("text", ["", "2", "2d", "0wd", "2501wd", "-1wd", "1.5wd", 2, None])
def test_no_working_days(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not a number of working days|must lie between 1wd and 2500wd"):
        working_days(text)


def test_defaults() -> None:
    norm = Norm.model_validate(NORM)
    assert (norm.threshold_ms, norm.start, norm.stop, norm.denominator, norm.short_abandon, norm.target) == (
        45_000,
        "opened",
        ("answered",),
        "answered",
        0,
        None,
    )
    assert norm.valid == Validity()
    with pytest.raises(ValueError, match="is not a number of working days"):
        _ = norm.threshold_days


def test_working_days_of_a_norm() -> None:
    norm = Norm.model_validate({**NORM, "clock": "working-days", "threshold": "2wd", "stop": ["responded", "closed"]})
    assert (norm.threshold_days, norm.stop) == (2, ("responded", "closed"))


def test_validity_is_half_open_and_in_order() -> None:
    valid = Validity.model_validate({"from": "2026-01-01", "to": "2026-01-02"})
    assert (valid.start, valid.end) == (date(2026, 1, 1), date(2026, 1, 2))
    with pytest.raises(ValidationError, match="it would end"):
        Validity.model_validate({"from": "2026-01-01", "to": "2026-01-01"})
