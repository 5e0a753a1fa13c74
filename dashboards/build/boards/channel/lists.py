"""Lists of the board "Kanaal": contacts to take up, call-backs to do, queues as they were read, and what was out of the ordinary."""

from typing import Any

from dashboards.build import marks, sql
from dashboards.build.figures import norms as norm_figures
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Column, linked, table_panel
from dashboards.build.runbook import link as runbook
from dashboards.words import Text

_EXPLAIN = f"""if(contact = '', '', concat('contactmeter explain -o ', organisation, ' ', {sql.shell("concat(system, '/', contact)")}))"""


_GAUGES = {
    "waiting": Text("wachtenden", "waiting"),
    "longest_wait_s": Text("langste wachttijd", "longest wait"),
    "counters_open": Text("balies open", "counters open"),
}


def _named(page: Page) -> str:
    return f"if(contact = '', {page.quoted('vertrouwelijk', 'confidential')}, contact)"


def _contact_columns(page: Page) -> tuple[Column, ...]:
    return (
        Column("product", page.say("product", "product")),
        Column("team", page.say("team", "team"), width=140),
        Column(
            "which", page.say("contact", "contact"), width=190, link="${__data.fields.url:raw}",
            link_title=page.say("open in het bronsysteem", "open in its own system"), blank=True,
        ),
        Column("url", "", hidden=True),
    )  # fmt: skip


def contacts(page: Page) -> Any:
    """Open contacts, the most urgent first."""
    language = page.language
    named = f"arrayMap(x -> {sql.norm_title(language, 'x')}, if(overdue, overdue_norms, if(next_norm = '', [], [next_norm])))"
    question = f"""
SELECT
    multiIf(
        overdue, concat('◷ ', {sql.ago("overdue_since", language)}), late_today,
        concat({page.quoted("vandaag ", "today ")}, {sql.clock("next_deadline")}), waiting, {page.quoted("wacht", "waiting")},
        suspended, {page.quoted("opgeschort", "suspended")}, {page.quoted("open", "open")}
    ) AS late,
    arrayStringConcat({named}, '; ') AS norms, {sql.clock("next_deadline")} AS deadline, product, team, location,
    {sql.clock("toNullable(opened_at)")} AS opened, silent_days AS silent, {_named(page)} AS which, {_EXPLAIN} AS explain, url
FROM v_now_open WHERE {sql.ORGANISATION} AND {norm_figures.ASKED} AND open AND NOT stale
ORDER BY overdue DESC, late_today DESC, ifNull(if(overdue, overdue_since, next_deadline), opened_at + toIntervalYear(10)), opened_at, which
LIMIT 100
"""
    columns = (
        Column("late", page.say("te laat sinds / vandaag om", "overdue since / today at"), state=True, width=170),
        Column("norms", page.say("norm", "norm"), width=250),
        Column("deadline", page.say("volgende termijn", "next deadline"), width=120),
        Column("opened", page.say("begonnen", "began"), width=100),
        Column("silent", page.say("dagen stil", "days silent"), width=85),
        *_contact_columns(page),
        Column("location", page.say("locatie", "location"), width=120),
        Column("explain", page.say("hoe beoordeeld (opdracht)", "how judged (command)"), width=300),
    )
    about = page.say(
        "De dringendste honderd open contacten, zonder gegevens van personen; klik op het nummer om het contact in zijn eigen systeem te "
        "openen (link_template in het bestand van de organisatie). Dagen stil: hele dagen sinds de burger iets hoorde. Vertrouwelijke "
        "contacten worden geteld, niet genoemd.",
        "The hundred most urgent open contacts, without data of persons; the number opens the contact in its own system (link_template "
        "in the organisation's file). Days silent: whole days since the citizen heard something. Confidential contacts are counted, not "
        "named.",
    )
    title = page.say("Open contacten, het dringendste eerst", "Open contacts, the most urgent first")
    panel = table_panel(title, question, about, columns, page.say("✓ Niets open", "✓ Nothing open"))
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("term-about-to-pass"), blank=True)


def callbacks(page: Page) -> Any:
    """Who waits to be called."""
    question = f"""
SELECT
    multiIf(
        callback_overdue, concat('◷ ', {sql.ago("callback_due", page.language)}),
        isNull(callback_due), {page.quoted("geen termijn", "no term")}, {sql.clock("callback_due")}
    ) AS due,
    {sql.clock("toNullable(opened_at)")} AS opened, product, team, {_named(page)} AS which, url
FROM v_now_open WHERE {sql.ORGANISATION} AND {norm_figures.ASKED} AND callback_to_do
ORDER BY callback_overdue DESC, ifNull(callback_due, opened_at + toIntervalYear(10)), opened_at, which LIMIT 100
"""
    columns = (
        Column("due", page.say("bellen vóór / te laat sinds", "call before / overdue since"), state=True, width=180),
        Column("opened", page.say("gesprek begon", "call began"), width=110),
        *_contact_columns(page),
    )
    about = page.say(
        "Beloofd en nog niet gedaan, ook als het gesprek zelf is afgesloten. De termijn is die van een norm die bij terugbellen stopt.",
        "Promised and not yet done, also when the call itself is closed. The term is that of a norm that stops at the call-back.",
    )
    title = page.say("Terug te bellen", "Call-backs to do")
    panel = table_panel(title, question, about, columns, page.say("✓ Niemand terug te bellen", "✓ Nobody to call back"))
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("call-backs-due"), blank=True)


def queues(page: Page) -> Any:
    """What systems read off their queues."""
    language = page.language
    number = "if(endsWith(gauge, '_s'), {0}, {1})"
    last = number.format(sql.lasting("last_value", language), "toString(round(last_value, 1))")
    highest = number.format(sql.lasting("highest_today", language), "toString(round(highest_today, 1))")
    question = f"""
SELECT
    queue, {sql.said("gauge", _GAUGES, language)} AS what, {last} AS last,
    ifNull({highest}, '') AS highest,
    concat(if(last_at < now64(3, 'UTC') - toIntervalHour(1), '? ', ''), {sql.ago("last_at", language)}) AS seen
FROM v_gauges_now(organisation = ${{organisation:sqlstring}}, at = now64(3, 'UTC')) WHERE {sql.CHANNEL} ORDER BY queue, gauge DESC
"""
    columns = (
        Column("queue", page.say("rij", "queue")),
        Column("what", page.say("wat", "what")),
        Column("last", page.say("laatst", "last"), width=80),
        Column("highest", page.say("hoogste vandaag", "highest today"), width=120),
        Column("seen", page.say("gemeten", "read"), state=True, width=150),
    )
    about = page.say(
        "Meetstanden van de wachtrij zoals het systeem ze geeft (v_gauges_now). ?: ouder dan een uur, dus niet van nu.",
        "Readings of the queue as the system gives them (v_gauges_now). ?: older than an hour, so not of now.",
    )
    title = page.say("Wachtrijen", "Queues")
    return table_panel(title, question, about, columns, page.say("Dit kanaal heeft geen meetstanden", "This channel has no readings"))


def incidents(page: Page) -> Any:
    """Incidents and markers of four weeks."""
    language = page.language
    question = f"""
SELECT since, until, text FROM
(
    SELECT
        opened_at AS at, concat(if(state = 'open', '▲ ', ''), {sql.clock("toNullable(opened_at)")}) AS since,
        if(isNull(closed_at), {page.quoted("duurt nog", "goes on")}, {sql.clock("closed_at")}) AS until, text_{language} AS text
    FROM v_incidents
    WHERE {sql.ORGANISATION} AND has(channels, {marks.CHANNEL}) AND merged_into = ''
      AND ifNull(closed_at > now64(3, 'UTC') - toIntervalDay(28), 1)
    UNION ALL
    SELECT
        from_at, {sql.clock("toNullable(from_at)")}, if(isNull(to_at), {page.quoted("duurt nog", "goes on")}, {sql.clock("to_at")}),
        concat({marks.marker_name(page)}, if(note = '', '', concat(': ', note)))
    FROM v_markers
    WHERE {sql.ORGANISATION} AND (empty(channels) OR has(channels, {marks.CHANNEL}))
      AND ifNull(to_at > now64(3, 'UTC') - toIntervalDay(28), 1)
)
ORDER BY at DESC LIMIT 50
"""
    columns = (
        Column("since", page.say("sinds", "since"), state=True, width=130),
        Column("until", page.say("tot", "until"), width=110),
        Column("text", page.say("wat", "what"), link=board_url("signals", language, organisation="${organisation:percentencode}")),
    )
    about = page.say(
        "Wat blijvend anders was dan gewoonlijk, en wat is aangekondigd of gemarkeerd, van de laatste 28 dagen. ▲: nog open.",
        "What lastingly differed from the usual, and what was announced or marked, of the last 28 days. ▲: still open.",
    )
    title = page.say("Incidenten en markeringen (28 dagen)", "Incidents and markers (28 days)")
    panel = table_panel(title, question, about, columns, page.say("✓ Niets bijzonders", "✓ Nothing out of the ordinary"))
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("incident"), blank=True)
