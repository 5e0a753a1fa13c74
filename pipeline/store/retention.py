"""How long each table keeps its rows: ClickHouse's TTL, as the settings say. TTL merges delete what is due, hours later at the latest.

The column a TTL counts from must never be less in a later version of a row, else the version before would outlive it and count again.

- contacts and answers: the later of their last moment and `appended_at`, when the log took in their last change, which only grows. So
  history that is loaded today is kept. Never `stored_at`: rejudging would renew it, and nothing would ever be deleted. Tombstones stay:
  they keep what was forgotten from coming back.
- Of `notices` the invitations go with the answers; markers and acknowledgements stay.
"""

import re
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.retention import Kept, Period, Retention
from pipeline.store.client import DATABASE, passing_errors


@dataclass(frozen=True)
class Rule:
    """A table, the period it follows, the DateTime its rows count from, and which rows are concerned (as ClickHouse writes it down)."""

    table: str
    kind: str
    moment: str
    where: str = ""

    def ttl(self, period: Period) -> str:
        """The TTL expression as ClickHouse itself writes it, so that it can be compared; "" for ever."""
        if not period.count:
            return ""
        return f"{self.moment} + toInterval{period.unit.capitalize()}({period.count})" + (f" WHERE {self.where}" if self.where else "")


RULES = (
    Rule("contacts", "contacts", "toDateTime(greatest(last_at, appended_at))", "NOT forgotten"),
    Rule("survey_answers", "answers", "toDateTime(greatest(answered_at, appended_at))", "NOT forgotten"),
    Rule("notices", "answers", "toDateTime(occurred_at)", "kind = 'survey.invited'"),
    Rule("comments", "comments", "toDateTime(answered_at)"),
    Rule("rejects", "rejected", "toDateTime(appended_at)"),
    Rule("rolling", "figures", "as_of"),
    Rule("signals", "contacts", "toDateTime(intDiv(version, 1000))"),
    Rule("incidents", "contacts", "toDateTime(intDiv(version, 1000))"),
    Rule("gauges", "gauges", "toDateTime(observed_at)"),
    Rule("gauge_readings", "gauges", "stored_at"),
    Rule("heartbeats", "heartbeats", "toDateTime(observed_at)"),
)
_TTL = re.compile(r" TTL (.+?)(?= SETTINGS |$)")
_INTERVAL = re.compile(r"toInterval(Day|Month)\((\d+)\)")


def kept(client: Client, retention: Retention) -> list[Kept]:
    """How long each table keeps its rows, beside what the settings say. Tables that are not there are left out. Raises Unavailable."""
    return [_kept(client, rule, ttl, getattr(retention, rule.kind)) for rule, ttl in _ttls(client)]


def in_force(client: Client) -> dict[str, Period]:
    """How long each table keeps its rows now. A TTL that is not ours counts as one day: nothing may be built on it. Raises Unavailable."""
    return {rule.table: _period(ttl) or Period(1) for rule, ttl in _ttls(client)}


def _ttls(client: Client) -> list[tuple[Rule, str]]:
    """The TTL expression of every table that is there, "" without one."""
    with passing_errors("reading the retention of the tables"):
        rows = client.query(f"SELECT name, engine_full FROM system.tables WHERE database = '{DATABASE}'").result_rows
    found = {str(name): _TTL.search(str(engine)) for name, engine in rows}
    return [(rule, match[1] if (match := found[rule.table]) else "") for rule in RULES if rule.table in found]


def _period(ttl: str) -> Period | None:
    """Of a TTL expression; None of one that is not ours."""
    if not ttl:
        return Period(0)
    interval = _INTERVAL.search(ttl)
    return Period(int(interval[2]), interval[1].lower()) if interval else None


def _kept(client: Client, rule: Rule, now: str, wanted: Period) -> Kept:
    if now == rule.ttl(wanted):
        return Kept(rule.table, rule.kind, str(wanted), wanted, differs=False)
    expired = _expired(client, rule, wanted)
    return Kept(rule.table, rule.kind, str(_period(now) or now), wanted, differs=True, deletes=f"{expired:,} rows" if expired else "")


def _expired(client: Client, rule: Rule, period: Period) -> int:
    if not period.count:
        return 0
    due = f"{rule.moment} + toInterval{period.unit.capitalize()}({period.count}) <= now()"
    with passing_errors(f"counting the rows of {rule.table} that are due"):
        return int(client.query(f"SELECT count() FROM {rule.table} WHERE {due} AND {rule.where or '1'}").result_rows[0][0])


def keep(client: Client, changed: Kept) -> None:
    """Give a table the TTL that the settings say. Raises Unavailable."""
    (rule,) = (rule for rule in RULES if rule.table == changed.what)
    ttl = rule.ttl(changed.wanted)
    with passing_errors(f"changing the retention of {rule.table}"):
        client.command(f"ALTER TABLE {rule.table} {f'MODIFY TTL {ttl}' if ttl else 'REMOVE TTL'}")
