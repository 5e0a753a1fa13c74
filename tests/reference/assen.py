"""A city's reports of public space: 2,899 of 2025-04 to 2026-08, folded from 83 daily snapshots of what was open into 3,024 rows.

Rows with the same time of creation are one report that was moved to another category. It is closed when it is gone for good: on the day
after the last snapshot that shows any of its rows, or on that very day where the file says that it went then; open when the last snapshot
shows it. Days stand at 23:59. Only reports made since the first snapshot are judged: of the earlier ones only the slow are in the file.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from .common import INSTANT, Source, contact_table, judge, no_ratings, read

FILE = "assen_meldingen.csv"
ZONE = "Europe/Amsterdam"
FIRST_SNAPSHOT, LAST_SNAPSHOT = date(2026, 5, 18), date(2026, 8, 8)
AS_OF = datetime(2026, 8, 8, 23, 59, tzinfo=ZoneInfo(ZONE))
WORKING_DAYS = 5
# Written out by hand: the public holidays of the time in which deadlines lie (5 May is one every fifth year, so not in 2026).
HOLIDAYS = {date(2026, 5, 25): "Whit Monday"}


def end_of_day(day: pl.Expr) -> pl.Expr:
    return (
        (day.cast(pl.Datetime("ms")) + pl.duration(hours=23, minutes=59))
        .dt.replace_time_zone(ZONE)
        .dt.convert_time_zone("UTC")
        .cast(INSTANT)
    )


def term(opened: datetime) -> datetime:
    """The end of the fifth working day after the local day of the opening."""
    day, left = opened.astimezone(ZoneInfo(ZONE)).date(), WORKING_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5 and day not in HOLIDAYS
    return datetime.combine(day, time(23, 59, 59, 999_000), ZoneInfo(ZONE))


def reports() -> pl.DataFrame:
    """One row a report: contact, opened, seen_last, gone (day), rows, product (the last category), came_back."""
    rows = read(FILE).with_columns(
        *(pl.col(name).str.to_date() for name in ("first_seen", "last_seen", "resolved_date")),
        opened=pl.col("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_zone="UTC").cast(INSTANT),
    )
    final = rows.sort("created_at", "last_seen", "first_seen", "id").group_by("created_at", maintain_order=True).last()
    counted = final.join(rows.group_by("created_at").len("rows"), on="created_at")
    shown_last = pl.col("last_seen") == LAST_SNAPSHOT
    return counted.select(
        contact="created_at",
        opened="opened",
        rows="rows",
        product="subcategory",
        gone=pl.when(pl.col("resolved_date") == pl.col("last_seen"))
        .then("last_seen")
        .when(~shown_last)
        .then(pl.col("last_seen") + pl.duration(days=1)),
        came_back=(pl.col("resolved_date") < pl.col("last_seen")) & (pl.col("rows") == 1),
    )


def load() -> Source:
    found = reports().with_columns(channel=pl.lit("public_space"), closed=end_of_day(pl.col("gone")))
    contacts = contact_table(found)
    watched = contacts.filter(pl.col("opened").dt.convert_time_zone(ZONE).dt.date() >= FIRST_SNAPSHOT)
    deadlines = pl.Series([term(opened) for opened in watched["opened"]], dtype=INSTANT)
    return Source("assen", ZONE, contacts, judge(watched, "handled_5wd", "opened", "closed", deadlines), no_ratings())
