"""`contactmeter rejudge`: put a configuration in force that also judges the contacts that are stored already, openly."""

import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from pipeline.calendars import local_date
from pipeline.changes import Change, changes
from pipeline.cli import endpoints
from pipeline.cli.actor import actor
from pipeline.cli.speaking import stored_in_force
from pipeline.configured import Configured
from pipeline.rejudging import Preview, meant
from pipeline.settings import Settings
from pipeline.store import audit, configuration, state
from pipeline.store.client import Client
from pipeline.store.configuration import InForce
from schemas.errors import InvalidConfiguration
from schemas.organisation import Organisation, load_organisation

_PAGE = 5_000


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(rejudge)


def rejudge(
    organisation: Annotated[str, typer.Argument(help="Its slug.")],
    because: Annotated[str, typer.Option(help="Why, for the trail.")] = "",
    norm: Annotated[list[str] | None, typer.Option(help="Only this norm may differ (can be given more than once).")] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="No contact of before this day may be altered.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Judge all contacts again though the file says nothing else.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come out otherwise.")] = False,
    wait: Annotated[bool, typer.Option(help="Stay until the workers have judged all contacts.")] = True,
) -> None:
    """Take up a changed file that was refused because contacts are stored, and have them all judged by it while the stream runs.

    The generation of the configuration goes up by one, and the trail (table audit) says who did it, what changed and why.
    """
    with endpoints.command("rejudge") as found, closing(endpoints.connection(found).open()) as client:
        stored = stored_in_force(client, organisation)
        new, text = _file_of(found, organisation)
        differing = changes(stored.organisation, new, local_date(_now_ms(), ZoneInfo(new.zone)))
        meant(differing, norm or (), since.date() if since else None)
        if not differing and not again:
            typer.echo("The file judges as what is in force does: there is nothing to judge again (--again does it all the same).")
            return
        for change in differing:
            typer.echo(f"- {change.what}")
        _preview(client, Configured.of(new, stored.generation), organisation)
        if dry_run:
            return
        if not because:
            raise InvalidConfiguration("say why with --because; it stands in the trail beside your name")
        generation = _put_in_force(client, found, stored, new, text)
        audit.note(client, _now_ms(), organisation, actor(), "rejudge", _detail(differing, generation, because))
        typer.echo(f"Generation {generation} is in force; the workers take it up within seconds and judge every contact by it.")
        if wait:
            _wait(client, organisation, generation)


def _file_of(found: Settings, organisation: str) -> tuple[Organisation, str]:
    for path in sorted(found.organisations.glob("*.yaml")):
        try:
            loaded = load_organisation(path)
        except InvalidConfiguration:
            if path.stem == organisation:
                raise
            continue
        if loaded.organisation == organisation:
            return loaded, path.read_text(encoding="utf-8-sig")
    raise InvalidConfiguration(f"no file in {found.organisations} names organisation {organisation!r}")


def _preview(client: Client, new: Configured, organisation: str) -> None:
    preview, now = Preview(), _now_ms()
    for keys in state.pages(client, "contacts", organisation, _PAGE):
        preview.add(state.contacts(client, keys), new, now)
    typer.echo(f"{preview.contacts} contacts are stored; for {preview.altered} of them a verdict comes out otherwise now:")
    for (name, before, after), number in sorted(preview.verdicts.items()):
        typer.echo(f"  {name}: {before or 'not judged'} -> {after or 'not judged'}: {number}")


def _put_in_force(client: Client, found: Settings, stored: InForce, new: Organisation, text: str) -> int:
    return configuration.register_next(client, stored, new, text, found.boards, _now_ms())


def _detail(differing: Sequence[Change], generation: int, because: str) -> str:
    what = "; ".join(change.what for change in differing) or "nothing but all contacts judged again"
    return f"generation {generation}: {what}. Because: {because}"


def _wait(client: Client, organisation: str, generation: int) -> None:
    said = time.monotonic()
    while True:
        left = sum(state.count_older(client, table, organisation, generation) for table in ("contacts", "survey_answers"))
        if not left:
            typer.echo("All contacts and answers are judged by it.")
            return
        if time.monotonic() - said > 5:
            said = time.monotonic()
            typer.echo(f"{left} contacts and answers to go")
        time.sleep(0.5)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
