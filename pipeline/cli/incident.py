"""`contactmeter incident`: what drifts and who knows; take note of it, or silence it for a while."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from pipeline.cli import endpoints
from pipeline.cli.actor import actor
from pipeline.cli.measures import check
from pipeline.cli.speaking import in_force, moment, say
from pipeline.drift.incidents import LONGEST_SILENCE_MS, Incident
from pipeline.explain_words import shown_at
from pipeline.settings import Settings
from pipeline.store.client import Client
from pipeline.store.drift_incidents import incidents
from schemas.errors import InvalidConfiguration
from schemas.organisation import Organisation
from schemas.terms import duration_ms
from schemas.types import iso
from schemas.words import Language

Slug = Annotated[str, typer.Argument(help="Its slug.")]
Name = Annotated[str, typer.Argument(help="The id of an incident as `list` shows it, or its beginning.")]
Who = Annotated[str, typer.Option(help="Who says so: a user name. Default: who runs this.")]
Reason = Annotated[str, typer.Option(help="Why, as boards show it. Nothing personal.")]

WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "open": "open sinds {}",
        "closed": "voorbij sinds {}",
        "improvement": "verbetering",
        "recorded": "achteraf gevonden, niet gemeld",
        "asks": "wacht op iemand sinds {}",
        "escalated": "geëscaleerd op {}",
        "acknowledged": "gezien door {} op {}",
        "silenced": "stil tot {} door {}",
        "none": "Er loopt geen incident.",
    },
    "en": {
        "open": "open since {}",
        "closed": "over since {}",
        "improvement": "improvement",
        "recorded": "found afterwards, not announced",
        "asks": "waits for somebody since {}",
        "escalated": "escalated on {}",
        "acknowledged": "noted by {} on {}",
        "silenced": "silent until {} by {}",
        "none": "No incident is open.",
    },
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    group = typer.Typer(help=__doc__, no_args_is_help=True)
    group.command("list")(list_incidents)
    group.command()(acknowledge)
    group.command()(silence)
    app.add_typer(group, name="incident", help="What drifts and who knows of it: list it, take note of it, silence it.")


def list_incidents(
    organisation: Slug,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    lang: Annotated[str, typer.Option(help="nl or en.")] = "nl",
    as_json: Annotated[bool, typer.Option("--json", help="For programs; times in epoch ms.")] = False,
) -> None:
    """Show the incidents that are open, the newest first, with what to do about them."""
    with _incidents(organisation) as (_, _, configured, known):
        check(lang)
        shown = [one for one in reversed(known) if one.state == "open" or (everything and one.state == "closed")]
        if as_json:
            typer.echo(json.dumps([asdict(one) for one in shown], indent=1, ensure_ascii=False))
            return
        language: Language = "en" if lang == "en" else "nl"
        for one in shown:
            for line in lines_of(one, language, ZoneInfo(configured.zone)):
                typer.echo(line)
        if not shown:
            typer.echo(WORDS[language]["none"])


def acknowledge(organisation: Slug, incident: Name, who: Who = "", reason: Reason = "") -> None:
    """Take note of an incident: it waits for nobody any more. What is found more than a day later asks again."""
    with _incidents(organisation) as (found, client, configured, known):
        one, now = named(known, incident), _now_ms()
        say(found, client, configured, "incident.acknowledged", one.incident, data_of(one, who or actor(), reason, now), now)
        typer.echo(f"acknowledged: {one.incident}")


def silence(
    organisation: Slug,
    incident: Name,
    until: Annotated[str, typer.Option(help="When it may ask for somebody again, in local time: 2026-03-02T09:00, within 7 days.")] = "",
    lasting: Annotated[str, typer.Option("--for", help="So long from now: 90min, 2h, 3d.")] = "",
    who: Who = "",
    reason: Reason = "",
) -> None:
    """Silence an incident for a while, at most and by default 7 days. Silencing it again changes the end."""
    with _incidents(organisation) as (found, client, configured, known):
        one, now = named(known, incident), _now_ms()
        end = end_of(configured, until, lasting, now)
        say(found, client, configured, "incident.silenced", one.incident, data_of(one, who or actor(), reason, now, end), now)
        typer.echo(f"silenced: {one.incident} until {_minute(end, 'en', ZoneInfo(configured.zone))}")


@contextmanager
def _incidents(organisation: str) -> Iterator[tuple[Settings, Client, Organisation, list[Incident]]]:
    """What each command needs: settings, the store, the organisation in force, its incidents in order of opening."""
    with endpoints.command("incident") as found, closing(endpoints.connection(found).open()) as client:
        configured = in_force(client, organisation)
        yield found, client, configured, incidents(client, organisation)


def named(known: Sequence[Incident], name: str) -> Incident:
    """The open incident that is meant: by its id, that of one merged into it, or the beginning of either. Raises InvalidConfiguration."""
    by_id = {one.incident: one for one in known}
    meant = {by_id[one.merged_into or one.incident].incident for one in known if name and one.incident.startswith(name)}
    if len(meant) > 1:
        raise InvalidConfiguration(f"{name!r} stands for several incidents: {', '.join(sorted(meant))}; write more of it")
    if not meant:
        still = ", ".join(one.incident for one in known if one.state == "open")
        raise InvalidConfiguration(f"there is no incident {name!r}; " + (f"open are {still}" if still else "none is open"))
    one = by_id[meant.pop()]
    if one.closed_at is not None:
        raise InvalidConfiguration(f"incident {one.incident} is over since {iso(one.closed_at)}: nothing needs to be said of it")
    return one


def end_of(organisation: Organisation, until: str, lasting: str, now_ms: int) -> int:
    """When a silence ends, ms. Raises InvalidConfiguration for what is no moment, lies behind, or too far ahead."""
    if until and lasting:
        raise InvalidConfiguration("say one of --until and --for")
    longest = now_ms + LONGEST_SILENCE_MS
    try:
        end = now_ms + duration_ms(lasting) if lasting else moment(organisation, "--until", until) if until else longest
    except ValueError as error:
        raise InvalidConfiguration(f"--for {error}") from None
    said = f"--for {lasting}" if lasting else f"--until {until}"
    if end <= now_ms:
        raise InvalidConfiguration(f"{said} does not lie ahead")
    if end > longest:
        raise InvalidConfiguration(f"{said} is too long; nothing is silenced for more than 7 days: silence it again by then")
    return end


def data_of(incident: Incident, who: str, reason: str, now_ms: int, until: int | None = None) -> dict[str, Any]:
    """The data of `incident.acknowledged` and `incident.silenced`."""
    data = {"incident": incident.incident, "who": who, "occurred_at": iso(now_ms)}
    return data | ({"reason": reason} if reason else {}) | ({} if until is None else {"until": iso(until)})


def lines_of(incident: Incident, language: Language, zone: ZoneInfo) -> Iterator[str]:
    """One incident in words: its id and state, who knows, and what is to be known."""
    words = WORDS[language]

    def at(ms: int) -> str:
        return _minute(ms, language, zone)

    parts = [words["open"].format(at(incident.opened_at))]
    if incident.closed_at is not None:
        parts = [words["closed"].format(at(incident.closed_at))]
    if not incident.pages:
        parts.append(words["recorded" if incident.worse else "improvement"])
    if incident.asks_since is not None:
        parts.append(words["asks"].format(at(incident.asks_since)))
    if incident.escalated_at is not None:
        parts.append(words["escalated"].format(at(incident.escalated_at)))
    if incident.acknowledged_at is not None:
        parts.append(words["acknowledged"].format(incident.acknowledged_by, at(incident.acknowledged_at)))
    if incident.silenced_until is not None:
        parts.append(words["silenced"].format(at(incident.silenced_until), incident.silenced_by))
    if incident.reason:
        parts[-1] += f" ({incident.reason})"
    yield f"{incident.incident}  {' · '.join(parts)}"
    yield f"  {incident.text_nl if language == 'nl' else incident.text_en}"


def _minute(ms: int, language: Language, zone: ZoneInfo) -> str:
    return shown_at(ms // 60_000 * 60_000, language, zone).rpartition(":")[0]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
