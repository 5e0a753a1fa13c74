"""Judging a contact against the norms of its organisation (docs/MEASURES.md, "Norms").

The outcome of a norm depends on events and configuration only, never on the clock: (start, deadline, stop, judged_at, excluded).
The verdict is derived where it is read: late from judged_at on unless it stopped by the deadline.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import holidays

from pipeline.calendars import Calendar
from pipeline.deadlines import FIRST_YEAR, LAST_YEAR, Course, clock_of, extension_limit
from pipeline.timeline import Timeline
from schemas.errors import InvalidConfiguration
from schemas.norm import ATTRIBUTE_MOMENTS, Exclusions, Norm
from schemas.opening import Hours
from schemas.organisation import Organisation
from schemas.types import EARLIEST_MS, LATEST_MS

Reason = Literal[
    "outside_opening_hours", "excluded_result", "excluded_product", "excluded_team", "no_deadline", "stop_before_start", "short_abandon",
    "abandoned", "left_queue", "closed_without_stop", "suspended",
]  # fmt: skip
Excluded = Reason | Literal[""]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why a contact does not count for a norm; of several reasons the first in this order is given."""


class Outcome(NamedTuple):
    """How one norm judges one contact. Times in ms; `judged_at` is None exactly when `excluded` says why it does not count.

    `measured`: by the norm's clock from start to stop, of norms on a mean or maximum that stopped.
    """

    norm: str
    version: int
    start: int
    deadline: int | None
    stop: int | None
    judged_at: int | None
    excluded: str
    measured: int | None = None

    @property
    def within(self) -> bool:
        """Whether it counts as within the norm from judged_at on."""
        return self.stop is not None and self.deadline is not None and self.stop <= self.deadline


@dataclass(frozen=True, slots=True)
class Rule:
    """A norm version made ready for judging contacts of one channel, and perhaps one location.

    start: the event that starts it, "" where it is the latest of `latest`. conditions: (attribute, values that fit, value of who has none).
    conditional, excludes, timed: whether it has conditions, exclusions, a mean or
    maximum. deadline: the clock while nothing moves it, None for one given in
    the data; course: the same when something does.
    """

    norm: Norm
    version: int
    first_ms: int
    last_ms: int
    start: str
    latest: tuple[str, ...]
    conditional: bool
    conditions: tuple[tuple[str, frozenset[str], str], ...]
    excludes: bool
    timed: bool
    calendar: Calendar
    deadline: Callable[[int], int] | None
    course: Course


@lru_cache(maxsize=4)
def _public_holidays(country: str) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country.upper(), years=range(FIRST_YEAR, LAST_YEAR + 1)))


def calendar_of(organisation: Organisation, channel: str, location: str = "") -> Calendar:
    """The municipal calendar of a channel: its own opening hours, or the organisation's, and the closing days.

    At a location that has hours of its own for the channel those come first, date by date for exceptions.
    """
    closing = set(organisation.closing_days.dates)
    if organisation.closing_days.public_holidays != "none":
        closing |= _public_holidays(organisation.closing_days.public_holidays)
    week = organisation.opening_hours
    exceptions: dict[date, Hours] = {}
    for settings in (organisation.channels.get(channel), organisation.locations.get(location)):  # type: ignore[call-overload]
        if settings is not None:
            week = settings.opening_hours if settings.opening_hours is not None else week
            exceptions |= settings.exceptions
    return Calendar(organisation.zone, week, closing, exceptions)


def norm_measure(norm: Norm) -> str:
    """The measure key of a norm's figures."""
    return f"norm_mean:{norm.id}" if norm.statistic == "mean" else f"norm:{norm.id}"


class Judge:
    """Applies the norms of one organisation. Raises InvalidConfiguration when a clock could never reach a deadline."""

    def __init__(self, organisation: Organisation) -> None:
        norms = [
            (version, norm)
            for name in sorted({norm.id for norm in organisation.norms})
            for version, norm in enumerate(organisation.norm_versions(name), start=1)
        ]

        def rules(channel: str, location: str = "") -> list[Rule]:
            calendar = calendar_of(organisation, channel, location)
            return [
                rule_of(organisation, norm, version, calendar, f"on channel {channel!r}" + (f" at {location!r}" if location else ""))
                for version, norm in norms
                if channel in norm.applies_to.channels
            ]

        self._rules: dict[str, list[Rule]] = {channel: rules(channel) for channel in organisation.channels}
        self._located: dict[tuple[str, str], list[Rule]] = {
            (channel, name): rules(channel, name)
            for name, location in organisation.locations.items()
            for channel in location.channels
            if channel in organisation.channels and (location.opening_hours is not None or location.exceptions)
        }

    def __call__(self, timeline: Timeline) -> tuple[Outcome, ...]:
        """The outcomes of a contact, by norm id; none while its channel is unknown and none for a withdrawn contact."""
        attributes = timeline.attributes
        channel = attributes.get("channel", "")
        rules = self._rules.get(channel)
        if not rules or timeline.withdrawn:
            return ()
        if self._located and "location" in attributes:
            rules = self._located.get((channel, attributes["location"]), rules)
        return tuple([outcome for rule in rules if (outcome := _judge(rule, timeline)) is not None])


def rule_of(organisation: Organisation, norm: Norm, version: int, calendar: Calendar, where: str) -> Rule:
    first = calendar.day_start(norm.valid.start) if norm.valid.start > date(FIRST_YEAR, 1, 1) else 0
    last = calendar.day_start(norm.valid.end) if norm.valid.end < date(2200, 1, 1) else 1 << 62
    clock = clock_of(norm, calendar)
    limit = extension_limit(norm, calendar)
    try:  # at both ends: a calendar may open by exception only, and then no more
        for moment in (max(first, EARLIEST_MS), min(last, LATEST_MS) - 1):
            if clock is not None:
                clock.deadline(moment)
            if limit is not None:
                limit(moment)
    except ValueError as error:
        raise InvalidConfiguration(f"norm {norm.id!r} {where}: {error}") from None
    moments = norm.start_moments
    conditions = conditions_of(norm, organisation)
    return Rule(
        norm,
        version,
        first,
        last,
        moments[0] if len(moments) == 1 else "",
        moments,
        bool(conditions) or norm.applies_to.appointment is not None,
        conditions,
        norm.exclusions != Exclusions(),
        norm.statistic != "share",
        calendar,
        norm.threshold_ms.__add__ if norm.clock == "elapsed" else None if clock is None else clock.deadline,
        Course(norm, calendar),
    )


def conditions_of(norm: Norm, organisation: Organisation) -> tuple[tuple[str, frozenset[str], str], ...]:
    """(attribute, values that fit, value of a contact that has none) for each attribute that a norm looks at."""
    applies = norm.applies_to
    classes = [product for name in applies.product_classes for product in organisation.product_classes[name]]
    asked = (
        ("product", applies.products, ""),
        ("product", tuple(classes) if applies.product_classes else (), ""),
        ("team", applies.teams, ""),
        ("location", applies.locations, ""),
        ("segment", applies.segments, ""),
        ("via", applies.vias, ""),
        ("complexity", applies.complexity, "unknown"),
        ("direction", (applies.direction,) if applies.direction else (), ""),
    )
    return tuple((attribute, frozenset(values), default) for attribute, values, default in asked if values)


def start_of(moments: Iterable[str], timeline: Timeline) -> int | None:
    """The latest of the moments that start a norm; None while an event among them has not happened."""
    start: int | None = None
    for kind in moments:
        at = timeline.first.get(kind)
        if at is None:
            if kind not in ATTRIBUTE_MOMENTS:
                return None
        elif start is None or at > start:
            start = at
    return start


def stop_of(kinds: Iterable[str], timeline: Timeline) -> int | None:
    """When a contact stopped the clock: the first reaction of the kinds asked for, or the last close that no reopening follows."""
    stop: int | None = None
    for kind in kinds:
        at = timeline.closed_at if kind == "closed" else timeline.first.get(kind)
        if at is not None and (stop is None or at < stop):
            stop = at
    return stop


def _judge(rule: Rule, timeline: Timeline) -> Outcome | None:
    start = timeline.first.get(rule.start) if rule.start else start_of(rule.latest, timeline)
    if start is None or not rule.first_ms <= start < rule.last_ms or (rule.conditional and not applies(rule, timeline)):
        return None
    norm = rule.norm
    stop = stop_of(norm.stop, timeline)
    if rule.timed:
        return _judge_time(rule, timeline, start, stop)
    deadline, suspended = timeline.due.get(norm.id), False  # one given in the data is used as given, never derived again
    if timeline.turns:
        deadline, suspended = rule.course.deadline(start, deadline, timeline.turns, stop)
    elif deadline is None and rule.deadline is not None:
        deadline = rule.deadline(start)
    judged_at, excluded = _when_judged(norm, timeline, start, deadline, stop, suspended)
    if rule.excludes and (why := _left_out(rule, timeline, start)):
        judged_at, excluded = None, why
    return Outcome(norm.id, rule.version, start, deadline, stop, judged_at, excluded)


def _judge_time(rule: Rule, timeline: Timeline, start: int, stop: int | None) -> Outcome | None:
    """The outcome of a norm on a mean or maximum: a contact counts at its stop, whenever that is; an open one has no outcome."""
    norm, turns = rule.norm, timeline.turns
    excluded: Excluded = _gone(norm, timeline, start) if stop is None else "stop_before_start" if stop < start else ""
    if stop is None and not excluded:
        return None
    excluded = _left_out(rule, timeline, start) or excluded
    deadline = rule.course.deadline(start, None, turns, stop)[0] if norm.statistic == "max" else None
    measured = None if stop is None or stop < start else rule.course.measured(start, stop, turns)
    return Outcome(norm.id, rule.version, start, deadline, stop, None if excluded else stop, excluded, measured)


def applies(rule: Rule, timeline: Timeline) -> bool:
    """Whether a contact is one of those that a norm concerns."""
    appointment = rule.norm.applies_to.appointment
    return (appointment is None or appointment == ("appointment_at" in timeline.first)) and all(
        timeline.attributes.get(attribute, default) in values for attribute, values, default in rule.conditions
    )


def _left_out(rule: Rule, timeline: Timeline, start: int) -> Excluded:
    """Why a norm leaves a contact out whatever becomes of it."""
    exclusions, attributes = rule.norm.exclusions, timeline.attributes
    if exclusions.outside_opening_hours and not rule.calendar.is_open(start):
        return "outside_opening_hours"
    if timeline.result in exclusions.results:
        return "excluded_result"
    if attributes.get("product") in exclusions.products:
        return "excluded_product"
    return "excluded_team" if attributes.get("team") in exclusions.teams else ""


def _gone(norm: Norm, timeline: Timeline, start: int) -> Literal["short_abandon", "abandoned", "left_queue", "closed_without_stop", ""]:
    """How a contact ended without a stop; "" while it is open."""
    if timeline.left_at is not None:
        abandoned = timeline.first.get("abandoned")
        if abandoned is None:
            return "left_queue"
        short = norm.short_abandon and not timeline.wait_unknown and abandoned - start < norm.short_abandon
        return "short_abandon" if short else "abandoned"
    return "" if timeline.closed_at is None else "closed_without_stop"


def _when_judged(
    norm: Norm, timeline: Timeline, start: int, deadline: int | None, stop: int | None, suspended: bool
) -> tuple[int | None, Excluded]:
    """(judged_at, "") or (None, the reason why it does not count): measures.md, "When a contact counts"."""
    if deadline is None:
        return None, "no_deadline"
    if stop is not None:
        return (None, "stop_before_start") if stop < start else (min(stop, deadline), "")
    gone = _gone(norm, timeline, start)
    counts = norm.denominator == "offered" and (gone == "abandoned" or (gone == "left_queue" and norm.left_queue == "counts"))
    if gone and not counts:
        return None, gone
    if suspended:
        return None, "suspended"
    if timeline.left_at is None:
        return deadline, ""
    return (timeline.left_at if timeline.wait_unknown else min(timeline.left_at, deadline)), ""
