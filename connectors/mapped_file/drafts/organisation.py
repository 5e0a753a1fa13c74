"""The draft of an organisation's file, beside the draft of the mapping."""

from collections.abc import Sequence

from connectors.mapped_file.drafts.guessing import Guess
from connectors.mapped_file.drafts.parts import MARK, Notes, quoted, slug
from connectors.mapped_file.drafts.sampling import Column, Sample


def organisation_text(sample: Sample, guess: Guess, organisation: str, source: str, channels: Sequence[str], notes: Notes) -> str:
    """The file's text: the system and channels of the mapping, a norm for each given deadline, an instrument for ratings."""
    lines = [
        f"# A first draft beside the mapping; what must be decided is marked {MARK}.",
        f"organisation: {organisation}",
        f"title: {{nl: {quoted(organisation)}, en: {quoted(organisation)}}} # {notes.decide('the name of the organisation')}",
        "zone: Europe/Amsterdam",
        "systems:",
        f"  source: {{title: {quoted(sample.path.name)}, sources: [{source}]}}",
        "channels:",
        *(f"  {channel}: {{max_open: off}}" for channel in channels),
        f"opening_hours: {{mon-fri: 08:30-17:00}} # {notes.decide('the opening hours and closing days')}",
        "closing_days: {public_holidays: nl}",
    ]
    lines += ["norms:"] if guess.deadlines else []
    for column in guess.deadlines:
        lines += _norm(column, guess, channels, notes)
    if guess.rating is not None or guess.kind == "totals":
        lines += _instrument(guess.rating, notes)
    return "\n".join([*lines, ""])


def _norm(column: Column, guess: Guess, channels: Sequence[str], notes: Notes) -> list[str]:
    stop = "responded" if guess.responded is not None and column.words & guess.responded.words else "closed"
    return [
        f"  - id: {slug(column.name)}",
        f"    title: {{nl: {quoted(column.name)}, en: {quoted(column.name)}}}",
        f"    applies_to: {{channels: [{', '.join(channels)}]}}",
        "    clock: given",
        "    start: opened",
        f"    stop: {stop} # {notes.decide(f'what ends the term {column.name!r}')}",
        "    source: the deadlines in the file",
    ]


def _instrument(rating: Column | None, notes: Notes) -> list[str]:
    numbers = rating.numbers if rating is not None else [0.0, 1.0]  # totals give answers of yes and no
    low, high = min(numbers), max(numbers)
    ends = notes.decide(f"the scale (1-10 grades, 1-5 satisfied, 0-10 recommends, yes-no): the file has {low:g} to {high:g}")
    return [
        "instruments:",
        "  rating:",
        "    - version: 1",
        "      title: {nl: Waardering, en: Rating}",
        f"      scale: {_scale(low, high)} # {ends}",
        "      aspects: {satisfaction: {title: {nl: Tevredenheid, en: Satisfaction}}}",
    ]


def _scale(low: float, high: float) -> str:
    """By name where there is one: then shares, CSAT or NPS are told. Grades from 1 to 10 also when nobody gave a 1, 2 or 10."""
    if low >= 1 and high in (9, 10):
        return "1-10"
    named: dict[tuple[float, float], str] = {(1, 5): "1-5", (0, 10): "0-10", (0, 1): "yes-no"}
    return named.get((low, high), f"{{minimum: {low:g}, maximum: {high:g}}}")
