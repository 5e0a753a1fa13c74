"""`contactmeter load`: a file of contacts into the pipeline, by a mapping."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from connectors import runner
from connectors.cursors import KafkaCursors
from connectors.mapped_file.connector import MappedFile
from connectors.mapped_file.mapping import load_mapping
from connectors.mapped_file.problems import Problem, ProblemFile
from connectors.protocol import Batch, Finished, WireEvent
from connectors.sender import Sender
from pipeline.cli.running import ensure_organisation, kafka_address
from schemas.errors import ContactmeterError
from schemas.events import PREFIX

DEFAULT_RATE = 10_000
SHOWN_EVENTS = 5
SHOWN_PROBLEMS = 10
KAFKA_PATIENCE_S = 30.0


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(load)


def load(
    file: Annotated[Path, typer.Argument(help="CSV or JSON lines; may be packed by gzip.", show_default=False)],
    mapping: Annotated[Path, typer.Option("--mapping", "-m", help="YAML: which columns make which events.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the first events and the problems; send nothing.")] = False,
    rate: Annotated[float, typer.Option(min=0, help="At most this many events a second; 0 is no limit.")] = DEFAULT_RATE,
    from_start: Annotated[bool, typer.Option("--from-start", help="Send every row, also those an earlier run delivered.")] = False,
    problems: Annotated[
        Path | None, typer.Option(help="Where refused rows are listed. Default: FILE.problems.csv in the working directory.")
    ] = None,
    kafka: Annotated[str | None, typer.Option(envvar="CONTACTMETER_KAFKA", help="HOST:PORT. Default: the stack that runs here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Load a file of contacts and answers.

    Safe to run twice and after a kill: it goes on after the last row delivered, and what is sent again counts once. An organisation.yaml
    beside the mapping is given to the stack that runs here when it does not know the organisation. Rows that can't be used are listed,
    the others go on.

    Exit codes: 0 all rows are in; 1 some rows were refused; 2 it could not start or go on; 130 stopped by Ctrl-C.
    """
    try:
        loading = _Loading(file, mapping, problems or Path(f"{file.name}.problems.csv"), as_json)
        if dry_run:
            loading.look()
        else:
            loading.deliver(kafka_address(kafka), rate or None, from_start)
    except ContactmeterError as error:
        typer.echo(f"contactmeter load: {error}", err=True)
        raise typer.Exit(2) from None
    loading.summarise(dry_run)
    if loading.stopped:
        raise typer.Exit(130)
    if loading.connector.tally.refused:
        raise typer.Exit(1)


class _Loading:
    """One run of the command. Raises Refused and InvalidConfiguration when file or mapping can't be used."""

    def __init__(self, file: Path, mapping: Path, problem_path: Path, as_json: bool) -> None:
        self._mapping_path = mapping
        self._mapping = load_mapping(mapping)
        self._problem_path = problem_path
        self._problem_file: ProblemFile | None = None
        self._as_json = as_json
        self._first_events: list[WireEvent] = []
        self._first_problems: list[Problem] = []
        self.connector = MappedFile(file, self._mapping, problem=self._note)
        self.stopped = False
        self._say = Console(stderr=True, highlight=False, soft_wrap=True)
        for note in self.connector.file.notes:
            self._say.print(note, markup=False)

    def look(self) -> None:
        """Read everything, send nothing."""
        self.connector.resume(None)
        with self._progress() as moved:
            while True:
                try:
                    batch = self.connector.poll()
                except Finished:
                    return
                self._first_events += batch.events[: SHOWN_EVENTS - len(self._first_events)]
                moved(batch)

    def deliver(self, kafka: str, rate: float | None, from_start: bool) -> None:
        """Send what was not delivered yet. Raises whatever keeps it from going on."""
        organisation = self._mapping_path.parent / "organisation.yaml"
        if organisation.exists() and ensure_organisation(organisation, kafka):
            self._say.print(f"organisation {self._mapping.organisation} is new here; the worker took up {organisation}", markup=False)
        stop = threading.Event()
        cursors = KafkaCursors(kafka, give_up_after=KAFKA_PATIENCE_S)
        try:
            if from_start:
                cursors.put(self.connector.name, self.connector.cursor_key, "0")
            resumed = cursors.get(self.connector.name, self.connector.cursor_key) not in (None, "0")
            with (
                Sender(kafka, rate=rate, give_up_after=KAFKA_PATIENCE_S) as sender,
                ProblemFile(self._problem_path, append=resumed) as self._problem_file,
                self._progress() as moved,
                _stopping(stop),
            ):
                runner.run(self.connector, sender, cursors, stop=stop, delivered=moved)
        finally:
            cursors.close()
        self.stopped = stop.is_set()

    def summarise(self, dry_run: bool) -> None:
        """What was read, made and refused."""
        tally = self.connector.tally
        events = {kind.removeprefix(PREFIX): count for kind, count in sorted(tally.events.items())}
        if self._as_json:
            summary: dict[str, Any] = {
                "file": str(self.connector.file.path),
                "mapping": self._mapping.mapping,
                "organisation": self._mapping.organisation,
                "dry_run": dry_run,
                "stopped": self.stopped,
                "rows": {
                    "read": tally.rows,
                    "delivered_before": tally.skipped,
                    "refused": tally.refused,
                    "without_event": tally.silent,
                },
                "events": {"sent": events, "repeated_in_file": tally.repeated, "outside_bounds": tally.outside},
                "problems_file": str(self._problem_path) if tally.refused and not dry_run else None,
                "notes": self.connector.file.notes,
            }
            if dry_run:
                summary |= {"first_events": self._first_events, "first_problems": [vars(problem) for problem in self._first_problems]}
            typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
            return
        for event in self._first_events:
            typer.echo(json.dumps(event, ensure_ascii=False))
        for problem in self._first_problems:
            typer.echo(str(problem), err=True)
        sent = " (dry run: nothing sent)" if dry_run else ""
        typer.echo(f"{self.connector.file.path}: {tally.rows:,} rows, {sum(events.values()):,} events{sent}")
        for kind, count in events.items():
            typer.echo(f"  {count:>10,}  {kind}")
        for count, what in (
            (tally.skipped, "rows were delivered by an earlier run; --from-start sends them again"),
            (tally.repeated, "events stand on several rows and were taken once"),
            (tally.outside, "events left out: their time lies outside the mapping's bounds"),
            (tally.silent, "rows gave no event"),
            (tally.refused, "rows were refused" + ("" if dry_run else f"; {self._problem_path} lists them")),
        ):
            if count:
                typer.echo(f"  {count:>10,}  {what}")
        if self.stopped:
            typer.echo("stopped; the same command goes on after the last row delivered")

    def _note(self, problem: Problem) -> None:
        if len(self._first_problems) < SHOWN_PROBLEMS:
            self._first_problems.append(problem)
        if self._problem_file is not None:
            self._problem_file.write(problem)

    @contextmanager
    def _progress(self) -> Iterator[Any]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("lines"), TimeRemainingColumn())
        with Progress(*columns, console=self._say, disable=self._as_json or not self._say.is_terminal) as progress:
            task = progress.add_task(self.connector.file.path.name, total=self.connector.file.lines)

            def moved(_batch: Batch) -> None:
                progress.update(task, completed=self.connector.line)

            yield moved


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run after the batch in hand; the second one ends it at once."""

    def end(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
