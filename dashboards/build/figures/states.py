"""How a channel is doing, in one line: the same words on every board that says so."""

from dashboards.build import sql
from dashboards.build.figures.norms import IS_NORM
from dashboards.build.page import Page

GOING = "state = 'open' AND worse"
"""Of incidents: what is worse than usual and not over."""

NORMS = f"""(
    SELECT channel, groupArray(toString(attainment)) AS attainments
    FROM
    (
        SELECT channel, attainment, window, if(sumIf(n, window = '24h') OVER (PARTITION BY channel) > 0, '24h', '7d') AS span
        FROM v_now_figures WHERE {sql.ORGANISATION} AND channel != '' AND {IS_NORM}
    )
    WHERE window = span GROUP BY channel
)"""
"""A subquery: by channel whether its norms are met in the last 24 hours; in 7 days where those have nothing, as after a weekend."""

HEARD = f"""(
    SELECT toString(channel) AS channel, countIf(status = 'unknown') AS unheard, max(until) AS until
    FROM v_watches WHERE {sql.ORGANISATION} GROUP BY channel
)"""
"""A subquery: by channel how many streams lack fresh data, and until when something is known."""


def said(page: Page, late: str = "") -> str:
    """The state in words, the worst first. Columns: incident_since, overdue, unheard, until, attainments. late: words behind "overdue"."""
    overdue = f"concat({page.quoted('◷ te laat: ', '◷ overdue: ')}, toString(overdue){f', {late}' if late else ''})"
    return f"""multiIf(
        isNotNull(incident_since), concat({page.quoted("▲ incident sinds ", "▲ incident since ")}, {sql.clock("incident_since")}),
        overdue > 0, {overdue},
        unheard > 0, concat({page.quoted("? niets gehoord sinds ", "? nothing heard since ")}, {sql.clock("until")}),
        has(attainments, 'not_met'), {page.quoted("✗ norm niet gehaald", "✗ norm not met")},
        has(attainments, 'met'), {page.quoted("✓ in orde", "✓ fine")},
        empty(attainments), {page.quoted("✓ niets te laat; er is geen norm", "✓ nothing late; there is no norm")},
        {page.quoted("◔ te weinig om te zeggen", "◔ too few to tell")}
    )"""
