"""A signal with what its organisation calls things, and the parts of the texts that are told of it. Pure."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pipeline.drift.notation import figure_text, figures_text, moment_text
from pipeline.drift.phrases import WORDS, Words
from pipeline.drift.signal import Contributor, Dimension, Ended, Signal
from pipeline.drift.subject import Subject, subject_of
from pipeline.numbers import number_text
from schemas.organisation import Organisation
from schemas.words import Language

OUTAGE = 0.1
"""Below this part of the usual number hardly anybody comes."""
_PEOPLE = frozenset({"telephone", "counter", "reception", "chat", "whatsapp"})


@dataclass(frozen=True)
class Told:
    """A signal as it is told at `now_ms`. few: it rests on so few answers that no number of them may be shown."""

    signal: Signal
    subject: Subject
    words: Words
    zone: ZoneInfo
    now_ms: int
    few: bool

    @classmethod
    def of(cls, signal: Signal, organisation: Organisation, language: Language, now_ms: int) -> "Told":
        """What is needed to tell of a signal of that organisation."""
        few = signal.kind == "grade" and signal.n < organisation.small_cell
        return cls(signal, subject_of(signal, organisation), WORDS[language], ZoneInfo(organisation.zone), now_ms, few)

    @property
    def ended(self) -> Ended:
        """Why it is over; that it recovered, where nothing else is said."""
        return self.signal.ended or "recovered"

    def state(self) -> str:
        """What happened, to stand after the channel; "" for a drift that was found."""
        signal = self.signal
        if signal.state == "over":
            key = f"{self.ended}_better" if self.ended == "recovered" and not signal.worse else self.ended
        elif signal.state == "grown" and signal.kind == "volume":
            key = "risen" if signal.side > 0 else "fallen"
        elif signal.state == "grown":
            key = "grown" if signal.worse else "grown_better"
        else:
            key = "found" if signal.worse else "better"
        return self.words.states[key]

    def onset(self) -> str:
        """When it began; of what is known by the day only, the day."""
        return moment_text(self.signal.onset, self.now_ms, self.zone, self.words, self.subject.by_day)

    def at(self) -> str:
        """When the state was reached."""
        return moment_text(self.signal.at, self.now_ms, self.zone, self.words, whole_day=False)

    def claim(self) -> str:
        """What is seen against what is usual."""
        signal, words = self.signal, self.words
        if self.few:
            return words.few.format(name=self.subject.grade(words), direction=self._direction())
        value, usual = self._compared()
        match signal.kind:
            case "compliance":
                verb, how = self.subject.phrase(words)
                return words.norm.format(verb=verb, value=value, how=how, usual=usual)
            case "grade":
                size, half = self.change(signal.size), number_text((signal.high - signal.low) / 2, words, 1)
                return words.seen_grade.format(name=self.subject.grade(words), value=value, usual=usual, size=size, half=half)
            case "time":
                return words.seen_time.format(value=value, usual=usual)
            case "volume":
                return self._turnout(value, usual)

    def usual(self) -> str:
        """What is usual, where it is so again."""
        words, usual = self.words, self.usual_figure()
        if self.signal.kind == "compliance":
            verb, how = self.subject.phrase(words)
            return words.usual_norm.format(verb=verb, usual=usual, how=how)
        name = self.subject.grade(words) if self.signal.kind == "grade" else ""
        return words.usual[self.signal.kind].format(name=name, usual=usual, units=self._units()[1])

    def usual_figure(self) -> str:
        """The figure that was expected."""
        return figure_text(self.signal.kind, self.signal.usual, self.words)

    def was(self) -> str:
        """What it was while it lasted."""
        if self.few:
            return self.words.was["few"].format(direction=self._direction())
        key = "value" if self.signal.kind != "volume" else "volume" if self.signal.value else "nobody"
        return self.words.was[key].format(value=self._compared()[0], nobody=self._nobody())

    def rests(self) -> str:
        """How many answers or contacts it rests on; of a volume the number is the figure itself."""
        return "" if self.few or self.signal.kind == "volume" else f", {self.count(self.signal.n)}"

    def count(self, n: int) -> str:
        """`412 gesprekken`, `1 antwoord`."""
        return f"{number_text(n, self.words)} {self._units()[n != 1]}"

    def change(self, size: float) -> str:
        """A size in its own unit, without its name."""
        match self.signal.kind:
            case "grade":
                return number_text(size, self.words, 1, signed=True)
            case "compliance":
                return number_text(100 * size, self.words, signed=True)
            case "time" | "volume":
                return number_text(size, self.words, 1 if size >= 1 else 2)

    def changed(self) -> str:
        """The size and its 95 % interval: `−23 procentpunt (95 %-interval −31 tot −15), over 412 gesprekken`."""
        signal, facts = self.signal, self.words.facts
        unit = {"compliance": facts["points"], "time": facts["factor"], "volume": facts["factor"]}.get(signal.kind, "{}")
        size, low, high = (self.change(one) for one in (signal.size, signal.low, signal.high))
        return facts["change"].format(size=unit.format(size), low=low, high=high, n=self.count(signal.n))

    def mainly(self) -> str:
        """The contributors of the dimension of which one contributes most."""
        if not self._named():
            return ""
        most = max(self._named(), key=lambda one: one.share).dimension
        *names, last = (one.name for one in self._named() if one.dimension == most)
        return self.words.mainly.format(", ".join(names) + self.words.joined + last if names else last)

    def contributors(self) -> list[str]:
        """A line for each dimension in which parts stand out, or one that says that there is none; nothing of few answers."""
        facts = self.words.facts
        if self.few:
            return []
        by: dict[Dimension, list[str]] = {}
        for one in self._named():
            share = figure_text("compliance", one.share, self.words)
            by.setdefault(one.dimension, []).append(facts["part"].format(name=one.name, share=share, n=self.count(one.n)))
        lines = [facts["contributor"].format(dimension=self.words.dimensions[one], listed=", ".join(parts)) for one, parts in by.items()]
        return lines or [facts["spread"]]

    def measure(self) -> str:
        """What is watched, in full."""
        subject, words = self.subject, self.words
        return words.facts[self.signal.kind].format(
            norm=subject.norm_title(words),
            aspect=subject.aspect_title(words),
            instrument=subject.instrument_title(words),
            units=self._units()[1],
        )

    def _turnout(self, value: str, usual: str) -> str:
        signal, words, units = self.signal, self.words, self._units()[1]
        if signal.value < OUTAGE * signal.usual:
            text = words.hardly if signal.value else words.nobody_any_more
            return text.format(nobody=self._nobody(), value=value, usual=usual, units=units)
        if signal.side > 0:
            change = words.busier.format(factor=number_text(signal.size, words, 1))
        else:
            change = words.fewer.format(share=figure_text("compliance", 1 - signal.size, words), units=units)
        return words.seen_volume.format(change=change, value=value, usual=usual)

    def _compared(self) -> tuple[str, str]:
        return figures_text(self.signal.kind, self.signal.value, self.signal.usual, self.words)

    def _named(self) -> tuple[Contributor, ...]:
        return () if self.few else self.signal.contributors

    def _direction(self) -> str:
        return self.words.was["higher" if self.signal.side > 0 else "lower"]

    def _nobody(self) -> str:
        return self.words.nobody[self.signal.channel not in _PEOPLE]

    def _units(self) -> tuple[str, str]:
        units = self.words.units
        return units["answers"] if self.signal.kind == "grade" else units.get(self.subject.unit(), units["other"])
