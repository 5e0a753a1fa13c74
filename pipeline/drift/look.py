"""One look at an organisation: from what is stored, what is to be said and kept of each of its streams. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.drift.checkpoint import Checkpoint
from pipeline.drift.contributors import Part, contributors
from pipeline.drift.history import HISTORY_DAYS, LEARNING_DAYS, LONGEST_DAYS, Span
from pipeline.drift.hours import GradeCount, Hours
from pipeline.drift.pause import Announced, Markers
from pipeline.drift.reconcile import reconciled
from pipeline.drift.signal import Dimension, Signal
from pipeline.drift.status import Status, Watch
from pipeline.drift.streams import HOUR_MS, Fed, Grades, Stream, budget_of, feed, streams_of, to_grade
from pipeline.drift.watch import Run, Watched
from pipeline.rules import calendar_of
from schemas.organisation import Organisation

LATE_DAYS = 28
"""Data that come later than this change nothing that was found."""
READ_DAYS = LONGEST_DAYS + LATE_DAYS + 7
SILENT_MS = 3 * HOUR_MS
"""Of opening hours without any sign of life, after which nobody knows how a channel does."""
StreamKey = tuple[str, str]
"""(channel, stream)."""
Measured = tuple[str, str]
"""(channel, measure)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored. signals: all their states.

    until: the first hour since the epoch that is not over yet, by the last sign of life. ends: the same of channels of which less is known.
    """

    until: int
    sums: Mapping[Measured, Hours]
    grades: Mapping[Measured, Sequence[GradeCount]]
    markers: Sequence[Announced] = ()
    checkpoints: Mapping[StreamKey, Sequence[Checkpoint]] = field(default_factory=dict)
    signals: Sequence[Signal] = ()
    ends: Mapping[str, int] = field(default_factory=dict)

    def end(self, channel: str) -> int:
        """The first hour of a channel of which not all is known."""
        return self.ends.get(channel, self.until)


@dataclass(frozen=True, slots=True)
class Question:
    """What must be asked of the parts of a channel to tell a state of a signal: their sums in the hours [start, end) of two periods.

    hours: open hours in each. deviation: of one value, in the unit of the sums.
    """

    signal: Signal
    measure: str
    before: tuple[int, int]
    after: tuple[int, int]
    hours: tuple[float, float]
    deviation: float

    def answered(self, parts: Mapping[Dimension, Sequence[Part]], small_cell: int) -> Signal:
        """The state with what contributes to it."""
        kind, side = self.signal.kind, self.signal.side
        found = [
            one
            for dimension, several in parts.items()
            for one in contributors(kind, side, dimension, several, small_cell=small_cell, hours=self.hours, deviation=self.deviation)
        ]
        step = small_cell if kind == "grade" else 1
        return replace(self.signal, contributors=tuple(replace(one, n=one.n - one.n % step) for one in found))


@dataclass(slots=True)
class Looked:
    """What is new: states of signals to write, those of them to ask about, checkpoints and how all streams stand."""

    states: list[Signal] = field(default_factory=list)
    questions: dict[tuple[str, int], Question] = field(default_factory=dict)
    checkpoints: dict[StreamKey, list[Checkpoint]] = field(default_factory=dict)
    watches: list[Watch] = field(default_factory=list)


def active_streams(organisation: Organisation, sums: Mapping[Measured, Hours], end: Callable[[str], int]) -> list[tuple[Stream, Fed]]:
    """The streams of which anything is known, with what is fed to their detectors. end: the first hour of a channel that is not."""
    found = []
    for stream in streams_of(organisation):
        fed = feed(stream, sums, calendar_of(organisation, stream.channel), end(stream.channel))
        if len(fed):
            found.append((stream, fed))
    return found


def with_grades(stream: Stream, fed: Fed, grades: Mapping[Measured, Sequence[GradeCount]]) -> Fed:
    """What is fed, with the single grades that it is made of, on 1-10; other kinds as they are."""
    if stream.kind != "grade":
        return fed
    given = [
        (count.hour * HOUR_MS, to_grade(count.grade, scale), float(count.n))
        for measure, scale in zip(stream.measures, stream.scales, strict=True)
        for count in grades.get((stream.channel, measure), ())
    ]
    at, grade, n = zip(*given, strict=True) if given else ((), (), ())
    return replace(fed, grades=Grades(np.array(at, np.int64), np.array(grade, np.float64), np.array(n, np.float64)))


@dataclass(frozen=True, slots=True)
class Active:
    """A stream that is watched: what is fed to its detector, its share of the budget, what was announced, and its signals' states."""

    stream: Stream
    fed: Fed
    budget: float
    markers: Markers
    stored: list[Signal]

    @property
    def key(self) -> StreamKey:
        """Its channel and name."""
        return self.stream.channel, self.stream.name

    def run(self, organisation: Organisation, now_ms: int, trace: bool = False) -> Run:
        """A run over it."""
        return Run(
            organisation.organisation, self.stream, self.fed, self.markers, self.budget, now_ms, organisation.small_cell,
            spans(self.stored), trace,
        )  # fmt: skip


def watched_streams(organisation: Organisation, known: Known) -> list[Active]:
    """The streams of which anything is known, with all that a run needs."""
    active = active_streams(organisation, known.sums, known.end)
    return [
        Active(
            stream,
            with_grades(stream, fed, known.grades),
            budget_of(organisation, stream.channel, sum(other.channel == stream.channel for other, _ in active)),
            Markers.of(known.markers, stream.channel, stream.kind),
            [one for one in known.signals if (one.channel, one.stream) == (stream.channel, stream.name)],
        )
        for stream, fed in active
    ]


def look(organisation: Organisation, known: Known, now_ms: int) -> Looked:
    """Look at every stream. now_ms: what was found more than a day before it is not announced."""
    found = Looked()
    active = watched_streams(organisation, known)
    for one in active:
        end = known.end(one.stream.channel)
        kept = [checkpoint for checkpoint in known.checkpoints.get(one.key, ()) if checkpoint.day >= end // 24 - LATE_DAYS]
        watched = one.run(organisation, now_ms).from_checkpoints(kept)
        states = reconciled(watched.states, one.stored, watched.began, end * HOUR_MS, watched.lasting)
        found.states += states
        found.questions |= {
            (state.id, state.sequence): _question(one.stream, one.fed, state, watched) for state in states if state.state != "over"
        }
        found.checkpoints[one.key] = watched.checkpoints
        silence = calendar_of(organisation, one.stream.channel).open_ms_between(end * HOUR_MS, now_ms)
        found.watches.append(_standing(one.stream, one.fed, watched, one.budget, end, silence > SILENT_MS))
    gone = [state for state in known.signals if (state.channel, state.stream) not in {one.key for one in active}]
    found.states += reconciled([], gone, 0, known.until * HOUR_MS, gone="announced")  # what is watched no more has no say
    return found


def spans(states: Sequence[Signal]) -> list[Span]:
    """Of signals; `found` is the beginning of the hour that found it. Not of those that late data took the ground from."""
    by_id: dict[str, list[Signal]] = {}
    for one in sorted(states, key=lambda one: one.sequence):
        by_id.setdefault(one.id, []).append(one)
    return [
        (several[0].at - HOUR_MS, _began(several), several[-1].at if several[-1].state == "over" else None)
        for several in by_id.values()
        if several[-1].ended != "revised"
    ]


def _began(states: Sequence[Signal]) -> int:
    """The onset of a signal, as it was told last; that of grown is of its growth."""
    return [one.onset for one in states if one.state != "grown"][-1]


def _question(stream: Stream, fed: Fed, signal: Signal, watched: Watched) -> Question:
    onset, end = signal.onset // HOUR_MS, signal.at // HOUR_MS
    if stream.daily:  # what a day judges falls up to its midnight
        first, last = fed.hour[np.searchsorted(fed.at, (signal.onset, signal.at - HOUR_MS))] % 24
        onset, end = onset - int(first), end + 23 - int(last)
    start = onset - HISTORY_DAYS * 24
    hours = (
        float(np.count_nonzero((fed.at >= start * HOUR_MS) & (fed.at < signal.onset))),
        float(np.count_nonzero((fed.at >= signal.onset) & (fed.at < signal.at))),
    )
    sigma = watched.detector.baseline.sigma2**0.5 if watched.detector else 0.0
    scale = stream.scales[-1] if stream.scales else None
    deviation = sigma * 1e6 if scale is None else sigma * 1e3 * (scale.maximum - scale.minimum) / 9
    return Question(signal, stream.measures[-1], (start, onset), (onset, end), hours, deviation)


def _standing(stream: Stream, fed: Fed, watched: Watched, budget: float, until: int, unheard: bool) -> Watch:
    """How a stream stands after a look. unheard: nothing has been heard of the organisation for long, so nothing is known of now."""
    detector, end = watched.detector, until * HOUR_MS
    status: Status = "watching"
    since, reason, begins = watched.watches_from or int(fed.at[0]), "", watched.watches_from
    if detector is None:
        status, since = "learning", int(fed.at[0])
        reason = f"new: it takes {LEARNING_DAYS} days to know what is usual"
    elif watched.silent:
        status, begins = "silent", None
        reason = "a change was announced, or too little is known yet: what is usual is being learned"
    elif unheard:
        status, since, reason = "unknown", end, "nothing has been heard of it since, by no event and no heartbeat"
    elif watched.drifting_since is not None:
        status, since = "drifting", watched.drifting_since
    return Watch(stream.channel, stream.name, status, since, begins, end, budget, reason)
