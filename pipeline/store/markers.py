"""Announced changes and outages that figures carry."""

from datetime import UTC, datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.store.client import passing_errors

_MARKERS = """SELECT marker, kind, from_at, to_at, channels, note FROM v_markers
              WHERE organisation = {organisation:String} ORDER BY from_at, marker"""


class Marker(NamedTuple):
    """An announced change. `channels` empty for all, `end` None while it has none."""

    marker: str
    kind: str
    start: datetime
    end: datetime | None
    channels: list[str]
    note: str

    def concerns(self, channel: str) -> bool:
        """Whether it holds for a channel; for "", all together, what holds for any of them does."""
        return not channel or not self.channels or channel in self.channels


def markers(views: Client, organisation: str, start: datetime | None = None, end: datetime | None = None) -> list[Marker]:
    """The markers that stand and hold somewhere in (start, end], in order of time; without these all. Raises Unavailable."""
    with passing_errors("reading the markers"):
        rows = views.query(_MARKERS, parameters={"organisation": organisation}).result_rows
    found = [
        Marker(name, kind, begins.replace(tzinfo=UTC), None if ends is None else ends.replace(tzinfo=UTC), channels, note)
        for name, kind, begins, ends, channels, note in rows
    ]
    return [one for one in found if (end is None or one.start <= end) and (start is None or one.end is None or one.end > start)]
