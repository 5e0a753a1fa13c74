"""Permit intake of a Dutch municipality: 1,434 cases on 8,577 event rows, 2010-10 to 2012-01, every time with its offset.

One contact a case. Acknowledged = the activity `Confirmation of receipt` (once in every case), closed = enddate. Norms: `decision`
against the given deadline, and `acknowledged_1wd`: by the end of the first working day after the local start date.
"""

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl

from .common import INSTANT, Source, contact_table, judge, no_ratings, read

FILE = "wabo_receipt.csv.gz"
ZONE = "Europe/Amsterdam"
AS_OF = datetime(2012, 1, 23, 15, 42, 54, 644_000, tzinfo=timezone(timedelta(hours=1)))
CHANNELS = {"Internet": "form", "Desk": "counter", "Post": "letter", "e-mail": "email", "Intern": "form"}
END_OF_DAY = time(23, 59, 59, 999_000)

# Written out by hand: public holidays on which the municipality is closed. 5 May is one in every fifth year only, so in 2010.
CLOSING_DAYS = {
    date(2010, 1, 1): "New Year",
    date(2010, 4, 2): "Good Friday",
    date(2010, 4, 5): "Easter Monday",
    date(2010, 4, 30): "Queen's Day",
    date(2010, 5, 5): "Liberation Day",
    date(2010, 5, 13): "Ascension",
    date(2010, 5, 24): "Whit Monday",
    date(2010, 12, 25): "Christmas",
    date(2010, 12, 26): "Boxing Day",
    date(2011, 1, 1): "New Year",
    date(2011, 4, 22): "Good Friday",
    date(2011, 4, 25): "Easter Monday",
    date(2011, 4, 30): "Queen's Day",
    date(2011, 6, 2): "Ascension",
    date(2011, 6, 13): "Whit Monday",
    date(2011, 12, 25): "Christmas",
    date(2011, 12, 26): "Boxing Day",
    date(2012, 1, 1): "New Year",
    date(2012, 4, 6): "Good Friday",
    date(2012, 4, 9): "Easter Monday",
    date(2012, 4, 30): "Queen's Day",
    date(2012, 5, 17): "Ascension",
    date(2012, 5, 28): "Whit Monday",
    date(2012, 12, 25): "Christmas",
    date(2012, 12, 26): "Boxing Day",
}


def next_working_day(day: date) -> date:
    """The first day after `day` that is Monday to Friday and no closing day."""
    day += timedelta(days=1)
    while day.weekday() >= 5 or day in CLOSING_DAYS:
        day += timedelta(days=1)
    return day


def end_of_next_working_day(start: datetime) -> datetime:
    """23:59:59.999 local time of the first working day after the local date of `start`."""
    zone = ZoneInfo(ZONE)
    return datetime.combine(next_working_day(start.astimezone(zone).date()), END_OF_DAY, zone)


def load() -> Source:
    def instant(column: str) -> pl.Expr:
        return pl.col(column).str.to_datetime("%Y-%m-%d %H:%M:%S%.f%:z", time_zone="UTC").cast(INSTANT)

    # Case attributes are the same on all rows of a case, so the row of the confirmation carries them all.
    cases = read(FILE).filter(pl.col("concept:name") == "Confirmation of receipt")
    cases = cases.with_columns(
        contact=pl.col("case:concept:name"),
        channel=pl.col("case:channel").replace_strict(CHANNELS),
        via=pl.when(pl.col("case:channel") == "Intern").then(pl.lit("intern")).otherwise(pl.lit("")),
        opened=instant("case:startdate"),
        acknowledged=instant("time:timestamp"),
        closed=instant("case:enddate"),
        due=instant("case:deadline"),
    )
    contacts = contact_table(cases)
    confirm_by = pl.Series([end_of_next_working_day(start) for start in contacts["opened"]], dtype=INSTANT)
    outcomes = pl.concat(
        [
            judge(contacts, "decision", "opened", "closed", cases["due"]),
            judge(contacts, "acknowledged_1wd", "opened", "acknowledged", confirm_by),
        ]
    )
    return Source("wabo", ZONE, contacts, outcomes, no_ratings())
