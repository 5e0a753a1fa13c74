"""SQL that several rules share."""

from typing import Final

from schemas.words import CHANNELS

ALIVE: Final = "SELECT organisation, max(at) AS alive FROM v_shown GROUP BY organisation HAVING alive > now64(3, 'UTC') - INTERVAL 7 DAY"
"""When a worker last showed anything of an organisation: at least every five minutes while it lives. After a week of nothing an
organisation is taken for removed."""

ROUND_THE_CLOCK_H: Final = 16
"""Whatever is open for so long on end is open without people: a website, a form. No day is a working day for that alone."""

OPEN_HOURS: Final = f"""
    SELECT organisation, if(empty(manned), every, manned) AS hours
    FROM
    (
        SELECT
            organisation, groupArray((opens_at, closes_at)) AS every,
            groupArrayIf((opens_at, closes_at), dateDiff('hour', opens_at, closes_at) < {ROUND_THE_CLOCK_H}) AS manned
        FROM v_opening WHERE closes_at > now64(3, 'UTC') GROUP BY organisation
    )
"""
"""The hours of an organisation that are not over: those of people, or all where there are no others."""


def channel_nl(column: str) -> str:
    """A channel as Dutch people read it."""
    slugs, names = (", ".join(f"'{one}'" for one in found) for found in (CHANNELS, CHANNELS.values()))
    return f"transform(toString({column}), [{slugs}], [{names}], toString({column}))"


def team_in_words(column: str) -> str:
    """Columns `team_nl` and `team_en`: a team, or that there is none."""
    said = {"nl": "zonder team", "en": "no team"}
    return ", ".join(f"if({column} = '', '{none}', concat('team ', {column})) AS team_{language}" for language, none in said.items())


def within_open_days(hours: str, until: str, days: int) -> str:
    """Whether it is open on at most so many days before a moment, which is at most a week ahead; today counts while anything is still open.

    hours: (opens_at, closes_at) that are not over.
    """
    counted = f"length(arrayDistinct(arrayMap(x -> toDate(x.1), arrayFilter(x -> x.1 < {until}, {hours}))))"
    return f"({until} < now64(3, 'UTC') + INTERVAL 7 DAY AND {counted} <= {days})"
