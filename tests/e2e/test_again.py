"""Judging again, rebuilding and forgetting, by the program's own commands while workers run: what comes out equals what SQL computes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors.protocol import WireEvent
from tests.e2e import synthetic
from tests.e2e.running import Stack, Worker, records_of, wait_until

NAME, TWIN, GONE = "opnieuw", "opnieuw-tweeling", "vergeten"
NOW = int(datetime.now(UTC).timestamp() * 1000)
STRICTER = synthetic.organisation(NAME).replace("threshold: 45s", "threshold: 20s")
EVENTS = synthetic.history(1_500, NOW, seed=11)


@pytest.fixture(scope="module")
def worker(stack: Stack) -> Iterator[Worker]:
    for name in (NAME, GONE):
        stack.add_organisation(name, synthetic.organisation(name))
    running = stack.worker().wait_ready()
    stack.produce(NAME, records_of(EVENTS, 60))
    stack.settle()
    yield running
    assert running.stop()


def outcomes(stack: Stack, name: str) -> list[tuple[object, ...]]:
    return stack.query(
        "SELECT system, contact, outcomes.norm, outcomes.deadline, outcomes.judged_at, outcomes.excluded FROM contacts FINAL "
        "WHERE organisation = {organisation:String} ORDER BY system, contact",
        organisation=name,
    )


def mismatches(worker: Worker) -> float:
    return worker.metric("contactmeter_mismatches")


def test_a_refused_change_is_judged_by_on_request_while_the_stream_runs(stack: Stack, worker: Worker) -> None:
    stack.add_organisation(NAME, STRICTER)
    wait_until(lambda: NAME in worker.get("/status")[1]["refused_configurations"], "the change to be refused")
    before = outcomes(stack, NAME)
    shown = stack.cli("rejudge", NAME, "--dry-run")
    assert "norm 'answered_45s' changed" in shown
    assert "answered_45s: within -> late:" in shown
    assert "answered_2wd" not in shown
    stack.cli("rejudge", NAME, "--norm", "answered_2wd", "--because", "x", code=2)
    stack.cli("rejudge", NAME, "--norm", "answered_45s", code=2)  # without saying why
    assert outcomes(stack, NAME) == before

    more = synthetic.call("tijdens", NOW - 3_600_000, wait=30_000)
    stack.send(NAME, more[:2])
    stack.cli("rejudge", NAME, "--norm", "answered_45s", "--from", "0001-01-01", "--because", "council decision 12")
    stack.send(NAME, more[2:])
    stack.settle()
    wait_until(lambda: NAME not in worker.get("/status")[1]["refused_configurations"], "nothing to be refused any more")

    # An organisation that had the stricter norm from the start, and the same events, says the same.
    stack.add_organisation(TWIN, STRICTER.replace(f"organisation: {NAME}", f"organisation: {TWIN}"))
    wait_until(lambda: TWIN in worker.get("/status")[1]["organisations"], "the twin to be in force")
    stack.produce(TWIN, records_of([*EVENTS, *more], 60))
    stack.settle()
    assert stack.stored(NAME) == stack.stored(TWIN)
    assert outcomes(stack, NAME) != before
    assert {generation for (generation,) in stack.query(
        "SELECT DISTINCT version % 65536 FROM contacts FINAL WHERE organisation = {organisation:String}", organisation=NAME
    )} == {1}  # fmt: skip
    assert stack.check_live(NAME) > 0
    ((actor, detail),) = stack.query(
        "SELECT actor, detail FROM audit WHERE organisation = {organisation:String} AND action = 'rejudge'", organisation=NAME
    )
    assert actor
    assert "council decision 12" in detail
    assert mismatches(worker) == 0


def test_what_is_in_force_already_is_not_judged_again(stack: Stack, worker: Worker) -> None:
    assert "nothing to judge again" in stack.cli("rejudge", NAME, "--because", "x")


def test_forgetting_takes_a_contact_out_of_every_figure_and_table_for_ever(stack: Stack, worker: Worker) -> None:
    contact = synthetic.call("weg", NOW - 7_200_000)
    data: dict[str, object] = {
        "instrument": "rating", "version": 1, "answer": "a-weg", "revision": 0, "status": "complete", "items": {"overall": 8},
        "contact": {"system": "phone", "id": "weg"},
    }  # fmt: skip
    answered = synthetic.event("survey.answered", synthetic.SURVEY, NOW - 3_600_000, data)
    person: list[WireEvent] = [
        synthetic.event("contact.opened", synthetic.PHONE, NOW - 7_000_000, {"contact": "p1", "channel": "telephone", "person": "ab" * 16}),
        synthetic.event("contact.opened", synthetic.MAIL, NOW - 7_000_000, {"contact": "p2", "channel": "email", "person": "ab" * 16}),
    ]
    stays = synthetic.call("blijft", NOW - 7_300_000)
    stack.send(GONE, [*stays, *contact, answered, *person])
    stack.settle()
    assert stack.count("contacts", GONE) == 4

    said = stack.cli("forget", GONE, "--contact", "phone/weg", "--person", "ab" * 16, "--because", "request 7", "--yes")
    assert "gone from every table" in said
    told = "SELECT aspects, contact FROM survey_answers WHERE organisation = {organisation:String}"
    assert stack.query(told, organisation=GONE) == [([], "")]  # when it says so: the answer's older rows too
    stack.send(GONE, [*contact, answered, *person])  # their sources are read again
    stack.settle()

    rows = stack.query(
        "SELECT contact, role, timeline FROM contacts WHERE organisation = {organisation:String} ORDER BY contact", organisation=GONE
    )
    assert [(name, role) for name, role, _ in rows if role == "forgotten"] == [
        ("p1", "forgotten"),
        ("p2", "forgotten"),
        ("weg", "forgotten"),
    ]
    assert all(timeline == "[]" for _, role, timeline in rows if role == "forgotten")
    assert {name for name, role, _ in rows if role != "forgotten"} == {"blijft"}
    assert stack.query(told, organisation=GONE) == [([], "")]
    with stack.views() as views:
        found = {(row.measure, row.window): row.n for row in views.rolling(GONE) if row.n}
    assert found["volume", "28d"] == 1
    assert not any(measure.startswith("answer:") for measure, _ in found)
    assert stack.check_live(GONE) > 0
    assert mismatches(worker) == 0


def test_a_rebuild_from_the_log_or_from_the_timelines_gives_what_was_there(stack: Stack, worker: Worker) -> None:
    names = (NAME, TWIN, GONE)
    before = {name: stack.stored(name) for name in names}
    stack.cli("rebuild", "--from", "timelines")
    wait_until(
        lambda: not stack.query("SELECT 1 FROM contacts FINAL WHERE version % 65536 = 0 AND NOT forgotten LIMIT 1"),
        "all to be judged again",
    )
    wait_until(lambda: not worker.get("/status")[1]["judging_again"], "judging again to end")
    assert {name: stack.stored(name) for name in names} == before

    assert worker.stop()
    said = stack.cli("rebuild", "--from", "kafka", "--yes")
    assert "removed and read again" in said
    assert stack.count("contacts", NAME) == 0
    with_tombstones = stack.query("SELECT count() FROM contacts WHERE forgotten")
    assert with_tombstones == [(3,)]
    another = stack.worker().wait_ready()
    stack.settle()
    assert {name: stack.stored(name) for name in names} == before
    for name in names:
        assert stack.check_live(name) > 0
    assert mismatches(another) == 0
    assert another.stop()
