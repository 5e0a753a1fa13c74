"""`contactmeter up`, `down`, `status`, `logs`: the local stack from the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from deploy.local import stack
from deploy.local.errors import StackError
from deploy.local.network import LOOPBACK, http_ok
from deploy.local.process import write_atomically
from deploy.local.supervisor import Service
from pipeline.cli.endpoints import board_url
from pipeline.cli.reporting import report, show, status_of

PROGRAM = (sys.executable, "-m", "pipeline.cli")
WORKER_START_TIMEOUT = 600.0
"""Seconds: a worker computes its sums from all stored contacts before it is ready."""
DETACH_TIMEOUT = 600.0


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    for command in (up, down, status, logs):
        app.command()(command)


def services(
    environment: Mapping[str, str], simulate: bool = False, simulate_options: Sequence[str] = (), with_worker: bool = True
) -> list[Service]:
    """The product's own processes: set-up, then the worker unless it is to stay out, and the simulator when asked for."""

    def program(name: str, *options: str) -> Callable[[], list[str]]:
        return lambda: [*PROGRAM, name, *options]

    health = f"http://{LOOPBACK}:{environment['CONTACTMETER_HEALTH_PORT']}"
    ours = [
        Service("setup", program("setup"), environment, after=("kafka", "clickhouse"), oneshot=True),
        Service(
            "worker",
            program("worker"),
            environment,
            ready=partial(_answers_for_itself, health),
            alive=partial(http_ok, f"{health}/live"),
            after=("setup",),
            start_timeout=WORKER_START_TIMEOUT,
            stop_timeout=20,
        ),
    ]
    if not with_worker:
        return ours[:1]
    board = board_url(environment["CONTACTMETER_BOARD_PORT"])
    ours.append(
        Service(
            "board",
            program("board"),
            environment,
            ready=partial(http_ok, f"{board}/health"),
            alive=partial(http_ok, f"{board}/health"),
            after=("setup",),
        )
    )
    if simulate:
        ours.append(Service("simulator", program("simulate", *simulate_options), environment, after=("worker",)))
    return ours


def _answers_for_itself(health: str) -> bool:
    """A worker under the brake is up, too: to start it again is no cure."""
    return http_ok(f"{health}/ready") or bool((status_of(health) or {}).get("braked"))


def provide_simulated_organisation(place: stack.Layout) -> None:
    """Put the simulated municipality's file among the organisations, so that the worker knows it from the start."""
    place.create()
    text = resources.files("connectors.simulator").joinpath("organisation.yaml").read_text(encoding="utf-8")
    target = place.organisations / "simulatiestad.yaml"
    if not target.exists():
        write_atomically(target, text)


def say(message: str) -> None:
    """One line of the supervisor, with the time of day."""
    typer.echo(f"{datetime.now().astimezone():%H:%M:%S} {message}")
    sys.stdout.flush()


def fail(message: object, code: int = 1) -> NoReturn:
    """End the command with a message. Exit code 1: something is wrong; 2: it was asked wrongly."""
    typer.echo(str(message), err=True)
    raise typer.Exit(code)


def _place(own: bool = False) -> stack.Layout:
    place = stack.layout(own)
    try:
        place.check()
    except StackError as error:
        fail(error, 2)
    return place


def _ports(configured: list[str]) -> dict[str, int]:
    ports: dict[str, int] = {}
    for item in configured:
        name, _, number = item.partition("=")
        if not number.isdecimal():
            raise typer.BadParameter(f"{item!r} is not NAME=NUMBER; names are {', '.join(stack.PORTS)}", param_hint="--port")
        ports[name] = int(number)
    try:
        stack.check_ports(ports)
    except StackError as error:
        raise typer.BadParameter(str(error), param_hint="--port") from None
    return ports


def up(
    simulate: Annotated[bool, typer.Option("--simulate", help="Also run the simulator: a made-up municipality.")] = False,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready; it keeps running.")] = False,
    port: Annotated[
        list[str] | None, typer.Option(help=f"NAME=NUMBER, may be repeated; free ports otherwise. Names: {', '.join(stack.PORTS)}.")
    ] = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only the engines, with topics and tables: to restore a backup.")] = False,
) -> None:
    """Start Kafka, ClickHouse and the worker, and keep them running until Ctrl-C.

    Everything lies in one directory: $CONTACTMETER_DIR, or .contactmeter here. Data are kept between runs. The first start
    fetches Kafka (about 45 MB). A file in secrets/boards, named after a user and holding a password, makes a board user.
    """
    place = _place(own=True)
    ports = _ports(port or [])
    if detach:
        flags = [*(["--simulate"] if simulate else []), *(["--no-worker"] if no_worker else [])]
        _detach(place, [*flags, *(f"--port={name}={number}" for name, number in ports.items())])
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background has it ignored
    say(f"data in {place.directory}" + ("; Ctrl-C ends everything" if sys.stdin.isatty() else ""))
    try:
        if simulate:
            provide_simulated_organisation(place)
        stack.up(place, partial(_announced, simulate=simulate, with_worker=not no_worker), say, ports)
    except StackError as error:
        fail(error)


def _announced(environment: Mapping[str, str], simulate: bool, with_worker: bool) -> list[Service]:
    """The services, having said where the boards will be."""
    if with_worker:
        say(f"boards at {board_url(environment['CONTACTMETER_BOARD_PORT'])} as soon as the board is ready")
    return services(environment, simulate, with_worker=with_worker)


def _detach(place: stack.Layout, arguments: list[str]) -> None:
    """Start `up` in a session of its own, show its lines until every service is up, and leave it running."""
    try:
        place.create()
    except StackError as error:
        fail(error)
    log = place.logs / "supervisor.log"
    with log.open("ab") as output:
        start = output.tell()
        supervisor = subprocess.Popen(
            [*PROGRAM, "up", *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = time.monotonic() + DETACH_TIMEOUT
    with log.open() as lines:
        lines.seek(start)
        while True:
            ended = supervisor.poll() is not None
            typer.echo(lines.read(), nl=False, err=True)
            if ended and supervisor.returncode > 0:  # it has said why
                raise typer.Exit(supervisor.returncode)
            if ended:
                fail(f"It did not start; see {log}.")
            content = stack.read_stack(place) or {}
            if content.get("pid") == supervisor.pid and all(run["state"] in ("ready", "done") for run in content["services"].values()):
                break
            if time.monotonic() > deadline:
                fail(f"Not everything is ready after {DETACH_TIMEOUT:.0f} s, but it keeps trying: see `contactmeter status` and `logs`.")
            time.sleep(0.1)
    supervisor.returncode = 0  # it is meant to outlive us: no warning that it still runs
    typer.echo(f"Everything runs (process {supervisor.pid}). `contactmeter status` shows it, `contactmeter down` ends it.")
    if not {"--no-worker"}.intersection(arguments):
        typer.echo(f"The boards are at {board_url(content['ports']['board'])}")


def down(timeout: Annotated[float, typer.Option(help="Seconds to wait for everything to end.")] = 90.0) -> None:
    """End the stack of this directory, in good order. Data are kept."""
    place = _place()
    pid = stack.running_pid(place)
    if pid is None:
        typer.echo(f"Nothing runs on {place.directory}.")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while stack.running_pid(place) == pid:
        if time.monotonic() > deadline:
            fail(f"Process {pid} has not ended after {timeout:g} s. Try `contactmeter down` again: a second signal kills what hangs.")
        time.sleep(0.05)
    typer.echo("Everything has ended.")


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Say what runs, where, how far the worker is behind, what it wrote, and its last event. Exit code 1 unless all is up."""
    content = report(_place())
    up = content["running"] and all(run["state"] in ("ready", "done") for run in content["services"].values())
    healthy = up and not (content["worker"] or {}).get("braked")
    if as_json:
        typer.echo(json.dumps(content, indent=2))
    elif not content["running"]:
        typer.echo(f"Nothing runs on {content['directory']}. Start it with `contactmeter up`.")
    else:
        show(content)
    raise typer.Exit(0 if healthy else 1)


def logs(
    service: Annotated[str | None, typer.Argument(help="Which service; all of them when left out.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing what is added, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines of each.")] = 50,
) -> None:
    """Print the logs of the services."""
    place = _place()
    files = {file.stem: file for file in sorted(place.logs.glob("*.log"))}
    if service is not None and service not in files:
        fail(f"There is no log of {service!r} in {place.logs}. There are: {', '.join(files) or 'none yet'}.", 2)
    chosen = {service: files[service]} if service else files
    positions: dict[Path, int] = {}
    for name, file in chosen.items():
        content = file.read_bytes()
        positions[file] = len(content)
        _print(name, content.decode(errors="replace").splitlines()[-lines:] if lines else [], alone=len(chosen) == 1)
    while follow:
        time.sleep(0.2)
        for name, file in chosen.items():
            size = file.stat().st_size
            with file.open("rb") as opened:
                opened.seek(positions[file] if size >= positions[file] else 0)  # smaller: it was rotated
                added = opened.read()
                whole = added.rfind(b"\n") + 1
                positions[file] = opened.tell() - len(added) + whole
            _print(name, added[:whole].decode(errors="replace").splitlines(), alone=len(chosen) == 1)


def _print(name: str, lines: list[str], alone: bool) -> None:
    for line in lines:
        typer.echo(line if alone else f"{name:<10} {line}")
