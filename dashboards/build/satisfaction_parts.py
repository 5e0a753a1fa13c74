"""Panels of the board "Tevredenheid" that tell of one aspect, of expectation and of response; and the marks in its charts."""

from typing import Any

from dashboards.build import asked, comparing, grades, sql
from dashboards.build.colours import GREY, ORANGE, PURPLE
from dashboards.build.marks import marker_name
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Column, Line, linked, series_panel, table_panel

POINTS = 40
"""About how many points a line has at most."""

_BLOCKS = f"v_now_blocks WHERE {sql.ORGANISATION} AND {asked.INSTRUMENT} AND {sql.chosen('channel')} AND $__timeFilter(last_at)"
_CONCERNS = "('*' = ${channel:sqlstring} OR empty(channels) OR has(channels, ${channel:sqlstring}))"
_BREAKS = (
    f"(SELECT groupArray(toDateTime(from_at, 'UTC')) FROM v_markers WHERE {sql.ORGANISATION} "
    f"AND kind IN ('questionnaire_change', 'reorganisation') AND {_CONCERNS})"
)
_LEAST = f"({sql.MINIMUM} + 2 * (SELECT any(small_cell) FROM v_organisations WHERE {sql.ORGANISATION}))"
"""So many answers a point asks for that whole blocks never make fewer than are told."""


def marks(page: Page) -> None:
    """Breaks in the series, and what else was announced, in every chart of the board."""
    new_version = page.quoted("breuk: nieuwe versie van de vragenlijst", "break: new version of the questionnaire")
    questionnaire = f"v_now_blocks WHERE {sql.ORGANISATION} AND instrument = splitByChar(':', ${{instrument:sqlstring}})[1]"
    page.mark(
        page.say("Nieuwe versie", "New version"),
        f"""
SELECT min(first_at) AS time, NULL AS timeEnd, {new_version} AS title,
    concat(toString(instrument), ' ', toString(instrument_version)) AS text
FROM {questionnaire} AND instrument_version > (SELECT min(instrument_version) FROM {questionnaire})
GROUP BY instrument, instrument_version
""",
        ORANGE,
    )
    for name, condition, colour in (
        (page.say("Breuken", "Breaks"), "kind IN ('questionnaire_change', 'reorganisation')", ORANGE),
        (page.say("Aangekondigd", "Announced"), "kind NOT IN ('questionnaire_change', 'reorganisation')", PURPLE),
    ):
        page.mark(
            name,
            f"""
SELECT from_at AS time, to_at AS timeEnd, {marker_name(page)} AS title, note AS text
FROM v_markers
WHERE {sql.ORGANISATION} AND {condition} AND {_CONCERNS} AND from_at <= $__toTime AND ifNull(to_at >= $__fromTime, 1)
""",
            colour,
        )


def _bundled(aspects: str, name: str) -> str:
    """A subquery: blocks of answers in bundles that are large enough to tell of, in the order of time; none lies across a break."""
    return f"""(
    SELECT {name} AS name, part, max(last_at) AS time, sum(blocks.n) AS n, sum(blocks.total) AS total, sum(blocks.squares) AS squares
    FROM
    (
        SELECT
            aspect, last_at, n, total, squares, arrayCount(x -> x <= first_at, {_BREAKS}) AS part,
            sum(n) OVER (PARTITION BY aspect) AS answers,
            sum(n) OVER (PARTITION BY aspect, part ORDER BY last_at, channel, wave, late, block ROWS UNBOUNDED PRECEDING) - n AS before
        FROM {_BLOCKS} AND {aspects} AND NOT arrayExists(x -> x > first_at AND x <= last_at, {_BREAKS})
    ) AS blocks
    GROUP BY name, part, intDiv(before, greatest(toInt64({_LEAST}), intDiv(answers, {POINTS})))
    HAVING n >= {sql.MINIMUM}
)"""


def over_time(page: Page) -> Any:
    """One aspect with its interval and its target."""
    half = grades.half_width()
    lower = page.say("95 %-interval, onderkant", "95 % interval, lower end")
    question = f"""
SELECT time, value, low, high, target
FROM
(
    SELECT
        time, mean AS value, mean - half AS low, mean + half AS high,
        (SELECT groupArray((valid_from, valid_to, target)) FROM v_targets
         WHERE {sql.ORGANISATION} AND {asked.INSTRUMENT} AND aspect = ${{aspect:sqlstring}}) AS targets,
        arrayFirstIndex(x -> x.1 <= toDate32(time) AND toDate32(time) < x.2, targets) AS valid,
        if(valid = 0, NULL, targets[valid].3) AS target
    FROM (SELECT time, total / n / 1000 AS mean, {half} AS half FROM {_bundled("aspect = ${aspect:sqlstring}", "aspect")})
    UNION ALL
    SELECT arrayJoin({_BREAKS}) AS time, NULL AS value, NULL AS low, NULL AS high, [] AS targets, 0 AS valid, NULL AS target
)
WHERE $__timeFilter(time)
ORDER BY time
"""
    lines = (
        Line("value", page.say("cijfer", "grade"), width=3),
        Line("high", page.say("95 %-interval, bovenkant", "95 % interval, upper end"), colour=GREY, width=1, below=lower),
        Line("low", lower, colour=GREY, width=1),
        Line("target", page.say("doel", "target"), colour=ORANGE, dash=(8, 6)),
    )
    about = page.say(
        "Het gemiddelde van het gekozen aspect door de tijd. Elk punt telt opeenvolgende groepjes antwoorden, samen ten minste zoveel "
        "als nodig is voor een cijfer; minder antwoorden geven minder punten. De lijn breekt af waar vragenlijst of organisatie "
        "veranderde.",
        "The mean of the chosen aspect over time. Each point counts successive groups of answers, together at least as many as a grade "
        "takes; fewer answers give fewer points. The line breaks where questionnaire or organisation changed.",
    )
    title = page.say("Het gekozen aspect door de tijd", "The chosen aspect over time")
    return series_panel(title, question, about, lines, decimals=1, points=True)


def by_aspect(page: Page) -> Any:
    """All aspects on the scale of the chosen one, a line each."""
    names = f"(SELECT mapFromArrays(groupArray(toString(aspect)), groupArray(aspect_{page.language})) FROM {asked.ASPECTS})"
    scale = f"(SELECT kind, minimum, maximum FROM {asked.ASPECTS} AND aspect = ${{aspect:sqlstring}})"
    alike = f"aspect IN (SELECT aspect FROM {asked.ASPECTS} AND expects = '' AND (kind, minimum, maximum) IN {scale})"
    question = f"""
SELECT time, name, total / n / 1000 AS value
FROM {_bundled(alike, f"{names}[toString(aspect)]")}
ORDER BY time, name
"""
    about = page.say(
        "Het gemiddelde van elk aspect van deze vragenlijst, op dezelfde schaal als het gekozen aspect. Zonder interval: of een verschil "
        "meer is dan toeval, staat op het bord Kwartaal.",
        "The mean of each aspect of this questionnaire, on the same scale as the chosen aspect. Without interval: whether a difference is "
        "more than chance is on the board Quarter.",
    )
    panel = series_panel(page.say("Alle aspecten door de tijd", "All aspects over time"), question, about, decimals=1)
    quarters = board_url("quarter", page.language, organisation="${organisation:percentencode}")
    return linked(panel, page.say("Naar de kwartalen", "To the quarters"), quarters)


def gaps(page: Page) -> Any:
    """What people expected against what they met."""
    language = page.language
    words = (
        page.quoted("◔ te weinig antwoorden", "◔ too few answers"),
        page.quoted("✗ minder dan verwacht", "✗ less than expected"),
        page.quoted("✓ beter dan verwacht", "✓ better than expected"),
        page.quoted("◔ geen aantoonbaar verschil", "◔ no demonstrable difference"),
    )
    few = f"least(n, n_expected) < {sql.MINIMUM} OR isNull(half)"
    pairs = f"""(
    SELECT v.aspect AS aspect, v.expects AS expects, t.title AS title
    FROM (SELECT aspect, expects FROM {asked.ASPECTS} AND expects != '') AS v
    INNER JOIN (SELECT aspect, aspect_{language} AS title FROM {asked.ASPECTS}) AS t ON v.expects = t.aspect
)"""
    question = f"""
SELECT
    title, multiIf({few}, {words[0]}, gap > half, {words[1]}, gap < -half, {words[2]}, {words[3]}) AS state,
    if({few}, {sql.too_few("least(n, n_expected)", sql.MINIMUM, language)}, {sql.signed("gap", 2, language)}) AS gap_text,
    if({few}, '', concat({sql.signed("gap - half", 2, language)}, ' – ', {sql.signed("gap + half", 2, language)})) AS bounds,
    if({few}, '', {sql.decimal("expected", 2, language)}) AS expected_text, n_expected,
    if({few}, '', {sql.decimal("lived", 2, language)}) AS lived_text, n
FROM {comparing.gaps(asked.FIGURES, pairs)}
ORDER BY title
"""
    columns = (
        Column("title", page.say("aspect", "aspect")),
        Column("state", page.say("oordeel", "verdict"), state=True, width=200),
        Column("gap_text", page.say("verwachting − ervaring", "expectation − experience")),
        Column("bounds", page.say("95 %-interval", "95 % interval")),
        Column("expected_text", page.say("verwacht", "expected")),
        Column("n_expected", "n"),
        Column("lived_text", page.say("ervaren", "met")),
        Column("n", "n"),
    )
    about = page.say(
        "Verwachting min ervaring: boven 0 viel het tegen. Met het 95 %-interval van het verschil (Welch).",
        "Expectation minus experience: above 0 it fell short. With the 95 % interval of the difference (Welch).",
    )
    nothing = page.say("Naar de verwachting is in deze vragenlijst niet gevraagd", "This questionnaire does not ask what was expected")
    return table_panel(page.say("Verwachting tegen ervaring", "Expectation against experience"), question, about, columns, nothing)


def breakdown(page: Page) -> Any:
    """The chosen aspect by team, product, location or segment, in a quarter that is over."""
    language = page.language
    half, value = grades.half_width("cells.n", "cells.total", "cells.squares"), "cells.value"
    cells = f"v_now_satisfaction_by WHERE {sql.ORGANISATION} AND {asked.INSTRUMENT}"
    figure = sql.decimal(value, 2, language)
    few = sql.too_few("assumeNotNull(n)", sql.MINIMUM, language)
    withheld = page.quoted("niet getoond: te weinig antwoorden, of daaruit af te leiden", "not shown: too few answers, or to be derived")
    question = f"""
SELECT
    quarter, {sql.channel_name("channel", language)} AS name,
    if(cell = '', {page.quoted("(onbekend)", "(unknown)")}, toString(cell)) AS what,
    multiIf(withheld, {withheld}, n < {sql.MINIMUM}, {few}, {figure}) AS figure,
    if(withheld OR n < {sql.MINIMUM}, '', concat({sql.decimal(f"{value} - {half}", 2, language)}, ' – ',
        {sql.decimal(f"{value} + {half}", 2, language)})) AS bounds, ifNull(toString(n), '') AS answers
FROM
(
    SELECT *
    FROM {cells} AND aspect = ${{aspect:sqlstring}} AND dimension = ${{dimension:sqlstring}} AND {sql.chosen("channel")}
        AND quarter = if(has((SELECT groupUniqArray(quarter) FROM {cells}), {asked.QUARTER}), {asked.QUARTER},
            (SELECT max(quarter) FROM {cells}))
) AS cells
ORDER BY name, withheld, ifNull(n, 0) < {sql.MINIMUM}, value, what
LIMIT 300
"""
    columns = (
        Column("quarter", page.say("kwartaal", "quarter"), width=90),
        Column("name", page.say("kanaal", "channel"), width=130),
        Column("what", page.say("groep", "group")),
        Column("figure", page.say("cijfer", "grade")),
        Column("bounds", page.say("95 %-interval", "95 % interval"), width=130),
        Column("answers", page.say("n (antwoorden)", "n (answers)"), width=120),
    )
    about = page.say(
        "Het gemiddelde van het gekozen aspect naar team, product, locatie of segment, per kanaal en het laagste eerst. Alleen van "
        "kwartalen die voorbij zijn: het gekozen kwartaal, en anders het laatste. Kleine groepen worden niet getoond, en een "
        "tweede groep ook niet als de eerste daaruit volgt. Narekenen: contactmeter satisfaction --by team.",
        "The mean of the chosen aspect by team, product, location or segment, per channel, the lowest first. Only of quarters that are "
        "over: the chosen one, or else the last. Small groups are not shown, nor is a second one from which the first would follow. "
        "To check: contactmeter satisfaction --by team.",
    )
    nothing = page.say("Nog geen kwartaal dat voorbij is", "No quarter that is over yet")
    return table_panel(page.say("Uitsplitsing van het gekozen aspect", "Breakdown of the chosen aspect"), question, about, columns, nothing)


def responses(page: Page) -> Any:
    """How many of those who were asked answered."""
    language = page.language
    question = f"""
SELECT
    if(quarter = '', toString(wave), concat(quarter, if(wave = '', '', concat(' · ', toString(wave))))) AS period,
    if(channel = '', {page.quoted("alle kanalen", "all channels")}, {sql.channel_name("channel", language)}) AS name, rate,
    concat({sql.percentage("low", language, 1)}, ' – ', {sql.percentage("high", language, 1)}) AS bounds, answered, invited
FROM v_now_response
WHERE {sql.ORGANISATION} AND {asked.INSTRUMENT} AND {sql.chosen("channel")} AND invited > 0
ORDER BY {asked.RESPONSE_PERIOD} DESC, quarter DESC, rate
LIMIT 200
"""
    columns = (
        Column("period", page.say("periode", "period"), width=110),
        Column("name", page.say("kanaal", "channel"), width=130),
        Column("rate", page.say("respons", "response"), unit="percentunit", decimals=1, bar=True),
        Column("bounds", page.say("95 %-interval", "95 % interval"), width=140),
        Column("answered", page.say("antwoordden", "answered"), width=100),
        Column("invited", page.say("n (uitgenodigd)", "n (invited)"), width=120),
    )
    about = page.say(
        "Volledige antwoorden op uitnodigingen, naar het kwartaal van de uitnodiging; de gekozen periode eerst. Met Wilsons 95 %-interval.",
        "Complete answers to invitations, by the quarter of the invitation; the chosen period first. With Wilson's 95 % interval.",
    )
    nothing = page.say("Er is nog niemand uitgenodigd", "Nobody has been invited yet")
    return table_panel(page.say("Respons", "Response"), question, about, columns, nothing)
