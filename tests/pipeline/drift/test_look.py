"""One look at an organisation: which streams it watches with what budget, how they stand, and what it asks of a channel's parts."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from pipeline.drift.contributors import Part
from pipeline.drift.history import HISTORY_DAYS, LEARNING_DAYS
from pipeline.drift.hours import GradeCount, Hours
from pipeline.drift.look import Known, Looked, active_streams, look, spans, with_grades
from pipeline.drift.pause import Announced
from pipeline.drift.signal import Signal
from pipeline.drift.streams import HOUR_MS, Fed, Stream, streams_of
from schemas.organisation import Organisation
from tests.pipeline.builders import ms, norm, organisation

FIRST = ms("2026-03-02T00:00") // HOUR_MS
"""A Monday; the clocks go forward four weeks later."""
DAY = 24
TOWN = organisation(
    norm(), norm(id="2wd", clock="working-days", threshold="2wd", start="opened", stop="closed"), closing_days={"public_holidays": "none"}
)


def local(day: int, hour: int) -> int:
    """An hour of the clock in Amsterdam, as an hour since 1970."""
    return ms(f"{date(2026, 3, 2) + timedelta(days=day)}T{hour:02}:00") // HOUR_MS


@cache
def sums(days: int, low_from: int = 10_000, seed: int = 1) -> dict[tuple[str, str], Hours]:
    """Calls of office hours, with their waits, a norm on them and one by days that drops from a day on, and answers by e-mail."""
    rng = np.random.default_rng(seed)
    hours = np.array([local(day, hour) for day in range(days) if day % 7 < 5 for hour in range(9, 17)], np.int64)
    day = (hours - FIRST) // DAY
    n = rng.poisson(20, len(hours)).astype(np.int64) + 1
    waits = rng.normal(3.5, 1 / np.sqrt(n))
    within = rng.binomial(n, np.where(day >= low_from, 0.4, 0.8))
    midnights = np.array([local(one, 23) for one in range(days) if one % 7 < 5], np.int64)
    judged = rng.poisson(60, len(midnights)).astype(np.int64) + 1
    ended = rng.binomial(judged, np.where((midnights - FIRST) // DAY >= low_from, 0.4, 0.8))

    def column(at: Any, count: Any, total: Any) -> Hours:
        return Hours(at, count, np.asarray(total, np.int64), np.asarray(total, float))

    return {
        ("telephone", "volume"): column(hours, n, 0 * n),
        ("telephone", "wait_log"): column(hours, n, np.round(waits * n * 1e6)),
        ("telephone", "norm:n"): column(hours, n, within),
        ("telephone", "norm:2wd"): column(midnights, judged, ended),
        ("email", "answer:na-contact:2:overall"): column(hours, n, np.round(rng.normal(6.0, 1 / np.sqrt(n)) * n * 1000)),
    }


def known(days: int, low_from: int = 10_000, **fields: Any) -> Known:
    return Known(FIRST + days * DAY, sums(days, low_from), {}, **fields)


def at(days: float) -> int:
    return round((FIRST + days * DAY) * HOUR_MS)


def looked(days: int, low_from: int = 10_000, town: Organisation = TOWN, **fields: Any) -> Looked:
    return look(town, known(days, low_from, **fields), at(days))


def test_the_budget_is_divided_over_the_streams_that_are_active() -> None:
    found = {(one.channel, one.stream): one.budget for one in looked(40).watches}
    assert found == {
        ("telephone", "volume"): 0.25, ("telephone", "wait"): 0.25, ("telephone", "norm:n"): 0.25, ("telephone", "norm:2wd"): 0.25,
        ("email", "answer:na-contact:overall"): 1.0,
    }  # fmt: skip
    own = TOWN.model_copy(update={"channels": {**TOWN.channels, "email": TOWN.channels["email"].model_copy(update={"drift_budget": 3.0})}})
    assert {one.budget for one in looked(40, town=own).watches if one.channel == "email"} == {3.0}


def test_streams_without_anything_are_not_watched() -> None:
    found = active_streams(TOWN, {("email", "volume"): sums(40)["telephone", "volume"]}, lambda _: FIRST + 40 * DAY)
    assert [(stream.channel, stream.name) for stream, _ in found] == [("email", "volume")]
    assert active_streams(TOWN, sums(40), lambda _: FIRST) == []


def test_new_streams_say_until_when_they_learn() -> None:
    for one in looked(20).watches:
        assert one.status == "learning"
        assert one.watches_from is not None
        assert at(LEARNING_DAYS) - 2 * HOUR_MS <= one.watches_from <= at(LEARNING_DAYS) + 2 * HOUR_MS, "the clocks go forward meanwhile"
        assert str(LEARNING_DAYS) in one.reason


def test_learnt_they_watch() -> None:
    found = looked(45)
    assert found.states == []
    assert {one.status for one in found.watches} == {"watching"}
    assert {one.until for one in found.watches} == {at(45)}
    assert {one.reason for one in found.watches} == {""}
    assert {key: len(several) for key, several in found.checkpoints.items()}["telephone", "wait"] == 33


def test_what_drifts_is_told_with_a_question_to_its_parts() -> None:
    found = looked(52, low_from=44)
    told = {one.stream: one for one in found.states if one.state == "found"}
    assert set(told) == {"norm:n", "norm:2wd"}
    standing = {one.stream: one for one in found.watches}
    assert {name for name, one in standing.items() if one.status == "drifting"} == set(told)
    for name, signal in told.items():
        assert at(37) <= signal.onset < signal.at < at(50)
        assert signal.side == -1
        assert signal.worse
        assert standing[name].since == signal.at - HOUR_MS
        question = found.questions[signal.id, 0]
        assert (question.measure, question.before[1], question.before[1] - question.before[0]) == (
            name,
            question.after[0],
            HISTORY_DAYS * DAY,
        )
    hourly, daily = (found.questions[told[name].id, 0] for name in ("norm:n", "norm:2wd"))
    assert hourly.after == (told["norm:n"].onset // HOUR_MS, told["norm:n"].at // HOUR_MS)
    verdicts = sums(52, 44)["telephone", "norm:2wd"]
    inside = (verdicts.hour >= daily.after[0]) & (verdicts.hour < daily.after[1])
    assert int(verdicts.n[inside].sum()) == told["norm:2wd"].n, "the parts are asked of the very verdicts that are told"


def test_an_answer_names_who_contributes() -> None:
    found = looked(52, low_from=44)
    question = next(one for one in found.questions.values() if one.measure == "norm:n")
    parts = {"team": [Part("Burgerzaken", 3000, 2400, 150, 30), Part("Belastingen", 3000, 2400, 150, 120)]}
    answered = question.answered(parts, small_cell=5)  # type: ignore[arg-type]
    assert [(one.dimension, one.name) for one in answered.contributors] == [("team", "Burgerzaken")]
    assert replace(answered, contributors=()) == question.signal


def test_what_was_over_long_ago_is_asked_nothing() -> None:
    found = looked(52, low_from=44)
    later = look(TOWN, known(52, signals=found.states), at(52))
    assert [(one.state, one.ended) for one in later.states] == [("over", "revised")] * 2
    assert later.questions == {}


def test_a_second_look_writes_nothing() -> None:
    found = looked(52, low_from=44)
    again = looked(52, low_from=44, signals=found.states, checkpoints=found.checkpoints)
    assert again.states == []
    assert again.watches == found.watches


def test_after_a_marker_they_are_silent() -> None:
    found = {(one.channel, one.stream): one for one in looked(45, markers=[Announced("initiative", at(44), None, ("telephone",))]).watches}
    assert {channel: one.status for (channel, _), one in found.items()} == {"telephone": "silent", "email": "watching"}
    assert {one.watches_from for (channel, _), one in found.items() if channel == "telephone"} == {None}


def test_without_a_sign_of_life_nothing_is_known() -> None:
    """The data end on a Friday evening: unknown from Monday on, but not in the weekend."""
    for now, status in ((at(47.4), "watching"), (at(49.3), "watching"), (at(50), "unknown")):
        found = look(TOWN, replace(known(47), until=FIRST + 46 * DAY + 18), now)
        assert {one.status for one in found.watches if one.channel == "telephone"} == {status}
        assert found.states == []


def test_a_channel_of_which_less_is_known_is_fed_less() -> None:
    found = look(TOWN, known(52, 44, ends={"telephone": FIRST + 45 * DAY}), at(52))
    assert {one.channel: one.until for one in found.watches} == {"telephone": at(45), "email": at(52)}
    assert not any(one.at > at(45) for one in found.states)


def test_a_channel_that_is_far_behind_is_not_run_again_from_the_beginning() -> None:
    """Its connector has been dead for seven weeks, the others live."""
    found = look(TOWN, known(50), at(50))
    behind = replace(known(50), until=FIRST + 100 * DAY, ends=dict.fromkeys(TOWN.channels, FIRST + 50 * DAY))
    again = look(TOWN, replace(behind, signals=found.states, checkpoints=found.checkpoints), at(100))
    assert not any(again.checkpoints.values())
    assert again.states == []


def test_grades_are_those_of_the_hours_each_on_its_own_scale() -> None:
    (stream,) = [one for one in streams_of(TOWN) if one.channel == "email" and one.kind == "grade"]
    empty = Fed(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    first, second = (("email", f"answer:na-contact:{version}:overall") for version in (1, 2))
    counts = {first: [GradeCount(5, 7.0, 3)], second: [GradeCount(6, 0.0, 2), GradeCount(7, 8.0, 5)]}
    given = with_grades(stream, empty, counts).grades
    assert given is not None
    assert given.given(np.array([5, 7]) * HOUR_MS) == [(7.0, 3.0), (10.0, 5.0)]
    assert given.given(np.array([6]) * HOUR_MS) == [(1.0, 2.0)]
    assert with_grades(Stream("email", "wait", "time", ("wait_log",)), empty, counts).grades is None


def test_spans_of_signals() -> None:
    found = looked(52, low_from=44).states[0]
    over = replace(found, sequence=1, state="over", at=at(60), onset=at(43), ended="recovered")
    assert spans([found]) == [(found.at - HOUR_MS, found.onset, None)]
    assert spans([over, found]) == [(found.at - HOUR_MS, at(43), at(60))]
    assert spans([found, replace(over, ended="revised")]) == [], "there was nothing: its hours are as usual"


WORSE = [("grade", -1, True), ("compliance", 1, False), ("time", 1, True), ("time", -1, False), ("volume", -1, True), ("volume", 1, True)]


@pytest.mark.parametrize(("kind", "side", "worse"), WORSE)
def test_what_should_concern_somebody(kind: Any, side: int, worse: bool) -> None:
    one: Signal = looked(52, low_from=44).states[0]
    assert replace(one, kind=kind, side=side).worse is worse
