"""Tables of the board "Tevredenheid" beside that of the aspects: expectation against experience, the breakdown, response."""

from typing import Any

from dashboards.build import asked, sql
from dashboards.build.figures import comparing, grades
from dashboards.build.page import Page
from dashboards.build.panels import Column, table_panel


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
