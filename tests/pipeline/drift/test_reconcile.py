"""What a run found against what is stored: told once, corrected in place, never withdrawn in silence."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drift.reconcile import Lasting, reconciled
from pipeline.drift.signal import Contributor, Ended, Signal, State
from pipeline.drift.streams import HOUR_MS

BEGAN, UNTIL = 100 * HOUR_MS, 200 * HOUR_MS


def state(
    sequence: int,
    what: State,
    at: int,
    name: str = "a",
    ended: Ended = "",
    onset: int = 105,
    side: int = -1,
    size: float = -1.0,
    announce: bool = True,
) -> Signal:
    """A state at the end of an hour."""
    if what == "over" and not ended:
        ended = "recovered"
    return Signal(
        "o", name, sequence, what, "telephone", "wait", "wait", "time", side, at * HOUR_MS, onset * HOUR_MS, size, size - 1, size + 1,
        5.0, 6.0, 40, announce=announce, ended=ended,
    )  # fmt: skip


FOUND, GROWN, OVER = state(0, "found", 110), state(1, "grown", 120), state(2, "over", 130)
COURSE = [FOUND, GROWN, OVER]


def written(found: list[Signal], stored: list[Signal], began: int = BEGAN, until: int = UNTIL) -> list[Signal]:
    """What a look writes; a second look then writes nothing."""
    result = reconciled(found, stored, began, until)
    after = {(one.id, one.sequence): one for one in stored} | {(one.id, one.sequence): one for one in result}
    assert reconciled(found, list(after.values()), began, until) == []
    return result


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_new_is_written_and_a_replay_writes_nothing(count: int) -> None:
    assert written(COURSE[:count], []) == COURSE[:count]
    assert written(COURSE[:count], COURSE[:count]) == []
    assert written(COURSE, COURSE[:count]) == COURSE[count:]


def test_a_run_that_begins_amid_a_signal_goes_on_with_it() -> None:
    assert written([OVER], [FOUND, GROWN], began=125 * HOUR_MS) == [OVER]
    assert written([], [FOUND, GROWN], began=125 * HOUR_MS) == [], "found before the run began: not its to judge"


def test_who_contributes_and_when_it_was_looked_at_make_no_other_state() -> None:
    told = replace(FOUND, contributors=(Contributor("team", "Burgerzaken", 0.8, 30),))
    assert written([replace(FOUND, announce=False)], [told]) == []


def test_a_state_is_corrected_in_place() -> None:
    better = replace(FOUND, size=-1.2, n=44)
    assert written([better], [FOUND]) == [better]
    assert written([better, GROWN], [FOUND, GROWN]) == [better]


def test_a_moved_onset_keeps_its_id() -> None:
    mine = [replace(one, id="b", onset=103 * HOUR_MS) for one in COURSE]
    assert written(mine, [FOUND]) == [replace(one, id="a") for one in mine]


def test_and_keeps_it_in_later_runs() -> None:
    """Which name it by its moved onset, and began after it was found."""
    moved = replace(FOUND, onset=103 * HOUR_MS)
    over = state(1, "over", 180, "b", onset=103)
    assert written([over], [moved], began=150 * HOUR_MS) == [replace(over, id="a")]


@pytest.mark.parametrize(("side", "onset"), [(1, 105), (-1, 150)])
def test_another_change_is_another_signal(side: int, onset: int) -> None:
    """Of the other side, or after the stored one was over."""
    mine = state(0, "found", 160, "b", side=side, onset=onset)
    assert mine in written([mine], COURSE)


def test_two_found_are_not_both_the_stored_one() -> None:
    first, second = state(0, "found", 111, "b", onset=104), state(0, "found", 112, "c", onset=107)
    result = written([first, second], [FOUND])
    assert sorted(one.id for one in result) == ["a", "c"]


def test_what_is_not_found_any_more_is_over_once() -> None:
    (over,) = written([], [FOUND, GROWN])
    assert (over.id, over.sequence, over.state, over.ended, over.at) == ("a", 2, "over", "revised", UNTIL)
    assert over.contributors == ()
    assert written([], COURSE) == [], "it was over anyway"


def test_what_lies_after_the_end_of_the_run_is_not_judged() -> None:
    """Less is known than before: that takes no ground away."""
    assert written([], [FOUND], until=109 * HOUR_MS) == []
    assert written([], [FOUND], until=110 * HOUR_MS) != []


def test_another_course_is_appended() -> None:
    """It was told to have grown and to be over; now it is known to have been over at once, or to go on."""
    sooner = state(1, "over", 118)
    assert written([FOUND, sooner], [FOUND, GROWN]) == [replace(sooner, sequence=2)]
    assert written([FOUND, GROWN], [FOUND, state(1, "over", 118)]) == [replace(GROWN, sequence=2)]
    assert written([FOUND, sooner], COURSE) == [replace(sooner, sequence=2)], "over it is, but at another time"
    ended = state(1, "over", 118, ended="announced")
    assert written([FOUND, ended], [FOUND, state(1, "over", 118, ended="revised")]) == [ended]


def test_what_was_announced_to_nobody_is_not_announced_to_be_over() -> None:
    silent = replace(FOUND, announce=False)
    assert [one.announce for one in written([silent, state(1, "over", 120)], [])] == [False, False]
    assert [one.announce for one in written([state(1, "over", 120)], [silent])] == [False]
    assert [one.announce for one in written([FOUND, state(1, "over", 120)], [])] == [True, True]
    assert [one.announce for one in written([], [silent])] == [False]
    assert [one.announce for one in written([], [FOUND])] == [True]


def test_who_was_told_hears_the_rest_however_late() -> None:
    """Else the topic would say for ever that it lasts."""
    late = [replace(one, announce=False) for one in (GROWN, OVER)]
    assert [one.announce for one in written([FOUND, *late], [FOUND])] == [True, True]


def test_what_grows_now_is_announced_though_it_was_found_in_a_back_fill() -> None:
    silent = replace(FOUND, announce=False)
    assert [one.announce for one in written([silent, GROWN, OVER], [])] == [False, True, True]


def test_what_was_announced_stays_so_when_it_is_looked_at_much_later() -> None:
    (again,) = written([replace(FOUND, size=-2.0, announce=False)], [FOUND])
    assert again.announce


@st.composite
def courses(draw: st.DrawFn) -> list[Signal]:
    """Some signals after the beginning, one after the other, each with a course."""
    result, hour = [], 101
    for number in range(draw(st.integers(0, 3))):
        onset = hour + draw(st.integers(0, 5))
        at, name, side = onset, f"{draw(st.sampled_from('abc'))}{number}", draw(st.sampled_from([-1, 1]))
        ended = draw(st.booleans())
        growths = draw(st.integers(0, 2))
        for sequence in range(1 + growths + ended):
            at += draw(st.integers(1, 6))
            what: State = "found" if sequence == 0 else "over" if sequence > growths else "grown"
            result.append(state(sequence, what, at, name, onset=onset, side=side, size=draw(st.sampled_from([-1.0, -2.0]))))
        hour = at
        if not ended:
            break
    return result


@given(courses(), courses())
def test_whatever_is_stored_every_signal_found_is_told_and_the_rest_is_over(found: list[Signal], stored: list[Signal]) -> None:
    result = written(found, stored)
    after = {(one.id, one.sequence): one for one in stored} | {(one.id, one.sequence): one for one in result}
    last = {one.id: one for one in sorted(after.values(), key=lambda one: one.sequence)}
    assert {one.id for one in stored} <= set(last)
    assert {(one.id, one.sequence) for one in stored} <= set(after), "nothing is taken away"
    for name in last:
        assert [key[1] for key in sorted(after) if key[0] == name] == list(range(last[name].sequence + 1)), "sequences count on"
    for one in {one.id: one for one in found}.values():
        assert any(
            (other.state, other.side, other.onset, other.at, other.size) == (one.state, one.side, one.onset, one.at, one.size)
            for other in last.values()
        )
    still_open = [one for one in last.values() if one.state != "over"]
    assert len(still_open) == len({one.id for one in found} - {one.id for one in found if one.state == "over"})


def test_what_was_told_to_be_over_and_lasts_after_all_is_told_again() -> None:
    """Late data made the change go on; the run began when it had been found, and makes no state of its own."""
    stored = [state(0, "found", 90), state(1, "over", 130)]
    lasting = Lasting("a", -1, 105 * HOUR_MS)
    (again,) = reconciled([], stored, BEGAN, UNTIL, lasting)
    assert (again.sequence, again.state, again.at, again.ended) == (2, "found", UNTIL, "")
    assert reconciled([], [*stored, again], BEGAN, UNTIL, lasting) == []
    over = replace(state(1, "over", 180), size=-2.0)
    (ended,) = reconciled([over], [*stored, again], BEGAN, UNTIL)
    assert (ended.sequence, ended.state) == (3, "over")
