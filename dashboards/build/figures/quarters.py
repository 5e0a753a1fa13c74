"""SQL of the board "Kwartaal": the chosen quarter, the two that it is held against, and sums of all three."""

from dashboards.build import sql
from schemas.words import Language

CHOSEN = "${quarter:sqlstring}"


def first_day(quarter: str) -> str:
    """The first day of a quarter that is written as 2026-Q3."""
    return f"makeDate(toUInt16OrZero(left({quarter}, 4)), 3 * toUInt8OrZero(right({quarter}, 1)) - 2, 1)"


def name_of(day: str) -> str:
    """The quarter in which a day lies."""
    return f"concat(toString(toYear({day})), '-Q', toString(toQuarter({day})))"


FIRST = first_day(CHOSEN)
LAST = f"(addQuarters({FIRST}, 1) - 1)"
CLOSES = f"({LAST} + 3)"
"""From this day on the last answers have their place: two whole days after the last one."""

OVER = f"({sql.TODAY} > {LAST})"
BEFORE = name_of(f"addQuarters({FIRST}, -1)")
YEAR_BEFORE = name_of(f"addYears({FIRST}, -1)")
SPANS = (("", CHOSEN), ("_before", BEFORE), ("_year", YEAR_BEFORE))
"""The suffix of the columns that tell of each of the three quarters."""

_BEGAN = f"(SELECT min(period) FROM v_monthly WHERE {sql.ORGANISATION} AND period_kind = 'month' AND measure = 'volume')"


def of_quarter(condition: str, name: str = "''", together: bool = False) -> str:
    """A subquery: a row a channel (and `name`) with n and total of the three quarters; those that the chosen quarter lacks are not in it.

    together: beside them a row of all channels, '', where all are asked for.
    """
    sums = ", ".join(
        f"sumIf(q.n, quarter = {quarter}) AS n{suffix}, sumIf(q.total, quarter = {quarter}) AS total{suffix}" for suffix, quarter in SPANS
    )
    groups = "GROUPING SETS ((channel, name), (name))" if together else "channel, name"
    return f"""(
        SELECT channel, {name} AS name, any(startsWith(measure, 'norm_mean:')) AS mean, {sums}
        FROM v_now_quarters AS q
        WHERE {sql.ORGANISATION} AND {condition} AND {sql.chosen("channel")} AND quarter IN ({CHOSEN}, {BEFORE}, {YEAR_BEFORE})
        GROUP BY {groups}
        HAVING n > 0 {f"AND (channel != '' OR ${{channel:sqlstring}} = '{sql.ALL}')" if together else ""}
    )"""


def change(now: str, then: str, quarter: str, language: Language) -> str:
    """By how much a number rose or fell; words where that can't be said: this quarter runs, or measuring began in the other one."""
    running, none, later = (
        ("loopt nog", "geen gegevens", "toen begon de meting") if language == "nl" else ("still running", "no data", "measuring began then")
    )
    share = f"concat({sql.signed(f'100 * (({now}) / ({then}) - 1)', 1, language)}, {sql.text(' %' if language == 'nl' else '%')})"
    return (
        f"multiIf({then} = 0, {sql.text(none)}, NOT {OVER}, {sql.text(running)}, "
        f"{_BEGAN} > formatDateTime({first_day(quarter)}, '%Y-%m'), {sql.text(later)}, {share})"
    )
