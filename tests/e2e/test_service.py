"""The worker as a service: engines that are away, configurations that change, signals, the watchdog."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from kafka import KafkaProducer
from kafka.errors import CoordinatorNotAvailableError

from pipeline.health import Health, Offsets, Watchdog
from tests.connectors.topics import create_topic
from tests.e2e import synthetic
from tests.e2e.running import Stack, Worker, wait_until

NOW = int(datetime.now(UTC).timestamp() * 1000) - 3_600_000


@pytest.fixture
def worker(stack: Stack) -> Iterator[Worker]:
    running = stack.worker().wait_ready()
    yield running
    assert running.stop()


def send_call(stack: Stack, name: str, contact: str) -> None:
    stack.send(name, synthetic.call(contact, NOW))


def is_stored(stack: Stack, name: str, contact: str) -> bool:
    sql = "SELECT 1 FROM contacts FINAL WHERE organisation = {name:String} AND contact = {contact:String}"
    return bool(stack.query(sql, name=name, contact=contact))


def test_clickhouse_away_at_the_start(stack: Stack) -> None:
    name = "zonder-klikhuis"
    stack.add_organisation(name, synthetic.organisation(name))
    stack.clickhouse.kill()
    worker = stack.worker()
    try:
        wait_until(lambda: "ClickHouse does not answer" in worker.said, "the worker to say what it waits for")
        assert "Connection refused; waiting" in worker.said
        assert "urllib3" not in worker.said
        assert worker.get("/ready")[0] == 503
        assert worker.get("/live")[0] == 200
    finally:
        stack.clickhouse.start()
    worker.wait_ready()
    assert "ClickHouse answers again" in worker.said
    send_call(stack, name, "a")
    wait_until(lambda: is_stored(stack, name, "a"), "the contact")
    assert worker.stop()


def test_kafka_away_at_the_start(stack: Stack) -> None:
    name = "zonder-kafka"
    stack.add_organisation(name, synthetic.organisation(name))
    stack.kafka.kill()
    worker = stack.worker()
    try:
        wait_until(lambda: "Kafka" in worker.said and stack.kafka.bootstrap in worker.said, "the worker to say what it waits for")
        assert worker.get("/ready")[0] == 503
        assert "Kafka" in worker.get("/status")[1]["waiting_for"]
    finally:
        stack.kafka.start()
    worker.wait_ready()
    send_call(stack, name, "a")
    wait_until(lambda: is_stored(stack, name, "a"), "the contact")
    assert worker.stop()


def test_endpoints(worker: Worker) -> None:
    assert worker.get("/ready")[0] == worker.get("/live")[0] == 200
    code, status = worker.get("/status")
    assert code == 200
    assert status["ready"] is True
    assert status["live"] is True
    assert status["partitions"] == 64
    assert status["refused_configurations"] == {}


def test_sigterm_acknowledges_everything_and_a_restart_goes_on(stack: Stack) -> None:
    name = "netjes"
    stack.add_organisation(name, synthetic.organisation(name))
    worker = stack.worker().wait_ready()
    send_call(stack, name, "before")
    wait_until(lambda: is_stored(stack, name, "before"), "the contact")
    assert worker.stop(), "it must end by itself"
    assert stack.lag() == 0
    send_call(stack, name, "meanwhile")
    killed = stack.worker().wait_ready()
    wait_until(lambda: is_stored(stack, name, "meanwhile"), "the contact")
    killed.kill()
    send_call(stack, name, "after")
    worker = stack.worker()
    wait_until(lambda: is_stored(stack, name, "after"), "the contact")
    assert worker.stop()
    assert stack.lag() == 0
    assert stack.count("contacts", name) == 3


def test_an_organisation_added_while_running_is_taken_up(stack: Stack, worker: Worker) -> None:
    name = "nieuwkomer"
    stack.add_organisation(name, synthetic.organisation(name))
    wait_until(lambda: worker.knows(name), "the organisation")
    worker.wait_ready()
    send_call(stack, name, "a")
    wait_until(lambda: is_stored(stack, name, "a"), "the contact")
    assert stack.check_live(name) > 0


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def refusal(worker: Worker, name: str) -> str:
    return str(worker.get("/status")[1].get("refused_configurations", {}).get(name, ""))


def test_a_change_of_how_contacts_are_judged_is_refused_and_the_old_stays(stack: Stack, worker: Worker) -> None:
    name = "standvastig"
    text = synthetic.organisation(name)
    stack.add_organisation(name, text)
    wait_until(lambda: worker.knows(name), "the organisation")
    send_call(stack, name, "a")
    wait_until(lambda: is_stored(stack, name, "a"), "the contact")

    stack.add_organisation(name, changed(text, "threshold: 45s", "threshold: 90s"))
    wait_until(lambda: "answered_45s" in refusal(worker, name), "the refusal")
    assert "stays in force" in refusal(worker, name)
    worker.wait_ready()
    send_call(stack, name, "b")
    wait_until(lambda: is_stored(stack, name, "b"), "the contact")
    terms = "arrayMap((start, deadline) -> dateDiff('second', start, deadline), `outcomes.start`, `outcomes.deadline`)"
    found = stack.query(f"SELECT DISTINCT {terms} FROM contacts FINAL WHERE organisation = {{name:String}}", name=name)
    assert found == [([45],)], "judged by the old threshold"

    states = worker.said.count("organisations computed")
    stack.add_organisation(name, changed(text, "channels:\n", "channels:\n  form: {}\n"))
    wait_until(lambda: not refusal(worker, name), "an addition to be accepted")
    wait_until(lambda: worker.said.count("organisations computed") > states, "the state under the new configuration")
    worker.wait_ready()
    stack.send(name, [synthetic.event("contact.opened", synthetic.MAIL, NOW, {"contact": "f", "channel": "form"})])
    wait_until(lambda: is_stored(stack, name, "f"), "a contact of the channel that was added")
    assert stack.count("rejects", name) == 0


def test_a_file_that_is_wrong_changes_nothing_also_after_a_restart(stack: Stack, worker: Worker) -> None:
    name = "slordig"
    text = synthetic.organisation(name)
    stack.add_organisation(name, text)
    wait_until(lambda: worker.knows(name), "the organisation")
    stack.add_organisation(name, changed(text, "clock: elapsed", "clock: sundial"))
    wait_until(lambda: "clock" in refusal(worker, name), "the refusal")
    assert f"{name}.yaml:" in refusal(worker, name), "the message names file and line"
    try:
        send_call(stack, name, "a")
        wait_until(lambda: is_stored(stack, name, "a"), "the contact")
        assert worker.stop()
        restarted = stack.worker().wait_ready()
        send_call(stack, name, "b")
        wait_until(lambda: is_stored(stack, name, "b"), "the contact, judged by what was in force before")
        assert stack.count("rejects", name) == 0
        assert refusal(restarted, name)
        assert restarted.stop()
    finally:
        stack.add_organisation(name, text)


def test_two_files_of_one_organisation(stack: Stack, worker: Worker) -> None:
    name = "dubbel"
    stack.add_organisation(name, synthetic.organisation(name))
    wait_until(lambda: worker.knows(name), "the organisation")
    other = stack.organisations / "zz-dubbel.yaml"
    try:
        stack.add_organisation("zz-dubbel", synthetic.organisation(name))
        wait_until(lambda: "already has a file" in refusal(worker, "zz-dubbel"), "the refusal")
    finally:
        other.unlink()
    wait_until(lambda: not refusal(worker, "zz-dubbel"), "the refusal of a file that is gone to be dropped")


def test_an_organisation_whose_file_is_gone_stays_in_force(stack: Stack, worker: Worker) -> None:
    name = "verdwenen"
    stack.add_organisation(name, synthetic.organisation(name))
    wait_until(lambda: worker.knows(name), "the organisation")
    file = stack.organisations / f"{name}.yaml"
    file.unlink()
    said = f"organisation {name}: no file names it"
    wait_until(lambda: said in worker.said, "the worker to say so")
    send_call(stack, name, "a")
    wait_until(lambda: is_stored(stack, name, "a"), "the contact")
    assert worker.said.count(said) == 1


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_watchdog_finds_a_consumer_that_is_silently_dead(stack: Stack) -> None:
    """A real topic with records ready, and a group that commits nothing."""
    topic = create_topic(stack.kafka.bootstrap, "watched", partitions=2)
    offsets = Offsets(stack.kafka.bootstrap, "nobody", topic)
    health, clock, died = Health(), Clock(), list[str]()
    health.partitions = frozenset({0, 1})
    watchdog = Watchdog(health, offsets, 30.0, died.append, clock)
    try:
        watchdog.look()
        clock.now += 31
        watchdog.look()
        assert died == [], "nothing lies ready"
        producer = KafkaProducer(bootstrap_servers=stack.kafka.bootstrap)
        producer.send(topic, b"x", partition=1).get(timeout=30)
        producer.close()
        health.waiting_for = "ClickHouse"
        for _ in range(3):
            clock.now += 31
            watchdog.look()
        assert died == [], "it waits for ClickHouse, and says so"
        health.waiting_for = ""
        clock.now += 29
        watchdog.look()
        assert died == []
        clock.now += 2
        watchdog.look()
        assert len(died) == 1
        assert "1 records lie ready" in died[0]
        assert health.stalled
        assert health.lag == 1
    finally:
        offsets.close()


def test_a_coordinator_that_is_still_being_made_is_no_outage(caplog: pytest.LogCaptureFixture) -> None:
    class Starting(Offsets):
        def committed(self) -> dict[int, int]:
            raise CoordinatorNotAvailableError

    health = Health()
    Watchdog(health, Starting("", "", ""), 30.0, lambda why: None).look()
    assert health.kafka_away == ""
    assert caplog.text == ""


def test_after_a_restart_without_its_file_or_with_a_broken_one_an_organisation_is_still_in_force(stack: Stack) -> None:
    """Were it not, every event of it would be refused, and its record acknowledged."""
    name = "bestandsnaam"
    first = stack.worker()
    stack.add_organisation(name, synthetic.organisation(name))
    file = stack.organisations / f"{name}.yaml"
    wait_until(lambda: first.knows(name), "the organisation")
    assert first.stop()
    other = stack.organisations / "anders-genoemd.yaml"
    file.rename(other)
    other.write_text(other.read_text() + "\nzone: [\n")
    second = stack.worker()
    try:
        second.wait_ready()
        send_call(stack, name, "b")
        wait_until(lambda: is_stored(stack, name, "b"), "the contact")
        assert "anders-genoemd" in second.get("/status")[1]["refused_configurations"]
    finally:
        other.unlink()
        assert second.stop()
