"""What was done or announced, on the board "Signalen": markers, and the figures of the four weeks before and after."""

from typing import Final

from dashboards.build import sql
from dashboards.build.marks import marker_name
from dashboards.build.page import Page
from dashboards.build.panels import Column, linked, table_panel
from dashboards.build.runbook import link as runbook
from dashboards.build.sql import text
from schemas.words import Language

_DAYS: Final = 28
_ACTIONS: Final = "('initiative', 'announced_change', 'reorganisation')"
"""Markers of what is meant to last: of the others nothing is to be expected after them."""

_DAILY: Final = f"""
    SELECT
        channel, measure, day AS first_day, day AS last_day, if(measure = 'volume', 1, sum(n)) AS weight,
        if(measure = 'volume', sum(n), sum(total)) AS sum
    FROM v_hours
    WHERE {sql.ORGANISATION} AND day < {sql.TODAY} AND (measure IN ('volume', 'wait', 'abandonment') OR startsWith(measure, 'norm:'))
    GROUP BY channel, measure, day
    UNION ALL
    SELECT
        channel, concat('answer:', instrument, ':', toString(instrument_version), ':', aspect), toDate(first_at), toDate(last_at), n, total
    FROM v_now_blocks WHERE {sql.ORGANISATION} AND channel != '' AND aspect = 'overall' AND NOT late
"""
"""Sums by channel, measure and day; of grades by the blocks that may be published. Of volume a day weighs one: its mean is by the day."""

_MARKED: Final = f"""
    SELECT
        kind, from_at, note, channels, toDate(from_at, {sql.ZONE}) AS begin_day,
        least({_DAYS}, 7 * intDiv(greatest(0, dateDiff('day', begin_day, {sql.TODAY}) - 1), 7)) AS days,
        (SELECT min(day) FROM v_hours WHERE {sql.ORGANISATION}) AS oldest
    FROM v_markers WHERE {sql.ORGANISATION} AND kind IN {_ACTIONS} AND from_at <= $__toTime AND from_at >= $__fromTime
"""
"""Actions in the span of the board; days: the whole weeks since."""


def add(page: Page) -> None:
    """Lay the panels below those that stand."""
    page.add(_before_and_after(page), 24, 9)
    page.add(_markers(page), 24, 6)


def _markers(page: Page) -> object:
    """What was marked in the span of the board, the last first."""
    question = f"""
SELECT
    {marker_name(page)} AS what, {sql.clock("toNullable(from_at)")} AS begin,
    if(isNull(to_at), {page.quoted("geen einde", "no end")}, {sql.clock("to_at")}) AS end,
    if(empty(channels), {page.quoted("alle kanalen", "all channels")},
        arrayStringConcat(arrayMap(x -> {sql.channel_name("x", page.language)}, channels), ', ')) AS which,
    note
FROM v_markers WHERE {sql.ORGANISATION} AND from_at <= $__toTime AND ifNull(to_at >= $__fromTime, 1)
ORDER BY from_at DESC LIMIT 100
"""
    columns = (
        Column("what", page.say("soort", "kind"), width=200),
        Column("begin", page.say("van", "from"), width=130),
        Column("end", page.say("tot", "until"), width=130),
        Column("which", page.say("kanaal", "channel"), width=220),
        Column("note", page.say("toelichting", "note")),
    )
    about = page.say(
        "Wat er gemeld is over het kanaal: storingen, campagnes, wijzigingen en initiatieven. Zet er een met "
        '`contactmeter mark ORGANISATIE initiative --from 2026-11-20T09:00 --channel telephone --note "Nieuw keuzemenu"`.',
        "What was told of a channel: outages, campaigns, changes and initiatives. Set one with "
        '`contactmeter mark ORGANISATION initiative --from 2026-11-20T09:00 --channel telephone --note "New menu"`.',
    )
    panel = table_panel(page.say("Markeringen", "Markers"), question, about, columns, page.say("Geen markeringen", "No markers"))
    return linked(panel, page.say("Uitleg over drift", "About drift"), runbook("drift"), blank=True)


def _before_and_after(page: Page) -> object:
    """Of every action, each measure of its channels before and after it."""
    language = page.language
    mean = "arraySum(x -> x.2, {0}) / arraySum(x -> x.1, {0})"
    # A ratio of sums over days that stray as a whole: W. G. Cochran, Sampling Techniques (1977), 6.2, with days as what was sampled.
    variance = "arraySum(x -> pow(x.2 - {1} * x.1, 2), {0}) * length({0}) / (length({0}) - 1) / pow(arraySum(x -> x.1, {0}), 2)"
    question = f"""
SELECT
    {marker_name(page)} AS what, {sql.clock("toNullable(from_at)")} AS begin, note, {sql.channel_name("channel", language)} AS which,
    {sql.measure_name(language)} AS name,
    multiIf(
        too_old, {page.quoted("◔ van voor die tijd is te weinig bewaard", "◔ too little is kept of before")},
        few, {page.quoted("◔ nog te weinig om te zeggen", "◔ too few to tell yet")},
        abs(change) <= half, {page.quoted("◔ geen aantoonbaar verschil", "◔ no demonstrable difference")},
        measure = 'volume', if(change > 0, {page.quoted("↑ meer contacten", "↑ more contacts")},
            {page.quoted("↓ minder contacten", "↓ fewer contacts")}),
        (change > 0) = (startsWith(measure, 'norm:') OR startsWith(measure, 'answer:')), {page.quoted("✓ beter", "✓ better")},
        {page.quoted("✗ slechter", "✗ worse")}
    ) AS verdict,
    if(weight_before < 1 OR few_before, '', {_figure("value_before", language)}) AS before_text, weight_before AS n_before,
    if(weight_after < 1 OR few_after, '', {_figure("value_after", language)}) AS after_text, weight_after AS n_after,
    if(few, '', {_difference(language)}) AS change_text, days
FROM
(
    SELECT
        *, value_after - value_before AS change, too_old OR few_before OR few_after AS few,
        if(few, 0, 1.96 * sqrt({variance.format("before", "value_before")} + {variance.format("after", "value_after")})) AS half
    FROM
    (
        SELECT
            *, toInt64(arraySum(x -> x.1, before)) AS weight_before, toInt64(arraySum(x -> x.1, after)) AS weight_after,
            if(measure = 'volume', 7, {sql.MINIMUM}) AS least,
            length(before) < 7 OR weight_before < least AS few_before, length(after) < 7 OR weight_after < least AS few_after,
            {mean.format("before")} AS value_before, {mean.format("after")} AS value_after
        FROM
        (
            SELECT
                kind, from_at, note, channel, measure, days, oldest > begin_day - {_DAYS} AND NOT startsWith(measure, 'answer:') AS too_old,
                groupArrayIf((toFloat64(weight), toFloat64(sum)), last_day < begin_day AND first_day >= begin_day - {_DAYS}) AS before,
                groupArrayIf((toFloat64(weight), toFloat64(sum)), first_day > begin_day AND last_day <= begin_day + days) AS after
            FROM ({_DAILY}) AS d
            CROSS JOIN ({_MARKED}) AS m
            WHERE empty(m.channels) OR has(m.channels, toString(d.channel))
            GROUP BY kind, from_at, note, channel, measure, begin_day, days, oldest
        )
    )
)
ORDER BY from_at DESC, which, name
"""
    columns = (
        Column("what", page.say("wat", "what"), width=130),
        Column("begin", page.say("sinds", "since"), width=110),
        Column("note", page.say("toelichting", "note")),
        Column("which", page.say("kanaal", "channel"), width=110),
        Column("name", page.say("maat", "measure"), width=270),
        Column("verdict", page.say("verschil", "difference"), state=True, width=230),
        Column("before_text", page.say("vier weken ervoor", "four weeks before"), width=140),
        Column("n_before", "n", width=60),
        Column("after_text", page.say("erna", "after"), width=110),
        Column("n_after", "n", width=60),
        Column("change_text", page.say("verandering (95 %-interval)", "change (95 % interval)"), width=260),
        Column("days", page.say("dagen erna", "days after"), width=90),
    )
    about = page.say(
        "Van elk initiatief, elke aangekondigde wijziging en reorganisatie: de maten van haar kanalen in de vier weken ervoor en de "
        "hele weken erna, hoogstens vier, zonder de dag zelf. Het interval houdt er rekening mee dat dagen als geheel verschillen. Een "
        "verschil zegt niet waardoor het komt: er kan meer veranderd zijn. n: contacten, beoordeelde contacten of antwoorden; van "
        "contacten per dag het aantal dagen.",
        "Of every initiative, announced change and reorganisation: the measures of its channels in the four weeks before and the whole "
        "weeks after, four at most, without the day itself. The interval allows for days that differ as a whole. A difference does not "
        "say what caused it: more may have changed. n: contacts, judged contacts or answers; of contacts a day the number of days.",
    )
    title = page.say("Acties: vier weken ervoor en erna", "Actions: four weeks before and after")
    return table_panel(title, question, about, columns, page.say("Geen initiatieven of wijzigingen", "No initiatives or changes"))


def _figure(value: str, language: Language) -> str:
    """A mean of daily sums in the unit of its measure."""
    daily = text(" per dag" if language == "nl" else " a day")
    return (
        f"multiIf(measure = 'volume', concat({sql.decimal(value, 1, language)}, {daily}), "
        f"measure = 'wait', {sql.lasting(f'({value} / 1000)', language)}, "
        f"startsWith(measure, 'answer:'), {sql.decimal(f'{value} / 1000', 1, language)}, {sql.percentage(value, language, 1)})"
    )


def _difference(language: Language) -> str:
    """The change with its interval, in the unit of its measure."""
    points = text(" procentpunt" if language == "nl" else " percentage points")
    to = text(" tot " if language == "nl" else " to ")

    def written(scale: str, digits: int, unit: str) -> str:
        middle, low, high = (sql.signed(f"({x}) * {scale}", digits, language) for x in ("change", "change - half", "change + half"))
        return f"concat({middle}, {unit}, ' (', {low}, {to}, {high}, ')')"

    return (
        f"multiIf(measure = 'volume', {written('1', 1, text(''))}, measure = 'wait', {written('0.001', 0, text(' s'))}, "
        f"startsWith(measure, 'answer:'), {written('0.001', 1, text(''))}, {written('100', 1, points)})"
    )
