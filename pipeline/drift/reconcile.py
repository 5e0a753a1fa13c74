"""What a run found, held against what is stored: a signal that was told stays told, and is never told twice. Pure.

A run finds again what an earlier one found after the place where it began. Where the states are the same nothing is written. Late data may
have moved them: the signal keeps its id, its states are corrected in place, and a state that is another now is appended. What is not found
any more is not withdrawn in silence: it is over, `revised`.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

from pipeline.drift.signal import Ended, Signal

_TOLD_APART = {"announce": True, "contributors": ()}
"""What does not make a state another one: when it was looked at, and what the parts of the channel say of it."""

_ById = Mapping[str, Sequence[Signal]]


class Lasting(NamedTuple):
    """A signal that lasts at the end of a run."""

    id: str
    side: int
    onset: int


def reconciled(
    found: Iterable[Signal], stored: Sequence[Signal], began: int, until: int, lasting: Lasting | None = None, gone: Ended = "revised"
) -> list[Signal]:
    """The states to write, in order.

    found: of one stream, by a run that began at `began` (ms) and ended at `until`. stored: all states of that stream's signals. gone: why
    those are over that are found no more.
    """
    told = _by_id(stored)
    mine = {name for name, states in told.items() if began < states[0].at <= until}
    courses = _by_id(found)
    known = _known(courses, told, mine)
    result = [one for name, states in courses.items() for one in _changed(states, told.get(known.get(name, ""), ()))]
    for name in sorted(mine - set(known.values())):
        last = told[name][-1]
        if last.state != "over":
            announce = any(one.announce for one in told[name])
            over = replace(
                last, sequence=last.sequence + 1, state="over", at=max(until, last.at), ended=gone, contributors=(), announce=announce
            )
            result.append(over)
    if lasting is not None:
        result += _again(lasting, {name: states for name, states in told.items() if name not in known.values()}, until)
    return sorted(result, key=lambda one: (one.at, one.id, one.sequence))


def _again(lasting: Lasting, told: _ById, until: int) -> list[Signal]:
    """A signal that was told to be over and lasts after all, by data that came late: what it was is told once more."""
    for name, states in told.items():
        same = name == lasting.id or (states[0].side, states[0].onset) == (lasting.side, lasting.onset)
        if same and states[-1].state == "over":
            before = [one for one in states if one.state != "over"][-1]
            return [replace(before, sequence=states[-1].sequence + 1, at=max(until, states[-1].at))]
    return []


def _by_id(states: Iterable[Signal]) -> dict[str, list[Signal]]:
    found: dict[str, list[Signal]] = {}
    for state in sorted(states, key=lambda one: (one.id, one.sequence)):
        found.setdefault(state.id, []).append(state)
    return found


def _known(courses: _ById, told: _ById, mine: AbstractSet[str]) -> dict[str, str]:
    """Under which stored id each course is known: its own; that of the signal with its onset, which has been corrected in place before; or
    that of one of `mine`, of the same side at the same time.
    """
    known = {name: name for name in courses if name in told}
    for fits, among in ((_same_onset, set(told)), (_same_time, mine)):
        for name, states in sorted(courses.items(), key=lambda item: item[1][0].at):
            free = sorted(among - set(known.values()))
            other = next((one for one in free if name not in known and fits(states, told[one])), None)
            if other is not None:
                known[name] = other
    return known


def _same_onset(states: Sequence[Signal], other: Sequence[Signal]) -> bool:
    return (states[0].side, states[0].onset) == (other[-1].side, other[-1].onset)


def _same_time(states: Sequence[Signal], other: Sequence[Signal]) -> bool:
    ends = [one[-1].at if one[-1].state == "over" else 1 << 62 for one in (states, other)]
    return other[0].side == states[0].side and other[0].onset <= ends[0] and states[0].onset <= ends[1]


def _changed(states: Sequence[Signal], told: Sequence[Signal]) -> list[Signal]:
    """What differs from what was told, under its id; all of it where nothing was."""
    if not told:
        return _with_announced(states, ())
    first = states[0].sequence
    mine = [replace(one, id=told[0].id) for one in states]
    before, after = [one.state for one in told[first:]], [one.state for one in mine]
    if after[: len(before)] != before:  # another course: only what it comes to now
        last = mine[-1]
        if told[-1].state == last.state and told[-1].ended == last.ended:
            mine = [replace(last, sequence=told[-1].sequence)]
        else:
            mine = [replace(last, sequence=told[-1].sequence + 1)]
    stored = {one.sequence: one for one in told}
    return [one for one in _with_announced(mine, told) if one.sequence not in stored or _differs(one, stored[one.sequence])]


def _with_announced(states: Sequence[Signal], told: Sequence[Signal]) -> list[Signal]:
    """What was told to nobody is not told to be over either; who was told hears the rest, however late."""
    announced = {one.sequence: one.announce for one in told}
    result: list[Signal] = []
    for one in states:
        before = any(announced.values()) or any(other.announce for other in result)
        announce = announced.get(one.sequence, before or (one.announce and one.state != "over"))
        result.append(replace(one, announce=announce))
    return result


def _differs(one: Signal, other: Signal) -> bool:
    return replace(one, **_TOLD_APART) != replace(other, **_TOLD_APART)  # type: ignore[arg-type]
