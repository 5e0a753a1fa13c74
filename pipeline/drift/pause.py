"""What people announced, as the watch over one stream heeds it: some changes make it learn anew, some times are left out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.drift.kinds import Name

RELEARN = ("announced_change", "reorganisation", "initiative", "questionnaire_change")
"""From their beginning on, what was usual is no longer."""
LEFT_OUT = ("outage", "maintenance", "campaign")
"""Between their beginning and end nothing is looked for, and nothing is learned."""


class Announced(NamedTuple):
    """A marker. Times in ms, end None while it has none; channels empty for all."""

    kind: str
    start_ms: int
    end_ms: int | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Markers:
    """The moments (ms) from which to learn anew, and the spans to leave out, of one stream."""

    moments: tuple[int, ...] = ()
    spans: tuple[tuple[int, int | None], ...] = ()

    @classmethod
    def of(cls, announced: Iterable[Announced], channel: str, kind: Name) -> "Markers":
        """Of all markers of an organisation those that concern a stream; a change of questionnaire concerns grades only."""
        mine = [one for one in announced if not one.channels or channel in one.channels]
        moments = (one.start_ms for one in mine if one.kind in RELEARN and (one.kind != "questionnaire_change" or kind == "grade"))
        return cls(tuple(sorted(moments)), tuple(sorted(((one.start_ms, one.end_ms) for one in mine if one.kind in LEFT_OUT), key=str)))

    def skipped(self, at: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which hours, by their beginnings, are left out: every hour that a span touches."""
        found = np.zeros(len(at), dtype=bool)
        for start, end in self.spans:
            found |= (at + 3_600_000 > start) & (True if end is None else at < end)
        return found

    def relearns(self, since: int, until: int) -> bool:
        """Whether to learn anew from a moment in [since, until)."""
        return any(since <= moment < until for moment in self.moments)

    def between(self, start: int, end: int) -> list[tuple[int, int | None]]:
        """All that bears on [start, end), for comparison."""
        spans = [span for span in self.spans if span[0] < end and (span[1] is None or span[1] > start)]
        return [*((moment, moment) for moment in self.moments if start <= moment < end), *spans]
