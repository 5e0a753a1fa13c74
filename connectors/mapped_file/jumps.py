"""Finds times that jump against the order of their file: what a source's wrong clock looks like.

A file that is roughly in order of time has neighbours that lie near each other; a row years away from those around it was stamped by a
clock that was wrong. A file in no order at all has no such neighbours, and nothing is said of it.
"""

from collections import deque
from dataclasses import dataclass
from statistics import median

DAY_MS = 86_400_000
FAR_MS = 60 * DAY_MS
"""A row further than this from the middle of the rows around it has jumped."""
_WINDOW = 201
_STEP = 20
_LEAST_ROWS = 500
NEAR_MS = 3 * DAY_MS
_ORDERED = 0.6
"""So large a share of the rows must lie this near to the rows around them, or the file is in no order."""
_BUCKET_MS = 30 * DAY_MS
_LEAST_JUMPS = 5
_SHOWN = 5


@dataclass
class _Jump:
    first_line: int
    rows: int = 0
    total_ms: int = 0


class Jumps:
    """Takes the time of each row in the order of the file; `warnings` says what does not fit."""

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=_WINDOW)
        self._first: list[tuple[int, int]] = []
        self._middle = 0
        self._seen = 0
        self._near = 0
        self._jumps: dict[int, _Jump] = {}

    def see(self, line: int, at_ms: int) -> None:
        """One row: where it stands and its first time (epoch milliseconds)."""
        self._seen += 1
        self._recent.append(at_ms)
        # The middle is taken anew now and then only: sorting for every row would cost more than reading it.
        if self._seen % _STEP == 0:
            self._middle = int(median(self._recent))
        if self._seen < _WINDOW:
            self._first.append((line, at_ms))  # Too few rows yet to tell which of them is wrong.
            return
        for earlier in self._first:
            self._compare(*earlier)
        self._first.clear()
        self._compare(line, at_ms)

    def _compare(self, line: int, at_ms: int) -> None:
        away = at_ms - self._middle
        self._near += abs(away) <= NEAR_MS
        if abs(away) > FAR_MS:
            jump = self._jumps.setdefault(round(away / _BUCKET_MS), _Jump(line))
            jump.rows += 1
            jump.total_ms += away

    def warnings(self) -> list[str]:
        """A sentence for each jump, the most rows first; none for a file in no order."""
        if self._seen < _LEAST_ROWS or self._near < _ORDERED * self._seen:
            return []
        found = sorted((jump for jump in self._jumps.values() if jump.rows >= _LEAST_JUMPS), key=lambda jump: -jump.rows)
        return [
            f"{jump.rows:,} rows, the first on line {jump.first_line:,}, lie about {abs(jump.total_ms) // jump.rows // DAY_MS:,} days "
            f"{'after' if jump.total_ms > 0 else 'before'} the rows around them: is a clock wrong? A rule under `clocks` or `leave_out` "
            "in the mapping settles it"
            for jump in found[:_SHOWN]
        ]
