"""Where Kafka, ClickHouse and the worker are: from the environment, else from the stack that runs here."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from deploy.local import stack
from deploy.local.network import LOOPBACK
from pipeline import logs
from pipeline.kafka_probe import raise_if_hopeless
from pipeline.settings import Settings, from_environment
from pipeline.store.client import Connection
from schemas.errors import ContactmeterError


def settings() -> Settings:
    """The settings of a command. Environment variables win over the running stack. Raises InvalidConfiguration."""
    running = stack.read_stack(stack.layout()) or {}
    return from_environment({**running.get("environment", {}), **{name: value for name, value in os.environ.items() if value}})


def board_url(port: int | str) -> str:
    """Where the local board answers."""
    return f"http://{LOOPBACK}:{port}"


@contextmanager
def command(name: str) -> Iterator[Settings]:
    """The settings of a command that logs, and its log set up. An error that a person can mend is told, and ends it with code 2."""
    try:
        found = settings()
        logs.configure(found.log)
        yield found
    except ContactmeterError as error:
        typer.echo(f"contactmeter {name}: {error}", err=True)
        raise typer.Exit(2) from None


def kafka_security(bootstrap: str) -> dict[str, Any]:
    """What a connector's clients take as `security`. Raises InvalidConfiguration when a broker is there and does not take it."""
    security = settings().kafka_security
    raise_if_hopeless(bootstrap, security)
    return security.options()


def connection(found: Settings) -> Connection:
    """ClickHouse as the settings name it."""
    return Connection(
        found.clickhouse_host,
        found.clickhouse_port,
        found.clickhouse_user,
        found.clickhouse_password,
        found.clickhouse_tls if found.clickhouse_secure else None,
    )
