"""City service requests: 10,000 of 2014 to 2019, local times without offset, a due date on most; duplicates by status count.

One channel, public_space; how a request came in is `via`. The norm `handled` runs from creation to close against the given due date.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from .common import Source, contact_table, judge, local, no_ratings, read

FILE = "baltimore_311.csv"
ZONE = "America/New_York"
AS_OF = datetime(2019, 2, 13, 16, 18, 56, tzinfo=ZoneInfo(ZONE))


def load() -> Source:
    def instant(column: str) -> pl.Expr:
        return local(pl.col(column).str.to_datetime("%m/%d/%Y %I:%M:%S %p"), ZONE)

    requests = read(FILE).with_columns(
        contact=pl.col("SRRecordID"),
        channel=pl.lit("public_space"),
        via=pl.col("MethodReceived").str.to_lowercase(),
        opened=instant("CreatedDate"),
        closed=instant("CloseDate"),
        due=instant("DueDate"),
    )
    contacts = contact_table(requests)
    return Source("baltimore", ZONE, contacts, judge(contacts, "handled", "opened", "closed", requests["due"]), no_ratings())
