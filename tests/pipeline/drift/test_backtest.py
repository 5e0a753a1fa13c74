"""What another budget would have told, and what led to a signal: on sums in which it is known what was planted."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from pipeline.calendars import local_date
from pipeline.drift.backtest import DAY_MS, Outcome, backtest, replay
from pipeline.drift.hours import GradeCount, Hours
from pipeline.drift.look import Known, active_streams, look
from pipeline.drift.pause import Announced, Markers
from pipeline.drift.picture import FLOOR
from pipeline.drift.signal import Contributor, Signal
from pipeline.drift.streams import HOUR_MS, local_hours, open_hours
from pipeline.drift.telling import BEFORE_DAYS, as_shown, found_again
from pipeline.drift.watch import Run
from pipeline.rules import calendar_of
from tests.pipeline.builders import AMSTERDAM, NAME, ms, norm, organisation

FIRST = ms("2025-03-03T00:00") // HOUR_MS
TOWN = organisation(norm(), channels={"telephone": {"drift_budget": 1.0}, "email": {}})
GRADES = ("telephone", "answer:na-contact:2:overall")
KEYS = (("telephone", "volume"), ("telephone", "norm:n"), GRADES)
Sums = dict[tuple[str, str], Hours]


def made(days: int, seed: int, *, changed: tuple[int, int] | None = None, channel: str = "telephone") -> tuple[Sums, int]:
    """Sums of some 7 calls an hour, 80 % within the norm and one answer an hour, and the hour after the last.

    changed: between these days, only 45 % within the norm.
    """
    random = np.random.default_rng(seed)
    calendar = calendar_of(TOWN, channel)
    hours = np.arange(FIRST, FIRST + days * 24, dtype=np.int64)
    local = local_hours(hours, calendar.zone)
    opened = open_hours(local, calendar, round_the_clock=False)
    hours = hours[opened]
    usual = 6.0 + 2 * np.sin(local[opened] % 24 / 3)
    n = random.poisson(usual).astype(np.int64)
    day = (hours - FIRST) // 24
    within = np.where((day >= changed[0]) & (day < changed[1]), 0.45, 0.8) if changed else np.full(len(hours), 0.8)
    met = random.binomial(n, within).astype(np.int64)
    grade = 1000 * random.choice([4, 5, 6, 7, 8], len(hours), p=[0.05, 0.1, 0.2, 0.4, 0.25])  # on a scale of 0-8
    squares = np.zeros(len(hours))
    return {
        (channel, "volume"): Hours(hours, n, np.zeros_like(n), squares),
        (channel, "norm:n"): Hours(hours[n > 0], n[n > 0], met[n > 0], squares[n > 0]),
        (channel, GRADES[1]): Hours(hours, np.ones_like(n), grade.astype(np.int64), squares),
    }, FIRST + days * 24


def histogram(sums: Sums) -> dict[tuple[str, str], list[GradeCount]]:
    hours = sums[GRADES]
    return {GRADES: [GradeCount(hour, total / 1000, 1) for hour, total in zip(hours.hour.tolist(), hours.total.tolist(), strict=True)]}


def history(sums: Sums, until: int, *markers: Announced) -> Known:
    return Known(until, sums, histogram(sums), markers)


def outcomes(given: Known, *budgets: float, since: int = FIRST, channels: tuple[str, ...] = ()) -> dict[tuple[str, float], Outcome]:
    found = backtest(TOWN, given, since * HOUR_MS, budgets or (1.0,), channels)
    return {(one.stream, one.budget): one for one in found}


STEP, STEP_UNTIL = made(182, 7, changed=(126, 147))
CALM, CALM_UNTIL = made(280, 8)


@pytest.fixture(scope="module")
def quiet() -> dict[tuple[str, float], Outcome]:
    """Most of a year in which nothing changes."""
    return outcomes(history(CALM, CALM_UNTIL), 1.0, 12.0)


def test_a_planted_change_is_found_with_its_days_and_its_end() -> None:
    found = outcomes(history(STEP, STEP_UNTIL), since=FIRST + 60 * 24)["norm:n", 1.0]
    (alarm,) = found.alarms
    begin, end = ((FIRST + day * 24) * HOUR_MS for day in (126, 147))
    assert begin <= alarm.told.onset < begin + 2 * DAY_MS
    assert alarm.found - begin < 3 * DAY_MS
    assert alarm.over is not None
    assert end < alarm.over < end + 10 * DAY_MS
    assert (alarm.told.side, alarm.told.state) == (-1, "grown" if len(alarm.states) > 2 else "found")
    assert -0.45 < alarm.told.size < -0.25
    assert found.drifting == pytest.approx((alarm.over - alarm.found) / DAY_MS)
    assert found.days == pytest.approx(122, abs=0.1)
    assert found.between == found.days
    assert found.a_quarter == pytest.approx(91.25 / found.days)


def test_without_a_change_few_alarms_and_a_larger_budget_costs_not_fewer(quiet: dict[tuple[str, float], Outcome]) -> None:
    alarms = {budget: sum(len(one.alarms) for (_, of), one in quiet.items() if of == budget) for budget in (1.0, 12.0)}
    assert alarms[1.0] <= 3
    assert alarms[1.0] < alarms[12.0] <= 36
    assert {one.share for (_, budget), one in quiet.items() if budget == 1.0} == {1 / 3}


def test_it_says_from_when_it_watches(quiet: dict[tuple[str, float], Outcome]) -> None:
    begins = quiet["volume", 1.0].watches_from
    assert begins is not None
    assert 25 <= (begins // HOUR_MS - FIRST) / 24 <= 28
    assert quiet["volume", 1.0].days == pytest.approx((CALM_UNTIL * HOUR_MS - begins) / DAY_MS, abs=0.1)
    sums, until = made(20, 9)
    short = outcomes(history(sums, until))["volume", 1.0]
    assert (short.watches_from, short.days, short.a_quarter, short.between, short.alarms) == (None, 0.0, None, None, ())


def test_in_spans_the_same_is_found_as_in_one_run() -> None:
    """Every four weeks it goes on from a checkpoint with what a look reads; but for grades, whose distribution is that of their time."""
    given = history(STEP, STEP_UNTIL, Announced("outage", ms("2025-06-02T00:00"), ms("2025-06-03T00:00")))
    whole = replace(given, sums={key: value for key, value in STEP.items() if key != GRADES})
    compared = 0
    for stream, fed in active_streams(TOWN, whole.sums, lambda _: whole.until):
        markers = Markers.of(whole.markers, stream.channel, stream.kind)
        run = Run(NAME, stream, fed, markers, 12.0, whole.until * HOUR_MS, TOWN.small_cell).from_checkpoints(())
        parts = replay(TOWN, stream, fed, whole, 12.0, 12.0, 0)
        assert [state for alarm in parts.alarms for state in alarm.states] == run.states
        compared += len(run.states)
    assert compared > 4


def test_only_chosen_channels_and_the_budget_in_force_beside_those_asked_for() -> None:
    sums, until = made(40, 3, channel="email")
    both = history({**made(40, 4)[0], **sums}, until)
    assert {one.channel for one in backtest(TOWN, both, 0, (2.0,))} == {"telephone", "email"}
    assert {(one.channel, one.budget) for one in backtest(TOWN, both, 0, (2.0,), ("telephone",))} == {
        ("telephone", 1.0),
        ("telephone", 2.0),
    }


# ── what led to a signal ────────────────────────────────────────────────────────────────────────────────────────


def looked(sums: Sums, until: int) -> Known:
    """What is stored after a look at everything."""
    known = Known(until, sums, histogram(sums))
    found = look(TOWN, known, until * HOUR_MS)
    return replace(known, signals=found.states, checkpoints=found.checkpoints)


UNTIL = FIRST + 133 * 24
STORED = looked(STEP, UNTIL)


def states_of(known: Known, stream: str) -> list[Signal]:
    return [one for one in known.signals if one.stream == stream and one.id == next(x.id for x in known.signals if x.stream == stream)]


def test_the_same_is_found_again_from_a_checkpoint_and_from_the_beginning() -> None:
    states = states_of(STORED, "norm:n")
    found = found_again(TOWN, STORED, states, UNTIL * HOUR_MS)
    assert found is not None
    assert (found.differs, found.missing) == ((), False)
    assert found.checkpoint is not None
    onset_day = local_date(states[0].onset, AMSTERDAM).toordinal() - date(1970, 1, 1).toordinal()
    assert found.checkpoint == onset_day - BEFORE_DAYS, "the day with which what is shown begins"
    again = found_again(TOWN, replace(STORED, checkpoints={}), states, UNTIL * HOUR_MS)
    assert again is not None
    assert (again.checkpoint, again.differs, again.hours) == (None, (), found.hours)


def test_the_path_crosses_the_threshold_in_the_hour_that_found_it() -> None:
    states = states_of(STORED, "norm:n")
    found = found_again(TOWN, STORED, states, UNTIL * HOUR_MS)
    assert found is not None
    assert found.threshold == pytest.approx(0.6 * 182.5 * 3)
    first = next(one for one in found.hours if one.fall >= math.log(found.threshold))
    assert first.end == states[0].at
    assert all(one.rise < math.log(found.threshold) for one in found.hours)
    assert found.hours[0].start >= states[0].onset - BEFORE_DAYS * DAY_MS
    assert [mark.what for mark in found.marks()] == ["onset", *(one.state for one in states)]
    assert found.learned is not None
    assert found.learned.until <= states[0].at


def test_hours_and_days_say_what_was_seen_and_expected() -> None:
    states = states_of(STORED, "norm:n")
    found = found_again(TOWN, STORED, states, UNTIL * HOUR_MS)
    assert found is not None
    hours = STEP["telephone", "norm:n"]
    for block in found.days:
        inside = (hours.hour * HOUR_MS >= block.start) & (hours.hour * HOUR_MS < block.end)
        assert block.n == hours.n[inside].sum()
        assert block.seen == pytest.approx(hours.total[inside].sum() / block.n)
        assert block.low < block.expected < block.high
        assert block.expected == pytest.approx(0.8, abs=0.06)
    assert found.usual.mean == pytest.approx(0.8, abs=0.05)
    assert list(found.usual.weekdays) == [0, 1, 2, 3, 4]
    assert set(found.usual.hours) == set(range(8, 17)) or len(found.usual.hours) >= 8


def test_a_volume_is_shown_in_contacts() -> None:
    signal = replace(states_of(STORED, "norm:n")[0], stream="volume", measure="volume", kind="volume", id="v")
    found = found_again(TOWN, replace(STORED, signals=[*STORED.signals, signal]), [signal], UNTIL * HOUR_MS)
    assert found is not None
    hours = STEP["telephone", "volume"]
    assert sum(one.n for one in found.days) == hours.n[(hours.hour * HOUR_MS >= found.days[0].start) & (hours.hour < UNTIL)].sum()
    assert all(2 < one.expected < 10 for one in found.hours)
    assert found.missing, "there is none"
    assert [one.ended for one in found.differs] == ["revised"]


def test_of_grades_no_answers_of_few_are_told() -> None:
    signal = replace(states_of(STORED, "norm:n")[0], stream="answer:na-contact:overall", measure=GRADES[1], kind="grade", id="g")
    found = found_again(TOWN, replace(STORED, signals=[*STORED.signals, signal]), [signal], UNTIL * HOUR_MS)
    assert found is not None
    assert found.hours == found.days
    told = [one for one in found.days if one.seen is not None]
    assert told
    assert all(one.n >= TOWN.small_cell and one.n % TOWN.small_cell == 0 for one in told)
    assert all(one.seen == round(one.seen or 0, 1) and one.fall == round(one.fall, 1) for one in told)
    few = TOWN.model_copy(update={"small_cell": 30})
    pooled = found_again(few, replace(STORED, signals=[*STORED.signals, signal]), [signal], UNTIL * HOUR_MS)
    assert pooled is not None
    assert len(pooled.days) < len(found.days)
    *whole, last = pooled.days
    assert all(one.n >= 30 for one in whole)
    assert last.n >= 30 or (last.seen, last.n, last.fall, last.rise) == (None, 0, FLOOR, FLOOR)


def test_what_is_watched_no_more_is_not_run() -> None:
    states = states_of(STORED, "norm:n")
    without = TOWN.model_copy(update={"norms": ()})
    assert found_again(without, STORED, states, UNTIL * HOUR_MS) is None
    assert found_again(TOWN, replace(STORED, until=FIRST + 14 * 24, checkpoints={}), states, UNTIL * HOUR_MS) is None


def test_data_that_came_later_are_told_to_change_the_signal() -> None:
    states = states_of(STORED, "norm:n")
    hours = STEP["telephone", "norm:n"]
    late = {**STEP, ("telephone", "norm:n"): hours._replace(total=np.round(hours.n * 0.8).astype(np.int64))}
    found = found_again(TOWN, replace(STORED, sums=late), states, UNTIL * HOUR_MS)
    assert found is not None
    assert found.missing
    first = min(one.day for one in STORED.checkpoints["telephone", "norm:n"])
    assert found.checkpoint == first, "what all later ones rest on has changed"


def test_programs_are_told_of_grades_no_more_than_boards_are() -> None:
    parts = (Contributor("team", "a", 0.6, 12), Contributor("team", "b", 0.4, 4))
    grade = Signal(
        NAME, "g", 0, "found", "telephone", "answer:na-contact:overall", GRADES[1], "grade", -1, 2, 1,
        -0.912, -1.31, -0.55, 6.431, 7.343, 23, parts,
    )  # fmt: skip
    told = as_shown(grade, 5)
    assert [told[name] for name in ("size", "low", "high", "value", "usual", "n", "withheld")] == [-0.9, -1.3, -0.6, 6.4, 7.3, 20, False]
    assert [(one["name"], one["n"]) for one in told["contributors"]] == [("a", 10)]
    few = as_shown(replace(grade, n=4), 5)
    assert (few["size"], few["value"], few["n"], few["withheld"], few["contributors"]) == (None, None, 0, True, [])
    whole = as_shown(replace(grade, kind="time", n=4, size=1.234), 5)
    assert (whole["size"], whole["n"], whole["worse"], "withheld" in whole) == (1.234, 4, False, False)
