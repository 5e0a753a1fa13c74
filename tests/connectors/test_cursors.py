"""Cursors in the compacted topic of a real broker."""

import gc
from collections.abc import Iterator

import pytest

from connectors.cursors import KafkaCursors
from connectors.kafka_client import Unreachable
from schemas.topics import CONNECTOR_CURSORS, topics
from tests.connectors.test_sender import closed_port
from tests.connectors.topics import create_topic
from tests.engines import KafkaEngine

pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    yield
    gc.collect()


def test_the_last_cursor_of_each_key_is_found_again(kafka: KafkaEngine) -> None:
    topic = topics()[CONNECTOR_CURSORS]
    create_topic(kafka.bootstrap, topic.name, topic.partitions, topic.config)
    first = KafkaCursors(kafka.bootstrap)
    assert first.get("cursor-test", "a") is None
    for number in range(50):
        first.put("cursor-test", "a", str(number))
    first.put("cursor-test", "b", "of b")
    first.put("cursor", "test a", "of another connector")
    first.close()
    again = KafkaCursors(kafka.bootstrap)
    assert [again.get("cursor-test", "a"), again.get("cursor-test", "b")] == ["49", "of b"]
    again.close()


def test_an_unreachable_broker() -> None:
    with pytest.raises(Unreachable, match="does not answer"):
        KafkaCursors(closed_port(), give_up_after=0.5)
