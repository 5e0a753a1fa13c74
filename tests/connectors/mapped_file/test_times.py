"""Times as sources write them: forms, zones and both clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapped_file.mapping import Times
from connectors.mapped_file.problems import Unusable
from connectors.mapped_file.times import parse_duration, parse_time
from schemas.types import iso

AMSTERDAM = Times(zone="Europe/Amsterdam")
NEW_YORK = Times(zone="America/New_York", formats=("%m/%d/%Y %I:%M:%S %p",))


@pytest.mark.parametrize(
    ("text", "times", "expected"),
    [
        ("2026-03-02T09:00:00", AMSTERDAM, "2026-03-02T08:00:00.000Z"),
        ("2026-07-02 09:00:00.123999", AMSTERDAM, "2026-07-02T07:00:00.123Z"),
        ("2011-10-11 13:42:22.688000+02:00", AMSTERDAM, "2011-10-11T11:42:22.688Z"),
        ("2026-03-02T09:00:00Z", AMSTERDAM, "2026-03-02T09:00:00.000Z"),
        ("2021-01-01 9:12:58", Times(zone="UTC", formats=("%Y-%m-%d %H:%M:%S",)), "2021-01-01T09:12:58.000Z"),
        ("02-03-2026", Times(zone="Europe/Amsterdam", formats=("iso", "%d-%m-%Y")), "2026-03-01T23:00:00.000Z"),
        ("04/12/2018 11:11:26 AM", NEW_YORK, "2018-04-12T15:11:26.000Z"),
        # The clock goes back: 01:30 occurs twice, the first is in summer time.
        ("11/04/2018 01:30:00 AM", NEW_YORK, "2018-11-04T05:30:00.000Z"),
        ("2026-10-25T02:30:00", AMSTERDAM, "2026-10-25T00:30:00.000Z"),
        ("2026-10-25T02:30:00", Times(zone="Europe/Amsterdam", ambiguous="last"), "2026-10-25T01:30:00.000Z"),
        ("2026-10-25T02:30:00+01:00", AMSTERDAM, "2026-10-25T01:30:00.000Z"),
        # The clock goes forward: 02:30 does not exist and becomes 03:30.
        ("03/11/2018 02:30:00 AM", NEW_YORK, "2018-03-11T07:30:00.000Z"),
        ("2026-03-29T02:30:00", AMSTERDAM, "2026-03-29T01:30:00.000Z"),
    ],
)
def test_times(text: str, times: Times, expected: str) -> None:
    assert iso(parse_time(text, times, "At")) == expected


@pytest.mark.parametrize(
    ("text", "times", "message"),
    [
        ("yesterday", AMSTERDAM, "'yesterday' is not a time written as iso; correct it, or add its form to times.formats"),
        ("2026-03-02", AMSTERDAM, "'2026-03-02' is not a time"),
        ("2026-10-25T02:30:00", Times(zone="Europe/Amsterdam", ambiguous="invalid"), "occurs twice in Europe/Amsterdam"),
        ("2026-03-29T02:30:00", Times(zone="Europe/Amsterdam", nonexistent="invalid"), "does not exist in Europe/Amsterdam"),
    ],
)
def test_times_that_are_refused(text: str, times: Times, message: str) -> None:
    with pytest.raises(Unusable, match=message) as caught:
        parse_time(text, times, "At")
    assert caught.value.column == "At"


@given(
    st.sampled_from(["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)),
)
def test_every_local_time_is_one_instant_and_reads_back(zone: str, wall: datetime) -> None:
    instant = datetime.fromisoformat(iso(parse_time(wall.isoformat(), Times(zone=zone), "At")))
    shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    floored = wall.replace(microsecond=wall.microsecond // 1000 * 1000)
    gap = timedelta(minutes=30) if zone == "Australia/Lord_Howe" else timedelta(hours=1)
    assert shown in (floored, floored + gap)
    if shown == floored:
        later = instant.astimezone(UTC) - gap
        assert later.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != floored, "of two instants it must be the first"
    else:
        existing = {(instant + timedelta(hours=h)).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for h in range(-3, 4)}
        assert floored not in existing, "only a time that does not exist is shifted"


@given(st.integers(min_value=0, max_value=60 * 60 * 30 * 1000))
def test_across_a_clock_change_durations_are_elapsed_time(milliseconds: int) -> None:
    start = parse_time("2026-03-28T12:00:00", AMSTERDAM, "At")
    assert start + parse_duration(str(milliseconds / 1000), AMSTERDAM, "For") - start == milliseconds


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("109", 109_000), ("10.5", 10_500), ("0:02:23", 143_000), ("27:00:00", 97_200_000), ("0", 0)]
)
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration(text, AMSTERDAM, "For") == milliseconds


def test_a_duration_of_two_parts_is_what_the_mapping_says() -> None:
    assert parse_duration("03:10", Times(zone="UTC", durations="M:SS"), "For") == 190_000
    assert parse_duration("03:10", Times(zone="UTC", durations="H:MM"), "For") == 190 * 60_000
    assert parse_duration("75:00", Times(zone="UTC", durations="M:SS"), "For") == 4_500_000
    assert parse_duration("0:03:10", Times(zone="UTC", durations="M:SS"), "For") == 190_000
    with pytest.raises(Unusable, match=r"'03:10' may be minutes and seconds or hours and minutes; write `durations: M:SS`"):
        parse_duration("03:10", AMSTERDAM, "For")


@pytest.mark.parametrize("text", ["-5", "2:63", "nan", "1:60:00", "soon", "1e99", "inf"])
def test_durations_that_are_refused(text: str) -> None:
    with pytest.raises(Unusable, match=r"is no duration; write seconds \(109\) or H:MM:SS"):
        parse_duration(text, AMSTERDAM, "For")
