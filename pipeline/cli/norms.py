"""`contactmeter norms`: norm sets that ship with the program, to be copied into an organisation's file."""

from typing import Annotated

import typer

from pipeline.cli.stack import fail
from schemas.errors import InvalidConfiguration
from schemas.norm_sets import norm_set, norm_set_names, norm_set_text


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    group = typer.Typer(help=__doc__, no_args_is_help=True)
    group.command("list")(list_sets)
    group.command()(show)
    app.add_typer(group, name="norms", help="Published service norms and terms of law, to be copied into an organisation's file.")


def list_sets() -> None:
    """Name the norm sets, with their source."""
    for name in norm_set_names():
        found = norm_set(name)
        typer.echo(f"{name:<12}{len(found.norms)} norms  {found.title.en} ({found.source}, read on {found.retrieved})")


def show(name: Annotated[str, typer.Argument(help="A set, as `list` names it.")]) -> None:
    """Print a set as YAML: copy its norms, and fill the product classes they ask for."""
    try:
        typer.echo(norm_set_text(name), nl=False)
    except InvalidConfiguration as error:
        fail(error, 2)
