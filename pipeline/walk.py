"""A norm's clock walked day by day, in steps that a person can check by hand.

Another way to the same deadline than `pipeline/deadlines.py`: from calendar days instead of tables, by what is left instead of what was
lost. Tests hold the two against each other.
"""

from datetime import date, timedelta
from typing import Any, NamedTuple

from pipeline.calendars import (
    DAY_MINUTES,
    ONE_DAY,
    SATURDAY,
    Calendar,
    day_start,
    end_of_local_day,
    local_date,
    same_time_on,
    wall_instant,
)
from pipeline.statutory import LONGEST_EXTENDED_TERM, is_statutory_rest_day, months_later, statutory_holidays
from pipeline.timeline import Timeline, Turn
from schemas.norm import Norm
from schemas.terms import parse_term


class At(int):
    """An instant, in epoch ms."""


class Lasting(int):
    """A time that passes, in ms."""


class Step(NamedTuple):
    """One line of an explanation: what it says and with which values (At, Lasting, date, or plain)."""

    says: str
    values: dict[str, Any]


class Walk:
    """A norm's clock, walked from the start; `deadline` is the one in force so far, `steps` what was seen on the way."""

    def __init__(self, norm: Norm, calendar: Calendar, start: int) -> None:
        self.norm, self.calendar, self.start = norm, calendar, start
        self.steps: list[Step] = []
        self.deadline: int | None = None
        self._last: date | None = None  # the last day of a term in days, before it moves on; None once it was extended
        self._lost = 0

    def say(self, says: str, **values: Any) -> None:
        self.steps.append(Step(says, values))

    def through(self, timeline: Timeline, stop: int | None) -> None:
        """From the start to the deadline in force at the stop."""
        norm = self.norm
        given = timeline.due.get(norm.id) if norm.statistic == "share" else None
        if given is None and norm.clock == "given":
            self.say("not_given")
            return
        self.deadline = self.own() if given is None else given
        self.say("deadline" if given is None else "given", at=At(self.deadline))
        paused: int | None = None
        turns: list[Turn] = [turn for turn in timeline.turns if stop is None or turn[0] < stop]
        for at, kind, data in turns if stop is None else [*turns, (stop, "stop", {})]:
            if kind == "paused" and paused is None and norm.suspension and given is None:
                if at <= self.deadline:
                    paused = max(at, self.start)
                self.say("paused_late" if paused is None else "paused", at=At(at))
            elif kind == "extended" and norm.statistic == "share" and data.get("norm", norm.id) == norm.id:
                self._extend(at, data["due_at"], given, paused is not None)
            elif kind not in ("paused", "extended") and paused is not None:
                self.say("resumed", at=At(at))
                self._resume(paused, max(at, paused))
                self.say("deadline", at=At(self.deadline))
                paused = None
        if paused is not None:
            self.say("still_paused")

    def own(self, lost: int = 0) -> int:
        """The deadline that the norm itself sets, with so much lost to suspensions (ms or days)."""
        norm, first = self.norm, local_date(self.start, self.calendar.zone)
        match norm.clock:
            case "elapsed":
                self.say("elapsed", at=At(self.start), lasted=Lasting(norm.threshold_ms))
                return self.start + norm.threshold_ms + lost
            case "opening-hours":
                self.say("opening-hours", lasted=Lasting(norm.threshold_ms))
                return self._open_for(self.start, norm.threshold_ms + lost)
            case "working-days":
                self.say("working-days", days=norm.threshold_days)
                self._last = self._days_on(first, norm.threshold_days + lost)
                return end_of_local_day(self._last, self.calendar.zone)
        self.say("statutory-term", threshold=norm.threshold)
        n, unit = norm.term
        self._last = months_later(first, n) if unit == "months" else first + timedelta(days=n * {"days": 1, "weeks": 7}[unit])
        self._last += timedelta(days=lost)
        self.say("last_day", day=self._last)
        return end_of_local_day(self._moved_on(self._last), self.calendar.zone)

    def _extend(self, at: int, due: int, given: int | None, paused: bool) -> None:
        assert self.deadline is not None
        norm = self.norm
        self.say("extended", at=At(at), due=At(due))
        if norm.extension == "none":
            self.say("extension_not_allowed")
            return
        if at > self.deadline and not paused:
            self.say("extended_late", deadline=At(self.deadline))
            return
        if norm.extension != "any":
            own = given if given is not None else Walk(norm, self.calendar, self.start).own(self._lost)
            limit = Walk(_as_norm(norm), self.calendar, own).own()
            self.say("extension_limit", limit=norm.extension, at=At(limit))
            due = min(due, limit)
        if due > self.deadline:
            self.deadline, self._last = due, None
            self.say("deadline", at=At(due))
        else:
            self.say("extended_not_later", deadline=At(self.deadline))

    def _resume(self, paused: int, resumed: int) -> None:
        assert self.deadline is not None
        zone = self.calendar.zone
        match self.norm.clock:
            case "elapsed":
                self._lost += resumed - paused
                self.say("stood_still", lasted=Lasting(resumed - paused))
                self.deadline += resumed - paused
            case "opening-hours":
                missed, left = self._open_between(paused, resumed), self._open_between(paused, self.deadline)
                self._lost += missed
                self.say("left", lasted=Lasting(left))
                self.deadline = self._open_for(resumed, left) if missed and left else max(self.deadline, resumed)
            case clock:
                first, end = local_date(paused, zone), local_date(resumed, zone)
                between = [first + timedelta(days=days) for days in range(1, (end - first).days)]
                lost = [day for day in between if clock == "statutory-term" or self._works(day)]
                self._lost += len(lost)
                self.say("days_lost", days=len(lost))
                if lost:
                    self._days_later(len(lost))

    def _days_later(self, days: int) -> None:
        """Move the deadline on by days that count."""
        assert self.deadline is not None
        zone = self.calendar.zone
        last = self._last or local_date(self.deadline, zone)
        if self.norm.clock == "working-days":
            moved = final = self._days_on(last, days)
        else:
            moved = last + timedelta(days=days)
            self.say("last_day", day=moved)
            final = self._moved_on(moved)
        if self._last is None:
            self.deadline = same_time_on(final, self.deadline, zone)
        else:
            self._last, self.deadline = moved, end_of_local_day(final, zone)

    def _works(self, day: date) -> bool:
        return not is_statutory_rest_day(day) if self.norm.statutory else self.calendar.is_working_day(day)

    def _days_on(self, day: date, days: int) -> date:
        """The last of so many working days after a day, saying of each day why it counts or not."""
        counted = 0
        while counted < days:
            day += ONE_DAY
            if self._works(day):
                counted += 1
                self.say("counts", day=day, number=counted, of=days)
            else:
                self.say("does_not_count", day=day, why=self._why_closed(day))
        return day

    def _moved_on(self, last: date) -> date:
        """The day on which a term of law ends that has this last day (Atw art. 1, 2 and 4)."""
        n, unit = self.norm.term
        if n > LONGEST_EXTENDED_TERM[unit] and self._last is not None:  # type: ignore[index]
            return last
        first = local_date(self.start, self.calendar.zone)
        two = unit == "days" and n >= 3 and self._last is not None
        while is_statutory_rest_day(last) or (two and self._ordinary_days(first, last) < 2):
            self.say("moves_on", day=last, why=self._why_closed(last))
            last += ONE_DAY
        return last

    @staticmethod
    def _ordinary_days(first: date, last: date) -> int:
        return sum(not is_statutory_rest_day(first + timedelta(days=days)) for days in range(1, (last - first).days + 1))

    def _why_closed(self, day: date) -> str:
        """Why nobody works or it is not open on a day: a holiday by name, or a word of `pipeline/explain_words.py`."""
        if day.weekday() >= SATURDAY:
            return "weekend"
        holiday = statutory_holidays(day.year).get(day)
        if self.norm.statutory:
            return holiday or "two_days"
        if self.calendar.is_exception(day):
            return "exception"
        return (holiday or "closing_day") if not self.calendar.is_working_day(day) else "no_hours"

    def _open_for(self, since: int, lasting: int) -> int:
        """When the channel has been open for so long since then, saying of each day how long."""
        day, left = local_date(since, self.calendar.zone), lasting
        while left:
            spans = self._spans(day)
            if not spans:
                self.say("closed", day=day, why=self._why_closed(day))
            for opens, closes in spans:
                begin = max(opens, since)
                ran = min(left, max(0, closes - begin))
                if ran:
                    left -= ran
                    since = begin + ran
                    self.say("open", begin=At(begin), end=At(since), lasted=Lasting(ran), total=Lasting(lasting - left))
            day += ONE_DAY
        return since

    def _open_between(self, since: int, until: int) -> int:
        """Milliseconds for which the channel is open in [since, until)."""
        first, last = local_date(since, self.calendar.zone), local_date(until, self.calendar.zone)
        days = [first + timedelta(days=days) for days in range((last - first).days + 1)]
        return sum(max(0, min(closes, until) - max(opens, since)) for day in days for opens, closes in self._spans(day))

    def _spans(self, day: date) -> list[tuple[int, int]]:
        """The spans in which the channel is open on a day; none twice in the night in which the clock changes."""
        spans: list[tuple[int, int]] = []
        zone = self.calendar.zone
        for opens, closes in self.calendar.hours(day):
            begin = max(wall_instant(day, opens, zone), spans[-1][1] if spans else 0)
            end = day_start(day + ONE_DAY, zone) if closes == DAY_MINUTES else wall_instant(day, closes, zone)
            if begin < end:
                spans.append((begin, end))
        return spans


def _as_norm(norm: Norm) -> Norm:
    """The limit of a norm's extensions, written as a norm of its own."""
    unit = parse_term(norm.extension).unit
    clock = {"ms": "elapsed", "working-days": "working-days"}.get(unit, "statutory-term")
    calendar = "statutory" if norm.statutory else None
    return norm.model_copy(update={"clock": clock, "threshold": norm.extension, "calendar": calendar})
