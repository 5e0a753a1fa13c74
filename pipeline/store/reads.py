"""What the command line and the reports read: the views, never a table."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.store.client import Connection, passing_errors
from pipeline.store.markers import Marker, markers
from schemas.terms import duration_ms


class RollingRow(NamedTuple):
    """One rolling figure. value and interval in the measure's unit; as_of in UTC."""

    channel: str
    measure: str
    window: str
    as_of: datetime
    n: int
    total: int
    squares: int


class QuarterRow(NamedTuple):
    """Integer sums of one measure in one quarter; `group` is a channel, or channel and via."""

    group: str
    measure: str
    quarter: str
    n: int
    total: int
    squares: int


class OutcomeRow(NamedTuple):
    """Verdicts of one norm in one quarter. `excluded` names the reason, "" for those that count or will."""

    group: str
    norm: str
    quarter: str
    excluded: str
    outcomes: int
    within: int
    late: int
    pending: int
    overdue: int
    stale: int


class RejectReason(NamedTuple):
    """How many rejects that wait for a decision have one reason, and the message of the last of them."""

    reason: str
    rejects: int
    example: str


class Views:
    """The views, read as one user: what `readers` lets that user see. Raises Unavailable."""

    def __init__(self, connection: Connection) -> None:
        self._client: Client = connection.open(database="contactmeter_views")

    def organisations(self) -> dict[str, dict[str, Any]]:
        """What is in force, by organisation."""
        return {str(row["organisation"]): dict(row) for row in self._named("SELECT * FROM v_organisations ORDER BY organisation", {})}

    def targets(self, organisation: str, day: date) -> dict[str, float]:
        """Target per measure on a local day: of a norm that of the version valid then, of an aspect the one valid then.

        A norm on a mean is met at or below its threshold, in seconds; one on a maximum when all contacts are within it.
        """
        found: dict[str, float] = {}
        sql = """SELECT norm, statistic, threshold, target FROM v_norms
                 WHERE organisation = {organisation:String} AND valid_from <= {day:Date32} AND {day:Date32} < valid_to"""
        for norm, statistic, threshold, target in self._rows(sql, organisation, day=day):
            if statistic == "mean":
                found[f"norm_mean:{norm}"] = duration_ms(threshold) / 1000
            elif statistic == "max" or target is not None:
                found[f"norm:{norm}"] = 1.0 if statistic == "max" else target
        sql = """SELECT instrument, instrument_version, aspect, target FROM v_targets
                 WHERE organisation = {organisation:String} AND valid_from <= {day:Date32} AND {day:Date32} < valid_to"""
        for instrument, version, aspect, target in self._rows(sql, organisation, day=day):
            found[f"answer:{instrument}:{version}:{aspect}"] = target
        return found

    def rolling(self, organisation: str) -> list[RollingRow]:
        """The last figures as the worker saw them."""
        sql = """SELECT channel, measure, window, as_of, n, total, squares FROM v_rolling WHERE organisation = {organisation:String}
                 ORDER BY channel, measure, indexOf(['1h', '24h', '7d', '28d'], window)"""
        return [RollingRow._make(row) for row in self._rows(sql, organisation)]

    def rolling_at(self, organisation: str, at: datetime) -> list[RollingRow]:
        """Figures at an instant, recomputed from what is stored; windows without observations are absent."""
        sql = """SELECT channel, measure, window, {at:DateTime64(3, 'UTC')}, n, total, squares
                 FROM v_rolling_at(organisation = {organisation:String}, at = {at:DateTime64(3, 'UTC')})
                 ORDER BY channel, measure, indexOf(['1h', '24h', '7d', '28d'], window)"""
        return [RollingRow._make(row) for row in self._rows(sql, organisation, at)]

    def quarter_sums(self, organisation: str, at: datetime, opened: bool, via: bool) -> list[QuarterRow]:
        """Sums by quarter up to an instant; by the opening of the contact when `opened`, by via as well when `via`."""
        sql = f"""SELECT {_group(via)} AS group, measure, {_quarter(opened)} AS q, sum(n), sum(total), sum(squares)
                  FROM v_quarter_sums(organisation = {{organisation:String}}, at = {{at:DateTime64(3, 'UTC')}})
                  GROUP BY group, measure, q ORDER BY group, measure, q"""
        return [QuarterRow._make(row) for row in self._rows(sql, organisation, at)]

    def quarter_outcomes(self, organisation: str, at: datetime, opened: bool, via: bool) -> list[OutcomeRow]:
        """Verdicts by quarter at an instant."""
        sql = f"""SELECT {_group(via)} AS group, norm, {_quarter(opened)} AS q, excluded, sum(outcomes), sum(within), sum(late),
                      sum(pending), sum(overdue), sum(stale)
                  FROM v_quarter_outcomes(organisation = {{organisation:String}}, at = {{at:DateTime64(3, 'UTC')}})
                  GROUP BY group, norm, q, excluded ORDER BY group, norm, q, excluded"""
        return [OutcomeRow._make(row) for row in self._rows(sql, organisation, at)]

    def markers(self, organisation: str, start: datetime, end: datetime) -> list[Marker]:
        """See markers.markers."""
        return markers(self._client, organisation, start, end)

    def last_event(self, organisation: str) -> datetime | None:
        """The last moment at which anything counted or happened that is not ahead of now; None without any."""
        sql = "SELECT last_at FROM v_last_event WHERE organisation = {organisation:String}"
        rows = list(self._rows(sql, organisation))
        return rows[0][0].replace(tzinfo=UTC) if rows else None

    def counts(self) -> dict[str, dict[str, int]]:
        """Rows stored per organisation: contacts, answers, rejects."""
        sql = "SELECT organisation, contacts, answers, rejects FROM v_counts ORDER BY organisation"
        return {row[0]: {"contacts": row[1], "answers": row[2], "rejects": row[3]} for row in self._rows(sql)}

    def reject_reasons(self) -> dict[str, list[RejectReason]]:
        """The three most frequent reasons per organisation of rejects that wait for a decision, the most frequent first."""
        sql = """SELECT organisation, reason, count() AS rejects, argMax(message, appended_at) FROM v_rejects WHERE decision = ''
                 GROUP BY organisation, reason ORDER BY organisation, rejects DESC, reason LIMIT 3 BY organisation"""
        found: dict[str, list[RejectReason]] = {}
        for organisation, *reason in self._rows(sql):
            found.setdefault(organisation, []).append(RejectReason._make(reason))
        return found

    def _rows(self, sql: str, organisation: str = "", at: datetime | None = None, day: date | None = None) -> Iterator[Sequence[Any]]:
        parameters: dict[str, Any] = {"organisation": organisation, **({} if day is None else {"day": day.isoformat()})}
        if at is not None:
            parameters["at"] = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        with passing_errors("reading the views"):
            yield from self._client.query(sql, parameters=parameters).result_rows

    def _named(self, sql: str, parameters: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
        with passing_errors("reading the views"):
            yield from self._client.query(sql, parameters=parameters).named_results()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _group(via: bool) -> str:
    return "if(via = '', toString(channel), concat(channel, ' via ', via))" if via else "toString(channel)"


def _quarter(opened: bool) -> str:
    return "quarter_opened" if opened else "quarter"
