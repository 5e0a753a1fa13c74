"""Bytes to rows: compression, encodings, delimiters, headers, ragged and broken rows; each fault with its message."""

import gzip
from pathlib import Path

import orjson
import pytest

from connectors.mapped_file.connector import MappedFile
from connectors.mapped_file.reading import RowFile
from connectors.mapped_file.tables import Row
from connectors.protocol import Refused
from tests.connectors.mapped import HEADER, changed, csv_file, mapping, read_all, rows

ROW = "C1,Jan,Balie,Identiteitskaart café,2026-03-02T09:00:00,,,"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_give_the_same(tmp_path: Path, encoding: str, end: str) -> None:
    events, problems, connector = read_all(csv_file(tmp_path / "a.csv", [ROW], encoding=encoding, end=end))
    assert problems == []
    assert [event["data"]["product"] for event in events] == ["Identiteitskaart café"]
    notes = connector.file.notes
    assert ("is read as cp1252 (Windows); write `encoding: cp1252`" in notes[0]) if encoding == "cp1252" else notes == []


def test_a_declared_encoding_is_kept_to(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [*rows(3), ROW], encoding="cp1252")
    with pytest.raises(Refused, match=r"a\.csv:5: this is not utf-8 text; save the file as UTF-8, or write `encoding: cp1252`"):
        read_all(path, changed(file={"encoding": "utf-8"}))
    assert read_all(path, changed(file={"encoding": "cp1252"}))[2].file.notes == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\r\n  \n", "the file is empty"),
        (HEADER.encode("utf-16"), "UTF-16 text; save it as `CSV UTF-8`"),
        (b"PK\x03\x04rest", "a workbook or zip archive, not text"),
        (gzip.compress(b"Id,Opened\n" * 1000)[:40], "can't be unpacked .*damaged or not complete"),
        (b"Id,Opened\nC1,\x81\n", "this is not cp1252 text"),
        (b"Id,Channel,Opened,Closed,Due,Grade\n", "column 'Product' is missing; the header has: Id, Channel"),
        (b"Id,Channel,Opened\n", r"'Closed' is missing \(and 3 more: Due, Grade, Product\)"),
        (b"Id,Id,Channel,Product,Opened,Closed,Due,Grade\n", "'Id' stands twice"),
        (b"Subject: hello\n\nDear reader\n", "is missing .*the header has: Subject: hello"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(Refused, match=message):
        read_all(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"none\.csv: can't be read \(No such file or directory\); check the name"):
        read_all(tmp_path / "none.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    lines = [row.replace(",", delimiter) for row in rows(5)]
    events, problems, _ = read_all(csv_file(tmp_path / "a.csv", lines, HEADER.replace(",", delimiter)))
    assert (len({event["data"]["occurred_at"] for event in events}) > 3, problems) == (True, [])


def test_a_wrong_delimiter_names_the_right_one(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", [], HEADER.replace(",", ";"))
    with pytest.raises(
        Refused, match=r"a\.csv:1: the columns are not separated by a tab, as the mapping says, but by a semicolon; correct"
    ):
        read_all(path, changed(file={"delimiter": "tab"}))


def test_ragged_and_broken_rows_are_reported_and_the_others_go_on(tmp_path: Path) -> None:
    lines = [*rows(2), "C2,only,three", "", rows(4)[3] + ",extra", '"C5,Jan,Balie', "C6,Jan,Balie,x,2026-03-02T09:00:00,,,", *rows(9)[8:]]
    events, problems, connector = read_all(csv_file(tmp_path / "a.csv", lines))
    assert [(problem.line, problem.message, problem.remedy) for problem in problems] == [
        (4, "the row has 3 cells, the header 8", "put quotation marks around a text that holds a comma, or complete the row"),
        (6, "the row has 9 cells, the header 8", "put quotation marks around a text that holds a comma, or complete the row"),
        (7, "the row has 1 cells, the header 8", "put quotation marks around a text that holds a comma, or complete the row"),
    ]
    assert {event["data"]["contact"] for event in events if event["type"].endswith("opened")} == {"C0", "C1"}
    assert (connector.tally.rows, connector.tally.refused) == (5, 3)


def test_a_cell_may_hold_line_ends_and_lines_are_still_counted(tmp_path: Path) -> None:
    lines = ['C1,"Jan\nvan Dam",Balie,x,2026-03-02T09:00:00,,,', "C2,short"]
    events, problems, _ = read_all(csv_file(tmp_path / "a.csv", lines))
    assert ([event["data"]["contact"] for event in events], [problem.line for problem in problems]) == (["C1"], [4])


def test_an_endless_cell(tmp_path: Path) -> None:
    lines = ['C1,"' + "x" * 200_000, *rows(2)]
    _, problems, _ = read_all(csv_file(tmp_path / "a.csv", lines))
    assert "the row can't be read (field larger than field limit" in problems[0].message
    assert problems[0].remedy == "look for a quotation mark that is not closed"


def test_gzip_is_seen_by_content(tmp_path: Path) -> None:
    plain = csv_file(tmp_path / "a.csv", rows(20))
    packed = tmp_path / "packed.csv"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_all(packed)[0] == read_all(plain)[0]


def test_a_header_alone_is_a_quiet_day(tmp_path: Path) -> None:
    events, problems, connector = read_all(csv_file(tmp_path / "a.csv", []))
    assert (events, problems, connector.tally.rows) == ([], [], 0)
    assert connector.file.notes == [f"{tmp_path / 'a.csv'} holds only a header: there is nothing to load"]
    assert read_all(csv_file(tmp_path / "b.csv", rows(1)))[2].file.notes == []


def test_json_lines_give_what_csv_gives(tmp_path: Path) -> None:
    names = HEADER.split(",")
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(dict(zip(names, row.split(","), strict=True))) for row in rows(30)))
    assert read_all(path)[0] == read_all(csv_file(tmp_path / "a.csv", rows(30)))[0]


def test_json_lines_nested_absent_and_broken(tmp_path: Path) -> None:
    small = mapping().model_dump(by_alias=True)
    event = {"type": "contact.opened", "at": "times.opened", "data": {"channel": {"value": "counter"}, "product": "product"}}
    by = type(mapping()).model_validate({**small, "contact": "id", "events": [event]})
    path = tmp_path / "a.jsonl"
    lines = [
        {"id": 17, "times": {"opened": "2026-03-02T09:00:00"}},
        {"id": "B", "times": {"opened": "2026-03-02T09:00:00"}, "product": None},
        {"id": "C", "times": {"opened": "2026-03-02T09:00:00"}, "product": "Paspoort"},
    ]
    path.write_bytes(b"\n".join([*map(orjson.dumps, lines), b"{broken", b"[1]", b""]))
    events, problems, _ = read_all(path, by)
    assert [(event["data"]["contact"], event["data"].get("product")) for event in events] == [("17", None), ("B", None), ("C", "Paspoort")]
    assert [(problem.line, problem.message.split(" (")[0]) for problem in problems] == [
        (4, "the line is not JSON"),
        (5, "the line is JSON but no object"),
    ]
    path.write_bytes(orjson.dumps({"id": 1, "times": {}, "product": "x"}))
    with pytest.raises(Refused, match=r"'times\.opened' occurs in no line; the lines have: id, product, times\. Correct the name"):
        read_all(path, by)


def test_a_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", rows(20))
    connector = MappedFile(path, mapping(), rows_a_batch=1000)
    connector.resume(None)
    connector.poll()
    csv_file(path, rows(21))
    with pytest.raises(Refused, match="changed while it was read"):
        connector.poll()


def test_only_columns_in_use_are_kept(tmp_path: Path) -> None:
    by = mapping()
    (row,) = RowFile(csv_file(tmp_path / "a.csv", [ROW]), by.file, by.columns()).rows()
    assert isinstance(row, Row)
    assert set(row.values) == by.columns() == set(HEADER.split(",")) - {"Name"}


def test_titles_above_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["Gesprekken van maart", "", HEADER, *rows(5), ""]))
    with pytest.raises(Refused, match=r"a\.csv:1: .* row 3: write `header_row: 3` under file"):
        read_all(path)
    assert read_all(path, changed(file={"header_row": 3}))[0] == read_all(csv_file(tmp_path / "b.csv", rows(5)))[0]
    with pytest.raises(Refused, match=r"a\.csv:2: this row is empty, and file\.header_row in the mapping says"):
        read_all(path, changed(file={"header_row": 2}))


def test_every_column_when_none_are_named(tmp_path: Path) -> None:
    file = RowFile(csv_file(tmp_path / "a.csv", ["1,2,3,4,5"], "a,b,b,,c"), mapping().file, None)
    assert file.names == ["a", "c"]
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1, "times": {"opened": "x"}}\n{"id": 2, "more": [1]}')
    assert RowFile(path, mapping().file, None).names == ["id", "times.opened", "more"]
