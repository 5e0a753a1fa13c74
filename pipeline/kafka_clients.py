"""Making a kafka-python client, so that a failed attempt leaves nothing behind."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient

Client = TypeVar("Client")

BOOTSTRAP_MS = 5_000


def made(kind: Callable[..., Client], bootstrap: str, security: Mapping[str, Any]) -> Client:
    """`kind` (KafkaAdminClient, KafkaConsumer) connected to a broker, or its KafkaError.

    kafka-python 3.0 forgets the thread and four descriptors of a client that could not connect: a process that waits for Kafka and
    tries again would run out of them within minutes. So they are closed here.
    """
    networks: list[Any] = []

    def network(**settings: Any) -> Any:
        networks.append(KafkaNetClient(**settings))
        return networks[-1]

    try:
        return kind(bootstrap_servers=bootstrap.split(","), bootstrap_timeout_ms=BOOTSTRAP_MS, kafka_client=network, **security)
    except BaseException:
        for forgotten in networks:
            forgotten.close()
            forgotten._manager._net.close()
        raise
