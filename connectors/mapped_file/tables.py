"""What text files and workbooks with a header have in common: rows, the search for the header, and what can be wrong with it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from connectors.protocol import Refused

_LOOKED_AT = 50
"""So many rows are searched for a header that stands elsewhere."""


@dataclass(frozen=True)
class Row:
    """One row: the line on which it starts (the header included) and its columns in use; an empty text is no value."""

    line: int
    values: dict[str, str]


@dataclass(frozen=True)
class Header:
    """The names of the columns and the row in which they stand, counted from 1."""

    line: int
    names: list[str]

    def own_names(self) -> set[str]:
        """The names that are not empty and stand once."""
        return {name for name in self.names if name and self.names.count(name) == 1}


def find_header(rows: Iterable[tuple[int, Sequence[str]]], at: int | None, place: str) -> Header:
    """The header: row `at`, or the first row that is not empty. Raises Refused when the file has no such row.

    A name that is empty there is taken from the rows above it, where a cell was merged over both.
    """
    above: list[str] = []
    for line, cells in rows:
        names = [cell.strip() for cell in cells]
        if at is not None and line < at:
            above = [name or old for name, old in _paired(names, above)]
        elif any(names):
            return Header(line, names if at is None else [name or old for name, old in _paired(names, above)])
        if at is not None and line >= at:
            break
    if at is None:
        raise Refused(f"{place}: there is no header; export it again, with the names of the columns in the first row")
    raise Refused(f"{place}:{at}: this row is empty, and file.header_row in the mapping says that the header stands there; correct it")


def _paired(names: list[str], above: list[str]) -> Iterator[tuple[str, str]]:
    for position in range(max(len(names), len(above))):
        yield names[position] if position < len(names) else "", above[position] if position < len(above) else ""


def check_header(header: Header, columns: set[str], place: str, rows: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Raises Refused when a column in use is missing or stands twice; looks through `rows` for a header that stands lower down."""
    missing = sorted(columns - set(header.names))
    if missing:
        for line, cells in islice(rows, _LOOKED_AT):
            if columns <= {cell.strip() for cell in cells}:
                raise Refused(
                    f"{place}:{header.line}: this is not the header; it stands in row {line}: write `header_row: {line}` under file"
                )
        raise Refused(
            f"{place}:{header.line}: column {missing[0]!r} is missing"
            + (f" (and {len(missing) - 1} more: {', '.join(missing[1:])})" if missing[1:] else "")
            + f"; the header has: {', '.join(header.names)[:500]}. Correct the name in the mapping, or export with this column"
        )
    twice = sorted(column for column in columns if header.names.count(column) > 1)
    if twice:
        raise Refused(f"{place}:{header.line}: column {twice[0]!r} stands twice in the header; rename one of them")
