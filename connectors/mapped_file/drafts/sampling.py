"""A look at a file of which nothing is known yet: its columns, and what stands in them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path

from connectors.mapped_file.mapping import FileFormat
from connectors.mapped_file.reading import RowFile
from connectors.mapped_file.tables import Row
from connectors.protocol import Refused

MOST_ROWS = 50_000
_TOP = 30
_TIMES_TRIED = 400

_DAYS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
_FORMS = (*_DAYS, "iso", *(f"{day} {clock}" for day in _DAYS[1:5] for clock in _CLOCKS))
_CLOCK = re.compile(r"\d{1,2}:[0-5]\d(:[0-5]\d)?")


def words(name: str) -> set[str]:
    """The words of a column's name or a value, in lower case without accents: `CreatedDate` is created and date."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return set(re.findall(r"[a-z]+", spaced(plain).lower()))


def spaced(name: str) -> str:
    """A name with a space where an upper-case letter begins a word: `SRType` is SR Type."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)


@dataclass(frozen=True)
class TimeForm:
    """How the times of a column are written: a form of the mapping's `times.formats`, and others that would fit just as well."""

    form: str
    others: tuple[str, ...]
    has_offset: bool

    @property
    def day_only(self) -> bool:
        """Whether it has no time of day."""
        return self.form in _DAYS

    def parse(self, text: str) -> datetime:
        """The local time, or with its offset. Raises ValueError."""
        return datetime.fromisoformat(text) if self.form == "iso" else datetime.strptime(text, self.form)


@dataclass(frozen=True)
class Column:
    """A column with the texts of every row looked at; an empty text is no value."""

    name: str
    texts: Sequence[str]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each text stands there, without the empty ones."""
        found = Counter(self.texts)
        found.pop("", None)
        return found

    @property
    def filled(self) -> int:
        """On how many rows it is not empty."""
        return self.counts.total()

    @property
    def is_unique(self) -> bool:
        """Whether it is filled on every row, and different on each."""
        return len(self.counts) == len(self.texts) > 0

    @cached_property
    def words(self) -> set[str]:
        """The words of its name."""
        return words(self.name)

    @cached_property
    def numbers(self) -> list[float]:
        """Its texts that are numbers."""
        return [float(text) for text in self.counts if re.fullmatch(r"-?\d{1,15}(\.\d+)?", text)]

    @property
    def is_numeric(self) -> bool:
        """Whether all that stands there are numbers."""
        return bool(self.counts) and len(self.numbers) == len(self.counts)

    @property
    def is_clock(self) -> bool:
        """Whether all that stands there are times of day, or durations."""
        return bool(self.counts) and all(_CLOCK.fullmatch(text) for text in islice(self.counts, _TIMES_TRIED))

    @cached_property
    def time(self) -> TimeForm | None:
        """How its times are written; None when they are no times."""
        # A spread over the whole column: the first rows may all lie in one month.
        texts = list(self.counts)[:: max(1, len(self.counts) // _TIMES_TRIED)]
        if not texts or (self.is_numeric and not all(re.fullmatch(r"(19|20)\d{6}", text) for text in texts)):
            return None
        fitting = [form for form in _FORMS if all(_fits(text, form) for text in texts)]
        if not fitting:
            return None
        offset = fitting[0] == "iso" and any(datetime.fromisoformat(text).tzinfo is not None for text in texts)
        return TimeForm(fitting[0], tuple(fitting[1:]), offset)


def _fits(text: str, form: str) -> bool:
    try:
        TimeForm(form, (), has_offset=False).parse(text)
    except ValueError:
        return False
    return form != "iso" or len(text) > len("2026-03-02")


@dataclass(frozen=True)
class Sample:
    """The rows of a file that were looked at, by column in the order of the file. `header_row` is set when the header stands lower down."""

    path: Path
    columns: Sequence[Column]
    rows: int
    complete: bool
    header_row: int | None
    notes: Sequence[str]

    def is_constant(self, column: Column, of: Column) -> bool:
        """Whether rows that agree in `of` agree in `column`."""
        return len(set(zip(of.texts, column.texts, strict=True))) == len(set(of.texts))


def look(path: Path) -> Sample:
    """A sample of the file. Raises Refused when it can't be read or holds no rows."""
    file = RowFile(path, FileFormat(), None)
    header_row = _header_row(file.top())
    if header_row is not None:
        file = RowFile(path, FileFormat(header_row=header_row), None)
    found = list(islice((row.values for row in file.rows() if isinstance(row, Row)), MOST_ROWS + 1))
    rows = found[:MOST_ROWS]
    if not rows:
        raise Refused(f"{file.place}: there are no rows from which to draft a mapping; take a file with some")
    columns = [Column(name, [row[name] for row in rows]) for name in file.names]
    return Sample(path, columns, len(rows), len(found) == len(rows), header_row, file.notes)


def _header_row(top: Iterable[tuple[int, Sequence[str]]]) -> int | None:
    """Where the header stands when titles stand above it; None when it is the first row that is not empty."""
    filled = [(line, sum(bool(cell.strip()) for cell in cells)) for line, cells in islice(top, _TOP)]
    filled = [(line, count) for line, count in filled if count]
    if not filled:
        return None
    header = next(line for line, count in filled if count >= 0.8 * max(count for _, count in filled))
    return None if header == filled[0][0] else header
