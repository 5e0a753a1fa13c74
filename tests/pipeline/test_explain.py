"""Explanations: the walk day by day reaches the judge's deadline, and says in words what a person would write down."""

import string
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contacts import EventTuple
from pipeline.explain import Explanation, explain
from pipeline.explain_words import REASONS, TEXTS, in_words
from pipeline.norms import REASONS as EXCLUSIONS
from pipeline.norms import Judge
from pipeline.walk import At, Lasting
from schemas.organisation import Organisation
from tests.pipeline.builders import AMSTERDAM, DAY, HOUR, MINUTE, NINE, event, ms, norm, organisation, timeline

HOURS = {"mon-thu": "08:30-17:00", "fri": "08:30-12:00, 12:30-13:00"}
PLACES = {
    "Stadhuis": {"opening_hours": {"mon-sat": "10:00-16:00"}, "exceptions": {date(2026, 4, 2): "closed"}},
    "Wijkpost": {"exceptions": {date(2026, 4, 7): "20:00-24:00"}},
}


def municipality(*norms: dict[str, Any]) -> Organisation:
    return organisation(
        *norms,
        opening_hours=HOURS,
        closing_days={"public_holidays": "nl", "dates": ["2026-05-15"]},
        channels={"telephone": {}, "counter": {"exceptions": {date(2026, 4, 1): "06:00-24:00"}}},
        locations=PLACES,
    )


def explained(fields: dict[str, Any], *events: EventTuple, now: int = NINE + 400 * DAY) -> Explanation:
    found = municipality(norm(**fields))
    contact = timeline(*events)
    (one,) = explain(found, contact, Judge(found)(contact), now)
    return one


def texts(one: Explanation, language: Any = "en") -> list[str]:
    return [in_words(step, language, AMSTERDAM) for step in one.steps]


# The same deadline by another way ----------------------------------------------------------------------------------------

CLOCKS = [("elapsed", "45s"), ("elapsed", "24h"), ("opening-hours", "15min"), ("opening-hours", "30h"), ("working-days", "1wd"),
          ("working-days", "10wd"), ("statutory-term", "1w"), ("statutory-term", "3d"), ("statutory-term", "1m"),
          ("statutory-term", "91d"), ("given", None)]  # fmt: skip
moments = st.one_of(
    st.integers(ms("2026-03-25T00:00"), ms("2026-05-20T00:00")),
    st.builds(
        lambda day, at: ms(f"2026-{day}T00:00") + at,
        st.sampled_from(["03-28", "03-29", "04-02", "04-03", "04-06", "04-27", "05-05", "05-15", "10-24", "10-25"]),
        st.sampled_from([0, 8 * HOUR + 30 * MINUTE, 12 * HOUR, 17 * HOUR, DAY - 1, 30 * HOUR]),
    ),
)


@st.composite
def norms(draw: st.DrawFn) -> dict[str, Any]:
    clock, threshold = draw(st.sampled_from(CLOCKS))
    fields: dict[str, Any] = {"clock": clock, "threshold": threshold, "start": "opened", "stop": "closed"}
    fields["applies_to"] = {"channels": ["telephone", "counter"]}
    fields["suspension"] = draw(st.booleans()) or draw(st.booleans())
    fields["extension"] = draw(st.sampled_from(["any", "any", "none", "2w", "3wd", "36h"]))
    if clock == "working-days":
        fields["calendar"] = draw(st.sampled_from(["municipal", "statutory"]))
    if clock in ("elapsed", "opening-hours"):
        fields["statistic"] = draw(st.sampled_from(["share", "share", "max"]))
    return norm(**fields)


@st.composite
def lives(draw: st.DrawFn) -> list[EventTuple]:
    opened = draw(moments)
    data: dict[str, Any] = {"channel": draw(st.sampled_from(["telephone", "counter"]))}
    if draw(st.booleans()):
        data["location"] = draw(st.sampled_from(["Stadhuis", "Wijkpost", "elsewhere"]))
    if draw(st.integers(0, 4)) == 0:
        data["deadlines"] = {"n": draw(moments)}
    life = [event("opened", opened, **data)]
    later = st.one_of(moments, st.integers(opened - HOUR, opened + 5 * DAY))
    for kind in draw(st.lists(st.sampled_from(["paused", "resumed", "paused", "resumed", "extended", "closed", "reopened"]), max_size=7)):
        at = draw(later)
        life.append(event(kind, at, **({"due_at": draw(later)} if kind == "extended" else {})))
    return life


@given(norms(), lives())
def test_the_walk_reaches_the_deadline_of_the_judge(fields: dict[str, Any], life: list[EventTuple]) -> None:
    found = municipality(fields)
    contact = timeline(*life)
    outcomes = Judge(found)(contact)
    (one,) = explain(found, contact, outcomes, NINE)
    if outcomes:
        outcome = outcomes[0]
        # A maximum that is reached while the clock stands still is kept also by a stop while it does.
        stood_still = fields.get("statistic") == "max" and outcome.stop is not None and outcome.stop > (one.deadline or 0)
        assert outcome.deadline in (one.deadline, outcome.stop if stood_still else one.deadline)
    for language in ("nl", "en"):
        assert all(texts(one, language))


# In words ----------------------------------------------------------------------------------------------------------------


def test_working_days_are_counted_one_by_one() -> None:
    fields = {"clock": "working-days", "threshold": "2wd", "start": "opened", "stop": "responded"}
    opened = event("opened", ms("2026-04-02T14:00"), channel="telephone")
    assert texts(explained(fields, opened, event("responded", ms("2026-04-08T10:00")))) == [
        "start: Thu 2026-04-02 14:00:00 (opened)",
        "2 working days after the day of the start:",
        "  Fri 2026-04-03: does not count (Goede vrijdag)",
        "  Sat 2026-04-04: does not count (weekend)",
        "  Sun 2026-04-05: does not count (weekend)",
        "  Mon 2026-04-06: does not count (Tweede paasdag)",
        "  Tue 2026-04-07: day 1 of 2",
        "  Wed 2026-04-08: day 2 of 2",
        "deadline: Wed 2026-04-08 23:59:59.999",
        "stop: Wed 2026-04-08 10:00:00",
        "WITHIN the norm; counts in the minute to Wed 2026-04-08 10:00:00",
    ]


def test_opening_hours_are_added_up() -> None:
    fields = {"clock": "opening-hours", "threshold": "4h", "start": "opened", "stop": "responded"}
    one = explained(fields, event("opened", ms("2026-03-06T11:00"), channel="telephone"))
    assert texts(one, "nl") == [
        "begin: vr 2026-03-06 11:00:00 (geopend)",
        "de klok loopt 4:00:00 terwijl het open is:",
        "  vr 2026-03-06 11:00:00 – vr 2026-03-06 12:00:00: 1:00:00, samen 1:00:00",
        "  vr 2026-03-06 12:30:00 – vr 2026-03-06 13:00:00: 0:30:00, samen 1:30:00",
        "  za 2026-03-07: gesloten (weekend)",
        "  zo 2026-03-08: gesloten (weekend)",
        "  ma 2026-03-09 08:30:00 – ma 2026-03-09 11:00:00: 2:30:00, samen 4:00:00",
        "uiterste moment: ma 2026-03-09 11:00:00",
        "nog geen einde (antwoord gegeven)",
        "TE LAAT; telt in de minuut tot ma 2026-03-09 11:00:00",
    ]


def test_a_suspension_and_an_extension_move_a_statutory_term() -> None:
    fields = {"clock": "statutory-term", "threshold": "2w", "start": "opened", "stop": "closed", "extension": "1w"}
    one = explained(
        fields,
        event("opened", ms("2026-03-02T09:00"), channel="telephone"),
        event("paused", ms("2026-03-09T12:00")),
        event("resumed", ms("2026-03-12T09:00")),
        event("extended", ms("2026-03-13T09:00"), due_at=ms("2026-04-30T12:00")),
        event("extended", ms("2026-03-26T09:00"), due_at=ms("2026-05-30T12:00")),
        now=NINE,
    )
    assert texts(one) == [
        "start: Mon 2026-03-02 09:00:00 (opened)",
        "statutory term of 2w after the day of the start",
        "  last day: Mon 2026-03-16",
        "deadline: Mon 2026-03-16 23:59:59.999",
        "suspended from Mon 2026-03-09 12:00:00",
        "  until Thu 2026-03-12 09:00:00",
        "  2 days do not count",
        "  last day: Wed 2026-03-18",
        "deadline: Wed 2026-03-18 23:59:59.999",
        "extended at Fri 2026-03-13 09:00:00 to Thu 2026-04-30 12:00:00",
        "  at most 1w: to Wed 2026-03-25 23:59:59.999",
        "deadline: Wed 2026-03-25 23:59:59.999",
        "extended at Thu 2026-03-26 09:00:00 to Sat 2026-05-30 12:00:00",
        "  does not count: after the deadline Wed 2026-03-25 23:59:59.999",
        "no stop yet (closed)",
        "not known yet: counts at the latest in the minute to Thu 2026-03-26 00:00:00",
    ]


@pytest.mark.parametrize(
    ("fields", "opened", "said"),
    [
        ({"applies_to": {"channels": ["counter"]}}, {}, "does not apply: the channel is telephone, the norm is for counter"),
        ({"start": "queued"}, {}, "does not apply: there is no queued yet"),
        ({"valid": {"from": "2026-04-01"}}, {}, "does not apply: this version does not hold on Mon 2026-03-02"),
        (
            {"applies_to": {"channels": ["telephone"], "products": ["Paspoort", "ID"]}}, {},
            "does not apply: product is —, the norm is for ID, Paspoort",
        ),
        (
            {"applies_to": {"channels": ["telephone"], "complexity": ["simple"]}}, {},
            "does not apply: complexity is unknown, the norm is for simple",
        ),
        ({"applies_to": {"channels": ["telephone"], "appointment": True}}, {}, "does not apply: there is no appointment"),
        (
            {"applies_to": {"channels": ["telephone"], "appointment": False}}, {"appointment_at": NINE},
            "does not apply: there is an appointment",
        ),
    ],
)  # fmt: skip
def test_why_a_norm_does_not_apply(fields: dict[str, Any], opened: dict[str, Any], said: str) -> None:
    one = explained({"start": "opened", **fields}, event("opened", NINE, channel="telephone", **opened))
    assert (texts(one), one.deadline) == ([said], None)


@pytest.mark.parametrize(
    ("fields", "events", "last"),
    [
        ({"clock": "given", "threshold": None, "stop": "closed"}, [], "does not count: no deadline was given"),
        ({"threshold": "1h"}, [event("paused", NINE + 1)], "does not count: suspended"),
        ({"statistic": "mean"}, [event("answered", NINE + MINUTE)], "counts in the minute to Mon 2026-03-02 09:01:00"),
        ({"statistic": "mean"}, [], "does not count (yet)"),
        ({"statistic": "max"}, [event("answered", NINE + MINUTE)], "LATE; counts in the minute to Mon 2026-03-02 09:01:00"),
        ({}, [event("closed", NINE + 1)], "does not count: closed without the event that stops the clock"),
    ],
)
def test_how_it_ends(fields: dict[str, Any], events: list[EventTuple], last: str) -> None:
    one = explained({"start": "opened", **fields}, event("opened", NINE, channel="telephone"), *events)
    assert texts(one)[-1] == last


def test_there_are_words_for_everything() -> None:
    assert set(EXCLUSIONS) <= set(REASONS)
    names = [[{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts] for texts in TEXTS.values()]
    assert all(dutch == english for dutch, english in names)


def test_times_are_shown_to_the_millisecond_where_there_are_any() -> None:
    found = explained({"start": "opened"}, event("opened", NINE + 5, channel="telephone"))
    assert texts(found)[:2] == [
        "start: Mon 2026-03-02 09:00:00.005 (opened)",
        "the clock runs always: Mon 2026-03-02 09:00:00.005 + 0:00:45",
    ]
    step = found.steps[0]._replace(says="left", values={"lasted": Lasting(3_661_001)})
    assert in_words(step, "en", ZoneInfo("UTC")) == "  there was 1:01:01.001 left:"
    assert in_words(step._replace(says="deadline", values={"at": At(NINE)}), "en", ZoneInfo("UTC")) == "deadline: Mon 2026-03-02 08:00:00"
