"""What is said of an incident: which channels, and a sentence for each of its signals, the one to act on first."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice, zip_longest

from pipeline.drift.notation import channel_title
from pipeline.drift.signal import Signal
from schemas.words import Language, channel_text

MOST_SENTENCES = 3
_TOGETHER = {"nl": "{} en {} tegelijk.", "en": "{} and {} at the same time."}
_MORE = {"nl": ("En nog 1 signaal.", "En nog {} signalen."), "en": ("And 1 more signal.", "And {} more signals.")}


def text_of(signals: Sequence[Signal], language: Language, sentence: Callable[[Signal, Language], str]) -> str:
    """The last states of an incident's signals in words: of those that last, of all once none does.

    What is for the worse comes first, then in order of beginning; something of each channel before more of one.
    """
    told = [one for one in signals if one.state != "over"] or signals
    of_channel: dict[str, list[Signal]] = {}
    for one in sorted(told, key=lambda one: (not one.worse, one.onset, one.at, one.id)):
        of_channel.setdefault(one.channel, []).append(one)
    rounds = chain.from_iterable(zip_longest(*of_channel.values()))
    chosen = {one.id for one in islice((one for one in rounds if one is not None), MOST_SENTENCES)}
    parts = list(_sentences([one for several in of_channel.values() for one in several if one.id in chosen], language, sentence))
    if len(of_channel) > 1:
        *first, last = (channel_text(channel, language).replace("_", " ") for channel in of_channel)
        parts.insert(0, _begun(_TOGETHER[language].format(", ".join(first), last)))
    left = len(told) - len(chosen)
    if left > 0:
        parts.append(_MORE[language][left > 1].format(left))
    return " ".join(parts)


def _sentences(signals: Sequence[Signal], language: Language, sentence: Callable[[Signal, Language], str]) -> Iterator[str]:
    """A sentence each; the channel that the one before was about is not named again."""
    before = ""
    for one in signals:
        text, heading = sentence(one, language), f"{channel_title(one.channel, language)}: "
        yield _begun(text.removeprefix(heading) if heading == before else text) + "."
        before = heading


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
