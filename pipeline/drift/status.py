"""How the watch over a stream stands, as people are shown it."""

from typing import Literal, NamedTuple

Status = Literal["learning", "watching", "drifting", "silent", "unknown"]


class Watch(NamedTuple):
    """Times in ms. since: of the status. watches_from: when it will watch or has begun to, None where that can't be said yet.

    until: end of the last hour that was looked at, None before the first. budget: false alarms a quarter. reason: why it is so, for people.
    """

    channel: str
    stream: str
    status: Status
    since: int
    watches_from: int | None
    until: int | None
    budget: float
    reason: str = ""
