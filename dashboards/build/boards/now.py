"""The board "Nu": every channel at a glance. Is it fine now, what is late, since when."""

from typing import Any

from dashboards.build import sql, variables
from dashboards.build.figures import states
from dashboards.build.fresh import fresh
from dashboards.build.page import Page, board_url, channel_link
from dashboards.build.panels import Column, linked, stat_panel, table_panel
from dashboards.build.runbook import link as runbook
from dashboards.words import Text
from schemas.words import Language

ABOUT = Text(
    "Alle kanalen in één oogopslag: hoe het nu gaat, wat te laat is en sinds wanneer.",
    "All channels at a glance: how it goes now, what is late and since when.",
)


def build(language: Language) -> Page:
    """The board in a language."""
    page = Page("now", language, ABOUT, (variables.organisation,))
    page.add(fresh(page), 4, 4)
    page.add(_counts(page), 20, 4)
    page.add(_channels(page), 24, 9)
    page.add(_incidents(page), 12, 8)
    page.add(_late(page), 12, 8)
    return page


def _counts(page: Page) -> Any:
    """What waits and what is late, of all channels together."""
    expected = sql.expected(page.language, "any(expected)", "any(expected_low)", "any(expected_high)")
    question = f"""
SELECT
    countIf(waiting) AS waiting, countIf(open AND NOT stale) AS open, countIf(overdue) AS overdue, countIf(late_today) AS late_today,
    countIf(callback_to_do) AS callbacks,
    (SELECT count() FROM v_incidents WHERE {sql.ORGANISATION} AND {states.GOING}) AS incidents,
    (SELECT {expected} FROM v_now_expected WHERE {sql.ORGANISATION} AND channel = '') AS expected
FROM v_now_open WHERE {sql.ORGANISATION}
"""
    columns = (
        Column("waiting", page.say("wacht op een mens", "waiting for a person")),
        Column("open", page.say("open", "open")),
        Column("overdue", page.say("◷ te laat", "◷ overdue")),
        Column("late_today", page.say("◷ wordt vandaag te laat", "◷ late today unless done")),
        Column("callbacks", page.say("terug te bellen", "call-backs to do")),
        Column("incidents", page.say("▲ incidenten", "▲ incidents")),
        Column("expected", page.say("nog verwacht vandaag", "still expected today")),
    )
    about = page.say(
        "Alle kanalen samen, van dit ogenblik. Te laat: de termijn van een norm is voorbij en het contact is nog open. "
        "Nog verwacht: volgens dezelfde weekdag van de laatste acht weken, met het kleinste en het grootste aantal.",
        "All channels together, at this moment. Overdue: the term of a norm has passed and the contact is still open. "
        "Still expected: by the same weekday of the last eight weeks, with the least and the most.",
    )
    return stat_panel(page.say("Nu", "Now"), question, about, columns)


def _channels(page: Page) -> Any:
    """A row a channel, the ones that need somebody first."""
    language = page.language
    longest = sql.lasting("dateDiff('second', o.since, now64(3, 'UTC'))", language)
    late = f"{page.quoted(', langste ', ', longest ')}, {longest}"
    norm = f"concat({sql.norm_share(language)}, if(span = '7d', {page.quoted(' (7 dagen)', ' (7 days)')}, ''))"
    question = f"""
SELECT
    f.channel AS channel, {sql.channel_name("f.channel", language)} AS name,
    {states.said(page, late)} AS state,
    if(empty(f.norms), {page.quoted("geen norm", "no norm")}, f.norms[1].2) AS norm,
    if(empty(f.grades), {page.quoted("niet gevraagd", "not asked")}, f.grades[1]) AS grade,
    f.contacts AS contacts, o.waiting AS waiting, o.open AS open, o.overdue AS overdue, o.late_today AS late_today,
    {sql.expected(language, "e.expected", "e.expected_low", "e.expected_high")} AS expected
FROM
(
    SELECT
        channel, sumIf(n, measure = 'volume' AND window = '24h') AS contacts,
        arraySort(groupArrayIf((ifNull(value - target, 9.), {norm}), is_norm)) AS norms,
        arraySort(groupArrayIf({sql.grade(language)}, is_grade)) AS grades
    FROM
    (
        SELECT
            *, if(sumIf(n, startsWith(measure, 'norm:') AND window = '24h') OVER (PARTITION BY channel) > 0, '24h', '7d') AS span,
            startsWith(measure, 'norm:') AND window = span AS is_norm,
            startsWith(measure, 'answer:') AND endsWith(measure, ':overall') AND window = '28d' AS is_grade
        FROM v_now_figures WHERE {sql.ORGANISATION} AND channel != ''
    )
    GROUP BY channel
) AS f
LEFT JOIN
(
    SELECT
        channel, countIf(waiting) AS waiting, countIf(open AND NOT stale) AS open, countIf(overdue) AS overdue,
        countIf(late_today) AS late_today, min(overdue_since) AS since
    FROM v_now_open WHERE {sql.ORGANISATION} GROUP BY channel
) AS o ON f.channel = o.channel
LEFT JOIN (SELECT channel, expected, expected_low, expected_high FROM v_now_expected WHERE {sql.ORGANISATION}) AS e ON f.channel = e.channel
LEFT JOIN
(
    SELECT arrayJoin(channels) AS channel, toNullable(min(opened_at)) AS incident_since
    FROM v_incidents WHERE {sql.ORGANISATION} AND {states.GOING} GROUP BY channel
) AS i ON f.channel = i.channel
LEFT JOIN {states.NORMS} AS n ON f.channel = n.channel
LEFT JOIN {states.HEARD} AS h ON f.channel = h.channel
ORDER BY isNotNull(incident_since) DESC, o.overdue > 0 DESC, unheard > 0 DESC, name
"""
    columns = (
        Column("channel", "", hidden=True),
        Column(
            "name", page.say("kanaal", "channel"), width=140, link=channel_link(language), link_title=page.say("dit kanaal", "this channel")
        ),
        Column("state", page.say("toestand", "state"), state=True, width=230),
        Column("norm", page.say("norm, 24 uur (de slechtste)", "norm, 24 hours (the worst)"), width=230),
        Column("grade", page.say("rapportcijfer, 28 dagen", "grade, 28 days"), width=230),
        Column("contacts", page.say("contacten, 24 uur", "contacts, 24 hours")),
        Column("waiting", page.say("wacht", "waiting")),
        Column("open", page.say("open", "open")),
        Column("overdue", page.say("te laat", "overdue")),
        Column("late_today", page.say("wordt vandaag te laat", "late today")),
        Column("expected", page.say("nog verwacht vandaag", "still expected today")),
    )
    about = page.say(
        "Een rij per kanaal. De toestand noemt het ergste eerst: een incident, wat te laat is, een bron die zwijgt, een norm "
        "die de laatste 24 uur niet gehaald is (of, als er dan niets kwam, de laatste 7 dagen). Wat langer open is dan max_open van het "
        "kanaal telt niet mee. Achter het rapportcijfer staan het 95 %-interval en het aantal "
        "antwoorden.",
        "A row per channel. The state names the worst first: an incident, what is overdue, a source that is silent, a norm not met "
        "in the last 24 hours (or, while nothing came in those, in the last 7 days). What is open longer than max_open of the channel "
        "does not count. Behind the grade stand its 95 % interval and its number of answers.",
    )
    return table_panel(page.say("Kanalen", "Channels"), question, about, columns, page.say("Nog geen cijfers", "No figures yet"))


def _incidents(page: Page) -> Any:
    """What drifts, and who knows."""
    language = page.language
    question = f"""
SELECT
    channels[1] AS channel, concat('▲ ', {sql.clock("toNullable(opened_at)")}) AS since,
    arrayStringConcat(arrayMap(x -> {sql.channel_name("x", language)}, channels), ', ') AS which, text_{language} AS text,
    multiIf(
        isNotNull(acknowledged_at), concat({page.quoted("gezien door ", "noted by ")}, acknowledged_by),
        ifNull(silenced_until > now64(3, 'UTC'), 0), concat({page.quoted("stil tot ", "silent until ")}, {sql.clock("silenced_until")}),
        NOT pages, {page.quoted("achteraf gevonden, niet gemeld", "found afterwards, not announced")},
        {page.quoted("wacht op iemand", "waits for somebody")}
    ) AS who
FROM v_incidents WHERE {sql.ORGANISATION} AND {states.GOING} ORDER BY opened_at DESC
"""
    columns = (
        Column("channel", "", hidden=True),
        Column("since", page.say("sinds", "since"), state=True, width=130),
        Column("which", page.say("kanaal", "channel"), width=130, link=channel_link(language)),
        Column("text", page.say("wat", "what"), link=board_url("signals", language, organisation="${organisation:percentencode}")),
        Column("who", page.say("wie weet het", "who knows"), width=170),
    )
    about = page.say("Wat blijvend anders is dan gewoonlijk.", "What lastingly differs from the usual.")
    panel = table_panel(page.say("Incidenten", "Incidents"), question, about, columns, page.say("✓ Geen incident", "✓ No incident"))
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("incident"), blank=True)


def _late(page: Page) -> Any:
    """The contacts that are overdue for longest, and those that will be today."""
    language = page.language
    question = f"""
SELECT
    if(
        overdue, concat('◷ ', {sql.ago("overdue_since", language)}),
        concat({page.quoted("vandaag ", "today ")}, {sql.clock("next_deadline")})
    ) AS late,
    {sql.channel_name("channel", language)} AS name, channel, product, team,
    if(contact = '', {page.quoted("vertrouwelijk", "confidential")}, contact) AS which, url
FROM v_now_open WHERE {sql.ORGANISATION} AND (overdue OR late_today)
ORDER BY overdue, if(overdue, overdue_since, next_deadline) LIMIT 25 BY overdue
"""
    opens = page.say("open in het bronsysteem", "open in its own system")
    columns = (
        Column("late", page.say("te laat sinds / vandaag om", "overdue since / today at"), state=True, width=190),
        Column("name", page.say("kanaal", "channel"), width=120, link=channel_link(language)),
        Column("channel", "", hidden=True),
        Column("product", page.say("product", "product")),
        Column("team", page.say("team", "team")),
        Column("which", page.say("contact", "contact"), link="${__data.fields.url:raw}", link_title=opens, blank=True),
        Column("url", "", hidden=True),
    )
    about = page.say(
        "Open contacten waarvan een termijn vandaag voorbij gaat, en daaronder die waarvan zij voorbij is, de langste eerst; "
        "van elk hoogstens 25.",
        "Open contacts of which a term passes today, and below them those of which it has passed, the longest first; 25 of each at most.",
    )
    title = page.say("Te laat, en vandaag te laat", "Overdue, and late today")
    panel = table_panel(title, question, about, columns, page.say("✓ Niets te laat", "✓ Nothing late"))
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("term-about-to-pass"), blank=True)
