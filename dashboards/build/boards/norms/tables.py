"""Tables of the board "Normen": where contacts are late, what does not count, means and maxima, and the norms as they were published."""

from typing import Any

from dashboards.build import sql
from dashboards.build.figures import norms as norm_figures
from dashboards.build.figures.cells import cell_link, dimension_name
from dashboards.build.figures.norms import REASONS
from dashboards.build.page import Page
from dashboards.build.panels import Column, table_panel
from dashboards.words import Text

_UNITS = {
    "s": Text(" s", " s"),
    "min": Text(" min", " min"),
    "h": Text(" uur", " h"),
    "d": Text(" d", " d"),
    "wd": Text(" werkdagen", " working days"),
    "w": Text(" weken", " weeks"),
    "m": Text(" maanden", " months"),
}
_ONE = {**_UNITS, "wd": Text(" werkdag", " working day"), "w": Text(" week", " week"), "m": Text(" maand", " month")}
_CLOCKS = {
    "elapsed": Text("dag en nacht", "day and night"),
    "opening-hours": Text("in openingstijd", "in opening hours"),
    "working-days": Text("in werkdagen", "in working days"),
    "statutory-term": Text("termijn van de wet", "term of law"),
    "given": Text("uiterste moment per contact", "a deadline for each contact"),
}
_STATISTICS = {
    "share": Text("deel binnen", "share within"),
    "mean": Text("gemiddelde", "mean"),
    "max": Text("niemand langer", "nobody longer"),
}
_DENOMINATORS = {"answered": Text("wie geholpen is", "who was helped"), "offered": Text("iedereen, ook wie opgaf", "all, also who gave up")}


def worst(page: Page) -> Any:
    """Where most contacts are late that the target does not allow."""
    language = page.language
    question = f"""
SELECT
    d.channel AS channel, d.dimension AS dimension, d.cell AS cell, {sql.measure_name(language, "d.measure")} AS name,
    {dimension_name(page, "d.dimension")} AS what, if(d.cell = '', {page.quoted("(niet bekend)", "(not known)")}, d.cell) AS which,
    concat('✗ ', {sql.percentage("d.total / d.n", language, 1)}, ', n = ', toString(d.n)) AS share,
    {sql.percentage("d.target", language)} AS goal, toInt64(ceil(d.n * d.target - d.total)) AS excess
FROM {norm_figures.by_cell()} AS d
WHERE d.n >= {sql.MINIMUM} AND d.total < d.target * d.n AND NOT (d.dimension = 'location' AND d.cell = '')
ORDER BY excess DESC, name, what, which LIMIT 40
"""
    columns = (
        Column("channel", "", hidden=True),
        Column("dimension", "", hidden=True),
        Column("cell", "", hidden=True),
        Column("name", page.say("norm", "norm")),
        Column("what", page.say("soort", "kind"), width=80),
        Column(
            "which", page.say("waar", "where"), width=180, link=cell_link(page, "${__data.fields.channel:percentencode}"),
            link_title=page.say("op het bord Kanaal", "on the board Channel"),
        ),
        Column("share", page.say("binnen de norm", "within the norm"), state=True, width=150),
        Column("goal", page.say("doel", "target"), width=65),
        Column("excess", page.say("te veel te laat", "late too many"), width=120, bar=True),
    )  # fmt: skip
    about = page.say(
        "De laatste 28 dagen, teams, producten en locaties met genoeg contacten die onder het doel liggen. Te veel te laat: zoveel "
        "contacten meer te laat dan het doel toelaat; daar valt het meest te winnen.",
        "The last 28 days, teams, products and locations with enough contacts that are below the target. Late too many: so many more "
        "contacts late than the target allows; there is most to gain.",
    )
    title = page.say("Waar het misgaat (28 dagen)", "Where it goes wrong (28 days)")
    return table_panel(title, question, about, columns, page.say("✓ Nergens onder het doel", "✓ Nowhere below target"))


def excluded(page: Page) -> Any:
    """What does not count in the quarter that runs, and why."""
    language = page.language
    question = f"""
SELECT
    {sql.measure_name(language, "concat('norm:', norm)")} AS name, {sql.channel_name("channel", language)} AS channel_name,
    {sql.said("excluded", REASONS, page.language)} AS why, sum(outcomes) AS contacts,
    concat({sql.percentage("contacts / all", language)}, ', n = ', toString(all)) AS share
FROM
(
    SELECT norm, channel, excluded, outcomes, sum(outcomes) OVER (PARTITION BY norm, channel) AS all
    FROM v_now_quarter_outcomes WHERE {sql.ORGANISATION} AND quarter = {norm_figures.QUARTER}
)
WHERE excluded != '' GROUP BY norm, channel, excluded, all ORDER BY contacts DESC LIMIT 60
"""
    columns = (
        Column("name", page.say("norm", "norm")),
        Column("channel_name", page.say("kanaal", "channel"), width=110),
        Column("why", page.say("waarom niet", "why not")),
        Column("contacts", page.say("contacten", "contacts"), width=90),
        Column("share", page.say("deel van alle", "share of all"), width=130),
    )
    about = page.say(
        "Contacten van dit kwartaal waarover een norm niet oordeelt, met de reden. n: alle contacten waarvoor de norm geldt.",
        "Contacts of this quarter that a norm does not judge, with the reason. n: all contacts to which the norm applies.",
    )
    title = page.say("Telt niet mee, en waarom (dit kwartaal)", "Does not count, and why (this quarter)")
    return table_panel(title, question, about, columns, page.say("✓ Alles telt mee", "✓ All counts"))


def times(page: Page) -> Any:
    """Norms on a mean or maximum."""
    language = page.language
    told = (
        f"concat(if(met, '✓ ', '✗ '), {page.quoted('gemiddeld ', 'mean ')}, {sql.lasting('mean', language)}, "
        f"{page.quoted(', langste ', ', longest ')}, {sql.lasting('longest', language)}, ', n = ', toString(n))"
    )
    spans = {"month": "'28d'", "day": "'24h'", "quarter": norm_figures.QUARTER}
    written = f"if(n < {sql.MINIMUM}, {norm_figures.few(page, 'n')}, {told})"
    none = page.quoted("geen contacten", "no contacts")
    cells = ", ".join(f"ifNull(anyIf({written}, period = {span}), {none}) AS {name}" for name, span in spans.items())
    question = f"""
SELECT
    {sql.measure_name(language, "concat('norm:', norm)")} AS name, {sql.channel_name("channel", language)} AS channel_name,
    concat({sql.said("statistic", _STATISTICS, page.language)}, ' ≤ ', {sql.lasting("any(limit)", language)}) AS goal,
    {cells}
FROM v_now_norm_times WHERE {sql.ORGANISATION} AND channel != '' GROUP BY norm, channel, statistic ORDER BY name, channel_name
"""
    columns = (
        Column("name", page.say("norm", "norm")),
        Column("channel_name", page.say("kanaal", "channel"), width=100),
        Column("goal", page.say("grens", "limit"), width=130),
        Column("month", page.say("28 dagen", "28 days"), state=True),
        Column("day", page.say("24 uur", "24 hours")),
        Column("quarter", page.say("dit kwartaal tot nu", "this quarter so far")),
    )
    about = page.say(
        "Normen op een gemiddelde of op de langste tijd, van contacten die klaar zijn (wie nog wacht telt hier niet).",
        "Norms on a mean or on the longest time, of contacts that are done (who still waits does not count here).",
    )
    title = page.say("Gemiddelden en langste tijden", "Means and longest times")
    return table_panel(
        title, question, about, columns, page.say("Geen norm op een gemiddelde of langste tijd", "No norm on a mean or maximum")
    )


def definitions(page: Page) -> Any:
    """The norms as the organisation's file states them."""
    language = page.language
    number, unit = "extract(threshold, '^[0-9]+')", "extract(threshold, '[a-z]+')"
    term = f"concat({number}, if({number} = '1', {sql.said(unit, _ONE, language)}, {sql.said(unit, _UNITS, language)}))"
    question = f"""
SELECT
    title_{language} AS name, norm,
    if(clock = 'statutory-term', {page.quoted("wettelijk", "by law")}, {page.quoted("eigen norm", "own norm")}) AS kind,
    {term} AS term, {sql.said("clock", _CLOCKS, page.language)} AS counted, {sql.said("statistic", _STATISTICS, page.language)} AS how,
    {sql.said("denominator", _DENOMINATORS, page.language)} AS out_of, if(isNull(target), '', {sql.percentage("target", language)}) AS goal,
    if(valid_from <= '1900-01-01', '', toString(valid_from)) AS since,
    if(valid_to >= '2299-12-31', '', toString(valid_to)) AS until, published_in
FROM v_norms WHERE {sql.ORGANISATION} ORDER BY valid_to <= {sql.TODAY}, clock = 'statutory-term' DESC, name, valid_from
"""
    columns = (
        Column("name", page.say("norm", "norm"), width=280),
        Column("norm", page.say("naam in het bestand", "name in the file"), width=190),
        Column("kind", page.say("van wie", "set by"), width=100),
        Column("term", page.say("termijn", "term"), width=110),
        Column("counted", page.say("hoe de tijd telt", "how time counts"), width=150),
        Column("how", page.say("wat telt", "what counts"), width=95),
        Column("out_of", page.say("van welke contacten", "of which contacts"), width=130),
        Column("goal", page.say("doel", "target"), width=65),
        Column("since", page.say("vanaf", "from"), width=90),
        Column("until", page.say("niet meer vanaf", "no longer from"), width=110),
        Column("published_in", page.say("bron", "source")),
    )
    about = page.say(
        "Elke norm en elke versie ervan, zoals het bestand van de organisatie ze noemt, met de bron. Normen die gemeenten publiceren: "
        "contactmeter norms list en contactmeter norms show NAAM.",
        "Every norm and each of its versions, as the organisation's file states them, with the source. Norms that municipalities publish: "
        "contactmeter norms list and contactmeter norms show NAME.",
    )
    return table_panel(page.say("De normen en waar ze staan", "The norms and where they stand"), question, about, columns)
