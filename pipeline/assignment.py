"""The state of the partitions that one worker holds between two rebalances, and the step that folds a micro-batch into it.

Pure: what must be read is asked for (`missing`) and handed in (`remember`), what must be written comes out as rows. Memory is a cache;
everything here can be rebuilt from the store, and is, at every assignment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.answers import Answer, AnswerTuple, StoredAnswer
from pipeline.configured import Configured
from pipeline.contacts import EventTuple
from pipeline.decode import AnswerKey, ContactKey, Decoded
from pipeline.folding import Fold
from pipeline.held import Contact, StoredContact
from pipeline.known import Known
from pipeline.memory import Memory, Missing
from pipeline.rolling import Figure, Sums, attainment
from pipeline.rows import Row, figure_row, reject_row
from pipeline.versions import version_of
from schemas.partitions import partition_of

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
    `unacknowledged`, the version of each contact and answer that another assignment stored at or past it, and `naming`, which contacts
    such answers name; `sums`; `contacts` and `answers`, the hashes of what is stored. A late insert of the earlier owner then either stands
    in the sums, or a look-up finds it under another version than `unacknowledged` says and marks them stale (docs/DESIGN.md, "A late
    writer"). `loaded_at`: when reading began, by the store's clock, in epoch seconds.
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
        naming: Iterable[tuple[AnswerKey, ContactKey]] = (),
        loaded_at: float = 0.0,
    ) -> None:
        self.writer = writer
        self.start = dict(start)
        self.organisations = dict(organisations)
        self.sums = dict(sums)
        self.stale: set[str] = set()
        self.mismatches = 0
        self.loaded_at = loaded_at
        self._unacknowledged = unacknowledged
        self._memory = Memory(contacts, answers, naming)
        self._offsets = {name: start.get(partition_of(name), 0) - 1 for name in self.organisations}

    @property
    def contacts_in_memory(self) -> int:
        """How many contacts the cache holds."""
        return len(self._memory.contacts)

    def missing(self, batch: Sequence[Decoded], contacts: Iterable[ContactKey] = (), answers: Iterable[AnswerKey] = ()) -> Missing:
        """What must be looked up before `apply`, or `judge_again`; to be asked again after each look-up until nothing is missing."""
        return self._memory.missing(batch, contacts, answers)

    def remember(self, contacts: Iterable[StoredContact], answers: Iterable[StoredAnswer]) -> None:
        """Take in what a look-up found. A row that another assignment wrote at or past our start marks its organisation's sums stale."""
        memory = self._memory
        for stored in contacts:
            memory.contacts[stored.key] = Contact.stored(stored)
            self._note_writer(stored, memory.known_contacts, self._unacknowledged[0])
        for found in answers:
            memory.answers[found.key] = Answer.stored(found)
            self._note_writer(found, memory.known_answers, self._unacknowledged[1])

    def _note_writer(self, row: StoredContact | StoredAnswer, known: Known, before: Mapping[ContactKey, int]) -> None:
        organisation = row.key[0]
        explained = row.writer == self.writer or row.offset < self.start.get(partition_of(organisation), 0)
        if not explained and before.get(row.key) != row.version:
            self.stale.add(organisation)
        elif not known.among([row.key])[0]:
            self.mismatches += 1  # a stored row that was taken as new, and no late writer explains it

    def apply(self, batch: Sequence[Decoded]) -> Rows:
        """Fold a batch in, after `remember`: the rows to write, contacts last. Records must be in offset order within a partition."""
        rows = Rows()
        events_of: dict[ContactKey, list[EventTuple]] = {}
        values_of: dict[AnswerKey, list[AnswerTuple]] = {}
        appended: dict[str, int] = {}
        for decoded in batch:
            for key, events in decoded.contacts.items():
                if key in events_of:
                    events_of[key] = events_of[key] + events
                else:
                    events_of[key] = events
            for answer, value in decoded.answers:
                values_of.setdefault(answer, []).append(value)
            if decoded.events:  # a record refused as a whole may only claim to be of this organisation, from another partition
                self._offsets[decoded.organisation] = max(decoded.record.offset, self._offsets.get(decoded.organisation, 0))
                appended[decoded.organisation] = decoded.record.appended_ms
            rows.add("rejects", map(reject_row, decoded.rejects))
            rows.add("heartbeats", decoded.heartbeats)
            rows.add("gauge_readings", decoded.gauges)
            rows.add("notices", decoded.notices)
        fold = self._fold(appended)
        fold.contacts(events_of)
        fold.answers(values_of)
        self._finish(fold, rows)
        answers = self._memory.answers  # of an answer whose contact was forgotten no comment may come back
        rows.add("comments", (row for decoded in batch for row in decoded.comments if not answers[row[:3]].forgotten))
        return rows

    def judge_again(self, contacts: Iterable[ContactKey], answers: Iterable[AnswerKey]) -> Rows:
        """Judge stored contacts and answers by the configuration in force, after `remember`: the rows to write.

        They carry the offset to come, so that a next owner counts them among those that may land late.
        """
        rows, fold = (
            Rows(),
            Fold(self._memory, self.organisations, self.writer, {name: offset + 1 for name, offset in self._offsets.items()}, {}),
        )
        fold.again(contacts, answers)
        self._finish(fold, rows)
        return rows

    def _fold(self, appended: Mapping[str, int]) -> Fold:
        return Fold(self._memory, self.organisations, self.writer, self._offsets, appended)

    def _finish(self, fold: Fold, rows: Rows) -> None:
        fold.finish()
        for organisation, changes in fold.net.items():
            if organisation in self.sums:
                self.sums[organisation].apply(changes.deltas())
        rows.add("tombstones", fold.tombstones)
        rows.add("survey_answers", fold.answer_rows)
        rows.add("contacts", fold.contact_rows)

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
        version = version_of(self._offsets[name] + 1, configured.generation)
        return figure_row(name, figure, version, target, attainment(figure, target, configured.organisation.minimum_n))

    def trim(self, limit: int) -> None:
        """See Memory.trim."""
        self._memory.trim(limit)
