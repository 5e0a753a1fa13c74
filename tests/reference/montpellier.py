"""A city's yearly survey of 2009 to 2013 as published: for 1,047 services and items the share dissatisfied, and of how many.

Each row is that many answers, 1 satisfied and 0 dissatisfied, of which round(share · n) (halves upwards) are dissatisfied, on 1 January.
What was asked of the service itself has no channel: it is in no figure by channel.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import polars as pl

from .common import INSTANT, Source, contact_table, no_outcomes, no_ratings, read

FILE = "montpellier_qualiville.csv"
ZONE = "Europe/Paris"
INSTRUMENT = "qualiville_from_totals:1"
ASPECTS = {
    "Rapidité": "speed",
    "Amabilité": "friendliness",
    "Ecoute": "listening",
    "Orientation": "referral",
    "Signalétique": "signs",
    "Accessibilité": "accessibility",
    "Propreté": "cleanliness",
    "Horaires": "opening_hours",
    "Délai d'attente": "waiting_time",
    "Confidentialité": "confidentiality",
    "Disponibilité": "availability",
    "Compréhension": "understanding",
    "Navigation": "navigation",
    "Conseils d'un agent": "advice",
    "Clarté": "message_clarity",
    "Mention des horaires": "message_opening_hours",
    "Possibilité de laisser un message": "message_leaving",
    "Clarté de l'information": "clarity",
    "Démarche en ligne": "online_service",
    "Espaces d'attente": "waiting_room",
    "Respect horaire RDV": "appointment_kept",
    "Facilité d'accès": "ease_of_access",
    "Facilité d'accès à l'information": "ease_of_information",
}


def dissatisfied(share: str, n: int) -> int:
    return int((Decimal(share) * n).quantize(Decimal(1), ROUND_HALF_UP))


def published() -> pl.DataFrame:
    """The rows for which it is known that somebody answered."""
    return read(FILE).filter(pl.col("respondents").is_not_null() & (pl.col("respondents") != "0"))


def answers_by_channel() -> dict[str, int]:
    """How many answers the file stands for; an empty channel is the service itself."""
    counted = published().group_by(pl.col("channel").fill_null("")).agg(pl.col("respondents").cast(pl.Int64).sum())
    return dict(counted.iter_rows())


def load() -> Source:
    answers = []
    for row in published().filter(pl.col("channel").is_not_null()).iter_rows(named=True):
        n = int(row["respondents"])
        at = datetime(int(row["year"]), 1, 1, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
        unhappy = dissatisfied(row["dissatisfied_share"], n)
        answers += [("", row["channel"], ASPECTS[row["item"]], at, 0 if number < unhappy else 1000) for number in range(n)]
    ratings = pl.DataFrame(answers, no_ratings().schema, orient="row")
    nobody = contact_table(pl.DataFrame(schema={"contact": pl.String, "channel": pl.String, "opened": INSTANT}))
    return Source("montpellier", ZONE, nobody, no_outcomes(), pl.concat([no_ratings(), ratings]))
