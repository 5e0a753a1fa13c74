"""The pure core of the product and the oracle agree on every example: rows, refusals, sums, whatever the cuts, crashes and restarts.

This is the one file that knows both sides. ORACLE_EXAMPLES=20000 in the environment runs it for long.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from pipeline.assignment import Assignment, Rows
from pipeline.configured import Configured
from pipeline.decode import Decoded, decode
from pipeline.rolling import minute_of
from pipeline.rows import COLUMNS, Row
from pipeline.statutory import is_statutory_rest_day
from schemas.organisation import Organisation
from tests.oracle.contacts import Contact
from tests.oracle.days import YEARS, instant, statutory_rest
from tests.oracle.figures import Answer, Expected, expected
from tests.oracle.lives import DAY, HOUR, MINUTE, History, histories
from tests.oracle.norms import Outcome
from tests.oracle.towns import NAME
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


# What the core says, in the oracle's words ------------------------------------------------------------------------------


def named(table: str, row: Row) -> dict[str, Any]:
    return dict(zip(COLUMNS[table], row, strict=True))


_TEXTS = ("channel", "via", "product", "team", "location", "segment", "direction", "complexity", "person", "link")
_FACTS = ("role", "opened_at", "answered_at", "abandoned_at", "left_at", "closed_at", "wait_ms")
_FIRST = {"queued_at": "queued", "acknowledged_at": "acknowledged", "responded_at": "responded"}
_TIMES = {"transfers": "transferred", "reopened": "reopened"}


def contact_of(row: Row) -> dict[str, Any]:
    """What a row says of a contact."""
    values = named("contacts", row)
    return {name: values[name] for name in (*_TEXTS, "result", *_FACTS, *_FIRST, *_TIMES)}


def contact_in(contact: Contact) -> dict[str, Any]:
    """The same by the oracle. Whether the contact that it names is there, a row can't know; the views say it."""
    told = {name: contact.attributes.get(name, "") for name in _TEXTS}
    named = contact.attributes.get("same_as")
    facts = {"result": contact.result or "", **{name: getattr(contact, name) for name in _FACTS}}
    facts |= {name: contact.first(kind) for name, kind in _FIRST.items()} | {name: contact.times(kind) for name, kind in _TIMES.items()}
    if contact.role == "unlinked" and named and (named["system"], named["id"]) != contact.key:
        facts["role"] = "enriches"
    return told | facts


def outcomes_of(row: Row) -> dict[str, dict[str, Any]]:
    """The outcomes in a row, by norm."""
    columns = {name.removeprefix("outcomes."): values for name, values in named("contacts", row).items() if name.startswith("outcomes.")}
    return {norm: {name: values[at] for name, values in columns.items()} for at, norm in enumerate(columns["norm"])}


def agree_on(core: dict[str, Any], oracle: Outcome) -> None:
    """One outcome; of several reasons the core names one."""
    fields = [name for name in ("norm", "version", "start", "deadline", "stop", "judged_at", "measured") if name in core]
    assert {name: core[name] for name in fields} == {name: getattr(oracle, name) for name in fields}, (core, oracle)
    assert core["excluded"] in (oracle.excluded or {""}), (core, oracle)


_OF_ANSWERS = ("channel", "product", "team", "location", "segment")


def answer_of(row: Row) -> dict[str, Any]:
    """What a row says of an answer itself; what it inherits shows in the sums."""
    values = named("survey_answers", row)
    grades = dict(zip(values["aspects"], values["grades"], strict=True))
    if values["forgotten"]:
        return {"forgotten": True, "grades": grades}
    return {"revision": values["revision"], "answered_at": values["answered_at"], "grades": grades} | {
        name: values[name] for name in _OF_ANSWERS
    }


def answer_in(answer: Answer) -> dict[str, Any]:
    """The same by the oracle."""
    if answer.forgotten:
        return {"forgotten": True, "grades": {}}
    told = {name: answer.data.get(name, "") for name in _OF_ANSWERS}
    return {"revision": answer.revision, "answered_at": answer.answered_at, "grades": answer.grades} | told


def agree(oracle: Expected, found: Run, as_of: int) -> None:
    """Refusals, rows, sums and windows."""
    assert set(found.refused) == set(oracle.refused)
    assert all(reason in oracle.refused[position] for position, reason in found.refused.items()), (found.refused, oracle.refused)
    rows = {key[1:]: row for key, row in found.shelf.contacts.items() if named("contacts", row)["role"] != "mailbox"}
    assert set(rows) == set(oracle.contacts)
    for key, contact in oracle.contacts.items():
        assert contact_of(rows[key]) == contact_in(contact), key
        outcomes = outcomes_of(rows[key])
        assert set(outcomes) <= set(contact.outcomes), (key, outcomes, contact.outcomes)
        for norm, outcome in contact.outcomes.items():
            if outcome.statistic == "share" or outcome.stop is not None:
                agree_on(outcomes[norm], outcome)
            elif norm in outcomes:
                # What never stopped of a mean or maximum counts nowhere; a row may leave it out, or name any reason.
                assert outcomes[norm]["judged_at"] is None, (key, outcomes, outcome)
    answers = {key[1:]: row for key, row in found.shelf.answers.items()}
    assert {key: answer_of(row) for key, row in answers.items()} == {key: answer_in(one) for key, one in oracle.answers.items()}
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
