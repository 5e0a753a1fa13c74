"""Judging a contact against the norms of its organisation (docs/MEASURES.md, "Norms").

The outcome of a norm depends on events and configuration only, never on the clock: (start, deadline, stop, judged_at, excluded).
The verdict is derived where it is read: late from judged_at on unless it stopped by the deadline.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import holidays

from pipeline.calendars import Calendar
from pipeline.contacts import Timeline
from schemas.errors import InvalidConfiguration
from schemas.norm import Norm
from schemas.organisation import Organisation
from schemas.types import EARLIEST_MS, LATEST_MS

CLOSING_DAYS_FROM, CLOSING_DAYS_TO = 1990, 2101
"""Years for which public holidays are laid out as closing days: those in which an event may lie."""


class Outcome(NamedTuple):
    """How one norm judges one contact. Times in ms; `judged_at` is None exactly when `excluded` says why it does not count."""

    norm: str
    version: int
    start: int
    deadline: int | None
    stop: int | None
    judged_at: int | None
    excluded: str

    @property
    def within(self) -> bool:
        """Whether it counts as within the norm from judged_at on."""
        return self.stop is not None and self.deadline is not None and self.stop <= self.deadline


@dataclass(frozen=True, slots=True)
class _Rule:
    """A norm version made ready for judging."""

    norm: Norm
    version: int
    first_ms: int
    last_ms: int
    deadline: Callable[[int], int] | None


@lru_cache(maxsize=4)
def _public_holidays(country: str) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country.upper(), years=range(CLOSING_DAYS_FROM, CLOSING_DAYS_TO)))


def calendar_of(organisation: Organisation, channel: str) -> Calendar:
    """The municipal calendar of a channel: its own opening hours, or the organisation's, and the closing days."""
    closing = set(organisation.closing_days.dates)
    if organisation.closing_days.public_holidays != "none":
        closing |= _public_holidays(organisation.closing_days.public_holidays)
    settings = organisation.channels.get(channel)  # type: ignore[call-overload]
    week = settings.opening_hours if settings and settings.opening_hours is not None else organisation.opening_hours
    return Calendar(organisation.zone, week, closing, settings.exceptions if settings else {})


class Judge:
    """Applies the norms of one organisation. Raises InvalidConfiguration when a clock could never reach a deadline."""

    def __init__(self, organisation: Organisation) -> None:
        self._calendars: dict[str, Calendar] = {channel: calendar_of(organisation, channel) for channel in organisation.channels}
        self._rules: dict[str, list[_Rule]] = {channel: [] for channel in organisation.channels}
        for name in sorted({norm.id for norm in organisation.norms}):
            for version, norm in enumerate(organisation.norm_versions(name), start=1):
                for channel in norm.applies_to.channels:
                    self._rules[channel].append(self._rule(norm, version, channel))

    def _rule(self, norm: Norm, version: int, channel: str) -> _Rule:
        calendar = self._calendars[channel]
        first = calendar.day_start(norm.valid.start) if norm.valid.start > date(1990, 1, 1) else 0
        last = calendar.day_start(norm.valid.end) if norm.valid.end < date(2200, 1, 1) else 1 << 62
        deadline = deadline_of(norm, calendar)
        if deadline is not None:
            try:  # at both ends: a calendar may open by exception only, and then no more
                deadline(max(first, EARLIEST_MS))
                deadline(min(last, LATEST_MS) - 1)
            except ValueError as error:
                raise InvalidConfiguration(f"norm {norm.id!r} on channel {channel!r}: {error}") from None
        return _Rule(norm, version, first, last, deadline)

    def __call__(self, timeline: Timeline) -> tuple[Outcome, ...]:
        """The outcomes of a contact, by norm id; none while its channel is unknown and none for a withdrawn contact."""
        rules = self._rules.get(timeline.attributes.get("channel", ""))
        if not rules or timeline.withdrawn:
            return ()
        return tuple([outcome for rule in rules if (outcome := _judge(rule, timeline)) is not None])


def deadline_of(norm: Norm, calendar: Calendar) -> Callable[[int], int] | None:
    """The clock of a norm as a function from start to deadline, both in ms; None for a deadline given in the data."""
    match norm.clock:
        case "given":
            return None
        case "elapsed":
            return norm.threshold_ms.__add__
        case "opening-hours":
            term = norm.threshold_ms
            return lambda start: calendar.opening_hours_deadline(start, term)
        case "working-days":
            days = norm.threshold_days
            return lambda start: calendar.working_days_deadline(start, days)


def stop_of(kinds: Iterable[str], timeline: Timeline) -> int | None:
    """When a contact stopped the clock: the first reaction of the kinds asked for, or the last close that no reopening follows."""
    stop: int | None = None
    for kind in kinds:
        at = timeline.closed_at if kind == "closed" else timeline.first.get(kind)
        if at is not None and (stop is None or at < stop):
            stop = at
    return stop


def _judge(rule: _Rule, timeline: Timeline) -> Outcome | None:
    norm = rule.norm
    start = timeline.first.get(norm.start)
    if start is None or not rule.first_ms <= start < rule.last_ms:
        return None
    applies = norm.applies_to
    if applies.products and timeline.attributes.get("product") not in applies.products:
        return None
    if applies.teams and timeline.attributes.get("team") not in applies.teams:
        return None
    stop = stop_of(norm.stop, timeline)
    deadline = timeline.due.get(norm.id)  # one given in the data is used as given, never derived again
    if deadline is None and rule.deadline is not None:
        deadline = rule.deadline(start)
    judged_at, excluded = _when_judged(norm, timeline, start, deadline, stop)
    return Outcome(norm.id, rule.version, start, deadline, stop, judged_at, excluded)


def _when_judged(norm: Norm, timeline: Timeline, start: int, deadline: int | None, stop: int | None) -> tuple[int | None, str]:
    """(judged_at, "") or (None, the reason why it does not count): measures.md, "When a contact counts"."""
    if deadline is None:
        return None, "no_deadline"
    if stop is not None:
        return (None, "stop_before_start") if stop < start else (min(stop, deadline), "")
    left = timeline.left_at
    if left is not None:
        abandoned = timeline.first.get("abandoned")
        if norm.short_abandon and abandoned is not None and not timeline.wait_unknown and abandoned - start < norm.short_abandon:
            return None, "short_abandon"
        if norm.denominator == "offered":
            return (left if timeline.wait_unknown else min(left, deadline)), ""
        return None, "abandoned" if abandoned is not None else "left_queue"
    if timeline.closed_at is not None:
        return None, "closed_without_stop"
    return deadline, ""
