"""Weeks of the simulated town, told by the real rules: what would be found hour by hour, asked and evaluated over simulated time.

A rule's `now64(…)` is replaced by the simulated instant in its text; nothing else of it changes. What is found comes from the backtest,
which runs the watch as the worker does, an hour at a time; incidents are derived each hour by the worker's own function and stored by the
worker's own store. Rows that nothing has written since are not asked for again: they are what they were.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from dashboards.alerts.evaluating import Alert, Evaluator
from dashboards.alerts.rules import rule
from pipeline.drift.backtest import DAY_MS, backtest
from pipeline.drift.incidents import Incident, IncidentEvent, incidents
from pipeline.drift.streams import HOUR_MS
from pipeline.drift.words import sentence
from pipeline.looking import SETTLING_MS, rules_of
from pipeline.rules import calendar_of
from pipeline.store import shown
from tests.dashboards.towns import Town

MINUTE_MS = 60_000
WEEKS = 12
NOW = "now64(3, 'UTC')"
STEP_MS = 30_000
BEAT_MS = 2 * MINUTE_MS
ACKNOWLEDGED_AFTER_MS = 20 * MINUTE_MS
"""Of opening time: somebody reads the message and takes note, before the next in line is called."""
DRIFT_RULES = ("incident", "incident_escalated", "outage", "incident_lasts")
LIFE_RULES = ("connector_silent", "figures_still")


@dataclass(frozen=True, slots=True)
class Gap:
    """A connector that gives no sign of life from one moment until another, epoch ms; `worker` for the worker, which shows nothing then.

    unreadable: the connector lives, but its source does not answer.
    """

    connector: str
    begin: int
    end: int
    unreadable: bool = False


@dataclass(slots=True)
class Told:
    """What was told in those weeks: every alert that fired, and when it ended; what came back within the hour."""

    fired: list[Alert] = field(default_factory=list)
    ended: dict[tuple[tuple[str, str], ...], int] = field(default_factory=dict)
    flaps: list[Alert] = field(default_factory=list)

    def note(self, before: Sequence[Alert], alerts: Sequence[Alert]) -> None:
        """The readings of a rule before, and now."""
        known = {_key(alert) for alert in before if alert.fires}
        for alert in alerts:
            if alert.state == "resolved":
                self.ended[_key(alert)] = alert.since
            elif alert.fires and _key(alert) not in known:
                self.fired.append(alert)
                if alert.fired_at is not None and alert.fired_at - self.ended.get(_key(alert), -HOUR_MS) < HOUR_MS:
                    self.flaps.append(alert)

    @property
    def pages(self) -> list[Alert]:
        """What calls somebody: an outage is told with its incident, in one message."""
        return [alert for alert in self.fired if alert.labels["severity"] == "page" and alert.rule != "outage"]


def _key(alert: Alert) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(alert.labels.items()))


class Weeks:
    """The last weeks of a town's history, told from `begin` to `end`."""

    def __init__(self, town: Town, end: int, weeks: int) -> None:
        self.town, self.begin, self.end = town, end - weeks * 7 * DAY_MS, end
        self.told = Told()
        self.calendar = calendar_of(town.organisation, "telephone")
        known = town.drift.known(town.organisation, end)
        assert known is not None
        outcomes = list(backtest(town.organisation, known, self.begin, ()))
        states = [state for outcome in outcomes for alarm in outcome.alarms for state in alarm.states]
        # The worker found them within the hour; the backtest, which looks back, takes them for a back-fill.
        self._states = sorted((replace(state, announce=True) for state in states), key=lambda one: (one.at, one.id, one.sequence))
        self._events: list[IncidentEvent] = []
        self._known: list[Incident] = []
        self._written = 0

    def tell(self, gaps: Sequence[Gap]) -> Told:
        """Go through all of it; incidents by steps of 30 seconds, signs of life at the moments at which silence is longest."""
        with closing(self.town.owner.open()) as owner, self.town.reader() as reader:
            owner.command("ALTER TABLE heartbeats REMOVE TTL")  # these weeks are long ago
            self._incidents(reader)
            self._life(owner, reader, gaps)
        return self.told

    def _incidents(self, reader: Client) -> None:
        evaluators = {name: Evaluator(rule(name)) for name in DRIFT_RULES}
        rows: dict[str, list[Mapping[str, Any]]] = {name: [] for name in DRIFT_RULES}
        alerts: dict[str, list[Alert]] = {name: [] for name in DRIFT_RULES}
        for at in range(self.begin, self.end, STEP_MS):
            asks = any(one.asks_since is not None for one in self._known)
            if at % HOUR_MS == SETTLING_MS or (asks and at % MINUTE_MS == 0):
                self._acknowledge(at)
                if self._derive(at):
                    rows = {name: asked(reader, name, at) for name in DRIFT_RULES}
            for name, evaluator in evaluators.items():
                if rows[name] or alerts[name]:
                    before, alerts[name] = alerts[name], evaluator.read(rows[name], at)
                    self.told.note(before, alerts[name])

    def _acknowledge(self, at: int) -> None:
        noted = {event.incident for event in self._events}
        for one in self._known:
            if one.asks_since is None or one.incident in noted:
                continue
            if self.calendar.open_ms_between(one.asks_since, at) >= ACKNOWLEDGED_AFTER_MS:
                self._events.append(IncidentEvent(at, at, "", "acknowledged", one.incident, "dienst"))

    def _derive(self, at: int) -> bool:
        """What the worker would store now; whether that is anything new."""
        town = self.town.organisation
        found = [one for one in self._states if one.at <= at]
        derived = incidents(town.organisation, found, self._events, rules_of(town, at), at, self._known)
        changed = [one for one in derived if one not in self._known]
        if (new := found[self._written :]) or changed:
            self.town.drift.write_signals(new, [(sentence(one, town, "nl", at), sentence(one, town, "en", at)) for one in new], at)
            self.town.drift.write_incidents(changed, at)
        self._known, self._written = derived, len(found)
        return bool(changed)

    def _life(self, owner: Client, reader: Client, gaps: Sequence[Gap]) -> None:
        connectors = [(name, system.sources[0]) for name, system in self.town.organisation.systems.items() if name != "contactmeter"]
        evaluators = {name: Evaluator(rule(name)) for name in LIFE_RULES}
        alerts: dict[str, list[Alert]] = {name: [] for name in LIFE_RULES}
        day, name = -1, self.town.name
        for at in self._moments(gaps):
            if at // DAY_MS != day:
                day = at // DAY_MS
                shown.refresh(owner, self.town.organisation, shown.PARTS["opening"], at - at % DAY_MS)
            beats = [
                [name, connector, source, _moment(heard(connector, at, gaps, True)), _moment(heard(connector, at, gaps)), 0.0, ""]
                for connector, source in connectors
            ]
            columns = ["organisation", "connector", "source", "observed_at", "last_read_at", "lag_s", "cursor"]
            owner.insert("heartbeats", beats, column_names=columns)
            alive = [name, "open", _moment(heard("worker", at, gaps)), 1]
            owner.insert("shown", [alive], column_names=["organisation", "part", "at", "took_ms"])
            for one, evaluator in evaluators.items():
                before, alerts[one] = alerts[one], evaluator.read(asked(reader, one, at), at)
                self.told.note(before, alerts[one])

    def _moments(self, gaps: Sequence[Gap]) -> list[int]:
        """Half a minute after it opens, before it closes, half-way, and around the end of every gap in opening hours."""
        periods = self.calendar.open_periods(self.begin, self.end)
        found = {at for opens, closes in periods for at in (opens + STEP_MS, (opens + closes) // 2, closes - STEP_MS)}
        by_day = [gap for gap in gaps if self.calendar.open_ms_between(gap.begin, gap.end)]
        found |= {gap.end + after for gap in by_day for after in (-2 * STEP_MS, -STEP_MS, STEP_MS, BEAT_MS + STEP_MS, 5 * BEAT_MS)}
        return sorted(at for at in found if self.begin + DAY_MS < at < self.end)


def heard(connector: str, at: int, gaps: Sequence[Gap], observed: bool = False) -> int:
    """The last sign of life before a moment, or the last time that its source answered; every two minutes outside gaps."""
    beat = at - at % BEAT_MS
    for gap in sorted((one for one in gaps if one.connector == connector), key=lambda one: -one.begin):
        if gap.begin <= beat < gap.end and not (observed and gap.unreadable):
            beat = (gap.begin - 1) // BEAT_MS * BEAT_MS
    return beat


def asked(reader: Client, name: str, at: int) -> list[Mapping[str, Any]]:
    """A rule's rows, asked as if it were another moment."""
    sql = rule(name).sql
    moment = f"fromUnixTimestamp64Milli(toInt64({at}), 'UTC')"
    assert not re.search(r"\b(now|now64|today|yesterday)\(", sql.replace(NOW, "")), "there is no other clock in it"
    return list(reader.query(sql.replace(NOW, moment)).named_results())


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
