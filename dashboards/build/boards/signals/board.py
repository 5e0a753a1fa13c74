"""The board "Signalen": what drifts or did, who knows of it, what was done about it and whether that helped."""

from dashboards.build import sql, variables
from dashboards.build.boards.signals import actions, told
from dashboards.build.fresh import fresh
from dashboards.build.page import Page, channel_link
from dashboards.build.panels import Column, linked, stat_panel, table_panel, timeline_panel
from dashboards.build.runbook import link as runbook
from dashboards.words import Text
from schemas.words import Language


def build(language: Language) -> Page:
    """The board in a language."""
    about = Text(
        "Wat blijvend anders is of was dan gewoonlijk: sinds wanneer, hoeveel, waar, wie het weet, en wat eraan gedaan is.",
        "What lastingly differs or differed from the usual: since when, how much, where, who knows, and what was done about it.",
    )
    page = Page("signals", language, about, (variables.organisation,), begin="now-90d")
    page.add(fresh(page), 4, 4)
    page.add(_counts(page), 20, 4)
    page.add(_incidents(page), 24, 7)
    page.add(_timeline(page), 24, 8)
    page.add(told.signals(page), 24, 9)
    actions.add(page)
    page.add(told.watches(page), 24, 12)
    return page


def _counts(page: Page) -> object:
    """What waits for somebody, what lasts, and how much is being watched."""
    question = f"""
SELECT
    concat(if(asking > 0, '✗ ', '✓ '), toString(asking)) AS waiting, concat(if(open > 0, '▲ ', '✓ '), toString(open)) AS incidents,
    lasting, better, found, watched, learning, concat(if(unknown > 0, '? ', '✓ '), toString(unknown)) AS unheard
FROM
(
    SELECT countIf(isNotNull(asks_since)) AS asking, count() AS open FROM v_incidents WHERE {sql.ORGANISATION} AND state = 'open' AND worse
) AS i
CROSS JOIN
(
    SELECT
        countIf(state != 'over' AND worse) AS lasting, countIf(state != 'over' AND NOT worse) AS better,
        countIf(found_at > now64(3, 'UTC') - INTERVAL 28 DAY) AS found
    FROM v_signals WHERE {sql.ORGANISATION}
) AS s
CROSS JOIN
(
    SELECT
        countIf(status IN ('watching', 'drifting')) AS watched, countIf(status IN ('learning', 'silent')) AS learning,
        countIf(status = 'unknown') AS unknown
    FROM v_watches WHERE {sql.ORGANISATION}
) AS w
"""
    columns = (
        Column("waiting", page.say("incidenten die op iemand wachten", "incidents waiting for somebody"), state=True),
        Column("incidents", page.say("incidenten", "incidents"), state=True),
        Column("lasting", page.say("signalen die duren", "signals that last")),
        Column("better", page.say("verbeteringen", "improvements")),
        Column("found", page.say("gevonden in 28 dagen", "found in 28 days")),
        Column("watched", page.say("reeksen bewaakt", "streams watched")),
        Column("learning", page.say("reeksen die nog leren", "streams still learning")),
        Column("unheard", page.say("reeksen zonder verse gegevens", "streams without fresh data"), state=True),
    )
    about = page.say(
        "Een signaal is één verandering van één reeks (aantal, wachttijd, norm of cijfer van een kanaal); signalen met één oorzaak zijn "
        "samen één incident.",
        "A signal is one change of one stream (volume, wait, norm or grade of a channel); signals of one cause are one incident together.",
    )
    return stat_panel(page.say("Nu", "Now"), question, about, columns)


def _incidents(page: Page) -> object:
    """Open incidents first, then those that are over; who knows, and how to take note."""
    language = page.language
    question = f"""
SELECT
    multiIf(
        state = 'open' AND worse, concat({page.quoted("▲ sinds ", "▲ since ")}, {sql.clock("toNullable(opened_at)")}),
        state = 'open', concat({page.quoted("beter sinds ", "better since ")}, {sql.clock("toNullable(opened_at)")}),
        concat({page.quoted("✓ voorbij ", "✓ over ")}, {sql.clock("closed_at")})
    ) AS state_text,
    channels[1] AS channel, arrayStringConcat(arrayMap(x -> {sql.channel_name("x", language)}, channels), ', ') AS which,
    text_{language} AS text,
    multiIf(
        state = 'open' AND isNotNull(asks_since),
        concat({page.quoted("✗ wacht op iemand", "✗ waits for somebody")},
            if(isNull(escalated_at), '', {page.quoted(", ook de volgende is gewaarschuwd", ", the next in line was told too")})),
        isNotNull(acknowledged_at),
        concat({page.quoted("✓ gezien door ", "✓ noted by ")}, acknowledged_by, ' ', {sql.clock("acknowledged_at")}),
        ifNull(silenced_until > now64(3, 'UTC'), 0),
        concat({page.quoted("stil tot ", "silent until ")}, {sql.clock("silenced_until")}, {page.quoted(" door ", " by ")}, silenced_by),
        NOT pages, {page.quoted("niet gemeld: achteraf gevonden, of verbetering", "not announced: found afterwards, or better")},
        {page.quoted("voorbij voor iemand reageerde", "over before anybody reacted")}) AS who,
    reason,
    if(state = 'open', concat('contactmeter incident acknowledge ', organisation, ' ', left(incident, 8)), '') AS command
FROM v_incidents
WHERE {sql.ORGANISATION} AND merged_into = '' AND opened_at <= $__toTime AND (state = 'open' OR ifNull(closed_at >= $__fromTime, 0))
ORDER BY state = 'open' AND worse DESC, state = 'open' DESC, opened_at DESC LIMIT 100
"""
    columns = (
        Column("channel", "", hidden=True),
        Column("state_text", page.say("toestand", "state"), state=True, width=150),
        Column(
            "which",
            page.say("kanaal", "channel"),
            link=channel_link(language),
            link_title=page.say("naar dit kanaal", "to this channel"),
            width=110,
        ),
        Column("text", page.say("wat", "what")),
        Column("who", page.say("wie weet het", "who knows"), state=True, width=210),
        Column("reason", page.say("reden of afspraak", "reason or agreement"), width=170),
        Column("command", page.say("opdracht om nota te nemen", "command to take note"), width=330),
    )
    about = page.say(
        "Incidenten die nu lopen, en die in de getoonde periode voorbij gingen. De opdracht (kopieer haar naar een terminal) zegt dat u "
        "ervan weet; "
        "`contactmeter incident silence` doet dat voor een bepaalde tijd.",
        "Incidents that last now, and those that were over in the period shown. The command (copy it to a terminal) says that you know of "
        "it; "
        "`contactmeter incident silence` does so for a certain time.",
    )
    panel = table_panel(page.say("Incidenten", "Incidents"), question, about, columns, page.say("✓ Geen incidenten", "✓ No incidents"))
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("incident"), blank=True)


def _timeline(page: Page) -> object:
    """When each stream differed: begun, found, grown; nothing is drawn where all is as usual."""
    found = f"if(worse, {page.quoted('▲ anders', '▲ differs')}, {page.quoted('beter', 'better')})"
    grown = f"if(worse, {page.quoted('▲ verder', '▲ further')}, {page.quoted('nog beter', 'better still')})"
    question = f"""
SELECT
    greatest(moment, toDateTime64($__fromTime, 3, 'UTC')) AS time,
    concat({sql.channel_name("channel", page.language)}, ' · ', name) AS stream,
    argMax(state_text, (moment, place)) AS state
FROM
(
    SELECT
        channel, {sql.measure_name(page.language)} AS name, max(at) OVER (PARTITION BY signal) AS last_at,
        max(state = 'over') OVER (PARTITION BY signal) AS done,
        arrayJoin(if(sequence = 0, [(onset, {page.quoted("◔ begonnen", "◔ begun")}, -1)], []) || [
            (at, multiIf(state = 'found', {found}, state = 'grown', {grown}, ''), toInt32(sequence))
        ]) AS one, one.1 AS moment, nullIf(one.2, '') AS state_text, one.3 AS place
    FROM v_signal_states WHERE {sql.ORGANISATION}
)
WHERE moment <= $__toTime AND (NOT done OR last_at >= $__fromTime)
GROUP BY time, stream
ORDER BY time, stream
"""
    about = page.say(
        "Per reeks wanneer zij afweek: ◔ begonnen (achteraf vastgesteld), ▲ gevonden, ▲ verder veranderd; leeg is als gewoonlijk.",
        "For each stream when it differed: ◔ begun (as found later), ▲ found, ▲ changed further; empty is as usual.",
    )
    return timeline_panel(page.say("Wanneer er iets anders was", "When something differed"), question, about)
