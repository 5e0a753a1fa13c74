"""The looks for drift that a worker takes beside the stream, of the organisations it holds: one at a time, each soon after an hour is over.

A look reads everything it needs from ClickHouse and writes what it found there: signals first to their topic, then to their table, then
incidents, and the detectors' checkpoints last. So a worker that is killed amid a look leaves nothing half done that the next would not do
again, under the same ids; and data that came late are looked at like any other.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from pipeline import metrics
from pipeline.configured import Configured
from pipeline.drift.checkpoint import Checkpoint
from pipeline.drift.contributors import Part
from pipeline.drift.incidents import Incident, IncidentEvent, Rules, incidents
from pipeline.drift.look import Known, Question, StreamKey, look
from pipeline.drift.signal import Dimension, Signal
from pipeline.drift.status import Watch
from pipeline.drift.streams import HOUR_MS
from pipeline.drift.telling import as_shown
from pipeline.drift.words import sentence
from pipeline.rules import calendar_of
from pipeline.store.client import Unavailable
from schemas.organisation import Organisation

log = logging.getLogger(__name__)

SETTLING_MS = 60_000
"""How long after an hour is over it is looked at: the last events of it may be on their way."""
SOON_S = 60.0
"""When to look again after a look that failed, or found that nothing has been heard yet."""
INCIDENTS_S = 60.0
"""How often incidents are derived anew while any is open: silences end and escalations fall due by the clock."""


class Message(NamedTuple):
    """A state of a signal for the topic `signals`."""

    organisation: str
    key: bytes
    value: bytes


class LookStore(Protocol):
    """What is needed of the store; every call blocks and raises Unavailable."""

    def known(self, organisation: Organisation, now_ms: int) -> Known | None: ...
    def parts(self, organisation: str, question: Question) -> Mapping[Dimension, Sequence[Part]]: ...
    def write_signals(self, states: Sequence[Signal], texts: Sequence[tuple[str, str]], version: int) -> None: ...
    def write_standing(
        self, organisation: str, checkpoints: Mapping[StreamKey, Sequence[Checkpoint]], watches: Sequence[Watch], version: int
    ) -> None: ...
    def incident_inputs(self, organisation: str, now_ms: int) -> tuple[list[Signal], list[IncidentEvent], list[Incident]]: ...
    def write_incidents(self, changed: Sequence[Incident], version: int) -> None: ...


@dataclass(slots=True)
class _Turn:
    """When an organisation was looked at. hour: the last hour that was over then.

    Monotonic seconds: ready: no look before it; again: a look is due though no hour went by; incidents: when to derive them, while `open`.
    heard: whether anything is known of the organisation.
    """

    hour: int = -1
    ready: float = 0.0
    again: float = 0.0
    incidents: float = 0.0
    open: bool = False
    heard: bool = False


_Step = Callable[[Organisation, _Turn], Awaitable[None]]


class Looks:
    """Call `step` every second; it starts at most one look at a time and does not wait for it.

    organisations: those of the present assignment. publish: delivers messages to the topic. clock: epoch ms. every_s: how soon after
    a look the next comes within the same hour, for what came late.
    """

    def __init__(
        self,
        organisations: Callable[[], Mapping[str, Configured]],
        store: LookStore,
        publish: Callable[[Sequence[Message]], Awaitable[None]],
        clock: Callable[[], int],
        every_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._organisations = organisations
        self._store = store
        self._publish = publish
        self._clock = clock
        self._every_s = every_s
        self._monotonic = monotonic
        self._turns: dict[str, _Turn] = {}
        self._rest_until = 0.0
        """After a look it rests as long as that took: with many organisations too, half of the time is left to all else."""
        self._under_way: asyncio.Task[Any] | None = None

    def step(self) -> None:
        """Start what is due."""
        if self._under_way is not None:
            if not self._under_way.done():
                return
            self._under_way.result()
            self._under_way = None
        held = self._organisations()
        self._turns = {name: self._turns.get(name) or _Turn() for name in held}
        now, hour = self._monotonic(), (self._clock() - SETTLING_MS) // HOUR_MS
        if now < self._rest_until:
            return
        due = [(turn.ready, name) for name, turn in self._turns.items() if now >= turn.ready and (hour > turn.hour or now >= turn.again)]
        derive = [(turn.incidents, name) for name, turn in self._turns.items() if turn.open and now >= turn.incidents]
        if due:
            _, name = min(due)
            self._under_way = asyncio.create_task(self._look(held[name].organisation, self._turns[name], hour))
        elif derive:
            _, name = min(derive)
            self._under_way = asyncio.create_task(self._step(held[name].organisation, self._turns[name], self._derive))

    async def _look(self, organisation: Organisation, turn: _Turn, hour: int) -> None:
        begin = self._monotonic()
        turn.heard = False
        if await self._step(organisation, turn, self._looked) and turn.heard:
            turn.hour = hour
            metrics.DRIFT_LOOKS.inc()
        now = self._monotonic()
        metrics.DRIFT_SECONDS.observe(now - begin)
        turn.ready = now if turn.hour == hour else now + SOON_S
        turn.again = now + self._every_s
        self._rest_until = now + (now - begin)

    async def _step(self, organisation: Organisation, turn: _Turn, step: _Step) -> bool:
        """Take a step; False when it failed. Whatever it trips over, contacts are measured on."""
        try:
            await step(organisation, turn)
        except Unavailable as error:
            log.warning("looking for drift at %s waits: %s", organisation.organisation, error)
        except Exception:  # a worker that ended here would start anew, trip again, and measure nothing
            metrics.DRIFT_FAILURES.inc()
            log.exception("looking for drift at %s failed; contacts are measured on, and it is tried again", organisation.organisation)
        else:
            return True
        turn.incidents = self._monotonic() + INCIDENTS_S
        return False

    async def _looked(self, organisation: Organisation, turn: _Turn) -> None:
        name, now_ms = organisation.organisation, self._clock()
        known = await asyncio.to_thread(self._store.known, organisation, now_ms)
        if known is None:
            return
        turn.heard = True
        found = await asyncio.to_thread(look, organisation, known, now_ms)
        states = [
            await asyncio.to_thread(self._asked, found.questions.get((one.id, one.sequence)), one, organisation) for one in found.states
        ]
        texts = [(sentence(one, organisation, "nl", now_ms), sentence(one, organisation, "en", now_ms)) for one in states]
        await self._publish([message(one, organisation.small_cell, *text) for one, text in zip(states, texts, strict=True) if one.announce])
        await asyncio.to_thread(self._store.write_signals, states, texts, now_ms)
        await asyncio.to_thread(self._store.write_standing, name, found.checkpoints, found.watches, now_ms)
        for one, (_, text) in zip(states, texts, strict=True):
            metrics.SIGNALS.labels(one.state).inc()
            log.warning("%s: %s", name, text)
        await self._derive(organisation, turn)

    def _asked(self, question: Question | None, state: Signal, organisation: Organisation) -> Signal:
        if question is None:
            return state
        return question.answered(self._store.parts(organisation.organisation, question), organisation.small_cell)

    async def _derive(self, organisation: Organisation, turn: _Turn) -> None:
        """Derive the incidents and write those that are others than before."""
        now_ms = self._clock()
        signals, events, before = await asyncio.to_thread(self._store.incident_inputs, organisation.organisation, now_ms)
        derived = incidents(organisation.organisation, signals, events, rules_of(organisation, now_ms), now_ms, before)
        changed = [one for one in derived if one not in before]
        if changed:
            await asyncio.to_thread(self._store.write_incidents, changed, now_ms)
        turn.open = any(one.state == "open" for one in derived)
        turn.incidents = self._monotonic() + INCIDENTS_S


def rules_of(organisation: Organisation, now_ms: int) -> Rules:
    """What an organisation's file says of its incidents."""
    return Rules(
        organisation.drift.escalate_after,
        lambda channel, since, until: calendar_of(organisation, channel).open_ms_between(since, until),
        lambda signal, language: sentence(signal, organisation, language, now_ms),
    )


def message(signal: Signal, small_cell: int, text_nl: str, text_en: str) -> Message:
    """A state of a signal as it goes to the topic: all that views show of it, and its sentence in both languages."""
    content = {**as_shown(signal, small_cell), "text_nl": text_nl, "text_en": text_en}
    key = f"{signal.organisation}/{signal.id}".encode()
    return Message(signal.organisation, key, json.dumps(content, ensure_ascii=False).encode())
