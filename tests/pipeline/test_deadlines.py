"""How suspensions and extensions move each clock's deadline, what they do to the verdict, and what a clock shows at the stop."""

from typing import Any

import pytest

from pipeline.contacts import EventTuple
from pipeline.deadlines import LAST_DEADLINE
from pipeline.norms import Judge, Outcome
from tests.pipeline.builders import HOUR, MINUTE, NINE, SECOND, event, ms, norm, organisation, timeline

ELAPSED = {"clock": "elapsed", "threshold": "1h"}
OPEN = {"clock": "opening-hours", "threshold": "4h"}
WORKING = {"clock": "working-days", "threshold": "3wd"}
TERM = {"clock": "statutory-term", "threshold": "2w"}
GIVEN = {"clock": "given", "threshold": None}


def at(text: str) -> int:
    """`09 12:00` of March 2026; 2 March is a Monday."""
    return ms(f"2026-03-{text.replace(' ', 'T')}")


def paused(text: str) -> EventTuple:
    return event("paused", at(text))


def resumed(text: str) -> EventTuple:
    return event("resumed", at(text))


def extended(text: str, due: str, **data: Any) -> EventTuple:
    return event("extended", at(text), due_at=at(due), **data)


def closed(text: str) -> EventTuple:
    return event("closed", at(text))


def judged(fields: dict[str, Any], *events: EventTuple, opened: str = "02 09:00", **data: Any) -> Outcome:
    """The outcome of a contact opened on Monday at nine, open for 8:30-17:00 on weekdays."""
    judge = Judge(organisation(norm(**{"start": "opened", "stop": "closed", **fields})))
    (outcome,) = judge(timeline(event("opened", at(opened), channel="telephone", **data), *events))
    return outcome


MOVED: dict[str, tuple[dict[str, Any], list[EventTuple], str]] = {
    "elapsed": (ELAPSED, [paused("02 09:10"), resumed("02 09:30")], "02 10:20:00"),
    "paused twice without a resumption": (ELAPSED, [paused("02 09:10"), paused("02 09:20"), resumed("02 09:30")], "02 10:20:00"),
    "two pauses": (
        ELAPSED, [paused("02 09:10"), resumed("02 09:20"), paused("02 09:30"), resumed("02 09:45")], "02 10:25:00",
    ),
    "resumed without a pause": (ELAPSED, [resumed("02 09:30")], "02 10:00:00"),
    "paused before the start": (ELAPSED, [paused("02 08:00"), resumed("02 09:30")], "02 10:30:00"),
    "paused and resumed before the start": (ELAPSED, [paused("02 08:00"), resumed("02 08:30")], "02 10:00:00"),
    "paused at the deadline": (ELAPSED, [paused("02 10:00"), resumed("02 11:00")], "02 11:00:00"),
    "paused after the deadline": (ELAPSED, [paused("02 10:00:00.001"), resumed("02 11:00")], "02 10:00:00"),
    "suspension is off": (ELAPSED | {"suspension": False}, [paused("02 09:10"), resumed("02 09:30")], "02 10:00:00"),
    "a close ends a pause": (ELAPSED, [paused("02 09:10"), closed("02 09:20"), event("reopened", at("02 09:40"))], "02 10:10:00"),
    "open hours": (OPEN, [paused("02 10:00"), resumed("02 11:00")], "02 14:00:00"),
    "open hours, paused over night": (OPEN, [paused("02 12:00"), resumed("03 10:00")], "03 11:00:00"),
    "open hours, paused while closed": (OPEN | {"threshold": "12h"}, [paused("02 18:00"), resumed("03 08:00")], "03 12:30:00"),
    "open hours, all used at the pause, resumed while closed": (OPEN, [paused("02 13:00"), resumed("02 20:00")], "02 20:00:00"),
    "working days": (WORKING, [paused("02 12:00"), resumed("05 12:00")], "09 23:59:59.999"),  # Tuesday and Wednesday do not count
    "working days, over a weekend": (WORKING, [paused("05 12:00"), resumed("10 12:00")], "09 23:59:59.999"),
    "working days, resumed the next day": (WORKING, [paused("03 12:00"), resumed("04 12:00")], "05 23:59:59.999"),
    "statutory term": (TERM, [paused("09 12:00"), resumed("12 12:00")], "18 23:59:59.999"),
    "statutory term, moved on from a weekend": (TERM, [paused("09 12:00"), resumed("15 12:00")], "23 23:59:59.999"),
    "a given deadline stays": (GIVEN, [event("promised", at("02 09:00"), norm="n", due_at=at("03 09:00")), paused("02 10:00"),
                                       resumed("02 12:00")], "03 09:00:00"),
    "extended": (ELAPSED, [extended("02 09:30", "02 12:00")], "02 12:00:00"),
    "extended at the deadline": (ELAPSED, [extended("02 10:00", "02 12:00")], "02 12:00:00"),
    "extended too late": (ELAPSED, [extended("02 10:00:00.001", "02 12:00")], "02 10:00:00"),
    "extended to an earlier moment": (ELAPSED, [extended("02 09:30", "02 09:50")], "02 10:00:00"),
    "extended twice": (ELAPSED, [extended("02 09:30", "02 12:00"), extended("02 11:00", "02 13:00")], "02 13:00:00"),
    "extended for this norm": (ELAPSED, [extended("02 09:30", "02 12:00", norm="n")], "02 12:00:00"),
    "extended for another norm": (ELAPSED, [extended("02 09:30", "02 12:00", norm="other")], "02 10:00:00"),
    "extension is off": (ELAPSED | {"extension": "none"}, [extended("02 09:30", "02 12:00")], "02 10:00:00"),
    "extended by hours at most": (ELAPSED | {"extension": "2h"}, [extended("02 09:30", "02 15:00")], "02 12:00:00"),
    "extended by working days at most": (WORKING | {"extension": "2wd"}, [extended("03 09:30", "30 15:00")], "09 23:59:59.999"),
    "extended by weeks at most": (TERM | {"extension": "1w"}, [extended("03 09:30", "31 15:00")], "23 23:59:59.999"),
    "extended by weeks at most, and no further": (
        TERM | {"extension": "1w"}, [extended("03 09:30", "31 15:00"), extended("23 09:30", "31 15:00")], "23 23:59:59.999",
    ),
    "the limit moves with a suspension": (
        TERM | {"extension": "1w"}, [paused("09 12:00"), resumed("12 12:00"), extended("13 09:30", "31 15:00")], "25 23:59:59.999",
    ),
    "extended and then suspended": (ELAPSED, [extended("02 09:30", "02 12:00"), paused("02 11:00"), resumed("02 11:30")], "02 12:30:00"),
    "extended while suspended": (ELAPSED, [paused("02 09:10"), extended("02 11:00", "02 12:00"), resumed("02 11:10")], "02 14:00:00"),
    "a day clock that was extended keeps its time of day": (
        WORKING, [extended("03 09:30", "06 12:00"), paused("04 09:00"), resumed("06 09:00")], "09 12:00:00",
    ),
    "a given deadline is extended": (GIVEN, [event("promised", at("02 09:00"), norm="n", due_at=at("03 09:00")),
                                             extended("03 08:00", "04 09:00")], "04 09:00:00"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "events", "deadline"), MOVED.values(), ids=MOVED.keys())
def test_a_deadline_moves(fields: dict[str, Any], events: list[EventTuple], deadline: str) -> None:
    assert judged(fields, *events).deadline == at(deadline)


def test_a_pause_that_lasts_excludes_until_it_ends() -> None:
    open_still = judged(ELAPSED, paused("02 09:10"))
    assert (open_still.judged_at, open_still.excluded) == (None, "suspended")
    again = judged(ELAPSED, paused("02 09:10"), resumed("02 15:00"))
    assert (again.judged_at, again.excluded) == (at("02 15:50"), "")
    never = judged({**GIVEN}, paused("02 09:10"), event("promised", at("02 09:00"), norm="n", due_at=at("03 09:00")))
    assert (never.judged_at, never.excluded) == (at("03 09:00"), "")


def test_the_stop_ends_a_pause() -> None:
    outcome = judged(ELAPSED | {"stop": "responded"}, paused("02 09:10"), event("responded", at("02 15:00")))
    assert (outcome.deadline, outcome.judged_at, outcome.within) == (at("02 15:50"), at("02 15:00"), True)
    late = judged(ELAPSED | {"stop": "responded"}, paused("02 10:10"), event("responded", at("02 15:00")))
    assert (late.deadline, late.within) == (at("02 10:00"), False)


def test_what_happens_after_the_stop_moves_nothing() -> None:
    stopped = [event("responded", at("02 09:30")), paused("02 09:40"), resumed("02 09:50"), extended("02 09:45", "03 09:00")]
    assert judged(ELAPSED | {"stop": "responded"}, *stopped).deadline == at("02 10:00")


def test_who_left_a_queue_is_out_also_when_suspended() -> None:
    call = [event("abandoned", at("02 09:05"))]
    offered = ELAPSED | {"stop": "answered", "denominator": "offered"}
    assert judged(offered, paused("02 09:01"), resumed("02 09:02"), *call).judged_at == at("02 09:05")
    assert judged(ELAPSED | {"stop": "answered"}, paused("02 09:01"), *call).excluded == "abandoned"


def test_a_suspension_longer_than_any_calendar_is_no_crash() -> None:
    for fields in (ELAPSED, OPEN, WORKING, TERM):
        longest = [event("paused", at("02 09:10")), event("resumed", ms("2199-12-31T00:00"))]
        again = [event("extended", ms("2199-12-31T01:00"), due_at=ms("2199-12-31T23:00"))]
        deadline = judged(fields, *longest, *again).deadline
        assert deadline is not None
        assert deadline <= LAST_DEADLINE


@pytest.mark.parametrize(
    ("fields", "events", "measured", "deadline", "within"),
    [
        ({}, [closed("02 09:40")], 40 * MINUTE, "02 10:00", True),
        ({}, [closed("02 10:00")], HOUR, "02 10:00", True),
        ({}, [closed("02 10:00:01")], HOUR + SECOND, "02 10:00", False),
        ({}, [paused("02 09:10"), resumed("02 09:50"), closed("02 10:30")], 50 * MINUTE, "02 10:40", True),
        ({}, [paused("02 09:10"), closed("02 10:30")], 10 * MINUTE, "02 11:20", True),
        ({"suspension": False}, [paused("02 09:10"), closed("02 10:30")], 90 * MINUTE, "02 10:00", False),
        ({}, [extended("02 09:10", "02 12:00"), closed("02 10:30")], 90 * MINUTE, "02 10:00", False),
        ({"clock": "opening-hours"}, [closed("03 08:30")], 8 * HOUR, "02 10:00", False),
        ({"clock": "opening-hours"}, [paused("02 09:30"), resumed("03 08:30"), closed("03 08:45")], 45 * MINUTE, "03 09:00", True),
    ],
)
@pytest.mark.parametrize("statistic", ["max", "mean"])
def test_a_mean_and_a_maximum_are_measured(
    statistic: str, fields: dict[str, Any], events: list[EventTuple], measured: int, deadline: str, within: bool
) -> None:
    outcome = judged({**ELAPSED, "statistic": statistic, **fields}, *events, deadlines={"n": NINE + 1})
    assert (outcome.measured, outcome.judged_at, outcome.excluded) == (measured, outcome.stop, "")
    if statistic == "max":
        assert (outcome.deadline, outcome.within) == (at(deadline), within)
        assert outcome.within == (measured <= HOUR)
    else:
        assert (outcome.deadline, outcome.within) == (None, False)


@pytest.mark.parametrize("statistic", ["max", "mean"])
def test_only_what_stopped_is_measured(statistic: str) -> None:
    judge = Judge(organisation(norm(statistic=statistic, short_abandon="5s")))
    call = [event("opened", NINE, channel="telephone"), event("queued", NINE)]
    assert judge(timeline(*call)) == ()
    for more, why in (
        ([event("abandoned", NINE + 30 * SECOND)], "abandoned"),
        ([event("abandoned", NINE + 3 * SECOND)], "short_abandon"),
        ([event("left_queue", NINE + 3 * SECOND, reason="voicemail")], "left_queue"),
        ([event("closed", NINE + 3 * SECOND)], "closed_without_stop"),
        ([event("answered", NINE - SECOND)], "stop_before_start"),
    ):
        (outcome,) = judge(timeline(*call, *more))
        assert (outcome.judged_at, outcome.excluded, outcome.measured) == (None, why, None)


@pytest.mark.parametrize("closed_by_leader", [True, False])
def test_a_close_ends_a_pause_whichever_system_told_of_either(closed_by_leader: bool) -> None:
    pause, close = event("paused", at("02 09:10")), closed("02 09:20")
    leading = timeline(event("opened", NINE, channel="telephone"), close if closed_by_leader else pause)
    leading.inherit(timeline(event("opened", NINE, channel="email"), pause if closed_by_leader else close))
    leading.inherit(timeline(event("opened", NINE, channel="email"), event("informed", at("02 12:00"))))
    (outcome,) = Judge(organisation(norm(**ELAPSED, start="opened", stop="informed")))(leading)
    assert (outcome.deadline, outcome.stop) == (at("02 10:10"), at("02 12:00"))
