"""The sender on a real broker: framing, partitions, lingering, back-pressure, refusals and outages."""

import gc
import logging
import socket
import threading
from collections import Counter
from collections.abc import Iterator

import orjson
import pytest

from connectors.identity import cloud_event, event_id
from connectors.kafka_client import Patience, Unreachable
from connectors.protocol import WireEvent
from connectors.sender import DeliveryFailed, Sender
from schemas import batch
from schemas.errors import ContactmeterError, InvalidEvent
from schemas.partitions import partition_of
from schemas.types import iso
from tests.connectors.topics import Record, create_topic, read_topic
from tests.engines import KafkaEngine, start_kafka
from tests.waiting import wait_until

# kafka-python leaves a socket to the garbage collector for every connection that is refused: collected here, within the filter.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    yield
    gc.collect()


SOURCE = "urn:nld:oin:00000000000000000000:systeem:test"
NOW = 1_767_225_600_000


def events(count: int, name: str = "c", note: str = "") -> list[WireEvent]:
    data = [
        {"contact": f"{name}{number}", "occurred_at": iso(NOW + number), "channel": "telephone", "team": note} for number in range(count)
    ]
    return [cloud_event("contact.opened", SOURCE, event_id(entry["contact"]), NOW, entry) for entry in data]


def closed_port() -> str:
    """An address where nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def ids(records: list[Record]) -> Counter[str]:
    return Counter(event["id"] for record in records for event in orjson.loads(record.value))


def test_records_are_batches_of_one_organisation_in_its_partition(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap)
    with Sender(kafka.bootstrap, topic=topic) as sender:
        sender.send("leiden", events(1_203))
        sender.send("katwijk", events(2, "k"))
        sender.flush()
        records = read_topic(kafka.bootstrap, topic)
    sizes: dict[str, list[int]] = {"leiden": [], "katwijk": []}
    for record in records:
        decoded = batch.decode(record.value, record.key, record.headers)
        assert decoded.errors == []
        assert record.partition == partition_of(decoded.organisation)
        sizes[decoded.organisation].append(len(decoded.events))
    assert sizes == {"leiden": [500, 500, 203], "katwijk": [2]}


def test_a_record_names_who_sends_it_and_a_refused_one_goes_again_as_it_was(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap)
    refused = b'[{"grade": NaN}]'
    with Sender(kafka.bootstrap, topic=topic, connector="pbx") as sender:
        sender.send("leiden", events(1))
        sender.flush()
        sender.repeat("katwijk", refused, "forms")
        sender.repeat("katwijk", refused, "")
    found = [(record.partition, record.value[:5], [value for name, value in record.headers if name == "connector"])
             for record in sorted(read_topic(kafka.bootstrap, topic), key=lambda record: record.key)]  # fmt: skip
    katwijk, leiden = partition_of("katwijk"), partition_of("leiden")
    assert found == [(katwijk, refused[:5], [b"forms"]), (katwijk, refused[:5], []), (leiden, b'[{"sp', [b"pbx"])]


def test_small_sends_share_a_record_and_large_events_split_it(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap)
    with Sender(kafka.bootstrap, topic=topic, linger=1.0) as sender:
        for event in events(40):
            sender.send("leiden", [event])
        sender.flush()
        large = [{**event, "dataref": "x" * 100_000} for event in events(25, "large")]
        for event in large:
            sender.send("leiden", [event])
    records = read_topic(kafka.bootstrap, topic)
    assert [len(orjson.loads(record.value)) for record in records] == [40, 9, 9, 7]
    assert all(len(record.value) <= batch.MAX_BYTES for record in records)
    assert ids(records) == Counter(event["id"] for event in [*events(40), *large])


def test_a_lone_event_goes_out_by_itself(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap)
    with Sender(kafka.bootstrap, topic=topic, linger=0.05) as sender:
        sender.send("leiden", events(1))
        wait_until(lambda: len(read_topic(kafka.bootstrap, topic)) == 1)


def test_threads_share_a_sender_and_little_may_be_in_flight(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap)
    with Sender(kafka.bootstrap, topic=topic, linger=0.0, max_in_flight=20_000) as sender:

        def send_all(name: str) -> None:
            for event in events(150, name):
                sender.send("leiden", [event])

        threads = [threading.Thread(target=send_all, args=(name,)) for name in ("a", "b", "c")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ids(read_topic(kafka.bootstrap, topic)) == Counter(event["id"] for name in "abc" for event in events(150, name))


def test_a_rate_spreads_the_load_over_small_records(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap)
    with Sender(kafka.bootstrap, topic=topic, rate=1_000) as sender:
        sender.send("leiden", events(350))
    assert [len(orjson.loads(record.value)) for record in read_topic(kafka.bootstrap, topic)] == [100, 100, 100, 50]


def test_an_event_too_large_is_refused_and_nothing_of_its_call_is_sent(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap)
    with Sender(kafka.bootstrap, topic=topic) as sender:
        with pytest.raises(InvalidEvent, match=r"event 1 at .*1,000,"):
            sender.send("leiden", [*events(1), {**events(1, "d")[0], "dataref": "x" * batch.MAX_BYTES}])
        sender.send("leiden", events(1, "e"))
    assert ids(read_topic(kafka.bootstrap, topic)) == Counter([event_id("e0")])


def test_a_refused_event_is_named_by_its_place_in_the_call(kafka: KafkaEngine) -> None:
    large = {**events(1, "d")[0], "dataref": "x" * batch.MAX_BYTES}
    with Sender(kafka.bootstrap, topic=create_topic(kafka.bootstrap), rate=100) as sender, pytest.raises(InvalidEvent, match="event 25 at"):
        sender.send("leiden", [*events(25), large])


def test_a_refusal_by_kafka_surfaces_with_the_remedy(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap, config={"max.message.bytes": "2000"})
    sender = Sender(kafka.bootstrap, topic=topic)
    sender.send("leiden", events(50))
    with pytest.raises(DeliveryFailed, match="setup"):
        sender.flush()
    with pytest.raises(DeliveryFailed):
        sender.send("leiden", events(1))
    with pytest.raises(DeliveryFailed):
        sender.close()


def test_a_topic_with_too_few_partitions_is_refused(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap, partitions=1)
    organisation = next(f"g{number}" for number in range(100) if partition_of(f"g{number}") > 0)
    sender = Sender(kafka.bootstrap, topic=topic)
    sender.send(organisation, events(1))
    with pytest.raises(DeliveryFailed, match="Unrecognized partition"):
        sender.flush()
    sender.close(drain=False)


def test_a_topic_made_later_is_waited_for(kafka: KafkaEngine) -> None:
    with Sender(kafka.bootstrap, topic="test-made-later") as sender:
        sender.send("leiden", events(3))
        assert create_topic(kafka.bootstrap, "test-made-later") == "test-made-later"
        sender.flush()
    assert len(ids(read_topic(kafka.bootstrap, "test-made-later"))) == 3


def test_kafka_killed_while_sending_loses_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = start_kafka(tmp_path_factory.mktemp("kafka-killed"))
    try:
        topic = create_topic(engine.bootstrap)
        with Sender(engine.bootstrap, topic=topic, linger=0.0) as sender:
            for event in events(200, "before"):
                sender.send("leiden", [event])
            engine.kill()
            for event in events(200, "away"):
                sender.send("leiden", [event])
            engine.start()
            sender.flush()
        sent = {event["id"] for name in ("before", "away") for event in events(200, name)}
        assert set(ids(read_topic(engine.bootstrap, topic))) == sent
    finally:
        engine.stop()


def test_what_failed_is_sent_again_by_a_new_producer(kafka: KafkaEngine) -> None:
    topic = create_topic(kafka.bootstrap)
    with Sender(kafka.bootstrap, topic=topic, linger=0.0) as sender:
        sender.send("leiden", events(1))
        sender.flush()
        for event in events(300):
            sender.send("leiden", [event])
        # What kafka-python does to a producer whose idempotent state the broker no longer accepts: everything it holds fails.
        sender._producer._sender.force_close()
        sender.send("leiden", events(1, "later"))
        sender.flush()
    assert set(ids(read_topic(kafka.bootstrap, topic))) == {event["id"] for event in [*events(300), *events(1, "later")]}


def test_an_unreachable_broker_at_the_start() -> None:
    with pytest.raises(Unreachable, match="does not answer; check that it runs"):
        Sender(closed_port(), give_up_after=0.5)


def test_impossible_settings_and_use_after_close(kafka: KafkaEngine) -> None:
    with pytest.raises(ValueError, match="linger"):
        Sender(kafka.bootstrap, linger=2)
    with pytest.raises(ValueError, match="rate"):
        Sender(kafka.bootstrap, rate=0)
    sender = Sender(kafka.bootstrap)
    sender.close()
    sender.close()
    with pytest.raises(ContactmeterError, match="closed"):
        sender.send("leiden", events(1))


def test_an_outage_is_said_once_then_rarely(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    patience = Patience("Kafka at here", clock=lambda: now)
    with caplog.at_level(logging.WARNING):
        for second in range(100):
            now = float(second)
            patience.waiting()
        patience.moving()
        patience.moving()
    assert [record.getMessage() for record in caplog.records] == [
        "Kafka at here: no answer for 5 s; waiting, nothing is lost",
        "Kafka at here: no answer for 65 s; waiting, nothing is lost",
        "Kafka at here: answers again",
    ]
