"""What is wrong with a row or a file: where, what, and what a person can do about it."""

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Self

_SHOWN = 80


@dataclass(frozen=True)
class Problem:
    """A refused row. `line` counts from 1 and includes the header; `column` is empty where the whole row is meant."""

    file: str
    line: int
    column: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" + (f": column {self.column!r}" if self.column else "")
        return f"{place}: {self.message}; {self.remedy}"


class Unusable(ValueError):
    """A value of a row can't be used: `column`, what is wrong, and the remedy. The row is refused."""

    def __init__(self, column: str, message: str, remedy: str) -> None:
        super().__init__(f"column {column!r}: {message}; {remedy}")
        self.column = column
        self.message = message
        self.remedy = remedy


def shown(text: str) -> str:
    """A value as it stands in a message: quoted, and cut when long."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


class ProblemFile:
    """Problems as CSV that a spreadsheet opens; the file is made at the first problem. `append` goes on with an earlier one."""

    def __init__(self, path: Path, append: bool = False) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8", newline="") if append and path.exists() else None
        if not append:
            path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, problem: Problem) -> None:
        """Add one problem."""
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._file).writerow([field.name for field in fields(Problem)])
        csv.writer(self._file).writerow(asdict(problem).values())
        self._file.flush()


def count_problems(path: Path, file: str) -> int:
    """How many problems of `file` (as problems name it) a problem file lists; 0 when it is not there or is no problem file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return sum(row.get("file") == file for row in csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error):
        return 0
