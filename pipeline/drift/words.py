"""What is told of a signal: one sentence to act on, and a longer explanation, in Dutch and English. Pure.

Numbers are written as the language writes them, times in the municipality's zone. Of grades with fewer than `small_cell` answers no number
of the change is told.
"""

from typing import NamedTuple

from pipeline.calendars import local_date
from pipeline.drift.notation import channel_title, figure_text
from pipeline.drift.signal import Signal
from pipeline.drift.told import Told
from pipeline.explain_words import shown_at, shown_day
from schemas.organisation import Organisation
from schemas.words import Language


class Learned(NamedTuple):
    """The hours [since, until) that a baseline was learned from, in epoch ms."""

    since: int
    until: int


def sentence(signal: Signal, organisation: Organisation, language: Language, now_ms: int) -> str:
    """What happened, since when, how much and on what it rests, told at `now_ms`; without a full stop."""
    told = Told.of(signal, organisation, language, now_ms)
    words, head = told.words, channel_title(signal.channel, language)
    if told.state():
        head += f", {told.state()}" + (f" ({told.at()})" if signal.state == "over" else "")
    if signal.state != "over":
        text = words.told.format(onset=told.onset(), claim=told.claim(), rests=told.rests(), mainly=told.mainly())
    else:
        text = words.ended[told.ended].format(onset=told.onset(), claim=told.claim(), usual=told.usual(), was=told.was())
    return f"{head}: {text}"


def explanation(
    signal: Signal,
    organisation: Organisation,
    language: Language,
    now_ms: int,
    learned: Learned | None = None,
    progress: float | None = None,
) -> str:
    """The sentence and below it, a line each: measure, baseline, change with its interval, onset, contributors, what "over" needs.

    learned: the baseline's hours, where known. progress: of a signal that lasts, how far (0-1) it is on the way to over.
    """
    told = Told.of(signal, organisation, language, now_ms)
    facts, over = told.words.facts, signal.state == "over"
    baseline = facts["baseline"].format(usual=told.usual_figure())
    if learned is not None:
        since, until = (shown_day(local_date(at, told.zone), language) for at in (learned.since, learned.until - 1))
        baseline += facts["learned"].format(since=since, until=until)
    onset, at = (shown_at(one, language, told.zone).rpartition(":")[0] for one in (signal.onset, signal.at))
    lines = [
        facts["measure"].format(what=told.measure()),
        baseline,
        facts["few"].format(small_cell=organisation.small_cell) if told.few else told.changed(),
        facts["onset"].format(onset=onset, state=facts["ended" if over and told.ended != "recovered" else signal.state], at=at),
        *told.contributors(),
    ]
    if over:
        lines.append(facts[told.ended])
    else:
        share = "" if progress is None else facts["progress"].format(share=figure_text("compliance", progress, told.words))
        lines.append(facts["ends"] + share)
    if not signal.announce:
        lines.append(facts["backfill"])
    return "\n".join([sentence(signal, organisation, language, now_ms), *(f"  {line}" for line in lines)])
