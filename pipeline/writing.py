"""Storing what a step caused while the next one is computed: one write at a time, in the order of the steps."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Protocol

from pipeline import metrics
from pipeline.decode import Reject
from pipeline.rows import Row

Tables = Mapping[str, Sequence[Row]]
"""Rows by table."""


class WriteStore(Protocol):
    """What is needed of the store. The call blocks and waits by itself while ClickHouse is unavailable."""

    def write(self, tables: Tables) -> None: ...


class Writing:
    """The write under way. Await `done` before another is begun.

    send_rejects: delivers rejects to their topic.
    """

    def __init__(self, store: WriteStore, send_rejects: Callable[[Sequence[Reject]], Awaitable[None]]) -> None:
        self._store = store
        self._send_rejects = send_rejects
        self._under_way: asyncio.Task[None] | None = None

    def begin(self, tables: Tables, rejects: Sequence[Reject], stored: Callable[[], None]) -> None:
        """Store what a batch caused, then call `stored`."""
        self._begin(self._batch(tables, rejects, stored))

    def begin_again(self, tables: Tables) -> None:
        """Store what judging again caused. Contacts before answers: while an answer is not written again it is found again, and with it the
        contact that must know of it. What is to be erased is noted first of all: an empty row is not found again.
        """
        self._begin(self._in_order(tables))

    async def done(self) -> None:
        """Wait for the write under way; its error, if any, is raised here. A caller that is cancelled leaves the write going on."""
        if self._under_way is not None:
            await asyncio.shield(self._under_way)

    async def raise_failure(self) -> None:
        """Raise what went wrong, if it has, without waiting."""
        if self._under_way is not None and self._under_way.done():
            await self._under_way

    def _begin(self, write: Coroutine[None, None, None]) -> None:
        self._under_way = asyncio.create_task(write)

    async def _batch(self, tables: Tables, rejects: Sequence[Reject], stored: Callable[[], None]) -> None:
        begin = time.monotonic()
        if rejects:
            await self._send_rejects(rejects)
        await self._insert(tables)
        metrics.INSERT_SECONDS.observe(time.monotonic() - begin)
        stored()

    async def _in_order(self, tables: Tables) -> None:
        begin = time.monotonic()
        first = ("tombstones", "contacts")
        for name in first:
            await self._insert({name: tables.get(name, [])})
        await self._insert({name: rows for name, rows in tables.items() if name not in first})
        metrics.INSERT_SECONDS.observe(time.monotonic() - begin)

    async def _insert(self, tables: Tables) -> None:
        await asyncio.to_thread(self._store.write, tables)
        for table, rows in tables.items():
            metrics.ROWS.labels(table).inc(len(rows))
