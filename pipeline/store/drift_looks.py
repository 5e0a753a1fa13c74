"""What a look at an organisation reads and writes, as the worker beside the stream does it: with a connection of its own, that gives up."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from clickhouse_connect.driver.client import Client

from pipeline.drift.checkpoint import Checkpoint
from pipeline.drift.contributors import Part
from pipeline.drift.incidents import Incident, IncidentEvent
from pipeline.drift.look import LATE_DAYS, READ_DAYS, Known, Question, StreamKey
from pipeline.drift.pause import Announced
from pipeline.drift.signal import Dimension, Signal
from pipeline.drift.status import Watch
from pipeline.drift.streams import HOUR_MS
from pipeline.store import drift, drift_hours, drift_incidents
from pipeline.store.client import Connection, passing_errors
from schemas.organisation import Organisation

_INCIDENTS_MS = 60 * 24 * HOUR_MS
"""Signals that are over for longer belong to no incident that could still change."""
_MARKERS = """
SELECT kind, toUnixTimestamp64Milli(from_at), if(isNull(to_at), NULL, toUnixTimestamp64Milli(assumeNotNull(to_at))), channels
FROM markers_of(organisations = [{organisation:String}]) ORDER BY from_at, marker
"""


class DriftStore:
    """Every call raises Unavailable when ClickHouse does not answer: nothing waits for a look, the next one does it all again."""

    def __init__(self, connection: Connection, after_insert: Callable[[str], None] = lambda _table: None) -> None:
        self._connection = connection
        self._after_insert = after_insert

    def known(self, organisation: Organisation, now_ms: int) -> Known | None:
        """All that a look needs; None while nothing has ever been heard of the organisation."""
        name = organisation.organisation
        with closing(self._connection.open()) as client:
            signs = drift_hours.signs_of_life(client, name)
            if signs is None:
                return None
            until = min(signs.last, now_ms) // HOUR_MS
            found = known(client, name, until - READ_DAYS * 24, until, now_ms)
            ends: dict[str, int] = {
                channel: min(signs.of_channel(organisation, channel), now_ms) // HOUR_MS for channel in organisation.channels
            }
            return replace(found, ends=ends)

    def parts(self, organisation: str, question: Question) -> Mapping[Dimension, Sequence[Part]]:
        """What the parts of a channel say of a signal."""
        with closing(self._connection.open()) as client:
            return drift_hours.parts(client, organisation, question.signal.channel, question.measure, question.before, question.after)

    def write_signals(self, states: Sequence[Signal], texts: Sequence[tuple[str, str]], version: int) -> None:
        """See drift.write_signals."""
        with closing(self._connection.open()) as client:
            drift.write_signals(client, states, texts, version)
        self._after_insert("signals")

    def write_standing(
        self, organisation: str, checkpoints: Mapping[StreamKey, Sequence[Checkpoint]], watches: Sequence[Watch], version: int
    ) -> None:
        """Where all detectors stand; written last, so that a look that was cut off is done again."""
        with closing(self._connection.open()) as client:
            drift.write_watches(client, organisation, watches, version)
            self._after_insert("watches")
            drift.write_checkpoints(client, organisation, checkpoints, version)
        self._after_insert("checkpoints")

    def incident_inputs(self, organisation: str, now_ms: int) -> tuple[list[Signal], list[IncidentEvent], list[Incident]]:
        """All states of recent signals, what people said, and the incidents as they are stored."""
        with closing(self._connection.open()) as client:
            return (
                drift.signals(client, organisation, now_ms - _INCIDENTS_MS),
                drift_incidents.incident_events(client, organisation),
                drift_incidents.incidents(client, organisation),
            )

    def write_incidents(self, changed: Sequence[Incident], version: int) -> None:
        """See drift_incidents.write_incidents."""
        with closing(self._connection.open()) as client:
            drift_incidents.write_incidents(client, changed, version)
        self._after_insert("incidents")


def known(client: Client, organisation: str, since: int, until: int, now_ms: int) -> Known:
    """What is stored of the hours [since, until), with checkpoints and the signals that still matter. Raises Unavailable."""
    with passing_errors(f"reading the markers of {organisation}"):
        markers = client.query(_MARKERS, parameters={"organisation": organisation}).result_rows
    return Known(
        until,
        drift_hours.hourly(client, organisation, since, until),
        drift_hours.grades(client, organisation, since, until),
        [Announced(kind, start, end, tuple(channels)) for kind, start, end, channels in markers],
        drift.checkpoints(client, organisation),
        drift.signals(client, organisation, now_ms - (READ_DAYS + LATE_DAYS) * 24 * HOUR_MS),
    )
