"""Which products, teams or locations a change comes from: an exact decomposition, and of it only what really stands out. Pure."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from pipeline.drift.kinds import Name
from pipeline.drift.signal import Contributor, Dimension

MOST = 3
"""Contributors that are told of a dimension."""
LEAST_SHARE = 0.25
"""Who contributes less of a change does not explain it."""
CERTAIN = 3.0
"""Standard deviations by which a contribution must exceed what a part of that size contributes when all change alike.

About as sure as the signal itself: of some dozens of parts hardly ever one is named by chance.
"""


class Part(NamedTuple):
    """Sums of one product, team or location, before the change (0) and since its onset (1); the name "" is unknown.

    n: answers, judged contacts, waits or contacts. total: Σ of what the mean or share is of (thousandths of a grade, contacts within the
    norm, millionths of log-seconds), in one unit for all; of a volume it is not used.
    """

    name: str
    n0: int
    total0: int
    n1: int
    total1: int


class Contribution(NamedTuple):
    """What a part contributes to a change, and what it would if all parts changed alike (`even`), in the unit of the change.

    deviation: standard deviation of the excess (amount − even) when all changed alike.
    """

    part: Part
    amount: float
    even: float
    deviation: float


def contributions(kind: Name, parts: Sequence[Part], hours: tuple[float, float], deviation: float) -> list[Contribution]:
    """The change of the whole over its parts: the amounts add up to it exactly. None where a period has nothing to compare.

    Mean or share: (S₁ₖ − n₁ₖ·v₀)/n₁ − (S₀ₖ − n₀ₖ·v₀)/n₀ with v₀ = S₀/n₀ over all parts. So a part that merely became more or less frequent
    contributes nothing as long as its own figure is that of the whole. Volume: (n₁ₖ/h₁ − n₀ₖ/h₀)/(n₀/h₀), a fraction of the usual number.
    Parameters as those of `contributors`.
    """
    n0, n1 = sum(part.n0 for part in parts), sum(part.n1 for part in parts)
    if kind == "volume":
        return _of_volume(parts, n0, n1, *hours) if n0 and min(hours) > 0 else []
    if not n0 or not n1:
        return []
    usual = sum(part.total0 for part in parts) / n0
    change = sum(part.total1 for part in parts) / n1 - usual
    seen = usual + change
    # Of the two shares the less certain one: a norm that was always met would make every miss telling.
    variance = max(usual * (1 - usual), seen * (1 - seen)) if kind == "compliance" else deviation * deviation
    found = []
    for part in parts:
        amount = (part.total1 - part.n1 * usual) / n1 - (part.total0 - part.n0 * usual) / n0
        before, since = part.n0 / n0, part.n1 / n1
        error = sqrt(variance * (since * (1 - since) / n1 + before * (1 - before) / n0))
        found.append(Contribution(part, amount, since * change, error))
    return found


def _of_volume(parts: Sequence[Part], n0: int, n1: int, hours0: float, hours1: float) -> list[Contribution]:
    usual, seen = n0 / hours0, n1 / hours1
    found = []
    for part in parts:
        weight = part.n0 / n0
        # Of n1 contacts a part has a binomial number when the mix stays as it was, which is itself known from n0 only.
        likely = max(part.n0, 1) / n0
        error = sqrt(likely * (1 - likely) * n1 * (1 + n1 / n0)) / hours1 / usual
        amount = (part.n1 / hours1 - part.n0 / hours0) / usual
        found.append(Contribution(part, amount, weight * (seen - usual) / usual, error))
    return found


def contributors(
    kind: Name,
    side: int,
    dimension: Dimension,
    parts: Sequence[Part],
    *,
    small_cell: int,
    hours: tuple[float, float] = (0.0, 0.0),
    deviation: float = 0.0,
) -> tuple[Contributor, ...]:
    """The parts that contribute most to a change and clearly more than their size, greatest first; often none, and never "".

    side: −1 for a fall, 1 for a rise; where the plain sums changed the other way, nothing is told. hours: open hours before and since, of a
    volume. deviation: standard deviation of one value in the unit of `total`, of grades and times. small_cell: of grades a part with fewer
    answers in a period is not named, nor does what is named leave fewer, or a single such part, to be told by subtraction.
    """
    named = [part for part in parts if part.n0 or part.n1]
    found = contributions(kind, named, hours, deviation)
    change = sum(one.amount for one in found)
    if change * side <= 0:
        return ()
    telling = sorted((one for one in found if _stands_out(one, change)), key=lambda one: (-one.amount / change, one.part.name))
    if kind == "grade":
        chosen = _protected([one for one in telling if not _small(one.part, small_cell)], named, small_cell)
    else:
        chosen = telling[:MOST]
    # No finer than anybody needs: of a few answers, more digits could tell single ones.
    return tuple(Contributor(dimension, one.part.name, round(one.amount / change, 2), one.part.n1) for one in chosen)


def _stands_out(one: Contribution, change: float) -> bool:
    """Whether a part contributes much, at least half way from its even share to all or to twice that, and not by chance."""
    share, even = one.amount / change, one.even / change
    enough = max(LEAST_SHARE, even + min(even, 1 - even) / 2)
    return one.part.name != "" and share >= enough and share > even and abs(one.amount - one.even) >= CERTAIN * one.deviation


def _small(part: Part, small_cell: int) -> bool:
    return 0 < part.n0 < small_cell or 0 < part.n1 < small_cell


def _protected(telling: list[Contribution], parts: Sequence[Part], small_cell: int) -> list[Contribution]:
    """As many of the first as may be named: what is left besides must not tell the answers of a few."""
    chosen = telling[:MOST]
    while chosen:
        names = {one.part.name for one in chosen}
        rest = [part for part in parts if part.name not in names]
        if not any(_small(part, small_cell) for part in rest):
            break
        pooled = Part("", sum(part.n0 for part in rest), 0, sum(part.n1 for part in rest), 0)
        if len(rest) > 1 and not _small(pooled, small_cell):
            break
        chosen.remove(min(chosen, key=lambda one: one.part.n1))
    return chosen
