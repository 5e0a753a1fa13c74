"""A telecom call centre: 5,000 calls of 2021-Q1, telephone only, a rating on every answered call, no time zone (taken as UTC).

Opened and queued at Date and Time, answered after the speed of answer, closed after the talk time; the rating is given when the call
closes. A call that nobody answered has no end time: it is abandoned at the opening instant, its wait unknown.
"""

import polars as pl

from .common import INSTANT, Source, contact_table, judge, read

FILE = "pwc_calls.csv"


def load() -> Source:
    raw = read(FILE)
    clock = pl.col("AvgTalkDuration").str.split(":").list.eval(pl.element().cast(pl.Int64))
    talk = pl.duration(hours=clock.list.get(0), minutes=clock.list.get(1), seconds=clock.list.get(2))
    wait = pl.duration(seconds=pl.col("Speed of answer in seconds").cast(pl.Int64))
    calls = (
        raw.with_columns(
            contact=pl.col("Call Id"),
            channel=pl.lit("telephone"),
            opened=(pl.col("Date") + " " + pl.col("Time").str.zfill(8)).str.to_datetime("%Y-%m-%d %H:%M:%S", time_zone="UTC"),
            taken=pl.col("Answered (Y/N)") == "Y",
        )
        .with_columns(
            answered=pl.when("taken").then(pl.col("opened") + wait),
            closed=pl.when("taken").then(pl.col("opened") + wait + talk),
            abandoned=pl.when(~pl.col("taken")).then("opened"),
        )
        .with_columns(pl.col("opened", "answered", "closed", "abandoned").cast(INSTANT))
    )
    contacts = contact_table(calls)
    deadline = contacts["opened"].dt.offset_by("60s")
    outcomes = pl.concat(
        [
            judge(contacts, "telephone_60s_answered", "opened", "answered", deadline),
            judge(contacts, "telephone_60s_offered", "opened", "answered", deadline, abandoned_is_late=True),
        ]
    )
    ratings = calls.filter(pl.col("Satisfaction rating").is_not_null()).select(
        "contact", "channel", aspect=pl.lit(""), at="closed", grade=pl.col("Satisfaction rating").cast(pl.Int64) * 1000
    )
    return Source("pwc", "UTC", contacts, outcomes, ratings)
