"""`contactmeter organisation new|check` and `department add`: who joins, joins by configuration."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deploy.local import process
from pipeline.cli import endpoints
from pipeline.configured import Configured
from pipeline.onboarding import DepartmentWishes, Wishes, add_department, new_organisation, source_of
from schemas import yamlfile
from schemas.errors import ContactmeterError, InvalidConfiguration
from schemas.organisation import Organisation, load_organisation
from schemas.types import CHANNELS


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    organisations = typer.Typer(no_args_is_help=True, help="The file of an organisation: a new one, or whether one is right.")
    organisations.command("new")(new)
    organisations.command("check")(check)
    departments = typer.Typer(no_args_is_help=True, help="Departments of an organisation.")
    departments.command("add")(add)
    app.add_typer(organisations, name="organisation")
    app.add_typer(departments, name="department")


def new(
    slug: Annotated[str, typer.Argument(help="Its id: lower-case letters, digits and -, such as leiderdorp.", show_default=False)],
    title: Annotated[str, typer.Option(help="Its name in Dutch, such as 'Gemeente Leiderdorp'.")] = "",
    title_en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    oin: Annotated[str, typer.Option(help="Its organisation identification number (20 digits); zeros while not known.")] = "0" * 20,
    channel: Annotated[list[str] | None, typer.Option(help=f"A channel it uses: {', '.join(CHANNELS)}. More than once.")] = None,
    system: Annotated[list[str] | None, typer.Option(help="A source system: SLUG or SLUG=URN. An only one leads. More than once.")] = None,
    leading: Annotated[list[str] | None, typer.Option(help="CHANNEL=SYSTEM, where another system leads. More than once.")] = None,
    norms: Annotated[list[str] | None, typer.Option(help="A published set to copy (`contactmeter norms list`). More than once.")] = None,
    instrument: Annotated[list[str] | None, typer.Option(help="A questionnaire that ships to copy. More than once.")] = None,
    inhabitants: Annotated[int | None, typer.Option(help="For contacts per 1,000 inhabitants.")] = None,
    zone: Annotated[str, typer.Option(help="Its time zone.")] = "Europe/Amsterdam",
    output: Annotated[
        Path | None, typer.Option(help="Where to write it: a directory, or a name that ends in .yaml. Default: where the workers look.")
    ] = None,
) -> None:
    """Write the file of a new organisation, with words of explanation. Workers take it up within seconds; nothing needs a restart."""
    with endpoints.command("organisation new") as found:
        systems = dict(_named(one, oin) for one in system or ())
        wishes = Wishes(
            slug, title or slug.capitalize(), title_en or title or slug.capitalize(), oin, zone, inhabitants,
            channel or ("telephone", "email"),
            systems or {"telefooncentrale": source_of(oin, "telefooncentrale")}, dict(_pair(one) for one in leading or ()),
            norms or (), instrument or (),
        )  # fmt: skip
        folder = output or found.organisations
        path = folder if folder.suffix == ".yaml" else folder / f"{slug}.yaml"
        if path.exists():
            raise InvalidConfiguration(f"{path} is there already; edit it, or choose another slug")
        text = new_organisation(wishes)
        path.parent.mkdir(parents=True, exist_ok=True)
        process.write_atomically(path, text)
    typer.echo(f"{path} is written; a worker that reads {path.parent} takes it up within seconds (`contactmeter status` says so)")
    shares = [norm for norm in yamlfile.loads(text, Organisation, str(path)).norms if norm.statistic == "share"]
    without = sum(norm.target is None for norm in shares)
    if without:
        typer.echo(
            f"{without} of its {len(shares)} norms have no target: no figure of them says ✓ or ✗ until you add one (`target: 0.8`).\n"
            "What the published sets leave open stands above their norms."
        )
    typer.echo("Next: look through it, name your real systems, and let a connector send (`contactmeter mapping new FILE` for a file).")


def check(files: Annotated[list[Path], typer.Argument(help="Files of organisations.", show_default=False)]) -> None:
    """Say whether files are right: every field, every name, every clock that must reach a deadline. Nothing is taken up."""
    wrong = 0
    for path in files:
        try:
            configured = Configured.of(load_organisation(path))
        except ContactmeterError as error:
            wrong += 1
            typer.echo(str(error), err=True)
            continue
        one = configured.organisation
        typer.echo(
            f"{path}: {one.organisation} is right: {len(one.channels)} channels, {len(one.systems)} systems, {len(one.norms)} norms, "
            f"{len(one.instruments)} questionnaires"
        )
    raise typer.Exit(2 if wrong else 0)


def add(
    organisation: Annotated[str, typer.Argument(help="Its slug, or the path of its file.", show_default=False)],
    slug: Annotated[str, typer.Argument(help="The department's id, such as burgerzaken.", show_default=False)],
    title: Annotated[str, typer.Option(help="Its name in Dutch.")] = "",
    title_en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    contact: Annotated[str, typer.Option(help="Whom to ask about its figures: a function or mailbox, no person.")] = "",
    team: Annotated[list[str] | None, typer.Option(help="A team of it, as sources name it. More than once.")] = None,
    system: Annotated[list[str] | None, typer.Option(help="A system it brings: SLUG=URN. More than once.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="A channel it brings. More than once.")] = None,
) -> None:
    """Let a department join: it, its teams, systems and channels are added to the organisation's file, whose comments stay."""
    with endpoints.command("department add") as found:
        path = Path(organisation) if organisation.endswith(".yaml") else found.organisations / f"{organisation}.yaml"
        if not path.is_file():
            raise InvalidConfiguration(f"there is no file {path}; `contactmeter organisation new` writes one")
        systems = dict(_pair(one) for one in system or ())
        wishes = DepartmentWishes(
            slug, title or slug.capitalize(), title_en or title or slug.capitalize(), contact, team or (), systems, channel or ()
        )
        text = add_department(path.read_text(encoding="utf-8-sig"), wishes, str(path))
        process.write_atomically(path, text)
    typer.echo(f"{path}: department {slug} is added{_also(team or (), systems, channel or ())}; workers take it up within seconds")
    judged = {one for norm in yamlfile.loads(text, Organisation, str(path)).norms for one in norm.applies_to.channels}
    if bare := [one for one in channel or () if one not in judged]:
        typer.echo(f"No norm concerns {', '.join(bare)} yet; `contactmeter norms list` names published ones to copy from.")


def _also(teams: Sequence[str], systems: dict[str, str], channels: Sequence[str]) -> str:
    parts = [
        f"{len(found)} {what}{'s' if len(found) > 1 else ''}"
        for what, found in (("team", teams), ("system", systems), ("channel", channels))
        if found
    ]
    return f", with {', '.join(parts)}" if parts else ""


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise InvalidConfiguration(f"{text!r} is no pair; write NAME=VALUE")
    return name, value


def _named(text: str, oin: str) -> tuple[str, str]:
    """A system and its source, by default one made of the organisation's number."""
    name, equals, value = text.partition("=")
    return name, value if equals else source_of(oin, name)
