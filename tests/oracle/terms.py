"""From a start to a deadline: the five clocks, with suspensions and extensions, walked as the definitions say it."""

import re
from dataclasses import dataclass
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
    """The clock of one norm for one contact: the arithmetic of a term, and how time that does not count moves a deadline."""

    norm: dict[str, Any]
    calendar: Calendar
    channel: str
    location: str | None
    start: int

    @property
    def kind(self) -> str:
        return str(self.norm["clock"])

    # Terms -----------------------------------------------------------------------------------------------------------------

    def own(self) -> "Deadline | None":
        """The deadline that the norm itself sets; None where the data must."""
        day = self.calendar.day_of(self.start)
        match self.kind:
            case "given":
                return None
            case "elapsed":
                return Deadline(self, self.start + duration(self.norm["threshold"]))
            case "opening-hours":
                return Deadline(self, self.after_open(self.start, duration(self.norm["threshold"])))
            case "working-days":
                return Deadline(self, 0, self.day_after(day, number(self.norm["threshold"])[0]))
            case _:
                return Deadline(self, 0, statutory_last_day(day, *number(self.norm["threshold"])))

    def works(self, day: date) -> bool:
        """Whether it is a working day of this norm."""
        if self.kind == "statutory-term" or self.norm.get("calendar") == "statutory":
            return not statutory_rest(day)
        return self.calendar.working(day, self.channel, self.location)

    def day_after(self, day: date, count: int) -> date:
        """The last of so many working days after a day."""
        while count:
            day += ONE_DAY
            count -= self.works(day)
        return day

    def end_of(self, last: date) -> int:
        """When a term ends whose last day this is: that of a statutory term is no day of rest, unless it is a long one."""
        if self.kind == "statutory-term" and not beyond_the_law(*number(self.norm["threshold"])):
            last = no_rest_day(last)
        return self.calendar.end_of(last)

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

    def cut(self, due: int, own: int) -> int:
        """The new term of an extension, at most as far past the norm's own as the norm allows."""
        limit = str(self.norm.get("extension", "any"))
        if limit == "any":
            return due
        if limit == "none":
            return own
        count, unit = number(limit)
        day = self.calendar.day_of(own)
        if unit == "wd":
            return min(due, self.calendar.end_of(self.day_after(day, count)))
        if unit in _MS and unit != "d":
            return min(due, own + count * _MS[unit])
        last = statutory_last_day(day, count, unit)
        return min(due, self.calendar.end_of(last if beyond_the_law(count, unit) else no_rest_day(last)))

    # With turns ------------------------------------------------------------------------------------------------------------

    def run(self, turns: list[Turn], given: int | None) -> tuple[int | None, bool]:
        """Work through what moves the deadline, in order. The deadline (None without any), and whether a pause still lasts."""
        own = self.own() if given is None else Deadline(self, given)
        if own is None:
            return None, False
        current, pauses = own, given is None and self.norm.get("suspension", True)
        since: int | None = None
        for turn in turns:
            if turn.what == "paused" and pauses and since is None and turn.at <= current.at:
                since = max(turn.at, self.start)
            elif turn.what == "resumed" and since is not None:
                if turn.at > since:
                    own, current = own.moved(since, turn.at), current.moved(since, turn.at)
                since = None
            elif turn.due is not None and (turn.at <= current.at or since is not None):
                # While a pause lasts, the deadline in force lies further off with every moment.
                due = self.cut(turn.due, own.at)
                if due > current.at:
                    current = Deadline(self, due)
        return current.at, since is not None

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


@dataclass(frozen=True)
class Deadline:
    """A deadline: the moment `at`, or, of a term in days, the `last` day before it moves on from a day of rest."""

    clock: Clock
    at: int
    last: date | None = None

    def __post_init__(self) -> None:
        if self.last is not None:
            object.__setattr__(self, "at", self.clock.end_of(self.last))

    def moved(self, since: int, until: int) -> "Deadline":
        """The deadline when the clock stands still from `since` to `until`."""
        clock = self.clock
        match clock.kind:
            case "elapsed":
                return Deadline(clock, self.at + until - since)
            case "opening-hours":
                left = clock.open_between(since, self.at)
                return Deadline(clock, clock.after_open(until, left) if left else max(self.at, until))
        # The days strictly between the day of the pause and that of the resumption do not count.
        calendar = clock.calendar
        first, end = calendar.day_of(since) + ONE_DAY, calendar.day_of(until)
        lost = [first + timedelta(days=n) for n in range((end - first).days)]
        if clock.kind == "working-days":
            lost = [day for day in lost if clock.works(day)]
        if not lost:
            return self
        last = self.last or calendar.day_of(self.at)
        moved = clock.day_after(last, len(lost)) if clock.kind == "working-days" else last + timedelta(days=len(lost))
        if self.last is not None:
            return Deadline(clock, 0, moved)
        # A term that was extended ends at the time of day that was given, on another day.
        return Deadline(clock, calendar.same_time(self.at, (calendar.day_of(clock.end_of(moved)) - last).days))


# Statutory terms --------------------------------------------------------------------------------------------------------


def beyond_the_law(count: int, unit: str) -> bool:
    """Whether the law on terms leaves it alone: more than 90 days, 12 weeks or 3 months (Algemene termijnenwet, article 4)."""
    return count > {"d": 90, "w": 12, "m": 3}[unit]


def statutory_last_day(day: date, count: int, unit: str) -> date:
    """The last day of a term that begins on the day after.

    One of three days or more holds at least two that are no days of rest (Algemene termijnenwet, article 2).
    """
    last = months_later(day, count) if unit == "m" else day + timedelta(days=count * {"d": 1, "w": 7}[unit])
    if not beyond_the_law(count, unit) and (unit != "d" or count >= 3):
        while sum(not statutory_rest(day + timedelta(days=n)) for n in range(1, (last - day).days + 1)) < 2:
            last += ONE_DAY
    return last


def no_rest_day(day: date) -> date:
    """The day itself, or the next that is no day of rest (article 1)."""
    while statutory_rest(day):
        day += ONE_DAY
    return day
