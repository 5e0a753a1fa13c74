"""The board "Kwartaal": one calendar quarter for a report, beside the quarter before and the same quarter a year before."""

from typing import Any

from dashboards.build import asked, sql, variables
from dashboards.build.boards.quarter.grades import attained, compared_grades
from dashboards.build.boards.quarter.months import month_table, norms_by_month, volumes_by_month
from dashboards.build.boards.quarter.norms import judged, norms
from dashboards.build.figures.quarters import BEFORE, CLOSES, FIRST, LAST, OVER, SPANS, YEAR_BEFORE, change, of_quarter
from dashboards.build.fresh import fresh
from dashboards.build.page import Page, channel_link
from dashboards.build.panels import Column, stat_panel, table_panel
from dashboards.words import Text
from schemas.words import Language

ABOUT = Text(
    "Eén kalenderkwartaal om over te rapporteren: contacten, wachttijden, normen en cijfers, naast het vorige kwartaal en hetzelfde "
    "kwartaal een jaar eerder.",
    "One calendar quarter to report on: contacts, waits, norms and grades, beside the previous quarter and the same quarter a year before.",
)


def build(language: Language) -> Page:
    """The board in a language."""
    page = Page("quarter", language, ABOUT, (variables.organisation, asked.quarter, asked.channel), begin="now-2y", refresh="5m")
    page.add(fresh(page), 4, 4)
    page.add(_head(page), 20, 4)
    page.add(_volumes(page), 24, 8)
    page.add(norms(page), 24, 9)
    page.add(attained(page), 24, 5)
    page.add(compared_grades(page), 24, 10)
    page.add(volumes_by_month(page), 12, 9)
    page.add(norms_by_month(page), 12, 9)
    page.add(month_table(page), 24, 9)
    return page


def _head(page: Page) -> Any:
    """Whether the quarter is closed, and how it went in five figures."""
    language = page.language
    contacts = of_quarter("measure = 'volume'")
    none, of = page.quoted("geen", "none"), page.quoted(" van ", " of ")
    met = f"SELECT countIf(attainment = 'met') AS met, countIf(attainment IN ('met', 'not_met')) AS judged FROM {judged()}"
    question = f"""
SELECT
    multiIf({sql.TODAY} < {FIRST}, {page.quoted("? begint nog", "? yet to begin")},
        NOT {OVER}, concat({page.quoted("◔ loopt nog: dag ", "◔ running: day ")}, toString(dateDiff('day', {FIRST}, {sql.TODAY}) + 1),
            {of}, toString(dateDiff('day', {FIRST}, {LAST}) + 1)),
        concat(
            if({sql.TODAY} < {CLOSES}, {page.quoted("◔ voorbij; afgesloten op ", "◔ over; closes on ")},
                {page.quoted("✓ afgesloten op ", "✓ closed on ")}),
            formatDateTime({CLOSES}, '%d-%m-%Y'))) AS state,
    c.n AS contacts,
    {change("c.n", "c.n_before", BEFORE, language)} AS before, {change("c.n", "c.n_year", YEAR_BEFORE, language)} AS year,
    if(n.judged = 0, {none}, concat(if(n.met = n.judged, '✓ ', '✗ '), toString(n.met), {of}, toString(n.judged))) AS norms
FROM (SELECT sum(q.n) AS n, sum(q.n_before) AS n_before, sum(q.n_year) AS n_year FROM {contacts} AS q) AS c
CROSS JOIN ({met}) AS n
"""
    columns = (
        Column("state", page.say("kwartaal", "quarter"), state=True),
        Column("contacts", page.say("contacten", "contacts")),
        Column("before", page.say("tegen het vorige kwartaal", "against the quarter before")),
        Column("year", page.say("tegen een jaar eerder", "against a year before")),
        Column("norms", page.say("normen gehaald", "norms met"), state=True),
    )
    about = page.say(
        "Een kwartaal is afgesloten twee dagen na zijn laatste dag: dan zijn ook de laatste antwoorden geplaatst. Wat daarna nog "
        "binnenkomt of gecorrigeerd wordt, telt nog mee in contacten en normen. Een lopend kwartaal wordt niet met een heel vergeleken. "
        "Narekenen: contactmeter quarters.",
        "A quarter is closed two days after its last day: then the last answers have their place too. What comes or is corrected later "
        "still counts in contacts and norms. A running quarter is not compared with a whole one. To check: contactmeter quarters.",
    )
    return stat_panel(page.say("Dit kwartaal", "This quarter"), question, about, columns)


def _volumes(page: Page) -> Any:
    """Contacts, waits and who gave up, by channel."""
    language = page.language

    kinds = (("v", "volume"), ("w", "wait"), ("a", "abandonment"))
    pivot = ", ".join(
        f"sumIf(m.{part}{suffix}, name = '{measure}') AS {kind}_{part}{suffix}"
        for kind, measure in kinds
        for part in ("n", "total")
        for suffix, _ in SPANS
    )

    def wait(name: str) -> str:
        return f"if(w_n{name} = 0, '', {sql.lasting(f'(w_total{name} / w_n{name} / 1000)', language)})"

    def gave_up(name: str) -> str:
        return f"if(a_n{name} = 0, '', {sql.percentage(f'a_total{name} / a_n{name}', language, 1)})"

    question = f"""
SELECT
    q.channel AS channel, {sql.channel_name("q.channel", language)} AS name, v_n AS contacts,
    nullIf(v_n_before, 0) AS contacts_before, {change("v_n", "v_n_before", BEFORE, language)} AS change_before,
    nullIf(v_n_year, 0) AS contacts_year, {change("v_n", "v_n_year", YEAR_BEFORE, language)} AS change_year,
    if(isNull(o.inhabitants), '', {sql.decimal("1000 * v_n / o.inhabitants", 0, language)}) AS per_thousand,
    {wait("")} AS wait, w_n AS waits, {wait("_before")} AS wait_before, {wait("_year")} AS wait_year,
    {gave_up("")} AS abandoned, a_n AS calls, {gave_up("_before")} AS abandoned_before, {gave_up("_year")} AS abandoned_year
FROM
(
    SELECT channel, {pivot}
    FROM {of_quarter("measure IN ('volume', 'wait', 'abandonment')", "measure", together=True)} AS m
    GROUP BY channel
    HAVING v_n > 0
) AS q
CROSS JOIN (SELECT any(inhabitants) AS inhabitants FROM v_organisations WHERE {sql.ORGANISATION}) AS o
ORDER BY q.channel = '' DESC, v_n DESC
"""
    before, year = page.say("vorig kwartaal", "quarter before"), page.say("jaar eerder", "year before")
    columns = (
        Column("channel", "", hidden=True),
        Column("name", page.say("kanaal", "channel"), link=channel_link(language), width=140),
        Column("contacts", page.say("contacten (n)", "contacts (n)")),
        Column("contacts_before", before),
        Column("change_before", "±"),
        Column("contacts_year", year),
        Column("change_year", "±"),
        Column("per_thousand", page.say("per 1.000 inwoners", "per 1,000 inhabitants")),
        Column("wait", page.say("gemiddelde wachttijd", "mean wait")),
        Column("waits", "n"),
        Column("wait_before", before),
        Column("wait_year", year),
        Column("abandoned", page.say("opgegeven", "gave up")),
        Column("calls", "n"),
        Column("abandoned_before", before),
        Column("abandoned_year", year),
    )
    about = page.say(
        "Contacten naar het kwartaal waarin ze begonnen (volume); de gemiddelde tijd tot een mens antwoordt (wait); het deel van wie "
        "antwoord kreeg of opgaf dat opgaf (abandonment). n is het aantal contacten waarop het cijfer rust.",
        "Contacts by the quarter in which they began (volume); the mean time until a person answers (wait); of those who were answered or "
        "gave up the share that gave up (abandonment). n is the number of contacts behind the figure.",
    )
    title = page.say("Contacten, wachttijd en opgegeven", "Contacts, waits and giving up")
    return table_panel(title, question, about, columns, page.say("Geen contacten in dit kwartaal", "No contacts in this quarter"))
