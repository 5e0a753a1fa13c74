"""The oracle against examples worked by hand, of what docs/MEASURES.md says without one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from tests.oracle.door import Wire, is_bsn
from tests.oracle.lives import HOUR, MINUTE, SECOND, iso
from tests.oracle.norms import Outcome
from tests.oracle.told import AMSTERDAM, local, of, organisation, told


def judged(norm: Mapping[str, Any], events: list[Wire]) -> Outcome:
    """How the one contact is judged by the one norm."""
    return of(events, organisation(norm)).contacts["pbx", "1"].outcomes["n"]


def test_a_window_is_open_at_its_beginning_and_closed_at_its_end() -> None:
    edges = ("11:00", "11:00:00.001", "12:00", "12:00:00.001")
    found = of([told(f"2026-03-02 {at} opened", at) for at in edges], organisation())
    assert found.figures(local("2026-03-02 12:00"))["email", "volume", "1h"] == (2, 0, 0)
    assert {key[2]: sums[0] for key, sums in found.minutes().items()} == {
        local(f"2026-03-02 {at}") // MINUTE: n for at, n in (("11:00", 1), ("11:01", 1), ("12:00", 1), ("12:01", 1))
    }


# Deadlines --------------------------------------------------------------------------------------------------------------

OPENED, ANSWERED = "2026-03-02 09:00", {"start": "opened", "stop": "responded"}
ELAPSED = {"clock": "elapsed", "threshold": "24h", **ANSWERED}
HOURS = {"clock": "opening-hours", "threshold": "4h", **ANSWERED}
DAYS = {"clock": "working-days", "threshold": "2wd", **ANSWERED}


def term(threshold: str, **fields: Any) -> dict[str, Any]:
    return {"clock": "statutory-term", "threshold": threshold, **ANSWERED, **fields}


def paused(first: str, last: str) -> list[Wire]:
    return [told(f"{first} paused"), told(f"{last} resumed")]


def extended(at: str, due: str, **fields: Any) -> list[Wire]:
    return [told(f"{at} extended", due_at=iso(local(due)), **fields)]


@pytest.mark.parametrize(
    ("norm", "opened", "events", "deadline"),
    [
        (term("6w"), OPENED, [], "2026-04-13"),
        (term("6w"), "2026-02-20 12:00", [], "2026-04-07"),  # Good Friday, a weekend, Easter Monday
        (term("1m"), "2026-01-31 12:00", [], "2026-03-02"),  # the last of February is a Saturday
        (term("10d"), "2026-05-05 12:00", [], "2026-05-18"),  # the Friday after Ascension is equated with a holiday
        ({**DAYS, "calendar": "statutory"}, "2026-05-13 12:00", [], "2026-05-19"),
        (DAYS, "2026-05-13 12:00", [], "2026-05-18"),  # it is a closing day only where the municipality says so
        (DAYS, "2026-03-27 12:00", [], "2026-03-31"),
        (ELAPSED, "2026-03-28 12:00", [], "2026-03-29 13:00"),  # 24 hours over the night that loses one
        (ELAPSED, OPENED, paused("2026-03-02 10:00", "2026-03-02 12:00"), "2026-03-03 11:00"),
        (ELAPSED, OPENED, paused("2026-03-02 08:00", "2026-03-02 10:00"), "2026-03-03 10:00"),  # from the start on
        (ELAPSED, OPENED, paused("2026-03-03 09:00:01", "2026-03-03 12:00"), "2026-03-03 09:00"),  # past the deadline
        (ELAPSED, OPENED, [told("2026-03-02 10:00 paused"), *paused("2026-03-02 11:00", "2026-03-02 12:00")], "2026-03-03 11:00"),
        (ELAPSED, OPENED, [told("2026-03-02 10:00 resumed")], "2026-03-03 09:00"),
        (ELAPSED, OPENED, [told("2026-03-02 10:00 paused"), told("2026-03-02 13:00 responded")], "2026-03-03 12:00"),
        (ELAPSED | {"suspension": False}, OPENED, paused("2026-03-02 10:00", "2026-03-02 12:00"), "2026-03-03 09:00"),
        (HOURS, "2026-03-06 12:00", [], "2026-03-09 11:30"),
        (HOURS, "2026-03-06 12:00", paused("2026-03-06 12:30", "2026-03-09 09:30"), "2026-03-09 13:00"),
        (HOURS, OPENED, paused("2026-03-02 10:00", "2026-03-02 15:30"), "2026-03-03 10:00"),
        (term("10d"), OPENED, paused("2026-03-04 12:00", "2026-03-09 12:00"), "2026-03-16"),  # 5 to 8 March
        (term("10d"), OPENED, paused("2026-03-04 12:00", "2026-03-06 12:00"), "2026-03-13"),
        (term("10d"), OPENED, paused("2026-03-04 12:00", "2026-03-07 12:00"), "2026-03-16"),  # the 14th is a Saturday
        (DAYS, OPENED, paused("2026-03-03 12:00", "2026-03-06 12:00"), "2026-03-06"),
        (DAYS, OPENED, paused("2026-03-03 12:00", "2026-03-10 12:00"), "2026-03-10"),
        (ELAPSED, OPENED, extended("2026-03-03 09:00", "2026-03-05 12:00"), "2026-03-05 12:00"),
        (ELAPSED, OPENED, extended("2026-03-03 09:00:01", "2026-03-05 12:00"), "2026-03-03 09:00"),  # too late
        (ELAPSED, OPENED, extended("2026-03-02 10:00", "2026-03-03 08:00"), "2026-03-03 09:00"),  # no later
        (ELAPSED, OPENED, extended("2026-03-02 10:00", "2026-03-05 12:00", norm="other"), "2026-03-03 09:00"),
        (ELAPSED | {"extension": "none"}, OPENED, extended("2026-03-02 10:00", "2026-03-05 12:00"), "2026-03-03 09:00"),
        (ELAPSED | {"extension": "24h"}, OPENED, extended("2026-03-02 10:00", "2026-03-05 12:00"), "2026-03-04 09:00"),
        (term("6w", extension="4w"), OPENED, extended("2026-04-01 10:00", "2026-07-01"), "2026-05-11"),
        (
            ELAPSED, OPENED,
            [*extended("2026-03-02 10:00", "2026-03-05 12:00"), *paused("2026-03-04 10:00", "2026-03-04 11:00")],
            "2026-03-05 13:00",
        ),
    ],
)  # fmt: skip
def test_a_deadline(norm: dict[str, Any], opened: str, events: list[Wire], deadline: str) -> None:
    numbered = [event | {"id": str(number)} for number, event in enumerate([told(f"{opened} opened"), *events])]
    assert judged(norm, numbered).deadline == local(deadline)


def test_a_given_deadline_is_moved_by_an_extension_and_not_by_a_pause() -> None:
    norm = {"clock": "given", **ANSWERED}
    opened = told(f"{OPENED} opened", deadlines={"n": iso(local("2026-03-05 12:00"))})
    assert judged(norm, [opened, *paused("2026-03-03 10:00", "2026-03-04 10:00")]).deadline == local("2026-03-05 12:00")
    assert judged(norm, [opened, *extended("2026-03-03 10:00", "2026-03-09 10:00")]).deadline == local("2026-03-09 10:00")
    assert judged(norm, [told(f"{OPENED} opened")]).excluded == {"no_deadline"}


def test_a_pause_that_is_open_excludes_until_it_ends() -> None:
    opened, waiting = told(f"{OPENED} opened"), told("2026-03-02 10:00 paused")
    assert judged(ELAPSED, [opened, waiting]).excluded == {"suspended"}
    assert judged(ELAPSED, [opened, waiting, told("2026-03-09 10:00 resumed")]).judged_at == local("2026-03-10 09:00")
    closed = judged(ELAPSED, [opened, waiting, told("2026-03-09 10:00 closed")])
    assert closed.excluded == {"closed_without_stop"}


def test_leaving_the_queue_ends_the_wait_but_not_what_was_promised() -> None:
    call = [told("2026-03-02 09:00 opened"), told("2026-03-02 09:01 callback_requested"), told("2026-03-02 09:02 left_queue", reason="key")]
    assert judged({**ELAPSED, "stop": "answered"}, call).excluded == {"left_queue"}
    assert judged({**ELAPSED, "start": "callback_requested", "stop": "called_back"}, call).judged_at == local("2026-03-03 09:01")


def test_the_latest_of_two_moments() -> None:
    norm = {**ELAPSED, "threshold": "5min", "start": {"latest_of": ["appointment_at", "queued"]}}
    early, queued = told("2026-03-02 09:00 opened", appointment_at=iso(local("2026-03-02 09:30"))), told("2026-03-02 09:10 queued")
    assert judged(norm, [early, queued]).start == local("2026-03-02 09:30")
    assert judged(norm, [told("2026-03-02 09:00 opened"), queued]).start == local("2026-03-02 09:10")
    assert not of([early], organisation(norm)).contacts["pbx", "1"].outcomes


# Means and maxima -------------------------------------------------------------------------------------------------------


def test_a_mean_counts_what_stopped_by_the_clock_of_the_norm() -> None:
    norm = {**HOURS, "statistic": "mean"}
    opened = told("2026-03-06 12:00 opened")
    stopped = judged(norm, [opened, told("2026-03-09 09:30 responded")])
    assert (stopped.measured, stopped.deadline, stopped.judged_at) == (2 * HOUR, None, local("2026-03-09 09:30"))
    waited = judged(norm, [opened, *paused("2026-03-06 12:30", "2026-03-09 09:00"), told("2026-03-09 09:30 responded")])
    assert waited.measured == HOUR
    still = judged(norm, [opened])
    assert (still.judged_at, still.excluded) == (None, frozenset())
    found = of([opened, told("2026-03-09 09:30 responded")], organisation(norm))
    assert found.figures(local("2026-03-09 10:00"))["email", "norm_mean:n", "1h"] == (1, 2 * HOUR, 4 * HOUR * HOUR)


def test_a_maximum_counts_whether_each_stayed_within_it() -> None:
    norm = {**ELAPSED, "threshold": "5min", "statistic": "max"}
    on_the_dot = judged(norm, [told("2026-03-02 09:00 opened"), told("2026-03-02 09:05 responded")])
    late = judged(norm, [told("2026-03-02 09:00 opened"), told("2026-03-02 09:05:00.001 responded")])
    assert (on_the_dot.within, late.within) == (True, False)
    assert late.judged_at == local("2026-03-02 09:05:00.001")


# Who counts -------------------------------------------------------------------------------------------------------------

LEADING = {"email": {"leading_system": "pbx"}, "telephone": {}}
NAMED = {"system": "pbx", "id": "1"}


def test_another_system_enriches_the_contact_that_it_names() -> None:
    mine = told("2026-03-02 09:00 opened", product="Paspoort")
    theirs = told("2026-03-02 09:01 opened", "x", "crm", product="Afval", team="Balie", same_as=NAMED)
    reaction = told("2026-03-02 10:00 responded", "x", "crm")
    found = of([theirs, mine, reaction], organisation(ELAPSED, channels=LEADING))
    leading, other = found.contacts["pbx", "1"], found.contacts["crm", "x"]
    assert (leading.attributes["product"], leading.attributes["team"], other.role) == ("Paspoort", "Balie", "enriches")
    assert leading.outcomes["n"].within
    assert leading.opened_at == local("2026-03-02 09:00")
    assert found.figures(local("2026-03-02 12:00"))["email", "volume", "24h"] == (1, 0, 0)
    assert of([theirs], organisation(channels=LEADING)).contacts["crm", "x"].role == "unlinked"


def test_a_confidential_contact_is_counted_only() -> None:
    opened = told("2026-03-02 09:00 opened", product="Paspoort", team="Balie", confidential=True)
    secret = [opened, told("2026-03-02 09:01 transferred", team="Burgerzaken")]
    found = of(secret, organisation())
    assert found.contacts["pbx", "1"].attributes == {"channel": "email"}
    assert found.figures(local("2026-03-02 12:00"))["email", "volume", "24h"] == (1, 0, 0)


def questionnaire(at: str, revision: int = 0, **fields: Any) -> Wire:
    data = {"answer": "a", "revision": revision, "status": "complete", "instrument": "q", "version": 1, "items": {"overall": 7}}
    event = told(f"{at} survey.answered", number=revision)
    return event | {"data": event["data"] | data | fields}


QUESTIONNAIRES = {"q": [{"version": 1, "scale": "1-10", "aspects": {"overall": {}}}]}


def test_an_answer_inherits_from_its_contact_and_goes_with_it() -> None:
    document = organisation(instruments=QUESTIONNAIRES)
    events = [
        questionnaire("2026-03-02 12:00", contact=NAMED, product="Afval"),
        told("2026-03-02 09:00 opened", product="Paspoort", team="Balie"),
    ]
    (answer,) = of(events, document).answers.values()
    assert answer.attributes == {"channel": "email", "product": "Afval", "team": "Balie"}
    forgotten = of([*events, told("2026-03-03 09:00 forgotten")], document)
    assert (list(forgotten.contributions()), [one.forgotten for one in forgotten.answers.values()]) == ([], [True])
    revised = of([questionnaire("2026-03-03 12:00", 1, channel="email", items={"overall": 8.25}), events[0]], document)
    assert [(one.measure, one.x) for one in revised.contributions()] == [("answer:q:1:overall", 8_250)]


# Who may come in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "reasons"),
    [
        (told("2027-01-01 00:05 opened"), set()),
        (told("2027-01-01 00:05:00.001 opened"), {"future"}),
        (told("2026-03-02 09:00 opened") | {"source": "urn:nld:oin:2:systeem:x"}, {"foreign_source"}),
        (told("2026-03-02 09:00 opened", channel="letter"), {"unknown_channel"}),
        (told("2026-03-02 09:00 opened", product="bsn 111.22.2333"), set()),
        (told("2026-03-02 09:00 opened", product="bsn 1112.22.333"), {"bsn"}),
        (questionnaire("2026-03-02 09:00", items={"overall": 10.5}), {"off_scale"}),
        (questionnaire("2026-03-02 09:00", items={"speed": 1}), {"unknown_aspect"}),
        (questionnaire("2026-03-02 09:00", version=2, channel="letter"), {"unknown_instrument", "unknown_channel"}),
    ],
)
def test_what_may_not_come_in(event: Wire, reasons: set[str]) -> None:
    found = of([event], organisation(instruments=QUESTIONNAIRES))
    assert found.refused == ({0: reasons} if reasons else {})


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("111222333", True), ("bsn111222333", True), ("x111222333", False), ("1112223334", False), ("111222334", False), ("000000000", False)],
)
def test_a_citizen_service_number_passes_the_eleven_test(text: str, is_one: bool) -> None:
    assert is_bsn(text) == is_one


def test_many_contacts_take_time_in_proportion() -> None:
    """20,000 events; what grows with the square of their number would not end here."""
    begin = local("2026-03-02 09:00")
    events = [
        told(f"{datetime.fromtimestamp((begin + n * SECOND) / 1000, AMSTERDAM):%Y-%m-%d %H:%M:%S} {kind}", str(n))
        for n in range(5_000)
        for kind in ("opened", "paused", "resumed", "responded")
    ]
    found = of(events, organisation(ELAPSED, HOURS | {"id": "h"}, DAYS | {"id": "d"}, term("6w", id="t")))
    assert found.figures(begin + 2 * HOUR)["email", "norm:t", "24h"] == (5_000, 5_000, 5_000)
