"""XLSX: one sheet of a workbook, its typed cells as texts that the rest of this package reads like those of a CSV file.

A day is 2026-03-02, a day with a time 2026-03-02T09:00:00, a time of day or a duration H:MM:SS, a number 7.5 (a percentage 0.85 for
85 %), a flag true or false. A formula counts with the value with which the workbook was saved.
"""

import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.styles.numbers import is_datetime
from openpyxl.utils.exceptions import InvalidFileException

from connectors.mapped_file.mapping import FileFormat
from connectors.mapped_file.problems import Problem
from connectors.mapped_file.tables import Row, check_header, find_header
from connectors.mapped_file.text import Bytes
from connectors.protocol import Refused

ZIP = b"PK\x03\x04"
_OLD = b"\xd0\xcf\x11\xe0"


Rows = Sequence[tuple[int, Sequence[str]]]
"""Numbers of rows, counted from 1, and their cells."""


class _ErrorCell(str):
    """A cell that holds an error such as #N/A."""


class Workbook:
    """One sheet, read as a whole, of which `columns` are kept (None: all that have a name of their own).

    Raises Refused when workbook, sheet or header can't be used. `place` names file and sheet, `lines` is the last row.
    """

    def __init__(self, content: Bytes, file: FileFormat, columns: set[str] | None) -> None:
        title, rows = _sheet(content, file.sheet)
        self.place = f"{content.path} sheet {title!r}"
        self.lines = rows[-1][0] if rows else 0
        self._all = rows
        self._header = find_header(rows, file.header_row, self.place)
        check_header(self._header, columns or set(), self.place, rows)
        self._columns = columns if columns is not None else self._header.own_names()
        self.names = [name for name in self._header.names if name in self._columns]
        self._rows = [row for row in rows if row[0] > self._header.line]

    def top(self) -> Rows:
        """The rows from the top, the header and what stands above it included."""
        return self._all

    def rows(self) -> Iterator[Row | Problem]:
        """Every row under the header that is not empty; one with an error in a column in use comes as a Problem in its place."""
        places = [(column, self._header.names.index(column)) for column in sorted(self._columns)]
        for line, cells in self._rows:
            values = {column: cells[place] if place < len(cells) else "" for column, place in places}
            wrong = next((column for column, text in values.items() if isinstance(text, _ErrorCell)), None)
            if wrong is None:
                yield Row(line, values)
            else:
                yield Problem(self.place, line, wrong, f"the cell holds the error {values[wrong]}", "correct the formula in the workbook")


def _sheet(content: Bytes, name: str | None) -> tuple[str, Rows]:
    """The title of the sheet and its rows that are not empty, with their numbers."""
    if not content.start.startswith(ZIP):
        kind = "an old or encrypted workbook (.xls, or with a password)" if content.start.startswith(_OLD) else "no workbook"
        raise Refused(f"{content.path}: the file is {kind}; save it as an Excel workbook (.xlsx) without a password, or as `CSV UTF-8`")
    # openpyxl warns of what it does not read (validations, styles); none of it changes a value.
    with warnings.catch_warnings(), content.path.open("rb") as stream:
        warnings.simplefilter("ignore")
        try:
            with closing(openpyxl.load_workbook(stream, read_only=True, data_only=True)) as workbook:
                sheet = _chosen(workbook.worksheets, name, content.path)
                rows = [(number, [_text(cell) for cell in cells]) for number, cells in enumerate(_all_rows(sheet), start=1)]
            if _has_formulas(content.path):
                with closing(openpyxl.load_workbook(stream, read_only=True)) as workbook:
                    _mark_uncalculated(rows, _all_rows(workbook[sheet.title]))
        except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, ParseError) as error:
            raise Refused(f"{content.path}: can't be read as a workbook ({error}); save it again as .xlsx, or as `CSV UTF-8`") from None
    return sheet.title, [row for row in rows if any(row[1])]


def _all_rows(sheet: Any) -> Iterable[Any]:
    sheet.reset_dimensions()  # Programs that write workbooks often declare a size that is not true.
    rows: Iterable[Any] = sheet.iter_rows()
    return rows


def _chosen(sheets: list[Any], name: str | None, path: Path) -> Any:
    found = next((sheet for sheet in sheets if name in (None, sheet.title)), None)
    if found is None:
        titles = ", ".join(sheet.title for sheet in sheets)
        raise Refused(f"{path}: there is no sheet {name!r}; there are: {titles}. Correct file.sheet in the mapping")
    return found


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(b"<f" in archive.read(name) for name in names)


def _mark_uncalculated(rows: list[tuple[int, list[str]]], formulas: Iterable[Any]) -> None:
    """A program may write a formula without its value: that is no empty cell."""
    for (_, texts), cells in zip(rows, formulas, strict=True):
        for position, cell in enumerate(cells):
            if cell.data_type == "f" and not texts[position]:
                texts[position] = _ErrorCell("of a formula without a value: open the workbook in Excel and save it")


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return _ErrorCell(value) if cell.data_type == "e" else value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = value + timedelta(microseconds=500)  # A day is kept as a float: the last digits are noise.
        day_only = moment.time().replace(microsecond=0) == time() and is_datetime(cell.number_format) == "date"
        return moment.date().isoformat() if day_only else moment.isoformat(timespec="milliseconds").removesuffix(".000")
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, date | time):
        return value.isoformat()
    return str(int(value)) if value == int(value) else f"{value:.15g}"
