"""Creating the topics of schemas/topics.yaml, and keeping their retention as set. Nothing else does: the broker creates none by itself."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from pipeline.kafka_probe import raise_if_hopeless
from pipeline.kafka_security import KafkaSecurity
from pipeline.retention import Kept, Period, Retention
from schemas.errors import InvalidConfiguration
from schemas.kafka_clients import made
from schemas.topics import CONTACT_EVENTS, REJECTED_EVENTS, Topic, topics

log = logging.getLogger(__name__)

KEPT = {CONTACT_EVENTS: "events", REJECTED_EVENTS: "rejected"}
"""Which period of Retention each topic follows; the others are compacted and keep the last record of every key."""
_RETENTION = "retention.ms"


def connect(bootstrap: str, security: KafkaSecurity, sleep: Callable[[float], None] = time.sleep) -> KafkaAdminClient:
    """An admin client, waiting (and saying so) until a broker answers.

    Raises InvalidConfiguration when one does, but refuses this client or its TLS: no waiting mends that.
    """
    said = False
    while True:
        try:
            return made(KafkaAdminClient, bootstrap, security.options())
        except (KafkaError, OSError) as error:
            raise_if_hopeless(bootstrap, security, error)
            if not said:
                log.warning("Kafka at %s does not answer (%s); waiting", bootstrap, error)
                said = True
            sleep(1.0)


@contextmanager
def connected(bootstrap: str, security: KafkaSecurity) -> Iterator[KafkaAdminClient]:
    """An admin client as of `connect`, closed afterwards."""
    admin = connect(bootstrap, security)
    try:
        yield admin
    finally:
        admin.close()


def ensure_topics(admin: KafkaAdminClient, replication: int, retention: Retention) -> list[str]:
    """Create what is missing; the names of what was created. Safe to run twice, and by several at once.

    Raises InvalidConfiguration when a topic exists with another number of partitions: producers compute the partition themselves.
    """
    existing = set(admin.list_topics())
    created = []
    for topic in topics().values():
        if topic.name in existing:
            check_partitions(admin, topic.name)
            continue
        try:
            admin.create_topics([NewTopic(topic.name, topic.partitions, replication, topic_configs=_config(topic, retention))])
        except TopicAlreadyExistsError:
            continue
        created.append(topic.name)
    return created


def check_partitions(admin: KafkaAdminClient, name: str) -> None:
    """Raises InvalidConfiguration when a topic that is there does not have the partitions it must have. Raises KafkaError."""
    found, wanted = len(admin.describe_topics([name])[0]["partitions"]), topics()[name].partitions
    if found != wanted:
        raise InvalidConfiguration(
            f"topic {name} has {found} partitions; it must have {wanted}, and that number never changes: "
            "remove the topic (its events are lost) or point CONTACTMETER_KAFKA at another cluster"
        )


def _config(topic: Topic, retention: Retention) -> dict[str, str]:
    if topic.name not in KEPT:
        return topic.config
    return {**topic.config, _RETENTION: _period(topic.name, retention).retention_ms}


def _period(topic: str, retention: Retention) -> Period:
    found: Period = getattr(retention, KEPT[topic])
    return found


def kept(admin: KafkaAdminClient, retention: Retention) -> list[Kept]:
    """How long the topics of KEPT keep their records, beside what the settings say. Topics that are not there are left out."""
    names = sorted(set(admin.list_topics()) & KEPT.keys())
    described = admin.describe_configs([_resource(name, None) for name in names], config_filter="all")["topic"] if names else {}
    found = []
    for name in names:
        now, wanted = Period.of_ms(int(described[name][_RETENTION]["value"])), _period(name, retention)
        differs = described[name][_RETENTION]["value"] != wanted.retention_ms
        deletes = f"records older than {wanted}" if wanted.days < now.days else ""
        found.append(Kept(f"topic {name}", KEPT[name], str(now), wanted, differs, deletes if differs else ""))
    return found


def keep(admin: KafkaAdminClient, changed: Kept) -> None:
    """Set a topic's retention as the settings say. Raises InvalidConfiguration when Kafka refuses."""
    name = changed.what.removeprefix("topic ")
    (answer,) = admin.alter_configs([_resource(name, changed.wanted.retention_ms)])["topic"].values()
    if answer != "OK":
        raise InvalidConfiguration(
            f"Kafka does not change the retention of {name}: {answer}; this user needs the right to alter its configuration"
        )


def _resource(topic: str, retention_ms: str | None) -> ConfigResource:
    return ConfigResource(ConfigResourceType.TOPIC, topic, {_RETENTION: retention_ms})
