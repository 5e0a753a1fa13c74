"""Why a norm judges a contact as it does. The steps are data; `pipeline/explain_words.py` has their words."""

from typing import NamedTuple

from pipeline.calendars import Calendar
from pipeline.norms import Outcome, start_of, stop_of
from pipeline.rolling import minute_of
from pipeline.rules import calendar_of, conditions_of
from pipeline.timeline import Timeline
from pipeline.walk import At, Lasting, Step, Walk
from schemas.norm import ATTRIBUTE_MOMENTS, Norm
from schemas.organisation import Organisation


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
    calendar = _calendar(organisation, timeline)
    stop = stop_of(norm.stop, timeline)
    walk = Walk(norm, calendar, start)
    walk.say("start", at=At(start), event=max(norm.start_moments, key=lambda kind: timeline.first.get(kind, 0)))
    if norm.statistic != "mean":
        walk.through(timeline, stop)
    outcome = next((one for one in outcomes if (one.norm, one.version) == (norm.id, version)), None)
    walk.steps += _verdict(norm, outcome, stop, now)
    return Explanation(norm, version, walk.steps, walk.deadline)


def _calendar(organisation: Organisation, timeline: Timeline) -> Calendar:
    return calendar_of(organisation, timeline.attributes["channel"], timeline.attributes.get("location", ""))


def _why_not(organisation: Organisation, norm: Norm, timeline: Timeline) -> Step | None:
    """The first reason for which a norm does not concern a contact."""
    channel = timeline.attributes.get("channel", "")
    if channel not in norm.applies_to.channels:
        return Step("other_channel", {"channel": channel, "wanted": ", ".join(norm.applies_to.channels)})
    missing = next((kind for kind in norm.start_moments if kind not in (*timeline.first, *ATTRIBUTE_MOMENTS)), None)
    if missing is not None:
        return Step("not_started", {"event": missing})
    start = start_of(norm.start_moments, timeline)
    day = None if start is None else _calendar(organisation, timeline).local_date(start)
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
    verdict = (
        "counts_at_stop" if norm.statistic == "mean" else "within" if outcome.within else "pending" if outcome.judged_at > now else "late"
    )
    return [*steps, Step(verdict, {"at": At(outcome.judged_at), "minute": At(minute_of(outcome.judged_at) * 60_000)})]
