"""A stack of its own that is broken in every way, in a short form (always) and a long one (mark `chaos`, `make chaos`)."""

import gc
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.chaos import recovery, truth
from tests.chaos.forms import LONG, SHORT, Form
from tests.chaos.proxy import Proxy
from tests.e2e.conftest import SOCKETS
from tests.e2e.running import Stack, running_stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Engines are killed here: kafka-python's sockets are collected within each test, under this filter."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(SOCKETS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How long each recovery took."""
    if recovery.SCENARIOS:
        terminalreporter.section("recovery times")
        for line in recovery.table():
            terminalreporter.line(line)


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="session", params=[SHORT, pytest.param(LONG, marks=pytest.mark.chaos)], ids=lambda form: form.name)
def form(request: pytest.FixtureRequest) -> Form:
    found: Form = request.param
    return found


@pytest.fixture(scope="session")
def seed() -> int:
    """Of everything that is left to chance; CONTACTMETER_CHAOS_SEED repeats a run."""
    given = os.environ.get("CONTACTMETER_CHAOS_SEED", "")
    return int(given) if given else random.SystemRandom().randrange(1_000_000)


@pytest.fixture
def chance(seed: int, request: pytest.FixtureRequest) -> random.Random:
    print(f"CONTACTMETER_CHAOS_SEED={seed}")  # shown when the test fails
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("chaos")) as running:
        yield running


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Proxy]:
    """In front of the stack's ClickHouse."""
    made = Proxy(stack.clickhouse.http_port)
    yield made
    made.close()


@pytest.fixture(scope="session")
def right(stack: Stack, form: Form) -> truth.Truth:
    """The events and what is right to be stored of them."""
    return truth.of_clean_load(stack, f"clean-{form.name}", form.contacts, datetime.now(UTC))
