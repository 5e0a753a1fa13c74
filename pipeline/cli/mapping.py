"""`contactmeter mapping new`: a first draft of a mapping and an organisation file, from the columns of a file."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from connectors.mapped_file.agreement import check_agreement
from connectors.mapped_file.connector import MappedFile, Tally
from connectors.mapped_file.drafts.guessing import guess
from connectors.mapped_file.drafts.parts import slug
from connectors.mapped_file.drafts.sampling import look
from connectors.mapped_file.drafts.writing import Draft, draft
from connectors.mapped_file.mapping import load_mapping
from connectors.mapped_file.problems import Problem
from connectors.protocol import Finished
from pipeline.cli.running import file_here
from schemas.errors import ContactmeterError, InvalidConfiguration
from schemas.organisation import load_organisation

TRIED_ROWS = 20_000
SHOWN_PROBLEMS = 3
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    commands = typer.Typer(no_args_is_help=True, help="Mappings of files (contactmeter load).")
    # With one command alone typer would leave its name out.
    commands.callback()(lambda: None)
    commands.command()(new)
    app.add_typer(commands, name="mapping")


def new(
    file: Annotated[
        Path, typer.Argument(help="CSV, JSON lines or a workbook (XLSX), as `contactmeter load` reads them.", show_default=False)
    ],
    organisation: Annotated[str, typer.Option(help="The organisation's id (slug).")] = "organisation",
    output: Annotated[
        Path | None,
        typer.Option(help="Directory for mapping.yaml and organisation.yaml. Default: named after the file.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was guessed as JSON.")] = False,
) -> None:
    """Draft a mapping and an organisation file from the columns of a file.

    Ids, times and their form, channels, deadlines, ratings and columns with personal data are guessed; every guess stands in the draft
    with what it rests on. Both files are valid as they stand; what a person must decide is marked DECIDE in them and listed here.
    Nothing is sent, and files that exist are not overwritten.

    Exit codes: 0 the drafts are written; 2 the file can't be read, or a draft is there already.
    """
    try:
        directory = output or Path(slug(file.name.split(".")[0]))
        made = _draft(file, organisation, directory)
        tally, problems, warnings = _try(file, directory)
    except ContactmeterError as error:
        typer.echo(f"contactmeter mapping new: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        summary = {
            "mapping": str(directory / "mapping.yaml"),
            "organisation": str(directory / "organisation.yaml"),
            "guessed": made.notes.guessed,
            "to_decide": made.notes.to_decide,
            "tried": {
                "rows": tally.rows,
                "refused": tally.refused,
                "events": dict(tally.events),
                "problems": problems,
                "warnings": warnings,
            },
        }
        typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        return
    typer.echo(f"wrote {directory / 'mapping.yaml'} and {directory / 'organisation.yaml'}")
    for title, lines in (("guessed", made.notes.guessed), ("to decide (marked DECIDE in the files)", made.notes.to_decide)):
        typer.echo(f"\n{title}:")
        for line in lines:
            typer.echo(f"  {line}")
    typer.echo(f"\nas it stands, of the first {tally.rows:,} rows {tally.rows - tally.refused:,} can be used:")
    for kind, count in sorted(tally.events.items()):
        typer.echo(f"  {count:>10,}  {kind}")
    for line in (*problems, *warnings):
        typer.echo(f"  {line}")
    if in_force := file_here(organisation):
        typer.echo(f"\n{organisation} is in force here by {in_force}: add to it what the drafted organisation.yaml has and it has not")
    typer.echo(f"\nnext: settle what is marked DECIDE, then `contactmeter load {file} --mapping {directory / 'mapping.yaml'} --dry-run`")


def _draft(file: Path, organisation: str, directory: Path) -> Draft:
    """Both files, written. Raises Refused for the file, InvalidConfiguration for a slug or for files that exist."""
    if not _SLUG.fullmatch(organisation):
        raise InvalidConfiguration(f"--organisation {organisation!r} is no id; write lower-case letters, digits, - and _, such as leiden")
    sample = look(file)
    made = draft(sample, guess(sample), organisation)
    made.notes.guessed[:0] = sample.notes
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in (("mapping.yaml", made.mapping), ("organisation.yaml", made.organisation)):
            with (directory / name).open("x", encoding="utf-8") as stream:
                stream.write(text)
    except FileExistsError as error:
        raise InvalidConfiguration(f"{error.filename} is there already; remove it, or give another directory by --output") from None
    except OSError as error:
        raise InvalidConfiguration(f"{directory}: can't be written ({error.strerror}); give another directory by --output") from None
    return made


def _try(file: Path, directory: Path) -> tuple[Tally, list[str], list[str]]:
    """What the draft makes of the first rows: the tally, some problems, warnings."""
    mapping = load_mapping(directory / "mapping.yaml")
    organisation = directory / "organisation.yaml"
    check_agreement(mapping, directory / "mapping.yaml", load_organisation(organisation), organisation)
    problems: list[Problem] = []
    connector = MappedFile(file, mapping, problem=problems.append)
    connector.resume(None)
    try:
        while connector.tally.rows < TRIED_ROWS:
            connector.poll()
    except Finished:
        pass
    finally:
        connector.close()
    messages = list(dict.fromkeys(f"column {problem.column!r}: {problem.message}" for problem in problems))
    return connector.tally, messages[:SHOWN_PROBLEMS], connector.warnings()
