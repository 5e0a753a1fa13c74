"""Spans of time as a board's reader writes them: now, now-24h, now-7d/d, and what lies between the points of a series."""

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dashboards.reading.macros import Span

_RELATIVE: Final = re.compile(r"now((?:[-+]\d+[smhdwMy])*)(?:/([smhdwMy]))?")
_STEP: Final = re.compile(r"([-+])(\d+)([smhdwMy])")
_FIXED: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ROUND_INTERVALS: Final = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000), (3_500, 2_000), (7_500, 5_000),
    (12_500, 10_000), (17_500, 15_000), (25_000, 20_000), (45_000, 30_000), (90_000, 60_000), (210_000, 120_000), (450_000, 300_000),
    (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000), (2_700_000, 1_800_000), (5_400_000, 3_600_000),
    (9_000_000, 7_200_000), (16_200_000, 10_800_000), (32_400_000, 21_600_000), (86_400_000, 43_200_000), (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000), (3_628_800_000, 2_592_000_000),
)  # fmt: skip
"""How far apart points are (second number) when they would be less than so far apart (first number): Grafana's roundInterval."""


def span_of(begin: str, end: str, now_ms: int, zone: str) -> Span:
    """What a reader asked for, in milliseconds.

    begin, end: "now-24h", "now-7d/d", or milliseconds. "/d" rounds to days by the clock of `zone`: a begin down, an end up. Raises
    ValueError for what is neither, and when the end is not after the begin.
    """
    span = Span(_moment(begin, now_ms, zone, up=False), _moment(end, now_ms, zone, up=True))
    if span.to_ms <= span.from_ms:
        raise ValueError(f"the time range ends at {end!r}, which is not after its begin {begin!r}")
    return span


def interval_for(span: Span, points: int, least_ms: int = 1) -> int:
    """How far apart points should be, in milliseconds, so that about so many fit in a span: a round number, as Grafana chooses it."""
    apart = max((span.to_ms - span.from_ms) / max(points, 1), least_ms)
    return max(next((rounded for below, rounded in _ROUND_INTERVALS if apart < below), 31_536_000_000), least_ms)


def _moment(written: str, now_ms: int, zone: str, up: bool) -> int:
    if written.isascii() and written.isdecimal() and len(written) <= 14:
        return int(written)
    found = _RELATIVE.fullmatch(written)
    if found is None:
        raise ValueError(f"{written!r} is no time: write now, now-24h, now-7d/d, or milliseconds since 1970")
    moment = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone))
    try:
        for sign, number, unit in _STEP.findall(found[1]):
            moment = _moved(moment, int(f"{sign}{number}"), unit)
        if found[2]:
            moment = _start(moment, found[2])
            moment = _moved(moment, 1, found[2]) - timedelta(milliseconds=1) if up else moment
        return round(moment.timestamp() * 1000)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{written!r} lies outside the years that can be told") from error


def _moved(moment: datetime, number: int, unit: str) -> datetime:
    if unit in "smh":
        # Hours are real ones, also over the night when the clock is changed; days and more are those of the calendar.
        return datetime.fromtimestamp(moment.timestamp() + timedelta(**{_FIXED[unit]: number}).total_seconds(), moment.tzinfo)
    if unit in "dw":
        return moment + timedelta(**{_FIXED[unit]: number})
    months = moment.year * 12 + moment.month - 1 + number * (12 if unit == "y" else 1)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=months // 12, month=months % 12 + 1, day=day)
        except ValueError:
            continue  # a month without that day: its last one
    return moment.replace(year=months // 12, month=months % 12 + 1)


def _start(moment: datetime, unit: str) -> datetime:
    moment = moment.replace(microsecond=0)
    if unit == "s":
        return moment
    if unit in "mh":
        return moment.replace(second=0, minute=moment.minute if unit == "m" else 0)
    moment = moment.replace(second=0, minute=0, hour=0)
    if unit == "d":
        return moment
    if unit == "w":
        return moment - timedelta(days=moment.weekday())
    return moment.replace(day=1, month=1 if unit == "y" else moment.month)
