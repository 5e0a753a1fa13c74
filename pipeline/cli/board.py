"""`contactmeter board`: the boards in a web browser on this machine, without Grafana."""

import logging
import time
from contextlib import closing
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import typer
from aiohttp import web

from dashboards.board.server import Parts, application
from dashboards.reading.metrics import Metrics
from deploy.local.network import LOOPBACK, http_ok, is_free
from deploy.local.stack import BOARD_PORTS
from pipeline.cli import endpoints
from pipeline.cli.incident import data_of, named
from pipeline.cli.speaking import in_force, say
from pipeline.settings import Settings
from pipeline.store.boards_reading import BoardReader
from pipeline.store.client import Connection
from pipeline.store.drift_incidents import incidents
from schemas.errors import InvalidConfiguration


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(board)


def board() -> None:
    """Show the boards in a web browser on this machine, without Grafana, until Ctrl-C. `up` and `demo` start it by themselves."""
    with endpoints.command("board") as found:
        port = found.board_port or next(filter(is_free, BOARD_PORTS), 0)
        if port == 0:
            raise InvalidConfiguration(
                f"ports {BOARD_PORTS[0]} to {BOARD_PORTS[-1]} are all taken; choose one with CONTACTMETER_BOARD_PORT"
            )
        if not is_free(port):
            if http_ok(f"{endpoints.board_url(port)}/health"):
                typer.echo(f"The boards are at {endpoints.board_url(port)}")
                return
            raise InvalidConfiguration(f"port {port} of {LOOPBACK} is taken; choose another with CONTACTMETER_BOARD_PORT")
        app = application(parts(found, port))
        logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # a line a panel every few seconds says nothing
        typer.echo(f"The boards are at {endpoints.board_url(port)}; Ctrl-C ends it.")
        web.run_app(app, host=LOOPBACK, port=port, print=None, shutdown_timeout=2.0)


def parts(found: Settings, port: int) -> Parts:
    """What the board is made of: the views as the board's own user, metrics, and a voice for incidents. Raises InvalidConfiguration."""
    ours = endpoints.connection(found)
    return Parts(
        BoardReader(Connection(ours.host, ours.port, found.board_user, found.board_password, ours.tls)),
        Metrics(found.prometheus, f"http://{LOOPBACK}:{found.health_port}/metrics"),
        lambda organisation, incident, who: _acknowledge(found, organisation, incident, who),
        plotly(),
        frozenset({*(f"{name}:{port}" for name in (LOOPBACK, "localhost")), *found.board_names}),
    )


def plotly() -> Path:
    """Plotly's JavaScript."""
    if find_spec("plotly") is None:
        raise InvalidConfiguration("the board draws with plotly, which is not installed: pip install 'contactmeter[local]'")
    return Path(str(files("plotly") / "package_data" / "plotly.min.js"))


def _acknowledge(found: Settings, organisation: str, incident: str, who: str) -> None:
    now = time.time_ns() // 1_000_000
    with closing(endpoints.connection(found).open()) as client:
        one = named(incidents(client, organisation), incident)
        say(found, client, in_force(client, organisation), "incident.acknowledged", one.incident, data_of(one, who, "", now), now)
