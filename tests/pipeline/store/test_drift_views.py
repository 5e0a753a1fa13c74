"""What boards and reports read of drift: their own organisation's, the latest state, and nothing that tells of few answers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pipeline.drift.signal import Contributor
from pipeline.drift.status import Watch
from pipeline.store import drift, drift_incidents
from tests.engines import ClickHouseEngine
from tests.pipeline.store.satisfied import Town, organisation
from tests.pipeline.store.test_drift import HOUR_MS, NOW, TEXTS, incident, signal

VIEWS = ("v_signals", "v_signal_states", "v_incidents", "v_watches")
FIGURES = ("size", "low", "high", "value", "usual")


def filled(engine: ClickHouseEngine, name: str, readable: bool, small_cell: int = 5) -> Town:
    """Something in every view."""
    town = Town(engine, organisation(name, small_cell), readable)
    drift.write_signals(town.owner, [signal(town)], [TEXTS], NOW)
    drift.write_watches(town.owner, town.name, [Watch("telephone", "wait", "drifting", NOW, NOW, NOW + HOUR_MS, 0.25)], NOW)
    drift_incidents.write_incidents(town.owner, [incident(town, "i1")], NOW)
    return town


@pytest.fixture(scope="module")
def towns(clickhouse: ClickHouseEngine) -> Iterator[tuple[Town, Town]]:
    ours, theirs = filled(clickhouse, "onze-driftstad", True), filled(clickhouse, "hun-driftstad", False)
    try:
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()


def rows(town: Town, view: str) -> list[dict[str, Any]]:
    """What the board user reads of its town."""
    found = town.reader.query(f"SELECT * FROM {view} WHERE organisation = {{name:String}}", parameters={"name": town.name})
    return [dict(row) for row in found.named_results()]


@pytest.mark.parametrize("view", VIEWS)
def test_a_reader_sees_its_own_and_nothing_else(towns: tuple[Town, Town], view: str) -> None:
    ours, theirs = towns
    assert len(rows(ours, view)) == 1
    assert rows(theirs, view) == []
    sql = f"SELECT count() FROM {view} WHERE organisation = '{theirs.name}' AND throwIf(organisation = '{theirs.name}', 'leaked') = 0"
    assert ours.read(sql) == [(0,)]


def test_the_tables_are_not_for_readers(towns: tuple[Town, Town]) -> None:
    for table in ("signals", "checkpoints", "watches", "incidents", "hourly_of(organisations = ['onze-driftstad'], since = 0, until = 9)"):
        with pytest.raises(Exception, match="Not enough privileges"):
            towns[0].read(f"SELECT count() FROM contactmeter.{table}")


def test_a_signal_is_shown_in_its_latest_state_with_when_it_was_found_and_over(clickhouse: ClickHouseEngine) -> None:
    town = Town(clickhouse, organisation("laatste-driftstad"))
    states = [
        signal(town),
        signal(town, sequence=1, state="grown", at=NOW + HOUR_MS),
        signal(town, sequence=2, state="over", at=NOW + 2 * HOUR_MS),
        signal(town, "b2", kind="time", stream="wait", measure="wait", side=-1),
    ]
    drift.write_signals(town.owner, states, [("Eerst", "First"), ("Erger", "Worse"), ("Over", "Over"), TEXTS], NOW)
    latest = {row["signal"]: row for row in rows(town, "v_signals")}
    moments = ", ".join(f"toUnixTimestamp64Milli({name})" for name in ("found_at", "at", "over_at"))
    sql = f"SELECT signal, {moments} FROM v_signals WHERE organisation = '{{name}}'"
    assert sorted(town.read(sql)) == [("a1", NOW, NOW + 2 * HOUR_MS, NOW + 2 * HOUR_MS), ("b2", NOW, NOW, None)]
    assert (latest["a1"]["state"], latest["a1"]["text_nl"], latest["a1"]["worse"]) == ("over", "Over", True)
    assert (latest["b2"]["state"], latest["b2"]["text_en"], latest["b2"]["worse"]) == ("found", "Sentence", False)
    assert sorted((row["signal"], row["sequence"]) for row in rows(town, "v_signal_states")) == [("a1", 0), ("a1", 1), ("a1", 2), ("b2", 0)]
    assert town.read("SELECT signal FROM v_signals WHERE organisation = '{name}' AND state = 'found'") == [("b2",)], "not an earlier state"
    assert latest["a1"]["n"] == 412
    assert [latest["a1"][name] for name in FIGURES] == [getattr(states[2], name) for name in FIGURES]
    assert {(one["dimension"], one["name"]): (one["share"], one["n"]) for one in latest["a1"]["contributors"]} == {
        ("team", "Burgerzaken"): (0.61, 40),
        ("product", "paspoort"): (0.4, 31),
    }
    town.close()


def test_worse_is_what_the_signal_itself_says(clickhouse: ClickHouseEngine) -> None:
    town = Town(clickhouse, organisation("erger-driftstad"))
    states = [signal(town, f"{kind}{side}", kind=kind, side=side) for kind in ("grade", "compliance", "time", "volume") for side in (-1, 1)]
    drift.write_signals(town.owner, states, [TEXTS] * len(states), NOW)
    assert {row["signal"]: row["worse"] for row in rows(town, "v_signals")} == {one.id: one.worse for one in states}
    town.close()


def test_of_grades_nothing_tells_of_few_answers_or_of_one_more(clickhouse: ClickHouseEngine) -> None:
    town = Town(clickhouse, organisation("kleine-driftstad", small_cell=7))
    few, enough = (
        signal(
            town, f"n{n}", kind="grade", stream="answer:q:overall", measure="answer:q:1:overall", n=n, size=-0.8499, low=-1.21, high=-0.44,
            value=6.4321, usual=7.2819, contributors=(Contributor("team", "Zuid", 0.6123, 6), Contributor("team", "Balie", 0.3456, n)),
        )
        for n in (6, 20)
    )  # fmt: skip
    exact = replace(few, id="calls", kind="compliance", measure="norm:calls_45s", stream="norm:calls_45s")
    drift.write_signals(town.owner, [few, enough, exact], [TEXTS] * 3, NOW)
    for view in ("v_signals", "v_signal_states"):
        found = {row["signal"]: row for row in rows(town, view)}
        assert [found["n6"][name] for name in ("withheld", "n", *FIGURES, "contributors")] == [True, 0, *[None] * 5, []]
        assert [found["n20"][name] for name in ("withheld", "n", *FIGURES)] == [False, 14, -0.8, -1.2, -0.4, 6.4, 7.3]
        assert [tuple(one.values()) for one in found["n20"]["contributors"]] == [("team", "Balie", 0.35, 14)]
        assert [found["calls"][name] for name in ("withheld", "n", "value")] == [False, 6, 6.4321]
        assert len(found["calls"]["contributors"]) == 2
    assert all(row["state"] == "found" for row in rows(town, "v_signals")), "that something was found is told"
    town.close()


def test_an_incident_has_all_that_a_command_needs(towns: tuple[Town, Town]) -> None:
    (row,) = rows(towns[0], "v_incidents")
    assert {name: row[name] for name in ("incident", "state", "channels", "signals", "worse", "pages", "text_nl", "closed_at")} == {
        "incident": "i1", "state": "open", "channels": ["email", "telephone"], "signals": ["a1", "b2"], "worse": True, "pages": True,
        "text_nl": "Zin", "closed_at": None,
    }  # fmt: skip


def test_a_stream_that_is_watched_no_more_is_shown_no_more(clickhouse: ClickHouseEngine) -> None:
    town = Town(clickhouse, organisation("veranderde-driftstad"))
    both = [Watch("telephone", stream, "watching", NOW, NOW, NOW + HOUR_MS, 0.5) for stream in ("volume", "wait")]
    drift.write_watches(town.owner, town.name, both, NOW)
    drift.write_watches(town.owner, town.name, both[:1], NOW + 1)
    (row,) = rows(town, "v_watches")
    assert (row["stream"], row["status"], row["budget"]) == ("volume", "watching", 0.5)
    town.close()
