"""How long everything is kept, as `setup` sets it and `doctor` shows it: topics and tables against the settings."""

from collections.abc import Callable, Iterator, Sequence

import typer
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from pipeline import topics
from pipeline.cli import endpoints
from pipeline.retention import Kept
from pipeline.settings import Settings
from pipeline.store import retention
from schemas.errors import ContactmeterError
from schemas.kafka_clients import made


def change(found: Sequence[Kept], keep: Callable[[Kept], None], delete_expired: bool) -> None:
    """Change what differs from the settings, and say so; what would delete something now only when that is asked for."""
    for kept in found:
        if not kept.differs:
            continue
        if kept.deletes and not delete_expired:
            typer.echo(
                f"{kept}: left as it is, for that would delete {kept.deletes} now; `contactmeter setup --delete-expired` does it", err=True
            )
            continue
        keep(kept)
        typer.echo(f"{kept.what}: kept {kept.wanted} from now on (was {kept.now})")


def everything(found: Settings) -> list[Kept]:
    """Topics and tables, those that can be asked: nothing here waits for an engine that is away."""
    return [*_topics(found), *_tables(found)]


def _topics(found: Settings) -> Iterator[Kept]:
    try:
        admin = made(KafkaAdminClient, found.kafka, found.kafka_security.options())
    except KafkaError:
        return
    try:
        yield from topics.kept(admin, found.retention)
    finally:
        admin.close()


def _tables(found: Settings) -> Iterator[Kept]:
    try:
        client = endpoints.connection(found).open()
    except ContactmeterError:
        return
    try:
        yield from retention.kept(client, found.retention)
    finally:
        client.close()
