"""Which streams of a channel are watched, and what of the hourly sums is fed to the detector of each.

A channel's streams: `volume`, `wait`, `norm:<id>` of each norm on a share, `answer:<instrument>:<aspect>` of each watched aspect.

Hours are counted from Monday 5 January 1970, 00:00, by the clock of the organisation's zone: an hour of the week is an hour of its week.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from pipeline.calendars import Calendar
from pipeline.drift.hours import Hours
from pipeline.drift.kinds import Name
from schemas.instrument import Scale
from schemas.organisation import Organisation

HOUR_MS = 3_600_000
_MONDAY = 96
"""Hours from 1 January 1970, a Thursday, to the first Monday."""
ROUND_THE_CLOCK = frozenset({"email", "website", "form", "public_space", "whatsapp", "social", "app"})
"""Channels that citizens use at any hour: their volume is watched day and night, unless the file gives them opening hours of their own."""
_SATURDAY = 5
_WEEK = 168
_NEVER_OPEN_DAYS = 60
"""A calendar without a working day for so long has none."""
_SOME = 3
"""Answers to a version from which it can have taken over."""
_DAY_CLOCKS = ("working-days", "statutory-term", "given")

Integers = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]
Number = TypeVar("Number", float, Array)


@dataclass(frozen=True, slots=True)
class Stream:
    """What is watched. measures: those of the hourly sums that make it up, an answer's by version, the oldest first.

    daily: judged by days: one sum a working day, in the last open hour. scales: bounds of a grade, by measure. always: whether its volume
    is watched day and night.
    """

    channel: str
    name: str
    kind: Name
    measures: tuple[str, ...]
    daily: bool = False
    scales: tuple[Scale, ...] = ()
    always: bool = False

    @property
    def shown(self) -> str:
        """The figure as views name it: the mean wait for its logarithm, an answer of the last version."""
        return "wait" if self.name == "wait" else self.measures[-1]


class Grades(NamedTuple):
    """How often (n) a grade was given in an hour, by its beginning (epoch ms)."""

    at: Integers
    grade: Array
    n: Array

    def given(self, at: Integers) -> list[tuple[float, float]]:
        """(grade, how many) over these hours."""
        chosen = np.isin(self.at, at)
        grades, where = np.unique(self.grade[chosen], return_inverse=True)
        return list(zip(grades.tolist(), np.bincount(where, weights=self.n[chosen]).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Fed:
    """What is fed to a detector, in order: local hour, the beginning of that hour (epoch ms), v, n.

    changed: beginnings (epoch ms) of another version of the questionnaire. grades: the single answers on 1-10, None for other kinds.
    """

    hour: Integers
    at: Integers
    v: Array
    n: Array
    changed: tuple[int, ...] = ()
    grades: Grades | None = None

    def __len__(self) -> int:
        return len(self.hour)

    def slice(self, first: int, end: int) -> "Fed":
        """Those at places first to end, `end` not included."""
        return Fed(self.hour[first:end], self.at[first:end], self.v[first:end], self.n[first:end], self.changed, self.grades)


def streams_of(organisation: Organisation) -> list[Stream]:
    """Every stream that can be watched, whether or not anything is known of it."""
    found = []
    for channel, settings in organisation.channels.items():
        always = channel in ROUND_THE_CLOCK and settings.opening_hours is None
        found.append(Stream(channel, "volume", "volume", ("volume",), always=always))
        found.append(Stream(channel, "wait", "time", ("wait_log",)))
        for name in dict.fromkeys(norm.id for norm in organisation.norms if channel in norm.applies_to.channels):
            versions = organisation.norm_versions(name)
            if versions[-1].statistic == "share":
                daily = any(norm.clock in _DAY_CLOCKS for norm in versions)
                found.append(Stream(channel, f"norm:{name}", "compliance", (f"norm:{name}",), daily))
        for name, instruments in organisation.instruments.items():
            ordered = sorted(instruments, key=lambda one: one.version)
            for aspect in ordered[-1].watched():
                asking = [one for one in ordered if aspect in one.aspects]
                measures = tuple(f"answer:{name}:{one.version}:{aspect}" for one in asking)
                scales = tuple(one.scale_of(aspect) for one in asking)
                found.append(Stream(channel, f"answer:{name}:{aspect}", "grade", measures, scales=scales))
    return found


def budget_of(organisation: Organisation, channel: str, active: int) -> float:
    """False alarms a quarter for one of a channel's `active` streams."""
    own = organisation.channels[channel].drift_budget  # type: ignore[index]
    return (organisation.drift.budget if own is None else own) / max(active, 1)


def feed(stream: Stream, sums: Mapping[tuple[str, str], Hours], calendar: Calendar, until: int) -> Fed:
    """What of the hourly sums is fed: hours that are over at `until` (hours since the epoch).

    Volume: every open hour since the first contact, those without one too. The others: hours with something in them.
    """
    parts = [sums.get((stream.channel, measure)) for measure in stream.measures]
    known = [(number, part) for number, part in enumerate(parts) if part is not None and len(part.hour)]
    if not known:
        return Fed(*_nothing())
    if stream.kind == "volume":
        return _volume(known[0][1], calendar, until, stream.always)
    starts = [_begins(known, place) for place in range(len(known))]
    columns, begun = [], []
    for place, (number, part) in enumerate(known):
        end = min([*starts[place + 1 :], until])  # a version ends where any later one begins
        if starts[place] < end:
            chosen = (part.hour >= starts[place]) & (part.hour < end)
            n = part.n[chosen].astype(np.float64)
            columns.append((part.hour[chosen], _values(stream, number, n, part.total[chosen]), n))
            begun.append(starts[place])
    if not columns:
        return Fed(*_nothing())
    hour, v, n = (np.concatenate([column[place] for column in columns]) for place in range(3))
    changed = tuple(start * HOUR_MS for start in begun[1:])
    if stream.daily:
        return _by_day(hour.astype(np.int64), v, n, calendar, until, changed)
    kept = n > 0
    hour = hour[kept].astype(np.int64)
    return Fed(local_hours(hour, calendar.zone), hour * HOUR_MS, v[kept], n[kept], changed)


def _begins(known: list[tuple[int, Hours]], place: int) -> int:
    """The hour in which a version of a questionnaire takes over: from which in a week more answers are to it than to those before it.

    Some at least: one answer of somebody who tries it out replaces nothing.
    """
    part = known[place][1]
    if place == 0:
        return int(part.hour[0])
    before = np.concatenate([other.hour for _, other in known[:place]])
    order = before.argsort()
    old = np.concatenate([[0], np.concatenate([other.n for _, other in known[:place]])[order].cumsum()])
    new = np.concatenate([[0], part.n.cumsum()])
    for first, hour in enumerate(part.hour.tolist()):
        fresh = new[np.searchsorted(part.hour, hour + _WEEK)] - new[first]
        ends = np.searchsorted(before[order], (hour, hour + _WEEK))
        if fresh >= _SOME and fresh > old[ends[1]] - old[ends[0]]:
            return int(hour)
    return 1 << 62


def _nothing() -> tuple[Integers, Integers, Array, Array]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0)


def _values(stream: Stream, number: int, n: Array, total: npt.NDArray[np.int64]) -> Array:
    """Means in the kind's scale: shares, log-seconds, grades of 1-10."""
    mean = np.divide(total.astype(np.float64), n, out=np.zeros(len(n)), where=n > 0)
    if stream.kind == "compliance":
        return mean
    if stream.kind == "time":
        return mean / 1e6
    return to_grade(mean / 1000, stream.scales[number])


def to_grade(value: Number, scale: Scale) -> Number:
    """Answers on any scale, mapped linearly to 1-10."""
    if (scale.minimum, scale.maximum) == (1, 10):
        return value
    return 1 + 9 * (value - scale.minimum) / (scale.maximum - scale.minimum)


def _volume(part: Hours, calendar: Calendar, until: int, round_the_clock: bool) -> Fed:
    first, zone = int(part.hour[0]), calendar.zone
    hours = np.arange(first, max(first, until), dtype=np.int64)
    seen = np.zeros(len(hours))
    inside = part.hour < until
    seen[part.hour[inside] - first] = part.n[inside]
    local = local_hours(hours, zone)
    is_open = open_hours(local, calendar, round_the_clock)
    return Fed(local[is_open], hours[is_open] * HOUR_MS, seen[is_open], np.ones(int(is_open.sum())))


def open_hours(local: Integers, calendar: Calendar, round_the_clock: bool) -> npt.NDArray[np.bool_]:
    """Which local hours are open for at least a part; of round-the-clock channels all, but for those of closed weekdays."""
    found = np.zeros(len(local), dtype=bool)
    days = local // 24
    for day in np.unique(days).tolist():
        where = days == day
        on = day_of(day)
        if round_the_clock:
            found[where] = on.weekday() >= _SATURDAY or calendar.is_working_day(on)
            continue
        of_day = local[where] % 24
        found[where] = np.any(
            [(of_day * 60 < end) & (of_day * 60 + 60 > start) for start, end in calendar.hours(on)] or [of_day < 0], axis=0
        )
    return found


def _by_day(hour: Integers, v: Array, n: Array, calendar: Calendar, until: int, changed: tuple[int, ...]) -> Fed:
    """One sum a working day, in its last open hour, of days that are over; what is judged on other days goes to the next working day.

    A working day on which the channel is closed has its sum in its last hour.
    """
    local = local_hours(hour, calendar.zone)
    days = local // 24
    fed: dict[int, list[float]] = {}
    for day in np.unique(days).tolist():
        where = days == day
        target = day
        while not calendar.is_working_day(day_of(target)) and target < day + _NEVER_OPEN_DAYS:
            target += 1
        entry = fed.setdefault(target, [0.0, 0.0])
        entry[0] += float((v[where] * n[where]).sum())
        entry[1] += float(n[where].sum())
    rows = []
    for day, (total, count) in sorted(fed.items()):
        if count > 0 and calendar.end_of_local_day(day_of(day)) < until * HOUR_MS:
            last = max((-(-end // 60) for _, end in calendar.hours(day_of(day))), default=24) - 1
            rows.append((day * 24 + last, calendar.day_start(day_of(day)) + last * HOUR_MS, total / count, count))
    if not rows:
        return Fed(*_nothing(), changed)
    hours, at, means, counts = zip(*rows, strict=True)
    return Fed(np.array(hours, np.int64), np.array(at, np.int64), np.array(means), np.array(counts), changed)


def day_of(day: int) -> date:
    """The date of a local day, counted from Monday 5 January 1970."""
    return date(1970, 1, 5) + timedelta(days=day)


def local_hours(hours: Integers, zone: ZoneInfo) -> Integers:
    """Hours since the epoch as local hours counted from a Monday. The hour that comes twice in autumn has one number."""
    if not len(hours):
        return np.zeros(0, np.int64)
    first = int(hours.min()) // 24
    offsets = np.concatenate([_offsets(day, zone) for day in range(first, int(hours.max()) // 24 + 1)])
    return np.asarray((hours * 3600 + offsets[hours - first * 24]) // 3600 - _MONDAY)


@lru_cache(maxsize=10_000)
def _offsets(day: int, zone: ZoneInfo) -> Integers:
    """Seconds east of UTC at each hour of a UTC day."""
    start = datetime.fromtimestamp(day * 86_400, UTC)
    ends = [(start + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in (0, 24)]
    if ends[0] == ends[1]:
        return np.full(24, _seconds(ends[0]))
    return np.array([_seconds((start + timedelta(hours=hour)).astimezone(zone).utcoffset()) for hour in range(24)], np.int64)


def _seconds(offset: timedelta | None) -> int:
    return int(offset.total_seconds()) if offset else 0
