"""What the local board says that fires, as it runs itself: its own rounds of the rules, and the worker's /metrics without a Prometheus."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

from dashboards.alerts.firing import Firing
from dashboards.reading.metrics import Metrics
from deploy.local.network import LOOPBACK
from pipeline.store.boards_reading import BoardReader, Column
from pipeline.store.client import Connection

Said = Callable[[], dict[str, Any]]


@contextmanager
def local_board(board: Connection, worker_port: int, organisation: str) -> Iterator[Said]:
    """Its rounds go on until the end of the block; call it for what it says of an organisation in Dutch."""
    reader, loop = BoardReader(board), asyncio.new_event_loop()
    with ThreadPoolExecutor(2) as pool:

        def ask(sql: str) -> Awaitable[list[Column]]:
            return loop.run_in_executor(pool, reader.ask, sql)

        firing, ended = Firing(ask, metrics := Metrics("", f"http://{LOOPBACK}:{worker_port}/metrics")), asyncio.Event()

        async def run() -> None:
            app = web.Application()
            async with asynccontextmanager(metrics.running)(app), asynccontextmanager(firing.running)(app):
                await ended.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),), name="local board", daemon=True)
        thread.start()
        try:
            yield lambda: firing.of(organisation, "nl")
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join(30)
            loop.close()
    reader.close()
