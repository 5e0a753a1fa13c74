"""The municipal calendar of an organisation through seven years, and every clock across every change of the clocks in them."""

from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.norms import Judge
from pipeline.rules import calendar_of
from tests.pipeline.builders import HOUR, SECOND, event, ms, norm, organisation, timeline

# Weekdays on which a municipality that follows the national holidays is closed: 5 May in 2025 only (every fifth year), Good Friday always.
CLOSED = {
    2024: "01-01 03-29 04-01 05-09 05-20 12-25 12-26",
    2025: "01-01 04-18 04-21 05-05 05-29 06-09 12-25 12-26",  # 27 April is a Sunday: King's Day on Saturday the 26th
    2026: "01-01 04-03 04-06 04-27 05-14 05-25 12-25",
    2027: "01-01 03-26 03-29 04-27 05-06 05-17",
    2028: "04-14 04-17 04-27 05-25 06-05 12-25 12-26",
    2029: "01-01 03-30 04-02 04-27 05-10 05-21 12-25 12-26",
    2030: "01-01 04-19 04-22 05-30 06-10 12-25 12-26",  # 27 April is a Saturday, 5 May a Sunday
}
# The nights in which the clocks change, and the first working day after.
SPRING = {2024: ("03-31", "04-02"), 2025: ("03-30", "03-31"), 2026: ("03-29", "03-30"), 2027: ("03-28", "03-30"),
          2028: ("03-26", "03-27"), 2029: ("03-25", "03-26"), 2030: ("03-31", "04-01")}  # fmt: skip
AUTUMN = {2024: ("10-27", "10-28"), 2025: ("10-26", "10-27"), 2026: ("10-25", "10-26"), 2027: ("10-31", "11-01"),
          2028: ("10-29", "10-30"), 2029: ("10-28", "10-29"), 2030: ("10-27", "10-28")}  # fmt: skip
NATIONAL = {"closing_days": {"public_holidays": "nl"}}


@pytest.mark.parametrize("year", CLOSED)
def test_closing_days_of_a_year(year: int) -> None:
    calendar = calendar_of(organisation(**NATIONAL), "telephone")
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    weekdays = [day for day in days if day.weekday() < 5]
    assert [f"{day:%m-%d}" for day in weekdays if not calendar.is_working_day(day)] == CLOSED[year].split()
    assert [day for day in days if calendar.hours(day)] == [day for day in weekdays if calendar.is_working_day(day)]


def deadline(clock: str, threshold: str, start: int) -> int:
    fields: dict[str, Any] = {"clock": clock, "threshold": threshold, "start": "opened", "stop": "closed"}
    (outcome,) = Judge(organisation(norm(**fields), **NATIONAL))(timeline(event("opened", start, channel="telephone")))
    assert outcome.deadline is not None
    return outcome.deadline


@pytest.mark.parametrize("year", SPRING)
def test_the_night_that_lacks_an_hour(year: int) -> None:
    night, monday = (f"{year}-{day}" for day in SPRING[year])
    before = ms(f"{night}T01:59:30+01:00")
    assert deadline("elapsed", "45s", before) == before + 45 * SECOND == ms(f"{night}T03:00:15+02:00")
    noon = ms(f"{night}T12:00") - 23 * HOUR
    assert deadline("elapsed", "24h", noon) == ms(f"{night}T13:00+02:00")
    assert deadline("working-days", "1wd", noon) == ms(f"{monday}T23:59:59.999+02:00")
    assert deadline("opening-hours", "1h", noon) == ms(f"{monday}T09:30+02:00")


@pytest.mark.parametrize("year", AUTUMN)
def test_the_night_that_has_an_hour_twice(year: int) -> None:
    night, monday = (f"{year}-{day}" for day in AUTUMN[year])
    before = ms(f"{night}T02:59:30+02:00")
    assert deadline("elapsed", "45s", before) == before + 45 * SECOND == ms(f"{night}T02:00:15+01:00")
    noon = ms(f"{night}T12:00") - 25 * HOUR
    assert deadline("elapsed", "24h", noon) == ms(f"{night}T11:00+01:00")
    assert deadline("working-days", "1wd", noon) == ms(f"{monday}T23:59:59.999+01:00")
    assert deadline("opening-hours", "1h", noon) == ms(f"{monday}T09:30+01:00")


@pytest.mark.parametrize(
    ("start", "last_day"),
    [("2024-03-22", "2024-05-03"), ("2025-03-24", "2025-05-06"), ("2027-03-24", "2027-05-10"), ("2030-03-08", "2030-04-23")],
)
def test_a_term_of_law_moves_on_in_other_years_too(start: str, last_day: str) -> None:
    """An ordinary Friday; Liberation Day; that, Ascension, an equated Friday and a weekend; Good Friday and Easter."""
    assert deadline("statutory-term", "6w", ms(f"{start}T12:00")) == ms(f"{last_day}T23:59:59.999")
