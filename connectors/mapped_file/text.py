"""A text file, packed by gzip or not: its bytes looked through once, its encoding settled, its lines counted."""

import codecs
import gzip
import hashlib
import io
import zlib
from pathlib import Path
from typing import BinaryIO, Literal, cast

from connectors.protocol import Refused

_CHUNK = 1 << 20


class _OtherEncoding(Refused):
    """The bytes are not text in this encoding."""


class Bytes:
    """A file as it lies there: `digest` is its SHA-256, `packed` says whether it is gzip (by its first bytes, not its name)."""

    def __init__(self, path: Path) -> None:
        """Raises Refused when the file can't be read."""
        self.path = path
        try:
            with path.open("rb") as stream:
                self.start = stream.read(8)
                stream.seek(0)
                self.digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise Refused(f"{path}: can't be read ({error.strerror}); check the name and its permissions") from None
        self.packed = self.start.startswith(b"\x1f\x8b")
        self._stamp = self._look()

    def open(self) -> BinaryIO:
        """What is in it, unpacked."""
        return cast(BinaryIO, gzip.open(self.path, "rb")) if self.packed else self.path.open("rb")

    def check_unchanged(self) -> None:
        """Raises Refused when the file was written since it was looked through."""
        if self._look() != self._stamp:
            raise Refused(f"{self.path}: the file changed while it was read; load it again when it is complete")

    def _look(self) -> tuple[int, int]:
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns


class Text:
    """A file as text. Making one reads all of it; raises Refused when it can't be read. `lines` is how many lines it has."""

    def __init__(self, content: Bytes, declared: Literal["utf-8", "cp1252", "auto"], notes: list[str]) -> None:
        self._content = content
        self._path = content.path
        self.encoding = "cp1252"
        if declared == "cp1252":
            self.lines = self._decode("cp1252")
            return
        try:
            self.lines = self._decode("utf-8")
        except _OtherEncoding:
            if declared == "utf-8":
                raise
        else:
            self.encoding = "utf-8-sig"
            return
        self.lines = self._decode("cp1252")
        notes.append(
            f"{self._path} is not UTF-8; it is read as cp1252 (Windows); write `encoding: cp1252` under `file:` in the mapping to settle it"
        )

    def open(self, newline: str | None) -> io.TextIOWrapper:
        """The text from its beginning. A decoder error can't occur any more: everything was read with this encoding."""
        return io.TextIOWrapper(self._content.open(), encoding=self.encoding, newline=newline)

    def _decode(self, encoding: Literal["utf-8", "cp1252"]) -> int:
        """The number of lines, if all of it can be decoded."""
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        lines, empty, last = 1, True, b""
        with self._content.open() as stream:
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
            raise Refused(f"{self._path}: the file is empty; export it again, with a header")
        return lines - (last == b"\n")

    def _read(self, stream: BinaryIO) -> bytes:
        try:
            return stream.read(_CHUNK)
        except (EOFError, OSError, zlib.error) as error:
            raise Refused(f"{self._path}: can't be unpacked ({error}); the file is damaged or not complete: copy it again") from None

    def _undecodable(self, encoding: str, line: int) -> _OtherEncoding:
        remedy = "save the file as UTF-8, or write `encoding: cp1252`" if encoding == "utf-8" else "save the file as UTF-8"
        return _OtherEncoding(f"{self._path}:{line}: this is not {encoding} text; {remedy} under `file:` in the mapping")

    def _check_kind(self, start: bytes) -> None:
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise Refused(f"{self._path}: the file is UTF-16 text; save it as `CSV UTF-8`")
        if start.startswith(b"PK\x03\x04"):
            raise Refused(f"{self._path}: the file is a workbook or zip archive, not text; if it is a workbook, name it .xlsx")
