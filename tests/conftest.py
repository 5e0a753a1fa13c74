"""The engines every test may ask for; one of each a session, so a test brings topics, organisations or databases of its own."""

from collections.abc import Iterator

import pytest

from tests.engines import ClickHouseEngine, KafkaEngine, start_clickhouse, start_kafka


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaEngine]:
    """A real Kafka broker. A test that kills it must restart it."""
    engine = start_kafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseEngine]:
    """A real ClickHouse server. A test that kills it must restart it."""
    engine = start_clickhouse(tmp_path_factory.mktemp("clickhouse"))
    try:
        yield engine
    finally:
        engine.stop()
