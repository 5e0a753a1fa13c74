"""Creating the topics of schemas/topics.yaml. Nothing else does: the broker creates none by itself."""

import logging
import time
from collections.abc import Callable

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.errors import InvalidConfiguration
from schemas.topics import topics

log = logging.getLogger(__name__)


def connect(bootstrap: str, sleep: Callable[[float], None] = time.sleep) -> KafkaAdminClient:
    """An admin client, waiting (and saying so) until a broker answers."""
    said = False
    while True:
        try:
            return KafkaAdminClient(bootstrap_servers=bootstrap.split(","), bootstrap_timeout_ms=5_000)
        except (KafkaError, OSError) as error:
            if not said:
                log.warning("Kafka at %s does not answer (%s); waiting", bootstrap, error)
                said = True
            sleep(1.0)


def ensure_topics(bootstrap: str, replication: int) -> list[str]:
    """Create what is missing; the names of what was created. Safe to run twice, and by several at once.

    Raises InvalidConfiguration when a topic exists with another number of partitions: producers compute the partition themselves.
    """
    admin = connect(bootstrap)
    try:
        existing = set(admin.list_topics())
        created = []
        for topic in topics().values():
            if topic.name in existing:
                found = len(admin.describe_topics([topic.name])[0]["partitions"])
                if found != topic.partitions:
                    raise InvalidConfiguration(
                        f"topic {topic.name} has {found} partitions; it must have {topic.partitions}, and that number never changes: "
                        "remove the topic (its events are lost) or point CONTACTMETER_KAFKA at another cluster"
                    )
                continue
            try:
                admin.create_topics([NewTopic(topic.name, topic.partitions, replication, topic_configs=topic.config)])
            except TopicAlreadyExistsError:
                continue
            created.append(topic.name)
        return created
    finally:
        admin.close()
