"""The statutory calendar against tables written down by hand, and terms of law."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calendars import end_of_local_day, local_date
from pipeline.statutory import (
    EQUATED_DAYS,
    days_between,
    is_statutory_rest_day,
    moved_on,
    statutory_calendar,
    statutory_holidays,
    statutory_term_deadline,
)
from tests.pipeline.builders import AMSTERDAM, ms

HOLIDAYS = {
    2024: "01-01 03-29 04-01 04-27 05-05 05-09 05-10 05-20 12-25 12-26 12-27",
    2025: "01-01 04-18 04-21 04-26 05-05 05-29 05-30 06-09 12-25 12-26",  # 27 April is a Sunday: King's Day on Saturday
    2026: "01-01 01-02 04-03 04-06 04-27 05-05 05-14 05-15 05-25 12-25 12-26",
    2027: "01-01 03-26 03-29 04-27 05-05 05-06 05-07 05-17 12-25 12-26",
    2028: "01-01 04-14 04-17 04-27 04-28 05-05 05-25 05-26 06-05 12-25 12-26",
    2029: "01-01 03-30 04-02 04-27 05-05 05-10 05-21 12-25 12-26",  # no decree yet
    2030: "01-01 04-19 04-22 04-27 05-05 05-30 06-10 12-25 12-26",
}


@pytest.mark.parametrize("year", HOLIDAYS)
def test_statutory_holidays_of_a_year(year: int) -> None:
    assert [f"{day:%m-%d}" for day in statutory_holidays(year)] == HOLIDAYS[year].split()


def test_statutory_holidays_have_dutch_names_and_name_their_decree() -> None:
    assert statutory_holidays(2026)[date(2026, 5, 5)] == "Bevrijdingsdag"
    assert statutory_holidays(2026)[date(2026, 4, 3)] == "Goede vrijdag"
    assert statutory_holidays(2026)[date(2026, 5, 15)] == "Besluit gelijkstelling 2026-2028"


def test_a_year_before_kings_day_has_queens_day() -> None:
    assert date(2012, 4, 30) in statutory_holidays(2012)
    assert date(2012, 4, 27) not in statutory_holidays(2012)


# Statutory terms -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "n", "unit", "last_day"),
    [
        ("2026-03-02T16:00", 6, "weeks", "2026-04-13"),  # Monday to Monday
        ("2026-02-23T09:00", 6, "weeks", "2026-04-07"),  # ends on Easter Monday: Tuesday
        ("2026-02-20T09:00", 6, "weeks", "2026-04-07"),  # ends on Good Friday: past the Easter weekend
        ("2026-04-02T09:00", 6, "weeks", "2026-05-18"),  # ends on Ascension: Friday is equated, then the weekend
        ("2026-03-24T23:59:59.999", 6, "weeks", "2026-05-06"),  # 5 May, though it is no holiday in most labour agreements
        ("2026-03-25T00:00", 6, "weeks", "2026-05-06"),
        ("2026-01-31T12:00", 1, "months", "2026-03-02"),  # no 31 February: the 28th, a Saturday
        ("2024-01-31T12:00", 1, "months", "2024-02-29"),
        ("2025-11-15T12:00", 3, "months", "2026-02-16"),  # ends on Sunday 15 February
        ("2026-04-23T12:00", 2, "days", "2026-04-28"),  # ends on Saturday; Monday is King's Day
        ("2026-11-19T12:00", 3, "days", "2026-11-23"),  # Thursday: Friday and Monday are the two ordinary days
        ("2026-11-20T12:00", 3, "days", "2026-11-24"),  # Friday: Monday alone is one day too few (art. 2)
        ("2026-11-20T12:00", 2, "days", "2026-11-23"),  # art. 2 is for three days or more
        ("2026-12-24T12:00", 3, "days", "2026-12-29"),  # Christmas on Friday, then the weekend
        ("2026-11-22T12:00", 90, "days", "2027-02-22"),  # ends on Saturday
        ("2026-11-22T12:00", 91, "days", "2027-02-21"),  # longer than 90 days: not extended (art. 4)
        ("2026-11-21T12:00", 13, "weeks", "2027-02-20"),  # longer than 12 weeks: stays on its Saturday
        ("2026-11-21T12:00", 12, "weeks", "2027-02-15"),
    ],
)
def test_statutory_term(start: str, n: int, unit: str, last_day: str) -> None:
    deadline = statutory_term_deadline(ms(start), n, unit, AMSTERDAM)  # type: ignore[arg-type]
    assert datetime.fromtimestamp(deadline / 1000, AMSTERDAM).replace(tzinfo=None).isoformat() == f"{last_day}T23:59:59.999000"


def test_statutory_term_starts_after_the_local_day() -> None:
    # 23:30 UTC is 01:30 of the next day in Amsterdam's summer.
    late = statutory_term_deadline(ms("2026-06-01T23:30+00:00"), 1, "weeks", AMSTERDAM)
    assert local_date(late, AMSTERDAM) == date(2026, 6, 9)


def test_statutory_term_needs_a_length() -> None:
    with pytest.raises(ValueError, match="at least 1 of weeks, not 0"):
        statutory_term_deadline(0, 0, "weeks", AMSTERDAM)


@given(st.dates(date(2017, 1, 1), date(2030, 1, 1)), st.integers(1, 90))
def test_a_statutory_term_ends_on_the_first_ordinary_day(start: date, n: int) -> None:
    term: list[date] = []
    needed = 2 if n >= 3 else 1
    while len(term) < n or is_statutory_rest_day(term[-1]) or sum(not is_statutory_rest_day(day) for day in term) < needed:
        term.append(start + timedelta(days=len(term) + 1))
    deadline = statutory_term_deadline(end_of_local_day(start, AMSTERDAM), n, "days", AMSTERDAM)
    assert deadline == end_of_local_day(term[-1], AMSTERDAM)


# Suspension and extension ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "n", "unit", "suspended", "last_day"),
    [
        ("2026-03-02T16:00", 6, "weeks", 0, "2026-04-13"),
        ("2026-03-02T16:00", 6, "weeks", 2, "2026-04-15"),
        ("2026-03-02T16:00", 6, "weeks", 5, "2026-04-20"),  # Saturday 18 April: Monday
        ("2026-02-20T09:00", 6, "weeks", 1, "2026-04-07"),  # Saturday before Easter instead of Good Friday
        ("2026-01-31T12:00", 1, "months", 3, "2026-03-03"),  # Saturday 28 February and three days
    ],
)
def test_days_of_suspension_come_on_top_before_a_rest_day_moves_it_on(start: str, n: int, unit: str, suspended: int, last_day: str) -> None:
    deadline = statutory_term_deadline(ms(start), n, unit, AMSTERDAM, suspended)  # type: ignore[arg-type]
    assert deadline == end_of_local_day(date.fromisoformat(last_day), AMSTERDAM)


def test_an_extended_term_keeps_its_time_of_day_when_it_moves_on() -> None:
    assert moved_on(ms("2026-03-26T17:00"), 2, AMSTERDAM) == ms("2026-03-30T17:00")  # Saturday 28 March; summer time begins on Sunday
    assert moved_on(ms("2026-03-26T17:00"), 1, AMSTERDAM) == ms("2026-03-27T17:00")


def test_days_strictly_between() -> None:
    assert days_between(ms("2026-03-02T23:59"), ms("2026-03-03T00:01"), AMSTERDAM) == 0
    assert days_between(ms("2026-03-02T09:00"), ms("2026-03-02T17:00"), AMSTERDAM) == 0
    assert days_between(ms("2026-03-02T23:59"), ms("2026-03-05T00:01"), AMSTERDAM) == 2
    assert days_between(ms("2026-03-28T12:00"), ms("2026-03-30T12:00"), AMSTERDAM) == 1  # the day of 23 hours


def test_every_equated_day_is_an_ordinary_weekday_but_for_its_decree() -> None:
    assert all(day.weekday() < 5 for day in EQUATED_DAYS)
    assert all(decree.startswith("Besluit gelijkstelling ") for decree in EQUATED_DAYS.values())


@pytest.mark.parametrize("year", HOLIDAYS)
def test_working_days_by_the_statutory_calendar(year: int) -> None:
    calendar = statutory_calendar("Europe/Amsterdam", 1990, 2100)
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    assert [day for day in days if not calendar.is_working_day(day)] == [day for day in days if is_statutory_rest_day(day)]
    fifth = date(year, 5, 5)
    assert not calendar.is_working_day(fifth)
    good_friday = next(day for day, name in statutory_holidays(year).items() if name == "Goede vrijdag")
    assert not calendar.is_working_day(good_friday)
