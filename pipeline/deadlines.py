"""The clocks of the norms: where a deadline lies, how suspensions and extensions move it, and what a clock shows at the stop.

A suspension (`paused` to `resumed`) moves a deadline by what the clock lost meanwhile, in the clock's own unit: milliseconds, or days. It
ends at a close or at the norm's stop, whatever comes first. One that begins after the deadline then in force changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from pipeline.calendars import Calendar, same_time_on
from pipeline.statutory import TermUnit, days_between, moved_on, statutory_calendar, statutory_term_deadline
from pipeline.timeline import Turn
from schemas.norm import Norm
from schemas.terms import parse_term
from schemas.types import LATEST_MS

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""Years for which holidays are laid out as days on which nobody works: those in which an event may lie."""

LAST_DEADLINE = LATEST_MS + 3_653 * 86_400_000
"""A deadline that suspensions push beyond this never comes: the store keeps no later time."""


class Clock(Protocol):
    """A clock of one norm version on one calendar. Times in ms; `lost` is what suspensions took, in the clock's own unit."""

    def deadline(self, start: int, lost: int = 0) -> int:
        """The deadline of a contact that starts then. Raises ValueError when the calendar never reaches it."""

    def moved(self, due: int, lost: int) -> int:
        """A deadline set to `due` by an extension, moved on since; one in days keeps its time of day. Raises ValueError as `deadline`."""

    def lost(self, paused: int, resumed: int) -> int:
        """What the clock would have counted between two instants, which it does not while it stands still."""


class Elapsed(NamedTuple):
    """Runs always."""

    term: int

    def deadline(self, start: int, lost: int = 0) -> int:
        return start + self.term + lost

    def moved(self, due: int, lost: int) -> int:
        return due + lost

    def lost(self, paused: int, resumed: int) -> int:
        return resumed - paused


class OpeningHours(NamedTuple):
    """Runs while the channel or location is open."""

    calendar: Calendar
    term: int

    def deadline(self, start: int, lost: int = 0) -> int:
        return self.calendar.opening_hours_deadline(start, self.term + lost)

    def moved(self, due: int, lost: int) -> int:
        return self.calendar.opening_hours_deadline(due, lost)

    def lost(self, paused: int, resumed: int) -> int:
        return self.calendar.open_ms_between(paused, resumed)


class WorkingDays(NamedTuple):
    """Counts working days after the day of the start; a suspension takes those strictly between its first and last day."""

    calendar: Calendar
    days: int

    def deadline(self, start: int, lost: int = 0) -> int:
        return self.calendar.working_days_deadline(start, self.days + lost)

    def moved(self, due: int, lost: int) -> int:
        last = self.calendar.local_date(self.calendar.working_days_deadline(due, lost)) if lost else None
        return due if last is None else same_time_on(last, due, self.calendar.zone)

    def lost(self, paused: int, resumed: int) -> int:
        return self.calendar.working_days_between(paused, resumed)


class StatutoryTerm(NamedTuple):
    """A term of law; a suspension takes the calendar days strictly between its first and last day (Awb art. 4:15)."""

    zone: ZoneInfo
    n: int
    unit: TermUnit

    def deadline(self, start: int, lost: int = 0) -> int:
        return statutory_term_deadline(start, self.n, self.unit, self.zone, lost)

    def moved(self, due: int, lost: int) -> int:
        return moved_on(due, lost, self.zone) if lost else due

    def lost(self, paused: int, resumed: int) -> int:
        return days_between(paused, resumed, self.zone)


def clock_of(norm: Norm, calendar: Calendar) -> Clock | None:
    """The clock of a norm on the calendar of its channel or location; None where the deadline is given in the data."""
    match norm.clock:
        case "given":
            return None
        case "elapsed":
            return Elapsed(norm.threshold_ms)
        case "opening-hours":
            return OpeningHours(calendar, norm.threshold_ms)
        case "working-days":
            return WorkingDays(working_calendar(norm, calendar), norm.threshold_days)
        case "statutory-term":
            term = norm.term
            assert term.unit in ("days", "weeks", "months")  # the norm was checked
            return StatutoryTerm(calendar.zone, term.n, term.unit)


def working_calendar(norm: Norm, calendar: Calendar) -> Calendar:
    """The calendar whose working days a norm counts."""
    return statutory_calendar(calendar.zone.key, FIRST_YEAR, LAST_YEAR) if norm.statutory else calendar


def extension_limit(norm: Norm, calendar: Calendar) -> Callable[[int], int] | None:
    """How far an extension may go, from the norm's own deadline; None for no limit.

    A limit in days, weeks or months is the end of a day, and moves on where that is a rest day by law.
    """
    if norm.extension in ("none", "any"):
        return None
    n, unit = parse_term(norm.extension)
    if unit == "ms":
        return n.__add__
    if unit == "working-days":
        days = working_calendar(norm, calendar)
        return lambda own: days.working_days_deadline(own, n)
    return lambda own: statutory_term_deadline(own, n, unit, calendar.zone)


class Course:
    """How a norm's deadline moves while things happen to a contact."""

    __slots__ = ("_clock", "_extends", "_limit", "_norm", "_suspends")

    def __init__(self, norm: Norm, calendar: Calendar) -> None:
        self._norm = norm.id
        self._clock = clock_of(norm, calendar)
        self._suspends = norm.suspension and self._clock is not None
        self._extends = norm.extension != "none" and norm.statistic == "share"
        self._limit = extension_limit(norm, calendar)

    def deadline(self, start: int, given: int | None, turns: Iterable[Turn], stop: int | None) -> tuple[int | None, bool]:
        """The deadline in force at the stop (now, while there is none), and whether the clock stands still there.

        given: a deadline in the data, which extensions move and suspensions do not. While the clock stands still the deadline is that at
        the pause; it never passes then, so that an extension is in time.
        """
        deadline = given if given is not None or self._clock is None else self._clock.deadline(start)
        if deadline is None:
            return None, False
        state = _State(self._clock, start, deadline)
        suspends = self._suspends and given is None
        for at, kind, data in turns:
            if stop is not None and at >= stop:
                break
            if kind == "paused":
                if suspends and state.paused is None and at <= state.deadline:
                    state.paused = max(at, start)
            elif kind == "extended":
                if self._extends and data.get("norm", self._norm) == self._norm and (state.paused is not None or at <= state.deadline):
                    state.extend(data["due_at"] if self._limit is None else min(data["due_at"], _reached(self._limit, state.own)))
            else:  # resumed or closed
                state.resume(at)
        if stop is not None:
            state.resume(stop)
        return state.deadline, state.paused is not None

    def measured(self, start: int, stop: int, turns: Iterable[Turn]) -> int:
        """What the clock shows at the stop, in ms. Only for clocks that measure time."""
        assert self._clock is not None
        shown = self._clock.lost(start, stop)
        if self._suspends:
            shown -= sum(self._clock.lost(paused, resumed) for paused, resumed in suspensions(turns, start, stop))
        return shown


class _State:
    """Where the deadlines of one contact stand: `own` is the norm's, without extensions, `deadline` the one in force."""

    __slots__ = ("_clock", "_extended", "_lost", "_start", "deadline", "own", "paused")

    def __init__(self, clock: Clock | None, start: int, deadline: int) -> None:
        self._clock, self._start, self._lost, self._extended = clock, start, 0, False
        self.paused: int | None = None
        self.own = self.deadline = deadline

    def resume(self, at: int) -> None:
        """The clock runs again, if it stood still."""
        clock, paused, self.paused = self._clock, self.paused, None
        if clock is None or paused is None or at <= paused:
            return
        lost = clock.lost(paused, at)
        self._lost += lost
        self.own = _reached(partial(clock.deadline, self._start), self._lost)
        self.deadline = _reached(partial(clock.moved, self.deadline), lost) if self._extended else self.own
        if isinstance(clock, OpeningHours):  # paused when it showed the whole term: it shows no more when it resumes
            self.deadline = max(self.deadline, at)

    def extend(self, due: int) -> None:
        """The deadline is set to `due`, where that is later."""
        if due > self.deadline:
            self.deadline, self._extended = due, True


def _reached(deadline: Callable[[int], int], given: int) -> int:
    """A deadline that can be stored; the calendar may end before a long suspension does."""
    try:
        return min(deadline(given), LAST_DEADLINE)
    except (ValueError, OverflowError):
        return LAST_DEADLINE


def suspensions(turns: Iterable[Turn], start: int, end: int) -> Iterator[tuple[int, int]]:
    """(from, to) of every suspension between two instants. Pauses before the start count from the start."""
    paused: int | None = None
    for at, kind, _ in turns:
        if at >= end:
            break
        if kind == "paused":
            paused = max(at, start) if paused is None else paused
        elif kind != "extended" and paused is not None:
            yield paused, max(at, paused)
            paused = None
    if paused is not None:
        yield paused, max(end, paused)
