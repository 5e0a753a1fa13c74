"""The oracle's own table of holidays, checked against the package, and its days at both clock changes."""

from datetime import date, timedelta

import holidays
import pytest

from tests.oracle.days import EQUATED, FEASTS, SUNDAYS, YEARS, Calendar, instant, public_holiday, statutory_rest

DAYS = [date(YEARS[0], 1, 1) + timedelta(days=n) for n in range((date(YEARS[-1] + 1, 1, 1) - date(YEARS[0], 1, 1)).days)]


def test_the_table_is_that_of_the_package() -> None:
    assert set(holidays.country_holidays("NL", years=YEARS, categories=("public", "optional"))) == FEASTS | SUNDAYS
    assert set(holidays.country_holidays("NL", years=YEARS)) == {day for day in DAYS if public_holiday(day)}


def test_the_fifth_of_may_is_a_statutory_holiday_every_year_and_a_public_one_in_every_fifth() -> None:
    assert all(statutory_rest(date(year, 5, 5)) for year in YEARS)
    assert [year for year in YEARS if public_holiday(date(year, 5, 5))] == [2025, 2030]


def test_equated_days_are_no_public_holidays() -> None:
    assert all(statutory_rest(day) and day.weekday() < 5 and not public_holiday(day) for day in EQUATED)


def organisation(**fields: object) -> Calendar:
    return Calendar({"channels": {"telephone": {}}, "opening_hours": {"mon-sun": "00:00-24:00"}, **fields})


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_is_as_long_as_its_clock_makes_it(day: str, hours: int) -> None:
    one = date.fromisoformat(day)
    calendar = organisation(closing_days={"public_holidays": "none"})
    ((first, last),) = calendar.open_on(one, "telephone", None)
    assert last - first == hours * 3_600_000
    assert calendar.end_of(one) == last - 1
    assert {calendar.day_of(first), calendar.day_of(last - 1)} == {one}


def test_of_an_hour_that_occurs_twice_the_first_is_meant() -> None:
    assert organisation().wall(date(2026, 10, 25), 150) == instant("2026-10-25T02:30:00+02:00")


def test_an_exception_goes_before_a_closing_day_and_a_closing_day_before_the_week() -> None:
    calendar = Calendar(
        {
            "channels": {"counter": {"exceptions": {"2026-04-06": "10:00-11:00"}}},
            "locations": {"Stadhuis": {"opening_hours": {"mon-fri": "12:00-13:00"}, "exceptions": {"2026-04-07": "closed"}}},
            "closing_days": {"dates": ["2026-04-08"]},
        }
    )
    minutes = [
        sum(last - first for first, last in calendar.open_on(date(2026, 4, day), "counter", place)) // 60_000
        for day, place in ((6, None), (6, "Stadhuis"), (7, None), (7, "Stadhuis"), (8, None), (9, "Stadhuis"), (9, "elders"))
    ]
    assert minutes == [60, 60, 510, 0, 0, 60, 510]
