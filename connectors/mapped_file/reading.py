"""Bytes of a file to rows of text: compression, encoding, delimiter, header, and rows that don't fit.

Only the columns that the mapping uses are kept; the content of every other column is dropped as it is read.
"""

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import orjson

from connectors.mapped_file.mapping import Mapping
from connectors.mapped_file.problems import Problem
from connectors.protocol import Refused

_DELIMITERS = (",", ";", "\t")
_CHUNK = 1 << 20
_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


@dataclass(frozen=True)
class Row:
    """One row: the line on which it starts (the header is line 1) and its columns in use; an empty text is no value."""

    line: int
    values: dict[str, str]


class _OtherEncoding(Refused):
    """The bytes are not text in this encoding."""


class RowFile:
    """A file as rows. Making one looks through the whole file once; raises Refused when it can't be used.

    `digest` is the SHA-256 of the file as it lies there, `lines` how many lines it has, `notes` what a person should know.
    """

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self.path = path
        self._mapping = mapping
        self._columns = mapping.columns()
        self.notes: list[str] = []
        self.digest, self._packed = _digest(path)
        self._stamp = _stamp(path)
        self.encoding, self.lines = self._inspect()
        self.format = _format(path, mapping)
        self._header: list[str] = []
        self._delimiter = ","
        if self.format == "csv":
            self._delimiter, self._header = self._find_header()
            if next(self._csv_rows(), None) is None:
                self.notes.append(f"{path} holds only a header: there is nothing to load")
        else:
            self._check_names()

    def rows(self) -> Iterator[Row | Problem]:
        """Every row in order; a row that can't be read comes as a Problem in its place."""
        return self._csv_rows() if self.format == "csv" else self._json_rows()

    def check_unchanged(self) -> None:
        """Raises Refused when the file was written since it was looked through."""
        if _stamp(self.path) != self._stamp:
            raise Refused(f"{self.path}: the file changed while it was read; load it again when it is complete")

    def _open(self) -> io.TextIOWrapper:
        # A decoder error can't occur any more: the inspection read everything with this encoding.
        return io.TextIOWrapper(_bytes_of(self.path, self._packed), encoding=self.encoding, newline="" if self.format == "csv" else None)

    def _inspect(self) -> tuple[str, int]:
        """The encoding and the number of lines."""
        declared = self._mapping.file.encoding
        if declared == "cp1252":
            return "cp1252", self._decode("cp1252")
        try:
            return "utf-8-sig", self._decode("utf-8")
        except _OtherEncoding:
            if declared == "utf-8":
                raise
        lines = self._decode("cp1252")
        self.notes.append(
            f"{self.path} is not UTF-8; it is read as cp1252 (Windows); write `encoding: cp1252` under `file:` in the mapping to settle it"
        )
        return "cp1252", lines

    def _decode(self, encoding: Literal["utf-8", "cp1252"]) -> int:
        """The number of lines, if all of it can be decoded."""
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        lines, empty, last = 1, True, b""
        with _bytes_of(self.path, self._packed) as stream:
            while chunk := self._read(stream):
                if empty:
                    self._check_kind(chunk)
                try:
                    text = decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    lines += error.object[: error.start].count(b"\n")
                    raise self._undecodable(encoding, lines) from None
                empty = empty and not text.strip("\ufeff \r\n\t")
                lines += chunk.count(b"\n")
                last = chunk[-1:]
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise self._undecodable(encoding, lines) from None
        if empty:
            raise Refused(f"{self.path}: the file is empty; export it again, with a header")
        return lines - (last == b"\n")

    def _read(self, stream: BinaryIO) -> bytes:
        try:
            return stream.read(_CHUNK)
        except (EOFError, OSError, zlib.error) as error:
            raise Refused(f"{self.path}: can't be unpacked ({error}); the file is damaged or not complete: copy it again") from None

    def _undecodable(self, encoding: str, line: int) -> _OtherEncoding:
        remedy = "save the file as UTF-8, or write `encoding: cp1252`" if encoding == "utf-8" else "save the file as UTF-8"
        return _OtherEncoding(f"{self.path}:{line}: this is not {encoding} text; {remedy} under `file:` in the mapping")

    def _check_kind(self, start: bytes) -> None:
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise Refused(f"{self.path}: the file is UTF-16 text; save it as `CSV UTF-8`")
        if start.startswith(b"PK\x03\x04"):
            raise Refused(f"{self.path}: the file is a workbook or zip archive, not text; save the sheet as `CSV UTF-8`")

    def _find_header(self) -> tuple[str, list[str]]:
        declared = self._mapping.file.delimiter
        headers = {delimiter: self._first_row(delimiter) for delimiter in (_DELIMITERS if declared == "auto" else (declared,))}
        delimiter = max(headers, key=lambda one: (len(self._columns & set(headers[one])), len(headers[one])))
        header = headers[delimiter]
        missing = sorted(self._columns - set(header))
        if missing:
            self._explain_missing(missing, delimiter, header)
        twice = sorted(column for column in self._columns if header.count(column) > 1)
        if twice:
            raise Refused(f"{self.path}:1: column {twice[0]!r} stands twice in the header; rename one of them")
        return delimiter, header

    def _explain_missing(self, missing: list[str], delimiter: str, header: list[str]) -> None:
        for other in _DELIMITERS:
            if other != delimiter and len(self._first_row(other)) > len(header):
                raise Refused(
                    f"{self.path}:1: the columns are not separated by {_NAMES[delimiter]}, as the mapping says, but by {_NAMES[other]}; "
                    "correct file.delimiter in the mapping, or leave it out"
                )
        columns = ", ".join(header)
        raise Refused(
            f"{self.path}:1: column {missing[0]!r} is missing"
            + (f" (and {len(missing) - 1} more: {', '.join(missing[1:])})" if missing[1:] else "")
            + f"; the header has: {columns[:500]}. Correct the name in the mapping, or export with this column"
        )

    def _first_row(self, delimiter: str) -> list[str]:
        with self._open() as text:
            first = next((row for row in csv.reader(text, delimiter=delimiter) if row), [])
        return [name.strip() for name in first]

    def _csv_rows(self) -> Iterator[Row | Problem]:
        width = len(self._header)
        places = [(column, self._header.index(column)) for column in sorted(self._columns)]
        with self._open() as text:
            reader = csv.reader(text, delimiter=self._delimiter)
            seen_header = False
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Problem(
                        str(self.path), line, "", f"the row can't be read ({error})", "look for a quotation mark that is not closed"
                    )
                    continue
                if not cells:
                    continue
                if not seen_header:
                    seen_header = True
                elif len(cells) != width:
                    yield Problem(
                        str(self.path),
                        line,
                        "",
                        f"the row has {len(cells)} cells, the header {width}",
                        f"put quotation marks around a text that holds {_NAMES[self._delimiter]}, or complete the row",
                    )
                else:
                    yield Row(line, {column: self._clean(cells[place]) for column, place in places})

    def _json_rows(self) -> Iterator[Row | Problem]:
        for line, entry in self._json_objects():
            if isinstance(entry, Problem):
                yield entry
            else:
                yield Row(line, {column: self._clean(_text(_look_up(entry, column))) for column in self._columns})

    def _json_objects(self) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
        with self._open() as text:
            for line, content in enumerate(text, start=1):
                if not content.strip():
                    continue
                try:
                    entry = orjson.loads(content)
                except orjson.JSONDecodeError as error:
                    yield line, Problem(str(self.path), line, "", f"the line is not JSON ({error})", "write one JSON object a line")
                    continue
                if not isinstance(entry, dict):
                    yield (
                        line,
                        Problem(
                            str(self.path), line, "", "the line is JSON but no object", 'write one object a line, such as {"id": "A1"}'
                        ),
                    )
                    continue
                yield line, entry

    def _check_names(self) -> None:
        """Every column in use must occur in some line: a name that never does is misspelt. Reads no further than needed."""
        missing = set(self._columns)
        names: set[str] = set()
        for _, entry in self._json_objects():
            if not missing:
                return
            if isinstance(entry, dict):
                names.update(entry)
                missing = {column for column in missing if _look_up(entry, column) is _ABSENT}
        if missing:
            raise Refused(
                f"{self.path}: {sorted(missing)[0]!r} occurs in no line; the lines have: {', '.join(sorted(names))[:500]}. "
                "Correct the name in the mapping; parts of a name inside an object are joined by a dot"
            )

    def _clean(self, text: str) -> str:
        text = text.strip()
        return "" if text in self._mapping.file.empty else text


_ABSENT = object()


def _look_up(entry: dict[str, Any], column: str) -> Any:
    """The value of a column, or _ABSENT; `a.b` is b inside a."""
    if column in entry:
        return entry[column]
    value: Any = entry
    for part in column.split("."):
        if not isinstance(value, dict) or part not in value:
            return _ABSENT
        value = value[part]
    return value


def _text(value: Any) -> str:
    if value is None or value is _ABSENT:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _format(path: Path, mapping: Mapping) -> Literal["csv", "jsonl"]:
    if mapping.file.format != "auto":
        return mapping.file.format
    names = path.name.lower().removesuffix(".gz")
    return "jsonl" if names.endswith((".jsonl", ".ndjson", ".json")) else "csv"


def _digest(path: Path) -> tuple[str, bool]:
    """The SHA-256 of the file, and whether it is packed by gzip (by its first bytes, not its name)."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            return hashlib.file_digest(stream, "sha256").hexdigest(), packed
    except OSError as error:
        raise Refused(f"{path}: can't be read ({error.strerror}); check the name and its permissions") from None


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _bytes_of(path: Path, packed: bool) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")
