"""The pure core of the product and the oracle agree on every example: rows, refusals, sums, whatever the cuts, crashes and restarts.

This is the one file that knows both sides. ORACLE_EXAMPLES=20000 in the environment runs it for long.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from pipeline.assignment import Assignment, Rows
from pipeline.configured import Configured
from pipeline.decode import Decoded, decode
from pipeline.rolling import minute_of
from pipeline.rows import COLUMNS, Row, links_of
from pipeline.statutory import is_statutory_rest_day
from schemas.organisation import Organisation
from tests.oracle.days import YEARS, instant, statutory_rest
from tests.oracle.figures import Expected, expected
from tests.oracle.lives import DAY, HOUR, MINUTE, History, histories
from tests.oracle.rows import disagreements
from tests.oracle.told import local, organisation, told
from tests.oracle.towns import NAME, SOURCES
from tests.pipeline.builders import CONFIGURED, Shelf, record

USUAL = settings(
    max_examples=int(os.environ.get("ORACLE_EXAMPLES", "300")),
    deadline=None,
    # Without the phase that explains a failure: it takes minutes here.
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


Span = tuple[int, int]
"""Positions [from, to)."""


class Worker(NamedTuple):
    """Batches of records. One that is `torn` dies while it writes its last batch: everything is stored but its contacts."""

    batches: list[Span]
    torn: bool


class Plan(NamedTuple):
    """How the events of a history reach the core: `records` of events, and workers that follow each other.

    A worker begins where its predecessor had acknowledged, which may lie before what that one wrote.
    """

    records: list[Span]
    workers: list[Worker]


class Run(NamedTuple):
    """What the core made of a history: what is stored, the last worker's state, and the reasons of refusals by position."""

    shelf: Shelf
    state: Assignment
    refused: dict[int, str]


@contextmanager
def configured(organisation: dict[str, Any]) -> Iterator[None]:
    """The organisation in force for the core."""
    with patch.dict(CONFIGURED, {NAME: Configured.of(Organisation.model_validate(organisation), generation=3)}):
        yield


def in_pieces(draw: st.DrawFn, first: int, last: int, most: int) -> list[Span]:
    """[first, last) cut at random into at most so many spans and one more."""
    cuts = sorted(draw(st.lists(st.integers(first, last), max_size=most)))
    return [(low, high) for low, high in pairwise([first, *cuts, last]) if low < high]


@st.composite
def plans(draw: st.DrawFn, events: int) -> Plan:
    """Any way of cutting so many events into records, batches and workers."""
    records = in_pieces(draw, 0, events, 6)
    workers: list[Worker] = []
    start = 0
    while start < len(records):
        last = len(workers) == 4
        end = len(records) if last else draw(st.integers(start + 1, len(records)))
        batches = in_pieces(draw, start, end, 3)
        torn = not last and draw(st.booleans())
        workers.append(Worker(batches, torn))
        start = draw(st.integers(start, batches[-1][0] if torn else end)) if torn or end < len(records) else end
    return Plan(records, workers)


def run(history: History, plan: Plan, as_of: int, limit: int) -> Run:
    """Each worker computes its state from what is stored and folds in its batches; a batch is written while the next is looked up."""
    shelf = Shelf()
    refused: dict[int, str] = {}

    def decoded(offset: int) -> Decoded:
        first, last = plan.records[offset]
        part = history.arrivals[first:last]
        return decode(record([wire for wire, _ in part], offset, part[0][1]), CONFIGURED)

    def write(rows: Rows) -> None:
        shelf.write(rows)
        for row in rows.tables.get("rejects", ()):
            values = named("rejects", row)
            refused[plan.records[values["offset"]][0] + values["position"]] = values["reason"]

    state = shelf.assignment(0, 0, as_of)
    for writer, (batches, torn) in enumerate(plan.workers, start=1):
        state = shelf.assignment(writer, batches[0][0], as_of)
        in_flight = Rows()
        for batch in batches:
            part = [decoded(offset) for offset in range(*batch)]
            while any(wanted := state.missing(part)):
                state.remember(*shelf.look_up(*wanted))
            rows = state.apply(part)
            write(in_flight)
            state.trim(limit)
            in_flight = rows
        if torn:
            in_flight.tables.pop("contacts", None)
        write(in_flight)
        assert (state.mismatches, state.stale) == (0, set())
    return Run(shelf, state, refused)


def named(table: str, row: Row) -> dict[str, Any]:
    """A row by column name."""
    return dict(zip(COLUMNS[table], row, strict=True))


def agree(oracle: Expected, found: Run, as_of: int) -> None:
    """Refusals, rows, sums and windows."""
    assert set(found.refused) == set(oracle.refused)
    assert all(reason in oracle.refused[position] for position, reason in found.refused.items()), (found.refused, oracle.refused)
    contacts = {key[1:]: named("contacts", row) for key, row in found.shelf.contacts.items()}
    answers = {key[1:]: named("survey_answers", row) for key, row in found.shelf.answers.items()}
    wrong = disagreements(oracle, contacts, answers)
    assert not wrong, "\n".join(wrong)
    assert found.shelf.minutes() == oracle.minutes()
    # In memory only the minutes that a window can hold.
    held = {key: sums for key, sums in oracle.minutes().items() if key[2] > as_of - 28 * DAY // MINUTE}
    assert {key: sums for key, sums in found.state.sums[NAME].minutes().items() if any(sums)} == held


@USUAL
@given(histories(), st.data())
def test_the_core_and_the_oracle_agree(history: History, data: st.DataObject) -> None:
    oracle = expected(history.arrivals, history.organisation)
    moments = sorted({one.at for one in oracle.contributions()}) or [instant("2026-03-02T09:00:00+01:00")]
    # At which an edge of a window falls on something that counts, or just beside it.
    length = data.draw(st.sampled_from([0, HOUR, DAY, 7 * DAY, 28 * DAY]), "window")
    as_of = minute_of(data.draw(st.sampled_from(moments), "edge") + length + data.draw(st.sampled_from([-MINUTE, 0, MINUTE]), "beside"))
    plan = data.draw(plans(len(history.arrivals)), "plan")
    limit = data.draw(st.integers(0, 3), "contacts in memory")
    with configured(history.organisation):
        found = run(history, plan, as_of, limit)
    agree(oracle, found, as_of)
    windows = {(one.channel, one.measure, one.window): (one.n, one.total, one.squares) for one in found.state.sums[NAME].all() if one.n}
    assert windows == oracle.figures(as_of * MINUTE)
    event(f"{len(oracle.contacts)} contacts")


def test_the_days_of_rest_are_those_of_the_core() -> None:
    first, last = date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert [day for day in days if statutory_rest(day)] == [day for day in days if is_statutory_rest_day(day)]


def test_a_row_that_says_something_else_is_noticed() -> None:
    norm = {"id": "n", "applies_to": {"channels": ["email"]}, "clock": "elapsed", "threshold": "24h", "stop": "closed"}
    told = {"contact": "1", "occurred_at": "2026-03-02T09:00:00+01:00"}
    envelope = {"source": SOURCES["pbx"][0], "time": told["occurred_at"]}
    opened = {**envelope, "id": "1", "type": "nl.contactmeter.contact.opened", "data": {**told, "channel": "email"}}
    systems = {"pbx": {"sources": SOURCES["pbx"]}}
    oracle = expected([(opened, instant(told["occurred_at"]))], {"channels": {"email": {}}, "systems": systems, "norms": [norm]})
    deadline = instant("2026-03-03T09:00:00+01:00")
    row: dict[str, Any] = defaultdict(str, role="counts", channel="email", transfers=0, reopened=0, callbacks=0, confidential=False)
    row |= dict.fromkeys(
        ("appointment_at", "queued_at", "answered_at", "abandoned_at", "left_at", "closed_at", "wait_ms", "acknowledged_at", "responded_at")
    )
    row["opened_at"] = datetime.fromisoformat(told["occurred_at"])
    outcome = {"norm": "n", "version": 1, "start": deadline - DAY, "deadline": deadline, "judged_at": deadline, "excluded": ""}
    row |= {f"outcomes.{name}": [value] for name, value in (outcome | {"stop": None, "measured": None}).items()}
    assert disagreements(oracle, {("pbx", "1"): row}, {}) == []
    for name, wrong in (("role", "withdrawn"), ("product", "x"), ("closed_at", 1), ("outcomes.judged_at", [deadline + 1])):
        assert len(disagreements(oracle, {("pbx", "1"): row | {name: wrong}}, {})) == 1, name
    assert len(disagreements(oracle, {}, {})) == 1


def test_an_answer_stored_before_its_contact_counts_after_the_replay() -> None:
    """A worker dies between the inserts of one batch; the next cuts the same records into two."""
    aspects = {"overall": {"title": {"nl": "n", "en": "n"}}}
    questionnaire = {"version": 1, "title": {"nl": "n", "en": "n"}, "scale": "1-10", "aspects": aspects}
    document = organisation(organisation=NAME, title={"nl": "n", "en": "n"}, norms=[], instruments={"q": [questionnaire]})
    answer = told("2026-03-02 12:00 survey.answered")
    answer["data"] |= {"answer": "a", "revision": 0, "status": "complete", "instrument": "q", "version": 1, "items": {"overall": 7}}
    answer["data"]["contact"] = {"system": "pbx", "id": "1"}
    history = History(document, [(event, local("2027-01-01")) for event in (told("2026-03-02 09:00 opened"), answer)])
    as_of = minute_of(local("2026-03-02 13:00"))
    for second in ([(0, 1), (1, 2)], [(0, 2)]):
        plan = Plan([(0, 1), (1, 2)], [Worker([(0, 2)], torn=True), Worker(second, torn=False)])
        with configured(document):
            found = run(history, plan, as_of, 5)
        agree(expected(history.arrivals, document), found, as_of)


@USUAL
@given(histories(), st.data())
def test_the_order_of_arrival_never_shows(history: History, data: st.DataObject) -> None:
    """Not even where a definition leaves open what stands: of two contents of one event that were logged at the same moment, either may."""
    arrivals = [(event | {"time": history.arrivals[0][0]["time"]}, appended) for event, appended in history.arrivals]
    shuffled = list(arrivals)
    data.draw(st.randoms(use_true_random=False), "order").shuffle(shuffled)
    with configured(history.organisation):
        one, other = (
            run(History(history.organisation, told), data.draw(plans(len(told)), "plan"), minute_of(arrivals[-1][1]), limit=2)
            for told in (arrivals, shuffled)
        )
    assert content(one.shelf) == content(other.shelf)
    assert one.shelf.minutes() == other.shelf.minutes()


def content(shelf: Shelf) -> dict[tuple[str, ...], dict[str, Any]]:
    """What is stored, without how often it changed and when; and without what is only kept for contacts that are not there."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for table, rows in (("contacts", shelf.contacts), ("survey_answers", shelf.answers)):
        for key, row in rows.items():
            columns = named(table, row)
            if columns.get("role") == "mailbox":
                continue
            for name in ("version", "appended_at", "writer", "offset"):
                del columns[name]
            if table == "contacts":
                columns["links"] = {name: events for name, (_, events) in links_of(columns["links"]).items() if events}
                columns["answers"] = columns["role"] != "forgotten" and columns["answers"]
            found[table, *key] = columns
    return found
