"""Folding one micro-batch into the contacts and answers in memory: what changes, what that does to the sums, which rows to write.

A contact depends on its own events, on the contacts that name it by `same_as`, and it lends its channel to the answers that name it. So
a change is carried on to those it concerns, whatever comes first. Everything is done anew also where nothing changed ("ensured"): a
replay after a crash, or a sweep, mends what was left half done.
"""

from collections.abc import Iterable, Mapping, Sequence

from pipeline.answers import Answer, AnswerTuple, named_by
from pipeline.configured import Configured
from pipeline.contacts import EventTuple
from pipeline.contributions import Judged, Net, of_answer, of_contact
from pipeline.decode import AnswerKey, ContactKey
from pipeline.held import Contact
from pipeline.memory import Memory
from pipeline.roles import COUNTS, ENRICHES, FORGOTTEN, role_of
from pipeline.rows import Row, answer_row, contact_row, forgotten_answer_row, judged_of
from pipeline.timeline import Timeline


class Fold:
    """One step. Call `contacts`, then `answers`, then `again`, then `finish`; everything `memory.missing` asked for is in memory.

    writer: the assignment that writes. offsets, appended: the offset of the last record applied, and when the log took it in, by
    organisation.
    """

    def __init__(
        self,
        memory: Memory,
        organisations: Mapping[str, Configured],
        writer: int,
        offsets: Mapping[str, int],
        appended: Mapping[str, int],
    ) -> None:
        self.net: dict[str, Net] = {}
        self.contact_rows: list[Row] = []
        self.answer_rows: list[Row] = []
        self.tombstones: list[Row] = []
        self._memory = memory
        self._organisations = organisations
        self._writer = writer
        self._offsets = offsets
        self._appended = appended
        self._changed: dict[ContactKey, Contact] = {}
        self._answers: dict[AnswerKey, Answer] = {}
        self._write: set[AnswerKey] = set()
        self._forgotten: dict[AnswerKey, int] = {}
        """Answers that ever named a contact that is forgotten, with when the log took that in."""
        memory.begin()

    def contacts(self, events_of: Mapping[ContactKey, list[EventTuple]]) -> None:
        """Merge events, and tell the contacts that these name."""
        memory, changed, appended = self._memory, self._changed, self._appended
        for key in events_of:
            contact = memory.contacts.get(key)
            if answers := memory.answers_of(key, contact):
                self._recount(key[0], answers)
        named = []
        for key, events in events_of.items():
            contact = memory.contact(key)
            if contact.take(events):
                contact.appended_at = appended[key[0]]
                changed[key] = contact
            if contact.targets:
                named.append((key, contact))
        for key, contact in named:
            self._tell(key, contact)

    def _tell(self, key: ContactKey, contact: Contact) -> None:
        for target in contact.targets:
            if target != key[1:]:
                other = self._memory.contact((key[0], *target))
                if other.name(key[1], key[2], contact):
                    other.appended_at = max(other.appended_at, contact.appended_at)
                    self._changed[key[0], *target] = other

    def answers(self, values_of: Mapping[AnswerKey, Sequence[AnswerTuple]]) -> None:
        """Merge revisions, and note with the contacts that they name that they do."""
        for key, values in values_of.items():
            self._recount(key[0], [key[1:]])
            answer = self._answers[key]
            for value in values:
                if answer.merge(value):
                    answer.appended_at = self._appended[key[0]]
                    self._write.add(key)
                self._note(key, value, answer.appended_at)

    def _note(self, key: AnswerKey, value: AnswerTuple, appended_at: int) -> None:
        names = named_by(value)
        if names is not None:
            contact = self._memory.contact((key[0], *names))
            if contact.note_answer(key[1], key[2]):
                contact.appended_at = max(contact.appended_at, appended_at)
                self._changed[key[0], *names] = contact
            if contact.forgotten:
                self._forgotten[key] = contact.appended_at

    def again(self, contacts: Iterable[ContactKey], answers: Iterable[AnswerKey]) -> None:
        """Judge and write stored contacts and answers again, by the configuration in force."""
        for key in contacts:
            if key not in self._memory.contacts:
                continue  # deleted meanwhile, as retention does
            contact = self._memory.contact(key)
            self._recount(key[0], self._memory.answers_of(key, contact))
            self._changed[key] = contact
            self._tell(key, contact)
        for key in answers:
            if key not in self._memory.answers:
                continue
            self._recount(key[0], [key[1:]])
            self._write.add(key)
            answer = self._answers[key]
            if answer.value is not None:
                self._note(key, answer.value, answer.appended_at)

    def _recount(self, organisation: str, answers: Iterable[Sequence[str]]) -> None:
        """Take answers up that may have to be counted otherwise, with what they add to the sums before this step."""
        for source, name in answers:
            key = (organisation, source, name)
            if key not in self._answers:
                answer = self._answers[key] = self._memory.answer(key)
                if answer.counted is None:
                    answer.counted = of_answer(answer.value, self._channel(key, answer))

    def _channel(self, key: AnswerKey, answer: Answer) -> str:
        """The channel of the contact that an answer names."""
        names = answer.names
        contact = self._memory.contacts.get((key[0], *names)) if names is not None else None
        return contact.channel if contact is not None else ""

    def finish(self) -> None:
        """Judge what changed, correct the sums, make the rows."""
        for key, contact in self._changed.items():
            self._judge(key, contact)
        for key, answer in self._answers.items():
            self._count(key, answer)

    def _judge(self, key: ContactKey, contact: Contact) -> None:
        configured = self._organisations[key[0]]
        timeline, judged = judge(key, contact, configured)
        contributions = of_contact(judged)
        self._net(key[0]).replace(contact.channel, contact.contributions, judged.channel, contributions)
        if contact.forgotten or contact.channel != judged.channel:
            answers = self._memory.answers_of(key, contact)
            self._recount(key[0], answers)
            if contact.forgotten:
                self._forgotten |= {(key[0], *answer): contact.appended_at for answer in answers}
        contact.channel, contact.contributions = judged.channel, contributions
        if contact.forgotten:
            self.tombstones.append((key[0], "contacts", key[1], key[2]))
            contact.targets = set()
        version = contact.version(configured.generation)
        self.contact_rows.append(contact_row(key, version, contact, timeline, judged, self._writer, self._offsets[key[0]]))

    def _count(self, key: AnswerKey, answer: Answer) -> None:
        organisation, offset = key[0], self._offsets[key[0]]
        names = answer.names
        contact = self._memory.contacts.get((organisation, *names)) if names is not None else None
        assert answer.counted is not None
        before = answer.counted
        if key in self._forgotten and answer.value is not None:
            self.tombstones.append((organisation, "survey_answers", key[1], key[2]))
            self.answer_rows.append(forgotten_answer_row(key, self._forgotten[key], self._writer, offset))
            answer.forgotten, answer.value = True, None
        elif key in self._write and answer.value is not None:
            version = answer.version(self._organisations[organisation].generation)
            self.answer_rows.append(answer_row(key, version, answer.value, answer.appended_at, self._writer, offset))
        answer.counted = of_answer(answer.value, contact.channel if contact is not None else "")
        if answer.counted != before:
            net = self._net(organisation)
            net.add(*before, -1)
            net.add(*answer.counted, 1)

    def _net(self, organisation: str) -> Net:
        net = self.net.get(organisation)
        if net is None:
            net = self.net[organisation] = Net()
        return net


def judge(key: ContactKey, contact: Contact, configured: Configured) -> tuple[Timeline, Judged]:
    """What a contact says, with what it takes over from those that enrich it, and what figures need of it."""
    timeline = Timeline(contact.events)
    if timeline.same_as == key[1:]:
        timeline.same_as = None  # it names itself, so no other contact
    if contact.forgotten:
        return timeline, judged_of(timeline, FORGOTTEN, ())
    if contact.links and contact.events:
        for (system, _), (_, events) in sorted(contact.links.items()):
            other = Timeline(events)
            if other.same_as == key[1:] and role_of(other, system, configured.leading) == ENRICHES:
                timeline.inherit(other)
    role = role_of(timeline, key[1], configured.leading)
    return timeline, judged_of(timeline, role, configured.judge(timeline) if role == COUNTS else ())
