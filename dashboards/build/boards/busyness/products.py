"""The lower half of the board "Drukte en producten": what people come for, how they come in, and whether once is enough."""

from typing import Final

from dashboards.build import asked, sql
from dashboards.build.figures.norms import few
from dashboards.build.page import Page, channel_link
from dashboards.build.panels import Column, table_panel

EACH: Final = f"{sql.chosen('channel')} AND channel != ''"
"""Rows of the channels shown, each by itself."""
_LEAST: Final = 20
"""Of fewer contacts in two periods together no change is told: chance alone makes it one of a third either way."""


def add(page: Page) -> None:
    """Lay the panels below those that stand."""
    page.row(page.say("Producten en wegen naar binnen, 28 dagen", "Products and ways in, 28 days"))
    page.add(_products(page), 12, 12)
    page.add(_resolved(page), 12, 12)
    page.add(_ways(page), 12, 7)
    page.add(_inhabitants(page), 12, 7)


def _products(page: Page) -> object:
    """The products most asked for, against the four weeks before."""
    language = page.language
    change = "100. * (contacts / before - 1)"
    spread = "1.96 * sqrt(1 / contacts + 1 / before)"
    low, high = (f"100. * (contacts / before * exp({sign}{spread}) - 1)" for sign in ("-", ""))
    question = f"""
SELECT
    if(product = '', {page.quoted("(niet bekend)", "(not known)")}, product) AS name, contacts,
    contacts / sum(contacts) OVER () AS share, before,
    multiIf(
        min(first) OVER () > {sql.TODAY} - 50, {page.quoted("nog geen vier weken ervoor", "no four weeks before yet")},
        contacts + before < {_LEAST}, {page.quoted("te weinig contacten", "too few contacts")},
        before = 0, {page.quoted("nieuw", "new")}, contacts = 0, {page.quoted("geen meer", "none any more")},
        concat({sql.signed(change, 0, language)}, {page.quoted(" % (", "% (")},
            {sql.signed(low, 0, language)}, {page.quoted(" tot ", " to ")}, {sql.signed(high, 0, language)}, ')')
    ) AS change
FROM
(
    SELECT
        toString(product) AS product, sumIf(n, day >= {sql.TODAY} - 28) AS contacts,
        sumIf(n, day < {sql.TODAY} - 28) AS before, min(day) AS first
    FROM v_days WHERE {sql.ORGANISATION} AND measure = 'volume' AND {EACH} AND {sql.chosen("team", "location")}
        AND day >= {sql.TODAY} - 56 AND day < {sql.TODAY}
    GROUP BY product
)
ORDER BY contacts DESC, name LIMIT 50
"""
    columns = (
        Column("name", page.say("product", "product")),
        Column("contacts", page.say("contacten (n)", "contacts (n)"), width=110, bar=True),
        Column("share", page.say("aandeel", "share"), unit="percentunit", decimals=0, width=80),
        Column("before", page.say("28 dagen ervoor (n)", "28 days before (n)"), width=120),
        Column("change", page.say("verschil (95 %-interval)", "change (95 % interval)"), width=190),
    )
    about = page.say(
        "Contacten geopend in de laatste 28 hele dagen, per product, en het verschil met de 28 dagen daarvoor; luistert ook naar de keuze "
        "van team en "
        f"locatie. Het interval zegt wat toeval kan doen als ieder contact op zichzelf staat. Onder de {_LEAST} contacten samen staat er "
        f"geen verschil.",
        "Contacts opened in the last 28 whole days, by product, and the change against the 28 days before; heeds the choice of team and "
        "location. The "
        f"interval says what chance can do when each contact stands alone. With fewer than {_LEAST} contacts together no change is told.",
    )
    return table_panel(page.say("Meest gevraagde producten", "Products most asked for"), question, about, columns, _nothing(page))


def _resolved(page: Page) -> object:
    """By product: whether the first contact was enough, and who came again."""
    question = f"""
SELECT
    if(m.cell = '', {page.quoted("(niet bekend)", "(not known)")}, m.cell) AS name,
    {_share(page, "m.first_contact_share", "m.results")} AS first,
    {_share(page, "r.resolved_share", "r.judged")} AS resolved,
    {_share(page, "r.repeat_share", "r.contacts")} AS repeated,
    r.repeats AS repeats
FROM v_now_measures AS m
LEFT JOIN v_now_repeats AS r ON m.organisation = r.organisation AND m.dimension = r.dimension AND m.channel = r.channel AND m.cell = r.cell
WHERE m.{sql.ORGANISATION} AND m.period = '28d' AND m.dimension = 'product' AND m.{asked.OVERALL_CHANNEL}
ORDER BY r.repeats DESC, m.contacts DESC LIMIT 50
"""
    columns = (
        Column("name", page.say("product", "product")),
        Column("first", page.say("eerste contact genoeg", "first contact enough"), width=165),
        Column("resolved", page.say("kwam niet terug", "did not come again"), width=165),
        Column("repeated", page.say("was een herhaling", "was a repeat"), width=165),
        Column("repeats", page.say("herhalingen", "repeats"), width=100, bar=True),
    )
    about = page.say(
        "Laatste 28 dagen. Eerste contact genoeg: van de gesloten contacten met een resultaat, zonder doorverbinden, terugbellen of "
        "heropenen "
        "(first_contact_share). Kwam niet terug: van de gesloten contacten waarvan persoon en product bekend zijn en de termijn om terug "
        "te komen voorbij "
        "is (resolved_share). Was een herhaling: volgt op een eerder contact van dezelfde persoon over hetzelfde product (repeat_share).",
        "Last 28 days. First contact enough: of contacts closed with a result, without transfer, call-back or reopening "
        "(first_contact_share). Did not come "
        "again: of closed contacts of which person and product are known and the time for coming again is over (resolved_share). Was a "
        "repeat: follows on an "
        "earlier contact of the same person about the same product (repeat_share).",
    )
    title = page.say("In één keer geholpen, en teruggekomen", "Helped at once, and came again")
    return table_panel(title, question, about, columns, _nothing(page))


def _ways(page: Page) -> object:
    """How contacts came in: by channel, and by way within it."""
    question = f"""
SELECT
    channel, {sql.channel_name("channel", page.language)} AS name, if(cell = '', '–', cell) AS way, contacts,
    contacts / sum(contacts) OVER (PARTITION BY channel) AS share
FROM v_now_measures WHERE {sql.ORGANISATION} AND period = '28d' AND dimension = 'via' AND {EACH} AND contacts > 0
ORDER BY sum(contacts) OVER (PARTITION BY channel) DESC, contacts DESC
"""
    columns = (
        Column("channel", "", hidden=True),
        Column("name", page.say("kanaal", "channel"), link=channel_link(page.language)),
        Column("way", page.say("kwam binnen via", "came in via")),
        Column("contacts", page.say("contacten (n)", "contacts (n)"), bar=True),
        Column("share", page.say("aandeel van het kanaal", "share of the channel"), unit="percentunit", decimals=0),
    )
    about = page.say(
        "Contacten geopend in de laatste 28 dagen, naar hoe zij binnenkwamen (via); – waar de bron dat niet vertelt.",
        "Contacts opened in the last 28 days by how they came in (via); – where the source does not tell.",
    )
    return table_panel(page.say("Hoe mensen binnenkomen", "How people come in"), question, about, columns, _nothing(page))


def _inhabitants(page: Page) -> object:
    """Contacts per 1,000 inhabitants, a row a calendar quarter."""
    people = f"(SELECT any(inhabitants) FROM v_organisations WHERE {sql.ORGANISATION})"
    none = page.quoted("geen inwonertal in het bestand van de gemeente", "no number of inhabitants in the organisation's file")
    question = f"""
SELECT
    concat(quarter, if(quarter = max(quarter) OVER (), {page.quoted(" (loopt nog)", " (not over yet)")}, '')) AS name, sum(n) AS contacts,
    if(isNull({people}), {none}, {sql.decimal(f"1000 * sum(n) / assumeNotNull({people})", 1, page.language)}) AS per_thousand
FROM v_now_quarters WHERE {sql.ORGANISATION} AND measure = 'volume' AND {EACH}
GROUP BY quarter ORDER BY quarter DESC LIMIT 6
"""
    columns = (
        Column("name", page.say("kwartaal", "quarter")),
        Column("contacts", page.say("contacten (n)", "contacts (n)")),
        Column("per_thousand", page.say("per 1.000 inwoners", "per 1,000 inhabitants")),
    )
    about = page.say(
        "Contacten geopend in een kalenderkwartaal, per 1.000 inwoners die het bestand van de gemeente nu noemt.",
        "Contacts opened in a calendar quarter, per 1,000 of the inhabitants that the organisation's file states now.",
    )
    return table_panel(page.say("Per 1.000 inwoners", "Per 1,000 inhabitants"), question, about, columns, _nothing(page))


def _share(page: Page, share: str, n: str) -> str:
    """A share with its number of contacts; words where there are too few."""
    written = f"concat({sql.percentage(f'assumeNotNull({share})', page.language)}, ', n = ', toString({n}))"
    return f"if({n} < {sql.MINIMUM} OR isNull({share}), {few(page, n)}, {written})"


def _nothing(page: Page) -> str:
    return page.say("Nog geen contacten", "No contacts yet")
