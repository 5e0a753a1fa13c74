"""Norms in a calendar quarter: shares and mean times with their verdicts, and what became of the contacts."""

from typing import Any

from dashboards.build import sql
from dashboards.build.figures import norms as norm_figures
from dashboards.build.figures.quarters import CHOSEN, LAST, of_quarter
from dashboards.build.page import Page, channel_link
from dashboards.build.panels import Column, table_panel

_DAY = f"least({LAST}, {sql.TODAY})"


def judged() -> str:
    """A subquery: each norm and channel of the quarter with its figures of three quarters, and whether its target is met."""

    def value(suffix: str) -> str:
        return f"if(s.n{suffix} = 0, NULL, s.total{suffix} / s.n{suffix} / if(s.mean, 1000, 1)) AS value{suffix}"

    return f"""(
    SELECT
        s.channel AS channel, s.name AS norm, s.mean AS mean, s.n AS n, s.n_before AS n_before, s.n_year AS n_year,
        {value("")}, {value("_before")}, {value("_year")},
        t.statistic AS statistic, t.longest AS longest, t.limit AS limit, g.target AS target,
        multiIf(t.statistic = '' AND isNull(g.target), '', s.n < {sql.MINIMUM}, 'too_few', if(t.statistic != '', t.met, value >= g.target),
            'met', 'not_met') AS attainment
    FROM {of_quarter(norm_figures.IS_NORM, norm_figures.NORM_ID)} AS s
    LEFT JOIN (SELECT * FROM v_now_norm_times WHERE {sql.ORGANISATION} AND period_kind = 'quarter' AND period = {CHOSEN}) AS t
        ON s.channel = t.channel AND s.name = t.norm
    LEFT JOIN
    (
        SELECT norm, argMax(n.target, norm_version) AS target
        FROM v_norms AS n WHERE {sql.ORGANISATION} AND valid_from <= {_DAY} AND {_DAY} < valid_to GROUP BY norm
    ) AS g ON s.name = g.norm
)"""


def norms(page: Page) -> Any:
    """Every norm of the quarter, what is not met first."""
    language = page.language
    tested = page.quoted("gemiddeld ", "mean "), page.quoted("langste ", "longest ")

    def written(suffix: str) -> str:
        share, time = sql.percentage(f"j.value{suffix}", language, 1), sql.lasting(f"j.value{suffix}", language)
        return f"ifNull(if(j.mean, {time}, {share}), '')"

    limit = f"if(j.limit < 3600 AND j.limit % 60 > 0, concat(toString(j.limit), ' s'), {sql.lasting('j.limit', language)})"
    longest = f"if(j.statistic = 'max', concat({page.quoted(', langste ', ', longest ')}, {sql.lasting('j.longest', language)}), '')"
    question = f"""
SELECT
    o.channel AS channel, {sql.channel_name("o.channel", language)} AS name,
    {sql.norm_title(language, "o.norm")} AS title,
    if(j.n = 0, {page.quoted("◔ nog niets beoordeeld", "◔ nothing judged yet")}, {sql.attainment(language, "j.attainment")}) AS state,
    multiIf(j.n = 0, '', j.n < {sql.MINIMUM}, {norm_figures.few(page, "j.n")},
        concat({written("")}, {longest})) AS share,
    multiIf(j.statistic = 'mean', concat({tested[0]}, '≤ ', {limit}), j.statistic = 'max',
        concat({tested[1]}, '≤ ', {limit}), isNull(j.target), '', {sql.percentage("j.target", language)}) AS aim,
    j.n AS n, if(j.mean, '', toString(o.within)) AS within, if(j.mean, '', toString(o.late)) AS late,
    o.pending AS pending, o.overdue AS overdue,
    o.excluded AS excluded, o.reasons AS reasons,
    if(j.n_before = 0, '', concat({written("_before")}, ', n = ', toString(j.n_before))) AS share_before,
    if(j.n_year = 0, '', concat({written("_year")}, ', n = ', toString(j.n_year))) AS share_year
FROM
(
    SELECT
        channel, norm, sum(v.within) AS within, sum(v.late) AS late, sum(v.pending) AS pending, sum(v.overdue) AS overdue,
        sumIf(v.outcomes, excluded != '') AS excluded,
        arrayStringConcat(arrayMap(x -> concat(x.1, ' ', toString(x.2)),
            arraySort(x -> -x.2, arrayZip(sumMap([reason], [left_out]).1, sumMap([reason], [left_out]).2))), ', ') AS reasons
    FROM
    (
        SELECT *, {sql.said("excluded", norm_figures.REASONS, language)} AS reason, if(excluded = '', 0, outcomes) AS left_out
        FROM v_now_quarter_outcomes WHERE {sql.ORGANISATION} AND quarter = {CHOSEN} AND {sql.chosen("channel")}
    ) AS v
    GROUP BY channel, norm
) AS o
LEFT JOIN {judged()} AS j ON o.channel = j.channel AND o.norm = j.norm
ORDER BY indexOf(['not_met', 'too_few', '', 'met'], j.attainment), j.value - j.target, title, name
"""
    columns = (
        Column("channel", "", hidden=True),
        Column("title", page.say("norm", "norm"), width=270),
        Column("name", page.say("kanaal", "channel"), link=channel_link(language), width=120),
        Column("state", page.say("oordeel", "verdict"), state=True, width=140),
        Column("share", page.say("binnen de norm", "within the norm"), width=120),
        Column("aim", page.say("doel", "target"), width=80),
        Column("n", page.say("n (beoordeeld)", "n (judged)")),
        Column("within", page.say("op tijd", "within")),
        Column("late", page.say("◷ te laat", "◷ late")),
        Column("pending", page.say("nog niet bekend", "pending")),
        Column("overdue", page.say("nog open en te laat", "open and overdue")),
        Column("excluded", page.say("telt niet mee", "excluded")),
        Column("reasons", page.say("waarom niet", "why not"), width=170),
        Column("share_before", page.say("vorig kwartaal", "quarter before")),
        Column("share_year", page.say("jaar eerder", "year before")),
    )
    about = page.say(
        "Elk contact telt in het kwartaal waarin zijn oordeel vaststaat: bij de afhandeling of het verstrijken van de termijn, wat eerder "
        "komt. Alle contacten zijn geteld, dus het aandeel zelf wordt met het doel vergeleken (norm:<id> in docs/MEASURES.md). Nog niet "
        "bekend: de termijn loopt. Eén contact narekenen: contactmeter explain SYSTEEM/NUMMER.",
        "Each contact counts in the quarter in which its verdict is certain: when it is dealt with or its term passes, whichever is first. "
        "All contacts are counted: the share itself is compared with the target (norm:<id> in docs/MEASURES.md). Pending: the term still "
        "runs. To check one contact: contactmeter explain SYSTEM/ID.",
    )
    nothing = page.say("Geen normen in dit kwartaal", "No norms in this quarter")
    return table_panel(page.say("Normen", "Norms"), question, about, columns, nothing)
