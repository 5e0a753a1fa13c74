"""The watch over one stream: however often it is run and whatever came late, it tells the same; and what it tells adds up."""

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.drift.baseline import HOURS, Baseline
from pipeline.drift.checkpoint import SOFTWARE, Checkpoint
from pipeline.drift.history import LEARNING_DAYS
from pipeline.drift.kinds import KINDS, Name
from pipeline.drift.look import spans
from pipeline.drift.pause import Announced, Markers
from pipeline.drift.reconcile import reconciled
from pipeline.drift.signal import Signal, signal_id
from pipeline.drift.streams import HOUR_MS, Fed, Grades, Stream
from pipeline.drift.watch import BACKFILL_MS, USUAL_AFTER_DAYS, Run, Watched
from tests.pipeline.drift.simulated import GRADES, LEVELS, open_hours, world

FIRST = 2930 * 7
"""Monday 2 March 2026, in days since Monday 5 January 1970."""
DAY_MS = 24 * HOUR_MS
TO_EPOCH = 96
NAMES: dict[Name, str] = {"grade": "answer:q:o", "compliance": "norm:n", "time": "wait", "volume": "volume"}
STREAMS = {kind: Stream("telephone", name, kind, (name,)) for kind, name in NAMES.items()}
SIZE: dict[Name, float] = {"grade": -1.5, "compliance": -1.2, "time": 0.5, "volume": 0.7}
NOTHING = Markers()
LEAST = 5


def fed_of(kind: Name, days: int, changes: Sequence[tuple[int, int, float]] = (), seed: int = 5, n: float = 12) -> Fed:
    """Open hours of so many days; changes: (first day, end day, shift)."""
    hours = open_hours(days, FIRST)
    day = hours // 24 - FIRST
    shift = np.zeros(len(hours))
    for first, end, size in changes:
        shift[(day >= first) & (day < end)] = size
    sums = world(kind, hours, np.random.default_rng(seed), n=n, shift=shift, pattern=np.full(HOURS, LEVELS[kind]))
    at = (hours + TO_EPOCH) * HOUR_MS
    values, counts = (np.tile([pair[number] for pair in GRADES], len(at)) for number in range(2))
    grades = Grades(np.repeat(at, len(GRADES)), values, counts.astype(np.float64)) if kind == "grade" else None
    return Fed(hours, at, sums.v, sums.n, grades=grades)


def day_ms(day: float) -> int:
    """The beginning of a day of the world, in ms."""
    return round(((FIRST + day) * 24 + TO_EPOCH) * HOUR_MS)


def run(
    kind: Name, fed: Fed, markers: Markers = NOTHING, checkpoints: Sequence[Checkpoint] = (), stored: Sequence[Signal] = (), now: int = 0
) -> Watched:
    one = Run("o", STREAMS[kind], fed, markers, 0.25, now, LEAST, spans(stored))
    return one.from_checkpoints(checkpoints)


class Store:
    """What is kept between looks."""

    def __init__(self, kind: Name) -> None:
        self.kind = kind
        self.checkpoints: dict[int, Checkpoint] = {}
        self.signals: dict[tuple[str, int], Signal] = {}

    def look(self, fed: Fed, markers: Markers = NOTHING, now: int = 0) -> tuple[Watched, list[Signal]]:
        """One look; what it wrote."""
        found = run(self.kind, fed, markers, [self.checkpoints[day] for day in sorted(self.checkpoints)], self.states(), now)
        written = reconciled(found.states, self.states(), found.began, int(fed.at[-1]) // HOUR_MS * HOUR_MS + HOUR_MS)
        self.signals |= {(one.id, one.sequence): one for one in written}
        self.checkpoints |= {one.day: one for one in found.checkpoints}
        return found, written

    def states(self) -> list[Signal]:
        return sorted(self.signals.values(), key=lambda one: (one.at, one.id, one.sequence))


CHANGES = {kind: ((50, 75, SIZE[kind]), (95, 101, -2 * SIZE[kind])) for kind in KINDS}
DAYS = 126


@cache
def scratch(kind: Name) -> tuple[Fed, Watched]:
    """A world with two changes, and what a run over all of it finds."""
    fed = fed_of(kind, DAYS, CHANGES[kind])
    return fed, run(kind, fed)


def in_order(states: Sequence[Signal]) -> list[Signal]:
    return sorted(states, key=lambda one: (one.at, one.id, one.sequence))


# ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_two_changes_are_found_and_over(kind: Name) -> None:
    _, watched = scratch(kind)
    by_id: dict[str, list[Signal]] = {}
    for one in watched.states:
        by_id.setdefault(one.id, []).append(one)
    assert len(by_id) == 2
    for several, (first, end, size) in zip(by_id.values(), CHANGES[kind], strict=True):
        assert [one.sequence for one in several] == list(range(len(several)))
        assert [one.state for one in several] == ["found", *["grown"] * (len(several) - 2), "over"]
        assert [one.ended for one in several] == [""] * (len(several) - 1) + ["recovered"]
        assert {one.side for one in several} == {int(math.copysign(1, size))}
        assert {one.onset for one in several} == {several[0].onset}
        assert several[0].id == signal_id("o", "telephone", STREAMS[kind].name, several[0].side, several[0].onset)
        assert day_ms(first - 4) <= several[0].onset <= day_ms(first + 3)
        assert day_ms(first) < several[0].at <= day_ms(first + 12)
        assert day_ms(end) < several[-1].at <= day_ms(end + 21)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_is_recomputed_from_the_sums(kind: Name) -> None:
    fed, watched = scratch(kind)
    for one in watched.states:
        if one.state == "over":
            continue
        baseline, level = baseline_at(watched, one.at), level_at(kind, fed, one.at)
        chosen = (fed.at >= one.onset) & (fed.at < one.at)
        m = np.array(baseline.cells)[fed.hour[chosen] % HOURS] + level
        v, n = fed.v[chosen], fed.n[chosen]
        if kind == "volume":
            assert one.n == int(v.sum())
            assert [one.value, one.usual] == [pytest.approx(v.mean()), pytest.approx(np.exp(m).mean())]
            assert one.size == pytest.approx((v.sum() + 0.5) / (np.exp(m).sum() + 0.5))
        else:
            expected = 1 / (1 + np.exp(-m)) if kind == "compliance" else m
            value, usual = float((v * n).sum() / n.sum()), float((expected * n).sum() / n.sum())
            if kind == "time":
                assert (one.value, one.usual, one.size) == pytest.approx((math.exp(value), math.exp(usual), math.exp(value - usual)))
            else:
                assert (one.value, one.usual, one.size) == pytest.approx(
                    (value, usual, value - usual), abs=0.0501 if kind == "grade" else 1e-9
                )
            assert 0 <= int(n.sum()) - one.n < (LEAST if kind == "grade" else 1)


def baseline_at(watched: Watched, at: int) -> Baseline:
    """The baseline in force at a moment."""
    return Baseline.of(
        json.loads([one for one in watched.checkpoints if (one.day - 4) * 24 * HOUR_MS + TO_EPOCH * HOUR_MS < at][-1].baseline)
    )


def level_at(kind: Name, fed: Fed, at: int) -> float:
    """What the level was off from the baseline then, by a run that ends there."""
    found = run(kind, fed.slice(0, int(np.searchsorted(fed.at, at))))
    assert found.detector is not None
    return found.detector.level


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_what_was_planted(kind: Name) -> None:
    _, watched = scratch(kind)
    planted = CHANGES[kind][0][2]
    for one in watched.states:
        assert one.low <= one.size <= one.high
        assert one.low < one.high
    last = [one for one in watched.states if one.onset < day_ms(90) and one.state == "over"][-1]
    truth = {"grade": planted, "time": math.exp(planted), "volume": math.exp(planted)}
    if kind == "compliance":
        truth[kind] = 1 / (1 + math.exp(-LEVELS[kind] - planted)) - 1 / (1 + math.exp(-LEVELS[kind]))
    room = last.high - last.low
    assert last.low - room / 4 <= truth[kind] <= last.high + room / 4
    assert room < 2 * abs(truth[kind] - (1 if kind in ("time", "volume") else 0)), "it is known by then"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_over_is_told_as_it_was_before_the_recovery(kind: Name) -> None:
    fed, watched = scratch(kind)
    over = next(one for one in watched.states if one.state == "over")
    before = (fed.at >= over.onset) & (fed.at < day_ms(75))
    all_of_it = float(fed.v[before].sum() if kind == "volume" else fed.n[before].sum())
    assert over.n == pytest.approx(all_of_it, rel=0.25)


def test_a_change_that_grows_is_told_again() -> None:
    fed = fed_of("compliance", 90, [(50, 62, -0.5), (62, 90, -2.5)], n=30)
    states = run("compliance", fed).states
    assert [one.state for one in states][:2] == ["found", "grown"]
    assert abs(states[1].size) > abs(states[0].size)
    assert states[1].at > day_ms(62)


def test_few_grades_between_two_states_are_not_told() -> None:
    """Their difference would tell single answers."""
    fed = fed_of("grade", 100, [(50, 57, -1.2), (57, 90, -4.0)], n=1)
    told = list(run("grade", fed).states)
    assert told
    whole = [one for one in told if one.state != "grown"]
    assert all(
        later.n == earlier.n or later.n - earlier.n >= LEAST for earlier, later in itertools.pairwise(whole) if earlier.id == later.id
    )
    assert all(one.n >= LEAST for one in told if one.state == "grown")


def test_a_change_to_the_other_side_ends_the_first() -> None:
    fed = fed_of("time", 80, [(50, 60, 0.8), (60, 80, -0.8)])
    first, *_, last = (states := run("time", fed).states)
    assert (first.side, last.side) == (1, -1)
    over = next(one for one in states if one.state == "over")
    assert over.id == first.id
    assert over.size > 1.5, "what it was, and not what it became"
    assert len({one.id for one in states}) == 2


def test_what_was_found_long_ago_is_not_announced() -> None:
    fed, watched = scratch("time")
    found = watched.states[0].at
    for now, announced in ((found, True), (found + BACKFILL_MS, True), (found + BACKFILL_MS + 1, False)):
        assert run("time", fed, now=now).states[0].announce is announced


# ── learning ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_for_four_weeks(kind: Name) -> None:
    fed = fed_of(kind, 40)
    for days in range(1, 40):
        found = run(kind, fed.slice(0, int(np.searchsorted(fed.at, day_ms(days)))))
        # The last day fed is the last working day before `days`: the watch begins with the first day after four weeks.
        assert (found.detector is not None) == (days > LEARNING_DAYS)
        assert found.watches_from is not None
        assert day_ms(LEARNING_DAYS) <= found.watches_from < day_ms(LEARNING_DAYS + 1)


def test_nothing_is_told_while_it_learns() -> None:
    assert run("volume", fed_of("volume", 28, [(10, 20, 2.0)])).states == []


def test_since_when_it_watches_does_not_depend_on_the_look() -> None:
    fed, watched = scratch("time")
    store = Store("time")
    for cut in (150, 400, 401, len(fed)):
        found, _ = store.look(fed.slice(0, cut))
        assert found.watches_from == watched.watches_from


def test_a_change_that_lasts_is_what_is_usual() -> None:
    fed = fed_of("compliance", 230, [(50, 230, -1.2)])
    states = run("compliance", fed).states
    assert states[-1].state == "over"
    assert states[-1].ended == "usual"
    waited = states[-1].at - states[0].at
    assert USUAL_AFTER_DAYS * DAY_MS <= waited <= (USUAL_AFTER_DAYS + 4) * DAY_MS
    assert len({one.id for one in states}) == 1, "the new level is no change"


# ── markers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", [50.0, 50 + 10.5 / 24, 49.9])
def test_an_announced_change_is_no_signal(kind: Name, moment: float) -> None:
    """At night before it, or in the course of a day: the hour in which it falls counts as changed."""
    change = (50, 126, 2 * SIZE[kind])
    markers = Markers.of([Announced("announced_change", day_ms(moment))], "telephone", kind)
    fed = fed_of(kind, DAYS, [change])
    late = fed.at < day_ms(moment) - HOUR_MS
    usual = fed_of(kind, DAYS)
    fed = replace(fed, v=np.where(late, usual.v, fed.v), n=np.where(late, usual.n, fed.n))
    watched = run(kind, fed, markers)
    assert watched.states == []
    assert not watched.silent
    assert run(kind, fed).states, "unannounced it is one"


def test_a_marker_ends_what_was_found() -> None:
    markers = Markers.of([Announced("reorganisation", day_ms(60))], "telephone", "time")
    watched = run("time", fed_of("time", 80, [(50, 80, 0.5)]), markers)
    assert [one.state for one in watched.states][-1] == "over"
    assert watched.states[-1].ended == "announced"
    assert day_ms(60) < watched.states[-1].at <= day_ms(61)


def test_after_a_marker_the_old_level_is_a_change() -> None:
    markers = Markers.of([Announced("initiative", day_ms(50))], "telephone", "time")
    states = run("time", fed_of("time", DAYS, [(50, 100, 0.6)]), markers).states
    assert states[0].side == -1
    assert states[0].at > day_ms(100)


def test_what_a_span_covers_is_left_out() -> None:
    """An outage that was announced is neither found nor learned."""
    fed = fed_of("volume", 80, [(50, 52, -9.0)])
    outage = Markers.of([Announced("outage", day_ms(50), day_ms(52), ("telephone",))], "telephone", "volume")
    assert run("volume", fed, outage).states == []
    assert run("volume", fed).states
    elsewhere = Markers.of([Announced("outage", day_ms(50), day_ms(52), ("email",))], "telephone", "volume")
    assert run("volume", fed, elsewhere).states == run("volume", fed).states


def test_a_span_set_too_late_over_all_of_a_signal_lets_it_end_as_it_was_told() -> None:
    """It was found longer ago than checkpoints go back, so that it is not looked for again."""
    fed = fed_of("time", 110, [(50, 200, SIZE["time"])])
    watched = run("time", fed)
    (found,) = watched.states
    kept = [one for one in watched.checkpoints if (one.day - 20) * DAY_MS > found.at]
    late = Markers(moments=(day_ms(107),), spans=((day_ms(45), None),))
    (over,) = run("time", fed, late, kept, watched.states).states
    assert (over.state, over.ended, over.n, over.size) == ("over", "announced", found.n, found.size)


def test_a_span_without_an_end_is_silent() -> None:
    markers = Markers.of([Announced("outage", day_ms(50))], "telephone", "volume")
    watched = run("volume", fed_of("volume", 80, [(50, 80, -9.0)]), markers)
    assert watched.states == []
    assert watched.silent


@pytest.mark.parametrize("moment", [50.0, 49.3, 50 + 10.5 / 24, 51 + 20 / 24])
@pytest.mark.parametrize("kind", ["announced_change", "maintenance"])
def test_a_marker_set_afterwards_or_cancelled_makes_it_run_again(kind: str, moment: float) -> None:
    fed = fed_of("time", 70, [(50, 70, 0.9)])
    one = Announced(kind, day_ms(moment), day_ms(moment + 6) if kind == "maintenance" else None)
    markers = Markers.of([one], "telephone", "time")
    early, late = (int(np.searchsorted(fed.at, day_ms(day))) for day in (54.5, 57.5))
    for before, after in ((NOTHING, markers), (markers, NOTHING)):
        store = Store("time")
        store.look(fed.slice(0, early), before)
        store.look(fed.slice(0, late), after)
        assert store.checkpoints == {one.day: one for one in run("time", fed.slice(0, late), after).checkpoints}


# ── runs from checkpoints ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
@settings(max_examples=8)
def test_from_checkpoints_it_finds_the_same(kind: Name, data: st.DataObject) -> None:
    fed, whole = scratch(kind)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(fed)), max_size=6)) | {len(fed)})
    store = Store(kind)
    for cut in cuts:
        store.look(fed.slice(0, cut))
    assert store.states() == in_order(whole.states)
    assert store.checkpoints == {one.day: one for one in whole.checkpoints}
    assert store.look(fed)[1] == [], "looking again writes nothing"


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
@settings(max_examples=8)
def test_late_data_make_it_run_again_from_their_day(kind: Name, data: st.DataObject) -> None:
    """Where nothing had been told before, the end is as if they had been there from the start."""
    fed, whole = scratch(kind)
    cut = data.draw(st.integers(300, len(fed)))
    places = data.draw(st.sets(st.integers(max(0, cut - 120), cut - 1), min_size=1, max_size=4))
    early = without(kind, fed, sorted(places)).slice(0, cut if kind == "volume" else cut - len(places))
    if not len(early):
        return
    store = Store(kind)
    store.look(early)
    told_before = dict(store.signals)
    store.look(fed)
    assert store.checkpoints.items() >= {one.day: one for one in whole.checkpoints}.items()
    stale = set(store.checkpoints) - {one.day for one in whole.checkpoints}
    assert not stale
    if not told_before:
        assert store.states() == in_order(whole.states)
    assert {name: one.side for name, one in told_before.items()}.items() <= {name: one.side for name, one in store.signals.items()}.items()
    mine, theirs = endings(store.states()), endings(whole.states)
    assert set(theirs.values()) <= set(mine.values()), "every change is told"
    extra = {name for name, one in mine.items() if one not in theirs.values()}
    assert extra <= {one.id for one in told_before.values()}, "and of others only those that had been told"
    assert all(mine[name][2] for name in extra), "which are over"
    assert store.look(fed)[1] == []


def endings(states: Sequence[Signal]) -> dict[str, tuple[int, int, str]]:
    """How each signal stands: side, when it was last heard of, why it is over."""
    last = {one.id: one for one in sorted(states, key=lambda one: one.sequence)}
    return {name: (one.side, one.at, one.ended) for name, one in last.items()}


def without(kind: Name, fed: Fed, places: Sequence[int]) -> Fed:
    """As if the sums at some places had not come yet: of volumes noughts, of others no hours at all."""
    if kind == "volume":
        v = fed.v.copy()
        v[list(places)] = 0
        return replace(fed, v=v)
    kept = np.ones(len(fed), dtype=bool)
    kept[list(places)] = False
    return replace(fed, hour=fed.hour[kept], at=fed.at[kept], v=fed.v[kept], n=fed.n[kept])


def test_only_the_days_since_are_run_again() -> None:
    fed, _ = scratch("time")
    store = Store("time")
    place = int(np.searchsorted(fed.at, day_ms(113)))  # a Wednesday
    store.look(without("time", fed, [place + 2]))
    found, _ = store.look(fed)
    assert found.began == day_ms(113) + 8 * HOUR_MS
    assert next(one.day for one in found.checkpoints) == FIRST + 114 + 4


def test_a_day_that_is_taken_back_leaves_the_rest_as_it_would_be() -> None:
    """Its only answers were forgotten."""
    fed = fed_of("grade", 100, [(60, 100, -1.5)])
    gone = np.flatnonzero(fed.hour // 24 == FIRST + 78)
    without_it = without("grade", fed, gone.tolist())
    store = Store("grade")
    store.look(fed)
    store.look(without_it)
    whole = run("grade", without_it)
    for one in whole.checkpoints:
        assert store.checkpoints[one.day]._replace(digest="") == one._replace(digest="")
    assert store.look(without_it)[0].began >= day_ms(98), "and it is not run again each time"


def test_a_signal_stands_when_the_day_of_the_last_checkpoint_loses_its_hours() -> None:
    """The only contacts of today are forgotten, or less of the channel is known than before: that takes no ground from what was found."""
    fed = fed_of("time", 66, [(50, 100, SIZE["time"])])
    store = Store("time")
    store.look(fed)
    assert [one.state for one in store.states()][:1] == ["found"]
    before = fed.slice(0, int(np.searchsorted(fed.hour // 24, fed.hour[-1] // 24)))
    assert store.look(before)[1] == []


def test_checkpoints_of_other_software_are_not_gone_on_from() -> None:
    fed, whole = scratch("time")
    others = [one._replace(software=SOFTWARE + 1) for one in whole.checkpoints]
    again = run("time", fed, checkpoints=others)
    assert again.began == int(fed.at[0])
    assert again.states == whole.states


def test_without_anything_there_is_nothing() -> None:
    fed, _ = scratch("time")
    watched = run("time", fed.slice(0, 0))
    assert (watched.states, watched.checkpoints, watched.detector) == ([], [], None)


# ── late data that move what was told ───────────────────────────────────────────────────────────────────────────────


def moved() -> tuple[Fed, Fed, int]:
    """Waits that begin to rise on day 50; the same with the first days of the rise not in yet; where day 59 begins."""
    fed = fed_of("time", 90, [(50, 63, 0.6)])
    first, some = (int(np.searchsorted(fed.at, day_ms(day))) for day in (50, 53))
    early = without("time", fed, range(first, some))
    return fed, early, int(np.searchsorted(fed.at, day_ms(59)))


def test_a_moved_onset_keeps_its_id_to_the_end() -> None:
    fed, early, cut = moved()
    store = Store("time")
    store.look(early.slice(0, cut - (len(fed) - len(early))))
    (told,) = [one for one in store.states() if one.state == "found"]
    store.look(fed.slice(0, cut))
    assert {one.id for one in store.states()} == {told.id}
    assert store.states()[0].onset < told.onset
    for end in range(cut, len(fed), 20):
        store.look(fed.slice(0, end))
    store.look(fed)
    assert {one.id for one in store.states()} == {told.id}
    assert (store.states()[-1].state, store.states()[-1].ended) == ("over", "recovered")


def test_what_late_data_take_the_ground_from_is_over_once() -> None:
    usual, risen = fed_of("compliance", 90), fed_of("compliance", 90, [(70, 90, -1.5)])
    cut = int(np.searchsorted(usual.at, day_ms(77)))
    store = Store("compliance")
    store.look(risen.slice(0, cut))
    assert next(one.state for one in store.states()) == "found"
    _, written = store.look(usual.slice(0, cut))
    assert [(one.state, one.ended) for one in written] == [("over", "revised")]
    assert store.look(usual.slice(0, cut))[1] == []
    assert store.look(usual)[1] == []
    assert run("compliance", usual).checkpoints[-1] == store.checkpoints[max(store.checkpoints)]
