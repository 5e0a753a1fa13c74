"""CSV: cells separated by comma, semicolon or tab, under a header."""

import csv
from collections.abc import Iterator

from connectors.mapped_file.mapping import FileFormat
from connectors.mapped_file.problems import Problem
from connectors.mapped_file.tables import Header, Row, check_header, find_header
from connectors.mapped_file.text import Text
from connectors.protocol import Refused

_DELIMITERS = (",", ";", "\t")
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


class Delimited:
    """A CSV file, of which `columns` are kept (None: all with a name of their own). Raises Refused when its header lacks one."""

    def __init__(self, text: Text, file: FileFormat, columns: set[str] | None, place: str) -> None:
        self._text = text
        self._place = place
        self._file = file
        self._columns = columns or set()
        declared = file.delimiter
        headers = {delimiter: self._header_by(delimiter) for delimiter in (_DELIMITERS if declared == "auto" else (declared,))}
        self._delimiter = max(headers, key=lambda one: (len(self._columns & set(headers[one].names)), len(headers[one].names)))
        self._header = headers[self._delimiter]
        if not self._columns <= set(self._header.names):
            self._check_delimiter()
        check_header(self._header, self._columns, place, self.top())
        if columns is None:
            self._columns = self._header.own_names()
        self.names = [name for name in self._header.names if name in self._columns]

    def rows(self) -> Iterator[Row | Problem]:
        """Every row under the header; a row that can't be read comes as a Problem in its place."""
        width = len(self._header.names)
        places = [(column, self._header.names.index(column)) for column in sorted(self._columns)]
        with self._text.open(newline="") as text:
            reader = csv.reader(text, delimiter=self._delimiter)
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Problem(self._place, line, "", f"the row can't be read ({error})", "look for a quotation mark that is not closed")
                    continue
                if not cells or line <= self._header.line:
                    continue
                if len(cells) != width:
                    yield Problem(
                        self._place,
                        line,
                        "",
                        f"the row has {len(cells)} cells, the header {width}",
                        f"put quotation marks around a text that holds {_NAMES[self._delimiter]}, or complete the row",
                    )
                else:
                    yield Row(line, {column: cells[place] for column, place in places})

    def top(self) -> Iterator[tuple[int, list[str]]]:
        """The rows from the top, the header and what stands above it included."""
        return self._cells(self._delimiter)

    def _cells(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """The rows from the top, each with the line on which it starts, as far as they can be read."""
        with self._text.open(newline="") as text:
            reader = csv.reader(text, delimiter=delimiter)
            line = 1
            try:
                for cells in reader:
                    yield line, cells
                    line = reader.line_num + 1
            except csv.Error:
                return

    def _header_by(self, delimiter: str) -> Header:
        return find_header(self._cells(delimiter), self._file.header_row, self._place)

    def _check_delimiter(self) -> None:
        for other in _DELIMITERS:
            if other != self._delimiter and len(self._header_by(other).names) > len(self._header.names):
                raise Refused(
                    f"{self._place}:{self._header.line}: the columns are not separated by {_NAMES[self._delimiter]}, as the mapping says, "
                    f"but by {_NAMES[other]}; correct file.delimiter in the mapping, or leave it out"
                )
