"""Opening hours and working days, against hand-written dates, across clock changes, and against minute-by-minute counting."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.calendars import Calendar, Hours, end_of_local_day, local_date

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000

OFFICE: Hours = ((8 * 60 + 30, 17 * 60),)
FRIDAY: Hours = ((8 * 60 + 30, 13 * 60),)
WEEK: list[Hours] = [OFFICE, OFFICE, OFFICE, OFFICE, FRIDAY, (), ()]
ROUND_THE_CLOCK: list[Hours] = [((0, 1440),)] * 7


def ms(text: str) -> int:
    """Epoch milliseconds of a local time in Amsterdam, or of one with an offset."""
    at = datetime.fromisoformat(text)
    return round((at if at.tzinfo else at.replace(tzinfo=AMSTERDAM)).timestamp() * 1000)


def shown(at_ms: int) -> str:
    """An instant as Amsterdam's clocks and its offset show it."""
    return datetime.fromtimestamp(at_ms / 1000, AMSTERDAM).isoformat(timespec="milliseconds")


def office(closing_days: tuple[str, ...] = (), exceptions: dict[str, Hours] | None = None) -> Calendar:
    return Calendar(
        "Europe/Amsterdam",
        WEEK,
        [date.fromisoformat(day) for day in closing_days],
        {date.fromisoformat(day): hours for day, hours in (exceptions or {}).items()},
    )


# Opening hours ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "minutes", "deadline"),
    [
        ("2026-11-23T09:00", 15, "2026-11-23T09:15:00.000+01:00"),
        ("2026-11-23T07:00", 15, "2026-11-23T08:45:00.000+01:00"),  # before opening
        ("2026-11-23T16:45", 15, "2026-11-23T17:00:00.000+01:00"),  # exactly closing time
        ("2026-11-23T16:50", 15, "2026-11-24T08:35:00.000+01:00"),
        ("2026-11-23T17:00", 15, "2026-11-24T08:45:00.000+01:00"),
        ("2026-11-27T12:55", 15, "2026-11-30T08:40:00.000+01:00"),  # Friday noon, over the weekend
        ("2026-11-28T12:00", 0, "2026-11-28T12:00:00.000+01:00"),
        ("2026-12-24T16:55", 10, "2026-12-28T08:35:00.000+01:00"),  # 25 December is a closing day
        ("2026-12-31T16:55", 30, "2027-01-04T08:55:00.000+01:00"),  # 1 January as well
        ("2026-12-30T16:55", 10, "2026-12-31T08:35:00.000+01:00"),
        ("2026-12-31T11:59", 2, "2026-12-31T19:01:00.000+01:00"),  # an exception in two periods: 8:30-12:00, 19:00-20:00
    ],
)
def test_opening_hours_deadline(start: str, minutes: int, deadline: str) -> None:
    exceptions: dict[str, Hours] = {}
    if start == "2026-12-31T11:59":
        exceptions["2026-12-31"] = ((8 * 60 + 30, 12 * 60), (19 * 60, 20 * 60))
    calendar = office(("2026-12-25", "2027-01-01"), exceptions)
    assert shown(calendar.opening_hours_deadline(ms(start), minutes * MINUTE)) == deadline


def test_open_is_from_opening_up_to_closing() -> None:
    calendar = office()
    assert [
        calendar.is_open(ms(at))
        for at in ("2026-11-23T08:29:59.999", "2026-11-23T08:30", "2026-11-23T16:59:59.999", "2026-11-23T17:00", "2026-11-22T12:00")
    ] == [False, True, True, False, False]


def test_an_exception_takes_the_place_of_a_closing_day() -> None:
    calendar = office(("2026-04-27",), {"2026-04-27": ((600, 720),), "2026-04-28": ()})
    assert calendar.hours(date(2026, 4, 27)) == ((600, 720),)
    assert calendar.is_open(ms("2026-04-27T10:00"))
    assert not calendar.is_open(ms("2026-04-28T10:00"))
    assert [calendar.is_working_day(date(2026, 4, day)) for day in (24, 25, 27, 28, 29)] == [True, False, False, False, True]


def test_a_calendar_that_never_opens_says_so() -> None:
    calendar = Calendar("Europe/Amsterdam", [()] * 7)
    assert calendar.open_ms_between(ms("2026-01-01T00:00"), ms("2027-01-01T00:00")) == 0
    with pytest.raises(ValueError, match="never is open for 60000 ms in the 20 years up to 2046: check its opening hours"):
        calendar.opening_hours_deadline(ms("2026-11-23T09:00"), MINUTE)


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        (((600, 600),), r"opening hours of weekday 3: \(600, 600\) is not a period within the day"),
        (((600, 1441),), r"\(600, 1441\) is not a period"),
        (((-1, 600),), r"\(-1, 600\) is not a period"),
        (((600, 720), (700, 800)), "weekday 3: the period from minute 700 starts before the one up to 720 ends"),
    ],
)
def test_hours_that_are_none_are_refused(hours: Hours, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Calendar("Europe/Amsterdam", [(), (), hours, (), (), (), ()])
    with pytest.raises(ValueError, match="7 weekdays"):
        Calendar("Europe/Amsterdam", [hours])


def test_a_negative_duration_and_no_days_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative: -1 ms"):
        office().opening_hours_deadline(0, -1)
    with pytest.raises(ValueError, match="at least 1 day, not 0"):
        office().working_days_deadline(0, 0)


# Working days ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days", "last_day"),
    [
        ("2026-11-23T09:00", 2, "2026-11-25"),
        ("2026-11-23T00:00", 2, "2026-11-25"),
        ("2026-11-22T23:59:59.999", 2, "2026-11-24"),
        ("2026-11-26T16:59", 2, "2026-11-30"),  # Thursday: Friday, Monday
        ("2026-11-28T12:00", 1, "2026-11-30"),  # Saturday
        ("2026-12-23T12:00", 2, "2026-12-28"),  # 25 December is a closing day
        ("2026-12-31T12:00", 1, "2027-01-04"),  # over the new year
        ("2026-04-24T12:00", 1, "2026-04-28"),  # King's Day
        ("2026-05-04T12:00", 1, "2026-05-05"),  # 5 May is no closing day here, whatever the law says
        ("2026-06-01T12:00", 10, "2026-06-16"),  # 8 June is closed by an exception
    ],
)
def test_working_days_deadline(start: str, days: int, last_day: str) -> None:
    calendar = office(("2026-04-27", "2026-12-25", "2027-01-01"), {"2026-06-08": (), "2026-06-06": OFFICE})
    deadline = calendar.working_days_deadline(ms(start), days)
    assert datetime.fromtimestamp(deadline / 1000, AMSTERDAM).replace(tzinfo=None).isoformat() == f"{last_day}T23:59:59.999000"
    assert calendar.end_of_local_day(date.fromisoformat(last_day)) == deadline


# Clock changes ---------------------------------------------------------------------------------------------------------

# In 2026: 29 March 02:00 CET becomes 03:00 CEST; 25 October 03:00 CEST becomes 02:00 CET.


def test_a_wait_of_45_seconds_across_both_changes() -> None:
    assert shown(ms("2026-03-29T01:59:30") + 45 * SECOND) == "2026-03-29T03:00:15.000+02:00"
    assert shown(ms("2026-10-25T02:59:30+02:00") + 45 * SECOND) == "2026-10-25T02:00:15.000+01:00"


def test_a_call_back_within_24_hours_across_both_changes() -> None:
    assert shown(ms("2026-03-28T12:00") + 24 * HOUR) == "2026-03-29T13:00:00.000+02:00"
    assert shown(ms("2026-10-24T12:00") + 24 * HOUR) == "2026-10-25T11:00:00.000+01:00"


@pytest.mark.parametrize(("night", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-22", 24)])
def test_round_the_clock_is_open_for_as_long_as_the_day_lasts(night: str, hours: int) -> None:
    calendar = Calendar("Europe/Amsterdam", ROUND_THE_CLOCK)
    day = date.fromisoformat(night)
    start, end = calendar.day_start(day), calendar.day_start(day + timedelta(days=1))
    assert calendar.open_ms_between(start, end) == end - start == hours * HOUR
    assert calendar.opening_hours_deadline(start, 30 * HOUR) == start + 30 * HOUR
    assert calendar.end_of_local_day(day) == end - 1


def test_an_opening_hours_clock_over_both_weekends() -> None:
    # Opening hours are wall times: 8:30 comes an hour earlier or later, as elapsed time, than a week before.
    assert shown(office().opening_hours_deadline(ms("2026-03-27T12:30"), 2 * HOUR)) == "2026-03-30T10:00:00.000+02:00"
    assert shown(office().opening_hours_deadline(ms("2026-10-23T12:30"), 2 * HOUR)) == "2026-10-26T10:00:00.000+01:00"


def test_a_night_period_that_the_change_cuts_or_doubles() -> None:
    night: list[Hours] = [((60, 240),)] * 7  # 1:00-4:00
    calendar = Calendar("Europe/Amsterdam", night)
    for day, hours in (("2026-03-29", 2), ("2026-10-25", 4), ("2026-11-22", 3)):
        start = calendar.day_start(date.fromisoformat(day))
        assert calendar.open_ms_between(start, start + 12 * HOUR) == hours * HOUR


def test_hours_that_do_not_occur_are_moved_on_and_those_that_occur_twice_are_the_first() -> None:
    calendar = Calendar("Europe/Amsterdam", [((60, 150), (150, 300))] * 7)  # 1:00-2:30, 2:30-5:00
    start = calendar.day_start(date(2026, 3, 29))
    assert calendar.open_ms_between(start, start + 12 * HOUR) == 3 * HOUR  # 1:00-2:00 and 3:00-5:00
    calendar = Calendar("Europe/Amsterdam", [((150, 170),)] * 7)  # 2:30-2:50
    assert calendar.is_open(ms("2026-03-29T03:40+02:00"))
    assert calendar.is_open(ms("2026-10-25T02:40+02:00"))
    assert not calendar.is_open(ms("2026-10-25T02:40+01:00"))


@pytest.mark.parametrize(
    ("start", "deadline"),
    [("2026-03-27T12:00", "2026-03-30T23:59:59.999+02:00"), ("2026-10-23T12:00", "2026-10-26T23:59:59.999+01:00")],
)
def test_a_working_day_across_both_changes(start: str, deadline: str) -> None:
    assert shown(office().working_days_deadline(ms(start), 1)) == deadline


def test_days_of_a_zone_without_midnight() -> None:
    # Beirut, 31 March 2024: 0:00 became 1:00.
    calendar = Calendar("Asia/Beirut", ROUND_THE_CLOCK)
    start = calendar.day_start(date(2024, 3, 31))
    assert (calendar.local_date(start - 1), calendar.local_date(start)) == (date(2024, 3, 30), date(2024, 3, 31))
    assert calendar.day_start(date(2024, 4, 1)) - start == 23 * HOUR


# Properties ------------------------------------------------------------------------------------------------------------

# Bounds within 2:00-3:00 are left out: there counting wall minutes and PEP 495 differ on two nights a year.
MINUTES = st.integers(0, 1440).filter(lambda minute: not 120 < minute < 180)


@st.composite
def hours_of_a_day(draw: st.DrawFn) -> Hours:
    bounds = sorted(draw(st.sets(MINUTES, max_size=6)))
    return tuple(zip(bounds[::2], bounds[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    days = st.dates(date(2025, 12, 20), date(2027, 1, 10))
    return Calendar(
        draw(st.sampled_from(["Europe/Amsterdam", "America/New_York", "UTC"])),
        draw(st.lists(hours_of_a_day(), min_size=7, max_size=7)),
        draw(st.sets(days, max_size=5)),
        draw(st.dictionaries(days, hours_of_a_day(), max_size=3)),
    )


INSTANTS = st.integers(ms("2025-12-20T00:00"), ms("2027-01-10T00:00"))
CHANGES = ["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2025-12-31", "2026-12-31", "2026-06-15"]


@given(calendars(), st.sampled_from(CHANGES), st.integers(0, 2 * 1440), st.integers(0, 1440))
def test_open_time_equals_counting_wall_minutes(calendar: Calendar, day: str, offset: int, minutes: int) -> None:
    start = ms(f"{day}T00:00+00:00") - 1440 * MINUTE + offset * MINUTE
    counted = 0
    for minute in range(minutes):
        at = start + minute * MINUTE
        wall = datetime.fromtimestamp(at // 1000, UTC).astimezone(calendar.zone)
        opened = any(opens <= wall.hour * 60 + wall.minute < closes for opens, closes in calendar.hours(wall.date()))
        assert calendar.is_open(at) == opened
        assert calendar.local_date(at) == wall.date()
        counted += opened
    assert calendar.open_ms_between(start, start + minutes * MINUTE) == counted * MINUTE


@given(calendars(), INSTANTS, INSTANTS, INSTANTS)
def test_open_time_adds_up(calendar: Calendar, a: int, b: int, c: int) -> None:
    assert calendar.open_ms_between(a, b) + calendar.open_ms_between(b, c) == calendar.open_ms_between(a, c)
    assert calendar.open_ms_between(a, b) == -calendar.open_ms_between(b, a)


@given(calendars(), INSTANTS, st.integers(1, 40 * HOUR))
def test_a_deadline_is_the_first_instant_with_the_duration_on_the_clock(calendar: Calendar, start: int, duration: int) -> None:
    assume(any(calendar.hours(date(2029, 1, day)) for day in range(1, 8)))
    deadline = calendar.opening_hours_deadline(start, duration)
    assert calendar.open_ms_between(start, deadline) == duration
    assert calendar.open_ms_between(start, deadline - 1) == duration - 1
    assert calendar.is_open(deadline - 1)


@given(calendars(), INSTANTS, st.integers(1, 300))
def test_a_working_days_deadline_equals_counting_days(calendar: Calendar, start: int, days: int) -> None:
    day, left = local_date(start, calendar.zone), days
    while left:
        day += timedelta(days=1)
        left -= calendar.is_working_day(day)
    assert calendar.working_days_deadline(start, days) == end_of_local_day(day, calendar.zone)


@given(calendars(), INSTANTS, INSTANTS)
def test_working_days_between_equals_counting_days(calendar: Calendar, a: int, b: int) -> None:
    a, b = sorted((a, b))
    first, last = local_date(a, calendar.zone), local_date(b, calendar.zone)
    between = [first + timedelta(days=i) for i in range(1, (last - first).days)]
    assert calendar.working_days_between(a, b) == sum(map(calendar.is_working_day, between))


def test_dates_of_any_age_are_in_some_year() -> None:
    calendar = office()
    for year in range(3, 2400, 10):  # more years than are kept
        new_year = calendar.day_start(date(year, 1, 1))
        assert calendar.local_date(new_year) == date(year, 1, 1)
        assert calendar.local_date(new_year - 1) == date(year - 1, 12, 31)
    with pytest.raises(ValueError, match="the year 1 is outside the calendar"):
        calendar.local_date(calendar.day_start(date(1, 7, 1)))
