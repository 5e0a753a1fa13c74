"""`contactmeter readers`: which ClickHouse users may read which organisations, and the files that give each its own boards."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from deploy import readers as deployed
from deploy.local.process import write_atomically
from pipeline.cli import endpoints
from pipeline.cli.actor import actor
from pipeline.cli.stack import fail
from pipeline.settings import Settings
from pipeline.store import audit, configuration
from pipeline.store import readers as stored
from pipeline.store.client import Client
from schemas import yamlfile
from schemas.errors import ContactmeterError, InvalidConfiguration

User = Annotated[str, typer.Argument(help="A user of ClickHouse.", show_default=False)]
Because = Annotated[str, typer.Option(help="Why, for the trail.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    group = typer.Typer(no_args_is_help=True)
    group.command("list")(list_readers)
    group.command()(grant)
    group.command()(revoke)
    group.command()(files)
    app.add_typer(group, name="readers", help="Which users of ClickHouse (boards, reports) may read which organisations.")


@contextmanager
def _opened() -> Iterator[tuple[Settings, Client]]:
    """Settings and a client; what a person can mend is told and ends the command with code 2, another error with code 1."""
    try:
        found = endpoints.settings()
        with closing(endpoints.connection(found).open()) as client:
            yield found, client
    except InvalidConfiguration as error:
        fail(f"contactmeter readers: {error}", 2)
    except ContactmeterError as error:
        fail(f"contactmeter readers: {error}")


def list_readers(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Name the users that may read something, and what."""
    with _opened() as (found, client):
        known, logins = stored.readers(client), stored.logins(client)
    if as_json:
        typer.echo(json.dumps(known, indent=1))
        return
    for user, organisations in known.items():
        notes = [
            *(["the program itself"] if user == found.clickhouse_user else []),
            *(["by CONTACTMETER_BOARD_USERS: every organisation"] if user in found.boards else []),
            *([] if user in logins else ["ClickHouse has no such user"]),
        ]
        typer.echo(f"{user}: {', '.join(organisations)}" + (f"  ({'; '.join(notes)})" if notes else ""))
    if not known:
        typer.echo("Nobody reads anything yet.")


def grant(
    user: User,
    organisation: Annotated[list[str], typer.Option(help="An organisation that it may read (can be given more than once).")],
    because: Because = "",
) -> None:
    """Let a user read organisations, beside those that it may read already. It holds at once."""
    with _opened() as (_, client):
        known = configuration.in_force(client)
        for name in organisation:
            if name not in known:
                raise InvalidConfiguration(f"there is no organisation {name!r}; known: {', '.join(known) or 'none'}")
        now_ms = time.time_ns() // 1_000_000
        stored.grant(client, user, organisation, now_ms)
        _note(client, now_ms, "reader_granted", user, organisation, because)
        there = user in stored.logins(client)
        reads = stored.readers(client)[user]
    typer.echo(f"{user} reads {', '.join(reads)}")
    if not there:
        typer.echo(f"ClickHouse has no user {user} yet: give it one with the rights of `board` (`contactmeter readers files` writes it).")


def revoke(
    user: User,
    organisation: Annotated[
        list[str] | None, typer.Option(help="Only this organisation (can be given more than once). Default: all.")
    ] = None,
    because: Because = "",
) -> None:
    """Let a user read organisations no more. It holds at once."""
    with _opened() as (found, client):
        if user == found.clickhouse_user:
            raise InvalidConfiguration(f"{user} is the program's own user: without it no command could read anything")
        if user in found.boards:
            raise InvalidConfiguration(
                f"{user} stands in CONTACTMETER_BOARD_USERS, by which every organisation is granted to it again and again: take it out of "
                "there first (of the workers too, and restart them), then revoke it"
            )
        reads = stored.readers(client).get(user, [])
        gone = [name for name in (organisation or reads) if name in reads]
        for name in organisation or ():
            if name not in reads:
                raise InvalidConfiguration(f"{user} does not read {name!r}; it reads {', '.join(reads) or 'nothing'}")
        if gone:
            now_ms = time.time_ns() // 1_000_000
            stored.revoke(client, user, gone, now_ms)
            _note(client, now_ms, "reader_revoked", user, gone, because)
        left = [name for name in reads if name not in gone]
    typer.echo(f"{user} reads {', '.join(left) or 'nothing'}")


def _note(client: Client, now_ms: int, action: str, user: str, organisations: list[str], because: str) -> None:
    for name in organisations:
        audit.note(client, now_ms, name, actor(), action, f"{user}; {because}" if because else user)


def files(
    source: Annotated[Path, typer.Argument(metavar="FILE", help='Who reads what: docs/OPERATIONS.md, "Boards and who may see them".')],
    to: Annotated[Path, typer.Option(help="Directory to write to, beside docker-compose.yml.")] = Path("deploy/compose/readers"),
) -> None:
    """Write what docker-compose.yml needs for municipalities that see their own boards only. No file holds a password."""
    root = Path.cwd()
    try:
        readers = yamlfile.load(source, deployed.Readers).readers
        place = os.path.relpath(to.resolve(), root)
        written = deployed.files(root, readers, place if place.startswith("..") else f"./{place}")
    except ContactmeterError as error:
        fail(f"contactmeter readers: {error}", 2)
    for name, text in written.items():
        write_atomically(to / name, text)
    for old in (path for kind in ("boards", "alerting") for path in (to / kind).rglob("*") if path.is_file()):
        if old.relative_to(to).as_posix() not in written:
            old.unlink()
    typer.echo(f"{len(written)} files written to {to}. In .env:")
    typer.echo(f"  COMPOSE_FILE={deployed.COMPOSE}:{place}/compose.yml")
    for user in readers:
        typer.echo(f"  {deployed.password_variable(user)}=   # openssl rand -hex 24")
    typer.echo("Then, once ClickHouse has started again:")
    for user, reader in readers.items():
        typer.echo(f"  contactmeter readers grant {user} " + " ".join(f"--organisation {name}" for name in reader.organisations))
