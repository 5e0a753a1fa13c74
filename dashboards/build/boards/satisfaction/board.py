"""The board "Tevredenheid": which aspects of one questionnaire are at their targets, since when, for whom, and how many answered."""

from typing import Any

from dashboards.build import asked, sql, variables
from dashboards.build.boards.satisfaction.series import by_aspect, marks, over_time
from dashboards.build.boards.satisfaction.tables import breakdown, gaps, responses
from dashboards.build.figures import grades
from dashboards.build.fresh import fresh
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Column, linked, stat_panel, table_panel
from dashboards.words import Text
from schemas.words import Language

ABOUT = Text(
    "Eén vragenlijst tegelijk: welke aspecten hun doel halen, hoe de cijfers zich ontwikkelen en hoeveel mensen antwoorden. "
    "Vragenlijsten, versies en groepen mensen worden nooit bij elkaar opgeteld.",
    "One questionnaire at a time: which aspects meet their targets, how grades develop and how many people answer. "
    "Questionnaires, versions and groups of people are never added up.",
)

ORGANISATION = "${organisation:percentencode}"


def build(language: Language) -> Page:
    """The board in a language."""
    choices = (variables.organisation, asked.instrument, asked.period, asked.channel, asked.aspect, asked.dimension)
    page = Page("satisfaction", language, ABOUT, choices, begin="now-1y", refresh="5m")
    marks(page)
    page.add(fresh(page), 4, 4)
    page.add(_head(page), 20, 4)
    page.add(_aspects(page), 24, 9)
    page.add(over_time(page), 12, 9)
    page.add(by_aspect(page), 12, 9)
    page.add(_priorities(page), 12, 7)
    page.add(gaps(page), 12, 7)
    page.add(breakdown(page), 14, 10)
    page.add(responses(page), 10, 10)
    return page


def _head(page: Page) -> Any:
    """Whether all targets are met, of how many answers, and whether the period still runs."""
    language = page.language
    answered = sql.percentage("r.answered / r.invited", language, 1)
    among, of = page.quoted(" (", " ("), page.quoted(" van ", " of ")
    question = f"""
SELECT
    if(empty(a.state), concat('◔ ', {sql.too_few("0", sql.MINIMUM, language)}), a.state[1]) AS state,
    if(empty(f.grade), {sql.too_few("0", sql.MINIMUM, language)}, f.grade[1]) AS grade,
    if(r.invited = 0, {page.quoted("onbekend", "unknown")},
        concat({answered}, {among}, toString(r.answered), {of}, toString(r.invited), ')')) AS response,
    i.who AS who,
    multiIf(empty(f.over), {page.quoted("nog geen cijfers", "no figures yet")}, NOT f.over[1], {page.quoted("◔ loopt nog", "◔ running")},
        {page.quoted("✓ afgesloten", "✓ closed")}) AS over
FROM
(
    SELECT groupArray({grades.met_of(language)}) AS state FROM v_now_attainment WHERE {sql.ORGANISATION} AND {asked.FIGURES}
) AS a
CROSS JOIN
(
    SELECT
        groupArrayIf(concat({grades.told(language)}, if({grades.interval(language)} = '', '',
            concat(' (', {grades.interval(language)}, '), n = ', toString(n)))), aspect = ${{aspect:sqlstring}}) AS grade,
        arrayFilter(x -> aspects > 0, [min(closed)]) AS over, count() AS aspects
    FROM {grades.figures(asked.FIGURES, waves=True)}
) AS f
CROSS JOIN
(
    SELECT
        if(countIf(quarter = '') > 0, sumIf(invited, quarter = ''), sum(invited)) AS invited,
        if(countIf(quarter = '') > 0, sumIf(answered, quarter = ''), sum(answered)) AS answered
    FROM v_now_response WHERE {sql.ORGANISATION} AND {asked.INSTRUMENT} AND {asked.RESPONSE_PERIOD} AND {sql.chosen("channel")}
) AS r
CROSS JOIN
(
    SELECT any({grades.population(language)}) AS who FROM {asked.ASPECTS}
) AS i
"""
    columns = (
        Column("state", page.say("doelen", "targets"), state=True),
        Column("grade", page.say("cijfer van het gekozen aspect (95 %-interval)", "figure of the chosen aspect (95 % interval)")),
        Column("response", page.say("respons", "response")),
        Column("who", page.say("wie er antwoordden", "who answered")),
        Column("over", page.say("periode", "period"), state=True),
    )
    about = page.say(
        "Een doel is gehaald als het hele 95 %-interval van het cijfer op of boven het doel ligt, en niet gehaald als het er helemaal "
        "onder ligt. Daartussen is het niet aan te tonen. Elk aspect met een doel telt mee. Antwoorden verschijnen in groepjes, zodat "
        "niemands antwoord af te lezen is. Narekenen: contactmeter satisfaction.",
        "A target is met when the whole 95 % interval of the grade lies at or above it, and not met when it lies wholly below. In between "
        "it is not demonstrable. Every aspect with a target counts. Answers appear in small groups, so that nobody's answer can be read. "
        "To check: contactmeter satisfaction.",
    )
    panel = stat_panel(page.say("Halen we onze doelen?", "Do we meet our targets?"), question, about, columns)
    return linked(panel, page.say("Naar de kwartalen", "To the quarters"), board_url("quarter", language, organisation=ORGANISATION))


def _aspects(page: Page) -> Any:
    """Every aspect against its target, what is not met first."""
    language = page.language
    low, high = sql.percentage("f.low_share", language), sql.percentage("f.top_share", language)
    faces = f"arrayStringConcat(arrayMap(x -> {sql.percentage('x', language)}, f.face_shares), ' · ')"
    targets = f"(SELECT groupUniqArray(aspect) FROM v_targets WHERE {sql.ORGANISATION} AND {asked.INSTRUMENT})"
    none = page.quoted("◔ te weinig antwoorden", "◔ too few answers")
    few = f"f.n < {sql.MINIMUM}"
    question = f"""
SELECT
    i.aspect AS aspect, i.title AS title, if(f.n = 0 AND has({targets}, i.aspect), {none}, {grades.verdict(language, "f.")}) AS state,
    {grades.told(language, "f.")} AS told, {grades.interval(language, "f.")} AS bounds, f.n AS n,
    if(isNull(f.target), {page.quoted("geen doel", "no target")}, {sql.decimal("f.target", 1, language)}) AS aim,
    multiIf({few}, '', i.kind = 'grade' AND i.minimum = 1 AND i.maximum = 10, concat('≤ 5: ', {low}, ' · ≥ 8: ', {high}),
        i.kind = 'recommendation', concat('0–6: ', {low}, ' · 9–10: ', {high}), i.kind = 'smileys', {faces}, '') AS spread,
    i.priority AS priority
FROM
(
    SELECT v.aspect AS aspect, aspect_{language} AS title, kind, minimum, maximum, p.title AS priority
    FROM (SELECT * FROM {asked.ASPECTS} AND expects = '') AS v
    LEFT JOIN (SELECT priority, title_{language} AS title FROM v_priorities WHERE {sql.ORGANISATION}) AS p ON v.priority = p.priority
) AS i
LEFT JOIN {grades.figures(asked.FIGURES, waves=True)} AS f ON i.aspect = f.aspect
ORDER BY indexOf(['not_met', 'too_few', '', 'met'], f.attainment), f.told - f.target, title
"""
    columns = (
        Column("aspect", "", hidden=True),
        Column("title", page.say("aspect", "aspect"), width=230),
        Column("state", page.say("oordeel", "verdict"), state=True, width=190),
        Column("told", page.say("cijfer", "figure"), width=230),
        Column("bounds", page.say("95 %-interval", "95 % interval"), width=130),
        Column("n", page.say("n (antwoorden)", "n (answers)"), width=120),
        Column("aim", page.say("doel", "target"), width=100),
        Column("spread", page.say("laag en hoog", "low and high"), width=220),
        Column("priority", page.say("hoort bij", "belongs to")),
    )
    about = page.say(
        "Het gemiddelde per aspect in de gekozen periode met zijn 95 %-interval; van 1–5 het aandeel 4 en 5, van 0–10 de NPS in punten, "
        "van ja/nee het aandeel ja. Wat niet gehaald is staat bovenaan. Zelfde cijfers: contactmeter satisfaction (docs/MEASURES.md, "
        "Satisfaction).",
        "The mean of each aspect in the chosen period with its 95 % interval; of 1–5 the share of 4 and 5, of 0–10 the NPS in points, of "
        "yes/no the share of yes. What is not met stands first. The same figures: contactmeter satisfaction (docs/MEASURES.md, "
        "Satisfaction).",
    )
    title = page.say("Aspecten tegen hun doel", "Aspects against their targets")
    return table_panel(title, question, about, columns, page.say("Geen vragenlijst", "No questionnaire"))


def _priorities(page: Page) -> Any:
    """The municipality's own goals, with the aspects and norms that belong to each."""
    language = page.language
    counts = "countIf(attainment = 'met') AS met, countIf(attainment = 'not_met') AS missed, countIf(attainment != '') AS judged"
    norms = f"v_now_figures WHERE {sql.ORGANISATION} AND startsWith(measure, 'norm:') AND window = '28d'"
    mark = "transform(toString(attainment), ['met', 'not_met'], ['✓ ', '✗ '], '◔ ')"
    question = f"""
SELECT
    p.title AS title, a.met + s.met AS met, a.judged + s.judged AS judged,
    if(judged = 0, '', concat(multiIf(met = judged, '✓ ', a.missed + s.missed > 0, '✗ ', '◔ '),
        toString(met), {page.quoted(" van ", " of ")}, toString(judged))) AS state,
    a.texts AS aspects, s.texts AS norms
FROM (SELECT priority, title_{language} AS title FROM v_priorities WHERE {sql.ORGANISATION}) AS p
LEFT JOIN
(
    SELECT
        i.priority AS priority, {counts},
        arrayStringConcat(arraySort(groupArray(concat({mark}, i.title, ' ', {grades.told(language, "f.")},
            if({grades.interval(language, "f.")} = '', '', concat(' (n = ', toString(f.n), ')'))))), '; ') AS texts
    FROM
    (
        SELECT aspect, priority, aspect_{language} AS title FROM {asked.ASPECTS} AND priority != ''
    ) AS i
    LEFT JOIN {grades.figures(asked.FIGURES, waves=True)} AS f ON i.aspect = f.aspect
    GROUP BY i.priority
) AS a ON p.priority = a.priority
LEFT JOIN
(
    SELECT
        goal AS priority, {counts},
        arrayStringConcat(arraySort(groupArray(concat({mark}, title, ', ', {sql.channel_name("channel", language)}, ' ',
            {sql.norm_share(language)}))), '; ') AS texts
    FROM (SELECT * FROM {norms} AND {sql.chosen("channel")}) AS f
    INNER JOIN
    (
        SELECT concat('norm:', norm) AS measure, any(n.priority) AS goal, any(title_{language}) AS title
        FROM v_norms AS n WHERE {sql.ORGANISATION} AND n.priority != '' GROUP BY norm
    ) AS n USING (measure)
    GROUP BY goal
) AS s ON p.priority = s.priority
ORDER BY startsWith(state, '✗') DESC, startsWith(state, '◔') DESC, title
"""
    columns = (
        Column("title", page.say("prioriteit", "priority"), width=190),
        Column("met", "", hidden=True),
        Column("judged", "", hidden=True),
        Column("state", page.say("doelen gehaald", "targets met"), state=True, width=120),
        Column("aspects", page.say("aspecten van deze vragenlijst", "aspects of this questionnaire")),
        Column("norms", page.say("normen, laatste 28 dagen", "norms, last 28 days")),
    )
    about = page.say(
        "De eigen doelen van de gemeente, met de aspecten van de gekozen vragenlijst en de normen die er volgens het bestand van de "
        "organisatie bij horen. Aspecten over de gekozen periode, normen over de laatste 28 dagen.",
        "The municipality's own goals, with the aspects of the chosen questionnaire and the norms that belong to them by the "
        "organisation's file. Aspects of the chosen period, norms of the last 28 days.",
    )
    nothing = page.say("Geen prioriteiten in het bestand van de organisatie", "No priorities in the organisation's file")
    return table_panel(page.say("Prioriteiten", "Priorities"), question, about, columns, nothing)
