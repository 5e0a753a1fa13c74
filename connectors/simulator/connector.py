"""The simulator as a connector: everything up to now in large batches, then each event when its time comes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from connectors.protocol import Batch, Finished, Refused, Retry, WireEvent
from connectors.simulator import profile
from connectors.simulator.events import Released
from connectors.simulator.state import Simulation, write_truth
from connectors.simulator.town import MINUTE_MS, organisation
from connectors.simulator.truth import truth

BATCH_EVENTS = 5_000
TRUTH_EVERY_MS = 3_600_000
CAUGHT_UP_MS = 60_000
"""So near the end of history is live."""
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0


class Simulator:
    """The simulated town. Implements `connectors.protocol.Connector`.

    Its cursor is an instant: everything sent up to and including it was delivered. `truth_directory`: where the truth is written when all
    is sent up to now, and then every hour; None writes none. `history_only` ends where history ends. `clock` gives epoch seconds.
    """

    name = "simulator"
    source = profile.source_of("simulator")
    cursor_key = "simulatiestad"

    def __init__(
        self,
        simulation: Simulation,
        *,
        truth_directory: Path | None = None,
        history_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.organisation = organisation().organisation
        self._simulation = simulation
        self._truth_directory = truth_directory
        self._history_only = history_only
        self._clock = clock
        self._stream: Iterator[Released]
        self._next: Released
        self._truth_as_of = 0

    def resume(self, cursor: str | None) -> None:
        """Go on after a cursor. Raises Refused for one of another simulation."""
        after_ms = None
        if cursor is not None:
            fingerprint, _, position = cursor.partition(":")
            if fingerprint != self._simulation.fingerprint or not position.isdigit():
                raise Refused(
                    "these topics already hold another simulation, whose events this one would contradict; go on with that one by its "
                    "--state directory, or start this one on a stack that holds no events yet"
                )
            after_ms = int(position)
        self._stream = self._simulation.world.stream(after_ms)
        self._next = next(self._stream)

    def poll(self) -> Batch:
        """What was sent since the last poll, at most about BATCH_EVENTS. Raises Retry when nothing is new, Finished after history."""
        clock = self._simulation.history_end if self._history_only else int(self._clock() * 1000)
        now = clock if self._history_only else self._simulation.now(clock)
        events: list[WireEvent] = []
        sent = 0
        # All of one instant stay together, because the cursor is an instant.
        while self._next[0] <= now and (len(events) < BATCH_EVENTS or self._next[0] == sent):
            sent, _, event = self._next
            events.append(event)
            self._next = next(self._stream)
        if events:
            return Batch(self.organisation, events, f"{self._simulation.fingerprint}:{sent}", (clock - sent) / 1000)
        self._write_truth(now - now % MINUTE_MS)
        if self._history_only:
            raise Finished("history was sent")
        raise Retry(min(max((self._next[0] - now) / 1000, SHORTEST_PAUSE_S), LONGEST_PAUSE_S), lag_s=(clock - now) / 1000)

    def is_live(self, batch: Batch) -> bool:
        """Whether a batch is of the live stream: history was sent before it."""
        return int(batch.cursor.partition(":")[2]) >= self._simulation.history_end - CAUGHT_UP_MS

    def close(self) -> None:
        """Nothing to release."""

    def _write_truth(self, as_of: int) -> None:
        if self._truth_directory is not None and as_of >= self._truth_as_of + TRUTH_EVERY_MS:
            write_truth(self._truth_directory, self._simulation, truth(self._simulation.world, as_of))
            self._truth_as_of = as_of
