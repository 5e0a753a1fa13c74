"""What `contactmeter drift` prints, in Dutch and English."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from pipeline.calendars import local_date
from pipeline.cli.table import aligned
from pipeline.drift.backtest import EPOCH_DAY, Alarm, Outcome
from pipeline.drift.kinds import Name
from pipeline.drift.notation import channel_title, figure_text
from pipeline.drift.phrases import WORDS as PHRASES
from pipeline.drift.phrases import Words
from pipeline.drift.plot import sparkline
from pipeline.drift.status import Watch
from pipeline.drift.streams import budget_of
from pipeline.drift.telling import Block, Found, Usual
from pipeline.drift.words import sentence
from pipeline.explain_words import DAYS, shown_at, shown_day
from pipeline.numbers import number_text
from schemas.organisation import Organisation
from schemas.words import Language

MOST_DAYS = 21
"""Days of a signal that are listed."""

WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "streams": "kanaal stroom stand gekeken-tot budget",
        "learning": "leert",
        "learning_until": "leert tot {}",
        "watching": "kijkt",
        "drifting": "wijkt af",
        "silent": "leert opnieuw wat gewoonlijk is",
        "unknown": "onbekend: geen verse gegevens",
        "nothing": "Er is nog niet gekeken: de worker kijkt zodra er een uur aan gegevens is.",
        "signals": "Signalen:",
        "none": "Er loopt geen signaal.",
        "states": "verloop:",
        "found": "gevonden",
        "grown": "gegroeid",
        "over": "voorbij",
        "same": "opnieuw doorgerekend uit de uursommen: hetzelfde gevonden",
        "differs": "opnieuw doorgerekend uit de uursommen: nu zou gelden",
        "missing": "opnieuw doorgerekend uit de uursommen: er wordt niets meer gevonden; de gegevens zijn sindsdien veranderd",
        "not_run": "niet opnieuw doorgerekend: deze stroom wordt niet meer bekeken, of er is te weinig van bewaard",
        "from_checkpoint": "{}, vanaf de stand van {}",
        "usual": "een gewone week: {} (uit {} dagen); per uur van de dag en per dag van de week:",
        "days": "dag n gezien gewoonlijk band",
        "earlier": "… {} dagen eerder …",
        "period": "{}: wat er van {} tot {} gemeld zou zijn; er wordt niets geschreven of verstuurd",
        "channel": "{}: alarmen bij een budget (vals alarm per kwartaal) van",
        "outcomes": "stroom {} dagen/alarm afwijkend kijkt-vanaf",
        "all": "alle stromen",
        "quarterly": "per kwartaal",
        "never": "nooit: te weinig gegevens",
        "alarms": "bij {}, het budget dat geldt:",
        "until": "tot {}",
        "lasting": "loopt nog",
        "no_streams": "Er is niets om naar te kijken.",
    },
    "en": {
        "streams": "channel stream standing looked-until budget",
        "learning": "learning",
        "learning_until": "learning until {}",
        "watching": "watching",
        "drifting": "drifting",
        "silent": "learning anew what is usual",
        "unknown": "unknown: no fresh data",
        "nothing": "Nothing was looked at yet: the worker looks as soon as there is an hour of data.",
        "signals": "Signals:",
        "none": "No signal lasts.",
        "states": "course:",
        "found": "found",
        "grown": "grown",
        "over": "over",
        "same": "computed again from the hourly sums: the same was found",
        "differs": "computed again from the hourly sums: now it would be",
        "missing": "computed again from the hourly sums: nothing is found any more; the data have changed since",
        "not_run": "not computed again: this stream is watched no more, or too little is stored of it",
        "from_checkpoint": "{}, from how it stood on {}",
        "usual": "a usual week: {} (of {} days); by hour of the day and by day of the week:",
        "days": "day n seen usual band",
        "earlier": "… {} days before …",
        "period": "{}: what would have been told from {} until {}; nothing is written or sent",
        "channel": "{}: alarms with a budget (false alarms a quarter) of",
        "outcomes": "stream {} days/alarm drifting watches-from",
        "all": "all streams",
        "quarterly": "a quarter",
        "never": "never: too few data",
        "alarms": "with {}, the budget in force:",
        "until": "until {}",
        "lasting": "lasts",
        "no_streams": "There is nothing to watch.",
    },
}


def minute_text(ms: int, language: Language, zone: ZoneInfo) -> str:
    """A moment, to the minute."""
    return shown_at(ms, language, zone)[: -len(":00")] if ms % 60_000 == 0 else shown_at(ms // 60_000 * 60_000, language, zone)[:-3]


def stream_lines(watches: Sequence[Watch], language: Language, zone: ZoneInfo) -> Iterator[str]:
    """How each stream stands."""
    words = WORDS[language]

    def standing(one: Watch) -> str:
        if one.status == "learning" and one.watches_from is not None:
            return words["learning_until"].format(minute_text(one.watches_from, language, zone))
        return words[one.status]

    if not watches:
        yield words["nothing"]
        return
    rows = [
        [
            channel_title(one.channel, language), one.stream, standing(one),
            "" if one.until is None else minute_text(one.until, language, zone), _budget(one.budget, language),
        ]
        for one in watches
    ]  # fmt: skip
    yield from aligned(_titles(words["streams"]), rows, 4)


def found_lines(found: Found, organisation: Organisation, language: Language, now_ms: int) -> Iterator[str]:
    """What a rerun says of a signal: whether it is the same, what is usual, and its days."""
    words, zone, spoken = WORDS[language], ZoneInfo(organisation.zone), PHRASES[language]
    kind = found.states[-1].kind
    text = words["missing" if found.missing else "differs" if found.differs else "same"]
    if found.checkpoint is not None:
        text = words["from_checkpoint"].format(text, shown_day(EPOCH_DAY + timedelta(days=found.checkpoint), language))
    yield f"  {text}"
    for one in () if found.missing else found.differs:
        yield f"    {words[one.state]} {minute_text(one.at, language, zone)}: {sentence(one, organisation, language, now_ms)}"
    yield ""
    yield words["usual"].format(figure_text(kind, found.usual.mean, spoken), found.usual.days)
    yield from usual_lines(kind, found.usual, spoken)
    yield ""
    shown = found.days[-MOST_DAYS:]
    if len(shown) < len(found.days):
        yield "  " + words["earlier"].format(len(found.days) - len(shown))
    yield from aligned(_titles(words["days"]), [_day(one, kind, spoken, zone) for one in shown], 1)


def _day(block: Block, kind: Name, words: Words, zone: ZoneInfo) -> list[str]:
    first, last = (local_date(at, zone) for at in (block.start, block.end - 1))
    day = shown_day(first, words.lang) + (f" – {shown_day(last, words.lang)}" if last != first else "")
    seen = "–" if block.seen is None else figure_text(kind, block.seen, words)
    low, high = (figure_text(kind, one, words) for one in (block.low, block.high))
    n = number_text(block.n, words) if block.seen is not None else "–"
    return [day, n, seen, figure_text(kind, block.expected, words), f"{low} – {high}"]


def usual_lines(kind: Name, usual: Usual, words: Words) -> Iterator[str]:
    """Two rows of blocks: hours of the day, days of the week; each with its lowest and highest."""
    names = [[f"{hour}" for hour in usual.hours], [DAYS[words.lang][day] for day in usual.weekdays]]
    for name, values in zip(names, (usual.hours, usual.weekdays), strict=True):
        low, high = (figure_text(kind, one, words) for one in (min(values.values()), max(values.values())))
        row = sparkline(list(values.values()), len(values))
        yield f"  {name[0] + '–' + name[-1]:<7}  {row}  {low} – {high}"


def outcome_lines(
    outcomes: Sequence[Outcome], organisation: Organisation, budgets: Sequence[float], language: Language, until_ms: int
) -> Iterator[str]:
    """The outcomes of one channel: a row a stream with a column a budget, then the alarms of the budget in force."""
    words, spoken, zone = WORDS[language], PHRASES[language], ZoneInfo(organisation.zone)
    channel = outcomes[0].channel
    in_force = budget_of(organisation, channel, 1)
    columns = sorted({*budgets, in_force})
    streams = {one.stream: {other.budget: other for other in outcomes if other.stream == one.stream} for one in outcomes}
    rows = []
    for stream, by in streams.items():
        now = by[in_force]
        begins = words["never"] if now.watches_from is None else minute_text(now.watches_from, language, zone).rpartition(" ")[0]
        share = "–" if not now.days else figure_text("compliance", now.drifting / now.days, spoken)
        rows.append([stream, *(f"{len(by[one].alarms)}" for one in columns), number_text(now.between, spoken), share, begins])
    rows.append([words["all"], *(f"{sum(len(by[one].alarms) for by in streams.values())}" for one in columns), "", "", ""])
    rates = [[rate for by in streams.values() if (rate := by[one].a_quarter) is not None] for one in columns]
    rows.append([words["quarterly"], *(number_text(sum(several) if several else None, spoken, 1) for several in rates), "", "", ""])
    yield words["channel"].format(channel_title(channel, language))
    titles = _titles(words["outcomes"])
    yield from aligned([titles[0], *(_budget(one, language) + "*" * (one == in_force) for one in columns), *titles[2:]], rows, 1)
    told = sorted((alarm for by in streams.values() for alarm in by[in_force].alarms), key=lambda one: one.found)
    if told:
        yield "* " + words["alarms"].format(_budget(in_force, language))
    for alarm in told:
        yield f"  {minute_text(alarm.found, language, zone)}  {_alarm(alarm, organisation, language, until_ms)}"


def _alarm(alarm: Alarm, organisation: Organisation, language: Language, until_ms: int) -> str:
    words, zone = WORDS[language], ZoneInfo(organisation.zone)
    end = words["lasting"] if alarm.over is None else words["until"].format(minute_text(alarm.over, language, zone))
    return f"{sentence(replace(alarm.told, state='found'), organisation, language, until_ms)} ({end})"


def _budget(budget: float, language: Language) -> str:
    return number_text(budget, PHRASES[language], 2).rstrip("0").rstrip(",.")


def _titles(text: str) -> list[str]:
    return [one.replace("-", " ") for one in text.split()]
