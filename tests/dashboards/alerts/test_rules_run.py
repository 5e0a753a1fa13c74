"""Every rule on a real ClickHouse, as the board user: the right instances above the threshold, with the right labels and texts."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from dashboards.alerts.evaluating import Evaluator
from dashboards.alerts.grafana import content
from dashboards.alerts.paging import SILENT_S, STILL_S
from dashboards.alerts.rule import Rule
from dashboards.alerts.rules import RULES, rule
from pipeline.drift.incidents import Incident
from pipeline.drift.signal import Signal
from pipeline.drift.status import Watch
from pipeline.store import drift, drift_incidents, shown
from pipeline.store.client import Connection
from schemas.types import epoch_ms, iso
from tests.e2e.synthetic import event
from tests.engines import ClickHouseEngine, start_clickhouse
from tests.pipeline.store.lives import MAIL, PBX, Measured, municipality

TOWN = "meldstad"
HOUR = timedelta(hours=1)
STATUTORY = {
    "id": "klacht_6w", "title": {"nl": "Klacht binnen 6 weken", "en": "Complaint within 6 weeks"}, "applies_to": {"channels": ["email"]},
    "clock": "statutory-term", "threshold": "6w", "stop": "closed", "source": "Awb 9:11", "target": 1.0,
}  # fmt: skip
CALLS = {
    "id": "calls_45s", "title": {"nl": "Binnen 45 s", "en": "Within 45 s"}, "applies_to": {"channels": ["telephone"]}, "clock": "elapsed",
    "threshold": "45s", "start": "queued", "stop": "answered", "target": 0.8, "source": "invented",
}  # fmt: skip
BACK = {
    "id": "back_1h", "title": {"nl": "Binnen een uur teruggebeld", "en": "Called back within an hour"}, "threshold": "1h",
    "applies_to": {"channels": ["telephone"]}, "clock": "elapsed", "start": "callback_requested", "stop": "called_back",
    "source": "invented",
}  # fmt: skip


@dataclass
class World:
    """The town, its owner's client, and when it was filled."""

    town: Measured
    owner: Client
    now: datetime
    written: int = 0

    def version(self) -> int:
        """Later than all that was written before."""
        self.written += 1
        return self.now_ms + self.written

    def opening(self, *hours: tuple[str, datetime, datetime]) -> None:
        """Opening hours as they are shown: the test's own, or those of the calendar again."""
        if not hours:
            shown.refresh(self.owner, self.town.settings, shown.PARTS["opening"], self.version())
            return
        names = ["organisation", "part", "version", "at", "rows"]
        self.owner.insert("shown_opening", [[TOWN, "", self.version(), self.now, list(hours)]], column_names=names)

    @property
    def now_ms(self) -> int:
        return epoch_ms(self.now)

    def rows(self, rule: Rule) -> list[dict[str, Any]]:
        return [dict(row) for row in self.town.reader.query(rule.sql).named_results()]

    def over(self, name: str) -> list[dict[str, Any]]:
        """The instances of a rule above its threshold."""
        return [row for row in self.rows(rule(name)) if row["value"] > rule(name).threshold]

    def heartbeat(self, connector: str, observed: datetime, read: datetime | None, lag_s: float | None = 0.0) -> None:
        names = ["organisation", "connector", "source", "observed_at", "last_read_at", "lag_s", "cursor"]
        self.owner.insert("heartbeats", [[TOWN, connector, PBX, observed, read, lag_s, ""]], column_names=names)

    def incident(self, name: str, signals: tuple[Signal, ...], **fields: Any) -> None:
        """An incident that asks for somebody, and its signals."""
        one = Incident(
            TOWN, name, "open", ("telephone",), tuple(signal.id for signal in signals), True, True, self.now_ms, self.now_ms, None,
            "Telefoon: lang wachten.", "Telephone: long waits.", asks_since=self.now_ms,
        )  # fmt: skip
        drift.write_signals(self.owner, list(signals), [("nl", "en")] * len(signals), self.now_ms)
        drift_incidents.write_incidents(self.owner, [replace(one, **fields)], self.version())


def signal(name: str, at: int, channel: str = "telephone", **fields: Any) -> Signal:
    one = Signal(TOWN, name, 0, "found", channel, "wait", "wait", "time", 1, at, at - 1, 2.0, 1.5, 2.5, 60.0, 30.0, 400)
    return replace(one, **fields)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    engine = start_clickhouse(tmp_path_factory.mktemp("clickhouse"))
    try:
        yield from _world(engine)
    finally:
        engine.stop()


def _world(engine: ClickHouseEngine) -> Iterator[World]:
    text = municipality(
        TOWN, opening_hours={"mon-sun": "00:00-24:00"}, closing_days={"public_holidays": "none"}, norms=[STATUTORY, CALLS, BACK]
    )
    with closing(Measured(engine, text)) as town:
        owner = Connection(engine.host, engine.http_port, engine.user, engine.password).open()
        with closing(owner):
            now = datetime.now(UTC)
            town.take_in(_events(now))
            columns = [
                "organisation",
                "channel",
                "measure",
                "window",
                "as_of",
                "version",
                "n",
                "total",
                "value",
                "low",
                "high",
                "target",
                "attainment",
            ]
            owner.insert("rolling", [[TOWN, *row] for row in _figures(now)], column_names=columns)
            shown.refresh_all(owner, town.settings, epoch_ms(now))
            yield World(town, owner, now)


def _events(now: datetime) -> Iterator[Any]:
    """Complaints, two of them extended until tomorrow, 30 calls of which 25 were answered late, and a call-back owed."""
    cases: list[tuple[str, int, dict[str, Any]]] = [
        ("zaak-1", 50, {"team": "Zuid"}),
        ("zaak-2", 50, {"confidential": True}),
        ("zaak-3", 20, {}),
        ("zaak-4", 60, {}),
    ]
    for name, days, extra in cases:
        yield event("contact.opened", MAIL, epoch_ms(now - timedelta(days=days)), {"contact": name, "channel": "email", **extra})
        if days == 50:
            extended: dict[str, object] = {"contact": name, "due_at": iso(epoch_ms(now + 20 * HOUR))}
            yield event("contact.extended", MAIL, epoch_ms(now - timedelta(days=20)), extended)
    for number in range(30):
        at = epoch_ms(now - timedelta(days=2, minutes=number))
        yield event("contact.opened", PBX, at, {"contact": f"c{number}", "channel": "telephone", "team": "Zuid"})
        yield event("contact.queued", PBX, at, {"contact": f"c{number}"})
        yield event("contact.answered", PBX, at + (90_000 if number < 25 else 10_000), {"contact": f"c{number}"})
        yield event("contact.closed", PBX, at + 300_000, {"contact": f"c{number}", "result": "handled"})
    asked = epoch_ms(now - HOUR / 2)
    yield event("contact.opened", PBX, asked, {"contact": "terug", "channel": "telephone", "team": "Zuid"})
    yield event("contact.callback_requested", PBX, asked + 1, {"contact": "terug"})


def _figures(now: datetime) -> Iterator[list[Any]]:
    """Rolling figures: a norm far from its target, one that is just above it, one with too few contacts."""
    share = ("telephone", "norm:calls_45s", "28d", now, 1)
    yield [*share, 30, 5, 5 / 30, 0.07, 0.34, 0.8, "not_met"]
    yield ["counter", *share[1:], 30, 23, 23 / 30, 0.59, 0.88, 0.8, "not_met"]
    yield ["email", *share[1:], 8, 1, 1 / 8, 0.02, 0.47, 0.8, "too_few"]
    yield ["telephone", "norm_mean:wait", "28d", now, 1, 40, 4_020_000, 100.5, 80.0, 120.0, 60.0, "not_met"]
    yield ["telephone", "norm:calls_45s", "24h", now, 1, 30, 5, 5 / 30, 0.07, 0.34, 0.8, "not_met"]


@pytest.mark.parametrize("one", RULES, ids=lambda one: one.id)
def test_every_question_of_every_rule_gives_texts_and_one_number(world: World, one: Rule) -> None:
    for step in content(one)["data"]:
        if step["refId"] in ("A", "T"):
            sql = step["model"]["rawSql"]
            world.town.reader.query(sql)
            kinds = {str(name): str(kind) for name, kind, *_ in world.town.reader.query(f"DESCRIBE ({sql})").result_rows}
            assert kinds.pop("value") == "Float64", "one number, never null"
            assert set(kinds) == {*one.labels, *(one.told if step["refId"] == "T" else ())}
            assert set(kinds.values()) <= {"String"}, kinds
    Evaluator(one).read(world.rows(one), world.now_ms)


def signals_of(world: World, name: str, **fields: Any) -> tuple[Signal, ...]:
    """A signal on the telephone, and a later one on the counter."""
    first = signal(f"{name}-a", world.now_ms - 7_200_000, **fields)
    return first, signal(f"{name}-b", world.now_ms - 3_600_000, "counter")


def test_an_incident_pages_until_somebody_takes_note_and_keeps_its_labels(world: World) -> None:
    world.incident("i-asks", signals_of(world, "asks"))
    (asked,) = world.over("incident")
    assert asked["act_nl"].endswith(f"`contactmeter incident acknowledge {TOWN} i-asks`.")
    assert [(row["incident"], row["channel"]) for row in world.over("incident")] == [("i-asks", "telephone")]
    assert not world.over("incident_escalated")
    assert not world.over("outage")
    world.incident("i-asks", signals_of(world, "asks"), channels=("counter", "telephone"), escalated_at=world.now_ms)
    (row,) = world.over("incident_escalated")
    assert row["channel"] == "telephone", "the label does not change when a channel joins"
    assert (row["status_nl"], row["status_en"]) == ("niemand heeft gereageerd", "nobody has reacted")
    world.incident("i-asks", signals_of(world, "asks"), asks_since=None, acknowledged_at=world.now_ms, acknowledged_by="anna")
    assert not world.over("incident")
    (row,) = [row for row in world.rows(rule("incident")) if row["incident"] == "i-asks"]
    assert (row["value"], row["status_nl"], row["act_nl"]) == (0, "gezien door anna", ""), (
        "the row stays, so that the message says why it ended"
    )
    assert [row["incident"] for row in world.over("incident_lasts")] == ["i-asks"], "who follows along hears when it is over"
    world.incident("i-asks", signals_of(world, "asks"), asks_since=None, state="closed", closed_at=world.now_ms)
    assert not world.over("incident_lasts")


def test_improvement_and_what_is_found_afterwards_page_nobody(world: World) -> None:
    world.incident("i-better", signals_of(world, "better"), worse=False, pages=False, asks_since=None)
    assert "i-better" not in {row["incident"] for name in ("incident", "outage", "incident_lasts") for row in world.rows(rule(name))}


def test_an_outage_is_a_volume_or_a_share_down_to_almost_nothing(world: World) -> None:
    fields = {"stream": "volume", "measure": "volume", "kind": "volume", "side": -1, "usual": 40.0}
    world.incident("i-fewer", signals_of(world, "fewer", value=20.0, **fields))
    world.incident("i-out", signals_of(world, "out", value=0.5, **fields))
    assert {row["incident"] for row in world.over("incident")} == {"i-fewer", "i-out"}
    assert [row["incident"] for row in world.over("outage")] == ["i-out"]
    for name in ("i-fewer", "i-out"):
        world.incident(name, signals_of(world, name), asks_since=None, state="closed", closed_at=world.now_ms)


def test_a_connector_is_silent_by_open_time_up_to_when_the_worker_lived(world: World) -> None:
    world.heartbeat("fresh", world.now, world.now)
    world.heartbeat("dead", world.now - HOUR, world.now - HOUR)
    world.heartbeat("cut off", world.now, world.now - HOUR, None)
    world.heartbeat("file", world.now - HOUR, world.now - HOUR, None)
    world.heartbeat("hiccup", world.now - timedelta(seconds=SILENT_S - 30), world.now - timedelta(seconds=SILENT_S - 30))
    world.heartbeat("after worker", world.now + HOUR, world.now + HOUR)
    world.heartbeat("removed", world.now - timedelta(days=8), world.now - timedelta(days=8))
    found = {row["connector"]: row for row in world.over("connector_silent")}
    assert found.keys() == {"dead", "cut off"}
    assert found["dead"]["value"] == pytest.approx(3600, abs=2), "in seconds"
    assert found["dead"]["minutes"] in ("59", "60")
    assert {row["connector"] for row in world.rows(rule("connector_silent"))} >= {"fresh", "hiccup"}, "and the others are there, and fine"


def test_a_connector_is_not_missed_while_all_is_closed(world: World) -> None:
    world.opening(*((name, world.now - HOUR * 30, world.now - HOUR * 20) for name in ("telephone", "counter")))
    try:
        assert world.rows(rule("connector_silent"))
        assert not world.over("connector_silent"), "it was last heard an hour ago, and nothing was open since"
    finally:
        world.opening()


def test_a_channel_of_which_nothing_is_heard(world: World) -> None:
    at = world.now_ms
    watches = [Watch("telephone", "wait", "unknown", at, at, at, 0.25), Watch("counter", "wait", "watching", at, at, at, 0.25)]
    drift.write_watches(world.owner, TOWN, watches, at)
    assert {row["channel"]: row["value"] for row in world.rows(rule("channel_unheard"))} == {"telephone": 1, "counter": 0}


def test_a_channel_that_a_silent_connector_explains_calls_nobody_again(world: World) -> None:
    silent_since = world.now - HOUR * 4
    world.heartbeat("explains", silent_since, silent_since)
    for looked_until, called in ((silent_since - HOUR / 2, 0.0), (silent_since + HOUR / 2, 1.0), (silent_since - HOUR * 3, 1.0)):
        at = world.version()
        drift.write_watches(world.owner, TOWN, [Watch("telephone", "wait", "unknown", at, at, epoch_ms(looked_until), 0.25)], at)
        assert [row["value"] for row in world.rows(rule("channel_unheard"))] == [called], looked_until
    try:
        closes = world.now + HOUR * 8
        world.opening(("telephone", world.now - timedelta(minutes=5), closes), ("email", world.now - HOUR * 13, closes))
        (row,) = world.rows(rule("morning"))
        assert "koppelingen die zwijgen: 3, kanalen waarvan niets binnenkomt: 1" in row["line_nl"], "that is not all quiet"
    finally:
        world.opening()


def test_terms_of_law_that_end_within_two_open_days(world: World) -> None:
    found = world.over("term_about_to_pass")
    days = {row["due"] for row in found}
    assert len(days) == 1
    assert {row["due_nl"] for row in found} == {"-".join(reversed(day.split("-"))) for day in days}
    assert {(row["channel"], row["team_nl"], row["norm"], row["cases"], row["which_nl"]) for row in found} == {
        ("email", "team Zuid", "klacht_6w", "1", "zaak-1"),
        ("email", "zonder team", "klacht_6w", "1", "vertrouwelijk"),
    }, "the confidential case is counted, not named; one of 20 days and one that is past are not about to pass"
    (passed,) = world.over("term_passed")
    assert (passed["norm"], passed["cases"], passed["norm_nl"]) == ("klacht_6w", "1", "Klacht binnen 6 weken")


def test_a_day_is_no_working_day_for_a_website_that_is_always_open(world: World) -> None:
    always = [("website", world.now - HOUR * 24 * days, world.now + HOUR * 30) for days in (1, 2, 3)]
    try:
        world.opening(*always, ("telephone", world.now + HOUR, world.now + HOUR * 3))
        assert len(world.over("term_about_to_pass")) == 2, "one day is left at which somebody is there"
        world.opening(*always)
        assert not world.over("term_about_to_pass"), "where nothing else is open, its days are what there is"
    finally:
        world.opening()


def test_figures_that_stand_still(world: World) -> None:
    (row,) = world.rows(rule("figures_still"))
    assert row["organisation"] == TOWN
    assert 0 <= row["value"] < STILL_S
    assert world.over("heartbeat")


def test_a_norm_that_is_not_met_with_enough_contacts(world: World) -> None:
    mean, row = sorted(world.over("norm_not_met"), key=lambda one: one["shown_nl"])
    assert (row["channel"], row["measure"], row["title_nl"]) == ("telephone", "norm:calls_45s", "Binnen 45 s")
    assert (row["shown_nl"], row["aim_nl"], row["contacts"]) == ("17 %", "80 %", "30")
    assert (mean["measure"], mean["title_nl"], mean["shown_nl"], mean["shown_en"]) == (
        "norm_mean:wait",
        "norm_mean:wait",
        "100,5 s",
        "100.5 s",
    ), "a mean may not be above its target"
    assert len(world.rows(rule("norm_not_met"))) == 4, "the interval of one holds its target, another has too few contacts: both are fine"
    assert not world.over("grade_not_met")


def test_call_backs_due_today(world: World) -> None:
    (row,) = world.over("callbacks_due")
    assert (row["channel"], row["team"], row["late"], row["soon"]) == ("telephone", "Zuid", "0", "1")


def test_the_morning_line_comes_once_a_day_whatever_there_is_to_say(world: World) -> None:
    try:
        closes = world.now + HOUR * 8
        world.opening(("telephone", world.now - timedelta(minutes=5), closes), ("email", world.now - HOUR * 13, closes))
        (row,) = world.over("morning")
        assert "terug te bellen: 1" in row["line_nl"]
        assert "normen niet gehaald: 3" in row["line_nl"]
        assert "call-backs to do: 1" in row["line_en"]
        world.opening(("telephone", world.now - timedelta(minutes=45), closes))
        assert [row["value"] for row in world.rows(rule("morning"))] == [0]
    finally:
        world.opening()
