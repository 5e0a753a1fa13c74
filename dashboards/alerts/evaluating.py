"""When a rule alerts, as Grafana reckons it: rows in, the clock in, alerts out. Pure.

    evaluator = Evaluator(rule)
    alerts = evaluator.read(rows, at_ms)     # every interval_s: the rows of rule.sql as mappings from column to value
    evaluator.failed(why, at_ms)             # instead, when the question could not be asked

Of Grafana's states: an instance above the threshold is `pending` until it has been so for `for_s`, then `firing`. One that falls to the
threshold or below is `recovering`, which still fires, for `keep_firing_s`, and then `resolved`; above the threshold again it is `firing`
at once. A pending one that falls is gone. Where one row of several is missing its instance stays as it was, and ends when it has been
missing for two intervals; where there is no row at all every instance is fine, as noDataState OK says. A question that fails changes
nothing but `error`, as execErrState KeepLast says: nobody is told that all is over because ClickHouse is away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from dashboards.alerts.rule import VALUE, Rule, filled
from dashboards.words import Text

State = Literal["pending", "firing", "recovering", "resolved"]
MISSING_INTERVALS = 2


@dataclass(frozen=True, slots=True)
class Alert:
    """One instance that is not simply fine. Times in ms. labels: those of the rule too. since: of the state. fired_at: None while pending.

    summary, description: its texts as they are now; path: the address of its board. `resolved` is given once, by the reading that ends it.
    """

    rule: str
    state: State
    labels: Mapping[str, str]
    value: float
    since: int
    fired_at: int | None
    summary: Text
    description: Text
    path: str

    @property
    def fires(self) -> bool:
        """Whether somebody is told of it."""
        return self.state in ("firing", "recovering")


class Evaluator:
    """The instances of one rule from reading to reading. Moments must not go back."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.error = ""
        self._alerts: dict[tuple[str, ...], Alert] = {}
        self._seen: dict[tuple[str, ...], int] = {}

    def read(self, rows: Iterable[Mapping[str, Any]], at_ms: int) -> list[Alert]:
        """What alerts after this reading, with what it ended. Raises ValueError for two rows of one instance and for a missing column."""
        self.error = ""
        found = list(rows)
        read: set[tuple[str, ...]] = set() if found else set(self._alerts)
        told: list[Alert] = []
        for key in read:
            fine = replace(self._alerts[key], state="pending", value=self.rule.threshold, since=at_ms, fired_at=None)
            self._seen[key] = at_ms
            self._keep(key, self._next(self._alerts[key], fine, at_ms), told)
        for row in found:
            key = tuple(str(row[name]) for name in self.rule.labels)
            if key in read:
                raise ValueError(f"rule {self.rule.id}: two rows are {dict(zip(self.rule.labels, key, strict=True))}")
            read.add(key)
            self._seen[key] = at_ms
            self._keep(key, self._next(self._alerts.get(key), instance(self.rule, row, at_ms), at_ms), told)
        oldest = at_ms - MISSING_INTERVALS * self.rule.interval_s * 1000
        for key in [one for one, seen in self._seen.items() if one not in read and seen <= oldest]:
            del self._seen[key]
            before = self._alerts.get(key)
            self._keep(key, replace(before, state="resolved", since=at_ms) if before else None, told)
        told += [alert for key, alert in self._alerts.items() if key not in read]
        return told

    def failed(self, why: str, at_ms: int) -> list[Alert]:
        """The same as before: the question could not be asked. Instances are not missing for that time."""
        self.error = why
        self._seen = dict.fromkeys(self._seen, at_ms)
        return list(self._alerts.values())

    def _keep(self, key: tuple[str, ...], alert: Alert | None, told: list[Alert]) -> None:
        self._alerts.pop(key, None)
        if alert is None:
            return
        if alert.state != "resolved":
            self._alerts[key] = alert
        elif alert.fired_at is None:
            return
        told.append(alert)

    def _next(self, before: Alert | None, now: Alert, at_ms: int) -> Alert | None:
        """The instance after a reading; None when it is simply fine."""
        if now.value > self.rule.threshold:
            if before is None:
                state: State = "pending" if self.rule.for_s else "firing"
                return replace(now, state=state, fired_at=None if self.rule.for_s else at_ms)
            if before.state == "pending" and at_ms - before.since < self.rule.for_s * 1000:
                return replace(now, since=before.since)
            since = before.since if before.state == "firing" else at_ms
            return replace(now, state="firing", since=since, fired_at=at_ms if before.fired_at is None else before.fired_at)
        if before is None or before.state == "pending":
            return None
        if before.state == "firing" and self.rule.keep_firing_s:
            return replace(now, state="recovering", fired_at=before.fired_at)
        if before.state == "recovering" and at_ms - before.since < self.rule.keep_firing_s * 1000:
            return replace(now, state="recovering", since=before.since, fired_at=before.fired_at)
        return replace(now, state="resolved", fired_at=before.fired_at)


def instance(rule: Rule, row: Mapping[str, Any], at_ms: int) -> Alert:
    """A row as a pending instance with its labels and texts. Raises ValueError when a column is missing."""
    missing = [name for name in (*rule.labels, *rule.told, VALUE) if name not in row]
    if missing:
        raise ValueError(f"rule {rule.id}: the answer has no column {', '.join(missing)}")
    value = row[VALUE]
    labels = {name: str(row[name]) for name in rule.labels}
    texts = {**labels, **{name: str(row[name]) for name in rule.told}, VALUE: f"{value:.0f}"}
    return Alert(
        rule.id,
        "pending",
        {**rule.all_labels, **{name: text for name, text in labels.items() if text}},
        float(value),
        at_ms,
        None,
        Text(*(filled(text, texts.__getitem__) for text in rule.summary)),
        Text(*(filled(text, texts.__getitem__) for text in rule.description)),
        filled(rule.path, texts.__getitem__),
    )
