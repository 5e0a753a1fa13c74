"""Signals, checkpoints, watches and incidents on the real server: what is written is read, and the last word holds."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.drift.checkpoint import Checkpoint
from pipeline.drift.incidents import Incident, IncidentEvent
from pipeline.drift.signal import Contributor, Signal
from pipeline.drift.status import Watch
from pipeline.store import drift, drift_incidents
from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine
from tests.pipeline.store.satisfied import Town, organisation

HOUR_MS = 3_600_000
NOW = epoch_ms(datetime.now(UTC).replace(minute=0, second=0, microsecond=0))
TEXTS = ("Zin", "Sentence")
_NUMBERS = itertools.count()


@pytest.fixture
def town(clickhouse: ClickHouseEngine) -> Iterator[Town]:
    """An organisation of which nothing was found yet."""
    town = Town(clickhouse, organisation(f"driftstad-{next(_NUMBERS)}"))
    yield town
    town.close()


def signal(town: Town, name: str = "a1", **fields: object) -> Signal:
    contributors = (Contributor("team", "Burgerzaken", 0.61, 40), Contributor("product", "paspoort", 0.4, 31))
    found = Signal(
        town.name, name, 0, "found", "telephone", "norm:calls_45s", "norm:calls_45s", "compliance", -1, NOW, NOW - 5 * HOUR_MS,
        -0.23, -0.31, -0.15, 0.58, 0.81, 412, contributors,
    )  # fmt: skip
    return replace(found, **fields)  # type: ignore[arg-type]


def test_signals_come_back_as_they_were_written(town: Town) -> None:
    states = [
        signal(town),
        signal(town, sequence=1, state="grown", at=NOW + HOUR_MS, n=600, contributors=(), size=0.1 + 0.2),
        signal(town, sequence=2, state="over", at=NOW + 2 * HOUR_MS, ended="recovered"),
        signal(town, "b2", kind="volume", stream="volume", measure="volume", side=1, announce=False, onset=NOW - 90 * HOUR_MS),
    ]
    drift.write_signals(town.owner, states, [TEXTS] * 4, NOW)
    assert drift.signals(town.owner, town.name) == states
    drift.write_signals(town.owner, [], [], NOW)
    assert drift.signals(town.owner, "elders") == []


def test_a_state_that_late_data_changed_replaces_the_one_that_stood(town: Town) -> None:
    before, after = signal(town), signal(town, onset=NOW - 7 * HOUR_MS, n=500)
    drift.write_signals(town.owner, [before], [TEXTS], NOW)
    drift.write_signals(town.owner, [after], [TEXTS], NOW + 1)
    drift.write_signals(town.owner, [before], [TEXTS], NOW)
    assert drift.signals(town.owner, town.name) == [after]


def test_only_signals_that_last_or_ended_since(town: Town) -> None:
    old = [signal(town, "old", at=NOW - 900 * HOUR_MS), signal(town, "old", sequence=1, state="over", at=NOW - 800 * HOUR_MS)]
    recent = [signal(town, "recent", at=NOW - 900 * HOUR_MS), signal(town, "recent", sequence=1, state="over", at=NOW - 10 * HOUR_MS)]
    lasting = [signal(town, "lasting", at=NOW - 900 * HOUR_MS)]
    states = lasting + old + recent
    drift.write_signals(town.owner, states, [TEXTS] * len(states), NOW)
    assert drift.signals(town.owner, town.name, NOW - 10 * HOUR_MS) == lasting + recent
    assert drift.signals(town.owner, town.name) == states


def test_each_state_has_its_texts(town: Town) -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        drift.write_signals(town.owner, [signal(town)], [], NOW)


def test_checkpoints_come_back_by_stream_and_in_order(town: Town) -> None:
    volume, wait = ("telephone", "volume"), ("telephone", "wait")
    days = [Checkpoint(20_000 + day, f'{{"w":[{day}]}}', '{"m":[1.5]}', f"d{day}", 1) for day in range(3)]
    drift.write_checkpoints(town.owner, town.name, {volume: days[::-1], wait: days[:1]}, NOW)
    assert drift.checkpoints(town.owner, town.name) == {volume: days, wait: days[:1]}
    again = days[1]._replace(digest="other", state="{}")
    drift.write_checkpoints(town.owner, town.name, {volume: [again], wait: []}, NOW + 1)
    assert drift.checkpoints(town.owner, town.name)[volume] == [days[0], again, days[2]]
    drift.write_checkpoints(town.owner, town.name, {}, NOW + 2)
    assert drift.checkpoints(town.owner, "elders") == {}


def test_what_was_written_long_ago_goes(town: Town) -> None:
    """Counted from writing, never from the day itself: history that is loaded today has checkpoints of years ago."""
    day_ms = 24 * HOUR_MS
    drift.write_checkpoints(town.owner, town.name, {("telephone", "volume"): [Checkpoint(1, "{}", "{}", "", 1)]}, NOW - 36 * day_ms)
    drift.write_checkpoints(town.owner, town.name, {("telephone", "wait"): [Checkpoint(1, "{}", "{}", "", 1)]}, NOW - 34 * day_ms)
    drift.write_signals(town.owner, [signal(town, "a"), signal(town, "b")], [TEXTS] * 2, NOW - 800 * day_ms)
    drift.write_signals(town.owner, [signal(town, "b")], [TEXTS], NOW)
    for table in ("checkpoints", "signals"):
        town.owner.command(f"OPTIMIZE TABLE {table} FINAL")
    assert list(drift.checkpoints(town.owner, town.name)) == [("telephone", "wait")]
    assert [one.id for one in drift.signals(town.owner, town.name)] == ["b"]


def test_the_last_look_says_what_is_watched(town: Town) -> None:
    volume = Watch("telephone", "volume", "learning", NOW, NOW + 500 * HOUR_MS, None, 0.25, "4 van 28 dagen")
    wait = Watch("telephone", "wait", "unknown", NOW, None, NOW + HOUR_MS, 0.25)
    drift.write_watches(town.owner, town.name, [wait, volume], NOW)
    assert drift.watches(town.owner, town.name) == [volume, wait]
    watching = volume._replace(status="watching", until=NOW + 2 * HOUR_MS)
    drift.write_watches(town.owner, town.name, [watching], NOW + 1)
    assert drift.watches(town.owner, town.name) == [watching]


def incident(town: Town, name: str, **fields: object) -> Incident:
    channels, signals = ("email", "telephone"), ("a1", "b2")
    opened = Incident(town.name, name, "open", channels, signals, True, True, NOW, NOW + HOUR_MS, None, *TEXTS)
    return replace(opened, **fields)  # type: ignore[arg-type]


def test_incidents_come_back_as_they_were_last_written(town: Town) -> None:
    first, second = incident(town, "i1", asks_since=NOW), incident(town, "i2", opened_at=NOW - HOUR_MS, worse=False, pages=False)
    drift_incidents.write_incidents(town.owner, [first, second], NOW)
    assert drift_incidents.incidents(town.owner, town.name) == [second, first]
    changed = incident(
        town, "i1", state="closed", closed_at=NOW + 9 * HOUR_MS, acknowledged_at=NOW + 1, acknowledged_by="Jo", silenced_until=NOW + 2,
        silenced_by="Al", reason="storm", asks_since=None, escalated_at=NOW + 3, merged_into="i2",
    )  # fmt: skip
    drift_incidents.write_incidents(town.owner, [changed], NOW + 1)
    drift_incidents.write_incidents(town.owner, [], NOW + 2)
    assert drift_incidents.incidents(town.owner, town.name) == [second, changed]


def test_what_people_said_counts_in_order_of_when_they_said_it(town: Town) -> None:
    at = datetime(2026, 5, 1, 9, tzinfo=UTC)
    until = epoch_ms(at + timedelta(hours=4))
    town.notice("incident.silenced", at + timedelta(minutes=2), {"incident": "i1", "who": "Al", "until": until, "reason": "storm"})
    town.notice("incident.acknowledged", at, {"incident": "i1", "who": "Jo"}, digest="e")
    town.notice("incident.acknowledged", at, {"incident": "i2", "who": "Jo", "reason": "gezien"}, digest="c")
    town.notice("marker.set", at, {"marker": "m", "kind": "outage", "from": epoch_ms(at)})
    said = epoch_ms(at)
    assert drift_incidents.incident_events(town.owner, town.name) == [
        IncidentEvent(said, said, "c", "acknowledged", "i2", "Jo", None, "gezien"),
        IncidentEvent(said, said, "e", "acknowledged", "i1", "Jo"),
        IncidentEvent(said + 120_000, said + 120_000, "d", "silenced", "i1", "Al", until, "storm"),
    ]
