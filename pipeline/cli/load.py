"""`contactmeter load`: a file of contacts into the pipeline, by a mapping."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from connectors import runner
from connectors.cursors import KafkaCursors
from connectors.mapped_file.agreement import check_agreement
from connectors.mapped_file.connector import MappedFile
from connectors.mapped_file.mapping import load_mapping
from connectors.mapped_file.problems import Problem, ProblemFile, count_problems
from connectors.person import load_keys
from connectors.protocol import Finished, WireEvent
from connectors.sender import Sender
from pipeline.cli import endpoints
from pipeline.cli.running import (
    await_worker,
    ensure_organisation,
    file_here,
    file_in_force,
    is_known,
    kafka_address,
    rejects_so_far,
    worker_here,
)
from schemas.errors import ContactmeterError, InvalidConfiguration
from schemas.events import PREFIX
from schemas.organisation import load_organisation

DEFAULT_RATE = 10_000
SHOWN_EVENTS = 5
SHOWN_PROBLEMS = 10
KAFKA_PATIENCE_S = 30.0


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(load)


def load(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines (may be packed by gzip) or a workbook (XLSX).", show_default=False)],
    mapping: Annotated[Path, typer.Option("--mapping", "-m", help="YAML: which columns make which events.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the first events and the problems; send nothing.")] = False,
    rate: Annotated[float, typer.Option(min=0, help="At most this many events a second; 0 is no limit.")] = DEFAULT_RATE,
    from_start: Annotated[bool, typer.Option("--from-start", help="Send every row, also those an earlier run delivered.")] = False,
    problems: Annotated[
        Path | None, typer.Option(help="Where refused rows are listed. Default: FILE.problems.csv in the working directory.")
    ] = None,
    kafka: Annotated[str | None, typer.Option(envvar="CONTACTMETER_KAFKA", help="HOST:PORT. Default: the stack that runs here.")] = None,
    person_keys: Annotated[
        Path | None,
        typer.Option(
            envvar="CONTACTMETER_PERSON_KEY_FILE", help="Keys of person hashes, for a mapping that makes them.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Load a file of contacts and answers.

    Safe to run twice and after a kill: it goes on after the last row delivered, and what is sent again counts once. An organisation.yaml
    beside the mapping is given to the stack that runs here when it does not know the organisation. Rows that can't be used are listed,
    the others go on. With the stack that runs here it waits until the worker has stored everything, and says what the worker refused.

    Exit codes: 0 all rows are in; 1 some rows or events were refused, or the worker did not get through; 2 it could not start or go on, or
    mapping and organisation disagree; 130 stopped by Ctrl-C.
    """
    try:
        loading = _Loading(file, mapping, problems or Path(f"{file.name}.problems.csv"), person_keys, as_json)
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
    if loading.connector.tally.refused or loading.refused_before or loading.refused_by_worker or loading.left:
        raise typer.Exit(1)


class _Loading:
    """One run of the command. Raises Refused and InvalidConfiguration when file or mapping can't be used."""

    def __init__(self, file: Path, mapping: Path, problem_path: Path, person_keys: Path | None, as_json: bool) -> None:
        self._mapping_path = mapping
        self._organisation_path = mapping.parent / "organisation.yaml"
        self._mapping = load_mapping(mapping)
        self._problem_path = problem_path
        self._problem_file: ProblemFile | None = None
        self._as_json = as_json
        self._first_events: list[WireEvent] = []
        self._first_problems: list[Problem] = []
        persons = load_keys(person_keys) if person_keys is not None and self._mapping.persons() else None
        self.connector = MappedFile(file, self._mapping, problem=self._note, persons=persons)
        self.stopped = False
        self.refused_before = 0
        """Rows that an earlier run refused, as far as its list is still there."""
        self.refused_by_worker = 0
        self.left = 0
        """Records that the worker had not stored when the wait for it ended."""
        self._say = Console(stderr=True, highlight=False, soft_wrap=True)
        for note in self.connector.file.notes:
            self._say.print(note, markup=False)

    def look(self) -> None:
        """Read everything, send nothing."""
        organisation = file_here(self._mapping.organisation) or self._organisation_path
        if organisation.exists():
            self._check(organisation)
        self.connector.resume(None)
        with self._progress(self.connector.file.path.name, "lines") as moved:
            while True:
                try:
                    batch = self.connector.poll()
                except Finished:
                    return
                self._first_events += batch.events[: SHOWN_EVENTS - len(self._first_events)]
                moved(self.connector.line, self.connector.file.lines)

    def deliver(self, kafka: str, rate: float | None, from_start: bool) -> None:
        """Send what was not delivered yet. Raises whatever keeps it from going on."""
        port = worker_here(kafka)
        refused = 0
        if port is not None:
            self._settle_organisation(kafka, port)
            refused = rejects_so_far(port)
        stop = threading.Event()
        self._send(kafka, rate, from_start, stop)
        if port is not None and not stop.is_set():
            with self._progress("worker", "records") as moved, _stopping(stop):
                self.left = await_worker(self._mapping.organisation, kafka, port, stop, moved)
            now = rejects_so_far(port)
            self.refused_by_worker = now - refused if now >= refused else now  # A worker that started again counts from 0.
        self.stopped = stop.is_set()

    def _settle_organisation(self, kafka: str, port: int) -> None:
        """Have the worker know an organisation with which the mapping agrees. Raises InvalidConfiguration and NotRunning."""
        name, beside = self._mapping.organisation, self._organisation_path
        if is_known(name, port):
            in_force = file_in_force(name)
            if in_force is not None:
                self._check(in_force)
            if not beside.exists() or load_organisation(beside).organisation != name:
                return
        elif beside.exists():
            self._check(beside)
        else:
            raise InvalidConfiguration(f"organisation {name} is not known to the stack; put an organisation.yaml beside the mapping")
        if ensure_organisation(beside, kafka):
            self._say.print(f"organisation {name} is new here; the worker took up {beside}", markup=False)

    def _check(self, organisation_path: Path) -> None:
        check_agreement(self._mapping, self._mapping_path, load_organisation(organisation_path), organisation_path)

    def _send(self, kafka: str, rate: float | None, from_start: bool, stop: threading.Event) -> None:
        security = endpoints.kafka_security(kafka)
        cursors = KafkaCursors(kafka, give_up_after=KAFKA_PATIENCE_S, security=security)
        try:
            if from_start:
                cursors.put(self.connector.name, self.connector.cursor_key, "0")
            resumed = cursors.get(self.connector.name, self.connector.cursor_key) not in (None, "0")
            if resumed:
                self.refused_before = count_problems(self._problem_path, self.connector.file.place)
            with (
                Sender(kafka, rate=rate, give_up_after=KAFKA_PATIENCE_S, security=security, connector=self.connector.name) as sender,
                ProblemFile(self._problem_path, append=resumed) as self._problem_file,
                self._progress(self.connector.file.path.name, "lines") as moved,
                _stopping(stop),
            ):
                total = self.connector.file.lines
                runner.run(self.connector, sender, cursors, stop=stop, delivered=lambda _batch: moved(self.connector.line, total))
        finally:
            cursors.close()

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
                    "refused_before": self.refused_before,
                    "without_event": tally.silent,
                },
                "left_out": dict(tally.left_out),
                "corrected_times": dict(tally.corrected),
                "events": {"sent": events, "repeated_in_file": tally.repeated, "outside_bounds": tally.outside},
                "worker": {"refused": self.refused_by_worker, "records_left": self.left},
                "problems_file": str(self._problem_path) if (tally.refused or self.refused_before) and not dry_run else None,
                "notes": [*self.connector.file.notes, *self.connector.warnings()],
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
        typer.echo(f"{self.connector.file.path}: {_counted(tally.rows, 'row')}, {_counted(sum(events.values()), 'event')}{sent}")
        for kind, count in events.items():
            typer.echo(f"  {count:>10,}  {kind}")
        listed = "" if dry_run else f"; listed in {self._problem_path}"
        for count, one, more, rest in (
            (tally.skipped, "row was", "rows were", " delivered by an earlier run"),
            (tally.repeated, "event stands", "events stand", " on several rows and counts once"),
            (tally.outside, "event was", "events were", " left out: the time lies outside the mapping's bounds"),
            (tally.silent, "row", "rows", " gave no event"),
            (self.refused_before, "row was", "rows were", f" refused by an earlier run{listed}"),
            (tally.refused, "row was", "rows were", f" refused{listed}"),
            (
                self.refused_by_worker,
                "event was",
                "events were",
                " refused by the worker meanwhile: see `contactmeter rejects list`",
            ),
            (self.left, "record was", "records were", " not stored yet: see `contactmeter status` and `contactmeter logs worker`"),
        ):
            if count:
                typer.echo(f"  {count:>10,}  {one if count == 1 else more}{rest}")
        for rules, counts, what in (
            (self._mapping.leave_out, tally.left_out, "left out"),
            (self._mapping.clocks, tally.corrected, "with corrected times"),
        ):
            for rule in rules:
                if counts[rule.name]:
                    typer.echo(
                        f"  {counts[rule.name]:>10,}  {'row' if counts[rule.name] == 1 else 'rows'} {what} by {rule.name}: {rule.because}"
                    )
        for warning in self.connector.warnings():
            typer.echo(f"{self.connector.file.place}: {warning}", err=True)
        if tally.skipped:
            again = "--from-start sends everything again (nothing is counted twice)"
            typer.echo(f"nothing new to send; {again}" if tally.skipped == tally.rows else again)
        if self.stopped:
            typer.echo("stopped; the same command goes on after the last row delivered")

    def _note(self, problem: Problem) -> None:
        if len(self._first_problems) < SHOWN_PROBLEMS:
            self._first_problems.append(problem)
        if self._problem_file is not None:
            self._problem_file.write(problem)

    @contextmanager
    def _progress(self, what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
        """Gives a function that shows how many are done, of how many."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
        with Progress(*columns, console=self._say, disable=self._as_json or not self._say.is_terminal) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


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
