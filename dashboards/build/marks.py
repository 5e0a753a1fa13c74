"""What is drawn over every series of a board: incidents, and the markers that figures must carry."""

from dashboards.build import sql
from dashboards.build.colours import GREY, VERMILION
from dashboards.build.page import Page
from dashboards.words import Text

CHANNEL = "${channel:sqlstring}"

MARKERS = {
    "questionnaire_change": Text("andere vragenlijst", "another questionnaire"),
    "reorganisation": Text("reorganisatie", "reorganisation"),
    "announced_change": Text("aangekondigde wijziging", "announced change"),
    "campaign": Text("campagne", "campaign"),
    "maintenance": Text("onderhoud", "maintenance"),
    "outage": Text("storing", "outage"),
    "initiative": Text("initiatief", "initiative"),
}
"""The kinds of markers as people read them."""


def marker_name(page: Page, column: str = "kind") -> str:
    """The kind of a marker in words."""
    return sql.said(column, MARKERS, page.language)


def add_marks(page: Page, one_channel: bool = False) -> None:
    """Incidents for the worse and markers within the span of the board; of the channel that was chosen, or of all."""
    touched = f"AND has(channels, {CHANNEL})" if one_channel else ""
    marked = f"AND (empty(channels) OR has(channels, {CHANNEL}))" if one_channel else ""
    incidents = f"""
SELECT opened_at AS time, ifNull(closed_at, now64(3, 'UTC')) AS timeEnd, '▲ incident' AS title, text_{page.language} AS text
FROM v_incidents
WHERE {sql.ORGANISATION} AND worse AND merged_into = '' {touched} AND opened_at <= $__toTime AND ifNull(closed_at >= $__fromTime, 1)
"""
    markers = f"""
SELECT from_at AS time, ifNull(to_at, now64(3, 'UTC')) AS timeEnd, {marker_name(page)} AS title, note AS text
FROM v_markers
WHERE {sql.ORGANISATION} {marked} AND from_at <= $__toTime AND ifNull(to_at >= $__fromTime, 1)
"""
    page.mark(page.say("Incidenten", "Incidents"), incidents, VERMILION)
    page.mark(page.say("Markeringen", "Markers"), markers, GREY)
