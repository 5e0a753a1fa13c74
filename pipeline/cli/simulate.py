"""`contactmeter simulate`: a made-up municipality as a source, for demonstrations and tests."""

import signal
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from connectors import runner
from connectors.cursors import KafkaCursors
from connectors.protocol import Batch, Refused
from connectors.sender import Sender
from connectors.simulator.connector import Simulator
from connectors.simulator.plants import EXAMPLE, SYNTAX
from connectors.simulator.state import TRUTH_FILE, open_simulation
from connectors.simulator.town import ORGANISATION_FILE
from deploy.local import stack
from pipeline.cli import endpoints
from pipeline.cli.running import NotRunning, ensure_organisation, kafka_address
from schemas.errors import ContactmeterError

PROGRESS_EVENTS = 50_000


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(simulate)


def simulate(
    seed: Annotated[int | None, typer.Option(help="Another seed is another town. Default 1.")] = None,
    weeks: Annotated[int | None, typer.Option(help="Weeks of history that end now. Default 16.")] = None,
    scale: Annotated[float | None, typer.Option(help="1 is a town of 40,000 inhabitants.")] = None,
    speed: Annotated[
        float | None,
        typer.Option(help="Above 1: play from the last working day before the first start that many times as fast, until now."),
    ] = None,
    drift_channel: Annotated[
        str | None, typer.Option(help="Channel whose share within its norm fell by 25 points; `none` for no drift. Default telephone.")
    ] = None,
    drift_days: Annotated[int | None, typer.Option(help="Working days before the first start that the drift began. Default 5.")] = None,
    drift_lasts: Annotated[int | None, typer.Option(help="Working days until the drift is over. By default it stays.")] = None,
    plant: Annotated[
        list[str] | None,
        typer.Option(help=f"Plant a change instead of the default drift: {SYNTAX}; local times. Such as {EXAMPLE}. May be repeated."),
    ] = None,
    history_only: Annotated[bool, typer.Option("--history-only", help="Send the history and end.")] = False,
    rate: Annotated[float | None, typer.Option(min=1, help="At most this many events a second. Default no limit.")] = None,
    kafka: Annotated[str | None, typer.Option(envvar="CONTACTMETER_KAFKA", help="HOST:PORT. Default: the stack that runs here.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Directory that keeps what was simulated, and its truth. Default: simulator in the stack's directory."),
    ] = None,
) -> None:
    """Send the contacts of a made-up municipality: weeks of history, then what happens from now on, until Ctrl-C.

    Everything in it is simulated and says so. A restart goes on where it was. What a correct measurement must find is written to
    truth.json in the state directory. Exit code 2: it can't start as asked; 1: Kafka refuses what is sent.
    """
    asked = {"seed": seed, "weeks": weeks, "scale": scale, "speed": speed, "drift_days": drift_days, "drift_lasts": drift_lasts}
    given: dict[str, object] = {name: value for name, value in asked.items() if value is not None}
    if plant:
        given |= {"plants": tuple(plant), "drift_channel": None}
    if drift_channel is not None:
        given["drift_channel"] = None if drift_channel == "none" else drift_channel
    directory = state or stack.layout().directory / "simulator"
    try:
        bootstrap = kafka_address(kafka)
        simulation = open_simulation(directory, int(time.time() * 1000), given)
        ensure_organisation(ORGANISATION_FILE, bootstrap)
        connector = Simulator(simulation, truth_directory=directory, history_only=history_only)
        _run(connector, bootstrap, rate)
    except (Refused, NotRunning) as error:
        typer.echo(f"contactmeter simulate: {error}", err=True)
        raise typer.Exit(2) from None
    except ContactmeterError as error:
        typer.echo(f"contactmeter simulate: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"stopped; the truth is in {directory / TRUTH_FILE}")


def _run(connector: Simulator, bootstrap: str, rate: float | None) -> None:
    security = endpoints.kafka_security(bootstrap)
    with Sender(bootstrap, rate=rate, connector=connector.name, security=security) as sender:
        cursors = KafkaCursors(bootstrap, security=security)
        stop = threading.Event()

        def end(number: int, _frame: object) -> None:
            stop.set()
            signal.signal(number, signal.SIG_DFL)  # The second one ends it at once.

        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            runner.run(connector, sender, cursors, stop=stop, delivered=_Progress(connector).delivered)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            cursors.close()


class _Progress:
    """Says now and then how much was sent, and once that it has caught up."""

    def __init__(self, connector: Simulator) -> None:
        self._connector = connector
        self._events = 0
        self._said = 0
        self._caught_up = False

    def delivered(self, batch: Batch) -> None:
        """Take note of a batch that was delivered."""
        self._events += len(batch.events)
        if self._caught_up:
            return
        self._caught_up = self._connector.is_live(batch)
        if self._caught_up:
            typer.echo(f"sent {self._events:,} simulated events: the history is complete, the live stream follows")
        elif self._events - self._said >= PROGRESS_EVENTS:
            self._said = self._events
            typer.echo(f"sent {self._events:,} simulated events")
