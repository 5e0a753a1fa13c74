"""The detector as a benchmark drives it."""

import numpy as np
import pytest

from pipeline.drift.adapter import Adapter, factory
from pipeline.drift.kinds import KINDS, Name
from tests.pipeline.drift.simulated import LEVELS, Array, open_hours, world

SIZE: dict[Name, float] = {"grade": -1.5, "compliance": -1.5, "time": 0.6, "volume": 0.7}
ENDS: dict[Name, str] = {"grade": "drifting_down", "compliance": "drifting_down", "time": "drifting_up", "volume": "drifting_up"}


def rows(kind: Name, days: int, first_day: int = 0, shift: float = 0.0, seed: int = 3) -> Array:
    """(t, value, weight): of grades single answers within their hour, of others sums."""
    flat = np.full(168, LEVELS[kind] + shift)
    sums = world(kind, open_hours(days, first_day), np.random.default_rng(seed), pattern=flat, n=6)
    if kind != "grade":
        return np.column_stack([sums.hour.astype(float), sums.v, sums.n])
    rng = np.random.default_rng(seed)
    singles = [
        (hour + place / (count + 1), float(np.clip(round(rng.normal(flat[0], 1.6)), 1, 10)), 1.0)
        for hour, count in zip(sums.hour.tolist(), sums.n.astype(int).tolist(), strict=True)
        for place in range(count)
    ]
    return np.array(singles)


def drive(adapter: Adapter, several: Array) -> list[str]:
    return [adapter.update(*row) for row in several.tolist()]


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_it_knows_after_each_observation(kind: Name) -> None:
    adapter = factory(kind, rows(kind, 84))
    assert set(drive(adapter, rows(kind, 14, 84))) == {"ok"}
    assert drive(adapter, rows(kind, 21, 98, SIZE[kind]))[-1] == ENDS[kind]
    assert drive(adapter, rows(kind, 35, 119))[-1] == "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_marker_it_learns_anew(kind: Name) -> None:
    adapter = factory(kind, rows(kind, 84))
    adapter.on_marker(84 * 24 + 8.5)
    assert set(drive(adapter, rows(kind, 35, 84, SIZE[kind]))) == {"ok"}


def test_what_comes_late_changes_nothing() -> None:
    adapter, other = factory("grade", rows("grade", 84)), factory("grade", rows("grade", 84))
    for one in (adapter, other):
        one.update(2100.5, 3.0)
    assert adapter.update(2099.9, 1.0, 500.0) == "ok"
    assert [one.update(2101.0, 7.0, 2.0) for one in (adapter, other)] == ["ok", "ok"]
    assert adapter._detector.state() == other._detector.state()


def test_history_may_be_a_list_and_hold_empty_hours() -> None:
    history = [*rows("compliance", 84).tolist(), (84 * 24.0, float("nan"), 0.0)]
    adapter = factory("compliance", history, budget=1.0)
    assert adapter.update(84 * 24 + 9, float("nan"), 0.0) == "ok"
    assert adapter.update(84 * 24 + 10, 0.8, 4.0) == "ok"


def test_a_bigger_budget_is_sooner() -> None:
    history, changed = rows("time", 84), rows("time", 28, 84, 0.3)
    assert drive(factory("time", history, 12.0), changed).index("drifting_up") < drive(factory("time", history, 0.01), changed).index(
        "drifting_up"
    )


def test_what_is_no_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'waits' is no kind of stream; write one of grade, compliance, time, volume"):
        factory("waits", [(0.0, 1.0, 1.0)])  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["grade", "compliance", "time"])
@pytest.mark.parametrize("history", [[], [(3.0, 1.0, 0.0)]])
def test_a_history_of_nothing_is_refused(kind: Name, history: list[tuple[float, float, float]]) -> None:
    with pytest.raises(ValueError, match="at least one hour"):
        factory(kind, history)
