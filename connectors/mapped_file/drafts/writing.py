"""The draft of a mapping: valid as it stands, with what a person must decide marked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.mapped_file.drafts.guessing import Guess, channel_of
from connectors.mapped_file.drafts.organisation import organisation_text
from connectors.mapped_file.drafts.parts import MARK, Notes, listed, named, quoted, slug
from connectors.mapped_file.drafts.sampling import Column, Sample, TimeForm, words

_SHOWN_VALUES = 40


@dataclass(frozen=True)
class Draft:
    """The texts of both files, and what a person should know of them."""

    mapping: str
    organisation: str
    notes: Notes


def draft(sample: Sample, guess: Guess, organisation: str) -> Draft:
    """A draft by what was guessed. `organisation` is the slug of the organisation."""
    return _Writer(sample, guess, organisation).write()


class _Writer:
    def __init__(self, sample: Sample, guess: Guess, organisation: str) -> None:
        self._sample = sample
        self._guess = guess
        self._organisation = organisation
        self._name = slug(sample.path.name.split(".")[0])
        self._source = f"urn:nld:oin:00000000000000000000:systeem:{self._name.replace('_', '-')}"
        self._channels: list[str] = []
        self._notes = Notes()

    def write(self) -> Draft:
        body = {"contacts": self._contacts, "observations": self._observations, "totals": self._totals}[self._guess.kind]()
        head = [
            f"# A first draft, made from the columns of {self._sample.path.name} ({self._sample.rows:,} rows looked at).",
            f"# Check every line; what must be decided is marked {MARK}. docs/CONNECTORS.md explains every name.",
            f"mapping: {self._name} # part of every event id: settle it now, and never change it once data was loaded",
            f"organisation: {self._organisation}",
            f"source: {self._source} # {self._notes.decide('the source: put your OIN in its URN, here and in organisation.yaml')}",
            "system: source",
            *self._file(),
            *self._times(),
        ]
        mapping = "\n".join([*head, *body, *self._unused(), ""])
        organisation = organisation_text(self._sample, self._guess, self._organisation, self._source, self._channels, self._notes)
        return Draft(mapping, organisation, self._notes)

    def _file(self) -> list[str]:
        lines = []
        if self._sample.header_row is not None:
            lines.append(f"  header_row: {self._sample.header_row} # titles stand above it")
        if self._guess.personal:
            self._notes.guess(f"may hold personal data, and is not kept: {', '.join(column.name for column in self._guess.personal)}")
            lines.append(f"  drop: {listed(self._guess.personal)} # may hold personal data: their content is never kept")
        rating = self._guess.rating
        texts = [text for text in rating.counts if not re.fullmatch(r"-?\d+(\.\d+)?", text)] if rating is not None else []
        if texts:
            lines.append(f"  empty: [{', '.join(quoted(text) for text in texts)}] # taken to mean: no rating")
        return ["file:", *lines] if lines else []

    def _used_times(self) -> list[Column]:
        found = [*self._guess.opened, self._guess.closed, self._guess.responded, self._guess.rated, *self._guess.deadlines]
        return [column for column in found if column is not None and column.time is not None]

    def _times(self) -> list[str]:
        columns = self._used_times()
        forms: list[str] = []
        for column in columns:
            if column.time is not None:
                forms += [self._form(column.time)]
        if self._guess.kind == "totals":
            forms.append("%Y")
        lines = ["times:"]
        if any(column.time is not None and column.time.has_offset for column in columns):
            lines.append("  zone: Europe/Amsterdam # for times without an offset; the file gives offsets")
        else:
            what = "the zone: the file names none; local time of the Netherlands, or UTC? Compare the busiest hours in January and July"
            lines.append(f"  zone: Europe/Amsterdam # {self._notes.decide(what)}")
        listed = ", ".join(form if form == "iso" else quoted(form) for form in dict.fromkeys(forms or ["iso"]))
        lines.append(f"  formats: [{listed}]{self._ambiguity(columns)}")
        return [*lines, *self._bounds()]

    def _form(self, time: TimeForm) -> str:
        clock = self._guess.opened[1] if len(self._guess.opened) == 2 else None
        if clock is not None and self._guess.opened[0].time is time:
            return f"{time.form} {'%H:%M:%S' if max(map(len, clock.counts)) > len('00:00') else '%H:%M'}"
        return f"{time.form} %H:%M" if time.day_only and self._guess.kind == "contacts" else time.form

    def _ambiguity(self, columns: Sequence[Column]) -> str:
        others = {other for column in columns if column.time is not None for other in column.time.others}
        if not others:
            return ""
        return f" # {self._notes.decide(f'day or month first: the times would also fit {sorted(others)[0]}')}"

    def _bounds(self) -> list[str]:
        years = [int(text[:4]) for text in self._guess.opened[0].counts if text[:4].isdigit()] if self._guess.opened else []
        first = self._guess.opened[0].time if self._guess.opened else None
        if first is not None:
            years = [first.parse(text).year for text in self._guess.opened[0].counts]
        if not years:
            return []
        self._notes.guess(f"{self._guess.opened[0].name} runs from {min(years)} to {max(years)}")
        if not self._sample.complete:
            return ["  # earliest and latest bound when events can happen; only the first rows of the file were looked at"]
        return [f"  earliest: {min(years) - 1}-01-01 # the rows run from {min(years)} to {max(years)}", f"  latest: {max(years) + 1}-12-31"]

    def _at(self, columns: Sequence[Column]) -> str:
        names = named(columns[0]) if len(columns) == 1 else listed(columns)
        if len(columns) == 1 and columns[0].time is not None and columns[0].time.day_only:
            return f'{{columns: {names}, time: "23:59"}} # the file tells the day only: its end'
        return names

    def _channel(self) -> tuple[list[str], list[str]]:
        """The lines of its table, and those of the event."""
        column = self._guess.channel
        if column is None:
            self._channels = ["counter" if self._guess.kind == "observations" else "telephone"]
            what = "the channel: no column names it; of which channel are these rows?"
            return [], [f"      channel: {{value: {self._channels[0]}}} # {self._notes.decide(what)}"]
        known, unknown = [], []
        for text, count in column.counts.most_common(_SHOWN_VALUES):
            channel = channel_of(text)
            if channel is None:
                unknown.append(text)
                what = f"the channel of {quoted(text)} in column {column.name!r} ({count:,} rows)"
                known.append(f"      # {quoted(text)}: … # {self._notes.decide(what)}")
            else:
                self._channels += [channel] if channel not in self._channels else []
                known.append(f"      {quoted(text)}: {channel} # {count:,} rows")
        self._notes.guess(f"{column.name} is the channel: {', '.join(self._channels)}")
        rows = ["  channel:", "    values:", *known]
        if unknown:
            rows.append("    unknown: invalid # until then rows with those values are refused, and listed")
        empty = self._sample.rows - column.filled
        event = f"      channel: {{column: {named(column)}, table: channel}}"
        if self._guess.kind == "contacts":
            rows.append(
                f"    # of reports of public space: write channel: {{value: public_space}} and via: {named(column)} below, for that is how"
            )
            rows.append("    # they came in")
        if empty and self._guess.kind == "contacts":
            event += f" # {self._notes.decide(f'{empty:,} rows have no channel and are refused; give a `default` if you know it')}"
        return rows, [event]

    def _contacts(self) -> list[str]:
        guess = self._guess
        contact = guess.contact or self._sample.columns[0]
        if guess.contact is None:
            mark = f" # {self._notes.decide('the id of a contact: no column is different on each row')}"
        else:
            mark = (
                " # different on every row" if not guess.repeats else f" # {len(contact.counts):,} contacts on {self._sample.rows:,} rows"
            )
            self._notes.guess(f"{contact.name} is the id of a contact" + (" and stands on several rows" if guess.repeats else ""))
        tables, channel = self._channel()
        lines = [f"contact: {named(contact)}{mark}"]
        lines += ["tables:", *tables] if tables else []
        lines += ["events:", "  - type: contact.opened"]
        if guess.opened:
            self._notes.guess(f"{' and '.join(column.name for column in guess.opened)} is when it was opened")
            lines.append(f"    at: {self._at(guess.opened)}")
        else:
            what = "when a contact was opened: no column holds a time on every row"
            lines.append(f"    at: {named(self._sample.columns[0])} # {self._notes.decide(what)}")
        lines += ["    required: true", "    data:", *channel, *self._attributes()]
        if guess.deadlines:
            lines.append("    deadlines: # given terms; each is a norm in organisation.yaml")
            lines += [f"      {slug(column.name)}: {named(column)}" for column in guess.deadlines]
            self._notes.guess(f"given deadlines: {', '.join(column.name for column in guess.deadlines)}")
        for kind, column in (("contact.responded", guess.responded), ("contact.closed", guess.closed)):
            if column is not None:
                self._notes.guess(f"{column.name} is {kind} ({column.filled:,} of {self._sample.rows:,} rows)")
                lines += [f"  - type: {kind}", f"    at: {self._at([column])} # empty: it has not happened"]
        return [*lines, *self._rating(contact)]

    def _attributes(self) -> list[str]:
        found = self._guess.attributes.items()
        for name, column in found:
            self._notes.guess(f"{column.name} is the {name} ({len(column.counts):,} values)")
        return [f"      {name}: {named(column)} # {len(column.counts):,} values" for name, column in found]

    def _rating(self, contact: Column) -> list[str]:
        guess = self._guess
        if guess.rating is None:
            return []
        at = [guess.rated] if guess.rated is not None and guess.rated not in guess.opened else list(guess.opened)
        self._notes.guess(f"{guess.rating.name} is a rating from {min(guess.rating.numbers):g} to {max(guess.rating.numbers):g}")
        return [
            "  - type: survey.answered",
            f"    when: [{{column: {named(guess.rating)}, empty: false}}]",
            f"    at: {self._at(at)} # {self._notes.decide('when the answer was given: the file may not tell')}",
            "    data:",
            f"      answer: {named(contact)}",
            "      revision: 0",
            "      status: {value: complete}",
            "      instrument: {value: rating}",
            "      version: 1",
            f"      items: {{satisfaction: {named(guess.rating)}}}",
        ]

    def _observations(self) -> list[str]:
        self._notes.guess("many rows share each moment: they look like observations of queues, not like contacts")
        columns = self._sample.columns
        at = {column.name for column in self._guess.opened}
        names = [one for one in columns if one.name not in at and 2 <= len(one.counts) <= 500 and one.filled == self._sample.rows]
        texts = [column for column in names if not column.is_numeric]
        gauges = [one for one in columns if one.is_numeric and not one.is_unique and one.name not in at]
        waiting = max(
            gauges, key=lambda one: (bool(one.words & words("waiting wachtenden queue")), max(one.numbers) < 1_000, max(one.numbers))
        )
        ranges = ", ".join(f"{one.name} ({min(one.numbers):g} to {max(one.numbers):g})" for one in gauges)
        _, channel = self._channel()
        queue = self._notes.decide("the queue: columns that together name one queue of one office")
        which = self._notes.decide(f"which column counts who waits, and which open counters: {ranges}")
        return [
            "events:",
            "  - type: channel.observed",
            f"    at: {self._at(self._guess.opened)}",
            "    required: true",
            "    data:",
            *channel,
            f"      queue: {listed(texts)} # {queue}",
            f"      gauges: {{waiting: {named(waiting)}}} # {which}",
        ]

    def _totals(self) -> list[str]:
        guess = self._guess
        if guess.share is None or guess.count is None:
            raise RuntimeError("totals without a share or a count")
        self._notes.guess(f"each row is a total: {guess.share.name} of {guess.count.name}; it is taken as that many answers")
        tables, channel = self._channel()
        moment = {column.name for column in guess.opened}
        keys = [one for one in self._sample.columns if one.name not in (guess.share.name, guess.count.name)]
        attributes = {name: column for name, column in guess.attributes.items() if column.name not in moment}
        at = self._at(guess.opened) if guess.opened else f"{named(keys[0])} # {self._notes.decide('the time of the survey')}"
        aspect = self._notes.decide(
            "the aspect: if a column names the item, use `item: {aspect: {column: …, table: …}, value: …}` in place of items"
        )
        hits = self._notes.decide(
            f"whether {guess.share.name!r} is the share of the satisfied (as here), or of the dissatisfied: then swap 0 and 1"
        )
        return [
            "tables:",
            *tables,
            '  satisfied: {values: {"yes": 1, "no": 0}}' + f" # {hits}",
            "leave_out:",
            f'  - {{name: nobody-answered, when: [{{column: {named(guess.count)}, in: ["0"]}}], because: nobody answered}}',
            f"  - {{name: n-unknown, when: [{{column: {named(guess.count)}, empty: true}}], because: it is not known how many answered}}",
            f"expand: {{count: {named(guess.count)}, share: {named(guess.share)}}}",
            "events:",
            "  - type: survey.answered",
            f"    at: {at}",
            "    required: true",
            "    data:",
            f"      answer: [{', '.join(named(column) for column in keys)}, expand.number]",
            "      revision: 0",
            "      status: {value: complete}",
            "      instrument: {value: rating}",
            "      version: 1",
            *channel,
            *(f"      {name}: {named(column)}" for name, column in attributes.items() if name in ("product", "team")),
            f"      items: {{satisfaction: {{column: expand.hit, table: satisfied}}}} # {aspect}",
        ]

    def _unused(self) -> list[str]:
        known = self._guess.used() | {column.name for column in self._guess.personal}
        left = [column for column in self._sample.columns if column.name not in known]
        lines = [f"#   {column.name}: {self._seen(column)}" for column in left]
        return ["# Columns that this draft does not use:", *lines] if lines else []

    def _seen(self, column: Column) -> str:
        if not column.counts:
            return "always empty"
        if column.time is not None:
            return f"times, {column.filled:,} filled"
        if column.is_clock:
            return "times of day or durations"
        if column.is_numeric:
            return f"numbers from {min(column.numbers):g} to {max(column.numbers):g}"
        return f"{len(column.counts):,} different texts, {column.filled:,} filled"
