"""Figures of one organisation three ways: as the worker keeps them, as SQL sums everything stored, as the views publish them.

Base tables are exact; of answers the views show whole blocks only, which are recomputed here by the rules alone.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.pipeline.store.publishing import Block, Given, blocks

Query = Callable[..., list[tuple[Any, ...]]]
"""(sql, **parameters) -> rows, as the owner of the tables."""
Sums = tuple[int, int, int]
"""n, total, squares."""
Figures = dict[tuple[str, str, str], Sums]
"""By channel, measure and window; empty windows are absent."""

_MINUTES = {"1h": 60, "24h": 1_440, "7d": 10_080, "28d": 40_320}
SMALL_CELL = 5
"""Of every organisation here."""


def minute_of(at: datetime) -> int:
    """The minute (since 1970) at whose end `at` counts."""
    return -((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(minutes=-1))


def exact(query: Query, organisation: str, at: datetime) -> Figures:
    """Recomputed from every contact and answer that is stored."""
    windows = ", ".join(f"('{window}', {minutes})" for window, minutes in _MINUTES.items())
    rows = query(
        f"""SELECT channel, measure, w.1, sum(n), sum(total), sum(squares)
            FROM contributions_of(organisations = [{{organisation:String}}]) ARRAY JOIN [{windows}] AS w
            WHERE minute <= {{as_of:Int64}} AND minute > {{as_of:Int64}} - w.2 GROUP BY ALL""",
        organisation=organisation, as_of=minute_of(at),
    )  # fmt: skip
    return {(channel, measure, window): (n, total, squares) for channel, measure, window, n, total, squares in rows}


def kept(query: Query, organisation: str) -> tuple[datetime, Figures]:
    """The worker's own last rows, and the latest moment at which one was made; answers with them, which no view shows so."""
    sql = "SELECT channel, measure, window, n, total, squares, as_of FROM rolling_last FINAL WHERE organisation = {organisation:String}"
    rows = query(sql, organisation=organisation)
    as_of = max((row[-1].replace(tzinfo=UTC) for row in rows), default=datetime(1970, 1, 1, tzinfo=UTC))
    return as_of, {(channel, measure, window): (*sums,) for channel, measure, window, *sums, _ in rows if any(sums)}


def quarters(query: Query, organisation: str, zone: str) -> Figures:
    """By channel, measure and local quarter in which it counts, over everything that is stored; what is to count yet included."""
    rows = query(
        f"""SELECT channel, measure, formatDateTime(at, '%Y-Q%Q', '{zone}') AS quarter, sum(n), sum(total), sum(squares)
            FROM contributions_of(organisations = [{{organisation:String}}]) GROUP BY ALL""",
        organisation=organisation,
    )
    return {(channel, measure, quarter): (n, total, squares) for channel, measure, quarter, n, total, squares in rows}


def given(query: Query, organisation: str) -> list[Given]:
    """Every stored answer."""
    rows = query(
        """SELECT a.answer, answered_at, channel, arrayZip(aspects, grades), instrument, instrument_version, status, wave, l.logged_at
           FROM answers_of(organisations = [{organisation:String}]) AS a
           INNER JOIN (SELECT source, answer, logged_at FROM survey_answers FINAL WHERE organisation = {organisation:String}) AS l
               ON a.source = l.source AND a.answer = l.answer
           ORDER BY sipHash64(a.source, a.answer)""",
        organisation=organisation,
    )
    return [
        Given(
            name, at.replace(tzinfo=UTC), channel, {aspect: grade / 1000 for aspect, grade in grades}, instrument, version,
            logged.replace(tzinfo=UTC), status, wave,
        )
        for name, at, channel, grades, instrument, version, status, wave, logged in rows
    ]  # fmt: skip


def published(query: Query, organisation: str, at: datetime, zone: str = "Europe/Amsterdam") -> Figures:
    """What may be shown of answers at `at`: the blocks that lie wholly inside a window."""
    end = minute_of(at)
    return _summed(
        (window, block)
        for block in _blocks(query, organisation, zone)
        for window, minutes in _MINUTES.items()
        if minute_of(block.last) <= end and minute_of(block.first) > end - minutes
    )


def published_quarters(query: Query, organisation: str, zone: str) -> Figures:
    """What may be shown of answers by quarter: all blocks."""
    return _summed((block.series[-1], block) for block in _blocks(query, organisation, zone))


def _blocks(query: Query, organisation: str, zone: str) -> Iterator[Block]:
    return blocks(given(query, organisation), datetime.now(UTC), SMALL_CELL, zone=ZoneInfo(zone))


def _summed(periods: Iterable[tuple[str, Block]]) -> Figures:
    found: Figures = {}
    for period, block in periods:
        instrument, version, aspect, channel, *_ = block.series
        key = (channel, f"answer:{instrument}:{version}:{aspect}", period)
        n, total, squares = (one + more for one, more in zip(found.get(key, (0, 0, 0)), block.sums, strict=True))
        found[key] = (n, total, squares)
    return found
