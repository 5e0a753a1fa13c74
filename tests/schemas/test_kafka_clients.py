"""A client that could not connect leaves nothing behind."""

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from schemas.kafka_clients import made
from tests.connectors.test_sender import closed_port

# kafka-python leaves a socket to the garbage collector for every connection that is refused: collected here, within the filter.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    yield
    gc.collect()


def held() -> tuple[int, int]:
    """Threads and descriptors of this process (no descriptors are counted where it is not Linux)."""
    gc.collect()
    return threading.active_count(), len(list(Path("/proc/self/fd").glob("*")))


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_a_failed_attempt_leaves_no_thread_and_no_descriptor(kind: type) -> None:
    nowhere = closed_port()
    before = held()
    for _ in range(3):
        with pytest.raises(KafkaError):
            made(kind, nowhere, {"bootstrap_timeout_ms": 50})
    assert held() == before
