"""A client that could not connect leaves nothing behind."""

import os
import threading

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from schemas.kafka_clients import made
from tests.connectors.test_sender import closed_port
from tests.engines import KafkaEngine

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors as Linux shows them")  # noqa: PTH112
SETTINGS = {"bootstrap_timeout_ms": 50}


def held() -> tuple[int, int]:
    """Threads and descriptors of this process."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_a_failed_attempt_leaves_no_thread_and_no_descriptor(kind: type) -> None:
    nowhere = closed_port()
    before = held()
    for _ in range(3):
        with pytest.raises(KafkaError):
            made(kind, nowhere, SETTINGS)
    assert held() == before


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_an_attempt_that_succeeds_is_a_client_that_works(kafka: KafkaEngine, kind: type) -> None:
    client = made(kind, kafka.bootstrap, {"bootstrap_timeout_ms": 5_000})
    try:
        assert client.bootstrap_connected() if kind is not KafkaAdminClient else client.describe_cluster()["brokers"]
    finally:
        client.close()
