"""`contactmeter person key` and `person hash`: the keys of person hashes, and somebody's hashes for a request for erasure."""

from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from connectors.person import add_key, load_keys
from schemas.errors import ContactmeterError
from schemas.types import iso


class PersonKind(StrEnum):
    """What a person is known by."""

    phone = "phone"
    email = "email"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    commands = typer.Typer(no_args_is_help=True, help="Keyed hashes of persons, made where their numbers and addresses are read.")
    commands.command("key")(key)
    commands.command("hash")(hashes)
    app.add_typer(commands, name="person")


def key(
    file: Annotated[Path, typer.Argument(help="The key file; set CONTACTMETER_PERSON_KEY_FILE to it.", show_default=False)],
    valid_from: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The day (UTC) from which the key holds. Default: today.")
    ] = None,
) -> None:
    """Make a key file, or add the key of a new period to it.

    Only its owner may read the file. The first key also holds for what happened before its day. After a new key begins, a person who
    comes back is not recognised: repeat contacts across it are not seen.
    """
    day: date = (valid_from or datetime.now(UTC)).date()
    try:
        made = add_key(file, day)
    except ContactmeterError as error:
        typer.echo(f"contactmeter person key: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{file}: {'made, with' if made else 'added'} a key that holds from {day}; keep a copy in a safe place")


def hashes(
    organisation: Annotated[str, typer.Argument(help="The organisation's id (slug).", show_default=False)],
    kind: Annotated[PersonKind, typer.Option(help="What the person is known by.")] = PersonKind.phone,
    file: Annotated[
        Path | None, typer.Option("--keys", envvar="CONTACTMETER_PERSON_KEY_FILE", help="The key file.", show_default=False)
    ] = None,
) -> None:
    """Say the hashes of a person, one a period: what `contactmeter forget` needs for a request for erasure.

    The number or address is asked for (or read from standard input), so that it stands in no command history.
    """
    try:
        keys = load_keys(_named(file))
    except ContactmeterError as error:
        typer.echo(f"contactmeter person hash: {error}", err=True)
        raise typer.Exit(2) from None
    known_as: str = typer.prompt("phone number" if kind is PersonKind.phone else "e-mail address", err=True)
    found = keys.hashes(organisation, kind.value, known_as)
    if not found:
        typer.echo("contactmeter person hash: this is no phone number or e-mail address; check --kind and what you typed", err=True)
        raise typer.Exit(2)
    for start, digest in found:
        typer.echo(f"{digest}  from {iso(start)[:10]}")


def _named(file: Path | None) -> Path:
    if file is None:
        raise ContactmeterError("name the key file by --keys, or set CONTACTMETER_PERSON_KEY_FILE")
    return file
