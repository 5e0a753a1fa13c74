"""JSON lines: one object a line; `a.b` names b inside a."""

from collections.abc import Iterator
from typing import Any

import orjson

from connectors.mapped_file.problems import Problem
from connectors.mapped_file.tables import Row
from connectors.mapped_file.text import Text
from connectors.protocol import Refused

_ABSENT = object()


class JsonLines:
    """A file of JSON lines, of which `columns` are kept (None: every name that occurs). Raises Refused when one occurs in no line."""

    def __init__(self, text: Text, columns: set[str] | None, place: str) -> None:
        self._text = text
        self._place = place
        self.names = list(dict.fromkeys(self._names())) if columns is None else sorted(columns)
        self._columns = set(self.names)
        self._check_names()

    def rows(self) -> Iterator[Row | Problem]:
        """Every line; one that can't be read comes as a Problem in its place."""
        for line, entry in self._objects():
            if isinstance(entry, Problem):
                yield entry
            else:
                yield Row(line, {column: _text(_look_up(entry, column)) for column in self._columns})

    def top(self) -> tuple[()]:
        """Nothing: there is no header."""
        return ()

    def _objects(self) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
        with self._text.open(newline=None) as text:
            for line, content in enumerate(text, start=1):
                if not content.strip():
                    continue
                try:
                    entry = orjson.loads(content)
                except orjson.JSONDecodeError as error:
                    yield line, Problem(self._place, line, "", f"the line is not JSON ({error})", "write one JSON object a line")
                    continue
                if isinstance(entry, dict):
                    yield line, entry
                else:
                    remedy = 'write one object a line, such as {"id": "A1"}'
                    yield line, Problem(self._place, line, "", "the line is JSON but no object", remedy)

    def _names(self) -> Iterator[str]:
        """Every name that holds a value, those inside objects with their dots."""
        for _, entry in self._objects():
            waiting = list(entry.items())[::-1] if isinstance(entry, dict) else []
            while waiting:
                name, value = waiting.pop()
                if isinstance(value, dict):
                    waiting += [(f"{name}.{part}", inner) for part, inner in value.items()][::-1]
                else:
                    yield name

    def _check_names(self) -> None:
        """Reads no further than needed."""
        missing = set(self._columns)
        names: set[str] = set()
        for _, entry in self._objects():
            if not missing:
                return
            if isinstance(entry, dict):
                names.update(entry)
                missing = {column for column in missing if _look_up(entry, column) is _ABSENT}
        if missing:
            raise Refused(
                f"{self._place}: {sorted(missing)[0]!r} occurs in no line; the lines have: {', '.join(sorted(names))[:500]}. "
                "Correct the name in the mapping; parts of a name inside an object are joined by a dot"
            )


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
