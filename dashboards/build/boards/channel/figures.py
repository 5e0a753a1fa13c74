"""Figures of the board "Kanaal": its norms, its grade with the aspects, waits and ways out, and where they differ."""

from typing import Any

from dashboards.build import sql
from dashboards.build.figures import norms as norm_figures
from dashboards.build.figures.cells import cell_link, dimension_name
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Column, linked, table_panel


def norms(page: Page) -> Any:
    """The norms of the channel."""
    columns = (
        Column("channel", "", hidden=True),
        Column("channel_name", "", hidden=True),
        Column("norm", "", hidden=True),
        Column("name", page.say("norm", "norm")),
        Column("kind", page.say("van wie", "set by"), width=100),
        *norm_figures.columns(page),
    )
    question = norm_figures.rows(page, f"f.{sql.CHANNEL}")
    about = norm_figures.about_cells(page) + page.say(" Van het hele kanaal.", " Of the whole channel.")
    panel = table_panel(
        page.say("Normen", "Norms"), question, about, columns, page.say("Dit kanaal heeft geen norm", "This channel has no norm")
    )
    return linked(panel, page.say("Normen", "Norms"), board_url("norms", page.language, organisation="${organisation:percentencode}"))


def grades(page: Page) -> Any:
    """The grade and its aspects."""
    language = page.language
    none = sql.too_few("0", sql.MINIMUM, language)
    cells = ", ".join(
        f"ifNull(anyIf({sql.grade(language)}, window = '{window}'), {none}) AS {name}"
        for name, window in (("month", "28d"), ("week", "7d"))
    )
    question = f"""
SELECT
    {sql.measure_name(language)} AS name, splitByChar(':', toString(measure))[2] AS instrument,
    ifNull({sql.decimal("any(target)", 1, language)}, '') AS goal, anyIf({sql.attainment(language)}, window = '28d') AS state, {cells}
FROM v_now_figures
WHERE {sql.ORGANISATION} AND {sql.CHANNEL} AND startsWith(measure, 'answer:')
GROUP BY measure ORDER BY instrument, NOT endsWith(measure, ':overall'), name
"""
    columns = (
        Column("name", page.say("aspect", "aspect")),
        Column("instrument", page.say("vragenlijst", "questionnaire"), width=110),
        Column("goal", page.say("doel", "target"), width=60),
        Column("state", page.say("28 dagen tegen het doel", "28 days against target"), state=True, width=180),
        Column("month", page.say("28 dagen", "28 days"), width=175),
        Column("week", page.say("7 dagen", "7 days"), width=175),
    )
    about = page.say(
        "Gemiddeld cijfer per aspect (answer:<vragenlijst>:<versie>:<aspect>) met 95 %-interval en n, het aantal antwoorden. Gehaald als "
        "het hele interval op of boven het doel ligt, niet gehaald als het er helemaal onder ligt. Antwoorden verschijnen per groep, "
        "nooit een voor een.",
        "Mean grade per aspect (answer:<questionnaire>:<version>:<aspect>) with its 95 % interval and n, the number of answers. Met when "
        "the whole interval is at or above the target, not met when it lies wholly below. Answers appear in groups, never one by one.",
    )
    title = page.say("Rapportcijfer en aspecten", "Grade and aspects")
    panel = table_panel(
        title, question, about, columns, page.say("Over dit kanaal wordt niets gevraagd", "Nothing is asked about this channel")
    )
    return linked(
        panel, page.say("Tevredenheid", "Satisfaction"), board_url("satisfaction", language, organisation="${organisation:percentencode}")
    )


def _counted(page: Page, value: str, n: str) -> str:
    """A value with the number that it rests on; words where those are too few."""
    written = f"ifNull(concat({value}, ', n = ', toString({n})), '')"
    return f"multiIf({n} = 0, {page.quoted('niets', 'none')}, {n} < {sql.MINIMUM}, {norm_figures.few(page, n)}, {written})"


_PERIODS = (("today", "today", "vandaag", "today"), ("week", "7d", "7 dagen", "7 days"), ("month", "28d", "28 dagen", "28 days"))


def periods(page: Page) -> Any:
    """Waits, ways out of the queue, handling: today, in a week, in four weeks."""
    language = page.language

    told = (
        (page.quoted("begonnen", "began"), "toString(contacts)"),
        (page.quoted("opgenomen of geholpen", "answered"), "toString(answered)"),
        (page.quoted("wachttijd, de middelste", "wait, median"), _counted(page, sql.lasting("wait_median", language), "waits")),
        (page.quoted("wachttijd, 9 van de 10 binnen", "wait, 9 in 10 within"), _counted(page, sql.lasting("wait_p90", language), "waits")),
        (page.quoted("opgegeven", "gave up"), _counted(page, sql.percentage("abandonment", language, 1), "(answered + abandoned)")),
        (page.quoted("anders uit de rij", "left the queue otherwise"), "toString(left_otherwise)"),
        (page.quoted("afgesloten", "closed"), "toString(closed)"),
        (
            page.quoted("behandeltijd, de middelste", "handling time, median"),
            _counted(page, sql.lasting("handling_median", language), "handled"),
        ),
        (page.quoted("doorverbonden", "transferred"), _counted(page, sql.percentage("transferred_share", language, 1), "closed")),
        (
            page.quoted("in één keer geholpen", "helped at once"),
            _counted(page, sql.percentage("first_contact_share", language, 1), "results"),
        ),
        (
            page.quoted("terugbellen: beloofd, gedaan", "call-backs: promised, done"),
            "concat(toString(callbacks_promised), ', ', toString(callbacks_kept))",
        ),
    )
    rows = ",\n        ".join(f"({place}, {label}, {value})" for place, (label, value) in enumerate(told))
    none = page.quoted("niets", "none")
    cells = ", ".join(
        f"if(countIf(period = '{part}') = 0, {none}, anyIf(said.3, period = '{part}')) AS {name}" for name, part, *_ in _PERIODS
    )
    question = f"""
SELECT said.2 AS what, {cells}
FROM
(
    SELECT period, arrayJoin([
        {rows}
    ]) AS said
    FROM v_now_measures
    WHERE {sql.ORGANISATION} AND {sql.CHANNEL} AND {_ONE_DIMENSION}
)
GROUP BY said.1, said.2 HAVING countIf(said.3 NOT IN ('0', '0, 0', {none})) > 0 ORDER BY said.1
"""
    columns = (
        Column("what", page.say("wat", "what"), width=190),
        *(Column(name, page.say(nl, en)) for name, _, nl, en in _PERIODS),
    )
    about = page.say(
        "Wachttijd van de vraag om hulp tot een mens antwoordt (wait_median, wait_p90); opgegeven van wie opnam of opgaf (abandonment); "
        "anders uit de rij: voicemail, te lang, … (left_otherwise). Elk op zijn eigen moment. Kies hoogstens één van team, product en "
        "locatie.",
        "Wait from asking to a person's answer (wait_median, wait_p90); gave up out of answered or gave up (abandonment); left the queue "
        "otherwise: voicemail, too long, … (left_otherwise). Each at its own moment. Choose at most one of team, product and location.",
    )
    nothing = page.say(
        "Niets in deze periode, of meer dan één van team, product en locatie gekozen",
        "Nothing in this period, or more than one of team, product and location chosen",
    )
    title = page.say("Wachten, opgeven, afhandelen", "Waiting, giving up, handling")
    return table_panel(title, question, about, columns, nothing)


_CHOSEN = {name: f"${{{name}:sqlstring}}" for name in ("team", "product", "location")}
_ONE_DIMENSION = (
    "dimension = multiIf(" + ", ".join(f"{value} != '{sql.ALL}', '{name}'" for name, value in _CHOSEN.items()) + ", '')"
    " AND cell = multiIf(" + ", ".join(f"{value} != '{sql.ALL}', {value}" for value in _CHOSEN.values()) + ", '')"
    " AND " + " + ".join(f"({value} != '{sql.ALL}')" for value in _CHOSEN.values()) + " <= 1"
)
"""v_now_measures is cut one way at a time."""


def breakdown(page: Page) -> Any:
    """The channel by team, product and location."""
    language = page.language
    share = sql.percentage("least.1", language, 1)
    question = f"""
SELECT
    m.dimension AS dimension, m.cell AS cell, {dimension_name(page, "m.dimension")} AS what,
    if(m.cell = '', {page.quoted("(niet bekend)", "(not known)")}, m.cell) AS which, m.contacts AS contacts,
    multiIf(
        least.3 = 0, {page.quoted("geen norm", "no norm")}, least.3 < {sql.MINIMUM}, {norm_figures.few(page, "least.3")},
        concat(if(least.1 < least.2, '✗ ', '✓ '), {share}, ', n = ', toString(least.3))
    ) AS norm,
    {_counted(page, sql.lasting("m.wait_median", language), "m.waits")} AS wait,
    {_counted(page, sql.percentage("m.abandonment", language, 1), "(m.answered + m.abandoned)")} AS gave_up,
    o.open AS open, o.overdue AS overdue
FROM
(
    SELECT * FROM v_now_measures
    WHERE {sql.ORGANISATION} AND {sql.CHANNEL} AND period = '28d' AND dimension IN ('team', 'product', 'location')
      AND (dimension, cell) != ('location', '')
) AS m
LEFT JOIN
(
    SELECT dimension, cell, argMin((total / n, target, n), (n < {sql.MINIMUM}, total / n - target)) AS least
    FROM {norm_figures.by_cell(sql.CHANNEL)}
    GROUP BY dimension, cell
) AS n ON m.dimension = n.dimension AND m.cell = n.cell
LEFT JOIN
(
    SELECT one.1 AS dimension, one.2 AS cell, countIf(v.open AND NOT stale) AS open, countIf(v.overdue) AS overdue
    FROM v_now_open AS v ARRAY JOIN [('team', team), ('product', product), ('location', location)] AS one
    WHERE {sql.ORGANISATION} AND {sql.CHANNEL} GROUP BY dimension, cell
) AS o ON m.dimension = o.dimension AND m.cell = o.cell
ORDER BY indexOf(['team', 'product', 'location'], dimension), contacts DESC, cell LIMIT 30 BY dimension
"""
    columns = (
        Column("dimension", "", hidden=True),
        Column("cell", "", hidden=True),
        Column("what", page.say("soort", "kind"), width=75),
        Column(
            "which", page.say("wat", "which"), link=cell_link(page, "${channel:percentencode}"),
            link_title=page.say("alleen dit op dit bord", "only this on this board"),
        ),
        Column("contacts", page.say("contacten", "contacts"), width=95, bar=True),
        Column("norm", page.say("norm (de slechtste)", "norm (the worst)"), state=True, width=150),
        Column("wait", page.say("wachttijd, middelste", "wait, median"), width=135),
        Column("gave_up", page.say("opgegeven", "gave up"), width=135),
        Column("open", page.say("open", "open"), width=60),
        Column("overdue", page.say("◷ te laat", "◷ overdue"), width=75),
    )  # fmt: skip
    about = page.say(
        "De laatste 28 dagen; open en te laat van nu. Norm: die het verst onder (of het minst boven) zijn doel ligt. Kleine teams staan "
        "onder het team erboven. Klik om het bord tot één team, product of locatie te beperken.",
        "The last 28 days; open and overdue of now. Norm: the one farthest below (or least above) its target. Small teams stand under "
        "the team above them. Click to narrow the board down to one team, product or location.",
    )
    title = page.say("Per team, product en locatie (28 dagen)", "By team, product and location (28 days)")
    return table_panel(title, question, about, columns, page.say("Nog geen contacten", "No contacts yet"))
