"""What led to a signal, found again: the same sums run through the same watch, with what was seen and how the test went hour by hour. Pure.

Of grades nothing is given by the hour: days are put together until they have at least `small_cell` answers, and so is the test's path, that
tells as much of a single answer as the answer itself.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.calendars import day_start, local_date
from pipeline.drift import watch
from pipeline.drift.backtest import DAY_MS, EPOCH_DAY
from pipeline.drift.baseline import HOURS, Baseline
from pipeline.drift.checkpoint import Checkpoint, last_valid
from pipeline.drift.detector import threshold
from pipeline.drift.look import Known, watched_streams
from pipeline.drift.picture import FLOOR, Mark, Point
from pipeline.drift.reconcile import reconciled
from pipeline.drift.score import logistic
from pipeline.drift.signal import Signal
from pipeline.drift.streams import HOUR_MS, Fed, Stream
from pipeline.drift.watch import Watched
from pipeline.drift.words import Learned
from schemas.organisation import Organisation

BEFORE_DAYS = 7
AFTER_DAYS = 2
"""What is shown around a signal."""
_SAME = 0.005
"""Figures that differ by less are shown the same."""


class Block(NamedTuple):
    """Hours put together. start, end: ms. seen, None of too few; expected and its band of two standard deviations; ln of both tests."""

    start: int
    end: int
    n: int
    seen: float | None
    expected: float
    low: float
    high: float
    fall: float
    rise: float

    def point(self) -> Point:
        """As pictures have it."""
        return Point(self.end, self.seen, self.expected, self.low, self.high, self.fall, self.rise)


class Usual(NamedTuple):
    """What a baseline expects, on the figure's own scale: in all, by hour of the day (0-23) and by day of the week (Monday is 0).

    Hours and days at which it is closed are left out. days: on how many days of observations it rests.
    """

    mean: float
    hours: dict[int, float]
    weekdays: dict[int, float]
    days: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was found again of a signal. hours, days: blocks to show; of grades both are days. threshold: A, that the test passed.

    differs: states that the watch would tell otherwise now; missing: it finds nothing any more. checkpoint: the day (since 1970) from which
    it was run, None for the beginning of what was read. usual: by the baseline in force at the end, learned:
    the hours that it rests on, of a signal that lasts.
    """

    states: tuple[Signal, ...]
    hours: tuple[Block, ...]
    days: tuple[Block, ...]
    threshold: float
    differs: tuple[Signal, ...]
    missing: bool
    checkpoint: int | None
    usual: "Usual"
    learned: Learned | None

    def marks(self) -> list[Mark]:
        """The moments of the signal."""
        return [Mark(self.states[-1].onset, "onset"), *(Mark(one.at, one.state) for one in self.states)]


def found_again(organisation: Organisation, known: Known, states: Sequence[Signal], now_ms: int) -> Found | None:
    """Run the watch over a signal's stream again. states: all that are stored of the signal, in order.

    None where the stream is watched no more, or too little is stored of it to run anything.
    """
    signal = states[-1]
    key = (signal.channel, signal.stream)
    active = next((one for one in watched_streams(organisation, known) if one.key == key), None)
    if active is None:
        return None
    zone = ZoneInfo(organisation.zone)
    begins = day_start(local_date(min(one.onset for one in states) - BEFORE_DAYS * DAY_MS, zone), zone)
    run = active.run(organisation, now_ms, trace=True)
    first = (local_date(begins, zone) - EPOCH_DAY).days
    usable = [one for one in known.checkpoints.get(key, ()) if one.day <= first]
    start = last_valid(usable, active.fed, active.markers)
    watched = run.from_checkpoints(usable)
    if watched.detector is None:
        return None
    again = [
        one for one in reconciled(watched.states, active.stored, watched.began, known.end(signal.channel) * HOUR_MS) if one.id == signal.id
    ]
    return _found(organisation, active.stream, active.fed, watched, states, begins, active.budget, again, start)


def _found(
    organisation: Organisation,
    stream: Stream,
    fed: Fed,
    watched: Watched,
    states: Sequence[Signal],
    begins: int,
    share: float,
    again: Sequence[Signal],
    start: Checkpoint | None,
) -> Found:
    detector = watched.detector
    assert detector is not None
    detector.close()
    last = states[-1]
    ends = last.at + AFTER_DAYS * DAY_MS if last.state == "over" else math.inf
    points = [one for one in _with_their_test(watched.points, detector.statistic()) if begins <= one.at < ends]
    zone = ZoneInfo(organisation.zone)
    blocks = Blocks(stream, detector.baseline, zone)
    by_day = [list(group) for _, group in groupby(points, key=lambda one: local_date(one.at, zone))]
    days = tuple(blocks.of(group) for group in by_day)
    hours = tuple(blocks.of([one]) for one in points)
    if stream.kind == "grade":
        days = hours = tuple(_protected(blocks, by_day, organisation.small_cell))
    usual = usual_of(detector.baseline, detector.level, np.unique(fed.hour % HOURS).tolist())
    by_sequence = {one.sequence: one for one in states}
    differs = tuple(one for one in again if one.sequence not in by_sequence or _otherwise(one, by_sequence[one.sequence]))
    passed = watched.passed.get(states[0].at, threshold(share))
    return Found(
        tuple(states), hours, days, math.exp(passed), differs, any(one.ended == "revised" for one in differs),
        None if start is None else start.day, usual, _learned(states, points, usual.days, zone),
    )  # fmt: skip


def _learned(states: Sequence[Signal], points: Sequence[watch.Point], days: int, zone: ZoneInfo) -> Learned | None:
    """While a signal lasts nothing since its onset is learned; on the day it was found, the nights before already had been."""
    if not points or states[-1].state == "over":
        return None
    today = day_start(local_date(points[-1].at, zone), zone)
    until = states[-1].onset if states[0].at <= today else today
    return Learned(until - days * DAY_MS, until)


def _with_their_test(points: Sequence[watch.Point], last: tuple[float, float]) -> list[watch.Point]:
    """Points with the test at their own end: a detector takes an hour when the next begins."""
    after = [(one.down, one.up) for one in points[1:]] + [last]
    return [replace(one, down=down, up=up) for one, (down, up) in zip(points, after, strict=True)]


def _otherwise(one: Signal, stored: Signal) -> bool:
    """Whether two states are told differently."""
    facts = ("state", "at", "onset", "side", "ended")
    if any(getattr(one, name) != getattr(stored, name) for name in facts):
        return True
    return any(not math.isclose(getattr(one, name), getattr(stored, name), rel_tol=_SAME, abs_tol=_SAME) for name in ("size", "value", "n"))


@dataclass(frozen=True, slots=True)
class Blocks:
    """Puts hours of a stream together."""

    stream: Stream
    baseline: Baseline
    zone: ZoneInfo

    def of(self, points: Sequence[watch.Point]) -> Block:
        """Some hours as one.

        The band: what hours and days stray by, and what as few observations do; with weights w = n/Σn and g the slope of the figure,
        Σw²(s²/n + g²τ_h²) + Σ over days of (Σwg)²τ_d².
        """
        kind, base = self.stream.kind, self.baseline
        v, n, m = (np.array([getattr(one, name) for one in points]) for name in ("v", "n", "expected"))
        w = n / n.sum()
        slope = {"compliance": m * (1 - m), "volume": m}.get(kind, np.ones(len(m)))
        single = slope if kind in ("compliance", "volume") else np.full(len(m), base.sigma2)
        _, day = np.unique([local_date(one.at, self.zone).toordinal() for one in points], return_inverse=True)
        variance = (w * w * (single / n + slope * slope * base.hour)).sum() + (np.bincount(day, weights=w * slope) ** 2).sum() * base.day
        seen, expected, off = float((w * v).sum()), float((w * m).sum()), 2 * math.sqrt(float(variance))
        low, high = expected - off, expected + off
        if kind == "time":
            seen, expected, low, high = (math.exp(one) for one in (seen, expected, low, high))
        elif kind == "compliance":
            low, high = max(low, 0.0), min(high, 1.0)
        elif kind == "volume":
            low = max(low, 0.0)
        last = points[-1]
        counted = int((v if kind == "volume" else n).sum().round())
        return Block(
            points[0].at, last.at + HOUR_MS, counted, seen, expected, low, high, max(FLOOR, last.down), max(FLOOR, last.up)
        )  # fmt: skip


def _protected(blocks: Blocks, days: Iterable[Sequence[watch.Point]], small_cell: int) -> Iterator[Block]:
    """Grades: days together until they have enough answers; n in whole steps, figures to a tenth. What is left at the end is not told."""
    held: list[watch.Point] = []
    for day in days:
        held += day
        if sum(one.n for one in held) >= small_cell:
            block = blocks.of(held)
            assert block.seen is not None
            fall, rise = (round(one, 1) for one in (block.fall, block.rise))
            yield block._replace(n=block.n // small_cell * small_cell, seen=round(block.seen, 1), fall=fall, rise=rise)
            held = []
    if held:
        yield blocks.of(held)._replace(n=0, seen=None, fall=FLOOR, rise=FLOOR)


def usual_of(baseline: Baseline, level: float, hours: Iterable[int]) -> Usual:
    """What a baseline expects in the given hours of the week."""
    expected = {hour: baseline.cells[hour] + level for hour in hours}

    def shown(m: float) -> float:
        return math.exp(m) if baseline.kind == "volume" else logistic(m) if baseline.kind == "compliance" else m

    def mean(chosen: Iterable[int]) -> float:
        values = [shown(expected[hour]) for hour in chosen]
        told = sum(values) / len(values)
        return math.exp(told) if baseline.kind == "time" else told

    return Usual(
        mean(expected),
        {hour: mean(one for one in expected if one % 24 == hour) for hour in sorted({one % 24 for one in expected})},
        {day: mean(one for one in expected if one // 24 == day) for day in sorted({one // 24 for one in expected})},
        round(baseline.days),
    )


def as_shown(signal: Signal, small_cell: int) -> dict[str, Any]:
    """A state of a signal for programs, as the views of boards give it.

    Of grades nothing that rests on fewer than `small_cell` answers, and else n in whole steps of so many and figures to a tenth.
    """
    told = {**asdict(signal), "worse": signal.worse}
    if signal.kind != "grade":
        return told
    few = signal.n < small_cell
    for name in ("size", "low", "high", "value", "usual"):
        told[name] = None if few else round(told[name], 1)
    told["contributors"] = [
        {**one, "n": one["n"] // small_cell * small_cell} for one in told["contributors"] if one["n"] >= small_cell and not few
    ]
    return {**told, "n": signal.n // small_cell * small_cell, "withheld": few}
