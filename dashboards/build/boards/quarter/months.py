"""Sums by month that stay when contacts are deleted (v_monthly): contacts, waits, giving up and norms."""

from typing import Any

from dashboards.build import sql
from dashboards.build.page import Page, channel_link
from dashboards.build.panels import Column, series_panel, table_panel

_MONTHS = f"v_monthly WHERE {sql.ORGANISATION} AND period_kind = 'month' AND {sql.chosen('channel')}"
_TIME = f"toDateTime(toDate(concat(period, '-01')), {sql.ZONE})"


def volumes_by_month(page: Page) -> Any:
    """Contacts, a line a channel."""
    question = f"""
SELECT {_TIME} AS time, {sql.channel_name("channel", page.language)} AS name, sum(n) AS contacts
FROM {_MONTHS} AND measure = 'volume'
GROUP BY time, name
HAVING $__timeFilter(time)
ORDER BY time, name
"""
    about = page.say(
        "Contacten per maand waarin ze begonnen, per kanaal. De laatste maand loopt nog. Maandsommen blijven bewaard als contacten na de "
        "bewaartermijn verwijderd zijn.",
        "Contacts by the month in which they began, by channel. The last month still runs. Sums by month stay when contacts are deleted "
        "after their retention.",
    )
    return series_panel(page.say("Contacten per maand", "Contacts by month"), question, about, least=0, points=True)


def norms_by_month(page: Page) -> Any:
    """Shares within each norm; another version of a norm is another line."""
    language = page.language
    version = page.quoted(" (versie ", " (version ")
    question = f"""
SELECT
    {_TIME} AS time, if(sum(n) < {sql.MINIMUM}, NULL, sum(total) / sum(n)) AS share,
    concat({sql.measure_name(language)}, if(norm_version > 1, concat({version}, toString(norm_version), ')'), '')) AS name
FROM {_MONTHS} AND startsWith(measure, 'norm:')
GROUP BY time, measure, norm_version
HAVING $__timeFilter(time)
ORDER BY time, name
"""
    about = page.say(
        "Het aandeel binnen elke norm (norm:<id>) per maand waarin het oordeel viel. Een gewijzigde norm is een nieuwe lijn. Maanden met "
        "te weinig contacten ontbreken.",
        "The share within each norm (norm:<id>) by the month in which it was judged. A changed norm is another line. Months with too few "
        "contacts are left out.",
    )
    title = page.say("Aandeel binnen de norm per maand", "Share within each norm by month")
    return series_panel(title, question, about, unit="percentunit", decimals=0, points=True)


def month_table(page: Page) -> Any:
    """The same as numbers, the last month first."""
    language = page.language

    def sums(measure: str) -> str:
        return f"sumIf(m.n, measure = '{measure}') AS n_{measure}, sumIf(m.total, measure = '{measure}') AS total_{measure}"

    wait = sql.lasting("(total_wait / n_wait / 1000)", language)
    gave_up = sql.percentage("total_abandonment / n_abandonment", language, 1)
    question = f"""
SELECT
    period, channel, {sql.channel_name("channel", language)} AS name, n_volume, if(n_wait = 0, '', {wait}) AS wait, n_wait,
    if(n_abandonment = 0, '', {gave_up}) AS abandonment, n_abandonment,
    if(closed, {page.quoted("✓ definitief", "✓ final")}, {page.quoted("wordt dagelijks herteld", "counted again every day")}) AS state
FROM
(
    SELECT period, channel, {sums("volume")}, {sums("wait")}, {sums("abandonment")}, min(closed) AS closed
    FROM (SELECT * FROM {_MONTHS}) AS m
    GROUP BY period, channel
)
ORDER BY period DESC, n_volume DESC
LIMIT 500
"""
    columns = (
        Column("period", page.say("maand", "month"), width=90),
        Column("channel", "", hidden=True),
        Column("name", page.say("kanaal", "channel"), link=channel_link(language), width=140),
        Column("n_volume", page.say("contacten (n)", "contacts (n)")),
        Column("wait", page.say("gemiddelde wachttijd", "mean wait")),
        Column("n_wait", "n"),
        Column("abandonment", page.say("opgegeven", "gave up")),
        Column("n_abandonment", "n"),
        Column("state", page.say("stand", "state"), state=True, width=190),
    )
    about = page.say(
        "Maandsommen (v_monthly). Definitief: de contacten erachter worden na de bewaartermijn verwijderd, en de som blijft zoals hij is.",
        "Sums by month (v_monthly). Final: the contacts behind them are deleted after their retention, and the sum stays as it is.",
    )
    nothing = page.say("Nog geen maandsommen: ze worden één keer per dag gemaakt", "No sums yet: they are made once a day")
    return table_panel(page.say("Maandsommen", "Sums by month"), question, about, columns, nothing)
