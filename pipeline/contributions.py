"""What a contact or an answer adds to the sums: (measure, minute, n, Σx, Σx²) in integers, all under its channel.

The view `contributions_of` (store/migrations) says the same in SQL from the stored rows; tests and the running worker hold the two
against each other.
"""

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.answers import AnswerTuple, measure_of, thousandths
from pipeline.norms import Outcome
from pipeline.roles import COUNTS
from pipeline.rolling import Delta, minute_of

Contribution = tuple[str, int, int, int, int]
"""(measure, minute, n, Σx, Σx²)."""


class Judged(NamedTuple):
    """What is stored of a contact besides its events, as far as figures need it. Times in ms, None where it did not happen."""

    channel: str
    opened_at: int | None
    answered_at: int | None
    abandoned_at: int | None
    wait_ms: int | None
    role: str
    outcomes: tuple[Outcome, ...]


def of_contact(judged: Judged) -> list[Contribution]:
    """The contributions of a contact; none unless its role is that it counts."""
    _, opened_at, answered_at, abandoned_at, wait_ms, role, outcomes = judged
    if role != COUNTS:
        return []
    found: list[Contribution] = []
    if opened_at is not None:
        found.append(("volume", minute_of(opened_at), 1, 0, 0))
    if answered_at is not None:
        minute = minute_of(answered_at)
        found.append(("abandonment", minute, 1, 0, 0))
        if wait_ms is not None:
            found.append(("wait", minute, 1, wait_ms, wait_ms * wait_ms))
    elif abandoned_at is not None:
        found.append(("abandonment", minute_of(abandoned_at), 1, 1, 1))
    for outcome in outcomes:
        if outcome.judged_at is None:
            continue
        minute, measured = minute_of(outcome.judged_at), outcome.measured
        if measured is not None and outcome.deadline is None:
            found.append((f"norm_mean:{outcome.norm}", minute, 1, measured, measured * measured))
        else:
            within = 1 if outcome.within else 0
            found.append((f"norm:{outcome.norm}", minute, 1, within, within))
    return found


def of_answer(value: AnswerTuple | None, inherited: str) -> tuple[str, list[Contribution]]:
    """The channel and contributions of an answer, one for each aspect; none while its channel is unknown.

    `inherited` is the channel of the contact that it names, "" for none; its own counts where it has one.
    """
    if value is None:
        return "", []
    answered_at, data = value[3], value[4]
    channel: str = data.get("channel") or inherited
    if not channel:
        return "", []
    minute = minute_of(answered_at)
    found = []
    for aspect, grade in data["items"].items():
        x = thousandths(grade)
        found.append((measure_of(data["instrument"], data["version"], aspect), minute, 1, x, x * x))
    return channel, found


class Net:
    """Changes of many contacts netted per (channel, measure, minute) before they touch the sums: far fewer updates."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str, int], list[int]] = {}

    def add(self, channel: str, contributions: Iterable[Contribution], sign: int) -> None:
        """Add (+1) or take away (−1) contributions under a channel."""
        changes = self._changes
        for measure, minute, n, total, squares in contributions:
            change = changes.get((channel, measure, minute))
            if change is None:
                changes[channel, measure, minute] = [sign * n, sign * total, sign * squares]
            else:
                change[0] += sign * n
                change[1] += sign * total
                change[2] += sign * squares

    def replace(self, channel: str, old: list[Contribution], new_channel: str, new: list[Contribution]) -> None:
        """Take away a contact's old contributions and add its new ones (each measure at most once); what stays is left alone."""
        if channel == new_channel:
            old, new = [one for one in old if one not in new], [one for one in new if one not in old]
        self.add(channel, old, -1)
        self.add(new_channel, new, 1)

    def deltas(self) -> list[Delta]:
        """The net changes, without those that cancelled out."""
        return [(*key, change[0], change[1], change[2]) for key, change in self._changes.items() if change[0] or change[1] or change[2]]
