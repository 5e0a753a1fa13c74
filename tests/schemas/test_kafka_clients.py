"""A client that could not connect leaves nothing behind."""

import gc
import logging
import threading
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from schemas.kafka_clients import made
from tests.connectors.test_sender import closed_port

# kafka-python leaves a socket to the garbage collector for every connection that is refused: collected here, within the filter.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def held() -> tuple[int, int]:
    """Threads and descriptors of this process (no descriptors are counted where it is not Linux)."""
    gc.collect()
    return threading.active_count(), len(list(Path("/proc/self/fd").glob("*")))


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_a_failed_attempt_leaves_no_thread_and_no_descriptor(kind: type, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "kafka")  # pytest keeps records, and with their errors the sockets
    nowhere = closed_port()
    before = held()
    for _ in range(3):
        with pytest.raises(KafkaError):
            made(kind, nowhere, {"bootstrap_timeout_ms": 50})
    assert held() == before
