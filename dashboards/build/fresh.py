"""Whether what a board shows is of now: it stands first on every board, since nothing looks as calm as one that has stopped."""

from typing import Any, Final

from dashboards.build import sql
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Column, linked, stat_panel
from pipeline.store.shown import MINUTE, PARTS

STALE_S: Final = 600
"""Shown figures are made anew every five minutes at least: after so many seconds without, measuring has stopped."""


_QUICK: Final = ", ".join(sql.text(part.name) for part in PARTS.values() if part.every_s <= MINUTE)
"""The parts that tell of now: the oldest counts, since one that fails stands still while the others go on."""


def fresh(page: Page) -> Any:
    """How old the shown figures are, and when something last happened."""
    age = "dateDiff('second', shown_at, now64(3, 'UTC'))"
    question = f"""
SELECT
    multiIf(
        shown_at < {sql.EVER}, {page.quoted("? nog geen cijfers", "? no figures yet")},
        shown_at > now64(3, 'UTC') + {STALE_S}, {page.quoted("? klok van de worker loopt voor", "? clock of the worker is ahead")},
        {age} > {STALE_S}, concat('✗ ', {sql.lasting(age, page.language)}, {page.quoted(" oud", " old")}),
        {page.quoted("✓ actueel", "✓ up to date")}
    ) AS state,
    {sql.ago("last_at", page.language)} AS last
FROM
(
    SELECT
        (SELECT min(at) FROM v_shown WHERE {sql.ORGANISATION} AND part IN ({_QUICK})) AS shown_at,
        (SELECT max(last_event_at) FROM v_status WHERE {sql.ORGANISATION}) AS last_at
)
"""
    about = page.say(
        "Of de cijfers bij zijn. ✗: een deel ervan is meer dan tien minuten oud (bord Gegevens), of de meting staat stil (bord Pijplijn).",
        "Whether the figures are current. ✗: part of them is more than ten minutes old (board Data), "
        "or measuring has stopped (board Pipeline).",
    )
    columns = (Column("state", page.say("cijfers", "figures"), state=True), Column("last", page.say("laatste gebeurtenis", "last event")))
    panel = stat_panel(page.say("Actueel?", "Current?"), question, about, columns)
    return linked(panel, page.say("Pijplijn", "Pipeline"), board_url("pipeline", page.language))
