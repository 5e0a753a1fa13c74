"""`contactmeter backup` and `restore`: a copy of what ClickHouse holds, and the way back to it, with Kafka for what came after."""

import time
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer
from kafka import KafkaAdminClient

from pipeline.cli import endpoints
from pipeline.cli.actor import actor
from pipeline.cli.worker import set_up_tables
from pipeline.rewind import await_empty, commit, committed, limits, plan
from pipeline.settings import Settings
from pipeline.store import audit
from pipeline.store import backup as backups
from pipeline.topics import connected
from schemas.topics import CONTACT_EVENTS


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    app.command()(backup)
    app.command()(restore)


def backup(
    name: Annotated[str | None, typer.Argument(help="What to call it: letters, digits, - and _.")] = None,
    base: Annotated[str | None, typer.Option(help="An earlier backup: copy only what is new since. It must be kept.")] = None,
    show: Annotated[bool, typer.Option("--list", help="Say which backups were made.")] = False,
) -> None:
    """Copy tables and views to ClickHouse's disk for backups, while workers go on. Copy that disk elsewhere."""
    with endpoints.command("backup") as found:
        if show:
            _list(found)
        elif name is None:
            raise typer.BadParameter("give the backup a name, or ask for --list")
        else:
            _make(found, backups.check_name(name), base or "")


def _list(found: Settings) -> None:
    with closing(endpoints.connection(found).open()) as client:
        for one in backups.listed(client):
            state = "never finished" if not one.finished_at else f"{one.size:,} bytes" if one.size else "restored"
            beside = f", adds to {one.base}" if one.base else ""
            typer.echo(f"{one.name:<24} {one.started_at.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M:%S}  {state}{beside}")


def _make(found: Settings, name: str, base: str) -> None:
    with closing(endpoints.connection(found).open()) as client:
        finished = {one.name for one in backups.listed(client) if one.finished_at}
        if name in finished:
            raise backups.BackupFailed(f"there is a backup {name} already; choose another name")
        if base and base not in finished:
            raise backups.BackupFailed(f"there is no finished backup {base} to add to; `contactmeter backup --list` names those there are")
        with connected(found.kafka, found.kafka_security) as admin:
            offsets = committed(admin, found.group, CONTACT_EVENTS)  # first: what is committed by now will be in the copy
        begun = backups.Backup(name, datetime.now(UTC), None, base, found.group, CONTACT_EVENTS, offsets, 0)
        size = backups.make(client, found.backup_disk, begun, lambda: time.time_ns() // 1_000_000)
    typer.echo(f"backup {name} is made: {size:,} bytes on ClickHouse's disk {found.backup_disk}")


def restore(
    name: Annotated[str, typer.Argument(help="The backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Also when contacts are stored: they are replaced.")] = False,
) -> None:
    """Put a backup in place, and set the workers' group back to where it was, so that they catch up from Kafka. Stop all workers first."""
    with endpoints.command("restore") as found:
        connection = endpoints.connection(found)
        with closing(connection.open(database="default")) as client:
            stored = backups.rows_stored(client)
        if stored and not replace:
            what = ", ".join(f"{count:,} rows of {table}" for table, count in stored.items())
            raise backups.BackupFailed(f"there is something stored already ({what}); --replace puts the backup in its place")
        with connected(found.kafka, found.kafka_security) as admin:
            await_empty(admin, found.group, lambda text: typer.echo(text, err=True))
            backups.restore(connection, found.backup_disk, backups.check_name(name), partial(_go_back, admin, found.group))
        set_up_tables(found)
        with closing(connection.open()) as client:
            audit.note(client, time.time_ns() // 1_000_000, "", actor(), "restore", f"backup {name}")
        typer.echo("start the workers")


def _go_back(admin: KafkaAdminClient, group: str, restored: backups.Backup) -> None:
    """Have the workers read again what came after the backup, before what was stored until now is dropped."""
    typer.echo(f"backup {restored.name} of {restored.started_at.replace(tzinfo=UTC).astimezone():%Y-%m-%d %H:%M:%S} is in place")
    targets, rewound = plan(restored.offsets, *limits(admin, CONTACT_EVENTS))
    commit(admin, group, CONTACT_EVENTS, targets)
    typer.echo(f"workers will read {rewound.records:,} records again")
    if rewound.lost:
        typer.echo(
            f"note: Kafka no longer holds {rewound.lost:,} records of after the backup: what they said is missing until their sources "
            "are read again",
            err=True,
        )
    if rewound.replaced:
        typer.echo(f"note: {rewound.replaced} partitions hold another log than when the backup was made: they are read whole", err=True)
