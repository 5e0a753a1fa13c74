"""SQL that holds figures of grades against each other: what differs, by how much, and whether that is more than chance.

As pipeline/comparisons.py: means and NPS by Welch's t, shares by the score test, all aspects of one comparison together by Holm at 5 %. The
probability of t is that of a normal variable by Wallace's transformation (D. L. Wallace, Annals of Mathematical Statistics 30, 1959).
"""

from collections.abc import Sequence

from dashboards.build import sql
from dashboards.build.figures.grades import SHARES, t_point
from dashboards.build.figures.quarters import first_day

_FAMILY = "instrument, instrument_version, channel"
"""What is compared at once."""


def sums(condition: str) -> str:
    """A subquery: by aspect, channel and period n, mean and squared error of the mean, in the unit of the scale."""
    balance, spread = "(high_n - low_n)", "(high_n + low_n)"
    nps = f"10000 * (n * {spread} - {balance} * {balance}) / (n * (n - 1)) / n"
    return f"""(
    SELECT
        instrument, instrument_version, aspect, channel, period, kind, n, high_n,
        multiIf(kind IN {SHARES}, high_n / n, kind = 'recommendation', 100 * {balance} / n, total / n / 1000) AS mean,
        multiIf(n < 2, NULL, kind = 'recommendation', {nps}, pow(deviation, 2) / n) AS error
    FROM v_now_satisfaction WHERE {sql.ORGANISATION} AND {condition}
)"""


def compared(now: str, then: Sequence[tuple[str, str]], condition: str) -> str:
    """A subquery: each aspect of a period held against others. now, then: periods as SQL texts; each of `then` after a suffix of columns.

    n_…, mean_…: what it was (n_… is 0 where nothing was). difference_…: now minus then. verdict_…: higher, lower, no_difference, or ''
    where a side has fewer than two answers.
    """
    spans = (("", now), *then)
    fields = ("n", "mean", "error", "high_n")
    pivot = ", ".join(f"anyIf(s.{field}, period = {period}) AS {field}{suffix}" for suffix, period in spans for field in fields)

    def each(*columns: str) -> str:
        return ", ".join(column.replace("#", suffix) for suffix, _ in then for column in columns)

    pooled = "((high_n + high_n#) / (n + n#))"
    differ = each(
        "mean - mean# AS difference#",
        f"if(n# = 0, NULL, sqrt(if(kind IN {SHARES}, {pooled} * (1 - {pooled}) * (1 / n + 1 / n#), error + error#))) AS standard#",
        "pow(error + error#, 2) / (pow(error#, 2) / (n# - 1) + pow(error, 2) / (n - 1)) AS degrees#",
        "abs(difference#) / standard# AS t#",
    )
    normal = f"if(kind IN {SHARES}, t#, (8 * degrees# + 1) / (8 * degrees# + 3) * sqrt(degrees# * log1p(t# * t# / degrees#)))"
    chance = each(f"multiIf(isNull(standard#), NULL, standard# = 0, if(difference# = 0, 1., 0.), erfc({normal} / sqrt(2))) AS p#")
    holm = each(
        f"count(p#) OVER (PARTITION BY {_FAMILY}) + 1 - row_number() OVER (PARTITION BY {_FAMILY} ORDER BY isNull(p#), p#, aspect) AS left#"
    )
    verdict = each(
        f"multiIf(isNull(p#), '', max(p# * left#) OVER (PARTITION BY {_FAMILY} ORDER BY left# DESC) > 0.05, 'no_difference', "
        "difference# > 0, 'higher', 'lower') AS verdict#"
    )
    return f"""(
    SELECT *, {verdict}
    FROM
    (
        SELECT *, {holm}
        FROM
        (
            SELECT *, {chance}
            FROM
            (
                SELECT *, {differ}
                FROM
                (
                    SELECT {_FAMILY}, aspect, any(kind) AS kind, {pivot}
                    FROM {sums(condition)} AS s GROUP BY {_FAMILY}, aspect HAVING n > 0
                )
            )
        )
    )
)"""


def gaps(condition: str, pairs: str) -> str:
    """A subquery: expectation minus experience, with half its interval by Welch's t, for each row (aspect, expects, title) of `pairs`."""
    found = sums(condition)
    return f"""(
    SELECT *, if(error = 0, 0, {t_point("degrees")} * sqrt(error)) AS half
    FROM
    (
        SELECT
            i.title AS title, e.mean AS expected, l.mean AS lived, e.n AS n_expected, l.n AS n, expected - lived AS gap,
            e.error + l.error AS error,
            pow(e.error + l.error, 2) / (pow(e.error, 2) / (e.n - 1) + pow(l.error, 2) / (l.n - 1)) AS degrees
        FROM {pairs} AS i
        LEFT JOIN {found} AS e ON i.aspect = e.aspect
        LEFT JOIN {found} AS l ON i.expects = l.aspect
    )
)"""


def broken(table: str, later: str, earlier: str) -> str:
    """A condition of a row of a table with instrument and channel: a break in the series lies between two quarters, given as SQL texts.

    Another version of the questionnaire with figures in any quarter of the span, or a marker of another questionnaire or organisation.
    """
    begin, end = (f"toDateTime({day}, {sql.ZONE})" for day in (first_day(earlier), f"addQuarters({first_day(later)}, 1)"))
    versions = (
        "(SELECT groupArray((toString(instrument), instrument_version, toString(period))) FROM v_now_attainment "
        f"WHERE {sql.ORGANISATION} AND period_kind = 'quarter' AND channel = '')"
    )
    markers = (
        f"(SELECT groupArray((from_at, channels)) FROM v_markers WHERE {sql.ORGANISATION} "
        "AND kind IN ('questionnaire_change', 'reorganisation'))"
    )
    among = f"arrayFilter(x -> x.1 = {table}.instrument AND x.3 >= {earlier} AND x.3 <= {later}, {versions})"
    here = f"({table}.channel = '' OR empty(x.2) OR has(x.2, toString({table}.channel)))"
    return f"(arrayUniq({among}.2) > 1 OR arrayExists(x -> x.1 > {begin} AND x.1 < {end} AND {here}, {markers}))"
