"""SQL of grades for boards that show them: each figure in the unit of its scale, with its interval, its verdict and its words.

The same sums and the same intervals as `contactmeter satisfaction` (pipeline/satisfaction.py, pipeline/comparisons.py), written in SQL.
"""

from dashboards.build import sql
from dashboards.words import Text
from schemas.words import Language

Z = 1.959963984540054
"""The two-sided 95 % point of the normal distribution."""

POPULATIONS = {
    "contact-triggered": Text("na een contact", "after a contact"),
    "general": Text("algemene enquête", "general survey"),
    "panel": Text("panel (zelf aangemeld)", "panel (self-selected)"),
}

SHARES = "('satisfaction', 'yes-no')"
"""Scales of which the share of the top answers is told."""

_NPS_DEVIATION = "sqrt((f.n * (f.high_n + f.low_n) - (f.high_n - f.low_n) * (f.high_n - f.low_n)) / (f.n * (f.n - 1)))"


def t_point(degrees: str) -> str:
    """The two-sided 95 % point of Student's t (Abramowitz and Stegun 26.7.5), to three decimals from four degrees of freedom on."""
    z = Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return f"({z} + " + " + ".join(f"{term:.10f} / pow({degrees}, {power})" for power, term in enumerate(terms, start=1)) + ")"


def variance(n: str = "n", total: str = "total", squares: str = "squares") -> str:
    """Of the values behind (n, Σx, Σx²), in the square of their unit."""
    return f"greatest(toFloat64({n} * {squares} - toInt128({total}) * {total}), 0) / ({n} * ({n} - 1))"


def half_width(n: str = "n", total: str = "total", squares: str = "squares") -> str:
    """Half the 95 % interval of a mean grade, from sums in thousandths; NULL below two answers."""
    return f"if({n} < 2, NULL, {t_point(f'({n} - 1)')} * sqrt({variance(n, total, squares)} / {n}) / 1000)"


def wilson(hits: str, n: str) -> tuple[str, str]:
    """The lower and upper end of Wilson's interval of a share."""
    zz = Z * Z
    centre = f"(({hits}) / ({n}) + {zz / 2:.12f} / ({n}))"
    half = f"{Z} * sqrt(({hits}) / ({n}) * (1 - ({hits}) / ({n})) / ({n}) + {zz / 4:.12f} / ({n}) / ({n}))"
    below = f"(1 + {zz:.12f} / ({n}))"
    return f"({centre} - {half}) / {below}", f"({centre} + {half}) / {below}"


def figures(condition: str, waves: bool = False) -> str:
    """A subquery of v_now_satisfaction with `told`, `told_low` and `told_high`: mean, share of the top answers, or NPS, by the scale.

    waves: the condition asks for waves too: the interval of a mean of a whole wave is narrowed by √(1 − n/N), where the organisation's file
    tells N.
    """
    low, high = wilson("f.high_n", "f.n")
    nps_half = f"100 * {t_point('(f.n - 1)')} * {_NPS_DEVIATION} / sqrt(f.n)"
    sizes = f"(SELECT mapFromArrays(groupArray(wave), groupArray(ifNull(size, 0))) FROM v_waves WHERE {sql.ORGANISATION})"
    size = f"if(f.period_kind = 'wave' AND f.channel = '', {sizes}[toString(f.period)], 0)"
    half = f"(f.high - f.value) * sqrt(greatest(1 - if({size} = 0, 0, f.n / {size}), 0))" if waves else "(f.high - f.value)"

    def end(share: str, sign: str) -> str:
        nps, mean = f"f.nps {sign} {nps_half}", f"f.value {sign} {half}"
        return f"multiIf(isNull(f.low), NULL, f.kind IN {SHARES}, {share}, f.kind = 'recommendation', {nps}, {mean})"

    return f"""(
    SELECT
        f.*, multiIf(f.kind IN {SHARES}, f.top_share, f.kind = 'recommendation', f.nps, f.value) AS told,
        {end(low, "-")} AS told_low, {end(high, "+")} AS told_high
    FROM (SELECT * FROM v_now_satisfaction WHERE {sql.ORGANISATION} AND {condition}) AS f
)"""


def written(number: str, kind: str, language: Language) -> str:
    """A figure as people read it: a share in percent, NPS in points, else two decimals."""
    share, whole, grade = sql.percentage(number, language, 1), sql.decimal(number, 0, language), sql.decimal(number, 2, language)
    return f"multiIf({kind} IN {SHARES}, {share}, {kind} = 'recommendation', {whole}, {grade})"


def told(language: Language, table: str = "") -> str:
    """A figure of `figures` in words; how many answers it takes, where there are too few."""
    few = sql.too_few(f"{table}n", sql.MINIMUM, language)
    return f"if({table}n < {sql.MINIMUM} OR isNull({table}told_low), {few}, {written(f'{table}told', f'{table}kind', language)})"


def interval(language: Language, table: str = "") -> str:
    """The 95 % interval beside it; '' where there are too few answers."""
    low, high = (written(f"{table}told_{end}", f"{table}kind", language) for end in ("low", "high"))
    return f"if({table}n < {sql.MINIMUM} OR isNull({table}told_low), '', concat({low}, ' – ', {high}))"


def verdict(language: Language, table: str = "") -> str:
    """Whether a target is met, and why that can't be told, with a symbol before the word; '' without a target."""
    met, missed, few, straddles = (
        ("✓ gehaald", "✗ niet gehaald", "◔ te weinig antwoorden", "◔ niet aan te tonen")
        if language == "nl"
        else ("✓ met", "✗ not met", "◔ too few answers", "◔ not demonstrable")
    )
    return (
        f"multiIf({table}attainment = 'met', {sql.text(met)}, {table}attainment = 'not_met', {sql.text(missed)}, "
        f"{table}attainment = 'too_few' AND {table}n >= {sql.MINIMUM}, {sql.text(straddles)}, "
        f"{table}attainment = 'too_few', {sql.text(few)}, '')"
    )


def met_of(language: Language, met: str = "met", missed: str = "not_met", aspects: str = "aspects") -> str:
    """How many of the aspects meet their targets, with a symbol: ✓ all, ✗ some demonstrably not, ◔ it can't be told of some."""
    of, what, none = (" van ", " aspecten gehaald", "geen doelen") if language == "nl" else (" of ", " aspects met", "no targets")
    symbol = f"multiIf({met} = {aspects}, '✓ ', {missed} > 0, '✗ ', '◔ ')"
    return f"if({aspects} = 0, {sql.text(none)}, concat({symbol}, toString({met}), {sql.text(of)}, toString({aspects}), {sql.text(what)}))"


def population(language: Language, column: str = "population", audience: str = "audience") -> str:
    """Who was asked."""
    return f"concat({sql.said(column, POPULATIONS, language)}, if({audience} = '', '', concat(', ', toString({audience}))))"
