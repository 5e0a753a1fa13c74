"""Making a kafka-python client, so that a failed attempt leaves nothing behind."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient

Client = TypeVar("Client")

BOOTSTRAP_MS = 5_000


def made(kind: Callable[..., Client], bootstrap: str, settings: Mapping[str, Any]) -> Client:
    """`kind` (KafkaAdminClient, KafkaConsumer, KafkaProducer) connected to a broker, or its KafkaError.

    `settings` are kafka-python's own; a `bootstrap_timeout_ms` among them replaces BOOTSTRAP_MS.

    kafka-python 3.0 forgets the thread and four descriptors of a client that could not connect: a process that waits for Kafka and
    tries again would run out of them within minutes. So they are closed here.
    """
    networks: list[Any] = []

    def network(**configured: Any) -> Any:
        networks.append(KafkaNetClient(**configured))
        return networks[-1]

    try:
        return kind(**{"bootstrap_timeout_ms": BOOTSTRAP_MS, **settings}, bootstrap_servers=bootstrap.split(","), kafka_client=network)
    except BaseException:
        for forgotten in networks:
            forgotten.close()
            forgotten._manager._net.close()
        raise
