"""`contactmeter figures` and `contactmeter quarters`: what the views say, in the terminal."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from deploy.local import stack
from pipeline.cli import endpoints
from pipeline.cli.overview import STYLES, in_brief, label, overview, shown_target
from pipeline.report import Line, quarter_lines, rolling_lines, shown
from pipeline.rolling import WINDOWS
from pipeline.store.client import Unavailable
from pipeline.store.reads import Views
from schemas.errors import ContactmeterError, InvalidConfiguration

OrganisationOption = Annotated[str, typer.Option("--organisation", "-o", help="Slug of the organisation. Default: the only one there is.")]
ChannelOption = Annotated[str, typer.Option("--channel", "-c", help="Only this channel.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every aspect that people were asked for; without it only the overall grade.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: one JSON document, of every aspect.")]
AtOption = Annotated[
    str,
    typer.Option(
        help="An instant: local time (2021-03-31T17:40), the first moment of a day (2021-03-31), UTC (2021-03-31T15:40Z), or `last`: "
        "that of the last event. Default: now, as the worker saw it."
    ),
]
_ATTAINMENT = {"met": "✓ met", "not_met": "✗ not met", "too_few": "· too few", "": ""}
_CLICKHOUSE = ("CONTACTMETER_CLICKHOUSE_HOST", "CONTACTMETER_CLICKHOUSE_HTTP_PORT")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    app.command()(figures)
    app.command()(quarters)


def figures(
    organisation: OrganisationOption = "",
    channel: ChannelOption = "",
    at: AtOption = "",
    window: Annotated[str, typer.Option(help=f"Only this window: {', '.join(WINDOWS)}.")] = "",
    watch: Annotated[float, typer.Option(min=0, help="Show again every so many seconds until Ctrl-C; 0 shows once.")] = 0.0,
    every_aspect: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rolling figures per channel and measure: n, value, 95 % interval, target, attainment."""
    if window and window not in WINDOWS:
        _fail(f"window {window!r} is none of {', '.join(WINDOWS)}")
    with _views() as views:
        name, settings = _organisation(views, organisation)

        def current() -> _Found:
            moment = _instant(at, settings["zone"], views, name)
            rows = views.rolling_at(name, moment) if moment else views.rolling(name)
            targets = views.targets(name, _local_date(moment or datetime.now(UTC), settings))
            lines = rolling_lines(rows, targets, int(settings["minimum_n"]))
            found = [line for line in lines if channel in ("", line.group) and window in ("", line.period)]
            as_of = moment or max((row.as_of for row in rows), default=None)
            return _Found(heading_of(name, settings, as_of), as_of, found)

        first = current()
        if channel and not first.lines:
            _check_channel(views, name, channel)
        if as_json:
            typer.echo(first.as_json(name, figures=first.lines))
        elif watch:
            _watch(current, watch, brief=not every_aspect)
        elif first.lines:
            shown_lines = [line for line in first.lines if every_aspect or in_brief(line)]
            console_of_output().print(_table(first.heading, shown_lines, period="window"))
        else:
            typer.echo(_nothing(views, name, settings, first.as_of))


def quarters(
    organisation: OrganisationOption = "",
    channel: ChannelOption = "",
    at: AtOption = "",
    by: Annotated[
        str, typer.Option(help="`judged`: the quarter in which a thing counts; `opened`: that in which its contact was opened.")
    ] = "judged",
    split: Annotated[str, typer.Option(help="`via` splits each channel by how contacts came in.")] = "",
    every_aspect: AllOption = False,
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
        if channel and not found:
            _check_channel(views, name, channel)
        heading = heading_of(name, settings, moment)
        if as_json:
            typer.echo(_Found(heading, moment, found).as_json(name, by=by, quarters=found))
        else:
            shown_lines = [line for line in found if every_aspect or in_brief(line)]
            console_of_output().print(_table(heading, shown_lines, period="quarter"))


class _Found(NamedTuple):
    """What was asked for: the line above it, the instant it holds for, and the figures."""

    heading: str
    as_of: datetime | None
    lines: list[Line]

    def as_json(self, organisation: str, **content: object) -> str:
        """One document for programs; `as_of` in UTC."""
        as_of = None if self.as_of is None else _aware(self.as_of).astimezone(UTC).isoformat().replace("+00:00", "Z")
        document = {"title": self.heading, "organisation": organisation, "as_of": as_of, **content}
        return json.dumps(document, indent=1, default=Line.as_json)


def _check_channel(views: Views, name: str, channel: str) -> None:
    """InvalidConfiguration for a channel without any contact, when there are others."""
    known = sorted({row.group for row in views.quarter_sums(name, datetime.now(UTC), opened=False, via=False)})
    if known and channel not in known:
        raise InvalidConfiguration(f"{name} has no contacts of a channel {channel!r}; known: {', '.join(known)}")


def _nothing(views: Views, name: str, settings: dict[str, Any], as_of: datetime | None) -> str:
    """Why there is no figure: no data at all, or none in the windows that were asked for."""
    last = views.last_event(name)
    quarters = {row.quarter for row in views.quarter_sums(name, datetime.now(UTC), opened=False, via=False)}
    if last is None or not quarters:
        return f"{name} has no contacts yet."
    at = _local(as_of or datetime.now(UTC), settings)
    return f"{name}: nothing in these windows at {at}; the data run from {min(quarters)} to {_local(last, settings)}: try `--at last`."


def _local_date(moment: datetime, settings: dict[str, Any]) -> date:
    return moment.astimezone(ZoneInfo(str(settings["zone"]))).date()


def _last_day(quarter: str) -> date:
    """The last day of `2026-Q1`."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return date(year + number // 4, number * 3 % 12 + 1, 1) - timedelta(days=1)


@contextmanager
def _views() -> Iterator[Views]:
    """The views, with errors told to the person at the terminal."""
    place = stack.layout()
    if stack.running_pid(place) is None and not any(map(os.environ.get, _CLICKHOUSE)):
        _fail(f"no stack runs on {place.directory}; start it with `contactmeter up`, or name your ClickHouse in {_CLICKHOUSE[0]}", 1)
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())  # what the driver logs is said in full by the error
    try:
        with closing(Views(endpoints.connection(endpoints.settings()))) as views:
            yield views
    except Unavailable as error:
        text = str(error).partition(": ")[0]
        _fail(f"{text}; see `contactmeter status`, or name yours in {', '.join(_CLICKHOUSE)}", 1)
    except InvalidConfiguration as error:
        _fail(str(error))
    except ContactmeterError as error:
        _fail(str(error), 1)


def _fail(message: str, code: int = 2) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def _organisation(views: Views, wanted: str) -> tuple[str, dict[str, Any]]:
    known = views.organisations()
    if wanted in known:
        return wanted, known[wanted]
    if not wanted and len(known) == 1:
        return next(iter(known.items()))
    if not known:
        place = stack.layout().organisations
        _fail(f"No organisation is known yet. Load a file with its organisation.yaml beside the mapping, or put one in {place}.", 1)
    names = ", ".join(known)
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
        raise InvalidConfiguration(
            f"--at {text!r} is no instant; write 2021-03-31T17:40, 2021-03-31, 2021-03-31T15:40Z or `last`"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(str(zone)))


def heading_of(name: str, settings: dict[str, Any], as_of: datetime | None) -> str:
    """The line above a table: whose figures, simulated or not, and of when in local time. A moment without zone is UTC."""
    title = str(settings["title_en"])
    slug = "" if name in title.lower() else f" ({name})"
    simulated = " · SIMULATED" if settings["simulated"] and "simul" not in title.lower() else ""
    return f"{title}{slug}{simulated} · {f'as of {_local(as_of, settings)}' if as_of else 'no figures yet'}"


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _local(moment: datetime, settings: dict[str, Any]) -> str:
    """A moment as people read it; one without zone is UTC."""
    return f"{_aware(moment).astimezone(ZoneInfo(str(settings['zone']))):%Y-%m-%d %H:%M} {settings['zone']}"


def _table(heading: str, lines: Sequence[Line], period: str) -> RenderableType:
    """A line a figure, with a heading for each channel (and quarter), and under a figure what stands beside it: fits 80 columns."""
    rolling = period == "window"
    rows = [_cells(line, rolling) for line in lines]
    titles = ("  measure", *(["window"] if rolling else []), "n", "value", "95 % interval", "target", "")
    widths = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]

    def text(cells: Sequence[str], style: str = "") -> Text:
        texts = [
            cell + " " * (width - cell_len(cell)) if number in (0, len(widths) - 1) else " " * (width - cell_len(cell)) + cell
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return Text(" ".join(texts).rstrip(), style=style)

    parts: list[RenderableType] = [Text(heading, style="italic"), text(titles, "bold"), Text("─" * (sum(widths) + len(widths) - 1))]
    group = measure = ""
    for line, cells in zip(lines, rows, strict=True):
        here = line.group if rolling else f"{line.period} {line.group}"
        if here != group:
            parts += [Text(here, style="bold")]
            group, measure = here, ""
        parts.append(text(["", *cells[1:]] if rolling and line.measure == measure else cells, STYLES.get(line.attainment, "")))
        measure = line.measure
        if line.notes:
            notes = ", ".join(f"{count:,} {reason}" for reason, count in line.notes.items())
            parts.append(Padding(Text(f"of which {notes}", style="dim"), (0, 0, 0, 6), expand=False))
    return Group(*parts) if lines else Group(Text(heading, style="italic"), Text("nothing measured yet"))


def _cells(line: Line, rolling: bool) -> list[str]:
    interval = "" if line.low is None else f"{shown(line.low, line.measure)} – {shown(line.high, line.measure)}"
    return [
        f"  {label(line.measure)}",
        *([line.period] if rolling else []),
        f"{line.n:,}",
        shown(line.value, line.measure),
        interval,
        shown_target(line),
        _ATTAINMENT[line.attainment],
    ]


def console_of_output() -> Console:
    """The terminal; a file or pipe gets lines wide enough for every column."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


def _watch(found: Callable[[], _Found], every_s: float, brief: bool) -> None:
    """Show all windows again and again: a whole terminal that is left as it was, one table after the other elsewhere."""
    console = console_of_output()
    now = found()

    def screen() -> RenderableType:
        height = console.height if console.is_terminal else None
        return overview(now.heading, now.lines, brief, console.width, height)

    try:
        if console.is_terminal:
            with Live(get_renderable=screen, console=console, screen=True, refresh_per_second=2):
                while True:
                    time.sleep(every_s)
                    now = found()
        while True:
            console.print(screen())
            time.sleep(every_s)
            now = found()
    except KeyboardInterrupt:
        if console.is_terminal:
            console.print(screen())
