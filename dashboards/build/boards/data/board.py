"""The board "Gegevens": whether the data are fresh and whole enough to go by, and what to do where they are not."""

from typing import Final

from dashboards.alerts.paging import SILENT_S
from dashboards.build import sql, variables
from dashboards.build.boards.data import quality
from dashboards.build.fresh import STALE_S, fresh
from dashboards.build.page import Page, channel_link
from dashboards.build.panels import Column, linked, stat_panel, table_panel
from dashboards.build.runbook import link as runbook
from dashboards.words import Text
from pipeline.store.shown import PARTS
from schemas.words import Language

_HOURS: Final = f"""(
    SELECT groupArray(hours)
    FROM (SELECT groupArray((opens_at, closes_at)) AS hours FROM v_opening WHERE {sql.ORGANISATION} GROUP BY channel)
)"""
_CONNECTORS: Final = f"""
    SELECT
        *, isNull(lag_s) AND ifNull(last_read_at >= observed_at, 0) AS ended, observed_at < now64(3, 'UTC') - INTERVAL 7 DAY AS gone,
        ifNull(last_read_at, observed_at) AS heard, (SELECT max(at) FROM v_shown WHERE {sql.ORGANISATION}) AS alive,
        arrayMax(arrayMap(
            hours -> arraySum(x -> greatest(0, dateDiff('second', greatest(x.1, heard), least(x.2, assumeNotNull(alive)))), hours), {_HOURS}
        )) AS silent_s, silent_s >= {SILENT_S} AND NOT ended AND NOT gone AS silent
    FROM v_heartbeats WHERE {sql.ORGANISATION}
"""
"""Every connector with the seconds of opening time since it was last heard, of the channel with most of them: as the alert counts them."""

_PARTS: Final = {
    "open": Text("wat open, te laat en terug te bellen is", "what is open, overdue and to be called back"),
    "figures": Text("cijfers van het laatste uur tot 28 dagen", "figures of the last hour to 28 days"),
    "expected": Text("wat vandaag nog te verwachten is", "what is still expected today"),
    "status": Text("laatste gebeurtenis en aantallen", "last event and numbers"),
    "answers": Text("laatste cijfers van burgers", "last grades by citizens"),
    "busy": Text("drukte van vandaag", "busy hours of today"),
    "measures_today": Text("maten van vandaag", "measures of today"),
    "days_recent": Text("vandaag en gisteren per dag en uur", "today and yesterday by day and hour"),
    "measures_7d": Text("maten van 7 dagen", "measures of 7 days"),
    "measures_28d": Text("maten van 28 dagen", "measures of 28 days"),
    "quarters": Text("kwartalen", "quarters"),
    "quarter_outcomes": Text("normen per kwartaal", "norms by quarter"),
    "satisfaction": Text("tevredenheid", "satisfaction"),
    "satisfaction_by": Text("tevredenheid uitgesplitst", "satisfaction broken down"),
    "attainment": Text("aspecten tegen hun doel", "aspects against their targets"),
    "response": Text("respons", "response"),
    "blocks": Text("cijfers door de tijd", "grades over time"),
    "norm_times": Text("normen op een gemiddelde of langste tijd", "norms on a mean or longest time"),
    "quality": Text("kwaliteit van de gegevens", "quality of the data"),
    "repeats": Text("wie terugkwam", "who came again"),
    "days": Text("dertien weken per dag en uur", "thirteen weeks by day and hour"),
    "opening": Text("openingstijden", "opening hours"),
}
"""What a part of the shown figures is (pipeline/store/shown.py)."""


def build(language: Language) -> Page:
    """The board in a language."""
    about = Text(
        "Of de gegevens vers en volledig genoeg zijn om op te varen, en wat te doen waar dat niet zo is.",
        "Whether the data are fresh and whole enough to go by, and what to do where they are not.",
    )
    page = Page("data", language, about, (variables.organisation,), begin="now-7d", refresh="30s")
    page.add(fresh(page), 4, 4)
    page.add(_counts(page), 20, 4)
    page.add(_connectors(page), 12, 8)
    page.add(_channels(page), 12, 8)
    quality.add(page)
    page.add(_shown(page), 24, 9)
    return page


def _counts(page: Page) -> object:
    """How much there is, and how much of it needs somebody."""
    question = f"""
SELECT
    {_counted("✗", f"countIf(silent) AS found FROM ({_CONNECTORS})")} AS silent,
    {_counted("?", f"uniqExactIf(channel, status = 'unknown') AS found FROM v_watches WHERE {sql.ORGANISATION}")} AS unheard,
    {_counted("✗", f"countIf(decision = '') AS found FROM v_rejects WHERE {sql.ORGANISATION}")} AS rejects,
    concat(if(q.stale > 0, '✗ ', '✓ '), toString(q.stale)) AS stale, q.defects AS defects, contacts, answers
FROM (SELECT contacts, answers FROM v_status WHERE {sql.ORGANISATION}) AS s
CROSS JOIN
(
    SELECT sumIf(contacts, kind = 'stale') AS stale, sumIf(contacts, kind = 'defect') AS defects
    FROM v_data_quality WHERE {sql.ORGANISATION}
) AS q
"""
    columns = (
        Column("silent", page.say("koppelingen die zwijgen", "connectors that are silent"), state=True),
        Column("unheard", page.say("kanalen zonder verse gegevens", "channels without fresh data"), state=True),
        Column("rejects", page.say("geweigerd, nog te beslissen", "refused, still to decide"), state=True),
        Column("stale", page.say("te lang open (stale)", "open too long (stale)"), state=True),
        Column("defects", page.say("contacten met iets vreemds", "contacts with something odd")),
        Column("contacts", page.say("contacten bewaard", "contacts stored")),
        Column("answers", page.say("antwoorden bewaard", "answers stored")),
    )
    about = page.say(
        "Wat er bewaard is, en wat aandacht vraagt. Alles hieronder is per bron of kanaal uitgesplitst.",
        "What is stored, and what asks for attention. Everything is broken down by source or channel below.",
    )
    return stat_panel(page.say("Gegevens", "Data"), question, about, columns)


def _counted(symbol: str, question: str) -> str:
    """How many of what should not be, after a symbol that says whether there are any. question: from `… AS found` on."""
    return f"(SELECT concat(if(found > 0, '{symbol} ', '✓ '), toString(found)) FROM (SELECT {question}))"


def _connectors(page: Page) -> object:
    """When each connector was last heard, the silent ones first."""
    language = page.language
    question = f"""
SELECT
    multiIf(
        ended, {page.quoted("klaar: de bron is uitgelezen", "done: the source was read to its end")},
        gone, {page.quoted("? al een week niet gehoord", "? not heard for a week")},
        silent, concat({page.quoted("✗ zwijgt ", "✗ silent ")}, {sql.lasting("silent_s", language)},
            {page.quoted(" openingstijd", " of opening time")}),
        {page.quoted("✓ werkt", "✓ works")}) AS state,
    connector, arrayElement(splitByChar(':', toString(source)), -1) AS system, {sql.ago("observed_at", language)} AS heard,
    if(isNull(last_read_at), {page.quoted("nooit", "never")}, {sql.ago("assumeNotNull(last_read_at)", language)}) AS read,
    if(isNull(lag_s), '', {sql.lasting("assumeNotNull(lag_s)", language)}) AS lag, cursor
FROM ({_CONNECTORS})
ORDER BY silent DESC, connector, source
"""
    columns = (
        Column("state", page.say("toestand", "state"), state=True, width=200),
        Column("connector", page.say("koppeling", "connector"), width=120),
        Column("system", page.say("bron", "source"), width=120),
        Column("heard", page.say("laatst gehoord", "last heard"), width=120),
        Column("read", page.say("bron gelezen", "source read"), width=120),
        Column("lag", page.say("achter op de bron", "behind its source"), width=120),
        Column("cursor", page.say("gelezen tot", "read up to")),
    )
    about = page.say(
        f"Elke koppeling geeft om de 30 seconden een teken van leven. ✗ zwijgt: in openingstijd langer dan {SILENT_S // 60} minuten niets "
        f"gehoord, of de "
        "bron is niet te lezen; er gaat niets verloren, maar de cijfers van die bron staan stil.",
        f"Each connector gives a sign of life every 30 seconds. ✗ silent: nothing heard for more than {SILENT_S // 60} minutes of opening "
        f"time, or its "
        "source can't be read; nothing is lost, but the figures of that source stand still.",
    )
    nothing = page.say("Geen koppeling die tekens van leven geeft", "No connector that gives signs of life")
    panel = table_panel(page.say("Koppelingen", "Connectors"), question, about, columns, nothing)
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("connector-silent"), blank=True)


def _channels(page: Page) -> object:
    """Whether anything comes in on each channel."""
    language = page.language
    question = f"""
SELECT
    multiIf(
        w.unknown > 0, concat({page.quoted("? niets gehoord sinds ", "? nothing heard since ")}, {sql.clock("w.until")}),
        w.streams > 0, {page.quoted("✓ vers", "✓ fresh")}, {page.quoted("◔ nog niet bewaakt", "◔ not watched yet")}) AS state,
    e.channel AS channel, {sql.channel_name("e.channel", language)} AS name,
    if(o.open > 0, {page.quoted("open", "open")}, {page.quoted("dicht", "closed")}) AS hours, {sql.clock("w.until")} AS until,
    e.so_far AS so_far, if(isNull(e.usual_so_far), '', toString(round(e.usual_so_far))) AS usual
FROM (SELECT * FROM v_now_expected WHERE {sql.ORGANISATION} AND channel != '') AS e
LEFT JOIN
(
    SELECT toString(channel) AS channel, count() AS streams, countIf(status = 'unknown') AS unknown, max(until) AS until
    FROM v_watches WHERE {sql.ORGANISATION} GROUP BY channel
) AS w ON e.channel = w.channel
LEFT JOIN
(
    SELECT channel, countIf(now64(3, 'UTC') >= opens_at AND now64(3, 'UTC') < closes_at) AS open
    FROM v_opening WHERE {sql.ORGANISATION} GROUP BY channel
) AS o ON e.channel = o.channel
ORDER BY w.unknown > 0 DESC, name
"""
    columns = (
        Column("channel", "", hidden=True),
        Column("state", page.say("toestand", "state"), state=True, width=220),
        Column("name", page.say("kanaal", "channel"), link=channel_link(language)),
        Column("hours", page.say("nu", "now"), width=70),
        Column("until", page.say("bekend tot", "known up to"), width=110),
        Column("so_far", page.say("contacten vandaag", "contacts today"), width=130),
        Column("usual", page.say("gewoonlijk nu", "usual by now"), width=120),
    )
    about = page.say(
        "? niets gehoord: meer dan drie uur openingstijd geen teken van leven van het systeem dat dit kanaal leidt (of van welke bron "
        "ook, waar geen "
        "koppeling het vertelt). Hoe het kanaal gaat is dan niet bekend. Bekend tot: tot dan is gekeken of er iets afwijkt.",
        "? nothing heard: no sign of life for more than three hours of opening time of the system that leads this channel (or of any "
        "source, where no "
        "connector tells). How the channel goes is not known then. Known up to: until then it was looked at for what differs.",
    )
    panel = table_panel(page.say("Kanalen", "Channels"), question, about, columns, page.say("Nog geen cijfers", "No figures yet"))
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("channel-unheard"), blank=True)


def _shown(page: Page) -> object:
    """How fresh each part of what boards show is."""
    language = page.language
    seconds = ", ".join(str(int(part.every_s)) for part in PARTS.values())
    every = f"transform(toString(part), [{', '.join(map(sql.text, PARTS))}], [{seconds}], 3600)"
    question = f"""
SELECT
    if(dateDiff('second', at, now64(3, 'UTC')) > greatest({STALE_S}, 3 * every_s),
        {page.quoted("✗ verouderd", "✗ out of date")}, {page.quoted("✓ actueel", "✓ up to date")}) AS state,
    {sql.said("part", _PARTS, language)} AS name, {sql.ago("at", language)} AS made,
    {sql.lasting("every_s", language)} AS every, took_ms / 1000 AS took
FROM (SELECT part, at, took_ms, {every} AS every_s FROM v_shown WHERE {sql.ORGANISATION})
ORDER BY startsWith(state, '✓'), every_s, name
"""
    columns = (
        Column("state", page.say("toestand", "state"), state=True, width=140),
        Column("name", page.say("wat de borden tonen", "what boards show")),
        Column("made", page.say("bijgewerkt", "made anew"), width=170),
        Column("every", page.say("hoogstens om de", "at most every"), width=150),
        Column("took", page.say("duurde", "took"), unit="s", decimals=2, width=110),
    )
    about = page.say(
        "De worker rekent wat de borden tonen steeds opnieuw uit: als er iets veranderd is, en anders om de paar minuten. "
        "✗ verouderd: langer dan tien minuten en driemaal zijn gewone tijd niet bijgewerkt; dan loopt de worker achter of staat hij stil.",
        "The worker computes what boards show again and again: when something changed, and else every few minutes. "
        "✗ out of date: not made anew for more than ten minutes and thrice its usual time; the worker lags behind then, or stands still.",
    )
    title = page.say("Hoe vers de getoonde cijfers zijn", "How fresh the figures shown are")
    panel = table_panel(title, question, about, columns, page.say("Nog geen cijfers", "No figures yet"))
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("figures-stand-still"), blank=True)
