"""Periods as people write them, and the combinations that would make figures or a rebuild wrong."""

import pytest

from pipeline.retention import KINDS, Period, Retention, variable
from pipeline.settings import from_environment
from schemas.errors import InvalidConfiguration


@pytest.mark.parametrize(
    ("text", "period", "said"),
    [
        ("90 days", Period(90), "90 days"),
        ("1 day", Period(1), "1 day"),
        ("25 months", Period(25, "month"), "25 months"),
        ("2 years", Period(24, "month"), "24 months"),
        (" Forever ", Period(0), "forever"),
    ],
)
def test_a_period_as_it_is_written(text: str, period: Period, said: str) -> None:
    assert Period.parse(text) == period
    assert str(period) == said


@pytest.mark.parametrize("text", ["90", "0 days", "-1 day", "1.5 years", "90 d", "two months", "50 years", ""])
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it as|at most 40 years"):
        Period.parse(text)


def test_kafka_takes_milliseconds() -> None:
    assert (Period(30).retention_ms, Period(0).retention_ms) == ("2592000000", "-1")
    assert (Period.of_ms(2_592_000_000), Period.of_ms(-1), Period.of_ms(1)) == (Period(30), Period(0), Period(1))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CONTACTMETER_KEEP_CONTACTS", "a while", "CONTACTMETER_KEEP_CONTACTS is 'a while'; write it as `90 days`"),
        ("CONTACTMETER_KEEP_EVENTS", "2 months", "Kafka counts in days"),
        ("CONTACTMETER_KEEP_ANSWERS", "20 days", "figures look back up to 28 days and terms longer: at least 60 days"),
        ("CONTACTMETER_KEEP_EVENTS", "900 days", "a rebuild from the log would bring back what was deleted"),
    ],
)
def test_what_would_go_wrong_is_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration, match=message):
        from_environment({name: value})


def test_for_ever_is_longer_than_anything() -> None:
    found = from_environment(
        {"CONTACTMETER_KEEP_EVENTS": "forever", "CONTACTMETER_KEEP_CONTACTS": "forever", "CONTACTMETER_KEEP_ANSWERS": "forever"}
    )
    assert found.retention == Retention(events=Period(0), contacts=Period(0), answers=Period(0))


def test_every_kind_has_its_variable() -> None:
    named = [
        "CONTACTMETER_KEEP_EVENTS",
        "CONTACTMETER_KEEP_REJECTED",
        "CONTACTMETER_KEEP_CONTACTS",
        "CONTACTMETER_KEEP_ANSWERS",
        "CONTACTMETER_KEEP_COMMENTS",
        "CONTACTMETER_KEEP_FIGURES",
        "CONTACTMETER_KEEP_GAUGES",
        "CONTACTMETER_KEEP_HEARTBEATS",
    ]
    assert list(map(variable, KINDS)) == named
