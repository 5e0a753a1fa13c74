"""What the views say of satisfaction: figures by period, breakdowns, attainment, response, breaks, and the markers beside them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.minutes import Sum
from pipeline.store.client import VIEWS, Connection, passing_errors
from pipeline.store.markers import Marker, markers


class Score(NamedTuple):
    """A figure of one aspect over whole blocks. channel "" is all; total and squares in thousandths; value, target in the scale's unit."""

    instrument: str
    version: int
    aspect: str
    kind: str
    population: str
    audience: str
    channel: str
    period: str
    closed: bool
    n: int
    total: int
    squares: int
    low_n: int
    high_n: int
    value: float
    low: float | None
    high: float | None
    faces: list[float]
    target: float | None
    attainment: str

    @property
    def sums(self) -> Sum:
        """n, Σx, Σx²."""
        return self.n, self.total, self.squares


class Cell(NamedTuple):
    """A figure of one team, product, location or segment; a withheld one has no sums."""

    instrument: str
    version: int
    aspect: str
    channel: str
    cell: str
    withheld: bool
    n: int | None
    total: int | None
    squares: int | None


class Attained(NamedTuple):
    """Of how many aspects with a target it was demonstrably reached."""

    instrument: str
    version: int
    channel: str
    period: str
    aspects: int
    met: int
    not_met: int
    too_few: int


class Response(NamedTuple):
    """Invitations and complete answers to them. `quarter` "" where a wave's file tells how many were invited."""

    instrument: str
    version: int
    wave: str
    channel: str
    quarter: str
    invited: int
    answered: int
    rate: float
    low: float
    high: float


class Aspect(NamedTuple):
    """An item of a questionnaire as it is in force."""

    instrument: str
    version: int
    aspect: str
    title_nl: str
    title_en: str
    aspect_nl: str
    aspect_en: str
    kind: str
    population: str
    audience: str
    minimum: float
    maximum: float
    expects: str


class Wave(NamedTuple):
    """A round of a questionnaire, [start, end)."""

    wave: str
    instrument: str
    version: int
    start: date
    end: date
    size: int | None


class Broken(NamedTuple):
    """A break in a series; instrument "" and channel "" concern all."""

    instrument: str
    channel: str
    kind: str
    at: datetime
    note: str


class SatisfactionViews:
    """These views, read as one user: what `readers` lets that user see. Raises Unavailable."""

    def __init__(self, connection: Connection) -> None:
        self._client: Client = connection.open(database=VIEWS)

    def scores(self, organisation: str, at: datetime, kind: str) -> list[Score]:
        """Figures by `quarter`, `month`, `year` or `wave` at an instant."""
        sql = """SELECT instrument, instrument_version, aspect, kind, population, audience, channel, period, closed, n, total, squares,
                     low_n, high_n, value, low, high, face_shares, target, attainment
                 FROM v_satisfaction(organisation = {organisation:String}, at = {at:DateTime64(3, 'UTC')})
                 WHERE period_kind = {kind:String} ORDER BY instrument, instrument_version, channel, period, aspect"""
        return [Score._make(row) for row in self._rows(sql, organisation, at, kind=kind)]

    def cells(self, organisation: str, quarter: str, dimension: str) -> list[Cell]:
        """A breakdown of a closed quarter by `team`, `product`, `location` or `segment`; empty while the quarter is not closed."""
        sql = """SELECT instrument, instrument_version, aspect, channel, cell, withheld, n, total, squares
                 FROM v_satisfaction_by(organisation = {organisation:String})
                 WHERE quarter = {quarter:String} AND dimension = {dimension:String}
                 ORDER BY instrument, instrument_version, channel, cell, aspect"""
        return [Cell._make(row) for row in self._rows(sql, organisation, quarter=quarter, dimension=dimension)]

    def attained(self, organisation: str, at: datetime, kind: str) -> list[Attained]:
        """ "x of y aspects" by `quarter`, `month`, `year` or `wave`."""
        sql = """SELECT instrument, instrument_version, channel, period, aspects, met, not_met, too_few
                 FROM v_attainment(organisation = {organisation:String}, at = {at:DateTime64(3, 'UTC')})
                 WHERE period_kind = {kind:String}"""
        return [Attained._make(row) for row in self._rows(sql, organisation, at, kind=kind)]

    def response(self, organisation: str, at: datetime) -> list[Response]:
        """Response by channel, wave and quarter of the invitation."""
        sql = """SELECT instrument, instrument_version, wave, channel, quarter, invited, answered, rate, low, high
                 FROM v_response(organisation = {organisation:String}, at = {at:DateTime64(3, 'UTC')})
                 ORDER BY instrument, instrument_version, wave, quarter, channel"""
        return [Response._make(row) for row in self._rows(sql, organisation, at)]

    def aspects(self, organisation: str) -> list[Aspect]:
        """Every aspect of every version in force."""
        sql = """SELECT instrument, instrument_version, aspect, title_nl, title_en, aspect_nl, aspect_en, kind, population, audience,
                     minimum, maximum, expects
                 FROM v_instruments WHERE organisation = {organisation:String}"""
        return [Aspect._make(row) for row in self._rows(sql, organisation)]

    def waves(self, organisation: str) -> list[Wave]:
        """The waves of the organisation's file, in order."""
        sql = """SELECT wave, instrument, instrument_version, start_day, end_day, size FROM v_waves
                 WHERE organisation = {organisation:String} ORDER BY start_day, wave"""
        return [Wave._make(row) for row in self._rows(sql, organisation)]

    def breaks(self, organisation: str) -> list[Broken]:
        """Breaks in the series, in order of time."""
        sql = """SELECT instrument, channel, kind, at, note FROM v_breaks(organisation = {organisation:String}) ORDER BY at"""
        return [row._replace(at=row.at.replace(tzinfo=UTC)) for row in map(Broken._make, self._rows(sql, organisation))]

    def markers(self, organisation: str, start: datetime | None = None, end: datetime | None = None) -> list[Marker]:
        """See markers.markers."""
        return markers(self._client, organisation, start, end)

    def _rows(self, sql: str, organisation: str, at: datetime | None = None, **more: str) -> Iterator[Sequence[Any]]:
        parameters = {"organisation": organisation, **more}
        if at is not None:
            parameters["at"] = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        with passing_errors("reading the views"):
            yield from self._client.query(sql, parameters=parameters).result_rows

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
