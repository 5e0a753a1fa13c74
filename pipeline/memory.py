"""The cache of contacts and answers of one assignment, and which of them must be looked up. Forgetting any of it loses nothing."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from pipeline.answers import Answer
from pipeline.decode import AnswerKey, ContactKey, Decoded
from pipeline.held import Contact
from pipeline.known import Known

CHECKED = 1_000
"""One in this many contacts taken as new is looked up anyway: the running check that no look-up is stale."""


class Memory:
    """Contacts and answers, the least recently used first. `known_…`: the hashes of all that is stored.

    naming: stored answers of which the contact that they name may not know yet, since a worker ended between writing the two.
    """

    def __init__(self, known_contacts: Known, known_answers: Known, naming: Iterable[tuple[AnswerKey, ContactKey]] = ()) -> None:
        self.known_contacts = known_contacts
        self.known_answers = known_answers
        self.contacts: dict[ContactKey, Contact] = {}
        self.answers: dict[AnswerKey, Answer] = {}
        self._settled: set[ContactKey | AnswerKey] = set()
        """Of the batch that is being prepared: looked up, or taken as new."""
        self._taken_as_new = 0
        self._in_use = [0, 0]
        self._naming: dict[ContactKey, list[tuple[str, str]]] = {}
        for answer, contact in naming:
            self._naming.setdefault(contact, []).append(answer[1:])

    def answers_of(self, key: ContactKey, contact: Contact | None) -> Iterable[tuple[str, str]]:
        """The keys (source, answer) of all stored answers that name a contact."""
        known = contact.answers if contact is not None else ()
        return {*known, *self._naming[key]} if key in self._naming else known

    def missing(self, batch: Sequence[Decoded], contacts: Iterable[ContactKey] = (), answers: Iterable[AnswerKey] = ()) -> "Missing":
        """What must be looked up before a batch, or `contacts` and `answers`, can be worked on.

        Call it again after each look-up until nothing is missing: what was found may name others. None is asked for twice.
        """
        own = dict.fromkeys(contacts)
        named: dict[ContactKey, None] = {}
        answered = dict.fromkeys(answers)
        for decoded in batch:
            own.update(dict.fromkeys(decoded.contacts))
            named.update(dict.fromkeys(decoded.named))
            answered.update((key, None) for key, _ in decoded.answers)
        for key in own:
            contact = self.contacts.get(key)
            if contact is not None and (contact.targets or contact.answers):
                named.update(((key[0], *target), None) for target in contact.targets)
                answered.update(((key[0], *answer), None) for answer in contact.answers)
            if self._naming:
                answered.update(((key[0], *answer), None) for answer in self._naming.get(key, ()))
        for key in answered:
            answer = self.answers.get(key)
            if answer is not None and answer.names is not None:
                named[key[0], *answer.names] = None
        return (
            list(self._to_look_up([key for key in own | named if key not in self.contacts], self.known_contacts)),
            list(self._to_look_up([key for key in answered if key not in self.answers], self.known_answers)),
        )

    def _to_look_up(self, keys: list[ContactKey], known: Known) -> Iterator[ContactKey]:
        if self._settled:
            keys = [key for key in keys if key not in self._settled]
        self._settled.update(keys)
        for key, may_be_stored in zip(keys, known.among(keys), strict=True):
            if not may_be_stored:
                self._taken_as_new += 1
                if self._taken_as_new % CHECKED:
                    continue
            yield key

    def begin(self) -> None:
        """A batch is worked on now; all it needs is here."""
        self._settled.clear()
        self._in_use = [0, 0]

    def contact(self, key: ContactKey) -> Contact:
        """A contact that is about to be changed: the one in memory, or a new one."""
        contact = self.contacts.pop(key, None)
        if contact is None:
            contact = Contact()
            self.known_contacts.add([key])
        self.contacts[key] = contact
        self._in_use[0] += 1
        return contact

    def answer(self, key: AnswerKey) -> Answer:
        """An answer that is about to be changed: the one in memory, or a new one."""
        answer = self.answers.pop(key, None)
        if answer is None:
            answer = Answer(*key)
            self.known_answers.add([key])
        self.answers[key] = answer
        self._in_use[1] += 1
        return answer

    def trim(self, limit: int) -> None:
        """Forget the least recently used beyond `limit`, but none of the last batch worked on: those stand last.

        Only what is stored may be forgotten, or a look-up would find it as it was: call this when every batch but the last is stored.
        """
        _forget_oldest(self.contacts, max(limit, self._in_use[0]))
        _forget_oldest(self.answers, max(limit, self._in_use[1]))


Missing = tuple[list[ContactKey], list[AnswerKey]]


def _forget_oldest(cache: dict[ContactKey, Contact] | dict[AnswerKey, Answer], limit: int) -> None:
    for key in list(islice(cache, max(0, len(cache) - limit))):
        del cache[key]
