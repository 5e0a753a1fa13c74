"""What boards read: any statement of theirs over the views, as a user who may read nothing else, within limits."""

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.store.client import VIEWS, Connection, Unavailable, error_code, first_line, passing_errors
from schemas.errors import ContactmeterError

LONGEST_S = 10
MOST_ROWS = 20_000
_TOO_LONG, _TOO_MUCH_MEMORY, _TOO_MANY_ROWS = 159, 241, 396
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(ContactmeterError):
    """ClickHouse does not run a statement: it is wrong, or asks more than a board may. The same statement is refused again."""


class Column(NamedTuple):
    """One column of an answer. `kind`: time (epoch ms), number, boolean or string; None where there is nothing."""

    name: str
    kind: str
    values: list[Any]


class BoardReader:
    """Asks the views, from several threads: each has a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._local = threading.local()
        self._clients: list[Client] = []

    def ask(self, sql: str) -> list[Column]:
        """The answer to a statement, by column. Raises Unavailable and Refused."""
        client = self._client()
        try:
            with passing_errors("reading for a board"):
                found = client.query(sql, settings={"max_execution_time": LONGEST_S, "max_result_rows": MOST_ROWS})
        except Unavailable as error:
            if isinstance(error.__cause__, ClickHouseError) and error_code(error.__cause__) in (_TOO_LONG, _TOO_MUCH_MEMORY):
                raise Refused(f"this asks too much of ClickHouse: {first_line(error.__cause__)}") from error
            self._local.client = None
            raise
        except ClickHouseError as error:
            if error_code(error) == _TOO_MANY_ROWS:
                raise Refused(f"more than {MOST_ROWS:,} rows: choose a shorter time or a single channel") from error
            raise Refused(first_line(error).rpartition("DB::Exception: ")[2].partition(" (version ")[0]) from error
        kinds = [kind_of(str(one.name)) for one in found.column_types]
        columns: Sequence[Sequence[Any]] = found.result_columns or [[] for _ in kinds]
        return [
            Column(name, kind, [_FORMS[kind](value) if value is not None else None for value in values])
            for name, kind, values in zip(found.column_names, kinds, columns, strict=True)
        ]

    def close(self) -> None:
        """Close every connection; no thread may be asking any more."""
        for client in self._clients:
            with suppress(ClickHouseError, OSError):
                client.close()

    def _client(self) -> Client:
        client: Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = self._connection.open(VIEWS)
            self._clients.append(client)
        return client


def kind_of(name: str) -> str:
    """The kind of a column by the name of its type in ClickHouse."""
    for wrapper in ("LowCardinality(", "Nullable("):
        name = name.removeprefix(wrapper)
    if name.startswith("Date"):
        return "time"
    if name.startswith("Bool"):
        return "boolean"
    return "number" if name.startswith(("Int", "UInt", "Float", "Decimal")) else "string"


def _milliseconds(value: date) -> int:
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return ((value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)


def _number(value: float | Decimal) -> float | None:
    """A number as JSON has it: without NaN and infinities."""
    if isinstance(value, int):
        return value
    return float(value) if math.isfinite(value) else None


_FORMS: dict[str, Callable[[Any], Any]] = {"time": _milliseconds, "number": _number, "boolean": bool, "string": str}
