"""When somebody is on duty, as Alertmanager and Grafana write times: the opening hours of an organisation, its closing days taken out.

The usual week and what is added on single days are when messages are sent (`active_time_intervals`); what the calendar takes from
the usual week on single days, closing days and shorter days, is when they are held (`mute_time_intervals`).
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from dashboards.alerts.pieces import ROUND_THE_CLOCK_H

Hours = Sequence[tuple[int, int]]
"""Opening times of a day: (from, to) in local minutes after midnight, in order."""

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS_AHEAD: Final = 400
_ROUND_THE_CLOCK: Final = 60 * ROUND_THE_CLOCK_H


class Duty(NamedTuple):
    """Time intervals in the form of Alertmanager's `time_intervals`: when there is duty, and what is taken from it."""

    active: list[dict[str, Any]]
    muted: list[dict[str, Any]]


def duty(week: Sequence[Hours], hours: Callable[[date], Hours], today: date, zone: str) -> Duty:
    """From the usual hours (Monday first) and those in force on a day, for DAYS_AHEAD days."""
    active = [_interval(hour, zone, weekdays=[name]) for name, day in zip(_DAYS, week, strict=True) for hour in (day,) if hour]
    muted = []
    for day in (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD)):
        usual, there = _minutes(week[day.weekday()]), _minutes(hours(day))
        on = {"years": [str(day.year)], "months": [str(day.month)], "days_of_month": [str(day.day)]}
        if there - usual:
            active.append(_interval(_spans(there - usual), zone, **on))
        if usual - there:
            # Of a day that is closed altogether the early hours too: the morning's message comes before opening time.
            muted.append(_interval(_spans(usual - there) if there else [(0, 24 * 60)], zone, **on))
    return Duty(_merged(active), muted)


def manned(hours: Hours) -> Hours:
    """Without the hours round the clock, in which a website is open and nobody is there."""
    return [(start, end) for start, end in hours if end - start < _ROUND_THE_CLOCK]


def union(several: Sequence[Hours]) -> Hours:
    """The times at which any of them is open."""
    return _spans(set().union(*map(_minutes, several)))


def _interval(hours: Hours, zone: str, **days: list[str]) -> dict[str, Any]:
    times = [{"start_time": _clock(start), "end_time": _clock(end)} for start, end in hours]
    return {"times": times, **days, "location": zone}


def _merged(intervals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Weekdays of the same hours together."""
    found: list[dict[str, Any]] = []
    for one in intervals:
        same = next((other for other in found if "weekdays" in one and "weekdays" in other and other["times"] == one["times"]), None)
        if same is None:
            found.append(one)
        else:
            same["weekdays"] = [*same["weekdays"], *one["weekdays"]]
    return found


def _minutes(hours: Hours) -> set[int]:
    return {minute for start, end in hours for minute in range(start, end)}


def _spans(minutes: set[int]) -> list[tuple[int, int]]:
    starts = sorted(minute for minute in minutes if minute - 1 not in minutes)
    ends = sorted(minute + 1 for minute in minutes if minute + 1 not in minutes)
    return list(zip(starts, ends, strict=True))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
