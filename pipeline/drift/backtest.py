"""What the watch would have told of past years, with one budget or another: how a municipality chooses its budget. Pure.

History is run as the worker runs it, from the first hour, with a baseline fitted anew every night; but in spans of four weeks, each from
the checkpoint at which the one before ended, so that each sees as much of the past as a look of the worker does, and the time it takes
grows only with the number of years.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.calendars import day_start
from pipeline.drift.checkpoint import Checkpoint
from pipeline.drift.detector import QUARTER_DAYS
from pipeline.drift.look import READ_DAYS, Known, active_streams, spans, with_grades
from pipeline.drift.pause import Markers
from pipeline.drift.signal import Signal
from pipeline.drift.streams import HOUR_MS, Fed, Stream, budget_of
from pipeline.drift.watch import Run
from schemas.organisation import Organisation

SPAN_DAYS = 28
DAY_MS = 24 * HOUR_MS
EPOCH_DAY = date(1970, 1, 1)


class Alarm(NamedTuple):
    """A signal that would have been told: all its states, in order."""

    states: tuple[Signal, ...]

    @property
    def found(self) -> int:
        """When, ms."""
        return self.states[0].at

    @property
    def over(self) -> int | None:
        """When it was over, ms; None while it lasts."""
        return self.states[-1].at if self.states[-1].state == "over" else None

    @property
    def told(self) -> Signal:
        """What was last told of the change itself."""
        return [one for one in self.states if one.state != "over"][-1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one stream would have told with one budget.

    budget: false alarms a quarter of the channel; share: the stream's part of it. watches_from: ms, None for what was never watched because
    too little was known. days: how long it was watched; drifting: for how many days something was the matter.
    """

    channel: str
    stream: str
    budget: float
    share: float
    watches_from: int | None
    days: float
    drifting: float
    alarms: tuple[Alarm, ...]

    @property
    def a_quarter(self) -> float | None:
        """Alarms a quarter; None for what was not watched."""
        return len(self.alarms) * QUARTER_DAYS / self.days if self.days else None

    @property
    def between(self) -> float | None:
        """Days for each alarm; None without any."""
        return self.days / len(self.alarms) if self.alarms else None


def backtest(
    organisation: Organisation, history: Known, since_ms: int, budgets: Sequence[float], channels: Sequence[str] = ()
) -> Iterator[Outcome]:
    """Each stream of the chosen channels (all, where none is chosen) with each budget and the one in force; alarms found after `since_ms`.

    history: READ_DAYS before the first watched day included; its checkpoints and signals are not looked at.

    As the worker would, but for one thing: a stream's share of its channel's budget is that among all streams of which anything is known
    in the whole history.
    """
    active = active_streams(organisation, history.sums, history.end)
    for stream, fed in active:
        if channels and stream.channel not in channels:
            continue
        streams = sum(other.channel == stream.channel for other, _ in active)
        for budget in sorted({*budgets, budget_of(organisation, stream.channel, 1)}):
            yield replay(organisation, stream, fed, history, budget, budget / streams, since_ms)


def replay(organisation: Organisation, stream: Stream, fed: Fed, history: Known, budget: float, share: float, since_ms: int) -> Outcome:
    """One stream with one budget; see backtest."""
    markers = Markers.of(history.markers, stream.channel, stream.kind)
    until_ms = history.end(stream.channel) * HOUR_MS
    states: list[Signal] = []
    checkpoints: list[Checkpoint] = []
    for part in _parts(with_grades(stream, fed, history.grades)):
        run = Run(organisation.organisation, stream, part, markers, share, until_ms, organisation.small_cell, spans(states))
        watched = run.from_checkpoints(checkpoints[-1:])
        states = [one for one in states if one.at <= watched.began] + watched.states
        checkpoints += watched.checkpoints
    periods = list(_watched(checkpoints, ZoneInfo(organisation.zone), until_ms))
    alarms = [one for one in alarms_of(states) if one.found <= until_ms]
    return Outcome(
        stream.channel,
        stream.name,
        budget,
        share,
        periods[0][0] if periods else None,
        sum(_common(period, (since_ms, until_ms)) for period in periods) / DAY_MS,
        sum(_common((one.found, one.over or until_ms), (since_ms, until_ms)) for one in alarms) / DAY_MS,
        tuple(one for one in alarms if one.found > since_ms),
    )


def _watched(checkpoints: Sequence[Checkpoint], zone: ZoneInfo, until_ms: int) -> Iterator[tuple[int, int]]:
    """The days, from one checkpoint to the next, that began with a detector which knew enough to look."""
    starts = [day_start(EPOCH_DAY + timedelta(days=one.day), zone) for one in checkpoints]
    for one, begin, end in zip(checkpoints, starts, [*starts[1:], until_ms], strict=False):
        detector = json.loads(one.state)["detector"]
        if detector is not None and not detector["silent"]:
            yield begin, end


def _common(period: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(period[1], other[1]) - max(period[0], other[0]))


def _parts(fed: Fed) -> Iterator[Fed]:
    """What is fed in spans of days, each with what a look reads of the time before it."""
    days = fed.hour // 24
    for number in range(int(days[0]) // SPAN_DAYS, int(days[-1]) // SPAN_DAYS + 1):
        end_day = (number + 1) * SPAN_DAYS
        first, end = np.searchsorted(days, (end_day - SPAN_DAYS - READ_DAYS, end_day)).tolist()
        if first != end:
            yield fed.slice(first, end)


def alarms_of(states: Sequence[Signal]) -> list[Alarm]:
    """Signals with their states, which must be in order."""
    by_id: dict[str, list[Signal]] = {}
    for one in states:
        by_id.setdefault(one.id, []).append(one)
    return [Alarm(tuple(several)) for several in by_id.values()]
