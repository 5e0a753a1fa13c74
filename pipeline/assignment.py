"""The state of the partitions that one worker holds between two rebalances, and the step that folds a micro-batch into it.

Pure: what must be read is asked for (`missing`) and handed in (`remember`), what must be written comes out as rows. Memory is a cache;
everything here can be rebuilt from the store, and is, at every assignment.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pipeline.answers import Answer, AnswerTuple
from pipeline.configured import Configured
from pipeline.contacts import EventTuple, Timeline, merge
from pipeline.contributions import Contribution, Judged, Net, of_answer, of_contact
from pipeline.decode import AnswerKey, ContactKey, Decoded
from pipeline.known import Known
from pipeline.rolling import Figure, Sums, attainment
from pipeline.rows import Row, answer_row, contact_row, figure_row, judged_of, reject_row
from schemas.partitions import partition_of

GENERATIONS = 65_536
"""A version is changes · 65,536 + generation; that of a rolling figure offset · 65,536 + generation."""
CHECKED = 1_000
"""One in this many contacts taken as new is looked up anyway: the running check that no look-up is stale."""


@dataclass(slots=True)
class Contact:
    """A contact in memory: its events, how often their set changed, and what it adds to the sums now."""

    events: list[EventTuple]
    changes: int
    channel: str
    contributions: list[Contribution]


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A contact as it was read from the store."""

    key: ContactKey
    version: int
    events: list[EventTuple]
    judged: Judged
    writer: int
    offset: int


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was read from the store."""

    key: AnswerKey
    version: int
    value: AnswerTuple
    writer: int
    offset: int


Unacknowledged = tuple[Mapping[ContactKey, int], Mapping[AnswerKey, int]]
"""Versions of contacts and of answers that were stored, before the sums were computed, by records that are to be read again."""
NOTHING_UNACKNOWLEDGED: Unacknowledged = ({}, {})


@dataclass(slots=True)
class Rows:
    """What one step wants written, by table."""

    tables: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Append rows to a table's list."""
        found = list(rows)
        if found:
            self.tables.setdefault(table, []).extend(found)


class Assignment:
    """State of all organisations in the assigned partitions.

    `writer` identifies this assignment for ever. What it is made of is read in this order: `start`, the committed offset by partition;
    `unacknowledged`, the version of each contact and answer that another assignment stored at or past it; `sums`; `contacts` and `answers`,
    the hashes of what is stored. A late insert of the earlier owner then either stands in the sums, or a look-up finds it under another
    version than `unacknowledged` says and marks them stale (docs/DESIGN.md, "A late writer").
    """

    def __init__(
        self,
        writer: int,
        start: Mapping[int, int],
        organisations: Mapping[str, Configured],
        sums: Mapping[str, Sums],
        contacts: Known,
        answers: Known,
        unacknowledged: Unacknowledged = NOTHING_UNACKNOWLEDGED,
    ) -> None:
        self.writer = writer
        self.start = dict(start)
        self.organisations = dict(organisations)
        self.sums = dict(sums)
        self.stale: set[str] = set()
        self.mismatches = 0
        self._unacknowledged = unacknowledged
        self._known_contacts = contacts
        self._known_answers = answers
        self._contacts: dict[ContactKey, Contact] = {}
        self._answers: dict[AnswerKey, Answer] = {}
        self._offsets: dict[str, int] = {}
        self._taken_as_new = 0
        self._in_flight = (0, 0)

    @property
    def contacts_in_memory(self) -> int:
        """How many contacts the cache holds."""
        return len(self._contacts)

    def missing(self, batch: Sequence[Decoded]) -> tuple[list[ContactKey], list[AnswerKey]]:
        """The contacts and answers of a batch that must be looked up before `apply`."""
        contacts = list(dict.fromkeys(key for decoded in batch for key in decoded.contacts if key not in self._contacts))
        answers = list(dict.fromkeys(key for decoded in batch for key, _ in decoded.answers if key not in self._answers))
        return list(self._to_look_up(contacts, self._known_contacts)), list(self._to_look_up(answers, self._known_answers))

    def _to_look_up(self, keys: list[ContactKey], known: Known) -> Iterator[ContactKey]:
        for key, may_be_stored in zip(keys, known.among(keys), strict=True):
            if may_be_stored:
                yield key
            else:
                self._taken_as_new += 1
                if self._taken_as_new % CHECKED == 0:
                    yield key

    def remember(self, contacts: Iterable[StoredContact], answers: Iterable[StoredAnswer]) -> None:
        """Take in what a look-up found. A row that another assignment wrote at or past our start marks its organisation's sums stale."""
        for stored in contacts:
            contributions = of_contact(stored.judged)
            self._contacts[stored.key] = Contact(stored.events, stored.version // GENERATIONS, stored.judged.channel, contributions)
            self._note_writer(stored, self._known_contacts, self._unacknowledged[0])
        for found in answers:
            self._answers[found.key] = Answer(*found.key, found.value, found.version // GENERATIONS)
            self._note_writer(found, self._known_answers, self._unacknowledged[1])

    def _note_writer(self, row: StoredContact | StoredAnswer, known: Known, before: Mapping[ContactKey, int]) -> None:
        organisation = row.key[0]
        explained = row.writer == self.writer or row.offset < self.start.get(partition_of(organisation), 0)
        if not explained and before.get(row.key) != row.version:
            self.stale.add(organisation)
        elif not known.among([row.key])[0]:
            self.mismatches += 1  # a stored row that was taken as new, and no late writer explains it

    def apply(self, batch: Sequence[Decoded]) -> Rows:
        """Fold a batch in, after `remember`: the rows to write, contacts last. Records must be in offset order within a partition."""
        rows, net = Rows(), {organisation: Net() for organisation in {decoded.organisation for decoded in batch}}
        events_of: dict[ContactKey, list[EventTuple]] = {}
        answers_of: dict[AnswerKey, list[AnswerTuple]] = {}
        for decoded in batch:
            for key, events in decoded.contacts.items():
                if key in events_of:
                    events_of[key] = events_of[key] + events
                else:
                    events_of[key] = events
            for answer, value in decoded.answers:
                answers_of.setdefault(answer, []).append(value)
            if decoded.events:  # a record refused as a whole may only claim to be of this organisation, from another partition
                self._offsets[decoded.organisation] = max(decoded.record.offset, self._offsets.get(decoded.organisation, 0))
            rows.add("rejects", map(reject_row, decoded.rejects))
            rows.add("heartbeats", decoded.heartbeats)
            rows.add("gauges", decoded.gauges)
            rows.add("notices", decoded.notices)
        contact_rows = [row for key, events in events_of.items() if (row := self._apply_contact(key, events, net[key[0]])) is not None]
        rows.add(
            "survey_answers",
            (row for key, values in answers_of.items() if (row := self._apply_answer(key, values, net[key[0]])) is not None),
        )
        for organisation, changes in net.items():
            if organisation in self.sums:
                self.sums[organisation].apply(changes.deltas())
        rows.add("contacts", contact_rows)
        self._in_flight = (len(events_of), len(answers_of))
        return rows

    def _apply_contact(self, key: ContactKey, events: list[EventTuple], net: Net) -> Row | None:
        contact = self._contacts.pop(key, None)
        old_events, changes = (contact.events, contact.changes) if contact else ([], 0)
        merged, count = merge(old_events, events)
        if not count:
            if contact is not None:
                self._contacts[key] = contact  # put back at the end: most recently used
            return None
        configured = self.organisations[key[0]]
        timeline = Timeline(merged)
        judged = judged_of(timeline, configured.judge(timeline))
        contributions = of_contact(judged)
        if contact is None:
            self._known_contacts.add([key])
            net.add(judged.channel, contributions, 1)
        else:
            net.replace(contact.channel, contact.contributions, judged.channel, contributions)
        changes += count
        self._contacts[key] = Contact(merged, changes, judged.channel, contributions)
        version = changes * GENERATIONS + configured.generation
        return contact_row(key, version, merged, timeline, judged, self.writer, self._offsets[key[0]])

    def _apply_answer(self, key: AnswerKey, values: list[AnswerTuple], net: Net) -> Row | None:
        answer = self._answers.pop(key, None)
        if answer is None:
            answer = Answer(*key)
            self._known_answers.add([key])
        self._answers[key] = answer
        before = of_answer(answer.value)
        if not sum([answer.merge(value) for value in values]) or answer.value is None:
            return None
        net.add(*before, -1)
        net.add(*of_answer(answer.value), 1)
        version = answer.changes * GENERATIONS + self.organisations[key[0]].generation
        return answer_row(key, version, answer.value, self.writer, self._offsets[key[0]])

    def advance(self, as_of: int) -> None:
        """Move every organisation's windows to `as_of` (minutes)."""
        for sums in self.sums.values():
            sums.advance(as_of)

    def figures(self) -> list[Row]:
        """Rows of `rolling` for what changed since the last call, at the current as_of."""
        return [self._figure_row(name, figure) for name, sums in self.sums.items() if name not in self.stale for figure in sums.touched()]

    def _figure_row(self, name: str, figure: Figure) -> Row:
        configured = self.organisations[name]
        target = configured.target(figure.measure, figure.as_of * 60_000)
        version = (self._offsets.get(name, self.start.get(partition_of(name), 0) - 1) + 1) * GENERATIONS + configured.generation
        return figure_row(name, figure, version, target, attainment(figure, target, configured.organisation.minimum_n))

    def trim(self, limit: int) -> None:
        """Forget the least recently used contacts and answers beyond `limit`, but none of the last batch applied: those stand last.

        Only what is stored may be forgotten, or a look-up would find it as it was: call this when every batch but the last is stored.
        """
        contacts_in_flight, answers_in_flight = self._in_flight
        _forget_oldest(self._contacts, max(limit, contacts_in_flight))
        _forget_oldest(self._answers, max(limit, answers_in_flight))


def _forget_oldest(cache: dict[ContactKey, Contact] | dict[AnswerKey, Answer], limit: int) -> None:
    for key in list(islice(cache, max(0, len(cache) - limit))):
        del cache[key]
