"""Why a norm judges a contact as it does, in steps that a person can check by hand.

This is another walk of the same clock than `pipeline/deadlines.py`, day by day and from calendar days instead of tables, and so a check in
itself. The steps are data; `pipeline/explain_words.py` has their words.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from pipeline.calendars import SATURDAY, Calendar, end_of_local_day, local_date, same_time_on, wall_instant
from pipeline.norms import Outcome, calendar_at, conditions_of, start_of, stop_of
from pipeline.rolling import minute_of
from pipeline.statutory import LONGEST_EXTENDED_TERM, is_statutory_rest_day, months_later, statutory_holidays
from pipeline.timeline import Timeline
from schemas.norm import Norm
from schemas.organisation import Organisation
from schemas.terms import parse_term


class At(int):
    """An instant, in epoch ms."""


class Lasting(int):
    """A time that passes, in ms."""


class Step(NamedTuple):
    """One line of an explanation: what it says and with which values (At, Lasting, date, or plain)."""

    says: str
    values: dict[str, Any]


class Explanation(NamedTuple):
    """How one norm looks at one contact; `deadline` by the walk of this module."""

    norm: Norm
    version: int
    steps: list[Step]
    deadline: int | None


def explain(organisation: Organisation, timeline: Timeline, outcomes: tuple[Outcome, ...], now: int) -> list[Explanation]:
    """Every norm of the organisation's channels, applied or not. `outcomes`: what the judge made of the contact. now: epoch ms."""
    return [
        _explained(organisation, norm, version, timeline, outcomes, now)
        for name in sorted({norm.id for norm in organisation.norms})
        for version, norm in enumerate(organisation.norm_versions(name), start=1)
    ]


def _explained(
    organisation: Organisation, norm: Norm, version: int, timeline: Timeline, outcomes: tuple[Outcome, ...], now: int
) -> Explanation:
    why_not = _why_not(organisation, norm, timeline)
    start = start_of(norm.start_moments, timeline)
    if why_not is not None or start is None:
        return Explanation(norm, version, [why_not] if why_not else [], None)
    calendar = calendar_at(organisation, timeline)
    stop = stop_of(norm.stop, timeline)
    walk = Walk(norm, calendar, start)
    walk.say("start", at=At(start), event=max(norm.start_moments, key=lambda kind: timeline.first.get(kind, 0)))
    if norm.statistic != "mean":
        walk.through(timeline, stop)
    outcome = next((one for one in outcomes if (one.norm, one.version) == (norm.id, version)), None)
    walk.steps += _verdict(norm, outcome, stop, now)
    return Explanation(norm, version, walk.steps, walk.deadline)


def _why_not(organisation: Organisation, norm: Norm, timeline: Timeline) -> Step | None:
    """The first reason for which a norm does not concern a contact."""
    channel = timeline.attributes.get("channel", "")
    if channel not in norm.applies_to.channels:
        return Step("other_channel", {"channel": channel, "wanted": ", ".join(norm.applies_to.channels)})
    missing = next((kind for kind in norm.start_moments if kind not in timeline.first and not kind.endswith(("_at", "_starts_at"))), None)
    if missing is not None:
        return Step("not_started", {"event": missing})
    start = start_of(norm.start_moments, timeline)
    day = None if start is None else calendar_at(organisation, timeline).local_date(start)
    if day is not None and not norm.valid.start <= day < norm.valid.end:
        return Step("not_valid", {"day": day})
    for attribute, values, default in conditions_of(norm, organisation):
        value = timeline.attributes.get(attribute, default)
        if value not in values:
            return Step("other_attribute", {"attribute": attribute, "value": value or "—", "wanted": ", ".join(sorted(values))})
    appointment = norm.applies_to.appointment
    if appointment is not None and appointment != ("appointment_at" in timeline.first):
        return Step("without_appointment" if appointment else "with_appointment", {})
    return None


def _verdict(norm: Norm, outcome: Outcome | None, stop: int | None, now: int) -> list[Step]:
    steps = [Step("stopped", {"at": At(stop)}) if stop is not None else Step("not_stopped", {"events": ", ".join(norm.stop)})]
    if outcome is None:
        return [*steps, Step("no_outcome", {})]
    if outcome.measured is not None:
        steps.append(Step("measured", {"lasted": Lasting(outcome.measured), "limit": Lasting(norm.threshold_ms)}))
    if outcome.judged_at is None:
        return [*steps, Step("excluded", {"reason": outcome.excluded})]
    verdict = "counts" if norm.statistic == "mean" else "within" if outcome.within else "pending" if outcome.judged_at > now else "late"
    return [*steps, Step(verdict, {"at": At(outcome.judged_at), "minute": At(minute_of(outcome.judged_at) * 60_000)})]


class Walk:
    """A norm's clock, walked from the start; `deadline` is the one in force so far, `steps` what was seen on the way."""

    def __init__(self, norm: Norm, calendar: Calendar, start: int) -> None:
        self.norm, self.calendar, self.start = norm, calendar, start
        self.steps: list[Step] = []
        self.deadline: int | None = None
        self._last: date | None = None  # the last day of a term in days, before it moves on

    def say(self, says: str, **values: Any) -> None:
        self.steps.append(Step(says, values))

    def through(self, timeline: Timeline, stop: int | None) -> None:
        """From the start to the deadline in force at the stop."""
        norm = self.norm
        given = timeline.due.get(norm.id) if norm.statistic == "share" else None
        if given is not None:
            self.deadline = given
            self.say("given", at=At(given))
        elif norm.clock == "given":
            self.say("not_given")
            return
        else:
            self.say(norm.clock, threshold=norm.threshold, statutory=norm.statutory)
            self.deadline = self._own()
            self.say("deadline", at=At(self.deadline))
        own, paused = self.deadline, None
        for at, kind, data in [*(turn for turn in timeline.turns if stop is None or turn[0] < stop), *([(stop, "stop", {})] if stop else [])]:
            if kind == "paused" and paused is None and norm.suspension and given is None:
                if at > self.deadline:
                    self.say("paused_late", at=At(at))
                else:
                    paused = max(at, self.start)
                    self.say("paused", at=At(at), reason=data.get("reason", ""))
            elif kind == "extended" and data.get("norm", norm.id) == norm.id:
                self._extend(at, data["due_at"], own, paused is not None)
            elif kind in ("resumed", "closed", "stop") and paused is not None:
                before = self.deadline
                if at > paused:
                    self._resume(paused, at, kind)
                own, paused = own + (self.deadline - before if self._last or norm.clock in ("elapsed", "opening-hours") else 0), None
        if paused is not None:
            self.say("still_paused")
