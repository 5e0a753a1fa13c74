"""`contactmeter measures`: what happened in a period, by channel or another split, what is open, and what today will bring."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, cast, get_args
from zoneinfo import ZoneInfo

import typer

from pipeline.cli import endpoints
from pipeline.cli.asked import instant_of, open_views, organisation_of
from pipeline.cli.measures_words import WORDS, printed
from pipeline.rolling import WINDOWS
from pipeline.store.measures import Dimension, MeasureViews, Row
from schemas.errors import InvalidConfiguration

PERIODS = (*WINDOWS, "quarter")
_MINUTE = timedelta(minutes=1)


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(measures)


def measures(
    organisation: Annotated[str, typer.Argument(help="Its slug. Default: the only one there is.")] = "",
    at: Annotated[
        str, typer.Option(help="An instant: local time (2026-03-31T17:40), a day, UTC (2026-03-31T15:40Z), or `last`. Default: now.")
    ] = "",
    period: Annotated[str, typer.Option(help=f"The period that ends then: {', '.join(WINDOWS)}, or quarter (so far).")] = "24h",
    by: Annotated[str, typer.Option(help="Split by via, product, team or location instead of by channel.")] = "",
    channel: Annotated[str, typer.Option("--channel", "-c", help="Only this channel.")] = "",
    lang: Annotated[str, typer.Option(help="nl or en.")] = "nl",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: every column of the views.")] = False,
) -> None:
    """Contacts, waits, handling times, call-backs, first-contact resolution, what is open, and what is still expected today."""
    with open_views() as views:
        check(lang, period, by)
        name, settings = organisation_of(views, organisation)
        moment = minute_of(instant_of(at, settings["zone"], views, name) or datetime.now(UTC))
        with closing(MeasureViews(endpoints.connection(endpoints.settings()), name)) as found:
            document = document_of(found, settings, moment, period, cast("Dimension", by), channel)
    if as_json:
        typer.echo(as_document(document))
        return
    for line in printed(document, settings, WORDS[lang]):
        typer.echo(line)


def check(lang: str, period: str = "24h", by: str = "") -> None:
    """Raises InvalidConfiguration for what can't be asked."""
    if lang not in WORDS:
        raise InvalidConfiguration(f"--lang {lang!r}: write nl or en")
    if period not in PERIODS:
        raise InvalidConfiguration(f"--period {period!r} is none of {', '.join(PERIODS)}")
    if by not in get_args(Dimension):
        raise InvalidConfiguration(f"--by {by!r} is none of {', '.join(get_args(Dimension)[1:])}")


def as_document(content: dict[str, Any]) -> str:
    """JSON for programs; moments in UTC."""

    def told(value: date) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value.isoformat()

    return json.dumps(content, indent=1, ensure_ascii=False, default=told)


def minute_of(moment: datetime) -> datetime:
    """The end of the minute of an instant, as windows have it; in UTC, so that a difference is the time that passed."""
    moment = moment.astimezone(UTC)
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + _MINUTE


def since_of(at: datetime, period: str, zone: str) -> datetime:
    """The moment after which a period that ends at `at` begins."""
    if period in WINDOWS:
        return at - WINDOWS[period] * _MINUTE
    local = at.astimezone(ZoneInfo(zone))
    return datetime(local.year, (local.month - 1) // 3 * 3 + 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(milliseconds=1)


def document_of(
    views: MeasureViews, settings: dict[str, Any], at: datetime, period: str, by: Dimension, channel: str = ""
) -> dict[str, Any]:
    """Everything that is told, by the names of views and columns; `channel` "" is all."""
    since = since_of(at, period, str(settings["zone"]))

    def chosen(rows: list[Row]) -> list[Row]:
        """Split by a dimension: of one channel, or of all together; else every channel and all together."""
        kept = [row for row in rows if (row["channel"] == channel if by or channel else True)]
        return sorted(kept, key=lambda row: (-row.get("contacts", 0), row["cell"]) if by else (not row["channel"], row["channel"]))

    def of_channel(rows: list[Row]) -> Iterator[Row]:
        return (row for row in rows if row["channel"] in ("", channel) or not channel)

    products = [row for row in views.window("v_measures", since, at, "product") if row["channel"] == channel and row["cell"]]
    return {
        "organisation": settings["organisation"],
        "simulated": bool(settings["simulated"]),
        "period": period,
        "since": since,
        "at": at,
        "by": by,
        "channel": channel,
        "repeat_days": settings["repeat_days"],
        "measures": chosen(views.window("v_measures", since, at, by)),
        "ways_out": sorted(of_channel(views.window("v_ways_out", since, at, "")), key=lambda row: (row["channel"], row["way"])),
        "repeats": chosen(views.window("v_repeats", since, at, by)),
        "open": chosen(views.open(at, by)),
        "expected": sorted(of_channel(views.moment("v_expected", at)), key=lambda row: (not row["channel"], row["channel"])),
        "products": [
            {"product": row["cell"], "contacts": row["contacts"]}
            for row in sorted(products, key=lambda row: (-row["contacts"], row["cell"]))[:5]
            if row["contacts"]
        ],
        "norms": sorted(
            (row for row in of_channel(views.moment("v_norm_times", at)) if row["period"] in (period, quarter_of(at, settings))),
            key=lambda row: (row["norm"], row["channel"], row["period"]),
        ),
        "inhabitants": [row for row in views.moment("v_per_inhabitants", at) if row["channel"] == channel],
        "roles": [row for row in views.standing("v_roles") if row["role"] != "counts"],
    }


def quarter_of(at: datetime, settings: dict[str, Any]) -> str:
    """The local quarter of an instant, `2026-Q1`."""
    local = at.astimezone(ZoneInfo(str(settings["zone"])))
    return f"{local.year}-Q{(local.month + 2) // 3}"
