"""`contactmeter forget`: erase a contact, or all contacts of a person, on request."""

import time
from contextlib import closing
from typing import Annotated

import typer

from connectors.identity import cloud_event, event_id
from connectors.sender import Sender
from pipeline.cli import endpoints
from pipeline.cli.actor import actor
from pipeline.cli.speaking import stored_in_force
from pipeline.settings import Settings
from pipeline.store import audit, persons
from pipeline.store.client import Client
from schemas.errors import InvalidConfiguration
from schemas.organisation import Organisation
from schemas.types import iso

KAFKA_PATIENCE_S = 10.0


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(forget)


def forget(
    organisation: Annotated[str, typer.Argument(help="Its slug.")],
    contact: Annotated[list[str] | None, typer.Option(help="A contact, as SYSTEM/ID (can be given more than once).")] = None,
    person: Annotated[
        list[str] | None, typer.Option(help="A person's keyed hash, as `contactmeter person hash` says it (can be given more than once).")
    ] = None,
    because: Annotated[str, typer.Option(help="Why, for the trail: a reference to the request, nothing personal.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option(help="Stay until it is gone from every table.")] = True,
) -> None:
    """Erase contacts with the answers that name them: they leave every figure, and nothing that comes later brings them back.

    Records of the log, refused events and backups go by their own retention (docs/PRIVACY.md).
    """
    with endpoints.command("forget") as found, closing(endpoints.connection(found).open()) as client:
        if not contact and not person:
            raise InvalidConfiguration("say whom to forget: --contact SYSTEM/ID or --person HASH")
        stored = stored_in_force(client, organisation)
        named = [*map(_parse, contact or ()), *persons.contacts(client, organisation, person or ())]
        unknown = persons.unknown(client, organisation, named)
        for name in sorted(unknown):
            typer.echo(f"{'/'.join(name)} is not stored here: check its id", err=True)
        keys = persons.with_links(client, organisation, [name for name in named if name not in unknown])
        if not keys:
            typer.echo("No such contact is stored: there is nothing to forget.")
            raise typer.Exit(1)
        shown = ", ".join("/".join(key) for key in keys[:20])
        typer.echo(f"To be forgotten, with the answers that name them: {shown} ({len(keys)} in all)")
        if not yes:
            typer.confirm("This can't be undone. Go on?", abort=True)
        _send(found, stored.organisation, keys)
        what = f"{len(keys)} contacts" + (f"; {because}" if because else "")
        audit.note(client, _now_ms(), organisation, actor(), "forget", what)
        typer.echo("The workers forget them within seconds.")
        if wait:
            _wait(client, organisation, keys)


def _parse(text: str) -> tuple[str, str]:
    system, slash, contact = text.partition("/")
    if not slash or not system or not contact:
        raise InvalidConfiguration(f"{text!r} names no contact; write SYSTEM/ID, such as telefooncentrale/1795301857.0")
    return system, contact


def _send(found: Settings, organisation: Organisation, keys: list[tuple[str, str]]) -> None:
    """In the name of each contact's own system: only that may speak of it."""
    now = _now_ms()
    events = []
    for system, contact in keys:
        if system not in organisation.systems:
            raise InvalidConfiguration(f"{system!r} is not one of the systems of {organisation.organisation}")
        source = organisation.systems[system].sources[0]
        data = {"contact": contact, "occurred_at": iso(now)}
        events.append(cloud_event("contact.forgotten", source, event_id("forgotten", system, contact), now, data))
    options = {"give_up_after": KAFKA_PATIENCE_S, "security": found.kafka_security.options(), "connector": "forget"}
    with Sender(found.kafka, **options) as sender:  # type: ignore[arg-type]
        sender.send(organisation.organisation, events)


def _wait(client: Client, organisation: str, keys: list[tuple[str, str]]) -> None:
    while not persons.erased(client, organisation, keys):
        time.sleep(0.5)
    typer.echo("They are gone from every table. What the log, refused events and backups hold goes by its own retention.")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
