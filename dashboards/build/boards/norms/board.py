"""The board "Normen": every norm against its target, where it goes wrong, what was left out and why, and where each norm was published."""

from typing import Any

from dashboards.build import marks, sql, variables
from dashboards.build.boards.norms.tables import definitions, excluded, times, worst
from dashboards.build.colours import VERMILION
from dashboards.build.figures import norms as norm_figures
from dashboards.build.fresh import fresh
from dashboards.build.page import Page, board_url, channel_link
from dashboards.build.panels import Column, Line, linked, series_panel, stat_panel, table_panel, timeline_panel
from dashboards.build.runbook import link as runbook
from dashboards.words import Text
from schemas.words import Language

_ASKED = sql.chosen("team", "product", "location")


def build(language: Language) -> Page:
    """The board in a language."""
    about = Text(
        "Elke norm tegen zijn doel: nu, dit kwartaal en in de tijd; waar het misgaat, wat niet meetelt en waarom.",
        "Every norm against its target: now, this quarter and over time; where it goes wrong, what does not count and why.",
    )
    asked = (variables.organisation, variables.team, variables.product, variables.location)
    page = Page("norms", language, about, asked, begin="now-28d", refresh="1m")
    marks.add_marks(page)
    page.add(fresh(page), 4, 4)
    page.add(_counts(page), 20, 4)
    page.add(_norms(page), 24, 9)
    page.add(_lanes(page), 12, 9)
    page.add(_shares(page), 12, 9)
    page.add(worst(page), 14, 9)
    page.add(_judged(page), 10, 9)
    page.add(excluded(page), 12, 8)
    page.add(times(page), 12, 8)
    page.add(definitions(page), 24, 9)
    return page


def _counts(page: Page) -> Any:
    """How many norms are met, and what presses."""
    question = f"""
SELECT
    if(met + not_met + too_few = 0, {page.quoted("? nog geen cijfers", "? no figures yet")}, concat(
        if(not_met > 0, '✗ ', if(met > 0, '✓ ', '◔ ')), toString(met), {page.quoted(" van ", " of ")}, toString(met + not_met),
        if(too_few > 0, concat({page.quoted("; te weinig contacten: ", "; too few contacts: ")}, toString(too_few)), '')
    )) AS state,
    overdue, today, by_law, within_week
FROM
(
    SELECT countIf(attainment = 'met') AS met, countIf(attainment = 'not_met') AS not_met, countIf(attainment = 'too_few') AS too_few
    FROM v_now_figures WHERE {sql.ORGANISATION} AND channel != '' AND window = '28d' AND {norm_figures.IS_NORM}
) AS f
CROSS JOIN
(
    SELECT
        countIf(overdue) AS overdue, countIf(late_today) AS today, countIf(hasAny(overdue_norms, laws)) AS by_law,
        countIf(arrayExists(x -> has(laws, x.1) AND x.2 < now64(3, 'UTC') + toIntervalDay(7), ahead)) AS within_week
    FROM
    (
        SELECT
            overdue, late_today, overdue_norms, ahead,
            (SELECT groupArray(norm) FROM v_norms WHERE {sql.ORGANISATION} AND clock = 'statutory-term') AS laws
        FROM v_now_open WHERE {sql.ORGANISATION} AND {_ASKED}
    )
) AS o
"""
    columns = (
        Column("state", page.say("normen gehaald, 28 dagen", "norms met, 28 days"), state=True),
        Column("overdue", page.say("◷ contacten nu te laat", "◷ contacts overdue now")),
        Column("today", page.say("vandaag te laat als niemand iets doet", "late today if nobody acts")),
        Column("by_law", page.say("◷ wettelijke termijn voorbij", "◷ past a term of law")),
        Column("within_week", page.say("wettelijke termijn binnen 7 dagen", "term of law within 7 days")),
    )
    about = page.say(
        "Hoeveel normen over 28 dagen op of boven hun doel liggen, van die met genoeg contacten. Wettelijk: normen met de klok "
        "statutory-term (Algemene termijnenwet). Te laat volgt de keuze van team, product en locatie.",
        "How many norms are at or above their target over 28 days, of those with enough contacts. Of law: norms with the clock "
        "statutory-term (Algemene termijnenwet). Overdue follows the choice of team, product and location.",
    )
    panel = stat_panel(page.say("Normen nu", "Norms now"), question, about, columns)
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("norm-not-met"), blank=True)


def _norms(page: Page) -> Any:
    """A row for each norm and channel."""
    columns = (
        Column("norm", "", hidden=True),
        Column("channel", "", hidden=True),
        Column(
            "name", page.say("norm", "norm"), width=300, link=channel_link(page.language), link_title=page.say("dit kanaal", "this channel")
        ),
        Column("channel_name", page.say("kanaal", "channel"), width=100),
        Column("kind", page.say("van wie", "set by"), width=100),
        *norm_figures.columns(page),
    )
    about = norm_figures.about_cells(page) + page.say(
        " Alle contacten van het kanaal. Hoe een contact beoordeeld is: contactmeter explain SYSTEEM/NUMMER.",
        " All contacts of the channel. How a contact was judged: contactmeter explain SYSTEM/ID.",
    )
    return table_panel(
        page.say("Elke norm, de slechtste eerst", "Every norm, the worst first"),
        norm_figures.rows(page),
        about,
        columns,
        page.say("Er geldt geen norm", "No norm is in force"),
    )


def _about_weeks(page: Page) -> str:
    return page.say(
        "Elke dag telt met de zes dagen ervoor (norm:<id>, zoals het venster van 7 dagen). Volgt de keuze van team, product en locatie.",
        "Each day counts with the six days before it (norm:<id>, as the window of 7 days). Follows the choice of team, product and "
        "location.",
    )


def _lanes(page: Page) -> Any:
    """Since when a norm is not met."""
    question = f"""
SELECT
    toDateTime(day, {sql.ZONE}) AS time, name,
    multiIf(
        n < {sql.MINIMUM}, {page.quoted("◔ te weinig", "◔ too few")}, isNull(target), {page.quoted("geen doel", "no target")},
        total / n >= target, {page.quoted("✓ gehaald", "✓ met")}, {page.quoted("✗ niet gehaald", "✗ not met")}
    ) AS state
FROM {norm_figures.named_weeks(page, _ASKED)}
ORDER BY time, name
"""
    about = page.say(
        "✓ gehaald, ✗ niet gehaald, ◔ te weinig contacten; tegen het doel van nu. ", "✓ met, ✗ not met, ◔ too few; by the target of now. "
    )
    title = page.say("Sinds wanneer gehaald of niet (telkens 7 dagen)", "Since when met or not (7 days each)")
    return timeline_panel(title, question, about + _about_weeks(page))


def _shares(page: Page) -> Any:
    """The share within each norm over time."""
    return series_panel(
        page.say("Deel binnen de norm (telkens 7 dagen)", "Share within the norm (7 days each)"),
        norm_figures.shares(page, _ASKED),
        _about_weeks(page) + page.say(" Geen punt waar te weinig contacten waren.", " No point where there were too few contacts."),
        unit="percentunit",
        decimals=0,
    )


def _judged(page: Page) -> Any:
    """On how many contacts the shares rest."""
    question = f"""
SELECT toDateTime(day, {sql.ZONE}) AS time, sum(n) AS judged, judged - sum(total) AS late
FROM {norm_figures.weeks(_ASKED, moving=1)} GROUP BY day ORDER BY time
"""
    lines = (
        Line("judged", page.say("beoordeeld", "judged"), bars=True),
        Line("late", page.say("✗ waarvan te laat", "✗ of which late"), colour=VERMILION, bars=True),
    )
    about = page.say(
        "Op hoeveel oordelen de cijfers rusten (n), alle normen samen, op de dag waarop ze tellen. Een contact kan voor meer normen "
        "tellen. ",
        "On how many verdicts the figures rest (n), all norms together, on the day on which they count. A contact may count for several "
        "norms. ",
    )
    title = page.say("Beoordeeld per dag", "Judged per day")
    panel = series_panel(title, question, about, lines, least=0)
    return linked(
        panel,
        page.say("Drukte en producten", "Busyness and products"),
        board_url("busyness", page.language, organisation="${organisation:percentencode}"),
    )
