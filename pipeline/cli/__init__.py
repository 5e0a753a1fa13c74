"""The program `contactmeter`, and the one place that puts all parts together."""

from importlib import import_module

import typer

_COMMANDS = ("stack", "demo", "load", "figures", "simulate", "doctor", "worker")


def program() -> typer.Typer:
    """The program with every command."""
    app = typer.Typer(
        name="contactmeter",
        help="Continuous contact measurement for municipalities: every contact, all year, against the service norms.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in _COMMANDS:
        import_module(f"pipeline.cli.{name}").register(app)
    return app


def main() -> None:
    """Entry point of the installed script."""
    program()()
