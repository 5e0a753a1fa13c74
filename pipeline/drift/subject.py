"""What a stream is of, in the organisation's own words: a norm, or an aspect of a questionnaire. Pure."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipeline.calendars import local_date
from pipeline.drift.notation import term_text
from pipeline.drift.phrases import Words
from pipeline.drift.signal import Signal
from schemas.instrument import Instrument
from schemas.norm import AppliesTo, Norm, Titles
from schemas.organisation import Organisation

_PLAIN_STARTS = frozenset({"opened", "queued", "appointment_at"})
_TAKEN = {"telephone": "taken", "counter": "helped", "reception": "helped"}
_DAY_CLOCKS = ("working-days", "statutory-term")


class Subject(NamedTuple):
    """The norm or the questionnaire of a signal; neither for waits and volumes, nor for what the configuration has no more.

    name: the norm's or the aspect's own, "" for waits and volumes.
    """

    channel: str
    name: str
    norm: Norm | None
    instrument: Instrument | None

    @property
    def by_day(self) -> bool:
        """Whether it is known by the day only: deadlines at the end of a day."""
        return self.norm is not None and self.norm.clock in _DAY_CLOCKS

    def unit(self) -> str:
        """What its figure is counted in, a key of `Words.units`."""
        if self.norm is not None and "callback_requested" in self.norm.start_moments:
            return "callback"
        if self.norm is not None and self.norm.denominator == "offered" and self.channel == "telephone":
            return "offered"
        return self.channel

    def norm_title(self, words: Words) -> str:
        """The norm's title between quotation marks."""
        return _quoted(None if self.norm is None else self.norm.title, self.name, words)

    def phrase(self, words: Words) -> tuple[str, str]:
        """Verb and what follows it: `wordt`, `binnen 45 s opgenomen`; by the norm's title where it does not concern all contacts."""
        norm = self.norm
        if norm is None or not _concerns_all(norm):
            verb, how = words.by_title
            return verb, how.format(self.norm_title(words))
        # Word of any kind stops the clock where it is among the stops: "answered" would promise too much.
        stop = "informed" if "informed" in norm.stop else norm.stop[0]
        verb, what = words.phrases[_TAKEN.get(self.channel, stop) if stop == "answered" else stop]
        if norm.threshold is None:
            return verb, words.in_time.format(what=what)
        term = term_text(norm.threshold, words)
        return verb, words.within.format(what=what, term=words.open_time.format(term) if norm.clock == "opening-hours" else term)

    def aspect_title(self, words: Words) -> str:
        """The aspect's title between quotation marks."""
        return _quoted(None if self.instrument is None else self.instrument.aspects[self.name].title, self.name, words)

    def instrument_title(self, words: Words) -> str:
        """The questionnaire's title between quotation marks; "" where the configuration has it no more."""
        return "" if self.instrument is None else _quoted(self.instrument.title, "", words)

    def grade(self, words: Words) -> str:
        """What a grade is called in a sentence; of another scale than 1-10 it says that it was mapped."""
        scale = None if self.instrument is None else self.instrument.scale_of(self.name)
        if scale is None or (scale.minimum, scale.maximum) == (1, 10):
            return words.grade if self.name == "overall" else self.aspect_title(words)
        return words.mapped.format(self.aspect_title(words))


def subject_of(signal: Signal, organisation: Organisation) -> Subject:
    """The version in force at the signal's moment of a norm; of a questionnaire the version that its measure names, else the last."""
    kind, _, name = signal.stream.partition(":")
    if kind == "norm":
        versions = organisation.norm_versions(name)
        day = local_date(signal.at, ZoneInfo(organisation.zone))
        valid = [norm for norm in versions if norm.valid.start <= day < norm.valid.end]
        return Subject(signal.channel, name, next(iter(valid or versions[-1:]), None), None)
    if kind == "answer":
        of, _, aspect = name.partition(":")
        known = [one for one in organisation.instruments.get(of, ()) if aspect in one.aspects]
        named = [one for one in known if signal.measure == f"answer:{of}:{one.version}:{aspect}"]
        return Subject(signal.channel, aspect, None, next(iter(named or known[-1:]), None))
    return Subject(signal.channel, "", None, None)


def _concerns_all(norm: Norm) -> bool:
    """Whether a norm is of all contacts of its channels, or of all that ask to be called back."""
    starts = set(norm.start_moments)
    return norm.applies_to == AppliesTo(channels=norm.applies_to.channels) and (starts <= _PLAIN_STARTS or starts == {"callback_requested"})


def _quoted(titles: Titles | None, name: str, words: Words) -> str:
    title = name if titles is None else titles.nl if words.lang == "nl" else titles.en
    return words.quoted.format(title)
