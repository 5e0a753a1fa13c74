"""Grades in a calendar quarter, a questionnaire at a time, held against the quarter before and the year before."""

from typing import Any

from dashboards.build import asked, sql
from dashboards.build.figures import comparing, grades
from dashboards.build.figures.quarters import BEFORE, CHOSEN, YEAR_BEFORE
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Column, table_panel
from dashboards.words import Text

VERDICTS = {
    "higher": Text("hoger", "higher"),
    "lower": Text("lager", "lower"),
    "no_difference": Text("geen aantoonbaar verschil", "no demonstrable difference"),
}


def _satisfaction(page: Page) -> str:
    """The board of the questionnaire of a row, in the quarter of this board."""
    return board_url(
        "satisfaction",
        page.language,
        organisation="${organisation:percentencode}",
        instrument="${__data.fields.key:percentencode}",
        period="quarter:${quarter:percentencode}",
        channel="${channel:percentencode}",
    )


def _aspects(page: Page) -> str:
    """A subquery: every aspect with the names of its questionnaire and of itself, and who answers."""
    return f"""(
    SELECT
        instrument, instrument_version, aspect, concat(instrument, ':', toString(instrument_version)) AS key,
        concat(title_{page.language}, {page.quoted(" · versie ", " · version ")}, toString(instrument_version)) AS questionnaire,
        {grades.population(page.language)} AS who, aspect_{page.language} AS title
    FROM v_instruments WHERE {sql.ORGANISATION}
)"""


def attained(page: Page) -> Any:
    """How many aspects meet their targets, by questionnaire."""
    language = page.language
    state = f"if(k.found, {grades.met_of(language, 'k.met', 'k.not_met', 'k.aspects')}, '')"
    counts = ("met", "not_met", "aspects")
    found = ", ".join(
        f"anyIf(a.{count}, period = {quarter}) AS {count}{suffix}"
        for suffix, quarter in (("", CHOSEN), ("_before", BEFORE), ("_year", YEAR_BEFORE))
        for count in counts
    )

    def then(suffix: str) -> str:
        return f"if(k.aspects{suffix} = 0, '', {grades.met_of(language, *(f'k.{count}{suffix}' for count in counts))}) AS state{suffix}"

    question = f"""
SELECT
    i.key AS key, i.questionnaire AS title, i.who AS who, {state} AS state, {then("_before")}, {then("_year")},
    if(r.invited = 0, '', concat({sql.percentage("r.answered / r.invited", language, 1)}, ' (', toString(r.answered),
        {page.quoted(" van ", " of ")}, toString(r.invited), ')')) AS response
FROM
(
    SELECT instrument, instrument_version, {found}, countIf(period = {CHOSEN}) > 0 AS found
    FROM (SELECT * FROM v_now_attainment WHERE {sql.ORGANISATION} AND period_kind = 'quarter' AND {asked.OVERALL_CHANNEL}) AS a
    GROUP BY instrument, instrument_version
) AS k
INNER JOIN (SELECT * FROM {_aspects(page)} LIMIT 1 BY key) AS i USING (instrument, instrument_version)
LEFT JOIN
(
    SELECT instrument, instrument_version, sum(v.invited) AS invited, sum(v.answered) AS answered
    FROM v_now_response AS v WHERE {sql.ORGANISATION} AND quarter = {CHOSEN} AND {sql.chosen("channel")}
    GROUP BY instrument, instrument_version
) AS r USING (instrument, instrument_version)
WHERE k.found
ORDER BY title
"""
    columns = (
        Column("key", "", hidden=True),
        Column("title", page.say("vragenlijst", "questionnaire"), link=_satisfaction(page)),
        Column("who", page.say("wie er antwoordden", "who answered")),
        Column("state", page.say("dit kwartaal", "this quarter"), state=True),
        Column("state_before", page.say("vorig kwartaal", "quarter before")),
        Column("state_year", page.say("jaar eerder", "year before")),
        Column("response", page.say("respons", "response")),
    )
    about = page.say(
        "Per vragenlijst hoeveel aspecten aantoonbaar op of boven hun doel liggen. Vragenlijsten, versies en groepen mensen worden nooit "
        "bij elkaar opgeteld.",
        "By questionnaire how many aspects lie demonstrably at or above their targets. Questionnaires, versions and groups of people are "
        "never added up.",
    )
    nothing = page.say("Geen antwoorden in dit kwartaal", "No answers in this quarter")
    return table_panel(page.say("Tevredenheid: doelen gehaald", "Satisfaction: targets met"), question, about, columns, nothing)


def compared_grades(page: Page) -> Any:
    """Every aspect of every questionnaire with interval and target, and what changed."""
    language = page.language
    few = page.quoted("te weinig antwoorden", "too few answers")
    broken = page.quoted("niet vergeleken: breuk in de reeks", "not compared: a break in the series")

    def change(suffix: str, quarter: str) -> str:
        n, by = f"c.n{suffix}", f"c.difference{suffix}"
        points = page.quoted(" procentpunt", " percentage points")
        size = (
            f"multiIf(c.kind IN {grades.SHARES}, concat({sql.signed(f'100 * {by}', 1, language)}, {points}), "
            f"c.kind = 'recommendation', {sql.signed(by, 0, language)}, {sql.signed(by, 2, language)})"
        )
        said = f"concat({sql.said(f'c.verdict{suffix}', VERDICTS, language)}, ' (', {size}, ')')"
        too_few = f"least(f.n, {n}) < {sql.MINIMUM}"
        verdict = f"multiIf({n} = 0, '', {comparing.broken('f', CHOSEN, quarter)}, {broken}, {too_few}, {few}, {said})"
        figure = f"concat({grades.written(f'c.mean{suffix}', 'c.kind', language)}, ', n = ', toString({n}))"
        return f"if({n} < {sql.MINIMUM}, '', {figure}) AS was{suffix}, {verdict} AS change{suffix}"

    quarters = f"period_kind = 'quarter' AND {asked.OVERALL_CHANNEL}"
    three = f"{quarters} AND period IN ({CHOSEN}, {BEFORE}, {YEAR_BEFORE})"
    question = f"""
SELECT
    i.key AS key, i.questionnaire AS questionnaire, i.title AS title, {grades.verdict(language, "f.")} AS state,
    {grades.told(language, "f.")} AS told, {grades.interval(language, "f.")} AS bounds, f.n AS n,
    if(isNull(f.target), '', {sql.decimal("f.target", 1, language)}) AS aim,
    {change("_before", BEFORE)}, {change("_year", YEAR_BEFORE)}
FROM {grades.figures(f"period = {CHOSEN} AND {quarters}")} AS f
INNER JOIN {_aspects(page)} AS i ON f.instrument = i.instrument AND f.instrument_version = i.instrument_version AND f.aspect = i.aspect
INNER JOIN {comparing.compared(CHOSEN, (("_before", BEFORE), ("_year", YEAR_BEFORE)), three)} AS c
    ON f.instrument = c.instrument AND f.instrument_version = c.instrument_version AND f.aspect = c.aspect
ORDER BY questionnaire, f.aspect != 'overall', title
"""
    columns = (
        Column("key", "", hidden=True),
        Column("questionnaire", page.say("vragenlijst", "questionnaire"), link=_satisfaction(page), width=200),
        Column("title", page.say("aspect", "aspect"), width=170),
        Column("state", page.say("oordeel", "verdict"), state=True, width=160),
        Column("told", page.say("cijfer", "figure"), width=110),
        Column("bounds", page.say("95 %-interval", "95 % interval"), width=110),
        Column("n", "n", width=70),
        Column("aim", page.say("doel", "target"), width=60),
        Column("was_before", page.say("vorig kwartaal", "quarter before"), width=130),
        Column("change_before", page.say("veranderd?", "changed?")),
        Column("was_year", page.say("jaar eerder", "year before"), width=130),
        Column("change_year", page.say("veranderd?", "changed?")),
    )
    about = page.say(
        "Hoger of lager staat er alleen als het verschil meer is dan toeval: Welch voor gemiddelden, alle aspecten van een vragenlijst "
        "samen volgens Holm (5 %). Over een breuk heen wordt niet vergeleken. "
        "Narekenen: contactmeter satisfaction --quarter … --against …",
        "Higher or lower stands there only when the difference is more than chance: Welch for means, all aspects of a questionnaire "
        "together by Holm (5 %). Nothing is compared across a break. To check: contactmeter satisfaction --quarter … --against …",
    )
    nothing = page.say("Geen antwoorden in dit kwartaal", "No answers in this quarter")
    return table_panel(page.say("Cijfers per aspect", "Grades by aspect"), question, about, columns, nothing)
