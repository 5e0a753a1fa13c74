"""The board "Kanaal": one channel. Is it fine now, what is late, how busy is it against the usual, and since when is it different."""

from typing import Any

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from dashboards.build import marks, sql, variables
from dashboards.build.boards.channel.day import hours, quarters, today
from dashboards.build.boards.channel.figures import breakdown, grades, norms, periods
from dashboards.build.boards.channel.lists import callbacks, contacts, incidents, queues
from dashboards.build.figures import norms as norm_figures
from dashboards.build.figures import states
from dashboards.build.fresh import fresh
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Column, Line, linked, series_panel, stat_panel
from dashboards.words import Text
from schemas.words import Language


def build(language: Language) -> Page:
    """The board in a language."""
    about = Text(
        "Eén kanaal: hoe het nu gaat, wat te laat is, hoe druk het is en sinds wanneer het anders is. Lijsten en verloop volgen de keuze "
        "van team, product en locatie.",
        "One channel: how it goes now, what is late, how busy it is and since when it differs. Lists and series follow the choice of team, "
        "product and location.",
    )
    asked = (variables.organisation, variables.channel, variables.team, variables.product, variables.location)
    page = Page("channel", language, about, asked, begin="now-28d")
    marks.add_marks(page, one_channel=True)
    page.add(fresh(page), 4, 4)
    page.add(_state(page), 5, 4)
    page.add(_now(page), 15, 4)
    page.add(norms(page), 24, 6)
    page.add(today(page), 8, 8)
    page.add(hours(page), 8, 8)
    page.add(quarters(page), 8, 8)
    page.add(contacts(page), 24, 10)
    page.add(callbacks(page), 14, 7)
    page.add(queues(page), 10, 7)
    page.add(grades(page), 12, 8)
    page.add(incidents(page), 12, 8)
    page.add(_shares(page), 12, 8)
    page.add(_volume(page), 12, 8)
    page.add(periods(page), 9, 11)
    page.add(breakdown(page), 15, 11)
    return page


def _state(page: Page) -> Any:
    """The worst that is to be said of the channel, in one line."""
    own = f"WHERE {sql.CHANNEL}"
    incidents = f"v_incidents WHERE {sql.ORGANISATION} AND {states.GOING} AND has(channels, {marks.CHANNEL})"
    question = f"""
SELECT
    multiIf(
        {marks.CHANNEL} IN ('', '{sql.ALL}'), {page.quoted("? kies bovenaan een kanaal", "? choose a channel above")},
        figures = 0, {page.quoted("? nog geen cijfers", "? no figures yet")}, {states.said(page)}
    ) AS state
FROM
(
    SELECT
        (SELECT count() FROM v_now_figures WHERE {sql.ORGANISATION} AND {sql.CHANNEL}) AS figures,
        (SELECT minOrNull(opened_at) FROM {incidents}) AS incident_since,
        (SELECT countIf(overdue) FROM v_now_open WHERE {sql.ORGANISATION} AND {sql.CHANNEL}) AS overdue,
        (SELECT sum(unheard) FROM {states.HEARD} {own}) AS unheard,
        (SELECT max(until) FROM {states.HEARD} {own}) AS until,
        (SELECT groupArrayArray(attainments) FROM {states.NORMS} {own}) AS attainments
)
"""
    about = page.say(
        "Het ergste eerst: een incident, wat te laat is, een bron die zwijgt, een norm die de laatste 24 uur niet gehaald is (of, als er "
        "dan niets kwam, de laatste 7 dagen). Van het hele kanaal.",
        "The worst first: an incident, what is overdue, a source that is silent, a norm not met in the last 24 hours (or, while nothing "
        "came in those, in the last 7 days). Of the whole channel.",
    )
    panel = stat_panel(page.say("Toestand", "State"), question, about, (Column("state", page.say("toestand", "state"), state=True),))
    return linked(panel, page.say("Signalen", "Signals"), board_url("signals", page.language, organisation="${organisation:percentencode}"))


def _now(page: Page) -> Any:
    """What waits and what is late."""
    longest = "dateDiff('second', minOrNullIf(opened_at, v.waiting), now64(3, 'UTC'))"
    question = f"""
SELECT
    countIf(v.waiting) AS waiting, ifNull({sql.lasting(longest, page.language)}, '–') AS longest,
    countIf(v.open AND NOT v.stale) AS open, countIf(v.overdue) AS overdue, countIf(v.late_today) AS late_today,
    countIf(callback_to_do) AS callbacks
FROM v_now_open AS v WHERE {sql.ORGANISATION} AND {norm_figures.ASKED}
"""
    columns = (
        Column("waiting", page.say("wacht op een mens", "waiting for a person")),
        Column("longest", page.say("wie het langst wacht", "longest waiting")),
        Column("open", page.say("open", "open")),
        Column("overdue", page.say("◷ te laat", "◷ overdue")),
        Column("late_today", page.say("vandaag te laat als niemand iets doet", "late today if nobody acts")),
        Column("callbacks", page.say("terug te bellen", "call-backs to do")),
    )
    about = page.say(
        "Van dit ogenblik, naar de keuze van team, product en locatie. Te laat: de termijn van een norm is voorbij en het contact is nog "
        "open. Wat langer open is dan max_open van het kanaal telt niet mee: het einde is waarschijnlijk niet gemeld (bord Gegevens).",
        "At this moment, by the choice of team, product and location. Overdue: the term of a norm has passed and the contact is still "
        "open. What is open longer than max_open of the channel does not count: its end was probably not reported (board Data).",
    )
    return stat_panel(page.say("Nu", "Now"), question, about, columns)


def _shares(page: Page) -> Any:
    """The share within each norm over time, by what the reader chose."""
    panel = series_panel(
        page.say("Binnen de norm (telkens 7 dagen)", "Within the norm (7 days each)"),
        norm_figures.shares(page, norm_figures.ASKED, targets=True),
        page.say(
            "Het deel binnen de norm (norm:<id>) van elke dag met de zes ervoor, en het doel van nu. Geen punt waar te weinig contacten "
            "waren; op hoeveel het rust staat hiernaast. Volgt de keuze van team, product en locatie.",
            "The share within the norm (norm:<id>) of each day with the six before it, and the target of now. No point where there were "
            "too few contacts; on how many it rests stands beside it. Follows the choice of team, product and location.",
        ),
        unit="percentunit",
        decimals=0,
    )
    panel.override_by_regexp("/: (doel|target)$/", [DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [6, 6]})])
    return linked(panel, page.say("Normen", "Norms"), board_url("norms", page.language, organisation="${organisation:percentencode}"))


def _volume(page: Page) -> Any:
    """Contacts a day, and those that a norm judged."""
    judged = "sumIf(n, startsWith(measure, 'norm:'))"
    question = f"""
SELECT toDateTime(toDate(day), {sql.ZONE}) AS time, sumIf(n, measure = 'volume') AS contacts, {judged} AS judged
FROM v_days
WHERE {sql.ORGANISATION} AND {norm_figures.ASKED} AND day >= {sql.FIRST_DAY} AND day <= {sql.LAST_DAY}
GROUP BY day ORDER BY day
"""
    lines = (
        Line("contacts", page.say("contacten", "contacts"), bars=True),
        Line("judged", page.say("oordelen van normen (n)", "verdicts of norms (n)"), dash=(2, 4)),
    )
    about = page.say(
        "Contacten die op die dag begonnen (volume), en hoeveel oordelen normen over die dag gaven. Volgt de keuze van team, product en "
        "locatie.",
        "Contacts that began on that day (volume), and how many verdicts norms gave on that day. Follows the choice of team, product and "
        "location.",
    )
    return series_panel(page.say("Contacten per dag", "Contacts per day"), question, about, lines, least=0)
