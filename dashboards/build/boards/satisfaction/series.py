"""Grades through time on the board "Tevredenheid", and the breaks and markers in its charts."""

from typing import Any

from dashboards.build import asked, sql
from dashboards.build.colours import GREY, ORANGE, PURPLE
from dashboards.build.figures import grades
from dashboards.build.marks import marker_name
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Line, linked, series_panel

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
