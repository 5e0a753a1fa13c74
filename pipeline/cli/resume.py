"""`contactmeter resume`: let workers go on that the brake stopped."""

import time
from contextlib import closing
from dataclasses import replace
from typing import Annotated

import typer

from pipeline.cli import endpoints
from pipeline.cli.actor import actor
from pipeline.cli.stack import fail
from pipeline.store import audit, brakes
from schemas.errors import ContactmeterError


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(resume)


def resume(because: Annotated[str, typer.Option(help="Why the refusals are right, or what was mended, for the trail.")] = "") -> None:
    """Let workers go on that stopped because nearly everything was refused. What they refuse then is kept as ever."""
    try:
        found = endpoints.settings()
        with closing(endpoints.connection(found).open()) as client:
            stops = brakes.standing(client, found.group)
            for stop in stops:
                now_ms = time.time_ns() // 1_000_000
                brakes.write(client, replace(stop, released_at=now_ms, released_by=actor()))
                detail = f"worker {stop.instance or 'without name'} of {stop.group}: {stop.reason}"
                audit.note(client, now_ms, "", actor(), "brake_released", f"{detail}; {because}" if because else detail)
    except ContactmeterError as error:
        fail(f"contactmeter resume: {error}")
    for stop in stops:
        typer.echo(f"worker {stop.instance or '(without name)'} goes on within seconds. It had stopped because {stop.reason}.")
    if not stops:
        typer.echo("No worker stands still.")
