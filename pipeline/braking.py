"""The brake put to use: the worker stands still, says why, and goes on when a person, another version or another configuration lets it."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pipeline import metrics
from pipeline.brake import Brake, Stop
from pipeline.configured import Configured
from pipeline.decode import Decoded
from pipeline.health import Health

log = logging.getLogger(__name__)

CONFIGURATION = "another configuration"
RELEASE_HOLDS_MS = 24 * 3_600_000
"""For so long after `contactmeter resume` a restarted worker takes it that the rubbish is not over."""
LOOK_S = 2.0
"""How often the store is asked whether a person said `contactmeter resume`."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which worker this is: its consumer group, its name in it ("" when it has none) and its version."""

    group: str
    instance: str
    software: str


class BrakeStore(Protocol):
    """What is needed of the store. Calls block and wait by themselves while ClickHouse is unavailable."""

    def stops(self, group: str, instance: str) -> list[Stop]: ...
    def write_stop(self, stop: Stop) -> None: ...
    def released(self, stop: Stop) -> str: ...


class Braking:
    """The brake of one worker. `configured`: the organisations in force. clock: epoch milliseconds."""

    def __init__(
        self,
        brake: Brake,
        store: BrakeStore,
        identity: Identity,
        configured: Callable[[], Mapping[str, Configured]],
        health: Health,
        clock: Callable[[], int],
    ) -> None:
        self._brake = brake
        self._store = store
        self._identity = identity
        self._configured = configured
        self._health = health
        self._clock = clock
        self._stop: Stop | None = None
        self._stored: Stop | None = None
        self._moved = asyncio.Event()
        self._looked = 0.0

    def adopt(self) -> None:
        """At the start (blocking): as an earlier process of this worker left it, if version and configuration are the same.

        That is: standing still; or let go by a person not long ago, perhaps in the middle of a stretch of rubbish.
        """
        software, present = self._identity.software, digest_of(self._configured())
        for stop in self._store.stops(self._identity.group, self._identity.instance):
            same = (stop.software, stop.configuration) == (software, present)
            if stop.released_at is None and same:
                self._stored = stop
                self._stand_still(stop)
            elif stop.released_at is None:
                self._store.write_stop(self._over(stop, CONFIGURATION if stop.software == software else f"version {software}"))
            elif same and self._clock() - stop.released_at < RELEASE_HOLDS_MS:
                self._brake.release()

    def holds(self, batch: Sequence[Decoded]) -> bool:
        """Whether the worker must stand still before this batch; then `wait`, decode it again and ask again."""
        if self._stop is None and (why := self._brake.judge(batch)):
            self._stand_still(Stop(*self._named(), reason=why))
        if self._stop is not None:
            self._moved.clear()
        return self._stop is not None

    async def wait(self) -> None:
        """Until the batch that was held may have to be looked at again."""
        stop = self._stop
        if stop is not None and stop is not self._stored:
            await asyncio.to_thread(self._store.write_stop, stop)
            self._stored = stop
        await self._moved.wait()

    def wake(self) -> None:
        """Whoever waits looks again: its partitions may be gone."""
        self._moved.set()

    async def look(self) -> None:
        """Ask whether a person let go; to be called every second, also when no batch is held."""
        stop = self._stop
        if stop is None or time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        by = await asyncio.to_thread(self._store.released, stop)
        if by and self._stop is stop:
            self._brake.release()
            self._go_on(by)

    async def reconsider(self) -> None:
        """Another configuration is in force: it may cure what was refused. A batch that is held is judged again."""
        self._brake.forget()
        stop = self._stop
        if stop is not None:
            await asyncio.to_thread(self._store.write_stop, self._over(stop, CONFIGURATION))
            self._go_on(CONFIGURATION)

    def _named(self) -> tuple[str, str, int, str, str]:
        identity = self._identity
        return identity.group, identity.instance, self._clock(), identity.software, digest_of(self._configured())

    def _over(self, stop: Stop, by: str) -> Stop:
        return replace(stop, released_at=self._clock(), released_by=by)

    def _stand_still(self, stop: Stop) -> None:
        self._stop = stop
        self._health.braked, self._health.braked_since = stop.reason, stop.since
        metrics.BRAKED.set(1)
        log.critical(
            "the brake is on: %s. Nothing more is read, nothing is lost. Mend the cause (`contactmeter rejects list`), then "
            "`contactmeter resume`; another version or configuration also lets it go on",
            stop.reason,
        )

    def _go_on(self, by: str) -> None:
        self._stop = None
        self._health.braked, self._health.braked_since = "", None
        metrics.BRAKED.set(0)
        self._moved.set()
        log.warning("the brake is off, by %s: the worker goes on", by)


def digest_of(configured: Mapping[str, Configured]) -> str:
    """Tells configurations apart: equal in every process for the same files and generations."""
    found = hashlib.blake2b(digest_size=16)
    for name, entry in sorted(configured.items()):
        found.update(f"{name}\n{entry.generation}\n{entry.organisation.model_dump_json()}\n".encode())
    return found.hexdigest()
