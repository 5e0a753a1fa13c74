"""Computing the state of an assignment from the store, in the order that makes a late insert of the earlier owner detectable."""

import gc
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from pipeline.assignment import Assignment
from pipeline.configured import Configured
from pipeline.decode import AnswerKey, ContactKey
from pipeline.known import Hashes, Known
from pipeline.rolling import Sums, minute_of
from schemas.partitions import partition_of

log = logging.getLogger(__name__)


class LoadStore(Protocol):
    """What is needed of the store. Calls block and wait by themselves while ClickHouse is unavailable."""

    def now(self) -> float: ...
    def unacknowledged(self, table: str, starts: Mapping[str, int]) -> dict[tuple[str, str, str], int]: ...
    def naming(self, starts: Mapping[str, int]) -> list[tuple[AnswerKey, ContactKey]]: ...
    def sums(self, organisations: Sequence[str], as_of: int) -> dict[str, Sums]: ...
    def hashes(self, table: str, organisations: Sequence[str]) -> Hashes: ...


class Loaded(NamedTuple):
    """A state, and the organisations in it."""

    state: Assignment
    organisations: tuple[str, ...]


class Loader:
    """See Worker for the parameters."""

    def __init__(
        self,
        store: LoadStore,
        configured: Callable[[], dict[str, Configured]],
        start_of: Callable[[frozenset[int]], dict[int, int]],
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._configured = configured
        self._start_of = start_of
        self._clock = clock

    def load(self, partitions: frozenset[int], following: Mapping[int, int]) -> Loaded:
        """The state of these partitions (blocking). `following`: the next offset of those of which this assignment has read already.

        The order matters: start offsets, unacknowledged rows, sums, hashes. See Assignment.
        """
        begin, at = time.monotonic(), self._store.now()
        start = {**self._start_of(partitions), **following}
        configured = self._configured()
        names = sorted(name for name in configured if partition_of(name) in partitions)
        starts = {name: start.get(partition_of(name), 0) for name in names}
        unacknowledged = (self._store.unacknowledged("contacts", starts), self._store.unacknowledged("survey_answers", starts))
        naming = self._store.naming(starts)
        sums = self._store.sums(names, minute_of(self._clock()))
        contacts, answers = Known(self._store.hashes("contacts", names)), Known(self._store.hashes("survey_answers", names))
        log.info(
            "state of %d organisations computed in %.2f s; %d contacts are stored", len(names), time.monotonic() - begin, len(contacts)
        )
        gc.collect()
        gc.freeze()  # what is loaded by now stays: the collector need not look at it again
        state = Assignment(time.time_ns(), start, configured, sums, contacts, answers, unacknowledged, naming, at)
        return Loaded(state, tuple(names))
