"""What the views say of contacts: measures of a window, what is open at an instant, what a source is good for."""

from datetime import UTC, datetime
from typing import Any, Literal

from clickhouse_connect.driver.client import Client

from pipeline.store.client import VIEWS, Connection, passing_errors

Dimension = Literal["", "via", "product", "team", "location"]
"""What a channel's figures may be split by; "" for none."""
Windowed = Literal["v_measures", "v_ways_out", "v_repeats"]
"""Views of what happened in (since, at], by a dimension."""
Momentary = Literal["v_ageing", "v_open_contacts", "v_norm_times", "v_per_inhabitants", "v_busy", "v_expected", "v_gauges_now"]
"""Views of an instant."""
Standing = Literal["v_segments", "v_roles", "v_visits"]
"""Views that take the organisation only."""
Row = dict[str, Any]
"""A row by column name, as docs/MEASURES.md describes the view; moments are UTC."""


class MeasureViews:
    """These views of one organisation, read as one user: what `readers` lets that user see. Raises Unavailable."""

    def __init__(self, connection: Connection, organisation: str) -> None:
        self._client: Client = connection.open(database=VIEWS)
        self._organisation = organisation

    def window(self, view: Windowed, since: datetime, at: datetime, by: Dimension) -> list[Row]:
        """What happened in (since, at]; channel "" is all channels."""
        return self._rows(view, {"since": "DateTime64(3, 'UTC')", "at": "DateTime64(3, 'UTC')", "by": "String"}, since=since, at=at, by=by)

    def open(self, at: datetime, by: Dimension) -> list[Row]:
        """What is open at an instant, counted; channel "" is all channels."""
        return self._rows("v_open", {"at": "DateTime64(3, 'UTC')", "by": "String"}, at=at, by=by)

    def moment(self, view: Momentary, at: datetime) -> list[Row]:
        """Any other view of an instant."""
        return self._rows(view, {"at": "DateTime64(3, 'UTC')"}, at=at)

    def standing(self, view: Standing) -> list[Row]:
        """A view that knows no instant."""
        return self._rows(view, {})

    def _rows(self, view: str, types: dict[str, str], **values: datetime | str) -> list[Row]:
        arguments = ", ".join(f"{name} = {{{name}:{kind}}}" for name, kind in {"organisation": "String", **types}.items())
        texts = {
            name: value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if isinstance(value, datetime) else value
            for name, value in values.items()
        }
        with passing_errors("reading the views"):
            found = self._client.query(f"SELECT * FROM {view}({arguments})", parameters={"organisation": self._organisation, **texts})
            return [
                {name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for name, value in row.items()}
                for row in found.named_results()
            ]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
