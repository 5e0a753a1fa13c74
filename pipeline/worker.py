"""The worker's loop: take records, fold them in, write, acknowledge. It knows no Faust (app.py hands it records) and no SQL.

    decode -> look up what is missing -> apply -> await the write of the batch before -> start this one's write; acknowledge when it is done

Records are acknowledged in the order in which they were taken and only after everything they caused is stored. Whatever belongs to an
assignment that has ended is dropped unacknowledged: Kafka delivers it again to the new owner.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from pipeline import metrics
from pipeline.answers import StoredAnswer
from pipeline.assignment import Assignment
from pipeline.braking import Braking
from pipeline.configured import Configured
from pipeline.decode import AnswerKey, ContactKey, Decoded, Record, Reject, decode
from pipeline.health import Health
from pipeline.held import StoredContact
from pipeline.loading import Loader, LoadStore
from pipeline.rolling import Sums, minute_of
from pipeline.rows import Row
from pipeline.selfcheck import Difference, compare
from pipeline.writing import WriteStore, Writing
from schemas.partitions import partition_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """A record and how to acknowledge it."""

    record: Record
    acknowledge: Callable[[], object]


class Store(LoadStore, WriteStore, Protocol):
    """What the loop needs of the store. Calls block and wait by themselves while ClickHouse is unavailable."""

    def look_up(self, contacts: Sequence[ContactKey], answers: Sequence[AnswerKey]) -> tuple[list[StoredContact], list[StoredAnswer]]: ...
    def write_figures(self, rows: Sequence[Row]) -> None: ...
    def written_by_others(self, organisation: str, writer: int, since: float) -> bool: ...


class Worker:
    """One worker process. All methods run in one event loop; blocking calls go to threads.

    configured: the organisations in force. start_of: the first offset to read, by partition, for partitions just assigned (blocking).
    send_rejects: delivers rejects to their topic. clock: epoch milliseconds.
    """

    def __init__(
        self,
        store: Store,
        configured: Callable[[], dict[str, Configured]],
        start_of: Callable[[frozenset[int]], dict[int, int]],
        send_rejects: Callable[[Sequence[Reject]], Awaitable[None]],
        health: Health,
        braking: Braking,
        clock: Callable[[], int],
        batch_bytes: int,
        contacts_in_memory: int,
    ) -> None:
        self._store = store
        self._loader = Loader(store, configured, start_of, clock)
        self._health = health
        self._braking = braking
        self._clock = clock
        self._batch_bytes = batch_bytes
        self._contacts_in_memory = contacts_in_memory
        self._partitions: frozenset[int] = frozenset()
        self._epoch = 0
        self._assignments = 0
        self._next: dict[int, int] = {}
        self._state: Assignment | None = None
        self._reloads = 0
        self._step = asyncio.Lock()
        """Held while the state is computed or a batch is folded in: no state may be read between the two halves of a batch."""
        self._writing = Writing(store, send_rejects)
        self.reassigned = asyncio.Event()
        """Set when partitions were assigned: their state need not wait for the next tick."""

    # ── assignment ──────────────────────────────────────────────────────────────────────────────────────────────

    def assigned(self, partitions: frozenset[int]) -> None:
        """A rebalance ended: these partitions are ours now. What we knew is forgotten, others may have written meanwhile."""
        self._partitions = partitions
        self._epoch += 1
        self._assignments += 1
        self._next.clear()
        self.reload()
        self._health.partitions = partitions
        self.reassigned.set()
        log.info("assigned %d partitions", len(partitions))

    def revoked(self) -> None:
        """A rebalance began: from now on nothing is ours."""
        self._partitions = frozenset()
        self._epoch += 1
        self._next.clear()
        self.reload()

    def reload(self) -> None:
        """Compute the state anew before the next step: a rebalance, or another configuration."""
        self._reloads += 1
        self._state = None
        self._braking.wake()
        self._health.assigned = False

    async def reconfigure(self, refresh: Callable[[], bool]) -> None:
        """Let `refresh` (blocking) take up another configuration between two batches, everything applied being stored.

        So it sees all contacts that were judged by the present one. The state is computed anew when it returns True.
        """
        async with self._step:
            await self._writing.done()
            if await asyncio.to_thread(refresh):
                self.reload()
                await self._braking.reconsider()

    async def _present_state(self) -> Assignment | None:
        """The state of the present assignment, computed when there is none; None while no partition is ours. With `_step` held."""
        while self._state is None and self._partitions:
            await self._writing.done()
            reloads = self._reloads
            self._health.loading = True  # however long it takes: no stall
            loaded = await asyncio.to_thread(self._loader.load, self._partitions, dict(self._next))
            self._health.loading = False
            if reloads == self._reloads:
                self._state = loaded.state
                self._health.organisations = loaded.organisations
                self._health.assigned = True
                metrics.ASSIGNMENTS.inc()
        return self._state

    def _accepts(self, record: Record, state: Assignment, following: dict[int, int]) -> bool:
        """Whether a record follows on what this assignment has read; notes in `following` what comes after it.

        Faust's buffers can still hold records of before a rebalance. After the first assignment of a process the first record taken of a
        partition must not lie past the offset from which it is delivered again: else the acknowledgement of a stale one would skip others.
        """
        if record.partition not in self._partitions:
            return False
        if record.partition not in following and self._assignments > 1 and record.offset > state.start.get(record.partition, 0):
            return False
        following[record.partition] = record.offset + 1
        return True

    # ── batches ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def take(self, taken: Sequence[Taken]) -> None:
        """Process records in order, in micro-batches of at most `batch_bytes`."""
        batch: list[Taken] = []
        size = 0
        for item in taken:
            length = len(item.record.value or b"")
            if batch and size + length > self._batch_bytes:
                await self._fold_in(batch)
                batch, size = [], 0
            batch.append(item)
            size += length
        if batch:
            await self._fold_in(batch)

    async def _fold_in(self, taken: list[Taken]) -> None:
        """Fold one micro-batch in, as soon as the brake lets it; it is held without `_step`, so that all else goes on."""
        epoch = self._epoch
        while epoch == self._epoch:
            async with self._step:
                if await self._process(taken, epoch):
                    return
            await self._braking.wait()

    async def _process(self, taken: list[Taken], epoch: int) -> bool:
        """Fold one micro-batch in; drop it when it is no longer ours, start over when only the configuration changed.

        Returns False when the brake holds it.
        """
        state = await self._present_state()
        while state is not None and epoch == self._epoch:
            begin = time.monotonic()
            following = dict(self._next)
            ours = [item for item in taken if self._accepts(item.record, state, following)]
            batch = [decode(item.record, state.organisations) for item in ours]
            if not await self._look_up(state, batch):
                state = await self._present_state()
                continue
            if self._braking.holds(batch):
                return False
            state.advance(minute_of(self._clock()))
            rows = state.apply(batch)
            self._next = following
            rows.add("rolling", state.figures())
            metrics.BATCH_SECONDS.observe(time.monotonic() - begin)
            self._count(batch, state)
            await self._writing.done()
            state.trim(self._contacts_in_memory)
            rejects = [reject for decoded in batch for reject in decoded.rejects]
            self._writing.begin(rows.tables, rejects, partial(self._acknowledge, epoch, ours))
            self._reload_if_stale(state)
            break
        return True

    def _reload_if_stale(self, state: Assignment) -> None:
        """Sums, hashes and cached contacts alike: all of them may miss what a late writer wrote."""
        if state.stale:
            log.warning("a late writer was found; the state of %s is computed anew", ", ".join(sorted(state.stale)))
            metrics.RECOMPUTED.inc()
            self.reload()

    async def _look_up(
        self, state: Assignment, batch: Sequence[Decoded], contacts: Sequence[ContactKey] = (), answers: Sequence[AnswerKey] = ()
    ) -> bool:
        """Fetch what a batch, or a sweep of contacts and answers, needs; False when the state was replaced meanwhile."""
        while any(missing := state.missing(batch, contacts, answers)):
            metrics.LOOKUPS.inc(len(missing[0]) + len(missing[1]))
            found = await asyncio.to_thread(self._store.look_up, *missing)
            if self._state is not state:
                return False
            state.remember(*found)
            self._note_mismatches(state)
        return True

    def _note_mismatches(self, state: Assignment) -> None:
        metrics.MISMATCHES.inc(state.mismatches)
        self._health.mismatches += state.mismatches
        state.mismatches = 0

    def _acknowledge(self, epoch: int, taken: Sequence[Taken]) -> None:
        """Unless they are no longer ours to acknowledge."""
        if epoch == self._epoch:
            for item in taken:
                item.acknowledge()

    def _count(self, batch: Sequence[Decoded], state: Assignment) -> None:
        health = self._health
        for decoded in batch:
            metrics.RECORDS.inc()
            metrics.EVENTS.inc(decoded.events)
            health.events += decoded.events
            health.rejects += len(decoded.rejects)
            health.last_event_at = decoded.record.appended_ms
            for reject in decoded.rejects:
                metrics.REJECTS.labels(reject.reason).inc()
        metrics.CONTACTS.set(state.contacts_in_memory)

    # ── upkeep ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def loads(self) -> int:
        """Changes when the state was computed anew, or is about to be."""
        return self._reloads

    def organisations(self) -> dict[str, Configured]:
        """The organisations of the present assignment; none while there is no state."""
        if self._state is None:
            return {}
        return {name: entry for name, entry in self._state.organisations.items() if partition_of(name) in self._partitions}

    async def judge_again(self, contacts: Sequence[ContactKey], answers: Sequence[AnswerKey]) -> bool:
        """Judge stored contacts and answers by the configuration in force, as a step between two batches.

        False when the state was replaced meanwhile: nothing was done.
        """
        async with self._step:
            state = await self._present_state()
            if state is None or not await self._look_up(state, (), contacts, answers):
                return False
            state.advance(minute_of(self._clock()))
            rows = state.judge_again(contacts, answers)
            rows.add("rolling", state.figures())
            await self._writing.done()
            state.trim(self._contacts_in_memory)
            self._writing.begin_again(rows.tables)
            self._reload_if_stale(state)
            return True

    async def settled(self) -> None:
        """Wait until everything that was begun is stored."""
        async with self._step:
            await self._writing.done()

    async def check(self, organisation: str) -> None:
        """Compare an organisation's sums with those that SQL computes from the stored rows, at a barrier between two batches.

        When they differ the state is computed anew. A late writer explains that; without one it is a mismatch, which must not be.
        """
        async with self._step:
            state = await self._present_state()
            if state is None or organisation not in state.sums:
                return
            await self._writing.done()
            state.advance(minute_of(self._clock()))
            found = await asyncio.to_thread(self._compare, organisation, state.sums[organisation])
            if state is not self._state:
                return
            metrics.CHECKS.inc()
            self._health.checked_at = self._clock()
            if found is None:
                return
            found.explained = await asyncio.to_thread(self._store.written_by_others, organisation, state.writer, state.loaded_at)
            self.reload()
        found.report(self._health)

    def _compare(self, organisation: str, sums: Sums) -> Difference | None:
        stored = self._store.sums([organisation], sums.as_of)[organisation]
        return compare(organisation, sums.minutes(), stored.minutes())

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def tick(self) -> None:
        """Move the windows to the present minute and write what that changed; to be called every second."""
        await self._writing.raise_failure()  # also when no record follows
        await self._braking.look()
        async with self._step:
            state = await self._present_state()
            if state is None:
                return
            state.advance(minute_of(self._clock()))
            figures = state.figures()
        if figures:
            await asyncio.to_thread(self._store.write_figures, figures)
        self._health.beat = time.monotonic()

    async def close(self) -> None:
        """Finish the write under way, so that its records are acknowledged."""
        await self._writing.done()
