"""The watch over one stream: its sums in, states of signals and checkpoints out. Pure: the same sums give the same signals.

A day is the unit of everything but detection. As a day begins, the baseline is fitted anew to the last twelve weeks in which nothing was
the matter, and a checkpoint is taken; the digest of the hours fed since the checkpoint before stands in it. When a stored day's hours no
longer have that digest (late data, a marker set afterwards), the stream is run again from the checkpoint at which that day began.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from pipeline.drift.baseline import Baseline
from pipeline.drift.checkpoint import DAY_ZERO, SOFTWARE, Checkpoint, begins, digest_of, last_valid
from pipeline.drift.detector import Detector
from pipeline.drift.history import LEARNING_DAYS, Span, fitted, in_control, learned
from pipeline.drift.pause import Markers
from pipeline.drift.reconcile import Lasting
from pipeline.drift.signal import Ended, Signal, State, signal_id
from pipeline.drift.size import Told, told_of
from pipeline.drift.streams import HOUR_MS, Fed, Stream

USUAL_AFTER_DAYS = 84
"""A change that has lasted so long is what is usual now."""
BACKFILL_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Point:
    """One hour as `explain` shows it: its beginning, what was seen, of how many, what was expected (v's scale), ln W of both sides."""

    at: int
    v: float
    n: float
    expected: float
    down: float
    up: float


@dataclass(slots=True)
class Watched:
    """What a run found: states in order of time, checkpoints to store, how it stands."""

    states: list[Signal] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    began: int = 0
    """Where it began (ms): what is stored of signals found later is what this run finds again."""
    detector: Detector | None = None
    watches_from: int | None = None
    drifting_since: int | None = None
    lasting: Lasting | None = None
    passed: dict[int, float] = field(default_factory=dict)
    """ln A that was passed, by when something was found (`at` of that state)."""
    silent: bool = False
    points: list[Point] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A signal that is not over: what its next state needs."""

    id: str
    sequence: int
    side: int
    onset: int
    found: int
    told: list[float]

    @property
    def n(self) -> int:
        """How many it was last told of."""
        return int(self.told[-1]) if self.told else 0


class Run:
    """One run over what is fed.

    least: so many answers must lie between two states of a signal of grades, else their difference would tell single ones. past: spans
    (found, onset, over or None), in ms, of signals that were found before the run begins. trace: whether to keep a point of every hour.
    """

    def __init__(
        self,
        organisation: str,
        stream: Stream,
        fed: Fed,
        markers: Markers,
        budget: float,
        now_ms: int,
        least: int,
        past: Sequence[Span] = (),
        trace: bool = False,
    ) -> None:
        self._organisation = organisation
        self._stream = stream
        self._fed = fed
        self._markers = markers
        self._budget = budget
        self._now_ms = now_ms
        self._least = least if stream.kind == "grade" else 0
        self._past = list(past)
        self._trace = trace
        self._skipped = markers.skipped(fed.at)
        self._detector: Detector | None = None
        self._relearned: int | None = None
        self._open: _Open | None = None
        self._out = Watched()

    def from_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> Watched:
        """Run from the last checkpoint up to which nothing has changed; from the beginning without one."""
        fed = self._fed
        start = last_valid(checkpoints, fed, self._markers)
        first = 0
        if start is not None:
            self._restore(start)
            first = int(np.searchsorted(fed.hour // 24, start.day - DAY_ZERO))
        if first < len(fed):
            self._out.began = int(fed.at[first])
            # The one that is open is this run's own to end.
            own = self._open.found if self._open else None
            self._past = [span for span in self._past if span[0] < self._out.began and span[0] != own]
        elif len(fed):  # the checkpoint's own day has lost its hours: what earlier ones found is not this run's to judge
            self._out.began = int(fed.at[-1]) + HOUR_MS
        last = first
        for place, end in self._days(first):
            if start is None or fed.hour[place] // 24 != start.day - DAY_ZERO:
                self._begin_day(place, last)
            for number in range(place, end):
                self._hour(number)
            last = place
        self._out.detector = self._detector
        if self._open is not None:
            self._out.drifting_since = self._open.found
            self._out.lasting = Lasting(self._open.id, self._open.side, self._open.onset)
        self._out.silent = self._detector is not None and (self._detector.silent or bool(len(fed) and self._skipped[-1]))
        return self._out

    def _days(self, first: int) -> Iterator[tuple[int, int]]:
        """(first place, end) of each local day."""
        days = self._fed.hour // 24
        if first >= len(days):
            return
        starts = [first, *(np.flatnonzero(days[first + 1 :] != days[first:-1]) + first + 1).tolist(), len(days)]
        yield from pairwise(starts)

    def _restore(self, checkpoint: Checkpoint) -> None:
        state = json.loads(checkpoint.state)
        self._relearned, self._out.watches_from = state["relearned"], state["watches_from"]
        if state["detector"] is not None:
            self._detector = Detector.of(Baseline.of(json.loads(checkpoint.baseline)), self._budget, state["detector"])
        if state["open"] is not None:
            self._open = _Open(**state["open"])

    # ── days ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_day(self, place: int, before: int) -> None:
        """Fit the baseline and take a checkpoint; `before` is the first place of the day before."""
        day = int(self._fed.hour[place]) // 24
        if self._detector is not None:
            self._detector.close()
        fresh = self._fitted(place, day)
        if fresh is not None:
            if self._detector is None:
                self._detector = Detector(fresh, self._budget)
            else:
                self._detector.rebase(fresh)
        state = {
            "detector": self._detector.state() if self._detector else None,
            "relearned": self._relearned,
            "watches_from": self._out.watches_from,
            "open": {name: getattr(self._open, name) for name in _Open.__slots__} if self._open else None,
        }
        baseline = json.dumps(self._detector.baseline.document()) if self._detector else ""
        self._out.checkpoints.append(
            Checkpoint(day + DAY_ZERO, json.dumps(state), baseline, digest_of(self._fed, self._markers, before, place), SOFTWARE)
        )

    def _fitted(self, place: int, day: int) -> Baseline | None:
        """The baseline as of a day's beginning; None while there is too little, or a change is being learned."""
        out, since = self._out, self._relearned or 0
        past = self._past if self._open is None else [*self._past, (self._open.found, self._open.onset, None)]
        chosen = in_control(self._fed, place, self._skipped, past, since)
        days = min(learned(self._fed, place, chosen), day - since)
        if self._detector is None:
            midnight = int(self._fed.at[place]) - int(self._fed.hour[place]) % 24 * HOUR_MS
            out.watches_from = midnight + max(LEARNING_DAYS - days, 0) * 24 * HOUR_MS
        return fitted(self._stream.kind, self._fed, place, chosen) if days >= LEARNING_DAYS else None

    # ── hours ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _hour(self, place: int) -> None:
        fed, detector = self._fed, self._detector
        hour, at = int(fed.hour[place]), int(fed.at[place])
        since, until = begins(fed, place), at + HOUR_MS
        if self._markers.relearns(since, until) or any(since <= changed < until for changed in fed.changed):
            self._afresh(place, "announced")
        if detector is None or self._skipped[place]:
            return
        detector.update(hour, float(fed.v[place]), float(fed.n[place]))
        if self._trace:
            self._note(place, detector)
        self._tell(place, detector)
        if self._open is not None and at - self._open.found >= USUAL_AFTER_DAYS * 24 * HOUR_MS:
            self._afresh(place, "usual")

    def _afresh(self, place: int, ended: Ended) -> None:
        """What was usual is no longer."""
        self._relearned = int(self._fed.hour[place]) // 24
        if self._open is not None:
            self._state("over", place, ended)
        if self._detector is not None:
            self._detector.relearn(int(self._fed.hour[place]))

    def _tell(self, place: int, detector: Detector) -> None:
        """States of signals that this hour made."""
        if self._open is not None and detector.alarm != self._open.side:
            self._state("over", place, "recovered")
        if detector.alarm and self._open is None:
            onset = self._at(int(detector.leading().onset), place)
            name = signal_id(self._organisation, self._stream.channel, self._stream.name, detector.alarm, onset)
            self._open = _Open(name, -1, detector.alarm, onset, int(self._fed.at[place]), [])
            self._state("found", place)
            self._out.passed[self._out.states[-1].at] = detector.passed
        elif self._open is not None and detector.grown:
            since = self._at(detector.grown_since(), place)
            more = self._told(self._open.onset, place + 1).n - self._open.n
            if more >= self._least and self._told(since, place + 1).n >= self._least:
                self._state("grown", place, since=since)

    def _at(self, hour: int, place: int) -> int:
        """The beginning (ms) of the first hour that was fed from a local hour on, at the latest that of `place`."""
        return int(self._fed.at[min(int(np.searchsorted(self._fed.hour, hour)), place)])

    def _told(self, onset: int, end: int) -> Told:
        """What the hours from an onset (ms) up to a place, `end` not included, tell."""
        assert self._detector is not None
        first = int(np.searchsorted(self._fed.at, onset))
        chosen = np.flatnonzero(~self._skipped[first:end]) + first
        return told_of(self._detector.baseline, self._detector.level, self._detector.info, self._fed, chosen)

    def _anything(self, onset: int, end: int) -> bool:
        """Whether any hour from an onset (ms) up to a place counts: a marker that was set long afterwards may leave out all of them."""
        return not self._skipped[int(np.searchsorted(self._fed.at, onset)) : end].all()

    def _state(self, state: State, place: int, ended: Ended = "", since: int | None = None) -> None:
        """Tell a state: found, from its onset; grown, from when it grew (`since`, ms); over, as it was before the recovery began."""
        assert self._open is not None
        assert self._detector is not None
        fed, signal, detector = self._fed, self._open, self._detector
        lasted = detector.recovering_from if detector.alarm == signal.side else detector.lasted_until
        end = place + 1 if state != "over" else int(np.searchsorted(fed.hour[: place + 1], lasted))
        whole = self._told(signal.onset, end) if self._anything(signal.onset, end) else Told._make(signal.told)
        if state == "over" and abs(whole.n - signal.n) < self._least:
            whole = Told._make(signal.told)
        onset, told = (signal.onset, whole) if since is None else (since, self._told(since, end))
        if self._least:
            told = told.coarse(self._least)
        signal.sequence += 1
        signal.told = list(whole)
        if state != "over":
            detector.told()
        at = int(fed.at[place]) + HOUR_MS
        self._out.states.append(
            Signal(
                self._organisation, signal.id, signal.sequence, state, self._stream.channel, self._stream.name, self._stream.shown,
                self._stream.kind, signal.side, at, onset, *told, announce=self._now_ms - at <= BACKFILL_MS, ended=ended,
            )
        )  # fmt: skip
        if state == "over":
            self._past.append((signal.found, signal.onset, at))
            self._open = None

    def _note(self, place: int, detector: Detector) -> None:
        fed = self._fed
        expected = detector.expected(int(fed.hour[place]))
        self._out.points.append(Point(int(fed.at[place]), float(fed.v[place]), float(fed.n[place]), expected, *detector.statistic()))
