"""Sums by month that stay when contacts and answers are deleted (docs/MEASURES.md, "Aggregates that stay").

A month is counted again, whole and from the rows, as long as every row behind it must still be there: no row tells what was deleted beside
it. So each time it is noted when the first of those rows is due, and shortly before that moment the month is closed.
"""

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from pipeline.store import retention
from pipeline.store.client import passing_errors
from schemas import yamlfile
from schemas.organisation import Organisation

EVERY = timedelta(days=1)
MARGIN = timedelta(days=2)
"""A month is closed so long before its first row is due, and never sooner after its own end. Longer than EVERY: the last count sees all."""
_FOR_EVER_DAYS = 40 * 365
_GENTLY = {"max_threads": 1}
"""Every row of an organisation is read: what the stream and the boards ask goes first."""

Month = tuple[str, date]
"""`contacts` or `answers`, and the first local day."""

_INSERT = """
INSERT INTO aggregates (organisation, period_kind, start, channel, via, measure, norm_version, definition, n, total, squares, as_of)
WITH concat(measure, '@', toString(norm_version)) AS key, mapFromArrays({keys:Array(String)}, {digests:Array(String)}) AS definitions
SELECT
    {organisation:String}, period_kind, start, channel, via, measure, norm_version,
    if(mapContains(definitions, key), definitions[key], max(definition)),
    sum(n), sum(total), sum(squares), {at:DateTime64(3, 'UTC')}
FROM
(
    SELECT 'month' AS period_kind, month AS start, channel, via, measure, norm_version, '' AS definition, n, total, squares
    FROM monthly_of(organisations = [{organisation:String}], at = {at:DateTime64(3, 'UTC')})
    WHERE has(if(kind = 'answers', {answers:Array(Date)}, {contacts:Array(Date)}), start)
    UNION ALL
    SELECT
        'quarter' AS period_kind, toStartOfQuarter(toDate(period_day)) AS start, channel, '' AS via,
        concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure, 0 AS norm_version, '' AS definition,
        n, total, squares
    FROM answer_figures_of(
        organisations = [{organisation:String}], at = {at:DateTime64(3, 'UTC')}, since = toDateTime64('1980-01-01 00:00:00', 3, 'UTC'),
        kinds = ['quarter']
    )
    WHERE channel != '' AND closed AND has({quarters:Array(Date)}, start)
    UNION ALL
    SELECT period_kind, start, channel, via, measure, norm_version, definition, 0, 0, 0
    FROM aggregates FINAL
    WHERE organisation = {organisation:String} AND has(
        multiIf(
            period_kind = 'quarter', {quarters:Array(Date)}, startsWith(measure, 'answer:'), {answers:Array(Date)}, {contacts:Array(Date)}
        ), start
    )
)
GROUP BY period_kind, start, channel, via, measure, norm_version
"""
"""Absolute sums; the last part turns into nought what no longer adds up to anything, such as after a contact changed its channel."""


def keep_up(client: Client, organisation: str, now: datetime) -> timedelta:
    """Aggregate unless that was done less than a day ago; how long until it is due again. Raises Unavailable."""
    with passing_errors("reading when months were counted"):
        sql = "SELECT max(as_of) FROM aggregated WHERE organisation = {organisation:String}"
        last = _utc(client.query(sql, {"organisation": organisation}).result_rows[0][0])
    if last + EVERY > now:
        return last + EVERY - now
    aggregate(client, organisation, now)
    return EVERY


def aggregate(client: Client, organisation: str, now: datetime) -> int:
    """Write the sums of every month whose rows are all there; how many those are, of contacts and of answers.

    The same rows give the same sums, however often. Nothing is written for an organisation that is not registered. Raises Unavailable.
    """
    with passing_errors(f"counting the months of {organisation}"):
        sql = "SELECT configuration FROM organisations FINAL WHERE organisation = {organisation:String}"
        texts = client.query(sql, {"organisation": organisation}).result_rows
        if not texts:
            return 0
        digests = _write_definitions(client, yamlfile.loads(texts[0][0], Organisation, f"stored configuration of {organisation}"))
        due, before = _due(client, organisation, now), _before(client, organisation)
        lost = {month for month, (first_due, closed) in before.items() if closed or first_due <= now}
        counted = (due.keys() | before.keys()) - lost
        client.command(_INSERT, parameters=_parameters(organisation, counted, lost, digests, now), settings=_GENTLY)
        first = {month: first_due for month, (first_due, _) in before.items()} | due
        states = [(month, first[month], _closes(month[1], first[month], now)) for month in counted]
        states += [(month, before[month][0], True) for month in lost if not before[month][1]]
        if states:  # last: until they are there, the next run counts the same again
            rows = [[organisation, kind, start, first_due, closed, now] for (kind, start), first_due, closed in states]
            client.insert("aggregated", rows, column_names=["organisation", "kind", "month", "due", "closed", "as_of"])
    return len(counted)


def definitions(organisation: Organisation) -> dict[str, dict[str, Any]]:
    """By `MEASURE@NORM_VERSION`: all of a norm that decides what it counts, or of an aspect how it was asked (version 0)."""
    found = {}
    for name in sorted({norm.id for norm in organisation.norms}):
        for number, norm in enumerate(organisation.norm_versions(name), start=1):
            kind = "norm_mean" if norm.statistic == "mean" else "norm"
            found[f"{kind}:{name}@{number}"] = norm.model_dump(mode="json", exclude={"title", "source", "priority"}) | {"version": number}
    for name, versions in organisation.instruments.items():
        for instrument in versions:
            for aspect, asked in instrument.aspects.items():
                found[f"answer:{name}:{instrument.version}:{aspect}@0"] = {
                    "instrument": name,
                    "version": instrument.version,
                    "aspect": aspect,
                    "scale": instrument.scale_of(aspect).model_dump(mode="json"),
                    "population": instrument.population,
                    "audience": instrument.audience,
                    "title": asked.title.model_dump(mode="json"),
                    "indicator": asked.indicator,
                }
    return found


def _write_definitions(client: Client, organisation: Organisation) -> dict[str, str]:
    """Digest by `MEASURE@NORM_VERSION`."""
    texts = {key: orjson.dumps(definition, option=orjson.OPT_SORT_KEYS) for key, definition in definitions(organisation).items()}
    digests = {key: hashlib.sha256(text).hexdigest()[:32] for key, text in texts.items()}
    rows = [[organisation.organisation, digests[key], text.decode()] for key, text in texts.items()]
    if rows:
        client.insert("definitions", rows, column_names=["organisation", "digest", "definition"])
    return digests


def _due(client: Client, organisation: str, now: datetime) -> dict[Month, datetime]:
    """When the first row behind each month may be deleted, of the rows that are there."""
    periods = retention.in_force(client)
    days = {table: int(min(periods[table].days, _FOR_EVER_DAYS)) for table in ("contacts", "survey_answers")}
    sql = """SELECT kind, month, due FROM due_of(organisations = [{organisation:String}], at = {at:DateTime64(3, 'UTC')},
                 contact_days = {contact_days:UInt32}, answer_days = {answer_days:UInt32})"""
    parameters = {"organisation": organisation, "at": _text(now), "contact_days": days["contacts"], "answer_days": days["survey_answers"]}
    return {(kind, month): _utc(due) for kind, month, due in client.query(sql, parameters, settings=_GENTLY).result_rows}


def _before(client: Client, organisation: str) -> dict[Month, tuple[datetime, bool]]:
    """What the run before noted: when the first row was due, and whether the month is closed."""
    sql = "SELECT kind, month, due, closed FROM aggregated FINAL WHERE organisation = {organisation:String}"
    rows = client.query(sql, {"organisation": organisation}).result_rows
    return {(kind, month): (_utc(due), closed) for kind, month, due, closed in rows}


def _closes(month: date, first_due: datetime, now: datetime) -> bool:
    over = (month.replace(day=28) + timedelta(days=4)).replace(day=1) + MARGIN
    return first_due <= now + MARGIN and now.date() >= over


def _parameters(
    organisation: str, counted: Collection[Month], lost: Collection[Month], digests: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    starts = {wanted: sorted(start for kind, start in counted if kind == wanted) for wanted in ("contacts", "answers")}
    quarters = {_quarter(start) for start in starts["answers"]} - {_quarter(start) for kind, start in lost if kind == "answers"}
    told = {"keys": list(digests), "digests": list(digests.values())}
    return {"organisation": organisation, "at": _text(now), "quarters": sorted(quarters), **starts, **told}


def _quarter(month: date) -> date:
    return month.replace(month=(month.month - 1) // 3 * 3 + 1)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
