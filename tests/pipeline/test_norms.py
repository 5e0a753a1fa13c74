"""Judging a contact: every clock, denominator and reason not to count, and the version that is valid at its start."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contacts import EventTuple, merge
from pipeline.norms import REASONS, Judge, Outcome
from pipeline.rules import calendar_of
from pipeline.timeline import Timeline
from schemas.errors import InvalidConfiguration
from tests.pipeline.builders import DAY, HOUR, NINE, SECOND, event, ms, norm, organisation, timeline

OFFERED: dict[str, Any] = {"denominator": "offered"}


def judged(fields: dict[str, Any], *events: EventTuple, **municipality: Any) -> Outcome:
    """The one outcome of a contact for one norm."""
    (outcome,) = Judge(organisation(norm(**fields), **municipality))(timeline(*events))
    return outcome


REQUIRED: dict[str, dict[str, Any]] = {"left_queue": {"reason": "timeout"}, "called_back": {"reached": True}}


def plain(kind: str, at: int, name: str = "", time: int | None = None) -> EventTuple:
    """An event with no more data than it needs."""
    return event(kind, at, name, time=time, **REQUIRED.get(kind, {}))


def call(*parts: tuple[float, str] | EventTuple, opened: int = NINE) -> list[EventTuple]:
    """A call that is opened and queued at nine; each part is (seconds after nine, kind) or an event."""
    later = [part if len(part) > 2 else plain(str(part[1]), opened + round(float(part[0]) * SECOND)) for part in parts]
    return [event("opened", opened, channel="telephone"), event("queued", opened), *later]


# When a contact counts: (moment of the verdict in seconds after nine, within) or the reason why it does not ----------------

NOT_WITHIN, WITHIN = False, True
CASES: dict[str, tuple[dict[str, Any], list[Any], tuple[float, bool] | str]] = {
    "answered in time": ({}, [(30, "answered")], (30, WITHIN)),
    "answered at the deadline": ({}, [(45, "answered")], (45, WITHIN)),
    "answered a millisecond late": ({}, [(45.001, "answered")], (45, NOT_WITHIN)),
    "answered at once": ({}, [(0, "answered")], (0, WITHIN)),
    "answered late": ({}, [(300, "answered")], (45, NOT_WITHIN)),
    "open": ({}, [], (45, NOT_WITHIN)),
    "answered before it was queued": ({}, [(-1, "answered")], "stop_before_start"),
    "abandoned, of answered": ({}, [(30, "abandoned")], "abandoned"),
    "abandoned, of offered": (OFFERED, [(30, "abandoned")], (30, NOT_WITHIN)),
    "abandoned after the deadline, of answered": ({}, [(90, "abandoned")], "abandoned"),
    "abandoned after the deadline, of offered": (OFFERED, [(90, "abandoned")], (45, NOT_WITHIN)),
    "abandoned and answered": ({}, [(5, "abandoned"), (30, "answered")], (30, WITHIN)),
    "left the queue, of answered": ({}, [(30, "left_queue")], "left_queue"),
    "left the queue, of offered": (OFFERED, [(30, "left_queue")], (30, NOT_WITHIN)),
    "left and abandoned, of answered": ({}, [(20, "left_queue"), (30, "abandoned")], "abandoned"),
    "left and abandoned, of offered": (OFFERED, [(20, "left_queue"), (30, "abandoned")], (20, NOT_WITHIN)),
    "left, queued again and answered": ({}, [(5, "left_queue"), (20, "queued"), (40, "answered")], (40, WITHIN)),
    "short abandon": (OFFERED | {"short_abandon": "5s"}, [(4.999, "abandoned")], "short_abandon"),
    "short abandon, of answered": ({"short_abandon": "5s"}, [(4, "abandoned")], "short_abandon"),
    "abandoned at the bound": (OFFERED | {"short_abandon": "5s"}, [(5, "abandoned")], (5, NOT_WITHIN)),
    "answered within the short abandon": ({"short_abandon": "5s"}, [(4, "answered")], (4, WITHIN)),
    "left within the short abandon": (OFFERED | {"short_abandon": "5s"}, [(3, "left_queue")], (3, NOT_WITHIN)),
    "short abandons are off by default": (OFFERED, [(0, "abandoned")], (0, NOT_WITHIN)),
    "abandoned before it was queued, short abandons off": (OFFERED, [(-1, "abandoned")], (-1, NOT_WITHIN)),
    "a short abandon longer than the norm": (OFFERED | {"short_abandon": "60s"}, [(50, "abandoned")], "short_abandon"),
    "wait unknown, of offered": (
        OFFERED | {"short_abandon": "5s"}, [event("abandoned", NINE, wait_unknown=True)], (0, NOT_WITHIN),
    ),
    "wait unknown, of answered": ({"short_abandon": "5s"}, [event("abandoned", NINE, wait_unknown=True)], "abandoned"),
    "closed without an answer": ({}, [(60, "closed")], "closed_without_stop"),
    "closed without an answer, of offered": (OFFERED, [(60, "closed")], "closed_without_stop"),
    "closed and reopened without an answer": ({}, [(20, "closed"), (30, "reopened")], (45, NOT_WITHIN)),
    "abandoned and closed, of offered": (OFFERED, [(30, "abandoned"), (31, "closed")], (30, NOT_WITHIN)),
    "abandoned and closed, of answered": ({}, [(30, "abandoned"), (31, "closed")], "abandoned"),
    "queued twice": ({}, [(40, "queued"), (80, "answered")], (45, NOT_WITHIN)),
    "reaction, then reopened": ({}, [(30, "answered"), (40, "closed"), (50, "reopened")], (30, WITHIN)),
    "handled": ({"stop": "closed"}, [(44, "closed")], (44, WITHIN)),
    "handled, reopened": ({"stop": "closed"}, [(30, "closed"), (40, "reopened")], (45, NOT_WITHIN)),
    "handled, reopened, closed late": ({"stop": "closed"}, [(30, "closed"), (40, "reopened"), (60, "closed")], (45, NOT_WITHIN)),
    "handled, reopened, closed in time": ({"stop": "closed"}, [(20, "closed"), (30, "reopened"), (40, "closed")], (40, WITHIN)),
    "closed before it was queued": ({"stop": "closed"}, [(-1, "closed")], "stop_before_start"),
    "the first of several stops": ({"stop": ["closed", "responded"]}, [(20, "responded"), (90, "closed")], (20, WITHIN)),
    "a reaction outlives reopening": (
        {"stop": ["responded", "closed"]}, [(20, "closed"), (30, "reopened"), (40, "responded")], (40, WITHIN),
    ),
    "answered, but asked is a response": ({"stop": "responded"}, [(10, "answered")], (45, NOT_WITHIN)),
    "answered and closed, but asked is a response": ({"stop": "responded"}, [(10, "answered"), (20, "closed")], "closed_without_stop"),
    "from opening": ({"start": "opened"}, [(45, "answered")], (45, WITHIN)),
    "left the queue, of offered without those": (OFFERED | {"left_queue": "excluded"}, [(30, "left_queue")], "left_queue"),
    "abandoned, of offered without who left": (OFFERED | {"left_queue": "excluded"}, [(30, "abandoned")], (30, NOT_WITHIN)),
    "call-back in vain": (
        {"start": "callback_requested", "stop": "reached"},
        [(0, "callback_requested"), event("called_back", NINE + 5 * SECOND, reached=False)], (45, NOT_WITHIN),
    ),
    "called back and reached at the second try": (
        {"start": "callback_requested", "stop": "reached"},
        [(0, "callback_requested"), event("called_back", NINE + 5 * SECOND, reached=False), (20, "called_back")], (20, WITHIN),
    ),
    "from the transfer": (
        {"start": "transferred", "stop": "responded"}, [event("transferred", NINE + 9 * SECOND, team="b"), (50, "responded")], (50, WITHIN),
    ),
    "from the first close": ({"start": "closed", "stop": "informed"}, [(10, "closed"), (20, "informed")], (20, WITHIN)),
    "from a call-back note": (
        {"start": "callback_requested", "stop": "called_back"}, [(10, "callback_requested"), (50, "called_back")], (50, WITHIN),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "parts", "expected"), CASES.values(), ids=CASES.keys())
def test_when_it_counts(fields: dict[str, Any], parts: list[Any], expected: tuple[float, bool] | str) -> None:
    outcome = judged(fields, *call(*parts))
    if isinstance(expected, str):
        assert (outcome.judged_at, outcome.excluded) == (None, expected)
    else:
        seconds, within = expected
        assert (outcome.judged_at, outcome.excluded, outcome.within) == (NINE + round(seconds * SECOND), "", within)


def test_an_outcome_says_what_it_rests_on() -> None:
    outcome = judged({"id": "pick-up"}, *call((30, "answered")))
    assert outcome == Outcome("pick-up", 1, NINE, NINE + 45 * SECOND, NINE + 30 * SECOND, NINE + 30 * SECOND, "")
    late = judged({}, *call())
    assert (late.start, late.deadline, late.stop, late.within) == (NINE, NINE + 45 * SECOND, None, False)


def test_nothing_is_judged_before_the_start_event_nor_without_a_channel_nor_withdrawn() -> None:
    judge = Judge(organisation(norm()))
    assert judge(timeline(event("opened", NINE, channel="telephone"))) == ()
    assert judge(timeline(event("queued", NINE), event("answered", NINE))) == ()
    assert judge(timeline(event("opened", NINE, channel="email"), event("queued", NINE))) == ()
    assert judge(timeline(event("opened", NINE, channel="app"), event("queued", NINE))) == ()
    assert judge(timeline(*call((3, "answered"), (9, "withdrawn")))) == ()


def test_a_corrected_channel_brings_its_own_norms() -> None:
    judge = Judge(organisation(norm(id="a"), norm(id="b", applies_to={"channels": ["email"]}, start="opened", stop="responded")))
    assert [outcome.norm for outcome in judge(timeline(*call()))] == ["a"]
    assert [outcome.norm for outcome in judge(timeline(*call(), event("corrected", NINE + 1, channel="email")))] == ["b"]


def test_outcomes_stand_in_the_order_of_their_norms() -> None:
    judge = Judge(organisation(*(norm(id=name) for name in "cab")))
    assert [outcome.norm for outcome in judge(timeline(*call()))] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("applies", "opened", "applied"),
    [
        ({"products": ["Paspoort"]}, {"product": "Paspoort"}, True),
        ({"products": ["Paspoort", "Rijbewijs"]}, {"product": "Rijbewijs"}, True),
        ({"products": ["Paspoort"]}, {"product": "paspoort"}, False),
        ({"products": ["Paspoort"]}, {}, False),
        ({"teams": ["KCC"]}, {"team": "KCC"}, True),
        ({"teams": ["KCC"]}, {"team": "Burgerzaken"}, False),
        ({"products": ["Paspoort"], "teams": ["KCC"]}, {"product": "Paspoort"}, False),
        ({}, {"product": "Paspoort", "team": "KCC"}, True),
    ],
)
def test_a_norm_may_concern_some_products_and_teams(applies: dict[str, Any], opened: dict[str, Any], applied: bool) -> None:
    judge = Judge(organisation(norm(applies_to={"channels": ["telephone"], **applies}, start="opened")))
    assert bool(judge(timeline(event("opened", NINE, channel="telephone", **opened)))) is applied


@pytest.mark.parametrize(
    ("applies", "opened", "applied"),
    [
        ({"product_classes": ["reizen"]}, {"product": "Paspoort"}, True),
        ({"product_classes": ["reizen", "wonen"]}, {"product": "Verhuizing"}, True),
        ({"product_classes": ["wonen"]}, {"product": "Paspoort"}, False),
        ({"product_classes": ["wonen"]}, {}, False),
        ({"product_classes": ["reizen"], "products": ["Verhuizing"]}, {"product": "Paspoort"}, False),
        ({"locations": ["Stadhuis"]}, {"location": "Stadhuis"}, True),
        ({"locations": ["Stadhuis"]}, {"location": "Wijkpost"}, False),
        ({"segments": ["1234"]}, {"segment": "1234"}, True),
        ({"segments": ["1234"]}, {}, False),
        ({"vias": ["app", "website"]}, {"via": "app"}, True),
        ({"vias": ["app"]}, {"via": "telephone"}, False),
        ({"appointment": True}, {"appointment_at": NINE}, True),
        ({"appointment": True}, {}, False),
        ({"appointment": False}, {"appointment_at": NINE}, False),
        ({"appointment": False}, {}, True),
        ({"complexity": ["simple"]}, {"complexity": "simple"}, True),
        ({"complexity": ["simple"]}, {"complexity": "complex"}, False),
        ({"complexity": ["simple"]}, {}, False),
        ({"complexity": ["simple", "unknown"]}, {}, True),
        ({"direction": "inbound"}, {"direction": "inbound"}, True),
        ({"direction": "inbound"}, {"direction": "outbound"}, False),
        ({"direction": "inbound"}, {}, False),
    ],
)
def test_a_norm_concerns_contacts_with_the_attributes_it_asks_for(applies: dict[str, Any], opened: dict[str, Any], applied: bool) -> None:
    classes = {"reizen": ["Paspoort"], "wonen": ["Verhuizing"]}
    asked = norm(applies_to={"channels": ["telephone"], **applies}, start="opened")
    judge = Judge(organisation(asked, product_classes=classes))
    assert bool(judge(timeline(event("opened", NINE, channel="telephone", **opened)))) is applied


APPOINTMENT = {"start": {"latest_of": ["appointment_at", "queued"]}, "threshold": "5min"}


@pytest.mark.parametrize(
    ("opened", "queued", "start"),
    [
        ({"appointment_at": NINE + 600 * SECOND}, NINE, NINE + 600 * SECOND),  # came early
        ({"appointment_at": NINE}, NINE + 60 * SECOND, NINE + 60 * SECOND),  # came late
        ({}, NINE + 60 * SECOND, NINE + 60 * SECOND),
        ({"appointment_at": NINE}, None, None),  # never came
    ],
)
def test_a_start_may_be_the_latest_of_several_moments(opened: dict[str, Any], queued: int | None, start: int | None) -> None:
    events = [event("opened", NINE, channel="telephone", **opened), *([] if queued is None else [event("queued", queued)])]
    found = Judge(organisation(norm(**APPOINTMENT)))(timeline(*events))
    assert [outcome.start for outcome in found] == ([] if start is None else [start])


EXCLUDED: dict[str, tuple[dict[str, Any], list[EventTuple], str]] = {
    "while closed": ({"outside_opening_hours": True}, call(opened=ms("2026-03-02T08:29:59.999")), "outside_opening_hours"),
    "at opening": ({"outside_opening_hours": True}, call(opened=ms("2026-03-02T08:30")), ""),
    "at closing": ({"outside_opening_hours": True}, call(opened=ms("2026-03-02T17:00")), "outside_opening_hours"),
    "a result": ({"results": ["test"]}, call((60, "answered"), event("closed", NINE + 90 * SECOND, result="test")), "excluded_result"),
    "another result": ({"results": ["test"]}, call((60, "answered"), event("closed", NINE + 90 * SECOND, result="done")), ""),
    "a result that was taken back": (
        {"results": ["test"]}, call((60, "answered"), event("closed", NINE + 90 * SECOND, result="test"), (99, "reopened")), "",
    ),
    "a product": ({"products": ["Paspoort"]}, call(event("corrected", NINE, product="Paspoort")), "excluded_product"),
    "a team": ({"teams": ["KCC"]}, call(event("corrected", NINE, team="KCC"), (60, "answered")), "excluded_team"),
    "another team": ({"teams": ["KCC"]}, call(event("corrected", NINE, team="Balie")), ""),
    "the first of two": ({"products": ["P"], "teams": ["T"]}, call(event("corrected", NINE, team="T", product="P")), "excluded_product"),
}  # fmt: skip


@pytest.mark.parametrize(("exclusions", "events", "reason"), EXCLUDED.values(), ids=EXCLUDED.keys())
def test_what_a_norm_leaves_out(exclusions: dict[str, Any], events: list[EventTuple], reason: str) -> None:
    outcome = judged({"exclusions": exclusions}, *events)
    assert (outcome.excluded, outcome.judged_at is None) == (reason, bool(reason))


def test_every_reason_is_one_that_is_known() -> None:
    told = {case[2] for case in CASES.values() if isinstance(case[2], str)} | {reason for _, _, reason in EXCLUDED.values() if reason}
    assert told | {"no_deadline", "suspended"} == set(REASONS)


# Clocks ----------------------------------------------------------------------------------------------------------------


def deadline(clock: str, threshold: str, start: str, **municipality: Any) -> int:
    """The deadline of a contact opened at a local time."""
    fields = {"clock": clock, "threshold": threshold, "start": "opened", "stop": "closed"}
    found = judged(fields, event("opened", ms(start), channel="telephone"), **municipality).deadline
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("clock", "threshold", "start", "expected"),
    [
        ("elapsed", "45s", "2026-03-02T09:00", "2026-03-02T09:00:45"),
        ("elapsed", "24h", "2026-03-06T16:00", "2026-03-07T16:00"),
        ("opening-hours", "15min", "2026-03-02T09:00", "2026-03-02T09:15"),
        ("opening-hours", "15min", "2026-03-02T16:50", "2026-03-03T08:35"),
        ("opening-hours", "15min", "2026-03-06T17:00", "2026-03-09T08:45"),  # Friday at closing time to Monday
        ("opening-hours", "10min", "2026-03-06T16:50", "2026-03-06T17:00"),  # runs out at closing time
        ("working-days", "1wd", "2026-03-02T09:00", "2026-03-03T23:59:59.999"),
        ("working-days", "2wd", "2026-03-06T09:00", "2026-03-10T23:59:59.999"),
        ("working-days", "1wd", "2026-03-07T09:00", "2026-03-09T23:59:59.999"),  # a Saturday
        ("working-days", "1wd", "2026-04-24T09:00", "2026-04-28T23:59:59.999"),  # King's Day is a Monday
        # The night of 29 March 2026 lacks an hour.
        ("elapsed", "45s", "2026-03-29T01:59:30", "2026-03-29T03:00:15"),
        ("elapsed", "24h", "2026-03-28T12:00", "2026-03-29T13:00"),
        ("opening-hours", "1h", "2026-03-27T16:30", "2026-03-30T09:00"),
        ("working-days", "1wd", "2026-03-28T12:00", "2026-03-30T23:59:59.999"),
        # The night of 25 October 2026 has one more.
        ("elapsed", "45s", "2026-10-25T02:59:30+02:00", "2026-10-25T02:00:15+01:00"),
        ("elapsed", "24h", "2026-10-24T12:00", "2026-10-25T11:00"),
        ("opening-hours", "1h", "2026-10-23T16:30", "2026-10-26T09:00"),
        ("working-days", "1wd", "2026-10-24T12:00", "2026-10-26T23:59:59.999"),
    ],
)  # fmt: skip
def test_each_clock_reaches_its_deadline(clock: str, threshold: str, start: str, expected: str) -> None:
    holidays = {"closing_days": {"public_holidays": "nl"}}
    assert deadline(clock, threshold, start, **holidays) == ms(expected)


def test_a_channel_has_its_own_hours_and_exceptions() -> None:
    channels = {"telephone": {"opening_hours": {"mon-fri": "10:00-12:00"}, "exceptions": {date(2026, 3, 3): "closed"}}, "email": {}}
    assert deadline("opening-hours", "1h", "2026-03-02T11:30", channels=channels) == ms("2026-03-04T10:30")
    assert deadline("opening-hours", "1h", "2026-03-02T11:30") == ms("2026-03-02T12:30")


def test_an_open_day_may_last_23_or_25_hours() -> None:
    always = {"opening_hours": {"mon-sun": "00:00-24:00"}}
    assert deadline("opening-hours", "24h", "2026-03-29T00:00", **always) == ms("2026-03-30T01:00")
    assert deadline("opening-hours", "24h", "2026-10-25T00:00", **always) == ms("2026-10-25T23:00")


def test_closing_days_are_those_named_and_the_public_holidays_asked_for() -> None:
    calendar = calendar_of(organisation(closing_days={"public_holidays": "nl", "dates": ["2026-05-15"]}), "telephone")
    assert not calendar.is_working_day(date(2026, 5, 15))
    assert not calendar.is_working_day(date(2026, 4, 27))
    plain = calendar_of(organisation(closing_days={"public_holidays": "none"}), "telephone")
    assert plain.is_working_day(date(2026, 5, 15))
    assert plain.is_working_day(date(2026, 4, 27))


PLACES: dict[str, Any] = {
    "channels": {"telephone": {}, "counter": {"opening_hours": {"mon-fri": "09:00-17:00"}, "exceptions": {date(2026, 3, 4): "closed"}}},
    "locations": {
        "Stadhuis": {"opening_hours": {"mon-fri": "12:00-20:00"}},
        "Wijkpost": {"exceptions": {date(2026, 3, 4): "10:00-11:00"}},
        "Balie": {"title": "as everywhere"},
        "Post": {"channels": ["telephone"], "opening_hours": {"mon-fri": "06:00-07:00"}},
    },
}


@pytest.mark.parametrize(
    ("channel", "location", "start", "expected"),
    [
        ("counter", None, "2026-03-02T16:30", "2026-03-03T09:30"),
        ("counter", "Stadhuis", "2026-03-02T16:30", "2026-03-02T17:30"),
        ("counter", "Stadhuis", "2026-03-02T19:30", "2026-03-03T12:30"),
        ("counter", "Stadhuis", "2026-03-03T19:30", "2026-03-05T12:30"),  # the channel's exception holds there too
        ("counter", "Wijkpost", "2026-03-03T16:30", "2026-03-04T10:30"),  # its own exception comes first
        ("counter", "Balie", "2026-03-02T16:30", "2026-03-03T09:30"),
        ("counter", "unheard of", "2026-03-02T16:30", "2026-03-03T09:30"),
        ("counter", "Post", "2026-03-02T16:30", "2026-03-03T09:30"),  # its hours are for the telephone only
        ("telephone", "Post", "2026-03-02T16:30", "2026-03-03T07:00"),
        ("telephone", "Stadhuis", "2026-03-02T16:30", "2026-03-03T09:00"),
    ],
)
def test_a_location_has_hours_of_its_own(channel: str, location: str | None, start: str, expected: str) -> None:
    both = {"channels": ["telephone", "counter"]}
    judge = Judge(organisation(norm(applies_to=both, clock="opening-hours", threshold="1h", start="opened", stop="closed"), **PLACES))
    placed: dict[str, Any] = {} if location is None else {"location": location}
    (outcome,) = judge(timeline(event("opened", ms(start), channel=channel, **placed)))
    assert outcome.deadline == ms(expected)


@pytest.mark.parametrize(
    ("calendar", "start", "expected"),
    [
        ("municipal", "2026-05-04T12:00", "2026-05-05"),  # 5 May is a working day of this municipality
        ("statutory", "2026-05-04T12:00", "2026-05-06"),
        ("municipal", "2026-05-13T12:00", "2026-05-18"),  # closed on the Friday after Ascension by its own list
        ("statutory", "2026-05-13T12:00", "2026-05-18"),  # by decree
        ("municipal", "2026-03-03T12:00", "2026-03-05"),  # 4 March is closed by an exception
        ("statutory", "2026-03-03T12:00", "2026-03-04"),
        ("statutory", "2026-03-28T12:00", "2026-03-30"),  # across both clock changes
        ("statutory", "2026-10-24T12:00", "2026-10-26"),
    ],
)
def test_working_days_follow_the_calendar_asked_for(calendar: str, start: str, expected: str) -> None:
    fields = {"clock": "working-days", "threshold": "1wd", "calendar": calendar, "start": "opened", "stop": "closed"}
    municipality: dict[str, Any] = {
        "channels": {"telephone": {"exceptions": {date(2026, 3, 4): "closed"}}},
        "closing_days": {"public_holidays": "nl", "dates": ["2026-05-15"]},
    }
    outcome = judged(fields, event("opened", ms(start), channel="telephone"), **municipality)
    assert outcome.deadline == ms(f"{expected}T23:59:59.999")


@pytest.mark.parametrize(
    ("threshold", "start", "expected"),
    [("6w", "2026-03-24T12:00", "2026-05-06"), ("10d", "2026-03-02T12:00", "2026-03-12"), ("3m", "2026-01-31T12:00", "2026-04-30")],
)
def test_a_statutory_term_ignores_the_municipal_calendar(threshold: str, start: str, expected: str) -> None:
    fields = {"clock": "statutory-term", "threshold": threshold, "start": "opened", "stop": "closed"}
    outcome = judged(fields, event("opened", ms(start), channel="telephone"), closing_days={"dates": [expected]}, opening_hours={})
    assert outcome.deadline == ms(f"{expected}T23:59:59.999")


def given_norm(*events: EventTuple) -> Outcome:
    fields = {"id": "permit", "clock": "given", "threshold": None, "start": "opened", "stop": "closed"}
    return judged(fields, *events)


def test_a_given_deadline_is_used_as_given() -> None:
    due = ms("2026-03-08T12:00")  # a Sunday
    opened = event("opened", NINE, channel="telephone", deadlines={"permit": due, "other": 5})
    assert given_norm(opened)[3:7] == (due, None, due, "")
    assert given_norm(opened, event("closed", due)).within
    assert not given_norm(opened, event("closed", due + 1)).within
    moved = given_norm(opened, event("corrected", NINE + DAY, deadlines={"permit": due + DAY}), event("closed", due + 1))
    assert (moved.within, moved.deadline) == (True, due + DAY)


def test_a_promise_is_a_norm_of_its_own() -> None:
    outcome = given_norm(event("opened", NINE, channel="telephone"), event("promised", NINE + HOUR, norm="permit", due_at=NINE + DAY))
    assert (outcome.deadline, outcome.judged_at) == (NINE + DAY, NINE + DAY)


@pytest.mark.parametrize("deadlines", [{}, {"deadlines": {}}, {"deadlines": {"other": NINE + DAY}}])
def test_without_a_given_deadline_it_does_not_count(deadlines: dict[str, Any]) -> None:
    opened = event("opened", NINE, channel="telephone", **deadlines)
    for more in ([], [event("closed", NINE + DAY)], [event("abandoned", NINE)]):
        outcome = given_norm(opened, *more)
        assert (outcome.deadline, outcome.judged_at, outcome.excluded, outcome.within) == (None, None, "no_deadline", False)


def test_a_deadline_given_before_the_start_is_missed_at_once() -> None:
    outcome = given_norm(event("opened", NINE, channel="telephone", deadlines={"permit": NINE - DAY}), event("closed", NINE + DAY))
    assert (outcome.judged_at, outcome.within, outcome.excluded) == (NINE - DAY, False, "")


# Versions --------------------------------------------------------------------------------------------------------------

VERSIONS = (
    norm(threshold="30s", start="opened", valid={"from": "2026-07-01"}),
    norm(threshold="45s", start="opened", valid={"from": "2026-01-01", "to": "2026-04-01"}),
)


@pytest.mark.parametrize(
    ("start", "version", "seconds"),
    [
        ("2025-12-31T23:59:59.999", None, 0),
        ("2026-01-01T00:00", 1, 45),
        ("2026-03-31T23:59:59.999", 1, 45),
        ("2026-04-01T00:00", None, 0),
        ("2026-06-30T23:59:59.999", None, 0),
        ("2026-07-01T00:00", 2, 30),
        ("2026-06-30T22:00Z", 2, 30),  # the same moment
        ("2190-01-01T00:00", 2, 30),
    ],
)
def test_the_version_valid_on_the_local_date_of_its_start_judges(start: str, version: int | None, seconds: int) -> None:
    at = ms(start)
    found = Judge(organisation(*VERSIONS))(timeline(event("opened", at, channel="telephone")))
    assert [(outcome.version, outcome.deadline) for outcome in found] == ([] if version is None else [(version, at + seconds * SECOND)])


def test_dates_are_those_of_the_organisations_zone() -> None:
    judge = Judge(organisation(*VERSIONS, zone="America/New_York"))
    assert judge(timeline(event("opened", ms("2026-01-01T04:59:59.999Z"), channel="telephone"))) == ()
    assert len(judge(timeline(event("opened", ms("2026-01-01T05:00Z"), channel="telephone")))) == 1


def test_a_contact_is_judged_by_its_start_not_by_its_stop() -> None:
    versions = (norm(threshold="45s", valid={"to": "2026-03-02"}), norm(threshold="30s", valid={"from": "2026-03-02"}))
    midnight = ms("2026-03-02T00:00")
    (outcome,) = Judge(organisation(*versions))(timeline(*call((2, "answered"), opened=midnight - SECOND)))
    assert (outcome.version, outcome.start) == (1, midnight - SECOND)


def test_versions_that_start_by_different_events_count_once() -> None:
    versions = (
        norm(start="opened", stop="closed", valid={"to": "2026-03-03"}),
        norm(start="answered", stop="closed", valid={"from": "2026-03-03"}),
    )
    opened = event("opened", ms("2026-03-02T16:00"), channel="telephone")
    judge = Judge(organisation(*versions, norm(id="other", start="opened")))
    found = judge(timeline(opened, event("answered", ms("2026-03-03T09:00"))))
    assert [(outcome.norm, outcome.version) for outcome in found] == [("n", 1), ("other", 1)]


# Configurations that can't be judged by --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "municipality",
    [
        {"opening_hours": {}},
        {"opening_hours": {"mon-fri": "closed"}},
        # Open on a single day: a contact after it would wait for ever.
        {"opening_hours": {}, "channels": {"telephone": {"exceptions": {date(1990, 1, 2): "08:00-20:00"}}}},
    ],
    ids=["no hours", "closed", "one day only"],
)
def test_a_clock_that_can_never_reach_its_deadline_is_refused(municipality: dict[str, Any]) -> None:
    message = r"norm 'n' on channel 'telephone': the calendar never is open .* check its opening hours"
    with pytest.raises(InvalidConfiguration, match=message):
        Judge(organisation(norm(clock="opening-hours", threshold="15min"), **municipality))


def test_a_clock_must_reach_its_deadline_at_every_location() -> None:
    fields = norm(applies_to={"channels": ["counter"]}, clock="opening-hours", threshold="15min")
    places = {"channels": {"counter": {}}, "locations": {"Stadhuis": {"opening_hours": {}}}}
    with pytest.raises(InvalidConfiguration, match=r"norm 'n' on channel 'counter' at 'Stadhuis': the calendar never is open"):
        Judge(organisation(fields, **places))
    Judge(organisation({**fields, "applies_to": {"channels": ["counter"]}, "clock": "elapsed"}, **places))


def test_hours_that_are_not_needed_are_not_asked_for() -> None:
    Judge(organisation(norm(), norm(id="wd", clock="working-days", threshold="2wd"), opening_hours={}))


def test_a_clock_may_rest_on_exceptions_while_its_norm_holds() -> None:
    channels = {"telephone": {"exceptions": {date(2026, 12, 24): "08:00-20:00"}}}
    summer = {"from": "2026-06-01", "to": "2026-12-01"}
    Judge(organisation(norm(clock="opening-hours", threshold="15min", valid=summer), opening_hours={}, channels=channels))


def test_who_left_the_queue_is_owed_the_call_back_that_was_asked_for() -> None:
    fields = norm(clock="elapsed", threshold="24h", start="callback_requested", stop="called_back")
    events = [
        event("opened", NINE, channel="telephone"), event("queued", NINE), event("callback_requested", NINE + SECOND),
        event("left_queue", NINE + 2 * SECOND, reason="voicemail"),
    ]  # fmt: skip
    judge = Judge(organisation(fields, norm(id="wait")))
    found = {outcome.norm: outcome for outcome in judge(timeline(*events))}
    assert (found["n"].judged_at, found["n"].excluded) == (NINE + SECOND + DAY, "")
    assert found["wait"].excluded == "left_queue"


# Order -----------------------------------------------------------------------------------------------------------------

JUDGE = Judge(
    organisation(
        norm(id="answered", short_abandon="5s"),
        norm(id="handled", start="opened", stop="closed", threshold="2min"),
        norm(id="offered", **OFFERED),
        norm(id="promised", clock="given", threshold=None, start="opened", stop=["responded", "closed"]),
        norm(id="workdays", clock="working-days", threshold="1wd", start="opened", stop=["acknowledged", "closed"]),
    )
)
PLAIN = ["queued", "answered", "closed", "reopened", "left_queue", "responded", "acknowledged"]
moments = st.sampled_from([NINE + seconds * SECOND for seconds in (0, 1, 4, 5, 44, 45, 46, 90, 86_400)])
names = st.sampled_from(["1", "2", "3"])
any_event = st.one_of(
    st.builds(event, st.just("opened"), moments, names, channel=st.sampled_from(["telephone", "email"])),
    st.builds(event, st.just("promised"), moments, names, norm=st.just("promised"), due_at=moments),
    st.builds(event, st.just("abandoned"), moments, names, wait_unknown=st.booleans()),
    st.builds(plain, st.sampled_from(PLAIN), moments, names, time=moments),
)


@given(st.lists(any_event, max_size=10), st.randoms(use_true_random=False))
def test_a_verdict_never_depends_on_the_order_of_events(events: list[EventTuple], dice: Any) -> None:
    in_order = [event("opened", NINE, "0", channel="telephone"), *events]
    shuffled = in_order + events[:2]
    dice.shuffle(shuffled)
    kept: list[EventTuple] = []
    for one in shuffled:
        kept, _ = merge(kept, [one])
    said = Timeline(merge([], in_order)[0])
    outcomes = JUDGE(said)
    assert JUDGE(Timeline(kept)) == outcomes
    for outcome in outcomes:
        assert (outcome.judged_at is None) == (outcome.excluded != "")
        if outcome.judged_at is not None and outcome.deadline is not None:
            assert outcome.judged_at <= outcome.deadline or (said.wait_unknown and outcome.judged_at == said.left_at)
            assert outcome.within == (outcome.stop is not None and outcome.judged_at == outcome.stop)


def test_a_day_clock_counts_from_the_local_date_of_its_start() -> None:
    assert deadline("working-days", "1wd", "2026-03-02T23:59:59.999") == ms("2026-03-03T23:59:59.999")
    assert deadline("working-days", "1wd", "2026-03-03T00:00") == ms("2026-03-04T23:59:59.999")
