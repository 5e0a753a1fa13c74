"""When nearly everything is refused, it is the deployment that is wrong and not the data: when to stop before more is refused.

Pure. `braking` stops the worker by it.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.decode import Decoded

WINDOW = 2_000
"""The share is that of the last so many events, rounded up to whole records."""
LEAST = 500
"""Of fewer events no share is judged."""
SHARE = 0.5
RUN = 500


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop of one worker, as it is stored. Times in epoch ms. `configuration` is the digest of what was in force."""

    group: str
    instance: str
    since: int
    software: str
    configuration: str
    reason: str
    released_at: int | None = None
    released_by: str = ""


class _Seen:
    """The last records as (events, refused), and how many events in a row were refused up to now."""

    def __init__(self, records: Sequence[tuple[int, int]] = (), run: int = 0) -> None:
        self.records = deque(records)
        self.events = sum(events for events, _ in records)
        self.refused = sum(refused for _, refused in records)
        self.run = run
        self.longest = run

    def copy(self) -> "_Seen":
        return _Seen(self.records, self.run)

    def add(self, decoded: Decoded) -> None:
        """Take in one record. What is refused as a whole counts as one event."""
        events = decoded.events or 1
        refused = sorted(max(0, reject.position) for reject in decoded.rejects)
        self.records.append((events, len(refused)))
        self.events += events
        self.refused += len(refused)
        while self.events - self.records[0][0] >= WINDOW:
            gone = self.records.popleft()
            self.events -= gone[0]
            self.refused -= gone[1]
        position = 0
        for number in refused:
            self.run = self.run + 1 if number == position else 1
            self.longest = max(self.longest, self.run)
            position = number + 1
        if position < events:
            self.run = 0


class Brake:
    """Trips when more than `share` of the last events is refused, or `run` in a row; either may be None: off.

    After `release` by a person it lets everything pass until, over a whole window, less than half of `share` was refused: one release is
    enough for a long stretch of rubbish.
    """

    def __init__(self, share: float | None = SHARE, run: int | None = RUN) -> None:
        self._share = share
        self._run = run
        self._seen = _Seen()
        self._armed = True

    def judge(self, batch: Sequence[Decoded]) -> str:
        """Why the worker must stop before this batch; "" when it need not. Only a batch that passes is remembered."""
        seen = self._seen.copy()
        for decoded in batch:
            seen.add(decoded)
            if not self._armed:
                self._armed = seen.events >= WINDOW and seen.refused < seen.events * (self._share or SHARE) / 2
                seen.longest = seen.run
            elif decoded.rejects and (why := self._why(seen)):  # good events after bad ones are no reason
                return f"{why}, most of this batch {_most(batch)}"
        self._seen = seen
        return ""

    def _why(self, seen: _Seen) -> str:
        if self._run is not None and seen.longest >= self._run:
            return f"{seen.longest:,} events in a row were refused"
        if self._share is not None and seen.events >= LEAST and seen.refused > seen.events * self._share:
            return f"{seen.refused:,} of the last {seen.events:,} events were refused"
        return ""

    def forget(self) -> None:
        """What was refused is no evidence any more: another configuration is in force."""
        self._seen = _Seen()

    def release(self) -> None:
        """A person said: go on."""
        self.forget()
        self._armed = False


def _most(batch: Sequence[Decoded]) -> str:
    """The most frequent refusal, without what the events said."""
    reasons = Counter((reject.reason, decoded.organisation) for decoded in batch for reject in decoded.rejects)
    (reason, organisation), _ = reasons.most_common(1)[0]
    return f"as `{reason}` of {organisation!r}"
