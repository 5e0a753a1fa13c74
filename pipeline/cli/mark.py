"""`contactmeter mark`: say what figures must carry: an outage, a campaign, a change of questionnaire or organisation."""

import json
import secrets
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from typing import Annotated, Any, get_args, get_type_hints

import typer

from pipeline.cli import endpoints
from pipeline.cli.satisfaction_words import WORDS, marker_text
from pipeline.cli.speaking import in_force, moment, say
from pipeline.settings import Settings
from pipeline.store.client import VIEWS
from pipeline.store.markers import Marker, markers
from schemas.errors import InvalidConfiguration
from schemas.events import MarkerSetData
from schemas.organisation import Organisation
from schemas.types import Channel, iso

KINDS: tuple[str, ...] = get_args(get_type_hints(MarkerSetData)["kind"])


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(mark)


def mark(
    organisation: Annotated[str, typer.Argument(help="Its slug.")],
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.", show_default=False)] = "",
    begins: Annotated[str, typer.Option("--from", help="When it begins, in local time: 2026-03-02T09:00, or a day. Default: now.")] = "",
    ends: Annotated[str, typer.Option("--to", help="When it ends. Without it it has no end yet: mark it again with the same --id.")] = "",
    channel: Annotated[list[str] | None, typer.Option(help="Only this channel (can be given more than once). Default: all.")] = None,
    note: Annotated[str, typer.Option(help="What it is, as boards show it. Nothing personal.")] = "",
    marker: Annotated[str, typer.Option("--id", help="Its id, to change a marker that stands. Default: a new one.")] = "",
    cancel: Annotated[str, typer.Option(help="Cancel the marker with this id: it was a mistake, figures no longer carry it.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Show the markers that stand.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: for programs.")] = False,
) -> None:
    """Mark a period that figures must carry. Nothing is left out of a figure for it: it says what to keep in mind."""
    with endpoints.command("mark") as found, closing(endpoints.connection(found).open()) as client:
        configured = in_force(client, organisation)
        if sum((bool(kind), bool(cancel), listed)) != 1:
            raise InvalidConfiguration("say one of: a KIND to set a marker, --cancel ID, or --list")
        if listed:
            _show(found, configured, as_json)
            return
        now = time.time_ns() // 1_000_000
        if cancel:
            _known(found, organisation, cancel)
            event, name = ("marker.cancelled", {"marker": cancel, "occurred_at": iso(now)}), cancel
        else:
            name = marker or f"{kind.replace('_', '-')}-{iso(now)[:10]}-{secrets.token_hex(2)}"
            event = ("marker.set", data_of(configured, kind, name, begins, ends, channel or (), note, now))
        say(found, client, configured, event[0], name, event[1], now)
        typer.echo(f"{'cancelled' if cancel else 'marked'}: {name}; figures carry it within seconds")


def data_of(
    organisation: Organisation, kind: str, name: str, begins: str, ends: str, channels: Iterable[str], note: str, now_ms: int
) -> dict[str, Any]:
    """The data of `marker.set`; local times are of the organisation's zone. Raises InvalidConfiguration for what can't be meant."""
    if kind not in KINDS:
        raise InvalidConfiguration(f"{kind!r} is no kind of marker; write one of {', '.join(KINDS)}")
    start = moment(organisation, "--from", begins) if begins else now_ms
    data: dict[str, Any] = {"marker": name, "kind": kind, "occurred_at": iso(now_ms), "from": iso(start)}
    if ends:
        end = moment(organisation, "--to", ends)
        if end <= start:
            raise InvalidConfiguration(f"--to {ends} does not lie after its beginning")
        data["to"] = iso(end)
    for channel in channels:
        if channel not in organisation.channels:
            known = ", ".join(organisation.channels)
            word = "is no channel" if channel not in get_args(Channel) else f"is no channel of {organisation.organisation}"
            raise InvalidConfiguration(f"--channel {channel!r} {word}; it has {known}")
    return data | ({"channels": sorted(set(channels))} if channels else {}) | ({"note": note} if note else {})


def _markers(found: Settings, organisation: str) -> list[Marker]:
    with closing(endpoints.connection(found).open(VIEWS)) as views:
        return markers(views, organisation)


def _known(found: Settings, organisation: str, name: str) -> None:
    known = [one.marker for one in _markers(found, organisation)]
    if name not in known:
        raise InvalidConfiguration(f"no marker {name!r} stands" + (f"; there are {', '.join(known)}" if known else ""))


def _show(found: Settings, organisation: Organisation, as_json: bool) -> None:
    markers = _markers(found, organisation.organisation)
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in markers], indent=1, default=datetime.isoformat, ensure_ascii=False))
        return
    for one in markers:
        typer.echo(marker_text(one, {"zone": organisation.zone}, WORDS["en"]))
    if not markers:
        typer.echo("No marker stands.")
