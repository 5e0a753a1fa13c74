"""The signals of the board "Signalen" one by one, and the streams that are watched for them."""

from collections.abc import Callable
from typing import Final

from dashboards.build import sql
from dashboards.build.page import Page, channel_link
from dashboards.build.panels import Column, linked, table_panel
from dashboards.build.runbook import link as runbook
from dashboards.build.sql import text
from dashboards.words import Text
from schemas.words import Language

_ENDED: Final = {
    "recovered": Text("hersteld", "recovered"),
    "revised": Text("vervallen: late gegevens of een markering", "revised: late data or a marker"),
    "announced": Text("er was een wijziging aangekondigd", "a change had been announced"),
    "usual": Text("is na 12 weken het gewone", "after 12 weeks the usual"),
}
"""Why a signal is over (docs/DRIFT.md, "Signals")."""


def signals(page: Page) -> object:
    """Every signal in its latest state, with what is needed to judge it."""
    language = page.language
    question = f"""
SELECT
    multiIf(
        state = 'over', concat({page.quoted("✓ voorbij ", "✓ over ")}, {sql.clock("over_at")}),
        NOT worse, {page.quoted("beter", "better")},
        state = 'grown', {page.quoted("▲ verder veranderd", "▲ changed further")}, {page.quoted("▲ duurt", "▲ lasts")}) AS state_text,
    channel, {sql.channel_name("channel", language)} AS which, {sql.measure_name(language)} AS measure_text,
    {_size(language)} AS size_text, {_seen(language)} AS seen, n,
    {sql.clock("toNullable(onset)")} AS onset_text, {sql.clock("toNullable(found_at)")} AS found_text,
    arrayStringConcat(arrayMap(x -> concat(x.name, ' (', {sql.percentage("x.share", language)}, ')'), contributors), ', ') AS parts,
    if(ended = '', text_{language}, concat(text_{language}, ' [', {sql.said("ended", _ENDED, language)}, ']')) AS text,
    concat('contactmeter drift explain -o ', organisation, ' ', left(signal, 8),
        {sql.text("" if language == "nl" else " --lang en")}) AS command
FROM v_signals
WHERE {sql.ORGANISATION} AND found_at <= $__toTime AND (state != 'over' OR ifNull(over_at >= $__fromTime, 0))
ORDER BY state != 'over' DESC, worse DESC, found_at DESC LIMIT 100
"""
    columns = (
        Column("channel", "", hidden=True),
        Column("state_text", page.say("toestand", "state"), state=True, width=130),
        Column("which", page.say("kanaal", "channel"), link=channel_link(language), width=90),
        Column("measure_text", page.say("reeks", "stream"), width=160),
        Column("size_text", page.say("verandering (95 %-interval)", "change (95 % interval)"), width=180),
        Column("seen", page.say("gezien (gewoonlijk)", "seen (usual)"), width=130),
        Column("n", "n", width=50),
        Column("onset_text", page.say("begon", "began"), width=90),
        Column("found_text", page.say("gevonden", "found"), width=90),
        Column("parts", page.say("vooral bij", "mainly at"), width=120),
        Column("text", page.say("wat er gemeld is", "what was told")),
        Column("command", page.say("opdracht met de uitleg", "command that explains"), width=240),
    )
    about = page.say(
        "Signalen die duren, en die in de getoonde periode voorbij gingen. Verandering: van cijfers in punten, van normen in "
        "procentpunten, van wachttijden en "
        "aantallen in procenten van het gewone. n: antwoorden, beoordeelde contacten, wachttijden of contacten sinds het begin. "
        "De opdracht laat zien waarop het signaal rust.",
        "Signals that last, and those that were over in the period shown. Change: of grades in points, of norms in percentage points, of "
        "waits and volumes in "
        "percent of the usual. n: answers, judged contacts, waits or contacts since it began. The command shows what the signal rests on.",
    )
    panel = table_panel(page.say("Signalen", "Signals"), question, about, columns, page.say("✓ Geen signalen", "✓ No signals"))
    return linked(panel, page.say("Uitleg over drift", "About drift"), runbook("drift"), blank=True)


def watches(page: Page) -> object:
    """What is watched, and how that stands; what needs a look first."""
    language = page.language
    versions = (
        "(SELECT mapFromArrays(groupArray(instrument), groupArray(version)) FROM (SELECT instrument, max(instrument_version) AS version "
        f"FROM v_instruments WHERE {sql.ORGANISATION} GROUP BY instrument))"
    )
    answer = f"concat('answer:', parts[2], ':', toString({versions}[parts[2]]), ':', parts[3])"
    question = f"""
SELECT
    multiIf(
        status = 'drifting', {page.quoted("▲ wijkt af", "▲ drifting")},
        status = 'unknown', {page.quoted("? geen verse gegevens", "? no fresh data")},
        status = 'learning', {page.quoted("◔ leert wat gewoon is", "◔ learning what is usual")},
        status = 'silent', {page.quoted("◔ leert opnieuw", "◔ learning anew")}, {page.quoted("✓ als gewoonlijk", "✓ as usual")}) AS state,
    channel, {sql.channel_name("channel", language)} AS which, {sql.measure_name(language)} AS name,
    {sql.clock("toNullable(since)")} AS since_text,
    {sql.clock("watches_from")} AS from_text, {sql.clock("until")} AS until_text, budget
FROM
(
    SELECT *, splitByChar(':', toString(stream)) AS parts, if(parts[1] = 'answer', {answer}, toString(stream)) AS measure
    FROM v_watches WHERE {sql.ORGANISATION}
)
ORDER BY indexOf(['drifting', 'unknown', 'silent', 'learning', 'watching'], toString(status)), which, name
"""
    columns = (
        Column("channel", "", hidden=True),
        Column("state", page.say("stand", "standing"), state=True, width=190),
        Column("which", page.say("kanaal", "channel"), link=channel_link(language), width=140),
        Column("name", page.say("reeks", "stream")),
        Column("since_text", page.say("zo sinds", "so since"), width=130),
        Column("from_text", page.say("bewaakt vanaf", "watched from"), width=130),
        Column("until_text", page.say("gekeken tot", "looked until"), width=130),
        Column("budget", page.say("vals alarm per kwartaal, hoogstens", "false alarms a quarter, at most"), decimals=2, width=240),
    )
    about = page.say(
        "Elke reeks die bewaakt wordt. Leert: er is nog geen vier weken bekend. Leert opnieuw: na een aangekondigde wijziging, of er is "
        "te weinig. "
        "Geen verse gegevens: meer dan drie uur openingstijd geen teken van leven van de bron.",
        "Every stream that is watched. Learning: less than four weeks are known. Learning anew: after an announced change, or there is "
        "too little. "
        "No fresh data: no sign of life of the source for more than three hours of opening time.",
    )
    nothing = page.say("Er is nog niet gekeken", "Nothing was looked at yet")
    return table_panel(page.say("Wat bewaakt wordt", "What is watched"), question, about, columns, nothing)


def _size(language: Language) -> str:
    """The change with its interval: grades in points, shares in percentage points, times and volumes in percent of the usual."""
    points, percent_points, few = (
        (" punt", " procentpunt", "te weinig antwoorden") if language == "nl" else (" points", " percentage points", "too few answers")
    )
    to = text(" tot " if language == "nl" else " to ")

    def written(scaled: str, digits: int, unit: str) -> str:
        size, low, high = (sql.signed(scaled.format(f"assumeNotNull({x})"), digits, language) for x in ("size", "low", "high"))
        return f"concat({size}, {text(unit)}, ' (', {low}, {to}, {high}, ')')"

    return (
        f"multiIf(withheld, {text(few)}, isNull(size) OR isNull(low) OR isNull(high), '', kind = 'grade', {written('{}', 1, points)}, "
        f"kind = 'compliance', {written('100 * {}', 0, percent_points)}, {written('100 * ({} - 1)', 0, ' %' if language == 'nl' else '%')})"
    )


def _seen(language: Language) -> str:
    """What was seen since the onset, and in brackets what was expected in the same hours."""
    hourly = text(" per uur" if language == "nl" else " an hour")

    def both(write: Callable[[str], str], unit: str = "''") -> str:
        return f"concat({write('assumeNotNull(value)')}, {unit}, ' (', {write('assumeNotNull(usual)')}, ')')"

    return (
        f"multiIf(isNull(value) OR isNull(usual), '', kind = 'grade', {both(lambda x: sql.decimal(x, 1, language))}, "
        f"kind = 'compliance', {both(lambda x: sql.percentage(x, language))}, kind = 'time', {both(lambda x: sql.lasting(x, language))}, "
        f"{both(lambda x: sql.decimal(x, 1, language), hourly)})"
    )
