"""A changed configuration that also judges stored contacts: which changes are meant, and which verdicts would come out otherwise. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from pipeline.changes import Change
from pipeline.configured import Configured
from pipeline.folding import judge
from pipeline.held import Contact, StoredContact
from pipeline.norms import Outcome
from schemas.errors import InvalidConfiguration


def meant(found: Sequence[Change], norms: Sequence[str], since: date | None) -> None:
    """Check that a file changes no more than what a person named: these norms (empty: anything), no contacts before `since`.

    Raises InvalidConfiguration that names what else differs.
    """
    others = [change for change in found if norms and change.norm not in norms]
    if others:
        raise InvalidConfiguration(_several("the file also changes what you did not name", others))
    earlier = [change for change in found if since is not None and change.since < since]
    if earlier:
        raise InvalidConfiguration(_several(f"the file also alters contacts of before {since}", earlier))
    absent = [name for name in norms if name not in {change.norm for change in found}]
    if absent:
        raise InvalidConfiguration(f"norm {absent[0]!r} is the same in the file and in force")


def _several(what: str, found: Sequence[Change]) -> str:
    return f"{what}: {'; '.join(change.what for change in found)}"


@dataclass(slots=True)
class Preview:
    """What judging again would alter. `verdicts`: contacts by (norm, verdict in force, verdict then), where the two differ."""

    contacts: int = 0
    altered: int = 0
    verdicts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, contacts: Iterable[StoredContact], new: Configured, now_ms: int) -> None:
        """Judge stored contacts by `new` and compare."""
        for stored in contacts:
            self.contacts += 1
            before = {outcome.norm: verdict(outcome, now_ms) for outcome in stored.judged.outcomes}
            after = {outcome.norm: verdict(outcome, now_ms) for outcome in judge(stored.key, Contact.stored(stored), new)[1].outcomes}
            differing = [name for name in before | after if before.get(name) != after.get(name)]
            self.altered += bool(differing)
            self.verdicts.update((name, before.get(name, ""), after.get(name, "")) for name in differing)


def verdict(outcome: Outcome, now_ms: int) -> str:
    """`within`, `late`, `pending`, or why it is excluded."""
    if outcome.judged_at is None:
        return outcome.excluded
    if outcome.judged_at > now_ms:
        return "pending"
    if outcome.deadline is None:
        return "measured"
    return "within" if outcome.within else "late"
