"""`contactmeter open`: the contacts that wait, that are or will be late, and the call-backs to do, with the way to each."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from pipeline.cli import endpoints
from pipeline.cli.asked import instant_of, open_views, organisation_of
from pipeline.cli.measures import as_document, check
from pipeline.cli.measures_words import WORDS, Words, heading, named
from pipeline.cli.table import aligned
from pipeline.numbers import number_text
from pipeline.store.measures import MeasureViews, Row

_DEADLINES = {
    "overdue": ("overdue_since", "overdue_norms"),
    "today": ("next_deadline", "today_norms"),
    "callbacks": ("callback_due", ""),
    "waiting": ("next_deadline", ""),
}
"""Per section the columns of the deadline that is shown and of its norms."""


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command("open")(open_contacts)


def open_contacts(
    organisation: Annotated[str, typer.Argument(help="Its slug. Default: the only one there is.")] = "",
    at: Annotated[str, typer.Option(help="An instant, as for `measures`. Default: now.")] = "",
    channel: Annotated[str, typer.Option("--channel", "-c", help="Only this channel.")] = "",
    team: Annotated[str, typer.Option(help="Only this team.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many contacts of each kind.")] = 20,
    lang: Annotated[str, typer.Option(help="nl or en.")] = "nl",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: every contact and column.")] = False,
) -> None:
    """Contacts that are overdue, will be today, wait, or must be called back, the most urgent first."""
    with open_views() as views:
        check(lang)
        name, settings = organisation_of(views, organisation)
        moment = instant_of(at, settings["zone"], views, name) or datetime.now(UTC)
        with closing(MeasureViews(endpoints.connection(endpoints.settings()), name)) as found:
            rows = [row for row in found.moment("v_open_contacts", moment) if channel in ("", row["channel"]) and team in ("", row["team"])]
            counted = [row for row in found.open(moment, "team" if team else "") if row["channel"] == channel and row["cell"] == team]
    sections = sections_of(rows)
    hidden = sum(row["open"] for row in counted) - sum(row["open"] for row in rows)
    document = {"simulated": bool(settings["simulated"]), "at": moment, "channel": channel, "confidential": hidden}
    if as_json:
        typer.echo(as_document({"organisation": name, **document, **sections}))
        return
    words = WORDS[lang]
    typer.echo(heading(document, settings, words, words.open[0]))
    for section, contacts in sections.items():
        typer.echo(f"\n{words.sections[section]}: {number_text(len(contacts), words)}")
        for line in lines_of(contacts[:limit], section, settings, words) if contacts else ():
            typer.echo(line)
        if len(contacts) > limit:
            typer.echo(f"  {words.more.format(len(contacts) - limit)}")
    if hidden:
        typer.echo(f"\n{words.confidential.format(number_text(hidden, words))}")


def sections_of(rows: list[Row]) -> dict[str, list[Row]]:
    """Each contact under the most urgent of overdue, today and waiting, and besides under callbacks when it must be called back."""
    late = [row for row in rows if row["overdue_norms"]]
    today = [row for row in rows if row["today_norms"] and not row["overdue_norms"]]
    waiting = [row for row in rows if row["waiting"] and not row["overdue_norms"] and not row["today_norms"]]
    callbacks = [row for row in rows if row["callback_to_do"]]
    return {
        "overdue": sorted(late, key=lambda row: row["overdue_since"]),
        "today": sorted(today, key=lambda row: row["next_deadline"]),
        "callbacks": sorted(callbacks, key=lambda row: (row["callback_due"] or row["callback_open_at"], row["contact"])),
        "waiting": sorted(waiting, key=lambda row: row["opened_at"]),
    }


def lines_of(contacts: list[Row], section: str, settings: dict[str, Any], words: Words) -> list[str]:
    """A table of contacts."""
    zone = ZoneInfo(str(settings["zone"]))

    def local(moment: datetime | None) -> str:
        return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"

    due, norms = _DEADLINES[section]
    return list(
        aligned(
            words.listed,
            [
                [
                    f"{row['system']}/{row['contact']}", named(row["channel"], words), row["team"], row["product"],
                    local(row["callback_open_at"] if section == "callbacks" else row["opened_at"]), local(row[due]),
                    ", ".join(row[norms]) if norms else "", row["url"],
                ]
                for row in contacts
            ],
            8,
        )
    )  # fmt: skip
