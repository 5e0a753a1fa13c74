"""The day of the board "Kanaal": how busy the channel is against the usual pattern of the last eight days of the same weekday."""

from typing import Any

from dashboards.build import sql
from dashboards.build.page import Page, board_url
from dashboards.build.panels import Column, Line, bar_panel, linked, table_panel


def _minute(moment: str) -> str:
    """The minute of the local day of a moment."""
    local = f"toTimeZone({moment}, {sql.ZONE})"
    return f"(toHour({local}) * 60 + toMinute({local}))"


def today(page: Page) -> Any:
    """The day in words: so far, still to come, the last hour and quarter of an hour, and whether anybody is there."""
    language = page.language
    usual = page.quoted("; gewoonlijk om deze tijd ", "; usually by now ")
    whole = page.quoted("; gewoonlijk de hele dag ", "; usually all day ")
    to_come = f"concat({sql.expected(language)}, ifNull(concat({whole}, toString(round(usual_day))), ''))"
    day = f"""
    SELECT
        1 AS place, {page.quoted("vandaag tot nu", "today so far")} AS what,
        concat(toString(so_far), ifNull(concat({usual}, toString(round(usual_so_far))), '')) AS said
    FROM v_now_expected WHERE {sql.ORGANISATION} AND {sql.CHANNEL}
    UNION ALL
    SELECT
        2, {page.quoted("nog verwacht vandaag", "still expected today")},
        if(closed, {page.quoted("gesloten dag", "a closed day")}, {to_come})
    FROM v_now_expected WHERE {sql.ORGANISATION} AND {sql.CHANNEL}"""
    question = f"""
SELECT what, said FROM
({day}
    UNION ALL
    {_slot(page, 3, 60, page.quoted("laatste hele uur", "last whole hour"))}
    UNION ALL
    {_slot(page, 4, 15, page.quoted("laatste hele kwartier", "last whole quarter of an hour"))}
    UNION ALL
    SELECT 5, {page.quoted("openingstijd", "opening hours")}, {_opening(page)}
)
ORDER BY place
"""
    columns = (Column("what", page.say("wat", "what"), width=150), Column("said", page.say("hoe", "how")))
    about = page.say(
        "Contacten van het hele kanaal die vandaag begonnen (volume), tegen de laatste acht dagen van dezelfde weekdag: de middelste, "
        "met tussen haakjes de rustigste en de drukste. Verwacht: zie v_expected in docs/MEASURES.md.",
        "Contacts of the whole channel that began today (volume), against the last eight days of the same weekday: the median, with the "
        "quietest and the busiest in brackets. Expected: see v_expected in docs/MEASURES.md.",
    )
    panel = table_panel(page.say("Vandaag tegen gewoonlijk", "Today against the usual"), question, about, columns)
    return linked(
        panel,
        page.say("Drukte en producten", "Busyness and products"),
        board_url("busyness", language, organisation="${organisation:percentencode}"),
    )


def _slot(page: Page, place: int, minutes: int, title: str) -> str:
    """The last whole slot of the day in words: where its number lies among those of the days before."""
    return f"""SELECT
        {place}, {title},
        concat(
            {_time("minute_of_day")}, '–', {_time(f"(minute_of_day + {minutes})")}, ': ', toString(contacts),
            multiIf(
                contacts > most, {page.quoted(", drukker dan al die dagen", ", busier than all those days")},
                contacts < least, {page.quoted(", rustiger dan al die dagen", ", quieter than all those days")},
                {page.quoted(", als gewoonlijk", ", as usual")}
            ),
            {page.quoted("; gewoonlijk ", "; usually ")}, toString(round(usual)), ' (', toString(least), '–', toString(most), ')'
        )
    FROM
    (
        SELECT minute_of_day, assumeNotNull(contacts) AS contacts, assumeNotNull(usual) AS usual,
            assumeNotNull(least) AS least, assumeNotNull(most) AS most
        FROM v_now_busy
        WHERE {sql.ORGANISATION} AND {sql.CHANNEL} AND minutes = {minutes} AND day = {sql.TODAY}
          AND isNotNull(contacts) AND isNotNull(usual) AND minute_of_day + {minutes} <= {_minute("at")}
        ORDER BY minute_of_day DESC LIMIT 1
    )"""


def _opening(page: Page) -> str:
    """Until when the channel is open, or when it opens, in words."""
    opening = f"FROM v_opening WHERE {sql.ORGANISATION} AND {sql.CHANNEL}"
    until = f"(SELECT minOrNull(closes_at) {opening} AND opens_at <= now64(3, 'UTC') AND closes_at > now64(3, 'UTC'))"
    next_time = f"(SELECT minOrNull(opens_at) {opening} AND opens_at > now64(3, 'UTC'))"
    return (
        f"multiIf(isNotNull({until}), concat({page.quoted('open tot ', 'open until ')}, {sql.clock(until)}), "
        f"isNotNull({next_time}), concat({page.quoted('gesloten; open om ', 'closed; opens at ')}, {sql.clock(next_time)}), "
        f"{page.quoted('altijd open, of geen openingstijden in het bestand', 'always open, or no opening hours in the file')})"
    )


def hours(page: Page) -> Any:
    """The day by the hour."""
    title = page.say("Vandaag per uur", "Today by the hour")
    return _pattern(page, title, 60, "")


def quarters(page: Page) -> Any:
    """The quarters of an hour around now."""
    title = page.say("Per kwartier, rond nu", "By quarter of an hour, around now")
    return _pattern(page, title, 15, f"AND minute_of_day > {_minute('now()')} - 150 AND minute_of_day < {_minute('now()')} + 90")


def _pattern(page: Page, title: str, minutes: int, near: str) -> Any:
    """Bars of today beside the usual; empty hours before the first and after the last are left out."""
    question = f"""
SELECT {_time("minute_of_day")} AS slot, contacts, usual
FROM
(
    SELECT
        minute_of_day, contacts, usual, ifNull(contacts, 0) + ifNull(most, 0) > 0 AS busy,
        minIf(minute_of_day, busy) OVER () AS first, maxIf(minute_of_day, busy) OVER () AS last, countIf(busy) OVER () AS any_busy
    FROM v_now_busy WHERE {sql.ORGANISATION} AND {sql.CHANNEL} AND minutes = {minutes} AND day = {sql.TODAY} {near}
)
WHERE any_busy > 0 AND minute_of_day BETWEEN first AND last
ORDER BY minute_of_day
"""
    bars = (Line("contacts", page.say("vandaag", "today")), Line("usual", page.say("gewoonlijk", "usually"), colour="#999999"))
    about = page.say(
        "Contacten die in dat deel van de dag begonnen (volume), naast de middelste van de laatste acht dagen van dezelfde weekdag. Het "
        "hele kanaal. Wat nog komt heeft alleen het gewoonlijke.",
        "Contacts that began in that part of the day (volume), beside the median of the last eight days of the same weekday. The whole "
        "channel. What is still to come has the usual only.",
    )
    return bar_panel(title, question, about, "slot", bars).no_value(
        page.say("Vandaag niets, en gewoonlijk ook niet", "Nothing today, and usually neither")
    )


def _time(minute: str) -> str:
    return f"concat(leftPad(toString(intDiv({minute}, 60)), 2, '0'), ':', leftPad(toString({minute} % 60), 2, '0'))"
