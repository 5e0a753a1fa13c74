"""What was found of drift, and where the detectors stand. Times are epoch ms; versions are the ms of writing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.drift.checkpoint import Checkpoint
from pipeline.drift.look import StreamKey
from pipeline.drift.signal import Contributor, Signal
from pipeline.drift.status import Watch
from pipeline.store.client import passing_errors

Texts = tuple[str, str]
"""A sentence in Dutch and in English."""

_SIGNAL = tuple(field.name for field in fields(Signal))
_MOMENTS = ("at", "onset")
_SIGNALS = f"""
SELECT {", ".join(f"toUnixTimestamp64Milli({name})" if name in _MOMENTS else name for name in _SIGNAL)}
FROM signals FINAL
WHERE organisation = {{organisation:String}} AND id IN
(
    SELECT id FROM signals FINAL WHERE organisation = {{organisation:String}}
    GROUP BY id HAVING argMax(state, sequence) != 'over' OR max(toUnixTimestamp64Milli(signals.at)) >= {{since:Int64}}
)
ORDER BY id, sequence
"""
_EVER = -(1 << 62)


def signals(client: Client, organisation: str, since_ms: int | None = None) -> list[Signal]:
    """Every state of every signal, in order of id and sequence; with `since_ms` of those that are not over or changed since.

    Raises Unavailable.
    """
    parameters = {"organisation": organisation, "since": _EVER if since_ms is None else since_ms}
    with passing_errors(f"reading the signals of {organisation}"):
        rows = client.query(_SIGNALS, parameters=parameters).result_rows
    return [_signal(dict(zip(_SIGNAL, row, strict=True))) for row in rows]


def owners(client: Client, beginning: str) -> list[str]:
    """The organisations that have a signal whose id begins so. Raises Unavailable."""
    sql = "SELECT DISTINCT organisation FROM signals WHERE startsWith(id, {beginning:String}) ORDER BY organisation"
    with passing_errors("looking for a signal"):
        return [name for (name,) in client.query(sql, parameters={"beginning": beginning}).result_rows]


def _signal(row: dict[str, Any]) -> Signal:
    return Signal(**{**row, "contributors": tuple(Contributor(**one) for one in row["contributors"])})


def write_signals(client: Client, states: Sequence[Signal], texts: Sequence[Texts], version: int) -> None:
    """Write states of signals, each with its sentence. The same state again replaces what is stored. Raises Unavailable."""
    rows = [[*_values(state), version, *text] for state, text in zip(states, texts, strict=True)]
    _insert(client, "signals", [*_SIGNAL, "version", "text_nl", "text_en"], rows)


def _values(state: Signal) -> Iterable[Any]:
    for name in _SIGNAL:
        value = getattr(state, name)
        yield [(one.dimension, one.name, one.share, one.n) for one in value] if name == "contributors" else value


def checkpoints(client: Client, organisation: str) -> dict[StreamKey, list[Checkpoint]]:
    """Every checkpoint that is kept, by stream and in order of days. Raises Unavailable."""
    sql = f"""SELECT channel, stream, {", ".join(Checkpoint._fields)} FROM checkpoints FINAL WHERE organisation = {{organisation:String}}
              ORDER BY channel, stream, day"""
    found: dict[StreamKey, list[Checkpoint]] = {}
    with passing_errors(f"reading the checkpoints of {organisation}"):
        rows = client.query(sql, parameters={"organisation": organisation}).result_rows
    for channel, stream, *checkpoint in rows:
        found.setdefault((channel, stream), []).append(Checkpoint._make(checkpoint))
    return found


def write_checkpoints(client: Client, organisation: str, made: Mapping[StreamKey, Sequence[Checkpoint]], version: int) -> None:
    """Write checkpoints; one of a day that has one replaces it. They are kept 35 days from writing. Raises Unavailable."""
    rows = [[organisation, *stream, version, *checkpoint] for stream, several in made.items() for checkpoint in several]
    _insert(client, "checkpoints", ["organisation", "channel", "stream", "version", *Checkpoint._fields], rows)


_WATCH_MOMENTS = ("since", "watches_from", "until")


def watches(client: Client, organisation: str) -> list[Watch]:
    """How the watch over each stream stands, as the last look wrote it. Raises Unavailable."""
    columns = (f"toUnixTimestamp64Milli({name})" if name in _WATCH_MOMENTS else name for name in Watch._fields)
    sql = f"SELECT {', '.join(columns)} FROM watches_of(organisations = [{{organisation:String}}]) ORDER BY channel, stream"
    with passing_errors(f"reading what is watched of {organisation}"):
        return [Watch._make(row) for row in client.query(sql, parameters={"organisation": organisation}).result_rows]


def write_watches(client: Client, organisation: str, standing: Sequence[Watch], version: int) -> None:
    """Write how all streams of an organisation stand: those that are left out are watched no more. Raises Unavailable."""
    _insert(client, "watches", ["organisation", "version", *Watch._fields], [[organisation, version, *one] for one in standing])


def _insert(client: Client, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        with passing_errors(f"writing {len(rows)} rows of {table}"):
            client.insert(table, rows, column_names=columns)
