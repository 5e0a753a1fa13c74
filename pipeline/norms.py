"""Judging a contact against the norms of its organisation (docs/MEASURES.md, "Norms").

The outcome of a norm depends on events and configuration only, never on the clock: (start, deadline, stop, judged_at, excluded).
The verdict is derived where it is read: late from judged_at on unless it stopped by the deadline.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from pipeline.rules import Rule, applies, calendar_of, rule_of
from pipeline.timeline import Timeline
from schemas.norm import ATTRIBUTE_MOMENTS, Norm
from schemas.organisation import Organisation

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

        self._several_starts = any(norm.start != organisation.norm_versions(norm.id)[0].start for norm in organisation.norms)

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
        outcomes = [outcome for rule in rules if (outcome := _judge(rule, timeline)) is not None]
        if self._several_starts and len(outcomes) > 1:
            # Versions that start by different events may each be valid at their own start: the first judges, so that it counts once.
            outcomes = [one for one, before in zip(outcomes, (None, *outcomes), strict=False) if before is None or before.norm != one.norm]
        return tuple(outcomes)


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
    if deadline is not None and measured is not None and stop is not None and measured <= norm.threshold_ms:
        deadline = max(deadline, stop)  # the clock reached the limit and stood still since: still within
    return Outcome(norm.id, rule.version, start, deadline, stop, None if excluded else stop, excluded, measured)


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


_AFTER_THE_QUEUE = frozenset({"answered", "acknowledged", "callback_requested", "promised", "transferred", "closed"})


def _left_at(norm: Norm, timeline: Timeline) -> int | None:
    """When a contact left the queue unanswered, if that ends its wait: a call-back that was asked for is owed all the same."""
    return None if timeline.left_at is None or _AFTER_THE_QUEUE.intersection(norm.start_moments) else timeline.left_at


def _gone(norm: Norm, timeline: Timeline, start: int) -> Literal["short_abandon", "abandoned", "left_queue", "closed_without_stop", ""]:
    """How a contact ended without a stop; "" while it is open."""
    if _left_at(norm, timeline) is not None:
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
    left_at = _left_at(norm, timeline)
    if left_at is None:
        return deadline, ""
    return (left_at if timeline.wait_unknown else min(left_at, deadline)), ""
