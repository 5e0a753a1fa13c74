"""The scorer on detectors whose answers are known; the peers on a change nobody can miss; the tables and the command."""

import json
from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from benchmarks.drift import __main__ as command
from benchmarks.drift.effects import EFFECTS, NONE, Kind
from benchmarks.drift.goals import goals
from benchmarks.drift.hours import DAY, Floats
from benchmarks.drift.ideal import ideal
from benchmarks.drift.peers import Adwin, Cusum, Grafana
from benchmarks.drift.scorer import Score, judged, quantile, rate, score, states
from benchmarks.drift.suite import Cell, loaded, run
from benchmarks.drift.worlds import HISTORY, QUARTER, WATCHED, World


class _Told:
    """Says what a function of the time says, and keeps the announcements."""

    def __init__(self, says: Callable[[float], str]) -> None:
        self._says = says
        self.markers: list[float] = []

    def update(self, t: float, value: float, weight: float) -> str:
        return self._says(t)

    def on_marker(self, t: float) -> None:
        self.markers.append(t)


def _hours(hours: int) -> Floats:
    t = HISTORY + np.arange(float(hours))
    return np.column_stack([t, np.zeros(hours), np.ones(hours)])


QUIET = World(
    "time", NONE, _hours(1), _hours(4 * QUARTER), HISTORY + 4 * QUARTER, None, None, 0, (), _hours(4 * QUARTER)[:, 0], 100, (0.0, 0.0, 0.1)
)
CHANGE = HISTORY + 1000.0
STEP = replace(QUIET, effect=EFFECTS["time"][0], change=CHANGE, side=1, end=CHANGE + WATCHED, run=_hours(1000 + WATCHED))
BACK = replace(STEP, recovery=CHANGE + 400, end=CHANGE + 400 + WATCHED, run=_hours(1400 + WATCHED))


def _scored(world: World, says: Callable[[float], str]) -> Score:
    return judged(states(_Told(says), world), world)


def _between(*spans: tuple[float, float], side: str = "drifting_up") -> Callable[[float], str]:
    return lambda t: side if any(start <= t < end for start, end in spans) else "ok"


def test_the_best_delay_is_when_the_information_reaches_the_log_of_the_days_between_alarms() -> None:
    """ln 730 = 6.59; an hour tells ln(1.25)^2 / (2 x 0.1^2) = 2.49.

    With a spread of .1 of the day, its last eight hours tell 2.21, the next day 2.39, and the third as much: twenty of its hours suffice.
    """
    assert ideal(STEP) == 3.0
    assert ideal(replace(STEP, spreads=(0.1, 0.0, 0.1))) == 8 + 24 + 20
    assert ideal(replace(STEP, spreads=(10.0, 0.0, 0.1))) == inf
    assert ideal(QUIET) is None
    assert ideal(BACK) is not None


def test_who_is_never_alarmed_has_no_false_alarm_and_finds_nothing() -> None:
    assert _scored(QUIET, lambda t: "ok") == Score((0, 0, 0, 0), 4.0, 100)
    found = _scored(STEP, lambda t: "ok")
    assert (found.found, found.found_open, found.false) == (inf, inf, (0,))


def test_an_alarm_counts_once_in_the_quarter_in_which_it_begins() -> None:
    second = HISTORY + QUARTER
    found = _scored(QUIET, _between((second, inf)))
    assert found.false == (0, 1, 0, 0)
    assert rate([found, _scored(QUIET, lambda t: "ok")]).value == 1 / 8


def test_every_begin_of_a_flapping_alarm_counts() -> None:
    found = _scored(QUIET, lambda t: "ok" if t % 2 else "drifting_down")
    assert found.false == (QUARTER // 2,) * 4
    turning = _scored(QUIET, lambda t: "drifting_up" if (t - HISTORY) % 100 < 50 else "drifting_down")
    assert sum(turning.false) == 4 * QUARTER // 50 + 1


def test_the_delay_runs_to_the_end_of_the_hour_that_raised_the_alarm() -> None:
    found = _scored(STEP, _between((CHANGE + 10, inf)))
    assert (found.found, found.found_open, found.false) == (11.0, 11.0, (0,))
    assert found.premature is None
    closed = replace(STEP, hours=STEP.run[STEP.run[:, 0] % DAY < 8, 0])
    at_once = _scored(closed, _between((CHANGE, inf)))
    assert (at_once.found, at_once.needed) == (1.0, 1.0)


def test_an_alarm_of_before_the_change_or_of_the_other_side_does_not_find_it() -> None:
    early = _scored(STEP, _between((CHANGE - 5, inf)))
    assert (early.found, early.false) == (inf, (1,))
    again = _scored(STEP, _between((CHANGE - 5, CHANGE + 20), (CHANGE + 30, inf)))
    assert (again.found, again.false) == (31.0, (1,))
    assert _scored(STEP, _between((CHANGE + 10, inf), side="drifting_down")).found == inf
    assert _scored(STEP, _between((CHANGE + WATCHED, inf))).found == inf


def test_over_is_timed_from_the_recovery_and_premature_before() -> None:
    recovery = CHANGE + 400
    found = _scored(BACK, _between((CHANGE + 50, recovery + 99)))
    assert (found.found, found.over, found.premature) == (51.0, 100.0, False)
    assert _scored(BACK, _between((CHANGE + 50, inf))).over == inf
    early = _scored(BACK, _between((CHANGE + 50, CHANGE + 60)))
    assert (early.over, early.premature) == (None, True)
    missed = _scored(BACK, _between((recovery + 5, inf)))
    assert (missed.found, missed.over, missed.premature) == (inf, None, None)


def test_what_should_disturb_nobody_is_counted_for_two_weeks_on_any_side() -> None:
    surge = replace(STEP, effect=EFFECTS["time"][-1], side=0, recovery=CHANGE + 72)
    assert _scored(surge, _between((CHANGE + 300, inf), side="drifting_down")).disturbed is True
    assert _scored(surge, _between((CHANGE + 14 * DAY, inf))).disturbed is False
    assert _scored(surge, lambda t: "ok").found is None


def test_announcements_come_before_the_rows_of_their_time() -> None:
    heard: dict[float, int] = {}

    def says(t: float) -> str:
        heard[t] = len(told.markers)
        return "ok"

    told = _Told(says)
    states(told, replace(STEP, markers=(CHANGE, CHANGE + 50)))
    assert told.markers == [CHANGE, CHANGE + 50]
    assert heard[CHANGE - 1] == 0
    assert heard[CHANGE] == 1
    assert heard[CHANGE + 50] == 2


def test_late_rows_do_not_turn_the_clock_back() -> None:
    rows = STEP.run.copy()
    rows[1100, 0] = CHANGE + 10.5
    assert _scored(replace(STEP, run=rows), _between((CHANGE + 10.5, CHANGE + 11))).found == 100.0


def test_the_interval_is_exact_for_none_and_widens_where_streams_differ() -> None:
    none = rate([Score((0,) * 4, 4.0, 10)] * 100)
    assert none.value == none.low == 0
    assert none.high == pytest.approx(3.689 / 400, rel=1e-3)
    even = rate([Score((1, 0, 0, 0), 4.0, 10)] * 100)
    uneven = rate([Score((25, 0, 0, 0), 4.0, 10)] * 4 + [Score((0,) * 4, 4.0, 10)] * 96)
    assert even.value == uneven.value == 0.25
    assert even.low == pytest.approx(81.36 / 400, rel=1e-3)
    assert even.high == pytest.approx(121.63 / 400, rel=1e-3)
    assert uneven.high - uneven.low > 3 * (even.high - even.low)
    assert (uneven.worst, uneven.most) == (6.25, 25)


def test_what_never_came_counts_in_a_quantile() -> None:
    assert quantile([inf, 3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([inf, 3.0, 1.0, 2.0], 0.9) == inf
    assert quantile([], 0.5) == inf


@pytest.mark.parametrize("peer", [Cusum, Grafana, Adwin])
@pytest.mark.parametrize("kind", ["grade", "time"])
def test_a_peer_finds_a_gross_change_and_is_calm_without(peer: type[Cusum | Grafana | Adwin], kind: Kind) -> None:
    rng = np.random.default_rng(1)
    history = np.column_stack([np.arange(float(HISTORY)), rng.normal(5, 0.5, HISTORY), np.full(HISTORY, 3.0)])
    detector = peer(kind, history)
    calm = [detector.update(HISTORY + t, value, 3.0) for t, value in enumerate(rng.normal(5, 0.5, 48).tolist())]
    assert calm.count("ok") > 40
    for side, level in (("drifting_down", 2.0), ("drifting_up", 8.0)):
        moved = peer(kind, history)
        assert side in [moved.update(HISTORY + t, value, 3.0) for t, value in enumerate(rng.normal(level, 0.5, 200).tolist())]


def test_scores_are_the_same_on_one_process_and_on_two() -> None:
    wanted = [(Cell("benchmarks.drift.peers:Grafana", "volume", EFFECTS["volume"][0], "5-30"), 12)]
    alone = run(wanted, seed=1, jobs=1)
    assert alone == run(wanted, seed=1, jobs=2)
    assert len(alone[wanted[0][0]]) == 12


@pytest.mark.parametrize("name", ["nowhere:factory", "benchmarks.drift.peers:Nobody", "benchmarks.drift.peers"])
def test_an_unknown_detector_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="no detector"):
        loaded(name)


def test_goals_say_what_is_not_met() -> None:
    cell = Cell("a:b", "grade", NONE, "5-30")
    met = {result.name: result.met for result in goals({cell: [Score((1, 0, 0, 0), 4.0, 10)]})}
    assert met == {"false alarms, grade, 5-30 a day": True, "false alarms of the worst stream": True}
    missed = {result.name: result.met for result in goals({cell: [Score((3, 3, 3, 0), 4.0, 10)]})}
    assert not any(missed.values())
    step = Cell("a:b", "grade", EFFECTS["grade"][0], "30-300")
    few, many = Score((0,), 1.0, 2.0, found=inf, found_open=inf), Score((0,), 1.0, 50.0, found=100.0, found_open=30.0)
    promised = goals({step: [few, few, many]})
    assert [(result.name, result.value, result.met) for result in promised] == [
        ("grade: -0.5 grade, found", 100.0, True),
        ("grade: -0.5 grade, median", 100.0, True),
    ]


def test_the_command_prints_writes_and_judges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "DRIFT.md"
    page.write_text("# Drift\n\n## Measured\n\nOld.\n\n## After\n\nText.\n", encoding="utf-8")
    arguments = ["drift", "--only", "volume", "--streams", "1", "--jobs", "1", "--seed", "3", "--write", str(page)]
    monkeypatch.setattr("sys.argv", [*arguments, "--detector", "benchmarks.drift.peers:Cusum"])
    assert command.main() == 1
    assert "NOT MET" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert "Old." not in text
    assert text.endswith("\n## After\n\nText.\n")
    assert "### Beside its peers" in text
    monkeypatch.setattr("sys.argv", [*arguments, "--detector", "benchmarks.drift.peers:Cusum", "--quick", "--no-peers", "--json"])
    assert command.main() == 0
    told = json.loads(capsys.readouterr().out)
    assert {table["title"] for table in told["tables"]} == {"Goals", "False alarms", "Delays", '"Over"', "Announced changes and surges"}


def test_a_wrong_detector_ends_with_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.asked(["--detector", "nowhere:factory"])
    assert "no detector 'nowhere:factory'" in capsys.readouterr().err


def test_a_score_comes_from_a_factory_that_saw_the_history() -> None:
    seen: list[tuple[Kind, int]] = []

    def factory(kind: Kind, history: Floats, budget: float = 0.25) -> _Told:
        seen.append((kind, len(history)))
        return _Told(_between((CHANGE + 1, inf)))

    assert score(factory, STEP).found == 2.0
    assert seen == [("time", 1)]
