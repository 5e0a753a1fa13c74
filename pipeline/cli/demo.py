"""`contactmeter demo`: the whole local stack with a made-up municipality, and its figures in this terminal."""

import threading
import time
from datetime import date, datetime
from functools import partial

import typer
from rich.console import Console, Group
from rich.live import Live

from connectors.simulator.state import STATE_FILE
from connectors.simulator.town import ORGANISATION_FILE
from deploy.local import stack
from deploy.local.errors import StackError
from pipeline.cli import endpoints
from pipeline.cli.figures import console_of_output, heading_of
from pipeline.cli.overview import overview
from pipeline.cli.stack import fail, provide_simulated_organisation, services
from pipeline.norms import calendar_of
from pipeline.report import rolling_lines
from pipeline.store.client import Unavailable
from pipeline.store.reads import Views
from schemas.organisation import load_organisation

ORGANISATION = "simulatiestad"
CLOSED_SPEED = 60
REFRESH_S = 2.0
REPRINT_S = 15.0
"""Where the output is no terminal, the table is printed only this often."""


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(demo)


def demo() -> None:
    """Start everything with a simulated municipality and show its figures, refreshed, until Ctrl-C.

    Real Kafka, a real Faust worker and real ClickHouse; only the contacts are made up. Data are kept: a second `demo` goes on where it was.
    """
    console = console_of_output()
    place = stack.layout()
    console.print("[bold]contactmeter demo[/]: a simulated municipality of 40,000 inhabitants; real Kafka, Faust and ClickHouse.")
    console.print(
        "16 weeks of history come first, then live contacts. On the telephone something changed a week ago: see norm:telephone_45s."
    )
    console.print(f"Data in {place.directory}. Ctrl-C ends everything.\n")
    with Live(console=console, auto_refresh=False, vertical_overflow="visible", transient=False) as live:

        def say(message: str) -> None:
            console.print(f"{datetime.now().astimezone():%H:%M:%S} {message}", highlight=False, markup=False)

        threading.Thread(target=_show, args=(live, console, place), name="figures", daemon=True).start()
        try:
            provide_simulated_organisation(place)
            stack.up(place, partial(services, simulate=True, simulate_options=_options(place)), say)
        except StackError as error:
            fail(error)


def _options(place: stack.Layout) -> list[str]:
    """Out of opening hours nothing would happen: then the last working day is played fast. A simulation once begun keeps its options."""
    if (place.directory / "simulator" / STATE_FILE).exists():
        return []
    calendar = calendar_of(load_organisation(ORGANISATION_FILE), "telephone")
    return [] if calendar.is_open(time.time_ns() // 1_000_000) else ["--speed", str(CLOSED_SPEED)]


def _show(live: Live, console: Console, place: stack.Layout) -> None:
    """Refresh the figures for as long as the process lives."""
    printed = 0.0
    while True:
        time.sleep(REFRESH_S)
        if not _worker_is_ready(place):
            continue
        try:
            screen = _screen(console.width)
        except Unavailable:
            continue
        if screen is None:
            continue
        if console.is_terminal:
            live.update(screen, refresh=True)
        elif time.monotonic() - printed >= REPRINT_S:
            printed = time.monotonic()
            console.print(screen)


def _worker_is_ready(place: stack.Layout) -> bool:
    content = stack.read_stack(place) or {}
    return stack.running_pid(place) is not None and content.get("services", {}).get("worker", {}).get("state") == "ready"


def _screen(width: int) -> Group | None:
    views = Views(endpoints.connection(endpoints.settings()))
    try:
        settings = views.organisations().get(ORGANISATION)
        if settings is None:
            return None
        rows = views.rolling(ORGANISATION)
        counts = views.counts().get(ORGANISATION, {"contacts": 0, "answers": 0, "rejects": 0})
        lines = rolling_lines(rows, views.targets(ORGANISATION, date.today()), int(settings["minimum_n"]))
        heading = heading_of(ORGANISATION, settings, max((row.as_of for row in rows), default=None))
    finally:
        views.close()
    stored = f"{counts['contacts']:,} contacts and {counts['answers']:,} answers stored, {counts['rejects']:,} rejects"
    return Group(
        overview(heading, lines, brief=True, width=width),
        f"{stored} · {datetime.now().astimezone():%H:%M:%S} · more: contactmeter figures, quarters, status",
    )
