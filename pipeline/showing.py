"""When a worker keeps figures for boards: one part of one organisation at a time beside the stream, the most overdue first.

It takes a share of the time only (SHARE), so that the stream and the boards go first: with many organisations, or large ones, all parts
come at longer intervals, and each tells how old it is.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from zoneinfo import ZoneInfo

from pipeline import metrics
from pipeline.calendars import local_date
from pipeline.configured import Configured
from pipeline.store.client import Unavailable
from pipeline.store.shown import PARTS, Part
from schemas.organisation import Organisation

log = logging.getLogger(__name__)

SHARE = 0.1
"""Of the time, for parts that boards want every minute; and as much again for all others, which so never keep those back for long."""
BURST_S = 1.0
"""How long unused time can be saved up: as often as `step` is called."""
HEAD_START_S = 100.0
"""So much is saved up at the start, that boards of a few organisations are filled in seconds."""
QUICK_S = 60.0
AGAIN_S = 60.0
"""How long after it went wrong a part is tried again, unless its turn comes sooner."""
SOON_S = 10.0
"""How soon after a worker began with an organisation its parts are asked again: history may be loading. From there on the interval
doubles, until it is the part's own."""
RESTS = 20
"""But what fails at an organisation rests so many times as long as the last try took, all of it together: questions that time out must not
use up the time of the other organisations."""
_FAILED = -1


class ShowStore(Protocol):
    """What is needed of the store. The call blocks and raises Unavailable."""

    def refresh(self, organisation: Organisation, part: Part, now_ms: int) -> None: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """When a part was last asked (monotonic seconds), what had been stored by then (_FAILED: it went wrong), and the local day."""

    at: float
    writes: int
    day: int


class Shows:
    """Call `step` every second; it starts what is due and does not wait for it.

    organisations: those of the present assignment. writes: how often rows of an organisation were stored; only whether it changes matters.
    clock: epoch ms. soon_s: how long after an organisation came here its parts are asked again, at least.
    """

    def __init__(
        self,
        organisations: Callable[[], Mapping[str, Configured]],
        store: ShowStore,
        writes: Callable[[str], int],
        clock: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
        soon_s: float = SOON_S,
    ) -> None:
        self._soon_s = soon_s
        self._organisations = organisations
        self._store = store
        self._writes = writes
        self._clock = clock
        self._monotonic = monotonic
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._since: dict[str, float] = {}
        """When each organisation came to this worker."""
        self._rests: dict[str, float] = {}
        """Until when what fails at an organisation is left alone."""
        self._free_at = dict.fromkeys((True, False), monotonic() - HEAD_START_S)
        """When quick parts, and the others, may be asked again."""
        self._under_way: asyncio.Task[None] | None = None

    def step(self) -> None:
        """Start what is due."""
        if self._under_way is not None:
            if not self._under_way.done():
                return
            self._under_way.result()
        held = self._organisations()
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] in held}
        self._rests = {name: until for name, until in self._rests.items() if name in held}
        self._since = {name: self._since.get(name, self._monotonic()) for name in held}
        self._under_way = asyncio.create_task(self._refresh_due())

    async def _refresh_due(self) -> None:
        while (chosen := self._most_overdue()) is not None:
            organisation, part, kept = chosen
            name = organisation.organisation
            begin = self._monotonic()
            wait_s = await self._refresh(organisation, part)
            end = self._monotonic()
            self._free_at[part.every_s <= QUICK_S] += (end - begin) / SHARE
            if wait_s is not None:
                self._rests[name] = end + RESTS * (end - begin)
                kept = replace(kept, at=kept.at + min(AGAIN_S - part.every_s, 0), writes=_FAILED)
                await asyncio.sleep(wait_s)
            elif (before := self._kept.get((name, part.name))) is not None and before.writes == _FAILED:
                self._rests.pop(name, None)
            self._kept[name, part.name] = kept
        if self._kept:
            now = self._monotonic()
            self._free_at = {quick: max(free_at, now - BURST_S) for quick, free_at in self._free_at.items()}

    def _most_overdue(self) -> tuple[Organisation, Part, _Kept] | None:
        """By how many times its interval it is due; what was never asked comes first, in the order of PARTS."""
        now, now_ms = self._monotonic(), self._clock()
        held = {name: entry.organisation for name, entry in self._organisations().items()}
        present = {name: _Kept(now, self._writes(name), _day(organisation, now_ms)) for name, organisation in held.items()}
        best, chosen = 1.0, None
        for part in PARTS.values():
            if now < self._free_at[part.every_s <= QUICK_S]:
                continue
            for name, here in present.items():
                kept = self._kept.get((name, part.name))
                if kept is None:
                    return held[name], part, here
                if kept.writes == _FAILED and now < self._rests.get(name, now):
                    continue
                passed = now - kept.at
                changed = (kept.writes, kept.day) != (here.writes, here.day) or passed >= part.idle_s
                soon_s = max(self._soon_s, kept.at - self._since.get(name, now)) if kept.writes != _FAILED else part.every_s
                every_s = min(part.every_s, soon_s)
                if changed and passed / every_s >= best:
                    best, chosen = passed / every_s, (held[name], part, here)
        return chosen

    async def _refresh(self, organisation: Organisation, part: Part) -> float | None:
        """Ask a part; when it failed, how many seconds to leave the store alone. Whatever it trips over, contacts are measured on."""
        begin = self._monotonic()
        name = organisation.organisation
        try:
            await asyncio.to_thread(self._store.refresh, organisation, part, self._clock())
        except Unavailable as error:
            log.warning("keeping %s of %s for boards waits: %s", part.name, name, error)
            return error.retry_after
        except Exception:  # a worker that ended here would start anew, trip again, and measure nothing
            metrics.SHOWN_FAILURES.inc()
            log.exception("keeping %s of %s for boards failed; contacts are measured on, and it is tried again", part.name, name)
            return 0.0
        metrics.SHOWN.labels(part.name).inc()
        metrics.SHOWN_SECONDS.observe(self._monotonic() - begin)
        return None


def _day(organisation: Organisation, now_ms: int) -> int:
    return local_date(now_ms, ZoneInfo(organisation.zone)).toordinal()
