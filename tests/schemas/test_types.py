"""Times: what is read, floored and refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import PydanticCustomError

from schemas.types import EARLIEST_MS, LATEST_MS, Instant, epoch_ms, iso, parse_instant


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1990-01-01T00:00:00Z", EARLIEST_MS),
        ("2199-12-31T23:59:59.999999Z", LATEST_MS - 1),
        ("2026-03-02T09:00:00+01:00", 1_772_438_400_000),
        ("2026-03-02T08:00:00Z", 1_772_438_400_000),
        ("2026-03-02T08:00:00.000999Z", 1_772_438_400_000),
        ("2026-03-02T13:30:00+05:30", 1_772_438_400_000),
        ("2026-03-02T08:00Z", 1_772_438_400_000),
        ("2026-10-25T02:30:00+02:00", 1_792_888_200_000),  # the hour that comes twice, first
        ("2026-10-25T02:30:00+01:00", 1_792_891_800_000),  # and second
    ],
)
def test_parse(text: str, ms: int) -> None:
    assert parse_instant(text) == ms


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "bad_time"),
        ("gisteren", "bad_time"),
        ("1772438400", "bad_time"),
        ("2026-02-29T00:00:00Z", "bad_time"),
        ("2026-03-02T09:00:60Z", "bad_time"),
        ("2026-03-02T09:00:00 Europe/Amsterdam", "bad_time"),
        ("2026-03-02T09:00:00+25:00", "bad_time"),
        ("2026-03-02", "missing_zone"),
        ("2026-03-02T09:00:00", "missing_zone"),
        ("1989-12-31T23:59:59.999Z", "time_out_of_range"),
        ("1990-01-01T00:00:00+00:01", "time_out_of_range"),
        ("2200-01-01T00:00:00Z", "time_out_of_range"),
        ("0001-01-01T00:00:00+23:59", "time_out_of_range"),
        ("9999-12-31T23:59:59-23:59", "time_out_of_range"),
    ],
)
def test_refuse(text: str, reason: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        parse_instant(text)
    assert refused.value.type == reason


@given(st.integers(EARLIEST_MS, LATEST_MS - 1), st.integers(-14 * 60, 14 * 60))
def test_iso_and_back_in_any_zone(ms: int, offset: int) -> None:
    assert parse_instant(iso(ms)) == ms
    local = datetime.fromisoformat(iso(ms)).astimezone(timezone(timedelta(minutes=offset)))
    assert parse_instant(local.isoformat()) == epoch_ms(local) == ms


def test_floor_before_1970() -> None:
    assert epoch_ms(datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)) == -1


def test_json_schema() -> None:
    assert TypeAdapter(Instant).json_schema() == {"type": "string", "format": "date-time", "maxLength": 40}
