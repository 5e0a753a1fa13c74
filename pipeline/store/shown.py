"""Figures kept for boards: the views asked again, and their answers kept whole (docs/DESIGN.md, "Shown figures").

A *part* is what is asked and kept at once. Its row replaces the one before; which of two is later, their versions say: ms of the clock of
whoever wrote them, or more where an earlier clock was ahead. So two workers, or one that was killed and its successor, can't do harm to one
another.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from pipeline.calendars import day_start, local_date
from pipeline.rules import calendar_of
from pipeline.store.client import VIEWS, Connection, Unavailable, passing_errors
from schemas.organisation import Organisation
from schemas.types import EPOCH

CLOCKS_MS = 60_000
"""Clocks of workers may differ by so much: a row from later than that is of a clock that was wrong, and gives way."""
DAYS = 91
"""Local days that are kept one by one, today included."""
_DAY_MS = 86_400_000
_OPENING = (-7, 14)
"""Opening hours are kept from so many days ago until so many days ahead."""
_GENTLY = {"max_threads": 1, "max_execution_time": 40}
"""What the stream asks goes first; and nothing runs on when the client has given up."""


@dataclass(frozen=True)
class Part:
    """What is asked and kept at once. `every_s`: how often boards want it anew; idle_s: how often though nothing was stored.

    source: rows of `columns` for {organisation}, at {at}, of what happened since {since}, `days` back (0: the local day of `at`). key: what
    the part is called in its table, where that holds several.
    """

    name: str
    every_s: float
    table: str
    columns: str
    source: str
    key: str = ""
    days: int = 0
    idle_s: float = 300.0


_ONE = "organisation = {organisation:String}"
_AT = f"{_ONE}, at = {{at:DateTime64(3, 'UTC')}}"
_OF = "organisations = [{organisation:String}]"
_SUMS = "n, total, squares"
_FIGURES = (
    "channel, measure, window, as_of, n, total, value, low, high, target, attainment, "
    "(SELECT minimum_n FROM organisations FINAL WHERE organisation = {organisation:String})"
)
_MEASURES = (
    "channel, dimension, cell, contacts, answered, abandoned, left_otherwise, abandonment, waits, wait_total_ms, wait_mean, asa, "
    "wait_median, wait_p90, closed, handled, handling_total_ms, handling_mean, handling_median, handling_p90, transferred, "
    "transfers_total, transferred_share, transfers_mean, callbacks_promised, callbacks_kept, callbacks_to_do, results, first_contact, "
    "first_contact_share, reopened_contacts"
)
_MEASURES_OF = (
    f"measures_of({_OF}, since = {{since:DateTime64(3, 'UTC')}}, at = {{at:DateTime64(3, 'UTC')}}, "
    "dimensions = ['', 'via', 'product', 'team', 'location'])"
)
_REPEATS = " UNION ALL ".join(
    f"SELECT * FROM {VIEWS}.v_repeats(since = {{since:DateTime64(3, 'UTC')}}, {_AT}, by = '{by}')" for by in ("", "product")
)
_QUALITY = f"""
(
    SELECT 'defect' AS kind, system, channel, defect AS name, count() AS contacts FROM defects_of({_OF}) GROUP BY ALL
    UNION ALL
    SELECT 'role' AS kind, system, channel, role AS name, contacts FROM {VIEWS}.v_roles({_ONE})
    UNION ALL
    SELECT 'excluded' AS kind, system, channel, arrayJoin(arrayDistinct(arrayFilter(x -> x != '', exclusions))) AS name, count() AS contacts
    FROM counting_of({_OF}) GROUP BY ALL
    UNION ALL
    SELECT 'stale' AS kind, system, channel, '' AS name, countIf(o.stale) AS contacts
    FROM open_of({_OF}, at = {{at:DateTime64(3, 'UTC')}}) AS o GROUP BY ALL HAVING contacts > 0
)"""

MINUTE, QUARTER, HOUR = 60.0, 900.0, 3600.0

PARTS = {
    part.name: part
    for part in (
        Part("opening", HOUR, "shown_opening", "", ""),
        Part("figures", 10, "shown_figures", _FIGURES, f"contact_rolling_of({_OF})", "contacts", idle_s=MINUTE),
        Part(
            "open", 10, "shown_open",
            "system, if(confidential, '', contact), confidential, channel, via, product, team, location, opened_at, is_open, stale_after, "
            "unheard, suspended, running, callback_to_do, callback_due, last_word_at, if(confidential, '', url)",
            f"open_facts_of({_OF}, at = {{at:DateTime64(3, 'UTC')}})",
        ),
        Part(
            "expected", 30, "shown_expected",
            "channel, day, closed, usual_days, so_far, before, after, usual_so_far, usual_day, by_share, shares, share, expected, "
            "expected_low, expected_high",
            f"{VIEWS}.v_expected({_AT})",
        ),
        Part(
            "status", 30, "shown_status",
            f"(SELECT last_at FROM last_event_of({_OF})), contacts, answers, rejects",
            f"counts_of({_OF})",
        ),
        Part("answers", 30, "shown_figures", _FIGURES, f"answer_rolling_of({_OF})", "answers"),
        Part(
            "busy", MINUTE, "shown_busy", "channel, day, minutes, minute_of_day, contacts, usual, least, most, days",
            f"{VIEWS}.v_busy({_AT})",
        ),
        Part("measures_today", MINUTE, "shown_measures", _MEASURES, _MEASURES_OF, "today"),
        Part("measures_7d", QUARTER, "shown_measures", _MEASURES, _MEASURES_OF, "7d", 7),
        Part("measures_28d", QUARTER, "shown_measures", _MEASURES, _MEASURES_OF, "28d", 28),
        Part(
            "quarters", QUARTER, "shown_quarters", f"channel, via, measure, quarter, quarter_opened, {_SUMS}",
            f"{VIEWS}.v_quarter_sums({_AT})",
        ),
        Part(
            "quarter_outcomes", QUARTER, "shown_quarter_outcomes",
            "channel, via, norm, excluded, quarter, quarter_opened, outcomes, within, late, pending, measured, overdue, stale",
            f"{VIEWS}.v_quarter_outcomes({_AT})",
        ),
        Part(
            "satisfaction", QUARTER, "shown_satisfaction",
            f"instrument, instrument_version, aspect, kind, population, audience, channel, period_kind, period, closed, {_SUMS}, value, "
            "deviation, low, high, low_n, high_n, low_share, top_share, nps, face_shares, target, attainment",
            f"{VIEWS}.v_satisfaction({_AT})",
        ),
        Part(
            "satisfaction_by", HOUR, "shown_satisfaction_by",
            f"instrument, instrument_version, aspect, channel, quarter, dimension, cell, withheld, {_SUMS}, value",
            f"{VIEWS}.v_satisfaction_by({_ONE})",
        ),
        Part(
            "attainment", QUARTER, "shown_attainment",
            "instrument, instrument_version, channel, period_kind, period, met, not_met, aspects, too_few, all_met",
            f"{VIEWS}.v_attainment({_AT})",
        ),
        Part(
            "response", QUARTER, "shown_response",
            "instrument, instrument_version, wave, channel, quarter, invited, answered, rate, low, high",
            f"{VIEWS}.v_response({_AT})",
        ),
        Part(
            "blocks", QUARTER, "shown_blocks",
            f"instrument, instrument_version, aspect, channel, wave, quarter, late, block, first_at, last_at, {_SUMS}, value",
            f"(SELECT * FROM {VIEWS}.v_answer_blocks({_ONE}) WHERE last_at > {{since:DateTime64(3, 'UTC')}})",
            days=400,
        ),
        Part(
            "norm_times", QUARTER, "shown_norm_times",
            "channel, norm, statistic, period_kind, period, n, mean, longest, within, limit, met",
            f"{VIEWS}.v_norm_times({_AT})",
        ),
        Part("quality", QUARTER, "shown_quality", "kind, system, channel, name, contacts", _QUALITY),
        Part(
            "repeats", HOUR, "shown_repeats",
            "dimension, channel, cell, judged, resolved, resolved_share, provisional, resolved_so_far, contacts, repeats, repeat_share",
            f"({_REPEATS})", days=28,
        ),
        Part("days_recent", MINUTE, "shown_days", "", "", days=1),
        Part("days", HOUR, "shown_days", "", "", days=DAYS - 1),
    )
}  # fmt: skip
"""Every part by name, in the order in which they are first asked. Without opening hours no alert can tell that a source is silent."""

_KEEP = """
INSERT INTO {table} (organisation, part, version, at, rows)
SELECT {{organisation:String}}, {{key:String}}, {{version:UInt64}}, {{at:DateTime64(3, 'UTC')}}, groupArray(({columns}))
FROM {source}
"""
_KEEP_OPEN = """
INSERT INTO {table} (organisation, part, version, at, day_ends, rows)
SELECT
    {{organisation:String}}, {{key:String}}, {{version:UInt64}}, {{at:DateTime64(3, 'UTC')}}, {{day_ends:Array(DateTime64(3, 'UTC'))}},
    groupArray(({columns}))
FROM {source}
"""
_KEEP_DAYS = """
INSERT INTO shown_days (organisation, part, version, at, rows, hours)
SELECT {organisation:String}, toString(d.day), {version:UInt64}, {at:DateTime64(3, 'UTC')}, c.rows, c.hours
FROM (SELECT arrayJoin({days:Array(Date)}) AS day) AS d
LEFT JOIN
(
    SELECT
        day,
        groupArrayIf((channel, team, product, location, measure, n, total, squares), by_hour = 0) AS rows,
        groupArrayIf((hour, channel, measure, n, total), by_hour = 1) AS hours
    FROM
    (
        SELECT
            day, hour, channel, team, product, location, measure, sum(n) AS n, sum(total) AS total, sum(squares) AS squares,
            grouping(team) AS by_hour
        FROM local_hours_of(
            organisations = [{organisation:String}], since = {since:DateTime64(3, 'UTC')}, until = {at:DateTime64(3, 'UTC')}
        )
        GROUP BY GROUPING SETS ((day, channel, team, product, location, measure), (day, hour, channel, measure))
    )
    GROUP BY day
) AS c ON d.day = c.day
"""
"""A row for each day, also for one of which nothing is left."""


class ShownStore:
    """Refreshes with a connection of its own, one at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: Client | None = None

    def refresh(self, organisation: Organisation, part: Part, now_ms: int) -> None:
        """See refresh."""
        try:
            self._client = self._client or self._connection.open()
            refresh(self._client, organisation, part, now_ms)
        except Unavailable:
            if self._client is not None:
                self._client.close()
                self._client = None
            raise


def refresh(client: Client, organisation: Organisation, part: Part, now_ms: int) -> None:
    """Ask a part anew as of `now_ms`, and keep it. The user of `client` must be a reader of the organisation. Raises Unavailable."""
    begin = time.monotonic()
    zone = ZoneInfo(organisation.zone)
    today = local_date(now_ms, zone)
    with passing_errors(f"keeping {part.name} of {organisation.organisation} for boards"):
        version = _version(client, part.table, organisation.organisation, now_ms)
        parameters = {
            "organisation": organisation.organisation, "key": part.key, "version": version, "at": _text(now_ms),
            "since": _text(_since(part, now_ms, today, zone)),
        }  # fmt: skip
        if part.table == "shown_opening":
            _keep_opening(client, organisation, version, now_ms, today)
        elif part.table == "shown_days":
            days = [today - timedelta(days=back) for back in range(part.days + 1)]
            client.command(_KEEP_DAYS, {**parameters, "days": days}, settings=_GENTLY)
        elif part.table == "shown_open":
            ends = [_text(day_start(today + timedelta(days=ahead), zone)) for ahead in range(1, 9)]
            client.command(_KEEP_OPEN.format(**_named(part)), {**parameters, "day_ends": ends}, settings=_GENTLY)
        else:
            client.command(_KEEP.format(**_named(part)), parameters, settings=_GENTLY)
        row = [organisation.organisation, part.name, _moment(now_ms), round(1000 * (time.monotonic() - begin))]
        client.insert("shown", [row], column_names=["organisation", "part", "at", "took_ms"])


def refresh_all(client: Client, organisation: Organisation, now_ms: int) -> None:
    """Every part, one after the other. Raises Unavailable."""
    for part in PARTS.values():
        refresh(client, organisation, part, now_ms)


def _version(client: Client, table: str, organisation: str, now_ms: int) -> int:
    """The version of a row written now. A clock that was set back would else write rows that are never seen, until it has caught up."""
    last = client.query(f"SELECT max(version) FROM {table} WHERE organisation = {{organisation:String}}", {"organisation": organisation})
    highest = int(last.result_rows[0][0])
    return highest + 1 if highest > now_ms + CLOCKS_MS else now_ms


def _named(part: Part) -> Mapping[str, str]:
    return {"table": part.table, "columns": part.columns, "source": part.source}


def _since(part: Part, now_ms: int, today: date, zone: ZoneInfo) -> int:
    """The instant after which things count: of days whole ones, the last millisecond before them."""
    if part.table == "shown_days" or not part.days:
        return day_start(today - timedelta(days=part.days), zone) - 1
    return now_ms - part.days * _DAY_MS


def _keep_opening(client: Client, organisation: Organisation, version: int, now_ms: int, today: date) -> None:
    """Opening hours by the calendars that judge contacts."""
    periods: list[tuple[str, datetime, datetime]] = []
    for channel in organisation.channels:
        calendar = calendar_of(organisation, channel)
        first, last = (calendar.day_start(today + timedelta(days=days)) for days in _OPENING)
        periods += [(channel, _moment(opens), _moment(closes)) for opens, closes in calendar.open_periods(first, last)]
    row: Sequence[Any] = [organisation.organisation, "", version, _moment(now_ms), periods]
    client.insert("shown_opening", [row], column_names=["organisation", "part", "version", "at", "rows"])


def _moment(at_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at_ms)


def _text(at_ms: int) -> str:
    return _moment(at_ms).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
