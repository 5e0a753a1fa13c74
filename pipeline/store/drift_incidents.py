"""Incidents as they stand, and what people said of them."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.drift.incidents import Incident, IncidentEvent
from pipeline.store.client import passing_errors

_COLUMNS = tuple(field.name for field in fields(Incident))
_MOMENTS = frozenset({"opened_at", "updated_at", "closed_at", "acknowledged_at", "silenced_until", "asks_since", "escalated_at"})
_LISTS = ("channels", "signals")
_EVENTS = """
SELECT
    toUnixTimestamp64Milli(occurred_at), toUnixTimestamp64Milli(logged_at), digest, replaceOne(kind, 'incident.', ''),
    JSONExtractString(data, 'incident'), JSONExtractString(data, 'who'),
    if(JSONHas(data, 'until'), JSONExtractInt(data, 'until'), NULL), JSONExtractString(data, 'reason')
FROM notices FINAL
WHERE organisation = {organisation:String} AND kind IN ('incident.acknowledged', 'incident.silenced')
ORDER BY occurred_at, logged_at, digest
"""


def incidents(client: Client, organisation: str) -> list[Incident]:
    """Every incident as it was last written, in order of opening. Raises Unavailable."""
    columns = (f"toUnixTimestamp64Milli({name})" if name in _MOMENTS else name for name in _COLUMNS)
    sql = f"SELECT {', '.join(columns)} FROM incidents FINAL WHERE organisation = {{organisation:String}} ORDER BY opened_at, incident"
    with passing_errors(f"reading the incidents of {organisation}"):
        rows = client.query(sql, parameters={"organisation": organisation}).result_rows
    return [_incident(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _incident(row: dict[str, Any]) -> Incident:
    return Incident(**{**row, **{name: tuple(row[name]) for name in _LISTS}})


def write_incidents(client: Client, changed: Sequence[Incident], version: int) -> None:
    """Write incidents as they stand; `version` is the ms of writing. Raises Unavailable."""
    if changed:
        with passing_errors(f"writing {len(changed)} incidents"):
            rows = [[getattr(one, name) for name in _COLUMNS] + [version] for one in changed]
            client.insert("incidents", rows, column_names=[*_COLUMNS, "version"])


def incident_events(client: Client, organisation: str) -> list[IncidentEvent]:
    """What people said of incidents: noted or silenced, in the order in which it counts. Raises Unavailable."""
    with passing_errors(f"reading what was said of incidents of {organisation}"):
        return [IncidentEvent._make(row) for row in client.query(_EVENTS, parameters={"organisation": organisation}).result_rows]
