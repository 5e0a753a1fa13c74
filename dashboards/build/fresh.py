"""Whether what a board shows is of now: it stands first on every board, since nothing looks as calm as one that has stopped."""

from typing import Any, Final

from dashboards.build import sql
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Column, linked, stat_panel

STALE_S: Final = 600
"""Shown figures are made anew every five minutes at least: after so many seconds without, measuring has stopped."""


def fresh(page: Page) -> Any:
    """How old the shown figures are, and when something last happened."""
    question = f"""
SELECT
    multiIf(
        shown_at < {sql.EVER}, {page.quoted("? nog geen cijfers", "? no figures yet")},
        dateDiff('second', shown_at, now64(3, 'UTC')) > {STALE_S},
        concat({page.quoted("✗ verouderd: ", "✗ out of date: ")}, {sql.ago("shown_at", page.language)}),
        {page.quoted("✓ actueel", "✓ up to date")}
    ) AS state,
    {sql.ago("last_at", page.language)} AS last
FROM
(
    SELECT
        (SELECT max(at) FROM v_shown WHERE {sql.ORGANISATION}) AS shown_at,
        (SELECT max(last_event_at) FROM v_status WHERE {sql.ORGANISATION}) AS last_at
)
"""
    about = page.say(
        "Of de cijfers bij zijn. ✗ verouderd: de meting staat stil; kijk op het bord Pijplijn.",
        "Whether the figures are current. ✗ out of date: measuring has stopped; see the board Pipeline.",
    )
    columns = (Column("state", page.say("cijfers", "figures"), state=True), Column("last", page.say("laatste gebeurtenis", "last event")))
    panel = stat_panel(page.say("Actueel?", "Current?"), question, about, columns)
    return linked(panel, page.say("Pijplijn", "Pipeline"), board_url("pipeline", page.language))
