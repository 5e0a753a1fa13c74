"""A board with every kind of panel, as the generator makes them, over figures that are there in any world."""

import json

from dashboards.build import variables
from dashboards.build.page import Page
from dashboards.build.panels import (
    Column,
    Line,
    bar_panel,
    gauge_panel,
    heat_panel,
    linked,
    metric_panel,
    series_panel,
    stat_panel,
    table_panel,
    text_panel,
    timeline_panel,
)
from dashboards.reading.boards import Board, read
from dashboards.words import Text
from schemas.words import Language

VOLUME = """FROM v_days WHERE organisation = ${organisation:sqlstring} AND measure = 'volume'
AND ('*' = ${team:sqlstring} OR team = ${team:sqlstring})"""
PER_DAY = f"""SELECT toDateTime(day) AS time, toFloat64(sum(v_days.n)) AS contacts, contacts * 0.8 AS low, contacts * 1.2 AS high
{VOLUME} GROUP BY day ORDER BY day"""
STATES = """SELECT now() - INTERVAL arrayJoin([9, 4]) DAY AS time, 'telefoon' AS name,
if(time < now() - INTERVAL 5 DAY, '✓ in orde', '▲ incident') AS state"""
PER_CHANNEL = (
    f"SELECT toString(channel) AS channel, sum(v_days.n) AS contacts, contacts / 2 AS half {VOLUME} GROUP BY channel ORDER BY contacts DESC"
)
CHARTS = 6
"""Panels that plotly draws. That of Prometheus stays empty: no worker runs."""


def fixture(language: Language, refresh: str = "1s") -> Board:
    """The board; its uid is contactmeter-fixture-<language>."""
    page = Page(
        "now", language, Text("Alles wat er is", "All there is"), (variables.organisation, variables.team), begin="now-28d", refresh=refresh
    )
    chosen = "var-organisation=${organisation:percentencode}&var-channel=${__data.fields.channel:percentencode}"
    link = f"/d/contactmeter-now-{language}?{chosen}"
    page.row("Panelen")
    page.add(
        stat_panel(
            "Klok",
            "SELECT '✓ ' || toString(now64(3)) AS state, 1234567 AS many",
            "Wat tikt.",
            (Column("state", "tijd", state=True), Column("many", "veel")),
        ),
        12,
        4,
    )
    page.add(
        table_panel(
            "Kanalen",
            PER_CHANNEL,
            "Uitleg.",
            (Column("channel", "kanaal", link=link), Column("contacts", "contacten", heat=True), Column("half", "helft", bar=True)),
        ),
        12,
        4,
    )
    lines = (Line("contacts", "contacten", width=3), Line("low", "minst", dash=(4, 4)), Line("high", "meest", below="minst"))
    page.add(series_panel("Per dag", PER_DAY, "Uitleg.", lines), 12, 8)
    page.add(
        series_panel(
            "Per kanaal",
            PER_CHANNEL.replace("SELECT ", "SELECT toDateTime(day) AS time, ")
            .replace(", contacts / 2 AS half", "")
            .replace("GROUP BY channel", "GROUP BY day, channel"),
            "Uitleg.",
            points=True,
        ),
        12,
        8,
    )
    page.add(bar_panel("Staven", PER_CHANNEL, "Uitleg.", "channel", [Line("contacts", "nu"), Line("half", "helft")], across=True), 6, 8)
    page.add(gauge_panel("Meter", "SELECT 0.83 AS share", "Uitleg.", 0.8), 6, 8)
    page.add(
        heat_panel(
            "Warmte",
            f"SELECT toDateTime(day) AS time, toFloat64(sum(v_days.n)) AS laag, laag * 2 AS hoog {VOLUME} GROUP BY day ORDER BY day",
            "Uitleg.",
        ),
        6,
        8,
    )
    page.add(
        timeline_panel(
            "Toestand",
            STATES,
            "Uitleg.",
        ),
        6,
        8,
    )
    page.add(
        linked(
            text_panel(
                "Woorden",
                "# Kop\n\n**Vet**, <b>geen HTML</b> en [een bord](/d/contactmeter-now-nl), [geen](javascript:alert(1)).\n\n- een\n- twee",
            ),
            "Verder",
            "/d/contactmeter-now-nl",
        ),
        8,
        5,
    )
    page.add(metric_panel("Pijplijn", "Uitleg.", [("contactmeter_lag_records", "{{instance}}")]), 8, 5)
    page.add(table_panel("Fout", "SELECT nothing_of_the_kind", "Uitleg.", ()), 8, 5)
    return read(json.dumps(page.content() | {"uid": f"contactmeter-fixture-{language}"}), "the fixture")
