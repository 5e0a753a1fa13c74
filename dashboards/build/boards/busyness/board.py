"""The board "Drukte en producten": when it is busy, whether today is, what people come for and whether they have to come again."""

from dashboards.build import asked, sql, variables
from dashboards.build.boards.busyness import products
from dashboards.build.colours import BLUE, GREY
from dashboards.build.fresh import fresh
from dashboards.build.marks import add_marks
from dashboards.build.page import Page
from dashboards.build.panels import Column, Line, bar_panel, series_panel, stat_panel, table_panel
from dashboards.words import Text
from schemas.words import Language

_WEEKS = 8
_WEEKDAYS = {
    str(place): Text(nl, en)
    for place, (nl, en) in enumerate(
        (("ma", "Mon"), ("di", "Tue"), ("wo", "Wed"), ("do", "Thu"), ("vr", "Fri"), ("za", "Sat"), ("zo", "Sun")), start=1
    )
}


def build(language: Language) -> Page:
    """The board in a language."""
    about = Text(
        "Wanneer het druk is, of vandaag afwijkt, waarvoor mensen komen en of zij terug moeten komen.",
        "When it is busy, whether today differs, what people come for and whether they have to come again.",
    )
    choices = (variables.organisation, asked.channel, variables.team, variables.location)
    page = Page("busyness", language, about, choices, begin="now-90d", refresh="1m")
    page.add(fresh(page), 4, 4)
    page.add(_today(page), 20, 4)
    page.add(_hours_today(page), 12, 9)
    page.add(_days(page), 12, 9)
    page.add(_week(page), 24, 8)
    products.add(page)
    add_marks(page)
    return page


def _today(page: Page) -> object:
    """Today against days like it."""
    enough = "NOT closed AND usual_days >= 3"
    question = f"""
SELECT
    multiIf(closed, {page.quoted("vandaag gesloten", "closed today")}, NOT ({enough}),
        {page.quoted("◔ te weinig zulke dagen bekend", "◔ too few such days known")},
        so_far = 0 AND usual_day = 0, {page.quoted("op deze weekdag komt gewoonlijk niemand", "usually nobody comes on this weekday")},
        so_far > arrayMax(before), {page.quoted("↑ drukker dan op een van die dagen", "↑ busier than on any of those days")},
        so_far < arrayMin(before), {page.quoted("↓ rustiger dan op een van die dagen", "↓ quieter than on any of those days")},
        {page.quoted("✓ zo druk als gewoonlijk", "✓ as busy as usual")}) AS verdict,
    so_far,
    if({enough}, concat(toString(round(usual_so_far)), ' (', toString(arrayMin(before)), '–', toString(arrayMax(before)), ')'), '')
        AS usual,
    {sql.expected(page.language)} AS rest,
    if({enough}, toString(round(usual_day)), '') AS whole, usual_days
FROM v_now_expected WHERE {sql.ORGANISATION} AND {asked.OVERALL_CHANNEL}
"""
    columns = (
        Column("verdict", page.say("vandaag", "today"), state=True),
        Column("so_far", page.say("contacten tot nu", "contacts so far")),
        Column("usual", page.say("gewoonlijk tot deze tijd (minst–meest)", "usual by this time (least–most)")),
        Column("rest", page.say("nog verwacht vandaag (minst–meest)", "still expected today (least–most)")),
        Column("whole", page.say("gewoonlijk op een hele dag", "usual on a whole day")),
        Column("usual_days", page.say("vergeleken met zoveel dagen", "compared with so many days")),
    )
    about = page.say(
        "Contacten die vandaag geopend zijn, tegen de laatste dagen van dezelfde weekdag (hoogstens acht, zonder sluitingsdagen): de "
        "middelste, de minste "
        "en de meeste. Verwacht: wat op die dagen na deze tijd nog kwam, naar verhouding.",
        "Contacts opened today, against the last days of the same weekday (eight at most, without closing days): the median, the least "
        "and the most. "
        "Expected: what came after this time on those days, in proportion.",
    )
    return stat_panel(page.say("Is het vandaag druk?", "Is it busy today?"), question, about, columns)


def _hours_today(page: Page) -> object:
    """Contacts by hour today, beside what is usual; only hours between the first and the last in which anybody ever comes."""
    rows = f"v_now_busy WHERE {sql.ORGANISATION} AND minutes = 60 AND {asked.OVERALL_CHANNEL}"
    begin, end = (f"(SELECT {pick}OrNull(minute_of_day) FROM {rows} AND (contacts > 0 OR most > 0))" for pick in ("min", "max"))
    question = f"""
SELECT toString(intDiv(minute_of_day, 60)) AS hour, contacts, usual
FROM {rows} AND minute_of_day BETWEEN {begin} AND {end}
ORDER BY minute_of_day
"""
    bars = (
        Line("contacts", page.say("vandaag", "today"), BLUE),
        Line("usual", page.say("gewoonlijk", "usual"), GREY),
    )
    about = page.say(
        "Contacten per uur van vandaag (klok van de gemeente), naast het gewone aantal: de middelste van de laatste acht dagen van "
        "dezelfde weekdag. Een uur dat nog moet beginnen heeft geen staaf voor vandaag.",
        "Contacts by hour of today (the municipality's clock), beside the usual number: the median of the last eight days of the same "
        "weekday. An hour that has yet to begin has no bar for today.",
    )
    return bar_panel(page.say("Vandaag per uur, en gewoonlijk", "Today by hour, and as usual"), question, about, "hour", bars)


def _days(page: Page) -> object:
    """Every day of the last thirteen weeks, a line a channel."""
    day = f"toDateTime(day, {sql.ZONE})"
    question = f"""
SELECT {day} AS time, {sql.channel_name("channel", page.language)} AS name, sum(n) AS contacts
FROM v_hours WHERE {sql.ORGANISATION} AND measure = 'volume' AND {products.EACH}
    AND day >= {sql.FIRST_DAY} AND day <= {sql.LAST_DAY} AND day < {sql.TODAY}
GROUP BY day, channel ORDER BY day, channel
"""
    about = page.say(
        "Contacten die op een dag geopend zijn, per kanaal, tot en met gisteren; er worden dertien weken van bewaard. Strepen: "
        "markeringen zoals een campagne.",
        "Contacts opened on a day, by channel, up to yesterday; thirteen weeks of them are kept. Marks: markers such as a campaign.",
    )
    return series_panel(page.say("Contacten per dag", "Contacts a day"), question, about, least=0)


def _week(page: Page) -> object:
    """Hours of the week as a map of heat: weekdays down, hours across."""
    question = f"""
SELECT
    concat({sql.said("w.weekday", _WEEKDAYS, page.language)},
        if(w.weekday = toDayOfWeek({sql.TODAY}), {page.quoted(" (vandaag)", " (today)")}, '')) AS name,
    toString(h.days) AS days, toString(round(arraySum(means))) AS whole,
    {", ".join(f"cells[{hour + 1}] AS h{hour}" for hour in range(24))}
FROM (SELECT arrayJoin([1, 2, 3, 4, 5, 6, 7]) AS weekday) AS w
LEFT JOIN
(
    SELECT
        toDayOfWeek(day) AS weekday, toNullable(uniqExact(day)) AS days,
        arrayMap(x -> x / assumeNotNull(days), sumForEach(arrayMap(x -> if(x = hour, n, 0), range(24)))) AS means,
        arrayMap(x -> nullIf(if(x < 10, round(x, 1), round(x)), 0), means) AS cells
    FROM v_hours WHERE {sql.ORGANISATION} AND measure = 'volume' AND n > 0 AND {products.EACH}
        AND day >= {sql.TODAY} - {7 * _WEEKS} AND day < {sql.TODAY}
    GROUP BY weekday
) AS h ON w.weekday = h.weekday
ORDER BY w.weekday
"""
    columns = (
        Column("name", page.say("dag", "day"), width=120),
        Column("days", page.say("dagen", "days"), width=60),
        Column("whole", page.say("per dag", "a day"), width=70),
        *(Column(f"h{hour}", str(hour), width=46, heat=True) for hour in range(24)),
    )
    about = page.say(
        f"Gemiddeld aantal contacten per uur (kolommen: het uur waarin het begon, klok van de gemeente) in de laatste {_WEEKS} weken tot "
        f"en met gisteren. "
        "Dagen zonder enig contact, zoals sluitingsdagen, tellen niet mee; 'dagen' is het aantal waarop het gemiddelde rust. Hoe "
        "donkerder, hoe drukker.",
        f"Mean number of contacts an hour (columns: the hour in which it began, the municipality's clock) in the last {_WEEKS} weeks up "
        f"to yesterday. "
        "Days without any contact, such as closing days, are left out; 'days' is the number that the mean rests on. The darker, the "
        "busier.",
    )
    return table_panel(page.say("Drukte in de week", "Busy hours of the week"), question, about, columns)
