"""`contactmeter incident` on real engines: from the command over Kafka, the worker and the store back to what a person reads."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from clickhouse_connect.driver.client import Client

from pipeline.cli.speaking import OPERATOR
from pipeline.drift.incidents import HOUR_MS, Incident, IncidentEvent, Rules, incidents
from pipeline.drift.signal import Signal
from pipeline.store.drift_incidents import incident_events, write_incidents
from pipeline.store.drift_incidents import incidents as stored
from tests.e2e import synthetic
from tests.e2e.running import Stack, running_stack, wait_until

NAME = "afwijkstad"
NOW = time.time_ns() // 1_000_000
RULES = Rules(30 * 60_000, lambda _channel, start, end: end - start, lambda signal, _language: f"{signal.channel} {signal.state}")


def found(name: str, channel: str, hours_ago: int) -> Signal:
    at = NOW - hours_ago * HOUR_MS
    figures: dict[str, Any] = {"size": -0.2, "low": -0.3, "high": -0.1, "value": 0.6, "usual": 0.8, "n": 400}
    return Signal(NAME, name, 0, "found", channel, "norm:n", "norm:n", "compliance", -1, at, at - HOUR_MS, **figures)


SIGNALS = [found("a", "telephone", 30), found("b", "email", 2)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory: Path = tmp_path_factory.mktemp("incidents")
    document = yaml.safe_load(synthetic.organisation(NAME))
    document["systems"][OPERATOR] = {"sources": [f"{synthetic.PHONE}-operator"]}
    with running_stack(directory) as running:
        running.add_organisation(NAME, yaml.safe_dump(document))
        worker = running.worker().wait_ready()
        known = "SELECT count() FROM organisations WHERE organisation = {organisation:String}"
        wait_until(lambda: running.query(known, organisation=NAME) == [(1,)], "the organisation to be taken up")
        yield running
        assert worker.stop()


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    client = stack.connection.open()
    try:
        yield client
    finally:
        client.close()


def look(client: Client, after: int = 0) -> dict[str, Incident]:
    """Derive and write the incidents once so many events have landed, as each look of the worker does; by channel."""
    events: list[IncidentEvent] = []

    def landed() -> bool:
        events[:] = incident_events(client, NAME)
        return len(events) >= after

    wait_until(landed, f"{after} events to be stored")
    now = time.time_ns() // 1_000_000
    write_incidents(client, incidents(NAME, SIGNALS, events, RULES, now, stored(client, NAME)), now)
    return {one.channels[0]: one for one in stored(client, NAME)}


def listed(stack: Stack) -> dict[str, dict[str, Any]]:
    return {one["channels"][0]: one for one in json.loads(stack.cli("incident", "list", NAME, "--json"))}


def test_incidents_are_listed_noted_and_silenced(stack: Stack, client: Client) -> None:
    assert stack.cli("incident", "list", NAME) == "Er loopt geen incident.\n"
    shown = look(client)
    text = stack.cli("incident", "list", NAME, "--lang", "en").splitlines()
    assert [line.strip() for line in text[1::2]] == ["Email found.", "Telephone found."], "the newest first"
    assert "waits for somebody since" in text[0]

    assert stack.cli("incident", "acknowledge", NAME, shown["telephone"].incident[:12], "--who", "anna", "--reason", "gebeld") == (
        f"acknowledged: {shown['telephone'].incident}\n"
    )
    stack.cli("incident", "silence", NAME, shown["email"].incident, "--for", "2h", "--reason", "onderhoud", "--who", "bas")
    look(client, after=2)
    now = listed(stack)
    phone, mail = now["telephone"], now["email"]
    assert (phone["acknowledged_by"], phone["reason"], phone["asks_since"]) == ("anna", "gebeld", None)
    assert (mail["silenced_by"], mail["reason"], mail["acknowledged_at"], mail["asks_since"]) == ("bas", "onderhoud", None, None)
    assert 0 < mail["silenced_until"] - NOW < 3 * HOUR_MS

    trail = stack.query("SELECT action, detail FROM audit WHERE organisation = {organisation:String} ORDER BY at", organisation=NAME)
    trail = [(action, json.loads(detail)) for action, detail in trail if action.startswith("incident")]
    assert [(action, data["incident"], data["who"]) for action, data in trail] == [
        ("incident_acknowledged", shown["telephone"].incident, "anna"),
        ("incident_silenced", shown["email"].incident, "bas"),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("acknowledge", NAME, "none-such"),
        ("silence", NAME, "none-such", "--for", "2h"),
        ("list", "nergens"),
        ("list", NAME, "--lang", "de"),
    ],
)
def test_what_can_not_be_meant_ends_with_code_2(stack: Stack, arguments: tuple[str, ...]) -> None:
    stack.cli("incident", *arguments, code=2)
