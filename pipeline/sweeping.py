"""Judging again what an older configuration judged, a page of keys at a time, while the stream runs."""

import asyncio
import logging
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from pipeline import metrics
from pipeline.configured import Configured
from pipeline.decode import AnswerKey, ContactKey
from pipeline.health import Health
from pipeline.worker import Worker

log = logging.getLogger(__name__)

SWEEP_S = 60.0
"""How often rows of an older generation are looked for where none were found; at once after a change of state."""
AT_ONCE = 2_000
"""Contacts or answers that are judged again in one step between two batches."""
PAGE = 20_000
"""Keys that are fetched at once: finding them costs a look at every row."""


class SweepStore(Protocol):
    """What is needed of the store. Calls block and wait by themselves while ClickHouse is unavailable."""

    def older(self, table: str, organisation: str, generation: int, limit: int) -> list[tuple[str, str, str]]: ...


class _Swept(NamedTuple):
    """When an organisation was last found to hold nothing older, of which generation and state, by the clock of upkeep."""

    generation: int = -1
    loads: int = -1
    at: float = float("-inf")


NEVER = _Swept()


class Sweeps:
    """Of each organisation: what was swept, and the keys of the last page."""

    def __init__(self, worker: Worker, store: SweepStore, health: Health) -> None:
        self._worker = worker
        self._store = store
        self._health = health
        self._swept: dict[str, _Swept] = {}
        self._last: dict[str, frozenset[ContactKey | AnswerKey]] = {}

    def due(self, now: float) -> str:
        """The organisation that waits longest; "" for none."""
        waiting = {
            name: self._swept.get(name, NEVER) for name, entry in self._worker.organisations().items() if self._is_due(name, entry, now)
        }
        return min(waiting, key=lambda name: waiting[name].at, default="")

    def _is_due(self, name: str, entry: Configured, now: float) -> bool:
        swept = self._swept.get(name, NEVER)
        return entry.generation > 0 and (
            swept.generation != entry.generation or swept.loads != self._worker.loads or now - swept.at >= SWEEP_S
        )

    async def page(self, name: str, now: float) -> None:
        """Judge one page again. With nothing left, check the sums once: another worker may have swept, and be late."""
        loads, entry = self._worker.loads, self._worker.organisations()[name]
        contacts: list[ContactKey] = await asyncio.to_thread(self._store.older, "contacts", name, entry.generation, PAGE)
        answers: list[AnswerKey] = await asyncio.to_thread(self._store.older, "survey_answers", name, entry.generation, PAGE)
        found = frozenset((*contacts, *answers))
        if found and found <= self._last.get(name, frozenset()):
            log.warning("organisation %s: a late writer wrote over what was judged again; its state is computed anew", name)
            metrics.RECOMPUTED.inc()
            self._last.pop(name)
            self._swept[name] = _Swept(entry.generation, loads, now)
            self._worker.reload()
            return
        if found:
            if await self._judge(name, entry, contacts, answers):
                self._last[name] = found
            else:
                self._last.pop(name, None)
            return
        first = self._swept.get(name, NEVER).loads != loads
        if self._last.pop(name, None) is not None:
            log.warning("organisation %s: everything is judged by generation %d", name, entry.generation)
        if loads == self._worker.loads:
            self._swept[name] = _Swept(entry.generation, loads, now)
        if first:
            await self._worker.check(name)

    async def _judge(self, name: str, entry: Configured, contacts: Sequence[ContactKey], answers: Sequence[AnswerKey]) -> bool:
        """False when it broke off: the organisation is no longer ours, or its state or configuration is another."""
        if name not in self._last:
            log.warning("organisation %s: what an older generation than %d judged is judged again", name, entry.generation)
        self._health.judging_again = name
        try:
            for keys, are_contacts in ((contacts, True), (answers, False)):
                for chunk in _chunks(keys):
                    if self._worker.organisations().get(name) is not entry:
                        return False
                    if not await self._worker.judge_again(chunk if are_contacts else (), () if are_contacts else chunk):
                        return False
                    metrics.JUDGED_AGAIN.inc(len(chunk))
                    await asyncio.sleep(0)  # batches that wait go first
            await self._worker.settled()
            return True
        finally:
            self._health.judging_again = ""


def _chunks(keys: Sequence[ContactKey]) -> list[list[ContactKey]]:
    rest = iter(keys)
    return list(iter(lambda: list(islice(rest, AT_ONCE)), []))
