"""A helpdesk: 2,330 tickets of 2023 by e-mail, chat and phone, two given deadlines each, no time zone (taken as UTC).

Responded = first response, closed = resolution. The file's close time is no event of the contact: it only dates the rating.
"""

import polars as pl

from .common import INSTANT, Source, contact_table, judge, no_ratings, read

FILE = "techsupport_tickets.csv"
CHANNELS = {"Email": "email", "Chat": "chat", "Phone": "telephone"}


def load() -> Source:
    def instant(column: str) -> pl.Expr:
        return pl.col(column).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_zone="UTC").cast(INSTANT)

    tickets = read(FILE).with_columns(
        contact=pl.col("Ticket ID"),
        channel=pl.col("Source").replace_strict(CHANNELS),
        opened=instant("Created time"),
        responded=instant("First response time"),
        closed=instant("Resolution time"),
        rated=instant("Close time"),
        respond_by=instant("Expected SLA to first response"),
        resolve_by=instant("Expected SLA to resolve"),
    )
    contacts = contact_table(tickets)
    outcomes = pl.concat(
        [
            judge(contacts, "first_response", "opened", "responded", tickets["respond_by"]),
            judge(contacts, "resolution", "opened", "closed", tickets["resolve_by"]),
        ]
    )
    ratings = tickets.filter(pl.col("Survey results") != "not rated").select(
        "contact", "channel", aspect=pl.lit(""), at="rated", grade=pl.col("Survey results").cast(pl.Int64) * 1000
    )
    return Source("techsupport", "UTC", contacts, outcomes, pl.concat([no_ratings(), ratings]))
