"""Counter queues of three district offices, polled every five minutes from 2019-12-30 to 2020-01-22: observations, no contacts.

A fourth office is left out: its clock says 2012. UD_Zoliborz stamped 30 and 31 December 2019 as 2020; they are put a year back.
"""

import polars as pl

from .common import local, read

FILE = "warsaw_counters.csv.gz"
ZONE = "Europe/Warsaw"
LEFT_OUT = "UD_Srodmiescie_2"


def load(rows: int | None = None) -> pl.DataFrame:
    """One row a queue and poll: queue, at (UTC), waiting, counters_open, moved (whether the clock was corrected); of the first `rows`."""
    polls = read(FILE).head(rows if rows is not None else 200_000).filter(pl.col("name") != LEFT_OUT)
    ahead = (pl.col("name") == "UD_Zoliborz") & pl.col("date").str.starts_with("2020-12-")
    day = pl.when(ahead).then(pl.lit("2019") + pl.col("date").str.slice(4)).otherwise("date")
    return polls.select(
        queue=pl.col("name") + " " + pl.col("idGrupy") + " " + pl.col("nazwaGrupy"),
        at=local((day + " " + pl.col("time")).str.to_datetime("%Y-%m-%d %H:%M"), ZONE),
        waiting=pl.col("liczbaKlwKolejce").cast(pl.Int64),
        counters_open=pl.col("liczbaCzynnychStan").cast(pl.Int64),
        moved=ahead,
    )
