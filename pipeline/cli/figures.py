"""`contactmeter figures` and `contactmeter quarters`: what the views say, in the terminal."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from pipeline.cli import endpoints
from pipeline.cli.overview import STYLES, overview
from pipeline.report import Line, quarter_lines, rolling_lines, shown
from pipeline.rolling import WINDOWS, is_share
from pipeline.store.client import Unavailable
from pipeline.store.reads import Views
from schemas.errors import ContactmeterError, InvalidConfiguration

OrganisationOption = Annotated[str, typer.Option("--organisation", "-o", help="Slug of the organisation. Default: the only one there is.")]
ChannelOption = Annotated[str, typer.Option("--channel", "-c", help="Only this channel.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: one JSON document.")]
AtOption = Annotated[
    str,
    typer.Option(help="An instant: 2021-03-31T17:40:00Z, or local time without zone, or `last` event. Default: now, as the worker saw it."),
]
_ATTAINMENT = {"met": "✓ met", "not_met": "✗ not met", "too_few": "· too few", "": ""}


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    app.command()(figures)
    app.command()(quarters)


def figures(
    organisation: OrganisationOption = "",
    channel: ChannelOption = "",
    at: AtOption = "",
    window: Annotated[str, typer.Option(help=f"Only this window: {', '.join(WINDOWS)}.")] = "",
    watch: Annotated[float, typer.Option(help="Show again every so many seconds until Ctrl-C; 0 shows once.")] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Rolling figures per channel and measure: n, value, 95 % interval, target, attainment."""
    if window and window not in WINDOWS:
        _fail(f"window {window!r} is none of {', '.join(WINDOWS)}")
    with _views() as views:

        def current() -> tuple[str, list[Line]]:
            name, settings = _organisation(views, organisation)
            moment = _instant(at, settings["zone"], views, name)
            rows = views.rolling_at(name, moment) if moment else views.rolling(name)
            targets = views.targets(name, _local_date(moment or datetime.now(UTC), settings))
            lines = rolling_lines(rows, targets, int(settings["minimum_n"]))
            found = [line for line in lines if channel in ("", line.group) and window in ("", line.period)]
            as_of = moment or max((row.as_of for row in rows), default=None)
            return heading_of(name, settings, as_of), found

        if as_json:
            heading, found = current()
            typer.echo(json.dumps({"title": heading, "figures": [line.as_json() for line in found]}, indent=1))
        elif watch:
            _watch(current, watch)
        else:
            console_of_output().print(_table(*current(), period="window"))


def quarters(
    organisation: OrganisationOption = "",
    channel: ChannelOption = "",
    at: AtOption = "",
    by: Annotated[
        str, typer.Option(help="`judged`: the quarter in which a thing counts; `opened`: that in which its contact was opened.")
    ] = "judged",
    split: Annotated[str, typer.Option(help="`via` splits each channel by how contacts came in.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Counts, norm shares and mean satisfaction per quarter and channel."""
    if by not in ("judged", "opened"):
        _fail(f"--by {by!r}: write judged or opened")
    if split not in ("", "via"):
        _fail(f"--split {split!r}: the only split is via")
    with _views() as views:
        name, settings = _organisation(views, organisation)
        moment = _instant(at, settings["zone"], views, name) or datetime.now(UTC)
        sums = views.quarter_sums(name, moment, by == "opened", split == "via")
        outcomes = views.quarter_outcomes(name, moment, by == "opened", split == "via")
        today = _local_date(moment, settings)
        targets = {
            quarter: views.targets(name, min(_last_day(quarter), today))
            for quarter in {row.quarter for row in sums} | {row.quarter for row in outcomes}
        }
        lines = quarter_lines(sums, outcomes, targets, int(settings["minimum_n"]))
        found = [line for line in lines if channel in ("", line.group.split(" via ")[0])]
        heading = heading_of(name, settings, moment)
        if as_json:
            typer.echo(json.dumps({"title": heading, "by": by, "quarters": [line.as_json() for line in found]}, indent=1))
        else:
            console_of_output().print(_table(heading, found, period="quarter"))


def _local_date(moment: datetime, settings: dict[str, Any]) -> date:
    return moment.astimezone(ZoneInfo(str(settings["zone"]))).date()


def _last_day(quarter: str) -> date:
    """The last day of `2026-Q1`."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return date(year + number // 4, number * 3 % 12 + 1, 1) - timedelta(days=1)


@contextmanager
def _views() -> Iterator[Views]:
    """The views, with errors told to the person at the terminal."""
    try:
        views = Views(endpoints.connection(endpoints.settings()))
    except Unavailable as error:
        _fail(
            f"{error}\nIs the stack running? Start it with `contactmeter up`, or name yours in CONTACTMETER_CLICKHOUSE_HOST, …_HTTP_PORT.",
            1,
        )
    except InvalidConfiguration as error:
        _fail(str(error))
    try:
        yield views
    except ContactmeterError as error:
        _fail(str(error), 1)
    finally:
        views.close()


def _fail(message: str, code: int = 2) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def _organisation(views: Views, wanted: str) -> tuple[str, dict[str, Any]]:
    known = views.organisations()
    if wanted in known:
        return wanted, known[wanted]
    if not wanted and len(known) == 1:
        return next(iter(known.items()))
    names = ", ".join(known) or "none yet: start the worker with an organisation's file"
    raise InvalidConfiguration(
        f"there is no organisation {wanted!r}; known: {names}" if wanted else f"name one with --organisation; known: {names}"
    )


def _instant(text: str, zone: object, views: Views, name: str) -> datetime | None:
    """An instant given on the command line; None for "as the worker saw it"."""
    if not text:
        return None
    if text == "last":
        last = views.last_event(name)
        if last is None:
            raise InvalidConfiguration(f"{name} has no events yet")
        return last
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidConfiguration(f"--at {text!r} is no instant; write 2021-03-31T17:40:00Z or `last`") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(str(zone)))


def heading_of(name: str, settings: dict[str, Any], as_of: datetime | None) -> str:
    """The line above a table: whose figures, simulated or not, and of when in local time. A moment without zone is UTC."""
    if as_of is not None and as_of.tzinfo is None:
        as_of = as_of.replace(tzinfo=UTC)
    local = as_of.astimezone(ZoneInfo(str(settings["zone"]))) if as_of else None
    when = f"as of {local:%Y-%m-%d %H:%M} ({settings['zone']})" if local else "no figures yet"
    simulated = " · SIMULATED" if settings["simulated"] and "simul" not in str(settings["title_en"]).lower() else ""
    return f"{settings['title_en']} ({name}){simulated} · {when}"


def _table(heading: str, lines: Sequence[Line], period: str) -> Table:
    """One table, with a heading row for each channel (and quarter), so that it fits a terminal of 80 columns."""
    rolling = period == "window"
    table = Table(
        title=heading,
        title_justify="left",
        caption=None if lines else "nothing measured yet",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("measure", overflow="fold", min_width=20)
    if rolling:
        table.add_column("window", no_wrap=True)
    for name in ("n", "value", "95 % interval", "target"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    with_notes = any(line.notes for line in lines)
    if with_notes:
        table.add_column("of which", overflow="fold", min_width=16)
    group = measure = ""
    for line in lines:
        here = line.group if rolling else f"{line.period} {line.group}"
        if here != group:
            table.add_section()
            table.add_row(here, style="bold")
            group, measure = here, ""
        name = "" if rolling and line.measure == measure else line.measure
        measure = line.measure
        interval = "" if line.low is None else f"{shown(line.low, line.measure)} – {shown(line.high, line.measure)}"
        target = "" if line.target is None else f"{line.target:.0%}" if is_share(line.measure) else f"{line.target:g}"
        cells = [f"  {name}", *([line.period] if rolling else []), f"{line.n:,}", shown(line.value, line.measure), interval, target]
        cells.append(_ATTAINMENT[line.attainment])
        if with_notes:
            cells.append(", ".join(f"{count:,} {reason}" for reason, count in line.notes.items()))
        table.add_row(*cells, style=STYLES.get(line.attainment))
    return table


def console_of_output() -> Console:
    """The terminal; a file or pipe gets lines wide enough for every column."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


def _watch(lines: Callable[[], tuple[str, list[Line]]], every_s: float) -> None:
    """Show all windows again and again, in place on a terminal, one after the other elsewhere."""
    console = console_of_output()

    def screen() -> Table:
        return overview(*lines(), brief=False, width=console.width)

    try:
        if console.is_terminal:
            with Live(screen(), console=console, auto_refresh=False, vertical_overflow="visible") as live:
                while True:
                    time.sleep(every_s)
                    live.update(screen(), refresh=True)
        while True:
            console.print(screen())
            time.sleep(every_s)
    except KeyboardInterrupt:
        return
