"""Writing the rows of a batch: table by table in the order of `rows.COLUMNS`, contacts last, each retried with the same rows."""

from collections.abc import Callable, Mapping, Sequence

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.insert import InsertContext

from pipeline.rows import COLUMNS, Row
from pipeline.store.client import Connection, Unavailable, passing_errors, persistently


class Writer:
    """One connection that inserts. Not for several threads at once.

    `wait` is called when ClickHouse is unavailable, before the same rows are tried again: it sleeps, says so, or raises to give up.
    `after_insert` is told the table after each insert (tests end the process there).
    """

    def __init__(
        self, connection: Connection, wait: Callable[[Unavailable], None], after_insert: Callable[[str], None] = lambda _table: None
    ) -> None:
        self._connection = connection
        self._wait = wait
        self._after_insert = after_insert
        self._client: Client | None = None
        self._contexts: dict[str, InsertContext] = {}

    def write(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Insert every table's rows; returns when all are stored. Every table is idempotent by key and version, so a retry may repeat."""
        for table in COLUMNS:
            rows = tables.get(table)
            if rows:
                persistently(lambda table=table, rows=rows: self._insert(table, rows), self._wait)  # type: ignore[misc]
                self._after_insert(table)

    def _insert(self, table: str, rows: Sequence[Row]) -> None:
        try:
            with passing_errors(f"inserting {len(rows)} rows into {table}"):
                context = self._context(table)
                context.data = rows
                assert self._client is not None
                self._client.insert(context=context)
        except Unavailable:
            self._client = None
            self._contexts.clear()
            raise

    def _context(self, table: str) -> InsertContext:
        """Made once a connection: it costs a query for the column types."""
        if self._client is None:
            self._client = self._connection.open()
        if table not in self._contexts:
            self._contexts[table] = self._client.create_insert_context(table, column_names=COLUMNS[table])
        return self._contexts[table]

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None
