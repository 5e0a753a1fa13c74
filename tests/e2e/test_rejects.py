"""What was refused, mended, and sent again on the running stack: counted once, also when it is sent twice."""

import getpass
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest

from connectors.protocol import WireEvent
from connectors.sender import Sender
from pipeline.decode import MAX_KEPT_BYTES
from schemas import batch
from tests.e2e import synthetic
from tests.e2e.running import Stack, Worker, wait_until

NAME, UNKNOWN = "herstel", "nog-onbekend"
NOW = int(datetime.now(UTC).timestamp() * 1000) - 3_600_000
MENDED = (
    synthetic.organisation(NAME)
    .replace("  email: {leading_system: mail}", "  email: {leading_system: mail}\n  chat: {}")
    .replace("instruments:", "instruments:\n  chat:\n" + synthetic.organisation(NAME).split("  rating:\n")[1].rstrip())
)
"""With the channel and the questionnaire that were forgotten."""


def opened(contact: str, **data: object) -> WireEvent:
    return synthetic.event("contact.opened", synthetic.PHONE, NOW, {"contact": contact, "channel": "telephone", **data})


def answered(instrument: str) -> WireEvent:
    items = {"overall": 8, "ease": 7}
    data = {
        "instrument": instrument, "version": 1, "channel": "telephone", "answer": f"a-{instrument}", "status": "complete", "items": items,
    }  # fmt: skip
    return synthetic.event("survey.answered", synthetic.SURVEY, NOW, {**data, "revision": 0})


def counts(stack: Stack, name: str) -> dict[str, int]:
    return {table: stack.count(table, name) for table in ("contacts", "survey_answers")}


def listed(stack: Stack, *options: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(stack.cli("rejects", "list", "--json", *options))
    return found


@pytest.fixture(scope="module")
def worker(stack: Stack) -> Iterator[Worker]:
    """A worker that refused an event on an unknown channel, an answer to an unknown questionnaire and a record of nobody."""
    stack.add_organisation(NAME, synthetic.organisation(NAME))
    with Sender(stack.kafka.bootstrap, connector="test-connector") as sender:
        sender.send(NAME, [opened("before"), opened("gesprek", channel="chat"), answered("chat"), answered("rating")])
        sender.send(UNKNOWN, [opened("c1"), opened("c2")])
    running = stack.worker().wait_ready()
    stack.settle()
    yield running
    assert running.stop()


def test_the_list_says_what_waits_by_reason_with_an_example(stack: Stack, worker: Worker) -> None:
    found = {(group["reason"], group["rejects"], group["connector"]) for group in listed(stack, "--organisation", NAME)}
    assert found == {("unknown_channel", 1, "test-connector"), ("unknown_instrument", 1, "test-connector")}
    (nobody,) = listed(stack, "--organisation", UNKNOWN)
    assert (nobody["reason"], nobody["rejects"]) == ("unknown_organisation", 1)
    text = stack.cli("rejects", "list", "--organisation", NAME, "--reason", "unknown_channel", "--since", "1d", "--source", synthetic.PHONE)
    assert f"{NAME}: 1 × unknown_channel, source {synthetic.PHONE}, connector test-connector" in text
    assert "does not use channel 'chat'" in text
    assert (
        stack.cli("rejects", "list", "--organisation", NAME, "--since", "2100-01-01")
        == "Nothing was refused that still waits for a decision.\n"
    )
    (one,) = listed(stack, "--each", "--reason", "unknown_instrument", "--organisation", NAME)
    assert str(one["id"]) in stack.cli("rejects", "list", "--each", "--organisation", NAME)


def test_one_is_told_whole_with_what_to_do(stack: Stack, worker: Worker) -> None:
    (group,) = listed(stack, "--organisation", NAME, "--reason", "unknown_channel")
    text = stack.cli("rejects", "show", str(group["place"]))
    assert '"contact": "gesprek"' in text
    assert f"{synthetic.PHONE} (system phone)" in text
    assert f"contactmeter rejects replay {group['place']}" in text
    whole = json.loads(stack.cli("rejects", "show", "--json", str(group["place"])))
    assert (whole["system"], whole["why_no_replay"], whole["path"]) == ("phone", "", "$.data.channel")
    assert json.loads(whole["original"])["data"]["contact"] == "gesprek"


def test_what_is_no_id_is_said(stack: Stack, worker: Worker) -> None:
    stack.cli("rejects", "show", "12", code=2)
    stack.cli("rejects", "show", "contact-events/63/999999/0", code=1)
    stack.cli("rejects", "replay", code=2)
    stack.cli("rejects", "replay", "--all", "--reason", "future", code=2)
    stack.cli("rejects", "discard", "--all", code=2)


def test_sent_again_before_the_cause_is_mended_it_is_refused_again(stack: Stack, worker: Worker) -> None:
    (before,) = listed(stack, "--organisation", NAME, "--reason", "unknown_channel")
    assert "1 sent again" in stack.cli("rejects", "replay", str(before["place"]), "--yes")
    stack.settle()
    (after,) = listed(stack, "--organisation", NAME, "--reason", "unknown_channel")
    assert (after["rejects"], after["connector"]) == (1, "test-connector"), "the first is decided about, the second waits"
    assert after["place"] != before["place"]


def test_mended_and_sent_again_it_counts_once_also_the_second_time(stack: Stack, worker: Worker) -> None:
    assert counts(stack, NAME) == {"contacts": 1, "survey_answers": 1}
    places = [str(group["place"]) for name in (NAME, UNKNOWN) for group in listed(stack, "--organisation", name)]
    stack.add_organisation(NAME, MENDED)
    stack.add_organisation(UNKNOWN, synthetic.organisation(UNKNOWN))
    wait_until(lambda: UNKNOWN in worker.get("/status")[1]["organisations"], "the organisation to be in force")
    assert not worker.get("/status")[1]["refused_configurations"]
    for name in (NAME, UNKNOWN):
        assert "sent again; what is refused once more" in stack.cli(
            "rejects", "replay", "--organisation", name, "--because", "mended", "--yes"
        )
    stack.settle()
    expected = [{"contacts": 2, "survey_answers": 2}, {"contacts": 2, "survey_answers": 0}]
    assert [counts(stack, name) for name in (NAME, UNKNOWN)] == expected
    figures = [stack.rolling_at(name, datetime.now(UTC)) for name in (NAME, UNKNOWN)]
    assert [listed(stack, "--organisation", name) for name in (NAME, UNKNOWN)] == [[], []]
    assert "3 sent again" in stack.cli("rejects", "replay", *places, "--yes")
    stack.settle()
    assert [counts(stack, name) for name in (NAME, UNKNOWN)] == expected
    assert [stack.rolling_at(name, datetime.now(UTC)) for name in (NAME, UNKNOWN)] == figures
    assert stack.check_live(NAME) > 0


def test_decisions_stand_in_the_view_and_in_the_trail(stack: Stack, worker: Worker) -> None:
    columns = "DISTINCT decision, decided_by, because"
    sql = f"SELECT {columns} FROM contactmeter_views.v_rejects WHERE organisation = {{name:String}} AND because != ''"
    stack.cli("rejects", "replay", "--organisation", UNKNOWN, "--yes")  # nothing is left: no decision is made
    rows = stack.query("SELECT organisation, actor, action, detail FROM audit WHERE action = 'rejects_replayed' AND detail LIKE '%mended'")
    assert (NAME, getpass.getuser(), "rejects_replayed", f"2 sent again, 0 not; organisation {NAME}; mended") in rows
    assert len(rows) == 2
    assert stack.query(sql, name=NAME) in ([], [("replayed", getpass.getuser(), "mended")]), "decided about again without a reason"


def test_what_was_cut_or_has_no_owner_is_not_sent_and_can_be_discarded(stack: Stack, worker: Worker) -> None:
    large = orjson.dumps([opened("x", note="x" * MAX_KEPT_BYTES)])
    stack.produce(NAME, [large, b"[{]"])
    stack.produce(NAME, [orjson.dumps([opened("y")])], batch.headers("wie-dan-ook"))
    stack.settle()
    text = stack.cli("rejects", "replay", "--organisation", NAME, "--yes")
    assert "1 sent again" in text, "broken JSON is sent as it was"
    assert "1 not: it was cut: only its first 64 KB were kept." in text
    assert "1 not: its key and its header name different organisations" in text
    stack.settle()
    assert sum(int(str(group["rejects"])) for group in listed(stack, "--organisation", NAME)) == 3
    assert "3 set aside" in stack.cli("rejects", "discard", "--organisation", NAME, "--because", "a test", "--yes")
    assert listed(stack, "--organisation", NAME) == []
    assert {group["reason"] for group in listed(stack, "--organisation", NAME, "--decided")} >= {"invalid_json", "organisation_mismatch"}
    assert counts(stack, NAME) == {"contacts": 2, "survey_answers": 2}
