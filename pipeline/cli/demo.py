"""`contactmeter demo`: the whole local stack with a made-up municipality, and its figures in this terminal."""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from connectors.simulator.state import STATE_FILE, Simulation, read_simulation
from connectors.simulator.town import DAY_MS, MINUTE_MS, ORGANISATION_FILE
from deploy.local import stack
from deploy.local.errors import StackError
from deploy.local.supervisor import Service
from pipeline.cli import endpoints
from pipeline.cli.asked import heading_of
from pipeline.cli.demo_drift import incident_lines, plants
from pipeline.cli.overview import overview
from pipeline.cli.stack import fail, provide_simulated_organisation, services
from pipeline.cli.table import console_of_output
from pipeline.drift.incidents import Incident
from pipeline.report import Line, rolling_lines
from pipeline.rules import calendar_of
from pipeline.store.client import Unavailable
from pipeline.store.drift_incidents import incidents
from pipeline.store.reads import Views
from schemas.organisation import load_organisation

ORGANISATION = "simulatiestad"
CLOSED_SPEED = 60
REFRESH_S = 2.0
REPRINT_S = 15.0
"""Where the output is no terminal, the table is printed only this often."""
BEHIND_MS = 60_000
LOADED_MS = 3 * DAY_MS
"""The history is in when its last event is so near its end: a weekend may be without."""
LOG_LINES = 2
LOOK_EVERY_S = "5"


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(demo)


def demo() -> None:
    """Start everything with a simulated municipality and show its figures, refreshed, until Ctrl-C.

    Real Kafka, a real Faust worker and real ClickHouse; only the contacts are made up. Data are kept, in $CONTACTMETER_DIR or
    .contactmeter-demo here, apart from those of `up`: a second `demo` goes on where it was.
    """
    console = console_of_output()
    place = stack.demo_layout()
    os.environ["CONTACTMETER_DIR"] = str(place.directory)  # all of this process is about this directory, whatever else runs
    console.print("[bold]contactmeter demo[/]: a simulated municipality of 40,000 inhabitants; real Kafka, Faust and ClickHouse.")
    console.print(
        "16 weeks of history come first, then live contacts. On the telephone something changed in the last days: the table says what."
    )
    console.print(f"Data in {place.directory}. Ctrl-C ends everything.\n", markup=False, highlight=False, soft_wrap=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background has it ignored
    screen = Screen(console)
    threading.Thread(target=_keep_figures, args=(screen, place), name="figures", daemon=True).start()
    try:
        provide_simulated_organisation(place)
        stack.up(place, partial(_services, options=_options(place)), screen.say)
    except StackError as error:
        screen.leave()
        fail(error)
    finally:
        screen.leave()
    console.print(
        f"Everything has ended; data are kept in {place.directory}; `make demo` goes on where it was.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@dataclass(frozen=True)
class Shown:
    """What the demo shows of one moment. `remarks` stand above the table: the history that loads, the day that is played.

    `incidents`: what drifts, above the table as well; `zone`: the organisation's, for its times.
    """

    heading: str
    lines: list[Line]
    remarks: list[str]
    stored: str
    incidents: Sequence[Incident] = ()
    zone: str = "UTC"

    def table(self, width: int, height: int | None) -> Group:
        """The table with what stands around it, in `height` lines when given."""
        drift = list(incident_lines(self.incidents, ORGANISATION, ZoneInfo(self.zone), width))
        room = None if height is None else height - len(self.remarks) - len(drift) - 1
        return Group(
            *(Text(remark, style="yellow", no_wrap=True, overflow="ellipsis") for remark in self.remarks),
            *drift,
            overview(self.heading, self.lines, brief=True, width=width, height=room),
            Text(self.stored, no_wrap=True, overflow="ellipsis"),
        )


@dataclass
class Screen:
    """The terminal: first the lines of what starts, then the table over the whole screen with the last of those lines under it.

    From the first service that is stopped on it is the normal screen again, with the last table. Where the output is no terminal,
    everything is printed one after the other.
    """

    console: Console
    _said: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    _shown: Shown | None = None
    _live: Live | None = None
    _ended: bool = False
    _printed_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, message: str) -> None:
        """A line of the supervisor, with the time of day."""
        if message.endswith(": stopping") and not self._ended:
            self.leave()
            self.console.print("stopping …; a second Ctrl-C kills what still runs")
        with self._lock:
            line = f"{datetime.now().astimezone():%H:%M:%S} {message}"
            self._said.append(line)
            if self._live is None:
                self.console.print(line, highlight=False, markup=False)

    def show(self, shown: Shown) -> None:
        """Show the figures of this moment."""
        with self._lock:
            if self._ended:
                return
            self._shown = shown
            if not self.console.is_terminal:
                if self._printed_at is None or time.monotonic() - self._printed_at >= REPRINT_S:
                    self._printed_at = time.monotonic()
                    self.console.print(shown.table(self.console.width, None))
            elif self._live is None:
                self._live = Live(get_renderable=self._render, console=self.console, screen=True, refresh_per_second=2)
                self._live.start(refresh=True)

    def leave(self) -> None:
        """Give the terminal back, with the last table on it."""
        with self._lock:
            self._ended = True
            live, self._live = self._live, None
        if live is not None and self._shown is not None:
            live.stop()
            self.console.print(self._shown.table(self.console.width, self.console.height))

    def _render(self) -> RenderableType:
        """All of the terminal as large as it is now; asked for at every refresh, so that a new size counts at once."""
        assert self._shown is not None, "the screen is entered with figures"
        said = [Text(line.splitlines()[0], style="dim", no_wrap=True, overflow="ellipsis") for line in list(self._said)]
        return Group(self._shown.table(self.console.width, self.console.height - len(said)), *said)


def _services(environment: Mapping[str, str], options: Sequence[str]) -> list[Service]:
    """The product's processes with the simulator. Whoever opens the demo need not wait an hour for the look at what just loaded."""
    return services({**environment, "CONTACTMETER_LOOK_EVERY_S": LOOK_EVERY_S}, simulate=True, simulate_options=options)


def _options(place: stack.Layout) -> list[str]:
    """Out of opening hours nothing would happen: then the last working day is played fast. A simulation once begun keeps its options."""
    if (place.directory / "simulator" / STATE_FILE).exists():
        return []
    now = _now()
    speed = 1 if _is_open(now) else CLOSED_SPEED
    history_end = Simulation(now - now % MINUTE_MS, speed=speed).history_end
    return [*(["--speed", str(speed)] if speed > 1 else []), *(f"--plant={plant}" for plant in plants(history_end))]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _is_open(at_ms: int) -> bool:
    return calendar_of(load_organisation(ORGANISATION_FILE), "telephone").is_open(at_ms)


def _keep_figures(screen: Screen, place: stack.Layout) -> None:
    """Refresh the figures for as long as the process lives."""
    while True:
        time.sleep(REFRESH_S)
        if not _worker_is_ready(place):
            continue
        try:
            shown = _read(place)
        except Unavailable:
            continue
        if shown is not None:
            screen.show(shown)


def _worker_is_ready(place: stack.Layout) -> bool:
    content = stack.read_stack(place) or {}
    return stack.running_pid(place) is not None and content.get("services", {}).get("worker", {}).get("state") == "ready"


def _simulation(place: stack.Layout) -> Simulation | None:
    """The simulation that runs; None until it is begun."""
    try:
        return read_simulation(place.directory / "simulator")
    except FileNotFoundError:
        return None


def _read(place: stack.Layout) -> Shown | None:
    """The figures of now; those of the last event while the town hall is closed, when the windows of now would run empty."""
    now = _now()
    simulation = _simulation(place)
    running = stack.read_stack(place)
    if running is None:
        return None
    connection = endpoints.connection(endpoints.settings())
    with closing(Views(connection)) as views, closing(connection.open()) as client:
        settings = views.organisations().get(ORGANISATION)
        if settings is None or simulation is None:
            return None
        last = views.last_event(ORGANISATION)
        of_last = last is not None and (simulation.now(now) < now - BEHIND_MS or not _is_open(now))
        rows = views.rolling_at(ORGANISATION, last) if last is not None and of_last else views.rolling(ORGANISATION)
        as_of = max((row.as_of for row in rows), default=None)
        day = datetime.fromtimestamp(now / 1000, ZoneInfo(str(settings["zone"]))).date()
        lines = rolling_lines(rows, views.targets(ORGANISATION, day), int(settings["minimum_n"]))
        counts = views.counts().get(ORGANISATION, {"contacts": 0, "answers": 0, "rejects": 0})
        known = incidents(client, ORGANISATION)
    stored = f"{counts['contacts']:,} contacts, {counts['answers']:,} answers, {counts['rejects']:,} rejects"
    return Shown(
        heading_of(ORGANISATION, settings, as_of),
        lines,
        remarks(simulation, now, last, counts["contacts"], settings),
        f"{stored} · boards: {endpoints.board_url(running['ports']['board'])} · more: contactmeter figures",
        known,
        str(settings["zone"]),
    )


def remarks(simulation: Simulation, now_ms: int, last: datetime | None, contacts: int, settings: dict[str, Any]) -> list[str]:
    """What explains the figures of this moment: that the history still loads, or that the town hall is closed and a past day is played."""
    if last is None or last.timestamp() * 1000 < simulation.history_end - LOADED_MS:
        return [f"loading {simulation.weeks} weeks of history: {contacts:,} contacts so far"]
    played = simulation.now(now_ms)
    if played < now_ms - BEHIND_MS:
        moment = datetime.fromtimestamp(played / 1000, UTC).astimezone(ZoneInfo(str(settings["zone"])))
        closed = "" if _is_open(now_ms) else "Town hall is closed now: "
        return [f"{closed}{moment:%a %Y-%m-%d %H:%M} is played at {simulation.speed:g} times its speed"]
    return [] if _is_open(now_ms) else ["Town hall is closed now: these are the figures as of the last event"]
