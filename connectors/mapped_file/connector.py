"""The mapped file as a connector. Its cursor is the number of rows delivered of this very file (by content) under this very mapping."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from itertools import islice
from pathlib import Path

import orjson

from connectors.mapped_file.building import Builder, Built
from connectors.mapped_file.conditions import all_hold
from connectors.mapped_file.deriving import Groups, expanded
from connectors.mapped_file.jumps import Jumps
from connectors.mapped_file.mapping import Mapping
from connectors.mapped_file.problems import Problem, Unusable
from connectors.mapped_file.reading import RowFile
from connectors.mapped_file.tables import Row
from connectors.person import PersonKeys
from connectors.protocol import Batch, Finished, Refused, WireEvent
from schemas.types import parse_instant

ROWS_A_BATCH = 500
_EVENTS_A_BATCH = 5_000
"""A row that stands for many ends a batch early."""
_REMEMBERED = 100_000
"""So many recent events are compared, to leave out what a row repeats; what is further apart is sent and merged by the pipeline."""


@dataclass
class Tally:
    """What was read so far. `rows` includes `skipped` (delivered by an earlier run) and `refused`; `silent` rows gave no event.

    `left_out` and `corrected` count rows by the names of the mapping's rules under leave_out and clocks.
    """

    rows: int = 0
    skipped: int = 0
    refused: int = 0
    silent: int = 0
    repeated: int = 0
    outside: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    corrected: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)


class MappedFile:
    """Follows connectors.protocol.Connector. Raises Refused when the file can't be used; `problem` receives each refused row.

    `persons` are the keys for a mapping that makes person hashes.
    """

    name = "mapped-file"

    def __init__(
        self,
        path: Path,
        mapping: Mapping,
        *,
        problem: Callable[[Problem], None] = lambda _problem: None,
        rows_a_batch: int = ROWS_A_BATCH,
        persons: PersonKeys | None = None,
    ) -> None:
        if mapping.persons() and persons is None:
            raise Refused(
                f"the mapping {mapping.mapping} hashes persons (column {sorted(mapping.persons())[0]!r}): set CONTACTMETER_PERSON_KEY_FILE "
                "to their key file; `contactmeter person key FILE` makes one"
            )
        self.file = RowFile(path, mapping.file, mapping.columns())
        self.source = mapping.source
        self.organisation = mapping.organisation
        self.cursor_key = f"{mapping.mapping} {_fingerprint(mapping)} {self.file.digest}"
        self.tally = Tally()
        self.line = 0
        """The line read last, for progress: of `file.lines`."""
        self._mapping = mapping
        self._builder = Builder(mapping, persons)
        self._problem = problem
        self._rows_a_batch = rows_a_batch
        self._rows: Iterator[Row | Problem] = iter(())
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._groups: Groups | None = None
        self._jumps = Jumps()

    def resume(self, cursor: str | None) -> None:
        """Skip the rows that were delivered. Raises Refused for a cursor that is no number."""
        delivered = 0
        if cursor is not None:
            if not cursor.isdecimal():
                raise Refused(f"{self.file.path}: the stored cursor {cursor!r} is no number of rows; load with --from-start")
            delivered = int(cursor)
        if self._mapping.groups:
            self._groups = Groups(self._mapping, (row.values for row in self.file.rows() if isinstance(row, Row) and self._is_kept(row)))
        self._rows = self.file.rows()
        self.tally.skipped = self.tally.rows = sum(1 for _ in islice(self._rows, delivered))

    def poll(self) -> Batch:
        """The events of the next rows. Raises Finished at the end."""
        events: list[WireEvent] = []
        read = 0
        for row in islice(self._rows, self._rows_a_batch):
            read += 1
            self.line = row.line
            if isinstance(row, Problem):
                self._refuse(row)
            else:
                events += self._build(row)
            if len(events) >= _EVENTS_A_BATCH:
                break
        if not read:
            self.file.check_unchanged()
            raise Finished(f"{self.file.path}: all {self.tally.rows:,} rows were read")
        self.tally.rows += read
        return Batch(self.organisation, events, str(self.tally.rows))

    def close(self) -> None:
        """Close the file."""
        self._rows = iter(())

    def warnings(self) -> list[str]:
        """What a person should look at, after the last row."""
        return self._jumps.warnings()

    def _build(self, row: Row) -> list[WireEvent]:
        try:
            reason = self._left_out_by(row.values)
            if reason is not None:
                self.tally.left_out[reason] += 1
                return []
            built = self._events(row)
        except Unusable as fault:
            self._refuse(Problem(self.file.place, row.line, fault.column, fault.message, fault.remedy))
            return []
        self.tally.outside += built.outside
        self.tally.silent += not built.events
        if built.events:
            self._jumps.see(row.line, parse_instant(built.events[0]["data"]["occurred_at"]))
        fresh = [event for event in built.events if self._is_new(event)]
        self.tally.repeated += len(built.events) - len(fresh)
        self.tally.events.update(event["type"] for event in fresh)
        return fresh

    def _events(self, row: Row) -> Built:
        mapping = self._mapping
        values = row.values if self._groups is None else row.values | self._groups.of(row.values)
        clocks = [clock for clock in mapping.clocks if all_hold(clock.when, values, mapping.times)]
        shifts = tuple(clock.shift for clock in clocks)
        if mapping.expand is None:
            built = self._builder.build(values, shifts)
        else:
            copies = expanded(mapping.expand, values, mapping.file.decimal)
            parts = [self._builder.build(values | copy, shifts) for copy in copies]
            built = Built([event for part in parts for event in part.events], sum(part.outside for part in parts))
        self.tally.corrected.update(clock.name for clock in clocks)
        return built

    def _is_kept(self, row: Row) -> bool:
        try:
            return self._left_out_by(row.values) is None
        except Unusable:
            return False  # It is refused when its turn comes.

    def _left_out_by(self, values: dict[str, str]) -> str | None:
        rules = self._mapping.leave_out
        return next((rule.name for rule in rules if all_hold(rule.when, values, self._mapping.times)), None)

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
