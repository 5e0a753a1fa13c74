"""A file as rows of text, whatever its format.

Only the columns that the mapping uses are kept; the content of every other column is dropped as it is read.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

from connectors.mapped_file.delimited import Delimited
from connectors.mapped_file.jsonlines import JsonLines
from connectors.mapped_file.mapping import FileFormat
from connectors.mapped_file.problems import Problem
from connectors.mapped_file.tables import Row
from connectors.mapped_file.text import Bytes, Text
from connectors.mapped_file.workbook import Workbook


class _Reader(Protocol):
    names: list[str]
    """The columns kept, in the order of the file."""

    def top(self) -> Iterable[tuple[int, Sequence[str]]]:
        """The rows above and at the header; none for a file without a header."""

    def rows(self) -> Iterator[Row | Problem]:
        """Every row in order."""


class RowFile:
    """A file as rows, of which `columns` are kept (None: all). Making one looks through the whole file; raises Refused for one of no use.

    `digest` is the SHA-256 of the file as it lies there, `lines` how many lines it has, `place` what it is called in a list of problems,
    `names` the columns kept, `notes` what a person should know.
    """

    def __init__(self, path: Path, file: FileFormat, columns: set[str] | None) -> None:
        self.path = path
        self.place = str(path)
        self.notes: list[str] = []
        self._bytes = Bytes(path)
        self.digest = self._bytes.digest
        self._empty = {"", *file.empty}
        self._reader: _Reader
        self.format = file_format(path, file.format)
        if self.format == "xlsx":
            workbook = Workbook(self._bytes, file, columns)
            self._reader, self.place, self.lines = workbook, workbook.place, workbook.lines
        else:
            text = Text(self._bytes, file.encoding, self.notes)
            self.lines = text.lines
            if self.format == "csv":
                self._reader = Delimited(text, file, columns, self.place)
            else:
                self._reader = JsonLines(text, columns, self.place)
        self.names = self._reader.names
        if self.format != "jsonl" and next(self._reader.rows(), None) is None:
            self.notes.append(f"{self.place} holds only a header: there is nothing to load")

    def rows(self) -> Iterator[Row | Problem]:
        """Every row in order; a row that can't be read comes as a Problem in its place."""
        for row in self._reader.rows():
            yield Row(row.line, {column: self._clean(text) for column, text in row.values.items()}) if isinstance(row, Row) else row

    def top(self) -> Iterable[tuple[int, Sequence[str]]]:
        """The rows from the top with their numbers, the header included; nothing of JSON lines."""
        return self._reader.top()

    def check_unchanged(self) -> None:
        """Raises Refused when the file was written since it was looked through."""
        self._bytes.check_unchanged()

    def _clean(self, text: str) -> str:
        text = text.strip()
        return "" if text in self._empty else text


def file_format(path: Path, declared: Literal["csv", "jsonl", "xlsx", "auto"]) -> Literal["csv", "jsonl", "xlsx"]:
    """The format, by the file's name where the mapping leaves it open."""
    if declared != "auto":
        return declared
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".xlsx", ".xlsm", ".xls")):
        return "xlsx"
    return "jsonl" if name.endswith((".jsonl", ".ndjson", ".json")) else "csv"
