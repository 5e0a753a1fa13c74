"""The program `contactmeter`, and the one place that puts all parts together."""

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

_MODULES = {
    "stack": ("up", "down", "status", "logs"),
    "demo": ("demo",),
    "load": ("load",),
    "organisation": ("organisation", "department"),
    "mapping": ("mapping",),
    "person": ("person",),
    "figures": ("figures", "quarters"),
    "satisfaction": ("satisfaction",),
    "measures": ("measures",),
    "waiting": ("open",),
    "mark": ("mark",),
    "incident": ("incident",),
    "drift": ("drift",),
    "alert": ("alert",),
    "board": ("board",),
    "explain": ("explain",),
    "norms": ("norms",),
    "simulate": ("simulate",),
    "rejects": ("rejects",),
    "resume": ("resume",),
    "rejudge": ("rejudge",),
    "rebuild": ("rebuild",),
    "forget": ("forget",),
    "readers": ("readers",),
    "grafana": ("grafana",),
    "doctor": ("doctor",),
    "worker": ("setup", "worker"),
    "backup": ("backup", "restore"),
}
"""The commands of each module, in the order of the help (where groups of commands come first)."""


def program(command: str = "") -> typer.Typer:
    """The program with every command; with those of one module only when `command` is one of them, so that a worker starts at once."""
    app = typer.Typer(
        name="contactmeter",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_contactmeter)
    module = next((name for name, commands in _MODULES.items() if command in commands), None)
    for name in _MODULES if module is None else (module,):
        import_module(f"pipeline.cli.{name}").register(app)
    return app


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"contactmeter {version('contactmeter')}")
        raise typer.Exit


def _contactmeter(
    _version: Annotated[bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is.")] = False,
) -> None:
    """Continuous contact measurement for municipalities: every contact, all year, against the service norms."""


def main() -> None:
    """Entry point of the installed script."""
    program(sys.argv[1] if len(sys.argv) > 1 else "")()
