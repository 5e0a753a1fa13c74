"""Workbooks: typed cells, sheets, headers that stand lower down, and what can be wrong with them."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from connectors.mapped_file.mapping import FileFormat
from connectors.mapped_file.problems import count_problems
from connectors.mapped_file.reading import RowFile
from connectors.mapped_file.tables import Row
from connectors.protocol import Refused
from tests.connectors.mapped import HEADER, changed, csv_file, read_all, rows

NAMES = HEADER.split(",")


def workbook(path: Path, lines: list[list[Any]], sheet: str = "Blad1", formats: dict[str, str] | None = None) -> Path:
    book = openpyxl.Workbook(write_only=False)
    book.remove(book.worksheets[0])
    if sheet != "Blad1":
        book.create_sheet("Toelichting")
    target = book.create_sheet(sheet)
    for line in lines:
        target.append(line)
    for cell, form in (formats or {}).items():
        target[cell].number_format = form
    book.save(path)
    return path


def cells(path: Path, file: FileFormat | None = None) -> list[dict[str, str]]:
    return [row.values for row in RowFile(path, file or FileFormat(), None).rows() if isinstance(row, Row)]


def typed(line: str) -> list[Any]:
    """A row of text as a spreadsheet would hold it."""
    return [
        datetime.fromisoformat(cell) if cell[10:11] == "T" else int(cell) if cell.isdecimal() else cell or None for cell in line.split(",")
    ]


def test_a_workbook_gives_what_csv_gives(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [NAMES, *map(typed, rows(40))])
    events, problems, connector = read_all(path)
    assert problems == []
    assert events == read_all(csv_file(tmp_path / "a.csv", rows(40)))[0]
    assert connector.tally.rows == 40


def test_typed_cells(tmp_path: Path) -> None:
    names = ["day", "moment", "clock", "duration", "whole", "number", "share", "flag", "text", "empty", "zero"]
    line = [date(2026, 3, 2), datetime(2026, 3, 2, 9, 12, 30, 500_000), time(9, 5), timedelta(hours=27, minutes=3), 612345678.0, 7.5, 0.85]
    path = workbook(tmp_path / "a.xlsx", [names, [*line, True, "  Jan  ", None, 0]], formats={"D2": "[h]:mm:ss", "G2": "0%"})
    assert cells(path) == [
        {
            "day": "2026-03-02",
            "moment": "2026-03-02T09:12:30.500",
            "clock": "09:05:00",
            "duration": "27:03:00",
            "whole": "612345678",
            "number": "7.5",
            "share": "0.85",
            "flag": "true",
            "text": "Jan",
            "empty": "",
            "zero": "0",
        }
    ]


def test_midnight_is_a_time_only_where_the_format_says_so(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx", [["a", "b"], [datetime(2026, 3, 2), datetime(2026, 3, 2)]], formats={"A2": "dd-mm-yyyy", "B2": "d-m-yy h:mm"}
    )
    assert cells(path) == [{"a": "2026-03-02", "b": "2026-03-02T00:00:00"}]


def test_a_header_that_stands_lower_down(tmp_path: Path) -> None:
    lines = [["Meldingen 2026"], [], NAMES, *map(typed, rows(3)), [], *map(typed, rows(5)[3:])]
    path = workbook(tmp_path / "a.xlsx", lines)
    with pytest.raises(Refused, match=r"a\.xlsx sheet 'Blad1':1: .* row 3: write `header_row: 3` under file"):
        read_all(path)
    events, problems, connector = read_all(path, changed(file={"header_row": 3}))
    assert (problems, connector.tally.rows) == ([], 5)
    assert events == read_all(csv_file(tmp_path / "a.csv", rows(5)))[0]


def test_names_merged_over_two_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["Dienst", "Telefoon", None], [None, "n", "%"], ["Balie", 12, 0.5]])
    assert cells(path, FileFormat(header_row=2)) == [{"Dienst": "Balie", "n": "12", "%": "0.5"}]


def test_a_sheet_by_its_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [NAMES, *map(typed, rows(3))], sheet="Gesprekken")
    assert len(read_all(path, changed(file={"sheet": "Gesprekken"}))[0]) > 0
    with pytest.raises(Refused, match=r"there is no sheet 'Calls'; there are: Toelichting, Gesprekken"):
        read_all(path, changed(file={"sheet": "Calls"}))
    with pytest.raises(Refused, match="there is no header"):
        read_all(path)


def test_errors_and_formulas_without_a_value_refuse_their_row(tmp_path: Path) -> None:
    lines = [NAMES, *map(typed, rows(2)), typed(rows(3)[2]), typed(rows(4)[3])]
    lines[3][3] = "#N/A"
    lines[4][3] = '="Pas"&"poort"'
    path = workbook(tmp_path / "a.xlsx", lines)
    _, problems, connector = read_all(path)
    assert [(problem.line, problem.column, problem.message) for problem in problems] == [
        (4, "Product", "the cell holds the error #N/A"),
        (5, "Product", "the cell holds the error of a formula without a value: open the workbook in Excel and save it"),
    ]
    assert connector.file.place == f"{path} sheet 'Blad1'"
    assert str(problems[0]).startswith(f"{path} sheet 'Blad1':4: column 'Product': ")
    assert count_problems(tmp_path / "none.csv", connector.file.place) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old",
            r"an old or encrypted workbook \(\.xls, or with a password\); save it as an Excel workbook",
        ),
        (b"Id,Channel\n", "the file is no workbook; save it as"),
        (b"PK\x03\x04rest", "can't be read as a workbook"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(Refused, match=message):
        read_all(path)


def test_a_workbook_by_another_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [NAMES, *map(typed, rows(3))]).rename(tmp_path / "export.dat")
    with pytest.raises(Refused, match=r"a workbook or zip archive, not text; if it is a workbook, name it \.xlsx"):
        read_all(path)
    assert len(read_all(path, changed(file={"format": "xlsx"}))[0]) > 0


def test_an_empty_sheet_and_a_header_alone(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no header"):
        read_all(workbook(tmp_path / "a.xlsx", []))
    assert "holds only a header" in read_all(workbook(tmp_path / "b.xlsx", [NAMES]))[2].file.notes[0]
