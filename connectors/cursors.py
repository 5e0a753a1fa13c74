"""How far each connector has read its sources, kept in the compacted topic connector-cursors: the last record of a key counts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from connectors.kafka_client import Patience, Security, connect, options
from schemas.errors import ContactmeterError
from schemas.kafka_clients import made
from schemas.topics import CONNECTOR_CURSORS


class CursorNotStored(ContactmeterError):
    """Kafka did not take a cursor. What was delivered stays delivered; a restart sends a little of it again, which changes no figure."""


class Cursors(Protocol):
    """Where the runner keeps cursors."""

    def get(self, connector: str, key: str) -> str | None:
        """The cursor stored last, or None."""

    def put(self, connector: str, key: str, cursor: str) -> None:
        """Store a cursor; it holds when this returns. Raises CursorNotStored."""

    def close(self) -> None:
        """Release the connection."""


class MemoryCursors:
    """Cursors that end with the process: for tests and for reading without Kafka."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], str] = {}

    def get(self, connector: str, key: str) -> str | None:
        """The cursor stored last, or None."""
        return self.stored.get((connector, key))

    def put(self, connector: str, key: str, cursor: str) -> None:
        """Store a cursor."""
        self.stored[connector, key] = cursor

    def close(self) -> None:
        """Nothing to release."""


class KafkaCursors:
    """Cursors in the topic, read to its end at the start. One process writes the cursors of one key."""

    def __init__(self, bootstrap: str, *, give_up_after: float | None = None, security: Security = MappingProxyType({})) -> None:
        """Raises Unreachable after `give_up_after` seconds (None waits for ever)."""
        self._bootstrap = bootstrap
        settings = options(security)
        writing = {**settings, "acks": "all", "enable_idempotence": True, "max_block_ms": 2_000}
        self._stored = connect(lambda: _read_all(bootstrap, settings), bootstrap, give_up_after)
        self._producer = connect(lambda: made(KafkaProducer, bootstrap, writing), bootstrap, give_up_after)

    def get(self, connector: str, key: str) -> str | None:
        """The cursor stored last, or None."""
        return self._stored.get(f"{connector} {key}")

    def put(self, connector: str, key: str, cursor: str) -> None:
        """Store a cursor; waits for Kafka during an outage. Raises CursorNotStored when Kafka refuses it."""
        name = f"{connector} {key}"
        value = orjson.dumps({"connector": connector, "key": key, "cursor": cursor})
        patience = Patience(f"Kafka at {self._bootstrap}")
        while True:
            try:
                self._producer.send(CONNECTOR_CURSORS, value, name.encode(), partition=0).get(timeout=130)
            except KafkaError as error:
                if not getattr(error, "retriable", False):
                    raise CursorNotStored(
                        f"the cursor of {name} was not stored in {CONNECTOR_CURSORS}: {error}; check the rights of this client"
                    ) from error
                patience.waiting(f"is the topic {CONNECTOR_CURSORS} there? `contactmeter setup` creates it")
            else:
                self._stored[name] = cursor
                return

    def close(self) -> None:
        """Release the connection."""
        self._producer.close(timeout=5)


def _read_all(bootstrap: str, settings: Mapping[str, object]) -> dict[str, str]:
    """Every cursor by `connector key`, from the start of the topic to its present end."""
    partition = TopicPartition(CONNECTOR_CURSORS, 0)
    reading = {**settings, "enable_auto_commit": False, "auto_offset_reset": "earliest", "group_id": None}
    consumer = made(KafkaConsumer, bootstrap, reading)
    try:
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        consumer.seek_to_beginning(partition)
        stored: dict[str, str] = {}
        while consumer.position(partition) < end:
            for record in consumer.poll(timeout_ms=500).get(partition, ()):
                if record.key is not None and record.value is not None:
                    stored[record.key.decode()] = orjson.loads(record.value)["cursor"]
        return stored
    finally:
        consumer.close()
