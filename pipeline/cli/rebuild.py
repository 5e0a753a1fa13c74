"""`contactmeter rebuild`: compute everything that is derived anew, from the log or from the stored timelines."""

import time
from contextlib import closing
from enum import StrEnum
from typing import Annotated

import typer

from pipeline.cli import endpoints
from pipeline.cli.actor import actor
from pipeline.rewind import await_empty, commit, limits
from pipeline.settings import Settings
from pipeline.store import audit, configuration, rebuilding
from pipeline.topics import connected
from schemas.errors import InvalidConfiguration
from schemas.partitions import partition_of
from schemas.topics import CONTACT_EVENTS


class Source(StrEnum):
    """What to rebuild from."""

    kafka = "kafka"
    timelines = "timelines"


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(rebuild)


def rebuild(
    source: Annotated[Source, typer.Option("--from", help="The log, or the timelines that are stored with the contacts.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    incomplete: Annotated[bool, typer.Option("--incomplete", help="Also when the log no longer reaches back to the beginning.")] = False,
) -> None:
    """Compute contacts, answers, markers and gauges anew. What was forgotten stays forgotten; rolling figures of the past stay as shown.

    From `timelines`: workers go on and judge every contact again; it mends anything but the events themselves. From `kafka`: stop all
    workers first; the tables are emptied and the workers read the whole log again when they are started.
    """
    with endpoints.command("rebuild") as found:
        if source is Source.timelines:
            _from_timelines(found)
        else:
            _from_kafka(found, yes, incomplete)


def _from_timelines(found: Settings) -> None:
    with closing(endpoints.connection(found).open()) as client:
        for name, stored in configuration.in_force(client).items():
            now = time.time_ns() // 1_000_000
            generation = configuration.register_next(client, stored, stored.organisation, stored.text, found.boards, now)
            audit.note(client, now, name, actor(), "rebuild", f"from timelines, generation {generation}")
            typer.echo(f"{name}: generation {generation}; the workers judge every contact again (see `contactmeter status`)")


def _from_kafka(found: Settings, yes: bool, incomplete: bool) -> None:
    with connected(found.kafka, found.kafka_security) as admin, closing(endpoints.connection(found).open()) as client:
        await_empty(admin, found.group, lambda text: typer.echo(text, err=True))
        first, ends = limits(admin, CONTACT_EVENTS)
        stored = rebuilding.stored(client)
        cut = sorted(name for name in stored if first.get(partition_of(name), 0) > 0)
        if cut and not incomplete:
            raise InvalidConfiguration(
                f"the log no longer reaches back to the beginning for {', '.join(cut)}: what was told before would be lost. Rebuild from "
                "timelines instead, restore a backup, or say --incomplete"
            )
        typer.echo(f"{sum(stored.values()):,} contacts and answers of {len(stored)} organisations are removed and read again from Kafka")
        if not yes:
            typer.confirm("Go on?", abort=True)
        commit(admin, found.group, CONTACT_EVENTS, first)
        rebuilding.empty(client)
        commit(admin, found.group, CONTACT_EVENTS, first)  # again: refused when a worker was started meanwhile, which then is to be stopped
        now = time.time_ns() // 1_000_000
        audit.note(client, now, "", actor(), "rebuild", "from the log" + (", which is incomplete" if cut else ""))
        typer.echo(f"workers will read {sum(ends.values()) - sum(first.values()):,} records again; start them")
