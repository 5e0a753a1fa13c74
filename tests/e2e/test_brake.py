"""A flood of rejects on the running stack: the worker stops before it, says why, and goes on when it is told to; nothing is lost."""

import getpass
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest

from pipeline.brake import RUN
from schemas.topics import REJECTED_EVENTS
from tests.connectors.topics import read_topic
from tests.e2e import synthetic
from tests.e2e.running import Stack, Worker, wait_until

NOW = int(datetime.now(UTC).timestamp() * 1000) - 3_600_000
POISON = 3 * RUN


@pytest.fixture(autouse=True)
def _let_go(stack: Stack) -> Iterator[None]:
    """A test that fails leaves no brake to the others."""
    yield
    stack.cli("resume")


def poison() -> list[bytes]:
    """Records of events on a channel that is not used, twenty a record."""
    events = [
        synthetic.event("contact.opened", synthetic.PHONE, NOW + number, {"contact": f"p{number}", "channel": "chat"})
        for number in range(POISON)
    ]
    return [orjson.dumps(events[start : start + 20]) for start in range(0, POISON, 20)]


def braked(worker: Worker) -> str:
    return str(worker.get("/ready")[1].get("braked", ""))


def stopped_before_poison(stack: Stack, name: str) -> Worker:
    """A worker that stored what came before the flood, and stands still before the flood."""
    stack.add_organisation(name, synthetic.organisation(name))
    worker = stack.worker().wait_ready()
    stack.send(name, synthetic.call("before", NOW))
    stack.settle()
    stack.produce(name, poison())
    stack.send(name, synthetic.call("after", NOW))
    wait_until(lambda: braked(worker), "the brake")
    return worker


def test_a_flood_stops_the_worker_until_it_is_told_to_go_on(stack: Stack) -> None:
    name = "vloed"
    worker = stopped_before_poison(stack, name)
    code, status = worker.get("/ready")
    assert code == 503
    assert "events in a row were refused, most of this batch as `unknown_channel` of 'vloed'" in status["braked"]
    assert worker.get("/live")[0] == 200
    assert "the brake is on" in worker.said
    wait_until(lambda: stack.query("SELECT 1 FROM brakes FINAL WHERE version = 0"), "the brake to be stored")
    assert worker.stop()
    refused = stack.count("rejects", name)  # by batches before the one that is held
    assert refused < RUN
    left = (POISON - refused) // 20 + 1
    # A restart of the same version under the same configuration changes nothing, not even for the good events behind.
    worker = stack.worker()
    wait_until(lambda: braked(worker), "the brake to be on again")
    assert (stack.lag(), stack.count("rejects", name), stack.count("contacts", name)) == (left, refused, 1)
    assert "contactmeter resume" in worker.said
    assert "test-1 goes on within seconds" in stack.cli("resume", "--because", "a test")
    stack.settle()
    assert worker.ready()
    assert stack.count("rejects", name) == POISON
    on_topic = [orjson.loads(record.value) for record in read_topic(stack.kafka.bootstrap, REJECTED_EVENTS) if record.key == name.encode()]
    assert len({(value["partition"], value["offset"], value["position"]) for value in on_topic}) == len(on_topic) == POISON
    assert stack.count("contacts", name) == 2
    assert stack.check_live(name) > 0
    assert stack.cli("resume") == "No worker stands still.\n"
    assert stack.query("SELECT actor, action FROM audit WHERE action = 'brake_released'") == [(getpass.getuser(), "brake_released")]
    assert worker.stop()


def test_a_configuration_that_cures_it_lets_the_worker_go_on_and_nothing_is_refused(stack: Stack) -> None:
    name = "vergeten-kanaal"
    worker = stopped_before_poison(stack, name)
    stack.add_organisation(name, synthetic.organisation(name).replace("channels:\n", "channels:\n  chat: {}\n"))
    stack.settle()
    assert worker.ready()
    refused = stack.count("rejects", name)  # by batches before the one that was held
    assert refused < RUN
    assert stack.count("contacts", name) == 2 + POISON - refused
    assert stack.query("SELECT released_by FROM brakes FINAL ORDER BY since DESC LIMIT 1") == [("another configuration",)]
    assert stack.check_live(name) > 0
    assert worker.stop()
