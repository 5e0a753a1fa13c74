"""A contact as it is held in memory: its events, who names it, and what it adds to the sums now."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.contacts import EventTuple, confidential, merge
from pipeline.contributions import Contribution, Judged, of_contact
from pipeline.versions import TOMBSTONE, changes_in, version_of

MAX_ANSWERS, MAX_LINKS = 1_000, 50
"""Answers of one contact that follow its corrections, and contacts of other systems that may tell of it. More of them only come of a source
that names the same contact in everything it sends."""

Link = tuple[int, list[EventTuple]]
"""(changes, events) of a contact that named this one by `same_as`."""
Links = dict[tuple[str, str], Link]
"""By (system, id)."""
Answers = set[tuple[str, str]]
"""(source, answer)."""


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A contact as it was read from the store. `key`: (organisation, system, contact)."""

    key: tuple[str, str, str]
    version: int
    events: list[EventTuple]
    links: Links
    answers: Answers
    confidential: bool
    appended_at: int
    judged: Judged
    writer: int
    offset: int


@dataclass(slots=True)
class Contact:
    """What the log said of a contact up to a point: nothing here depends on how the log was cut into batches.

    `changes`: how often its own event set changed. `links`: every contact that ever named this one by `same_as`, as it stands. `answers`:
    all answers that ever named it. `targets`: the contacts that this one ever named. `appended_at`: when the log took in the last change
    (of its batch), in ms: retention counts from there, so that history that is loaded today is kept, and judging again delays nothing.
    """

    events: list[EventTuple] = field(default_factory=list)
    changes: int = 0
    links: Links = field(default_factory=dict)
    answers: Answers = field(default_factory=set)
    targets: set[tuple[str, str]] = field(default_factory=set)
    confidential: bool = False
    forgotten: bool = False
    appended_at: int = 0
    channel: str = ""
    contributions: list[Contribution] = field(default_factory=list)

    @classmethod
    def stored(cls, row: StoredContact) -> "Contact":
        """As its row says."""
        contact = cls(row.events, links=row.links, answers=row.answers, confidential=row.confidential, appended_at=row.appended_at)
        contact.forgotten = row.version == TOMBSTONE
        contact.changes = changes_in(row.version) - contact._changes_elsewhere
        contact.channel, contact.contributions = row.judged.channel, of_contact(row.judged)
        contact._note(row.events)
        if any(event[5] == "forgotten" for event in row.events):
            contact._forget()  # stored by version 0.1, which kept what it was told; the sweep makes it a tombstone
        return contact

    def version(self, generation: int) -> int:
        """Grows with every change, one in what others say included; the same however the log is cut."""
        if self.forgotten:
            return TOMBSTONE
        return version_of(self.changes + self._changes_elsewhere, generation)

    @property
    def _changes_elsewhere(self) -> int:
        """Changes in what others say of it."""
        said = sum(changes for changes, _ in self.links.values()) if self.links else 0
        return said + len(self.answers)

    def take(self, new: list[EventTuple]) -> bool:
        """Merge events in; whether anything changed. After `forgotten` nothing does.

        That it was forgotten, or is confidential, counts also when a contact has so many events that this one is not kept.
        """
        if self.forgotten:
            return False
        last = next((position for position, event in enumerate(new) if event[5] == "forgotten"), None)
        if last is not None:
            new = new[:last]
        self.events, count = merge(self.events, confidential(new) if self.confidential else new)
        was_confidential = self.confidential
        self._note(new)
        if self.confidential and not was_confidential:
            count = count or 1
            self.events = confidential(self.events)
            self.links = {key: (changes, confidential(events)) for key, (changes, events) in self.links.items()}
        self.changes += count
        if last is not None:
            self.changes += 1
            self._forget()
            return True
        return count > 0

    def _note(self, events: Iterable[EventTuple]) -> None:
        for event in events:
            if event[5] == "opened" or event[5] == "corrected":
                data = event[6]
                if "same_as" in data:
                    self.targets.add((data["same_as"]["system"], data["same_as"]["id"]))
                if data.get("confidential"):
                    self.confidential = True

    def _forget(self) -> None:
        """Let go of everything but that it was forgotten. Whom it named, and which answers name it, is needed to tell them so."""
        self.forgotten, self.confidential = True, False  # what came before or after it is forgotten too
        self.events, self.links = [], {}

    def name(self, system: str, contact: str, other: "Contact") -> bool:
        """Note what another contact, which named this one, says now; whether that is news."""
        if self.forgotten:
            return False
        if (system, contact) not in self.links and len(self.links) >= MAX_LINKS:
            return False
        said = (other.changes, confidential(other.events) if self.confidential else other.events)
        if self.links.get((system, contact)) == said:
            return False
        self.links[system, contact] = said
        return True

    def note_answer(self, source: str, answer: str) -> bool:
        """Note that an answer names this contact; whether that is news.

        Of more than MAX_ANSWERS the rest is not followed: a questionnaire that names the same contact in every answer is set up wrongly,
        and each of them would write this row again.
        """
        if self.forgotten or (source, answer) in self.answers or len(self.answers) >= MAX_ANSWERS:
            return False
        self.answers.add((source, answer))
        return True

    @property
    def last_at(self) -> int:
        """The latest moment, in ms, of the events that tell of it; 0 without any."""
        events = self.events
        if not self.links:
            return events[-1][0] if events else 0
        return max((one[-1][0] for one in (events, *(said for _, said in self.links.values())) if one), default=0)
