"""Norm versions made ready for judging: on which calendar, under which conditions, by which clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays

from pipeline.calendars import Calendar
from pipeline.deadlines import FIRST_YEAR, LAST_YEAR, Course, clock_of, extension_limit
from pipeline.timeline import Timeline
from schemas.errors import InvalidConfiguration
from schemas.norm import Exclusions, Norm
from schemas.opening import Hours
from schemas.organisation import Organisation
from schemas.types import EARLIEST_MS, LATEST_MS


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


def closing_days(organisation: Organisation) -> frozenset[date]:
    """The days on which the municipality is closed: public holidays, where it keeps them, and its own."""
    own = organisation.closing_days
    return frozenset(own.dates) if own.public_holidays == "none" else _public_holidays(own.public_holidays).union(own.dates)


def calendar_of(organisation: Organisation, channel: str, location: str = "") -> Calendar:
    """The municipal calendar of a channel: its own opening hours, or the organisation's, and the closing days.

    At a location that has hours of its own for the channel those come first, date by date for exceptions.
    """
    closing = closing_days(organisation)
    week = organisation.opening_hours
    exceptions: dict[date, Hours] = {}
    place = organisation.locations.get(location)
    for settings in (organisation.channels.get(channel), place if place and channel in place.channels else None):  # type: ignore[call-overload]
        if settings is not None:
            week = settings.opening_hours if settings.opening_hours is not None else week
            exceptions |= settings.exceptions
    return _calendar(organisation.zone, week, closing, tuple(sorted(exceptions.items())))


@lru_cache(maxsize=1_024)
def _calendar(zone: str, week: Sequence[Hours], closing: frozenset[date], exceptions: tuple[tuple[date, Hours], ...]) -> Calendar:
    """Channels, and organisations, that keep the same hours share a calendar and its tables."""
    return Calendar(zone, week, closing, dict(exceptions))


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


def applies(rule: Rule, timeline: Timeline) -> bool:
    """Whether a contact is one of those that a norm concerns."""
    appointment = rule.norm.applies_to.appointment
    return (appointment is None or appointment == ("appointment_at" in timeline.first)) and all(
        timeline.attributes.get(attribute, default) in values for attribute, values, default in rule.conditions
    )
