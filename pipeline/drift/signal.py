"""What is told of a drift: its states in order, found, grown and over, each with size, interval, onset and what it rests on."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from pipeline.drift.kinds import Name

State = Literal["found", "grown", "over"]
Ended = Literal["", "recovered", "revised", "announced", "usual"]
Dimension = Literal["product", "team", "location"]


@dataclass(frozen=True, slots=True)
class Contributor:
    """A part of the channel and what it contributes to the change: `share` of the whole (all parts of a dimension add up to 1).

    n: what its figure since the onset rests on.
    """

    dimension: Dimension
    name: str
    share: float
    n: int


@dataclass(frozen=True, slots=True)
class Signal:
    """One state of a signal. Times are epoch ms by event time.

    stream: what is watched, for ever the same: `volume`, `wait`, `norm:<id>`, `answer:<instrument>:<aspect>`. measure: the figure as views
    name it (an answer's with its version). side: −1 for a fall, 1 for a rise of the figure. at: the end of the hour that made this state.
    onset: when it began or, of grown, when it grew, as far as can be told. size, low, high: the change and its 95 % interval: in grades of
    1-10, as a difference of shares (−0.23), as a factor of times or volumes (1.4). usual, value: what was expected, and what was seen,
    since the onset: grade, share, (geometric) mean seconds, contacts in an open hour. n: so many answers, judged contacts, waits, contacts.
    sequence: 0 for found, counting on. announce: False for what was found in a back-fill. ended: why it is over: the channel recovered,
    late data took the ground away (`revised`), a change was announced, or it has lasted so long that it is what is usual now.
    """

    organisation: str
    id: str
    sequence: int
    state: State
    channel: str
    stream: str
    measure: str
    kind: Name
    side: int
    at: int
    onset: int
    size: float
    low: float
    high: float
    value: float
    usual: float
    n: int
    contributors: tuple[Contributor, ...] = ()
    announce: bool = True
    ended: Ended = ""

    @property
    def worse(self) -> bool:
        """Whether it should concern somebody: lower grades or attainment, longer waits, any change of volume. The rest is improvement."""
        return self.kind == "volume" or (self.side > 0) == (self.kind == "time")


def signal_id(organisation: str, channel: str, stream: str, side: int, onset: int) -> str:
    """The id of a signal, from what it is of and the hour in which it began (ms): a replay finds the same."""
    text = "\0".join((organisation, channel, stream, str(side), str(onset // 3_600_000)))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
