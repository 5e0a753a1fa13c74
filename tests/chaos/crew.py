"""The workers of one group, kept running as the stack's supervisor keeps them, and events flowing to them all the while."""

import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from connectors.protocol import WireEvent
from connectors.sender import Sender
from tests.e2e.running import Stack, Worker, wait_until

SMALL_BATCHES = {"BATCH_BYTES": "20000", "STALL_AFTER_S": "20"}
"""Some sixty events a micro-batch, so that a fault finds work half done; and a watchdog that does not wait a minute."""

PATIENT = {"STALL_AFTER_S": "60"}
"""The watchdog of every day, for a worker that must not end: a slow machine must not end it either."""

_ENDINGS = {-signal.SIGKILL, 0, 1}
"""Killed, ended in good order, or gave up for its supervisor to start it again."""


class Crew:
    """Workers by instance name; one that ended is started again by `tend`, which every wait here calls."""

    def __init__(self, stack: Stack, environments: Mapping[str, Mapping[str, str]]) -> None:
        self._stack = stack
        self._environments = environments
        self._workers = {name: self._start(name) for name in environments}
        self.starts = len(environments)
        self.frozen: set[str] = set()
        """Those that stand still: nobody waits for them."""

    def __getitem__(self, instance: str) -> Worker:
        return self._workers[instance]

    @property
    def workers(self) -> list[Worker]:
        return list(self._workers.values())

    def _start(self, instance: str) -> Worker:
        return self._stack.worker(**{**SMALL_BATCHES, **self._environments[instance], "INSTANCE": instance})

    def tend(self) -> bool:
        """Start again what has ended; True, so that it can stand in a condition."""
        for name, worker in self._workers.items():
            code = worker.ended()
            if code is not None:
                assert code in _ENDINGS, f"worker {name} ended with {code}:\n{worker.said[-3000:]}"
                self._workers[name] = self._start(name)
                self.starts += 1
        return True

    def wait(self, condition: Callable[[], object], what: str, timeout: float = 300.0) -> None:
        """Wait, tending; fails after `timeout` seconds with the last lines of every worker."""
        try:
            wait_until(lambda: self.tend() and condition(), what, timeout)
        except AssertionError as error:
            said = "\n".join(f"--- {name}:\n{worker.said[-2500:]}" for name, worker in self._workers.items())
            raise AssertionError(f"{error}\n{said}") from None

    def ready(self) -> bool:
        """Whether every worker that is not frozen is ready; tends."""
        return self.tend() and all(worker.get("/ready")[0] == 200 for name, worker in self._workers.items() if name not in self.frozen)

    def partitions(self, instance: str) -> int:
        """How many partitions a worker holds; 0 while it does not answer."""
        return int(self._workers[instance].get("/status")[1].get("partitions", 0))

    def freeze(self, instance: str) -> None:
        """SIGSTOP."""
        self.frozen.add(instance)
        self._workers[instance].freeze()

    def thaw(self, instance: str) -> None:
        """SIGCONT."""
        self.frozen.discard(instance)
        self._workers[instance].thaw()

    def settle(self) -> None:
        """Until everything is stored and committed."""
        self.wait(lambda: self._stack.lag() == 0, "everything to be stored and committed", 600)

    def check(self) -> None:
        """No worker has found that what it holds is not what is stored."""
        for name, worker in self._workers.items():
            assert worker.metric("contactmeter_mismatches") == 0, f"worker {name}:\n{worker.said[-3000:]}"


@contextmanager
def crew(stack: Stack, **environments: Mapping[str, str]) -> Iterator[Crew]:
    """A worker for each instance name, with SMALL_BATCHES and its environment, all ready.

    At the end of the block they must stop in good order; after a failure they are ended at once.
    """
    made = Crew(stack, environments)
    try:
        made.wait(made.ready, "every worker to be ready")
        yield made
        made.check()
        stopped = [worker.stop() for worker in made.workers]
        assert all(stopped), "a worker must end by itself"
    finally:
        for worker in made.workers:
            worker.kill()


class Flow:
    """Sends the same events to some organisations at a time, then to the next ones, until told that it is enough."""

    def __init__(self, sender: Sender, names: Sequence[str], events: Sequence[WireEvent], seed: int, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._sender, self._names, self._events = sender, names, events
        self._chance = random.Random(seed)
        self._sent: list[str] = []
        self._enough = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="flow", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for first in range(0, len(self._names), self._at_a_time):
                names = self._names[first : first + self._at_a_time]
                self._send(names)
                self._sent.extend(names)
                if self._enough.is_set():
                    break
            self._sender.flush()
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for the end
            self._error = error

    def _send(self, names: Sequence[str]) -> None:
        start = 0
        while start < len(self._events):
            end = start + self._chance.randrange(1, 60)
            for name in names:
                self._sender.send(name, self._events[start:end])
            start = end

    def ended(self) -> bool:
        """Whether everything it was to send is acknowledged."""
        if self._thread.is_alive():
            return False
        assert self._error is None, f"the sender failed: {self._error!r}"
        return True

    def enough(self) -> None:
        """Begin with no further organisation."""
        self._enough.set()

    @property
    def sent(self) -> list[str]:
        """The organisations that got every event, once it has ended."""
        assert self.ended(), "it still sends"
        return self._sent


@contextmanager
def flow(stack: Stack, names: Sequence[str], events: Sequence[WireEvent], rate: float, seed: int, at_a_time: int = 4) -> Iterator[Flow]:
    """A Flow of `rate` events a second; broken off at the end of the block when it still runs, as after a failure."""
    sender = Sender(stack.kafka.bootstrap, rate=rate)
    try:
        yield Flow(sender, names, events, seed, at_a_time)
    finally:
        sender.close(drain=False)
