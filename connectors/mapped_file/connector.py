"""The mapped file as a connector. Its cursor is the number of rows delivered of this very file (by content) under this very mapping."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from itertools import islice
from pathlib import Path

import orjson

from connectors.mapped_file.building import Builder
from connectors.mapped_file.mapping import Mapping
from connectors.mapped_file.problems import Problem, Unusable
from connectors.mapped_file.reading import Row, RowFile
from connectors.protocol import Batch, Finished, Refused, WireEvent

ROWS_A_BATCH = 500
_REMEMBERED = 100_000
"""So many recent events are compared, to leave out what a row repeats; what is further apart is sent and merged by the pipeline."""


@dataclass
class Tally:
    """What was read so far. `rows` includes `skipped` (delivered by an earlier run) and `refused`; `silent` rows gave no event."""

    rows: int = 0
    skipped: int = 0
    refused: int = 0
    silent: int = 0
    repeated: int = 0
    outside: int = 0
    events: Counter[str] = field(default_factory=Counter)


class MappedFile:
    """Follows connectors.protocol.Connector. Raises Refused when the file can't be used; `problem` receives each refused row."""

    name = "mapped-file"

    def __init__(
        self, path: Path, mapping: Mapping, *, problem: Callable[[Problem], None] = lambda _problem: None, rows_a_batch: int = ROWS_A_BATCH
    ) -> None:
        self.file = RowFile(path, mapping)
        self.source = mapping.source
        self.organisation = mapping.organisation
        self.cursor_key = f"{mapping.mapping} {_fingerprint(mapping)} {self.file.digest}"
        self.tally = Tally()
        self.line = 0
        """The line read last, for progress: of `file.lines`."""
        self._builder = Builder(mapping)
        self._problem = problem
        self._rows_a_batch = rows_a_batch
        self._rows: Iterator[Row | Problem] = iter(())
        self._recent: OrderedDict[str, bytes] = OrderedDict()

    def resume(self, cursor: str | None) -> None:
        """Skip the rows that were delivered. Raises Refused for a cursor that is no number."""
        delivered = 0
        if cursor is not None:
            if not cursor.isdecimal():
                raise Refused(f"{self.file.path}: the stored cursor {cursor!r} is no number of rows; load with --from-start")
            delivered = int(cursor)
        self._rows = self.file.rows()
        self.tally.skipped = self.tally.rows = sum(1 for _ in islice(self._rows, delivered))

    def poll(self) -> Batch:
        """The events of the next rows. Raises Finished at the end."""
        events: list[WireEvent] = []
        rows = list(islice(self._rows, self._rows_a_batch))
        if not rows:
            self.file.check_unchanged()
            raise Finished(f"{self.file.path}: all {self.tally.rows:,} rows were read")
        for row in rows:
            self.line = row.line
            self.tally.rows += 1
            if isinstance(row, Problem):
                self._refuse(row)
            else:
                events += self._build(row)
        return Batch(self.organisation, events, str(self.tally.rows))

    def close(self) -> None:
        """Close the file."""
        self._rows = iter(())

    def _build(self, row: Row) -> list[WireEvent]:
        try:
            built = self._builder.build(row.values)
        except Unusable as fault:
            self._refuse(Problem(str(self.file.path), row.line, fault.column, fault.message, fault.remedy))
            return []
        self.tally.outside += built.outside
        self.tally.silent += not built.events
        fresh = [event for event in built.events if self._is_new(event)]
        self.tally.repeated += len(built.events) - len(fresh)
        self.tally.events.update(event["type"] for event in fresh)
        return fresh

    def _refuse(self, problem: Problem) -> None:
        self.tally.refused += 1
        self._problem(problem)

    def _is_new(self, event: WireEvent) -> bool:
        """Whether this event with this content was not given a short while ago; one id with two contents is for the pipeline to see."""
        content = blake2b(orjson.dumps(event), digest_size=16).digest()
        if self._recent.get(event["id"]) == content:
            return False
        self._recent[event["id"]] = content
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return True


def _fingerprint(mapping: Mapping) -> str:
    """Changes with anything that changes the events: a corrected mapping reads the file again."""
    return sha256(mapping.model_dump_json().encode()).hexdigest()[:16]
