"""Where Kafka, ClickHouse and the worker are: from the environment, else from the stack that runs here."""

import os

from deploy.local import stack
from pipeline.settings import Settings, from_environment
from pipeline.store.client import Connection


def settings() -> Settings:
    """The settings of a command. Environment variables win over the running stack. Raises InvalidConfiguration."""
    running = stack.read_stack(stack.layout()) or {}
    return from_environment({**running.get("environment", {}), **{name: value for name, value in os.environ.items() if value}})


def connection(found: Settings) -> Connection:
    """ClickHouse as the settings name it."""
    return Connection(
        found.clickhouse_host, found.clickhouse_port, found.clickhouse_user, found.clickhouse_password, found.clickhouse_secure
    )
