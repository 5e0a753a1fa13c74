"""SQL of norms that the boards Kanaal and Normen share: names, cells of figures, and shares over a moving week."""

from dashboards.build import sql
from dashboards.build.figures.quarters import name_of
from dashboards.build.page import Page
from dashboards.build.panels import Column
from dashboards.words import Text
from schemas.words import EXCLUSIONS

QUARTER = name_of(sql.TODAY)
"""The calendar quarter that runs, as views write it."""

IS_NORM = "(startsWith(measure, 'norm:') OR startsWith(measure, 'norm_mean:'))"
NORM_ID = "substring(measure, position(measure, ':') + 1)"
REASONS = {reason: Text(*words) for reason, words in EXCLUSIONS.items()}
"""Why a norm leaves a contact out."""
WINDOWS = (("month", "28d"), ("week", "7d"), ("day", "24h"), ("hour", "1h"))


def norms_in_force(page: Page) -> str:
    """A question: each norm that holds today, with its title and in a word whether law or the municipality itself sets it."""
    latest = "norm_version"
    return f"""(
    SELECT
        norm, argMax(title_{page.language}, {latest}) AS title, argMax(toString(clock), {latest}) = 'statutory-term' AS statutory,
        argMax(toString(statistic), {latest}) AS statistic
    FROM v_norms WHERE {sql.ORGANISATION} AND valid_from <= {sql.TODAY} AND valid_to > {sql.TODAY} GROUP BY norm
)"""


def verdict(attainment: str) -> str:
    """The symbol of an attainment, with a space."""
    return f"transform(toString({attainment}), ['met', 'not_met', 'too_few'], ['✓ ', '✗ ', '◔ '], '')"


def few(page: Page, n: str, least: str = sql.MINIMUM) -> str:
    """What stands in the place of a share that rests on too few contacts."""
    begin, of = page.quoted("◔ te weinig (", "◔ too few ("), page.quoted(" van ", " of ")
    return f"concat({begin}, toString({n}), {of}, toString({least}), ')')"


def cell(
    page: Page, mean: str, symbol: str, value: str, n: str, low: str = "", high: str = "", least: str = sql.MINIMUM
) -> str:  # fmt: skip
    """One figure of a norm: symbol, share (or mean time) with its interval and its number of contacts; words where there are too few.

    mean: a condition that the norm is on a mean. least: from how many contacts on a figure is told.
    """
    language = page.language
    bounds = f", ' (', {sql.decimal(f'100 * {low}', 0, language)}, '–', {sql.decimal(f'100 * {high}', 0, language)}, ')'" if low else ""
    shown = f"if({mean}, {sql.lasting(value, language)}, concat({sql.percentage(value, language, 1)}{bounds}))"
    return f"""multiIf(
            {n} = 0, {page.quoted("geen contacten", "no contacts")}, {n} < {least}, {few(page, n, least)},
            ifNull(concat({symbol}, {shown}, ', n = ', toString({n})), '')
        )"""


def rows(page: Page, where: str = "1") -> str:
    """A question: a row for each norm in force and channel: the windows, the quarter so far, and what is overdue now; the worst first."""
    language = page.language
    figure = cell(page, "startsWith(measure, 'norm_mean:')", verdict("attainment"), "value", "n", "low", "high", "minimum_n")
    said = ",\n        ".join(f"anyIf(cell, window = '{window}') AS {name}" for name, window in WINDOWS)
    reached = "if(q.mean, q.value <= f.target, q.value >= f.target)"
    so_far = cell(page, "q.mean", f"if(isNull(f.target), '', if({reached}, '✓ ', '✗ '))", "q.value", "q.n")
    none = page.quoted("geen contacten", "no contacts")
    return f"""
SELECT
    f.channel AS channel, n.norm AS norm, if(n.title = '', n.norm, n.title) AS name,
    if(f.channel = '', '', {sql.channel_name("f.channel", language)}) AS channel_name,
    if(n.statutory, {page.quoted("wettelijk", "by law")}, {page.quoted("eigen norm", "own norm")}) AS kind,
    multiIf(
        isNull(f.target), '', f.mean, concat('≤ ', {sql.lasting("f.target", language)}), {sql.percentage("f.target", language)}
    ) AS goal,
    {", ".join(f"if(ifNull(f.{name}, '') = '', {none}, f.{name}) AS {name}" for name, _ in WINDOWS)},
    {so_far} AS quarter, o.contacts AS overdue
FROM {norms_in_force(page)} AS n
LEFT JOIN
(
    SELECT
        channel, {NORM_ID} AS norm, any(startsWith(measure, 'norm_mean:')) AS mean, any(target) AS target,
        anyIf(toString(attainment), window = '28d') AS attained, anyIf(value, window = '28d') AS share,
        {said}
    FROM (SELECT *, {figure} AS cell FROM v_now_figures WHERE {sql.ORGANISATION} AND channel != '' AND {IS_NORM})
    GROUP BY channel, norm
) AS f ON n.norm = f.norm
LEFT JOIN
(
    SELECT
        channel, {NORM_ID} AS norm, any(startsWith(measure, 'norm_mean:')) AS mean, sum(v.n) AS n,
        if(n = 0, NULL, sum(v.total) / n / if(mean, 1000, 1)) AS value
    FROM v_now_quarters AS v WHERE {sql.ORGANISATION} AND {IS_NORM} AND quarter = {QUARTER} GROUP BY channel, norm
) AS q ON f.channel = q.channel AND f.norm = q.norm
LEFT JOIN
(
    SELECT channel, arrayJoin(overdue_norms) AS norm, count() AS contacts FROM v_now_open WHERE {sql.ORGANISATION} GROUP BY channel, norm
) AS o ON f.channel = o.channel AND f.norm = o.norm
WHERE {where}
ORDER BY transform(f.attained, ['not_met', 'too_few', 'met'], [1, 2, 3], 4), f.share - f.target, name, channel
"""


def columns(page: Page) -> tuple[Column, ...]:
    """The columns of `rows` that tell of windows, the quarter, and now."""
    return (
        Column("goal", page.say("doel", "target"), width=70),
        Column("month", page.say("28 dagen", "28 days"), state=True, width=185),
        Column("week", page.say("7 dagen", "7 days"), state=True, width=185),
        Column("day", page.say("24 uur", "24 hours"), state=True, width=175),
        Column("hour", page.say("laatste uur", "last hour"), width=165),
        Column("quarter", page.say("dit kwartaal tot nu", "this quarter so far"), width=155),
        Column("overdue", page.say("◷ nu te laat", "◷ overdue now"), width=90),
    )


def about_cells(page: Page) -> str:
    """What the cells of `rows` say."""
    return page.say(
        "Per norm het deel binnen de norm (norm:<id>; bij een norm op een gemiddelde de gemiddelde tijd, norm_mean:<id>), met 95 "
        "%-interval en n, het aantal contacten dat de norm beoordeelde. ✓ op of boven het doel, ✗ eronder, ◔ te weinig contacten om te "
        "zeggen. Nu te laat: nog open, en de termijn is voorbij.",
        "Per norm the share within it (norm:<id>; of a norm on a mean the mean time, norm_mean:<id>), with its 95 % interval and n, the "
        "number of contacts that the norm judged. ✓ at or above the target, ✗ below it, ◔ too few contacts to tell. "
        "Overdue now: still open, and the term has passed.",
    )


TARGETS = f"""(
    SELECT channel, measure, assumeNotNull(any(v.target)) AS target
    FROM v_now_figures AS v WHERE {sql.ORGANISATION} AND window = '28d' AND isNotNull(v.target) GROUP BY channel, measure
)"""
"""A question: the targets that hold now."""


def by_cell(where: str = "1") -> str:
    """A subquery: sums of shares of 28 days by channel, measure, and each team, product and location (dimension, cell), with the target."""
    return f"""(
    SELECT
        s.channel AS channel, s.measure AS measure, s.dimension AS dimension, s.cell AS cell, s.n AS n, s.total AS total, f.target AS target
    FROM
    (
        SELECT channel, measure, one.1 AS dimension, one.2 AS cell, sum(v.n) AS n, sum(v.total) AS total
        FROM
        (
            SELECT channel, measure, team, product, location, sum(d.n) AS n, sum(d.total) AS total
            FROM v_days AS d
            WHERE {sql.ORGANISATION} AND {where} AND startsWith(measure, 'norm:') AND day > {sql.TODAY} - 28
            GROUP BY channel, measure, team, product, location
        ) AS v
        ARRAY JOIN [('team', team), ('product', product), ('location', location)] AS one
        GROUP BY channel, measure, dimension, cell
    ) AS s
    INNER JOIN {TARGETS} AS f ON s.channel = f.channel AND s.measure = f.measure
)"""


def weeks(where: str, moving: int = 7) -> str:
    """A question: sums of shares over the days up to and with each `day` of the span, with their target. where: of which rows of v_days."""
    return f"""(
    SELECT day, channel, measure, n, total, if(f.measure = '', NULL, f.target) AS target
    FROM
    (
        SELECT toDate(of_day) + arrayJoin(range({moving})) AS day, channel, measure, sum(v.n) AS n, sum(v.total) AS total
        FROM (
            SELECT day AS of_day, channel, measure, sum(d.n) AS n, sum(d.total) AS total
            FROM v_days AS d
            WHERE {sql.ORGANISATION} AND {where} AND startsWith(measure, 'norm:') AND day > {sql.FIRST_DAY} - {moving}
            GROUP BY of_day, channel, measure
        ) AS v
        GROUP BY day, channel, measure
    ) AS s
    LEFT JOIN {TARGETS} AS f ON s.channel = f.channel AND s.measure = f.measure
    WHERE day >= {sql.FIRST_DAY} AND day <= least({sql.LAST_DAY}, {sql.TODAY})
)"""


def named_weeks(page: Page, where: str) -> str:
    """As `weeks`, with the `name` of the series: the norm, and the channel where it holds for several."""
    several = "uniqExact(channel) OVER (PARTITION BY measure) > 1"
    channel = sql.channel_name("channel", page.language)
    return f"(SELECT *, concat({sql.measure_name(page.language)}, if({several}, concat(' · ', {channel}), '')) AS name FROM {weeks(where)})"


def shares(page: Page, where: str, targets: bool = False) -> str:
    """A question for a series: the share within each norm over a moving week; none where the week has too few contacts.

    targets: with a series for the target of each, whose name ends with the word.
    """
    share = f"(name, if(n < {sql.MINIMUM}, NULL, total / n))"
    goal = f", (concat(name, {page.quoted(': doel', ': target')}), target)" if targets else ""
    return f"""
SELECT toDateTime(day, {sql.ZONE}) AS time, one.1 AS name, one.2 AS share
FROM (SELECT day, arrayJoin([{share}{goal}]) AS one FROM {named_weeks(page, where)})
ORDER BY time, name
"""


ASKED = f"{sql.CHANNEL} AND {sql.chosen('team', 'product', 'location')}"
"""Rows of the channel, team, product and location that the reader chose."""
