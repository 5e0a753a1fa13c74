"""`contactmeter figures` and `contactmeter quarters`: what the views say, in the terminal."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType
from rich.live import Live

from pipeline.cli.asked import aware, heading_of, instant_of, local_date, local_text, open_views, organisation_of
from pipeline.cli.overview import in_brief, overview, questionnaires_of
from pipeline.cli.satisfaction_words import WORDS, marker_text
from pipeline.cli.stack import fail
from pipeline.cli.table import console_of_output, figure_table
from pipeline.report import Line, quarter_lines, rolling_lines
from pipeline.rolling import LONGEST, WINDOWS
from pipeline.store.markers import Marker
from pipeline.store.reads import Views
from schemas.errors import InvalidConfiguration

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
        fail(f"window {window!r} is none of {', '.join(WINDOWS)}", 2)
    with open_views() as views:
        name, settings = organisation_of(views, organisation)

        def current() -> _Found:
            moment = instant_of(at, settings["zone"], views, name)
            rows = views.rolling_at(name, moment) if moment else views.rolling(name)
            targets = views.targets(name, local_date(moment or datetime.now(UTC), settings))
            lines = rolling_lines(rows, targets, int(settings["minimum_n"]))
            found = [line for line in lines if channel in ("", line.group) and window in ("", line.period)]
            as_of = moment or max((row.as_of for row in rows), default=None)
            end = aware(as_of or datetime.now(UTC))
            markers = views.markers(name, end - timedelta(minutes=WINDOWS.get(window, LONGEST)), end)
            return _Found(heading_of(name, settings, as_of), as_of, found, [one for one in markers if one.concerns(channel)])

        first = current()
        if channel and not first.lines:
            _check_channel(views, name, channel)
        if as_json:
            typer.echo(first.as_json(name, figures=first.lines))
        elif watch:
            _watch(current, watch, brief=not every_aspect)
        elif first.lines:
            shown_lines = [line for line in first.lines if every_aspect or in_brief(line)]
            console_of_output().print(figure_table(first.heading, shown_lines, period="window"))
            _say_left_out(first.lines, shown_lines)
            first.say_markers(settings)
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
        fail(f"--by {by!r}: write judged or opened", 2)
    if split not in ("", "via"):
        fail(f"--split {split!r}: the only split is via", 2)
    with open_views() as views:
        name, settings = organisation_of(views, organisation)
        moment = instant_of(at, settings["zone"], views, name) or datetime.now(UTC)
        sums = views.quarter_sums(name, moment, by == "opened", split == "via")
        outcomes = views.quarter_outcomes(name, moment, by == "opened", split == "via")
        today = local_date(moment, settings)
        targets = {
            quarter: views.targets(name, min(_last_day(quarter), today))
            for quarter in {row.quarter for row in sums} | {row.quarter for row in outcomes}
        }
        lines = quarter_lines(sums, outcomes, targets, int(settings["minimum_n"]))
        found = [line for line in lines if channel in ("", line.group.split(" via ")[0])]
        if channel and not found:
            _check_channel(views, name, channel)
        heading = heading_of(name, settings, moment)
        begin = min((_first_day(line.period) for line in found), default=today)
        start = datetime(begin.year, begin.month, begin.day, tzinfo=ZoneInfo(str(settings["zone"])))
        markers = [one for one in views.markers(name, start, moment) if one.concerns(channel)]
        everything = _Found(heading, moment, found, markers)
        if as_json:
            typer.echo(everything.as_json(name, by=by, quarters=found))
        else:
            shown_lines = [line for line in found if every_aspect or in_brief(line)]
            console_of_output().print(figure_table(heading, shown_lines, period="quarter"))
            _say_left_out(found, shown_lines)
            everything.say_markers(settings)


class _Found(NamedTuple):
    """What was asked for: the line above it, the instant it holds for, and the figures."""

    heading: str
    as_of: datetime | None
    lines: list[Line]
    markers: Sequence[Marker] = ()

    def as_json(self, organisation: str, **content: object) -> str:
        """One document for programs; `as_of` in UTC."""
        as_of = None if self.as_of is None else _text(self.as_of)
        markers = [
            {name: _text(value) if isinstance(value, datetime) else value for name, value in one._asdict().items()} for one in self.markers
        ]
        document = {"title": self.heading, "organisation": organisation, "as_of": as_of, **content, "markers": markers}
        return json.dumps(document, indent=1, default=Line.as_json)

    def say_markers(self, settings: dict[str, Any]) -> None:
        """What the figures carry."""
        for one in self.markers:
            typer.echo(f"! {marker_text(one, settings, WORDS['en'])}")


def _say_left_out(found: Sequence[Line], shown_lines: Sequence[Line]) -> None:
    """Name the questionnaires of which nothing is shown because they ask for no overall grade."""
    left = questionnaires_of(found) - questionnaires_of(shown_lines)
    if left:
        typer.echo(f"no overall grade in {', '.join(sorted(left))}: --all shows its aspects")


def _text(moment: datetime) -> str:
    return aware(moment).astimezone(UTC).isoformat().replace("+00:00", "Z")


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
    at = local_text(as_of or datetime.now(UTC), settings)
    return f"{name}: nothing in these windows at {at}; the data run from {min(quarters)} to {local_text(last, settings)}: try `--at last`."


def _first_day(quarter: str) -> date:
    """The first day of `2026-Q1`."""
    return date(int(quarter[:4]), 3 * int(quarter[-1]) - 2, 1)


def _last_day(quarter: str) -> date:
    """The last day of `2026-Q1`."""
    year, number = int(quarter[:4]), int(quarter[-1])
    return date(year + number // 4, number * 3 % 12 + 1, 1) - timedelta(days=1)


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
