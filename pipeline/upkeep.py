"""What a worker does beside the stream: judging again what an older configuration judged, checking its sums, erasing what was forgotten,
counting the months that stay.

The first two are steps between two batches (`Worker.judge_again`, `Worker.check`): the stream waits for one step, never for all of them.
The others concern what is stored, and the stream goes on meanwhile.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice
from typing import Protocol

from pipeline import metrics
from pipeline.configured import Configured
from pipeline.decode import AnswerKey, ContactKey
from pipeline.health import Health
from pipeline.worker import Worker

log = logging.getLogger(__name__)

SWEEP_S = 60.0
"""How often rows of an older generation are looked for where none were found; at once after a change of state."""
CHECK_S = 60.0
"""How often one organisation's sums are compared with what SQL computes from the rows."""
ERASE_S = 5.0
AGGREGATE_AFTER_S = 600.0
"""How long after its start a worker first counts the months that stay: what it has to catch up with goes first."""
AT_ONCE = 2_000
"""Contacts or answers that are judged again in one step."""
FETCHED = 100_000
"""Keys that are fetched at once: finding them costs a look at every row."""


class UpkeepStore(Protocol):
    """What is needed of the store. Calls block and wait by themselves while ClickHouse is unavailable."""

    def older(self, table: str, organisation: str, generation: int, limit: int) -> list[tuple[str, str, str]]: ...
    def erase_forgotten(self) -> int: ...
    def aggregate(self, organisation: str) -> timedelta: ...


class Upkeep:
    """Call `step` every second. One organisation at a time, each in its turn, however many there are."""

    def __init__(self, worker: Worker, store: UpkeepStore, health: Health, clock: Callable[[], float] = time.monotonic) -> None:
        self._worker = worker
        self._store = store
        self._health = health
        self._clock = clock
        self._swept: dict[str, tuple[int, int, float]] = {}
        self._checked: list[str] = []
        self._next_check = clock() + CHECK_S
        self._next_erasure = clock()
        self._first_aggregates = clock() + AGGREGATE_AFTER_S
        self._next_aggregates: dict[str, float] = {}

    async def step(self) -> None:
        """Do what is due, if anything is."""
        configured, now = self._worker.organisations(), self._clock()
        due = [name for name, entry in configured.items() if self._due(name, entry, now)]
        if due:
            longest = min(due, key=lambda name: self._swept.get(name, (0, 0, 0.0))[2])
            await self._sweep(longest, configured[longest])
        if configured and now >= self._next_check:
            self._next_check = now + CHECK_S
            await self._worker.check(self._whose_turn(configured))
        if now >= self._next_erasure:
            self._next_erasure = now + ERASE_S
            erased = await asyncio.to_thread(self._store.erase_forgotten)
            if erased:
                log.warning("the older rows of %d forgotten contacts and answers are deleted", erased)
        whose = next((name for name in configured if now >= self._next_aggregates.get(name, self._first_aggregates)), None)
        if whose is not None:
            again = await asyncio.to_thread(self._store.aggregate, whose)
            self._next_aggregates[whose] = self._clock() + again.total_seconds()

    def _due(self, name: str, entry: Configured, now: float) -> bool:
        generation, loads, at = self._swept.get(name, (-1, -1, 0.0))
        return entry.generation > 0 and (generation != entry.generation or loads != self._worker.loads or now - at >= SWEEP_S)

    def _whose_turn(self, names: Sequence[str] | dict[str, Configured]) -> str:
        self._checked = [name for name in self._checked if name in names]
        if set(names) <= set(self._checked):
            self._checked = []
        name = next(name for name in sorted(names) if name not in self._checked)
        self._checked.append(name)
        return name

    async def _sweep(self, name: str, entry: Configured) -> None:
        """Judge again, in steps, until no row is of an older generation; then check the sums: another worker may have swept before us."""
        loads, done = self._worker.loads, 0
        while True:
            contacts: list[ContactKey] = await asyncio.to_thread(self._store.older, "contacts", name, entry.generation, FETCHED)
            answers: list[AnswerKey] = await asyncio.to_thread(self._store.older, "survey_answers", name, entry.generation, FETCHED)
            if not contacts and not answers:
                break
            if not done:
                log.warning("organisation %s: contacts and answers of an older generation than %d are judged again", name, entry.generation)
            for chunk in _chunks(contacts):
                if not await self._again(name, entry, chunk, ()):
                    return
            for chunk in _chunks(answers):
                if not await self._again(name, entry, (), chunk):
                    return
            done += len(contacts) + len(answers)
            await self._worker.settled()
        self._health.judging_again = ""
        first = self._swept.get(name, (0, 0, 0.0))[1] != loads
        if loads == self._worker.loads:
            self._swept[name] = (entry.generation, loads, self._clock())
        if done:
            log.warning("organisation %s: %d contacts and answers are judged by generation %d", name, done, entry.generation)
        if done or first:
            await self._worker.check(name)

    async def _again(self, name: str, entry: Configured, contacts: Sequence[ContactKey], answers: Sequence[AnswerKey]) -> bool:
        """One step; False when the organisation is no longer ours, or another configuration is in force."""
        if self._worker.organisations().get(name) is not entry:
            return False
        self._health.judging_again = name
        await self._worker.judge_again(contacts, answers)
        metrics.JUDGED_AGAIN.inc(len(contacts) + len(answers))
        await asyncio.sleep(0)  # batches that wait go first
        return True


def _chunks(keys: Sequence[ContactKey]) -> list[list[ContactKey]]:
    rest = iter(keys)
    return list(iter(lambda: list(islice(rest, AT_ONCE)), []))
