"""Spans as a reader writes them, and how far apart the points of a series are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dashboards.reading.macros import Span
from dashboards.reading.times import interval_for, span_of

ZONE = "Europe/Amsterdam"


def ms(text: str) -> int:
    """Milliseconds of a local moment."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)


NOW = ms("2026-03-30T10:07:08.900")
"""A Monday, the day after the clock went forward."""


@pytest.mark.parametrize(
    ("begin", "end", "first", "last"),
    [
        ("now-24h", "now", "2026-03-29T10:07:08.900", "2026-03-30T10:07:08.900"),
        ("now-36h", "now", "2026-03-28T21:07:08.900", "2026-03-30T10:07:08.900"),
        ("now-2d", "now", "2026-03-28T10:07:08.900", "2026-03-30T10:07:08.900"),
        ("now/d", "now/d", "2026-03-30T00:00:00", "2026-03-30T23:59:59.999"),
        ("now-1d/d", "now-1d/d", "2026-03-29T00:00:00", "2026-03-29T23:59:59.999"),
        ("now-7d/d", "now", "2026-03-23T00:00:00", "2026-03-30T10:07:08.900"),
        ("now/w", "now/w", "2026-03-30T00:00:00", "2026-04-05T23:59:59.999"),
        ("now-1M/M", "now/y", "2026-02-01T00:00:00", "2026-12-31T23:59:59.999"),
        ("now-1M", "now+1h", "2026-02-28T10:07:08.900", "2026-03-30T11:07:08.900"),
        ("now-1y/y", "now-5m/m", "2025-01-01T00:00:00", "2026-03-30T10:02:59.999"),
        ("now-1h/h", "now/s", "2026-03-30T09:00:00", "2026-03-30T10:07:08.999"),
        (str(ms("2026-01-01T00:00:00")), str(ms("2026-01-02T00:00:00")), "2026-01-01T00:00:00", "2026-01-02T00:00:00"),
    ],
)
def test_a_span_is_read_by_the_local_clock(begin: str, end: str, first: str, last: str) -> None:
    assert span_of(begin, end, NOW, ZONE) == Span(ms(first), ms(last))


def test_a_day_of_another_zone_is_another_day() -> None:
    assert span_of("now/d", "now", NOW, "UTC").from_ms == round(datetime(2026, 3, 30, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("yesterday", "now", "'yesterday' is no time"),
        ("now-1Q", "now", "'now-1Q' is no time"),
        ("", "now", "'' is no time"),
        ("now-99999999y", "now", "outside the years"),
        ("now", "now-1h", "not after its begin 'now'"),
        ("now", "now", "not after its begin"),
    ],
)
def test_what_is_no_span_is_refused_in_words(begin: str, end: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        span_of(begin, end, NOW, ZONE)


@pytest.mark.parametrize(
    ("hours", "points", "interval_ms"),
    [
        (1, 400, 10_000),
        (24, 400, 300_000),
        (24 * 7, 400, 1_800_000),
        (24 * 91, 400, 21_600_000),
        (24 * 365, 100, 86_400_000),
        (1, 0, 3_600_000),
    ],
)
def test_points_lie_a_round_number_apart(hours: int, points: int, interval_ms: int) -> None:
    assert interval_for(Span(0, hours * 3_600_000), points) == interval_ms


def test_points_are_no_closer_than_asked() -> None:
    assert interval_for(Span(0, 3_600_000), 10_000, least_ms=60_000) == 60_000
