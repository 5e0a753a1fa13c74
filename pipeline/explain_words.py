"""The words of an explanation, in Dutch and English."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.names import attribute_text, event_text, value_text
from pipeline.walk import At, Lasting, Step
from schemas.words import EXCLUSIONS, Language

DAYS = {
    "nl": ("ma", "di", "wo", "do", "vr", "za", "zo"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}

TEXTS: dict[str, tuple[str, str]] = {
    "other_channel": (
        "geldt niet: het kanaal is {channel}, de norm is voor {wanted}",
        "does not apply: the channel is {channel}, the norm is for {wanted}",
    ),
    "not_started": ("geldt niet: nog niet gebeurd is {event}", "does not apply: there is no {event} yet"),
    "not_valid": ("geldt niet: deze versie geldt niet op {day}", "does not apply: this version does not hold on {day}"),
    "other_attribute": (
        "geldt niet: {attribute} is {value}, de norm is voor {wanted}",
        "does not apply: {attribute} is {value}, the norm is for {wanted}",
    ),
    "without_appointment": ("geldt niet: er is geen afspraak", "does not apply: there is no appointment"),
    "with_appointment": ("geldt niet: er is een afspraak", "does not apply: there is an appointment"),
    "start": ("begin: {at} ({event})", "start: {at} ({event})"),
    "given": ("uiterste moment, zoals opgegeven: {at}", "deadline, as given: {at}"),
    "not_given": ("er is geen uiterste moment opgegeven", "no deadline was given"),
    "elapsed": ("de klok loopt altijd: {at} + {lasted}", "the clock runs always: {at} + {lasted}"),
    "opening-hours": ("de klok loopt {lasted} terwijl het open is:", "the clock runs {lasted} while it is open:"),
    "working-days": ("{days} werkdagen na de dag van het begin:", "{days} working days after the day of the start:"),
    "statutory-term": (
        "wettelijke termijn van {threshold} na de dag van het begin",
        "statutory term of {threshold} after the day of the start",
    ),
    "last_day": ("  laatste dag: {day}", "  last day: {day}"),
    "open": ("  {begin} – {end}: {lasted}, samen {total}", "  {begin} – {end}: {lasted}, in all {total}"),
    "closed": ("  {day}: gesloten ({why})", "  {day}: closed ({why})"),
    "counts": ("  {day}: dag {number} van {of}", "  {day}: day {number} of {of}"),
    "does_not_count": ("  {day}: telt niet ({why})", "  {day}: does not count ({why})"),
    "moves_on": ("  {day}: schuift op ({why})", "  {day}: moves on ({why})"),
    "deadline": ("uiterste moment: {at}", "deadline: {at}"),
    "paused": ("opgeschort vanaf {at}", "suspended from {at}"),
    "paused_late": (
        "opschorting op {at} telt niet: het uiterste moment was voorbij",
        "suspension at {at} does not count: the deadline had passed",
    ),
    "resumed": ("  tot {at}", "  until {at}"),
    "still_paused": ("  nog steeds: de klok staat stil", "  still: the clock stands still"),
    "stood_still": ("  de klok stond {lasted} stil", "  the clock stood still for {lasted}"),
    "left": ("  er was nog {lasted} over:", "  there was {lasted} left:"),
    "days_lost": ("  {days} dagen tellen niet mee", "  {days} days do not count"),
    "extended": ("verlengd op {at} tot {due}", "extended at {at} to {due}"),
    "extension_not_allowed": ("  telt niet: deze norm kent geen verlenging", "  does not count: this norm knows no extension"),
    "extended_late": ("  telt niet: na het uiterste moment {deadline}", "  does not count: after the deadline {deadline}"),
    "extension_limit": ("  hoogstens {limit}: tot {at}", "  at most {limit}: to {at}"),
    "extended_not_later": ("  telt niet: niet later dan {deadline}", "  does not count: not later than {deadline}"),
    "stopped": ("einde: {at}", "stop: {at}"),
    "not_stopped": ("nog geen einde ({events})", "no stop yet ({events})"),
    "measured": ("gemeten: {lasted}; de grens is {limit}", "measured: {lasted}; the limit is {limit}"),
    "no_outcome": ("telt (nog) niet", "does not count (yet)"),
    "excluded": ("telt niet: {reason}", "does not count: {reason}"),
    "counts_at_stop": ("telt mee in de minuut tot {minute}", "counts in the minute to {minute}"),
    "within": ("BINNEN de norm; telt in de minuut tot {minute}", "WITHIN the norm; counts in the minute to {minute}"),
    "late": ("TE LAAT; telt in de minuut tot {minute}", "LATE; counts in the minute to {minute}"),
    "pending": (
        "nog niet bekend: telt uiterlijk in de minuut tot {minute}",
        "not known yet: counts at the latest in the minute to {minute}",
    ),
}
"""By step: (Dutch, English)."""

REASONS: dict[str, tuple[str, str]] = {
    **EXCLUSIONS,
    "weekend": ("weekend", "weekend"),
    "exception": ("uitzondering", "exception"),
    "closing_day": ("sluitingsdag", "closing day"),
    "two_days": ("er moeten twee gewone dagen in zitten", "the term must hold two ordinary days"),
    "no_hours": ("geen openingstijd", "no opening hours"),
}
"""Why a contact or a day does not count; what is not here is a name (of a holiday)."""


def in_words(step: Step, language: Language, zone: ZoneInfo) -> str:
    """A step as a line of text, in local time."""
    number = ("nl", "en").index(language)
    of = "channel" if step.says == "other_channel" else step.values.get("attribute", "")
    values = {name: _named(name, value, of, language) or _shown(value, language, zone) for name, value in step.values.items()}
    return TEXTS[step.says][number].format(**values)


def shown_day(day: date, language: Language) -> str:
    """`ma 2026-03-02`."""
    return f"{DAYS[language][day.weekday()]} {day}"


def shown_at(at_ms: int, language: Language, zone: ZoneInfo) -> str:
    """`ma 2026-03-02 09:00:00`, with milliseconds where there are any."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone)
    return f"{shown_day(at.date(), language)} {at:%H:%M:%S}" + (f".{at_ms % 1000:03}" if at_ms % 1000 else "")


def _named(name: str, value: Any, of: str, language: Language) -> str:
    """A name of the event contract in a step, of the attribute `of` where it is a value; "" for all else."""
    match name:
        case "channel" | "value" | "wanted":
            return value_text(of, value, language)
        case "event" | "events":
            return event_text(value, language)
        case "attribute":
            return attribute_text(value, language)
    return ""


def _shown(value: Any, language: Language, zone: ZoneInfo) -> str:
    match value:
        case At():
            return shown_at(value, language, zone)
        case Lasting():
            hours, rest = divmod(int(value), 3_600_000)
            minutes, ms = divmod(rest, 60_000)
            return f"{hours}:{minutes:02}:{ms // 1000:02}" + (f".{ms % 1000:03}" if ms % 1000 else "")
        case date():
            return shown_day(value, language)
        case str() if value in REASONS:
            return REASONS[value][("nl", "en").index(language)]
    return str(value)
