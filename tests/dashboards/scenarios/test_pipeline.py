"""What is wrong with the pipeline itself: a worker that is killed, a ClickHouse that is away; who is told of it, and who is not."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from dashboards.alerts.metrics import STORE_AWAY, WORKER_DOWN
from dashboards.reading.promql import EVERY_S, Series
from deploy.local import network
from pipeline.store.client import Connection
from tests.dashboards.scenarios.asking import now_ms
from tests.dashboards.scenarios.conftest import Watched
from tests.dashboards.scenarios.local_board import Said, local_board
from tests.dashboards.scenarios.services import (
    ALWAYS,
    NEVER,
    Receiver,
    alertmanager,
    asked,
    listening,
    prometheus,
)
from tests.waiting import wait_until

PAGE, DAILY = {"team": "beheer", "severity": "page"}, {"team": "beheer", "severity": "daily"}
PATIENCE_S = 15.0
"""More than the 60 seconds, for a machine that does much else."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


def test_a_worker_that_is_killed_pages_within_a_minute_and_mutes_what_follows(
    watched: Watched, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through Prometheus and Alertmanager with the generated files; the local board, which has neither, says the same."""
    directory, worker = tmp_path_factory.mktemp("services"), watched.worker
    assert worker is not None
    engine = watched.stack.clickhouse
    with ExitStack() as running:
        manager = running.enter_context(alertmanager(directory / "alertmanager", receiver.url, ALWAYS))
        metrics = running.enter_context(prometheus(directory / "prometheus", worker.port, manager))
        board = Connection(engine.host, engine.http_port, engine.board_user, engine.board_password)
        local = running.enter_context(local_board(board, worker.port, "dicht"))
        wait_until(lambda: metrics.value('up{job="worker"}') == 1, "the worker to be scraped", 60)
        wait_until(lambda: local()["read"], "the local board's first round", 60)
        assert not metrics.state(WORKER_DOWN.name)
        assert not pipeline_alerts(local)

        worker.kill()
        wait_until(lambda: metrics.value('up{job="worker"}') == 0, "Prometheus to miss it", 60)
        seen = time.monotonic()
        wait_until(lambda: metrics.state(WORKER_DOWN.name) == "firing", "the alert", 60 + PATIENCE_S)
        print(f"Prometheus: {time.monotonic() - seen:.0f} s after the scrape that failed")
        alert = metrics.alert(WORKER_DOWN.name)
        assert alert is not None
        assert {name: alert["labels"][name] for name in (*PAGE, "job")} == {**PAGE, "job": "worker"}
        assert f"127.0.0.1:{worker.port} antwoordt niet" in alert["annotations"]["description"]
        assert alert["annotations"]["runbook_url"] == "https://borden.test/public/contactmeter/operations.html#worker-down"
        wait_until(lambda: WORKER_DOWN.name in pipeline_alerts(local), "the local board to say so", 60)
        manager.post({"alertname": "ContactmeterLag", **PAGE})
        wait_until(lambda: receiver.got("/beheer", "firing", WORKER_DOWN.name), "the page", 60)
        wait_until(lambda: manager.state("ContactmeterLag") == "suppressed", "what follows from it to be muted", 60)
        assert receiver.names("/beheer") == {WORKER_DOWN.name}
        assert receiver.names("/hartslag") == {"ContactmeterHeartbeat"}

        again(watched, monkeypatch)
        begun = time.monotonic()
        wait_until(lambda: not metrics.state(WORKER_DOWN.name), "the alert to end", 60 + WORKER_DOWN.keep_firing_s + PATIENCE_S)
        print(f"Prometheus: over {time.monotonic() - begun:.0f} s after the worker was ready again")
        wait_until(lambda: WORKER_DOWN.name not in pipeline_alerts(local), "the local board to say so", 60)
        assert receiver.names("/beheer") <= {WORKER_DOWN.name, "ContactmeterLag"}


def again(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker where the killed one was."""
    before = watched.worker
    assert before is not None
    with monkeypatch.context() as patched:
        patched.setattr(network, "free_ports", lambda _number: [before.port])
        watched.worker = watched.stack.worker(LOOK_EVERY_S="1")
    watched.worker.wait_ready()


def pipeline_alerts(local: Said) -> set[str]:
    """The rules on metrics that fire by the local board."""
    return {one["rule"] for one in local()["alerts"] if one["rule"].startswith("Contactmeter")}


def test_who_is_told_of_what(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Alertmanager with the generated file: pages at once, what is daily together and in the morning only, the heartbeat apart."""
    directory = tmp_path_factory.mktemp("routes")
    with (
        alertmanager(directory / "morning", f"{receiver.url}/morning", ALWAYS) as morning,
        alertmanager(directory / "evening", f"{receiver.url}/evening", NEVER) as evening,
    ):
        for one in (morning, evening):
            one.post(
                {"alertname": "ContactmeterHeartbeat", "team": "beheer", "severity": "none"},
                *({"alertname": name, **PAGE} for name in ("ContactmeterStoreAway", "ContactmeterInsertsFailing")),
                *({"alertname": "ContactmeterConfigurationRefused", **DAILY, "organisation": town} for town in ("drift", "open")),
            )
        for path in ("/morning/hartslag", "/evening/hartslag", "/morning/beheer", "/evening/beheer"):
            wait_until(partial(receiver.names, path), f"a message to {path}", 60)
        wait_until(lambda: receiver.got("/morning/beheer", "firing", "ContactmeterConfigurationRefused"), "the daily message", 60)
        assert evening.state("ContactmeterInsertsFailing") == "suppressed"
    assert receiver.names("/evening/beheer") == {"ContactmeterStoreAway"}
    assert receiver.names("/morning/beheer") == {"ContactmeterStoreAway", "ContactmeterConfigurationRefused"}
    assert receiver.names("/morning/hartslag") == receiver.names("/evening/hartslag") == {"ContactmeterHeartbeat"}
    (daily,) = [message for path, message in receiver.told if message["groupLabels"] == {"severity": "daily"}]
    assert {alert["labels"]["organisation"] for alert in daily["alerts"]} == {"drift", "open"}, "one message"


def test_clickhouse_that_is_away_ends_no_alert_and_begins_none(watched: Watched) -> None:
    """But the rule on the pipeline itself alerts, by what the worker says of it. ClickHouse is there again afterwards."""
    engine, worker = watched.stack.clickhouse, watched.worker
    assert worker is not None
    firing, quiet = watched.asked("incident_lasts", "escalatie"), watched.asked("incident", "dicht")
    before = firing.fires()
    assert not quiet.read()
    engine.kill()
    try:
        for _ in range(10):
            (alert,) = firing.read()
            assert (alert.state, alert.labels, alert.fired_at) == ("firing", before.labels, before.fired_at)
            assert firing.evaluator.error
            assert not quiet.read()
        address = f"http://127.0.0.1:{worker.port}/metrics"
        wait_until(lambda: worker.metric("contactmeter_waiting_for_store") > 0, "the worker to say that it waits", 90)
        said, series, begin = str(asked(address)), Series(), now_ms() / 1000
        for step in range(int(STORE_AWAY.for_s // EVERY_S) + 1):  # what it says goes on for as long as the rule is patient
            series.take(said, begin + step * EVERY_S)
            assert series.ask(STORE_AWAY.expr, begin + step * EVERY_S) == {frozenset(): 1.0}
    finally:
        engine.start()
    wait_until(lambda: worker.metric("contactmeter_waiting_for_store") == 0, "the worker to write again", 90)
    series.take(str(asked(address)), begin + STORE_AWAY.for_s + 60)
    assert not series.ask(STORE_AWAY.expr, begin + STORE_AWAY.for_s + 60)
    assert firing.states() == ["firing"], "and it was one alert all along"
    assert not firing.evaluator.error
