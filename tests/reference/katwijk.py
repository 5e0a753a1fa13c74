"""A municipality's reports of public space: 82,537 of 2017-12 to 2025-06, times in UTC, nothing of how they were handled.

One channel, public_space; how a report came in is `via`: nineteen names in the file, nine kinds here, and unknown for the 83 rows
without a name.
"""

import polars as pl

from .common import INSTANT, Source, contact_table, no_outcomes, no_ratings, read

FILE = "katwijk_fixi.csv.gz"
ZONE = "Europe/Amsterdam"
VIA = {
    "website": ("website", "e-form"),
    "telephone": ("telephone",),
    "app": ("citizen-android", "citizen-ios", "buitenbeter", "verbeterdebuurt"),
    "staff": ("handler-android", "handler-ios", "tic-android", "tic-ios", "admin-android"),
    "whatsapp": ("whats-app",),
    "email": ("email",),
    "counter": ("desk",),
    "social": ("twitter", "facebook", "instagram"),
    "other": ("other",),
}


def load(rows: int | None = None) -> Source:
    """All reports, or those of the first `rows`."""
    kinds = {name: via for via, names in VIA.items() for name in names}
    reports = read(FILE, rows).with_columns(
        contact=pl.col("id"),
        channel=pl.lit("public_space"),
        via=pl.col("source").replace_strict(kinds, default=None).fill_null("unknown"),
        opened=pl.col("created").str.to_datetime("%Y-%m-%d %H:%M:%S", time_zone="UTC").cast(INSTANT),
    )
    return Source("katwijk", ZONE, contact_table(reports), no_outcomes(), no_ratings())
