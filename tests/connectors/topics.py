"""Topics on a test's own broker, and reading them back."""

from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

from schemas.partitions import PARTITIONS

_numbers = count(1)


@dataclass(frozen=True)
class Record:
    """A record as it lies in the topic."""

    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def create_topic(bootstrap: str, name: str = "", partitions: int = PARTITIONS, config: dict[str, str] | None = None) -> str:
    """A topic, by default a new one with a name of its own; returns its name."""
    name = name or f"test-{next(_numbers)}"
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        with suppress(TopicAlreadyExistsError):
            admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config or {})])
    finally:
        admin.close()
    return name


def read_topic(bootstrap: str, topic: str) -> list[Record]:
    """Every record of the topic up to its present end."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, group_id=None)
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        found: list[Record] = []
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for records in consumer.poll(timeout_ms=200).values():
                found += [Record(r.partition, r.key, r.value, list(r.headers)) for r in records]
        return found
    finally:
        consumer.close()
