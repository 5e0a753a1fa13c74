"""What sources get wrong and what figures leave out, on the board "Gegevens"."""

from typing import Final

from dashboards.build import sql
from dashboards.build.figures.norms import REASONS
from dashboards.build.page import Page
from dashboards.build.panels import Column, linked, table_panel
from dashboards.build.runbook import link as runbook
from dashboards.words import Text

_DEFECTS: Final = {
    "not_opened": Text("de opening is (nog) niet gekomen", "no opening has come (yet)"),
    "closed_before_opened": Text("gesloten voor het geopend werd", "closed before it was opened"),
    "event_before_opened": Text("iets gebeurde voor de opening", "something happened before the opening"),
    "conflicting_event": Text("een gebeurtenis kwam met verschillende inhoud", "one event came with several contents"),
    "too_many_events": Text("meer dan 200 gebeurtenissen", "more than 200 events"),
}
_ROLES: Final = {
    "counts": Text("✓ telt mee", "✓ counts"),
    "enriches": Text("vult een ander contact aan", "adds to another contact"),
    "unlinked": Text("✗ niet gekoppeld aan het leidende systeem", "✗ not linked to the leading system"),
    "unknown": Text("? kanaal nog niet bekend", "? channel not known yet"),
    "withdrawn": Text("teruggetrokken", "withdrawn"),
}


def add(page: Page) -> None:
    """Lay the panels below those that stand."""
    page.add(_rejects(page), 24, 8)
    page.add(_defects(page), 12, 6)
    page.add(_stale(page), 12, 6)
    page.add(_roles(page), 12, 9)
    page.add(_excluded(page), 12, 9)


def _rejects(page: Page) -> object:
    """What was refused and not decided about, by reason and source, with an example and what to do."""
    question = f"""
SELECT
    concat('✗ ', toString(reason)) AS why, arrayElement(splitByChar(':', source), -1) AS system, connector, count() AS rejects,
    {sql.clock("toNullable(max(appended_at))")} AS last,
    argMax(concat(path, ': ', message), appended_at) AS example,
    concat('contactmeter rejects show ', argMax(place, appended_at)) AS command
FROM
(
    SELECT *, concat(topic, '/', toString(partition), '/', toString(offset), '/', toString(position)) AS place
    FROM v_rejects WHERE {sql.ORGANISATION} AND decision = ''
)
GROUP BY reason, source, connector
ORDER BY rejects DESC LIMIT 100
"""
    columns = (
        Column("why", page.say("reden", "reason"), state=True, width=190),
        Column("system", page.say("bron", "source"), width=120),
        Column("connector", page.say("koppeling", "connector"), width=110),
        Column("rejects", page.say("aantal (n)", "number (n)"), width=100, bar=True),
        Column("last", page.say("laatste", "last"), width=100),
        Column("example", page.say("voorbeeld, en wat te doen", "example, and what to do")),
        Column("command", page.say("opdracht die alles laat zien", "command that shows all"), width=370),
    )
    about = page.say(
        "Gebeurtenissen die niet te gebruiken waren en waarover nog niets besloten is, van de laatste 14 dagen. Zij tellen in geen cijfer "
        "mee. Herstel de "
        "oorzaak (bron of bestand van de gemeente) en stuur ze opnieuw met `contactmeter rejects replay`, of leg ze weg met `contactmeter "
        "rejects discard`.",
        "Events that could not be used and about which nothing was decided yet, of the last 14 days. They are in no figure. Mend the "
        "cause (source or the "
        "organisation's file) and send them again with `contactmeter rejects replay`, or set them aside with `contactmeter rejects "
        "discard`.",
    )
    panel = table_panel(page.say("Geweigerd", "Refused"), question, about, columns, page.say("✓ Niets geweigerd", "✓ Nothing refused"))
    return linked(panel, page.say("Wat te doen", "What to do"), runbook("rejects-and-the-brake"), blank=True)


def _defects(page: Page) -> object:
    """What is odd in contacts that count all the same."""
    question = f"""
SELECT {sql.said("name", _DEFECTS, page.language)} AS what, system, {sql.channel_name("channel", page.language)} AS which, contacts
FROM v_data_quality WHERE {sql.ORGANISATION} AND kind = 'defect' ORDER BY contacts DESC, what LIMIT 100
"""
    columns = (
        Column("what", page.say("wat er vreemd is", "what is odd")),
        Column("system", page.say("bron", "source"), width=140),
        Column("which", page.say("kanaal", "channel"), width=120),
        Column("contacts", page.say("contacten (n)", "contacts (n)"), width=120, bar=True),
    )
    about = page.say(
        "Contacten die meetellen maar waarin iets niet klopt (defects). Vraag de beheerder van de bron ernaar; de lijst zelf staat in "
        "v_defects.",
        "Contacts that count but hold something odd (defects). Ask whoever runs the source; the list itself is in v_defects.",
    )
    return table_panel(page.say("Vreemde gegevens", "Odd data"), question, about, columns, page.say("✓ Niets vreemds", "✓ Nothing odd"))


def _stale(page: Page) -> object:
    """Contacts open for longer than the channel allows: probably forgotten, and in no list of what is late."""
    question = f"""
SELECT
    {sql.channel_name("channel", page.language)} AS which, team, system,
    if(contact = '', {page.quoted("vertrouwelijk", "confidential")}, contact) AS shown,
    {sql.clock("toNullable(opened_at)")} AS opened, days_open, url
FROM v_now_open WHERE {sql.ORGANISATION} AND stale ORDER BY opened_at LIMIT 100
"""
    columns = (
        Column("which", page.say("kanaal", "channel"), width=120),
        Column("team", page.say("team", "team")),
        Column("system", page.say("bron", "source"), width=130),
        Column(
            "shown",
            page.say("contact", "contact"),
            link="${__data.fields.url:raw}",
            link_title=page.say("open in de bron", "open in its source"),
            blank=True,
        ),
        Column("opened", page.say("geopend", "opened"), width=100),
        Column("days_open", page.say("dagen open", "days open"), width=90),
        Column("url", "", hidden=True),
    )
    about = page.say(
        "Open langer dan `max_open` van het kanaal (stale): vermoedelijk in de bron vergeten te sluiten. Zij staan in geen andere lijst. "
        "De 100 oudste.",
        "Open for longer than `max_open` of the channel (stale): its source probably forgot to close them. They are in no other list. The "
        "100 oldest.",
    )
    return table_panel(
        page.say("Te lang open", "Open too long"), question, about, columns, page.say("✓ Niets te lang open", "✓ Nothing open too long")
    )


def _roles(page: Page) -> object:
    """Which contacts of each system count, and why others do not."""
    question = f"""
SELECT
    system, {sql.channel_name("channel", page.language)} AS which, {sql.said("name", _ROLES, page.language)} AS role, contacts,
    contacts / sum(contacts) OVER (PARTITION BY system) AS share
FROM v_data_quality WHERE {sql.ORGANISATION} AND kind = 'role' AND name NOT IN ('mailbox', 'forgotten')
ORDER BY system, contacts DESC LIMIT 200
"""
    columns = (
        Column("system", page.say("bron", "source"), width=150),
        Column("which", page.say("kanaal", "channel"), width=130),
        Column("role", page.say("rol", "role"), state=True),
        Column("contacts", page.say("contacten (n)", "contacts (n)"), width=120),
        Column("share", page.say("aandeel van de bron", "share of the source"), unit="percentunit", decimals=1, width=150),
    )
    about = page.say(
        "Wat de contacten van elke bron waard zijn. Niet gekoppeld: de bron leidt dit kanaal niet en noemt geen contact van het systeem "
        "dat het wel leidt "
        "(same_as); zulke contacten tellen niet mee.",
        "What the contacts of each source are good for. Not linked: the source does not lead this channel and names no contact of the "
        "system that does "
        "(same_as); such contacts do not count.",
    )
    return table_panel(
        page.say("Wat meetelt, per bron", "What counts, by source"), question, about, columns, page.say("Nog niets", "Nothing yet")
    )


def _excluded(page: Page) -> object:
    """Of each norm: which contacts it leaves out this quarter, and why."""
    language = page.language
    question = f"""
SELECT
    {sql.channel_name("channel", language)} AS which, {sql.norm_title(language, "norm")} AS title,
    concat(if(excluded IN ('stop_before_start', 'closed_without_stop'), '✗ ', ''), {sql.said("excluded", REASONS, language)}) AS why,
    outcomes, outcomes / whole AS share
FROM
(
    SELECT channel, norm, excluded, sum(q.outcomes) AS outcomes, sum(sum(q.outcomes)) OVER (PARTITION BY channel, norm) AS whole
    FROM v_now_quarter_outcomes AS q
    WHERE {sql.ORGANISATION} AND quarter = (SELECT max(quarter) FROM v_now_quarter_outcomes WHERE {sql.ORGANISATION})
    GROUP BY channel, norm, excluded
)
WHERE excluded != '' ORDER BY outcomes DESC, which, title LIMIT 200
"""
    columns = (
        Column("which", page.say("kanaal", "channel"), width=110),
        Column("title", page.say("norm", "norm")),
        Column("why", page.say("waarom buiten beschouwing", "why left out"), state=True, width=260),
        Column("outcomes", page.say("contacten (n)", "contacts (n)"), width=110),
        Column("share", page.say("van alle van de norm", "of all of the norm"), unit="percentunit", decimals=1, width=140),
    )
    about = page.say(
        "Contacten van dit kwartaal die een norm niet meetelt, met de reden. Een groot aandeel maakt het cijfer van de norm minder waard; "
        "✗ wijst op foute "
        "of ontbrekende gegevens.",
        "Contacts of this quarter that a norm leaves out, with the reason. A large share makes the norm's figure worth less; ✗ points to "
        "wrong or missing data.",
    )
    title = page.say("Buiten beschouwing, dit kwartaal", "Left out, this quarter")
    return table_panel(title, question, about, columns, page.say("✓ Niets buiten beschouwing", "✓ Nothing left out"))
