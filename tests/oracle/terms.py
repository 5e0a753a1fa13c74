"""From a start to a deadline: the five clocks, with suspensions and extensions, walked as the definitions say it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.oracle.days import ONE_DAY, Calendar, statutory_rest

_MS = {"s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True)
class Turn:
    """Something that may move a deadline: `paused`, `resumed` (or what ends a pause), `extended` with its new term."""

    at: int
    what: str
    due: int | None = None


def number(text: str) -> tuple[int, str]:
    """`6w` as (6, "w")."""
    match = re.fullmatch(r"\s*(\d+)\s*([a-z]+)\s*", text)
    assert match, text
    return int(match[1]), match[2]


def duration(text: Any) -> int:
    """Milliseconds of `45s`, `15min`, `24h`, `2d`."""
    count, unit = number(str(text))
    return count * _MS[unit]


def months_later(day: date, months: int) -> date:
    """The same day so many months on, or the last of that month."""
    first = day.replace(day=1)
    for _ in range(months):
        first = (first + timedelta(days=31)).replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - ONE_DAY
    return min(first.replace(day=min(day.day, last.day)), last)


@dataclass
class Clock:
    """The clock of one norm for one contact."""

    norm: dict[str, Any]
    calendar: Calendar
    channel: str
    location: str | None
    start: int
    deadline: int | None = None
    suspended: bool = False
    _last: date | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        return str(self.norm["clock"])

    @property
    def statutory(self) -> bool:
        return self.kind == "statutory-term" or self.norm.get("calendar") == "statutory"

    # Without turns ---------------------------------------------------------------------------------------------------------

    def own(self) -> int | None:
        """The deadline that the norm itself sets; None where the data must."""
        match self.kind:
            case "given":
                return None
            case "elapsed":
                return self.start + duration(self.norm["threshold"])
            case "opening-hours":
                return self.after_open(self.start, duration(self.norm["threshold"]))
            case "working-days":
                self._last = self.day_after(self.calendar.day_of(self.start), number(self.norm["threshold"])[0], self.works)
                return self.calendar.end_of(self._last)
            case _:
                self._last = _add_term(self.calendar.day_of(self.start), *number(self.norm["threshold"]))
                return self.calendar.end_of(self.no_rest_day(self._last))

    def works(self, day: date) -> bool:
        return self.calendar.working(day, statutory=self.statutory)

    @staticmethod
    def day_after(day: date, count: int, counts: Callable[[date], bool]) -> date:
        """The last of so many days that count, after a day."""
        while count:
            day += ONE_DAY
            count -= counts(day)
        return day

    @staticmethod
    def no_rest_day(day: date) -> date:
        while statutory_rest(day):
            day += ONE_DAY
        return day

    def after_open(self, since: int, amount: int) -> int:
        """The first moment at which the channel has been open for so long since then."""
        for first, last in self.calendar.opened(since, self.channel, self.location):
            if amount <= last - first:
                return first + amount
            amount -= last - first
        raise AssertionError(f"{self.norm['id']}: {self.channel} is not open long enough in ten years")

    def open_between(self, since: int, until: int) -> int:
        """Milliseconds that the channel is open in [since, until)."""
        total = 0
        for first, last in self.calendar.opened(since, self.channel, self.location):
            if first >= until:
                break
            total += min(last, until) - first
        return total

    # With turns ------------------------------------------------------------------------------------------------------------

    def run(self, turns: list[Turn], given: int | None) -> None:
        """Work through what moves the deadline, in order. Leaves `deadline` and whether a pause is `suspended` still."""
        self.deadline = given if given is not None else self.own()
        if self.deadline is None:
            return
        own, pauses = self.deadline, given is None and self.norm.get("suspension", True)
        since: int | None = None
        for turn in turns:
            if turn.what == "paused" and pauses and since is None and turn.at <= self.deadline:
                since = max(turn.at, self.start)
            elif turn.what == "resumed" and since is not None:
                if turn.at > since:
                    self._shift(since, turn.at)
                since = None
            elif turn.what == "extended" and turn.due is not None:
                in_time = turn.at <= self.deadline or since is not None
                due = self.cut(turn.due, own)
                if in_time and due > self.deadline:
                    self.deadline, self._last = due, None
        self.suspended = since is not None

    def _shift(self, since: int, until: int) -> None:
        assert self.deadline is not None
        if self.kind == "elapsed":
            self.deadline += until - since
        elif self.kind == "opening-hours":
            left = self.open_between(since, self.deadline)
            self.deadline = self.after_open(until, left) if left else max(self.deadline, until)
        else:
            self._shift_days(since, until)

    def _shift_days(self, since: int, until: int) -> None:
        """The days strictly between the day of the pause and that of the resumption do not count."""
        assert self.deadline is not None
        first, end = self.calendar.day_of(since) + ONE_DAY, self.calendar.day_of(until)
        lost = [first + timedelta(days=n) for n in range((end - first).days)]
        if self.kind == "working-days":
            lost = [day for day in lost if self.works(day)]
        if not lost:
            return
        last = self._last or self.calendar.day_of(self.deadline)
        if self.kind == "working-days":
            moved = self.day_after(last, len(lost), self.works)
            end = moved
        else:
            moved = last + timedelta(days=len(lost))
            end = self.no_rest_day(moved)
        if self._last is None:
            # A term that was extended ends at the time of day that was given, on another day.
            self.deadline = self.calendar.same_time(self.deadline, (end - last).days)
        else:
            self._last, self.deadline = moved, self.calendar.end_of(end)

    def cut(self, due: int, own: int) -> int:
        """The new term of an extension, at most as far past the norm's own as the norm allows."""
        limit = str(self.norm.get("extension", "any"))
        if limit == "any":
            return due
        if limit == "none":
            return own
        count, unit = number(limit)
        if unit in _MS and unit != "d":
            return min(due, own + count * _MS[unit])
        day = self.calendar.day_of(own)
        if unit == "wd":
            return min(due, self.calendar.end_of(self.day_after(day, count, self.works)))
        return min(due, self.calendar.end_of(self.no_rest_day(_add_term(day, count, unit))))

    # Measured --------------------------------------------------------------------------------------------------------------

    def measured(self, stop: int, turns: list[Turn]) -> int:
        """Milliseconds on this clock from the start to the stop, without what was paused."""
        ran, since = [], self.start
        paused: int | None = None
        for turn in turns if self.norm.get("suspension", True) else ():
            at = min(max(turn.at, self.start), stop)
            if turn.what == "paused" and paused is None:
                paused = at
                ran.append((since, at))
            elif turn.what == "resumed" and paused is not None:
                paused, since = None, at
        if paused is None:
            ran.append((since, stop))
        if self.kind == "opening-hours":
            return sum(self.open_between(first, last) for first, last in ran)
        return sum(last - first for first, last in ran)


def _add_term(day: date, count: int, unit: str) -> date:
    """The last day of a term that begins on the day after."""
    if unit == "m":
        return months_later(day, count)
    return day + timedelta(days=count * {"d": 1, "w": 7}[unit])
