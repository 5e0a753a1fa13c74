"""What a worker does beside the stream: judging again what an older configuration judged, checking its sums, erasing what was forgotten,
counting the months that stay, looking for drift, keeping figures for boards.

The first two are steps between two batches (`Worker.judge_again`, `Worker.check`): the stream waits for one step, never for all of them.
The others concern what is stored, and the stream goes on meanwhile.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from pipeline.health import Health
from pipeline.looking import Looks
from pipeline.showing import Shows
from pipeline.sweeping import Sweeps, SweepStore
from pipeline.worker import Worker

log = logging.getLogger(__name__)

CHECK_S = 60.0
"""How often one organisation's sums are compared with what SQL computes from the rows."""
ERASE_S = 5.0
AGGREGATE_AFTER_S = 600.0
"""How long after its start a worker first counts the months that stay: what it has to catch up with goes first."""
ERASE_SHARE = 20
"""Erasing rewrites whole parts on disk: it rests this many times as long as it took."""


class UpkeepStore(SweepStore, Protocol):
    """What is needed of the store. Calls block and wait by themselves while ClickHouse is unavailable."""

    def erase_forgotten(self, organisations: Sequence[str]) -> int: ...
    def aggregate(self, organisation: str) -> timedelta: ...


class Upkeep:
    """Call `step` every second. One organisation at a time, each in its turn, however many there are."""

    def __init__(
        self,
        worker: Worker,
        store: UpkeepStore,
        health: Health,
        looks: Looks,
        shows: Shows,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker = worker
        self._store = store
        self._looks = looks
        self._shows = shows
        self._clock = clock
        self._sweeps = Sweeps(worker, store, health)
        self._erasing: asyncio.Task[None] | None = None
        self._checked_at: dict[str, float] = {}
        self._next_check = clock() + CHECK_S
        self._next_erasure = clock()
        self._first_aggregates = clock() + AGGREGATE_AFTER_S
        self._next_aggregates: dict[str, float] = {}

    async def step(self) -> None:
        """Do what is due, if anything is."""
        self._looks.step()
        self._shows.step()
        configured, now = self._worker.organisations(), self._clock()
        if name := self._sweeps.due(now):
            await self._sweeps.page(name, now)
        if configured and now >= self._next_check:
            self._next_check = now + CHECK_S
            whose_turn = min(sorted(configured), key=lambda name: self._checked_at.get(name, float("-inf")))
            self._checked_at[whose_turn] = now
            await self._worker.check(whose_turn)
        if configured and now >= self._next_erasure and (self._erasing is None or self._erasing.done()):
            if self._erasing is not None:
                self._erasing.result()  # raises what went wrong
            self._erasing = asyncio.create_task(self._erase(sorted(configured)))
        whose = next((name for name in configured if now >= self._next_aggregates.get(name, self._first_aggregates)), None)
        if whose is not None:
            again = await asyncio.to_thread(self._store.aggregate, whose)
            self._next_aggregates[whose] = self._clock() + again.total_seconds()

    async def _erase(self, organisations: Sequence[str]) -> None:
        """Beside everything else: on a large table it takes long."""
        begin = self._clock()
        erased = await asyncio.to_thread(self._store.erase_forgotten, organisations)
        self._next_erasure = self._clock() + max(ERASE_S, ERASE_SHARE * (self._clock() - begin))
        if erased:
            log.warning("the older rows of %d forgotten contacts and answers are deleted", erased)
