"""What drift is looked for in: sums by hour, what parts of a channel add to them, and how far the data go."""

from typing import get_args

import numpy as np
from clickhouse_connect.driver.client import Client

from pipeline.drift.contributors import Part
from pipeline.drift.hours import GradeCount, Hours
from pipeline.drift.life import Signs
from pipeline.drift.signal import Dimension
from pipeline.store.client import passing_errors
from pipeline.store.rowbinary import Reader

_HOURLY = """
SELECT channel, measure, groupArray(hour), groupArray(n), groupArray(total), groupArray(squares)
FROM hourly_of(organisations = [{organisation:String}], since = {since:Int64}, until = {until:Int64})
GROUP BY channel, measure FORMAT RowBinary
"""
_GRADES = """
SELECT
    channel, concat('answer:', instrument, ':', toString(instrument_version), ':', aspect) AS measure,
    intDiv(intDiv(toUnixTimestamp64Milli(answered_at) + 59999, 60000) - 1, 60) AS hour, grade / 1000 AS given, count()
FROM answers_between(
    organisations = [{organisation:String}],
    since = fromUnixTimestamp64Milli({since:Int64} * 3600000, 'UTC'), until = fromUnixTimestamp64Milli({until:Int64} * 3600000, 'UTC')
)
ARRAY JOIN aspects AS aspect, grades AS grade
WHERE channel != ''
GROUP BY channel, measure, hour, given ORDER BY channel, measure, hour, given
"""
_PARTS = """
SELECT
    part.1 AS dimension, part.2 AS name,
    sumIf(n, was), sumIf(x, was), sumIf(n, now_is), sumIf(x, now_is)
FROM
(
    SELECT
        n, if({measure:String} = 'wait_log', wait_log, total) AS x,
        minute > {before:Int64} * 60 AND minute <= {before_end:Int64} * 60 AS was,
        minute > {after:Int64} * 60 AND minute <= {after_end:Int64} * 60 AS now_is,
        [('product', toString(product)), ('team', if(t.team = '', toString(c.team), t.shown_as)), ('location', toString(location))] AS parts
    FROM contributions_between(
        organisations = [{organisation:String}],
        since = fromUnixTimestamp64Milli(least({before:Int64}, {after:Int64}) * 3600000, 'UTC'),
        until = fromUnixTimestamp64Milli(greatest({before_end:Int64}, {after_end:Int64}) * 3600000, 'UTC')
    ) AS c
    LEFT JOIN (SELECT team, shown_as FROM teams_of(organisations = [{organisation:String}])) AS t ON c.team = t.team
    WHERE channel = {channel:String} AND measure = if({measure:String} = 'wait_log', 'wait', {measure:String}) AND (was OR now_is)
)
ARRAY JOIN parts AS part
GROUP BY dimension, name ORDER BY dimension, name
"""
_SIGNS = """
SELECT kind, name, toUnixTimestamp64Milli(max(at))
FROM
(
    SELECT 'system' AS kind, toString(system) AS name, last_at AS at
    FROM contacts WHERE organisation = {organisation:String} AND role NOT IN ('mailbox', 'forgotten')
    UNION ALL SELECT 'answers', '', answered_at FROM survey_answers WHERE organisation = {organisation:String} AND NOT forgotten
    UNION ALL SELECT 'source', toString(source), assumeNotNull(last_read_at) - toIntervalMillisecond(toInt64(1000 * assumeNotNull(lag_s)))
    FROM heartbeats WHERE organisation = {organisation:String} AND isNotNull(last_read_at) AND isNotNull(lag_s)
)
WHERE at <= now64(3) GROUP BY kind, name
"""
"""Without FINAL: what an older row told was a sign of life too."""


def hourly(client: Client, organisation: str, since: int, until: int) -> dict[tuple[str, str], Hours]:
    """Sums of the hours [since, until) by (channel, measure), computed from the stored contacts and answers. Raises Unavailable.

    What is not judged yet stands in the hour of its deadline, as in all figures.
    """
    found = {}
    with passing_errors("computing hourly sums"):
        read = Reader(client.raw_query(_HOURLY, parameters={"organisation": organisation, "since": since, "until": until}))
    while read:
        key = (read.string(), read.string())
        hour, n, total = (np.asarray(read.int64s(), dtype=np.int64) for _ in range(3))
        squares, order = read.int128s().astype(np.float64), np.argsort(hour)
        found[key] = Hours(hour[order], n[order], total[order], squares[order])
    return found


def grades(client: Client, organisation: str, since: int, until: int) -> dict[tuple[str, str], list[GradeCount]]:
    """How often each grade was given in each of the hours [since, until), by (channel, measure) and in order. Raises Unavailable."""
    found: dict[tuple[str, str], list[GradeCount]] = {}
    with passing_errors("counting grades"):
        rows = client.query(_GRADES, parameters={"organisation": organisation, "since": since, "until": until}).result_rows
    for channel, measure, *count in rows:
        found.setdefault((channel, measure), []).append(GradeCount._make(count))
    return found


def parts(
    client: Client, organisation: str, channel: str, measure: str, before: tuple[int, int], after: tuple[int, int]
) -> dict[Dimension, list[Part]]:
    """The sums of a measure by product, team and location over the hours [start, end) of two periods. Raises Unavailable.

    measure: as of `hourly`, `wait_log` too. What has none goes under ""; a small team under the team that it is shown as. The parts of a
    dimension add up to the sums of the channel.
    """
    found: dict[Dimension, list[Part]] = {dimension: [] for dimension in get_args(Dimension)}
    spans = dict(zip(("before", "before_end", "after", "after_end"), (*before, *after), strict=True))
    with passing_errors("looking for what contributes"):
        rows = client.query(_PARTS, parameters={"organisation": organisation, "channel": channel, "measure": measure, **spans}).result_rows
    for dimension, *part in rows:
        found[dimension].append(Part._make(part))
    return found


def signs_of_life(client: Client, organisation: str) -> Signs | None:
    """How far the data go; None while nothing was ever heard. What lies ahead of the server's clock is no sign. Raises Unavailable."""
    with passing_errors("looking for the last signs of life"):
        rows = client.query(_SIGNS, parameters={"organisation": organisation}).result_rows
    systems, sources = ({name: at for kind, name, at in rows if kind == wanted} for wanted in ("system", "source"))
    return Signs(max(at for _, _, at in rows), systems, sources) if rows else None
