"""Where the detector of a stream stood when a day began: from there it is run again when hours since turn out otherwise."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline.drift.pause import Markers
from pipeline.drift.streams import HOUR_MS, Fed

SOFTWARE = 1
"""Raise it when the same sums give other states: checkpoints of another number are not gone on from."""
DAY_ZERO = 4
"""Local days are counted from Monday 5 January 1970 where streams are fed, from 1 January in checkpoints."""


class Checkpoint(NamedTuple):
    """day: days since 1970, by local date. state, baseline: JSON. software: the revision of the detector that wrote them.

    digest: of the hours fed since the checkpoint before; another digest of the same hours means that they have changed.
    """

    day: int
    state: str
    baseline: str
    digest: str
    software: int


def digest_of(fed: Fed, markers: Markers, first: int, end: int) -> str:
    """Of the hours fed at places first to end, `end` not included, and of what was announced for them."""
    part = fed.slice(first, end)
    digest = hashlib.blake2b(digest_size=12)
    for column in (part.hour, part.v, part.n):
        digest.update(column.tobytes())
    if end > first:
        digest.update(repr(markers.between(begins(fed, first), int(part.at[-1]) + HOUR_MS)).encode())
    return digest.hexdigest()


def begins(fed: Fed, place: int) -> int:
    """From when (ms) what is announced concerns the hour at a place: since the end of the hour before it, which may be days ago."""
    return int(fed.at[place - 1]) + HOUR_MS if place else int(fed.at[0])


def last_valid(checkpoints: Sequence[Checkpoint], fed: Fed, markers: Markers) -> Checkpoint | None:
    """The last checkpoint such that the digests of all days between the kept ones before it still fit. checkpoints: by day."""
    found: Checkpoint | None = None
    days = fed.hour // 24 + DAY_ZERO
    for one in checkpoints:
        if one.software != SOFTWARE:
            found = None
            continue
        if found is not None:
            first, end = np.searchsorted(days, (found.day, one.day)).tolist()
            if digest_of(fed, markers, first, end) != one.digest:
                break
        found = one
    return found
