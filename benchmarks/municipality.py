"""What one municipality adds to the sums in four weeks, as the sizing assumes it: 500 contacts a working day, twenty series."""

from collections.abc import Iterator

import numpy as np

from pipeline.minutes import Column
from pipeline.rolling import LONGEST, Delta, SeriesKey

CONTACTS_A_DAY = 500
EVENTS_A_CONTACT = 4
OPENS, CLOSES = 8 * 60 + 30, 17 * 60
"""Minutes of the day, Monday to Friday."""
WORKING_DAYS = 20
"""In 28 days."""
NOW = 29_480_340
"""The minute at which it is measured: a Monday, 11:00 UTC."""
DAY = 1_440

_QUEUE = ("volume", "abandonment", "wait", "norm:answered", "norm:settled")
_WRITTEN = ("volume", "norm:acknowledged", "norm:settled")
_SHARES = (("telephone", 0.6, _QUEUE), ("counter", 0.2, _QUEUE), ("email", 0.12, _WRITTEN), ("form", 0.08, _WRITTEN))
_ANSWERED = 0.05
_ASPECTS = ("overall", "speed", "staff", "result")

Columns = tuple[Column, Column, Column, Column]
"""minute, n, Σx, Σx² of single contributions."""


def series() -> Iterator[tuple[SeriesKey, Columns]]:
    """Every series with its contributions from four weeks before NOW until the end of that day; the same ones at each call."""
    dice = np.random.default_rng(20)
    today = NOW - NOW % DAY
    days = np.arange(today - LONGEST, today + DAY, DAY)
    days = days[(days // DAY + 3) % 7 < 5]  # day 0 of the epoch was a Thursday
    for channel, share, measures in _SHARES:
        count = round(share * CONTACTS_A_DAY * len(days))
        at = dice.choice(days, count) + dice.integers(OPENS + 1, CLOSES, count, endpoint=True)
        for measure in measures:
            yield (
                (channel, measure),
                _contributions(at, dice.integers(2_000, 300_000, count) if measure == "wait" else dice.integers(0, 2, count)),
            )
        if channel == "telephone":
            answered = at[: round(_ANSWERED * count)]
            for aspect in _ASPECTS:
                yield (channel, f"answer:kto:1:{aspect}"), _contributions(answered, 1_000 * dice.integers(4, 11, len(answered)))


def _contributions(at: Column, x: Column) -> Columns:
    return at, np.ones(len(at), dtype=np.int64), x, x * x


def until_now() -> list[tuple[SeriesKey, Columns]]:
    """The contributions up to NOW."""
    return [(key, tuple(column[columns[0] <= NOW] for column in columns)) for key, columns in series()]  # type: ignore[misc]


def after_now() -> dict[int, list[Delta]]:
    """Those of the rest of the day, by minute."""
    found: dict[int, list[Delta]] = {}
    for key, columns in series():
        for minute, n, total, squares in zip(*(column.tolist() for column in columns), strict=True):
            if minute > NOW:
                found.setdefault(minute, []).append((*key, minute, n, total, squares))
    return found
