"""How moments, figures, terms and channels are written in the texts about drift. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pipeline.drift.kinds import Name
from pipeline.drift.phrases import Words
from pipeline.explain_words import DAYS
from pipeline.numbers import number_text
from schemas.terms import parse_term
from schemas.words import Language, channel_text

RECENT_DAYS = 6
"""So many days back a weekday says which day is meant."""
_SIZES = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))
_TERM_SIZES = ((3_600_000, "h"), (60_000, "min"))


def channel_title(channel: str, language: Language) -> str:
    """A channel as it stands at the beginning of a line."""
    text = channel_text(channel, language).replace("_", " ")
    return text[:1].upper() + text[1:]


def moment_text(at_ms: int, now_ms: int, zone: ZoneInfo, words: Words, whole_day: bool) -> str:
    """`di 14:00` within six days, else `12 november` (`12 november 2025` of another year); a whole day has no time of day."""
    at, now = (datetime.fromtimestamp(one // 1000, UTC).astimezone(zone) for one in (at_ms, now_ms))
    if 0 <= (now.date() - at.date()).days <= RECENT_DAYS:
        return DAYS[words.lang][at.weekday()] + ("" if whole_day else f" {at.hour}:{at.minute:02}")
    return f"{at.day} {words.months[at.month - 1]}" + (f" {at.year}" if at.year != now.year else "")


def figure_text(kind: Name, value: float, words: Words, finer: int = 0) -> str:
    """A figure as people read it: grade, percentage, duration (74 s, 3,4 min, 2,5 uur) or number an hour. finer: so many more decimals."""
    match kind:
        case "grade":
            return number_text(value, words, 1 + finer)
        case "compliance":
            return f"{number_text(100 * value, words, finer)} %"
        case "time":
            size, unit = next(((size, unit) for size, unit in _SIZES if value >= 1.5 * size), (1.0, "s"))
            amount = number_text(value / size, words, (value / size < 10 and unit != "s") + finer)
            return f"{amount} {words.terms[unit][1]}"
        case "volume":
            return number_text(value, words, (value < 10) + finer)


def figures_text(kind: Name, value: float, usual: float, words: Words) -> tuple[str, str]:
    """Two figures that are compared, with another decimal where they would look the same."""
    for finer in (0, 1):
        found = figure_text(kind, value, words, finer), figure_text(kind, usual, words, finer)
        if found[0] != found[1]:
            break
    return found


def term_text(threshold: str, words: Words) -> str:
    """The threshold of a norm: `45 s`, `24 uur`, `2 werkdagen`."""
    n, kind = parse_term(threshold)
    unit = {"days": "d"}.get(kind, kind)
    if kind == "ms":
        size, unit = next(((size, unit) for size, unit in _TERM_SIZES if n % size == 0), (1_000, "s"))
        n //= size
    return f"{number_text(n, words)} {words.terms[unit][n != 1]}"
