"""The embedded Kafka broker: limits, durability, its jars."""

import functools
import http.server
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import UnknownTopicOrPartitionError

from deploy.local import jars
from deploy.local.errors import JarError
from deploy.local.kafka import MAX_RECORD_BYTES, brokers
from tests.engines import KafkaEngine, start_kafka


def create(bootstrap: str, topic: str, **settings: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, 1, 1, topic_configs=settings)])
    admin.close()


def read(bootstrap: str, topic: str) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=20_000_000)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    end = consumer.end_offsets([partition])[partition]
    values: list[bytes] = []
    deadline = time.monotonic() + 30
    while len(values) < end and time.monotonic() < deadline:
        values += [record.value for records in consumer.poll(500).values() for record in records]
    consumer.close()
    return values


def test_takes_records_of_almost_16_megabytes(kafka: KafkaEngine) -> None:
    create(kafka.bootstrap, "large", **{"max.message.bytes": str(MAX_RECORD_BYTES)})
    value = os.urandom(MAX_RECORD_BYTES - 10_000)
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", max_request_size=MAX_RECORD_BYTES)
    producer.send("large", value, partition=0).get(30)
    producer.close()
    assert read(kafka.bootstrap, "large") == [value]


def test_topics_are_not_created_by_use(kafka: KafkaEngine) -> None:
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap)
    try:
        assert "never-made" not in consumer.topics()
        assert consumer.partitions_for_topic("never-made") in (None, set())
    except UnknownTopicOrPartitionError:
        pass
    finally:
        consumer.close()


def test_acknowledged_records_survive_kill_9(tmp_path: Path) -> None:
    engine = start_kafka(tmp_path)
    try:
        create(engine.bootstrap, "kept")
        producer = KafkaProducer(bootstrap_servers=engine.bootstrap, acks="all")
        sent = [str(number).encode() for number in range(1000)]
        futures = [producer.send("kept", value, partition=0) for value in sent]
        producer.flush(30)
        assert all(future.is_done for future in futures)
        producer.close()  # else it leaves a refused connection to the garbage collector
        engine.kill()
        assert brokers(int(engine.bootstrap.split(":")[1])) == 0
        engine.restart()
        assert read(engine.bootstrap, "kept") == sent
    finally:
        engine.stop()


@pytest.fixture
def cache(kafka: KafkaEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the session's jar cache that a test may damage."""
    copy = tmp_path / "cache" / "jars"
    shutil.copytree(jars.cache_directory(), copy)
    monkeypatch.setenv("CONTACTMETER_CACHE", str(tmp_path / "cache"))
    return copy


def test_an_altered_jar_is_not_started(cache: Path) -> None:
    victim = next(cache.glob("kafka-clients-*.jar"))
    with victim.open("r+b") as file:
        file.seek(1000)
        file.write(b"not what was committed")
    assert jars.altered(cache) == [victim]
    with pytest.raises(JarError, match=r"SHA-256.*kafka-clients-4\.1\.1\.jar.*Delete them"):
        jars.class_path(jars.cache_directory(), print)


COORDINATE = "org.jspecify:jspecify:1.0.0"


@pytest.fixture
def mirror(cache: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A Maven repository on loopback that holds the one jar the cache lacks: its URL, and the file it serves."""
    jar = jars.jar_path(cache, COORDINATE)
    served = tmp_path / "mirror" / "org" / "jspecify" / "jspecify" / "1.0.0" / jar.name
    served.parent.mkdir(parents=True)
    jar.rename(served)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "mirror"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", served
        server.shutdown()
        thread.join()


def test_what_is_missing_comes_from_the_mirror(cache: Path, mirror: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jars.REPOSITORY_VARIABLE, mirror[0] + "/")
    lines: list[str] = []
    assert jars.jar_path(cache, COORDINATE) in jars.class_path(cache, lines.append)
    assert lines[0].startswith("fetching 1 jar")
    assert lines[1:] == ["fetched 1 of 1 jars"]
    assert list(cache.glob(".fetch-*")) == []


def test_progress_is_told_four_times_only() -> None:
    lines: list[str] = []
    for number in range(1, 47):
        jars._progress(number, 46, lines.append)
    assert lines == [f"fetched {number} of 46 jars" for number in (12, 23, 35, 46)]


def test_a_mirror_in_jgos_configuration_comes_first(
    cache: Path, mirror: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jgo.conf").write_text(f"[repositories]\ncentral = {mirror[0]}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "jgo.conf"))
    assert len(jars.class_path(cache, lambda _: None)) == len(jars.manifest())


def test_a_mirror_that_alters_files_is_refused(cache: Path, mirror: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jars.REPOSITORY_VARIABLE, mirror[0])
    mirror[1].write_bytes(b"something else")
    with pytest.raises(JarError, match=rf"Could not fetch {COORDINATE}.*{mirror[0]}: the file's SHA-256 is not the one in jars\.yaml"):
        jars.class_path(cache, lambda _: None)
    assert jars.missing(cache) == [COORDINATE]


def test_a_repository_that_does_not_answer_is_named_with_what_to_do(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jars.jar_path(cache, COORDINATE).unlink()
    monkeypatch.setenv(jars.REPOSITORY_VARIABLE, "http://127.0.0.1:9/maven")
    expected = rf"{COORDINATE}.*http://127\.0\.0\.1:9/maven.*HTTPS_PROXY.*{jars.REPOSITORY_VARIABLE}.*{cache}"
    with pytest.raises(JarError, match=expected):
        jars.class_path(cache, lambda _: None)
    assert list(cache.glob(".fetch-*")) == []
