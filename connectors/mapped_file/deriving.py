"""Columns that a row does not have itself: its place among the rows of its group, and its number when it stands for many."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Texts
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from connectors.mapped_file.mapping import EXPANDED, Expand, Group, Mapping
from connectors.mapped_file.problems import Unusable, shown

MOST = 100_000
"""So many things one row may stand for."""

_Places = dict[str, list[tuple[str, ...]]]


class Groups:
    """The groups of a mapping, over all rows of a file that are not left out."""

    def __init__(self, mapping: Mapping, rows: Iterable[Texts[str, str]]) -> None:
        self._groups = mapping.groups
        self._places: dict[str, _Places] = {name: {} for name in mapping.groups}
        for row in rows:
            for name, group in self._groups.items():
                self._places[name].setdefault(row[group.by], []).append(_order(group, row))
        for places in self._places.values():
            for found in places.values():
                found.sort()

    def of(self, row: Texts[str, str]) -> dict[str, str]:
        """The derived columns of one of the rows. Rows that are alike in everything that orders them have the same place."""
        derived: dict[str, str] = {}
        for name, group in self._groups.items():
            places = self._places[name][row[group.by]]
            number = bisect_left(places, _order(group, row)) + 1
            derived |= {
                f"{name}.number": str(number),
                f"{name}.count": str(len(places)),
                f"{name}.last": "yes" if _order(group, row) == places[-1] else "no",
            }
        return derived


def _order(group: Group, row: Texts[str, str]) -> tuple[str, ...]:
    return tuple(row[column] for column in group.order)


def expanded(expand: Expand, row: Texts[str, str], decimal: str) -> Iterator[dict[str, str]]:
    """The columns expand.number and expand.hit of each thing that the row stands for. Raises Unusable."""
    count = _number(row, expand.count, decimal, "a whole number")
    if count != count.to_integral_value() or not 0 <= count <= MOST:
        raise Unusable(expand.count, f"{shown(row[expand.count])} is no whole number from 0 to {MOST:,}", "correct the row")
    hits = Decimal(0)
    if expand.share is not None and count:
        share = _number(row, expand.share, decimal, "a share from 0 to 1")
        if not 0 <= share <= 1:
            raise Unusable(expand.share, f"{shown(row[expand.share])} is no share from 0 to 1", "correct the row")
        hits = (share * count).to_integral_value(ROUND_HALF_UP)
    return (dict(zip(EXPANDED, (str(number), "yes" if number <= hits else "no"), strict=True)) for number in range(1, int(count) + 1))


def _number(row: Texts[str, str], column: str, decimal: str, what: str) -> Decimal:
    text = row[column]
    try:
        number = Decimal(text.removesuffix("%").strip().replace(decimal, "."))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Unusable(column, f"{shown(text)} is not {what}", "correct the row, or leave such rows out by a rule under `leave_out`")
    return number / 100 if text.endswith("%") else number
