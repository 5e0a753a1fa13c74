"""Terms of norms as text, and the versions of a norm."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.norm import Norm, Validity
from schemas.terms import duration_ms, parse_term, working_days

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


def faults(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Norm.model_validate({**NORM, **fields})
    return str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clock": "given"}, "a given deadline has no threshold; remove it"),
        ({"threshold": None}, "it needs a threshold, such as 45s"),
        ({"clock": "working-days", "threshold": None}, "such as 2wd"),
        ({"clock": "working-days"}, "'45s' is not a number of working days"),
        ({"clock": "statutory-term", "threshold": None}, "such as 6w"),
        ({"clock": "statutory-term", "threshold": "24h"}, "'24h' is no statutory term; write 10d, 6w or 3m"),
        ({"clock": "statutory-term", "threshold": "2wd"}, "is no statutory term"),
        ({"clock": "statutory-term", "threshold": "6w", "calendar": "municipal"}, "runs by the statutory calendar; remove `calendar`"),
        ({"calendar": "statutory"}, "the clock elapsed counts no days of the statutory calendar; remove `calendar`"),
        ({"extension": "lang"}, "'lang' is no term; write 10d, 6w, 3m, 2wd or 24h"),
        ({"extension": "0w"}, "must lie between 1 and 520 weeks"),
        ({"statistic": "mean", "clock": "working-days", "threshold": "2wd"}, "needs a clock that measures them"),
        ({"statistic": "max", "target": 0.9}, "its threshold is the limit"),
        ({"start": "answered"}, "it starts and stops by the same event 'answered'"),
        ({"start": {"latest_of": ["opened", "answered"]}}, "it starts and stops by the same event 'answered'"),
        ({"start": {"latest_of": ["appointment_at", "term_starts_at"]}}, "latest_of needs an event beside"),
        ({"stop": []}, "stop"),
        ({"stop": "reopened"}, "stop"),
    ],
)
def test_what_does_not_fit_together(fields: dict[str, Any], message: str) -> None:
    assert message in faults(**fields)


def test_a_norm_by_a_statutory_term() -> None:
    norm = Norm.model_validate(
        {**NORM, "clock": "statutory-term", "threshold": "6w", "start": {"latest_of": ["opened", "term_starts_at"]}, "extension": "4w"}
    )
    assert (norm.term, norm.statutory, norm.start_moments) == ((6, "weeks"), True, ("opened", "term_starts_at"))


@pytest.mark.parametrize(
    ("text", "term"),
    [("10d", (10, "days")), ("6w", (6, "weeks")), ("3m", (3, "months")), ("2wd", (2, "working-days")), ("24h", (86_400_000, "ms"))],
)
def test_terms(text: str, term: tuple[int, str]) -> None:
    assert parse_term(text) == term


@pytest.mark.parametrize("text", ["", "6", "w", "0d", "3651d", "521w", "121m", "6 weeks", 6, None])
def test_no_term(text: object) -> None:
    with pytest.raises(ValueError, match=r"is no term|must lie between"):
        parse_term(text)
