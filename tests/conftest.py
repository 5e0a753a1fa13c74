"""The engines every test may ask for; one of each a session, so a test brings topics, organisations or databases of its own."""

import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from tests.engines import ClickHouseEngine, KafkaEngine, start_clickhouse, start_kafka

settings.register_profile("patient", deadline=None)  # how long an example takes says what else the machine does
settings.load_profile("patient")


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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CONTACTMETER_NO_SKIP is set (CI), a skipped test has failed: something that it needs was not installed."""
    report = yield
    if report.skipped and os.environ.get("CONTACTMETER_NO_SKIP"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: {reason}; with CONTACTMETER_NO_SKIP set no test may be skipped"
    return report
