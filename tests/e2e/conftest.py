"""One stack for all end-to-end tests: each test has organisations of its own and leaves both engines running."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Stack, running_stack

SOCKETS = "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
"""kafka-python leaves a socket to the garbage collector for every connection that is refused or broken."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Kafka is killed here: its client's sockets are collected within each test, under this filter."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(SOCKETS))


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
