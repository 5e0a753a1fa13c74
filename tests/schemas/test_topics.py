"""The topics as declared: names, partitions and the settings that correctness rests on."""

from schemas.partitions import PARTITIONS
from schemas.topics import CONNECTOR_CURSORS, CONTACT_EVENTS, REJECTED_EVENTS, SIGNALS, Topic, topics

DAY_MS = 86_400_000


def test_names() -> None:
    assert list(topics()) == [CONTACT_EVENTS, REJECTED_EVENTS, SIGNALS, CONNECTOR_CURSORS]
    assert list(topics()) == ["contact-events", "rejected-events", "signals", "connector-cursors"]
    assert all(topic.name == name for name, topic in topics().items())


def test_partitions() -> None:
    assert {name: topic.partitions for name, topic in topics().items()} == {
        CONTACT_EVENTS: PARTITIONS,
        REJECTED_EVENTS: PARTITIONS,
        SIGNALS: PARTITIONS,
        CONNECTOR_CURSORS: 1,
    }


def test_contact_events() -> None:
    assert topics()[CONTACT_EVENTS].config == {
        "cleanup.policy": "delete",
        "retention.ms": str(30 * DAY_MS),
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(16 * 1024 * 1024),
    }


def test_rejected_events() -> None:
    config = topics()[REJECTED_EVENTS].config
    assert (config["cleanup.policy"], config["retention.ms"]) == ("delete", str(14 * DAY_MS))
    # 64 KB of the original as base64, the reason and the position must fit.
    assert int(config["max.message.bytes"]) >= 65_536 * 4 // 3 + 16_384


def test_last_states_are_compacted() -> None:
    assert topics()[SIGNALS].config["cleanup.policy"] == topics()[CONNECTOR_CURSORS].config["cleanup.policy"] == "compact"


def test_everything_is_described_and_settings_are_text() -> None:
    for topic in topics().values():
        assert isinstance(topic, Topic)
        assert topic.description
        assert topic.key
        assert topic.value
        assert topic.producers
        assert topic.consumers
        assert all(isinstance(value, str) for value in topic.config.values())
