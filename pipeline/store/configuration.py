"""The configuration in force, as the store holds it, and whether a changed file may take its place."""

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from pipeline.changes import changes
from pipeline.store import registered
from pipeline.store.client import passing_errors
from pipeline.versions import GENERATIONS
from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from schemas.organisation import Organisation
from schemas.types import EPOCH, epoch_ms

log = logging.getLogger(__name__)

_GENERATION = 2**44
"""A configuration's version is generation · this + the moment of writing in ms (which is less)."""
JUDGING = 2
"""Revision of what judges contacts. Raise it when the same events and configuration give other rows: then stored ones are judged again."""


@dataclass(frozen=True)
class InForce:
    """A stored configuration, its generation, and whether contacts or answers were stored under it.

    `text` is its file; `judging` the revision of the software that its generation belongs to.
    """

    organisation: Organisation
    generation: int
    has_data: bool
    text: str = ""
    judging: int = JUDGING


def stamp(client: Client) -> tuple[int, int]:
    """What tells one state of all stored configurations from another. Cheap. Raises Unavailable."""
    with passing_errors("reading the configuration"):
        sql = "SELECT count(), groupBitXor(cityHash64(organisation, version)) FROM organisations FINAL"
        count, which = client.query(sql).result_rows[0]
    return count, which


def in_force(client: Client, organisation: str = "") -> dict[str, InForce]:
    """Every stored configuration by organisation, or that of one. Raises Unavailable."""
    with passing_errors("reading the configuration"):
        rows = client.query(
            "SELECT organisation, configuration, generation, judging FROM organisations FINAL "
            "WHERE {organisation:String} IN ('', organisation)",
            parameters={"organisation": organisation},
        ).result_rows
        used = client.query(
            "SELECT DISTINCT organisation FROM contacts UNION DISTINCT SELECT DISTINCT organisation FROM survey_answers"
        ).result_rows
    with_data = {name for (name,) in used}
    found = {}
    for name, configuration, generation, judging in rows:
        try:
            parsed = _parsed(configuration, name)
        except InvalidConfiguration as error:
            # A newer version may have put it in force. One organisation's trouble must not be everybody's.
            log.warning("the stored configuration of %s can't be read by this version: %s", name, error)
            continue
        found[name] = InForce(parsed, generation, name in with_data, configuration, judging)
    return found


@lru_cache(maxsize=4_096)
def _parsed(text: str, name: str) -> Organisation:
    """Each text once: the store is asked whenever any organisation changes."""
    return yamlfile.loads(text, Organisation, f"stored configuration of {name}")


def why_refused(new: Organisation, stored: InForce, today: date) -> str:
    """Why a changed configuration may not take the place of the stored one; "" when it may.

    What decides how contacts are judged may grow (a source, a channel, an instrument, a norm that starts to hold after today) but not
    change while contacts are stored: their outcomes would no longer be what the configuration says. `contactmeter rejudge` does that.
    """
    if not stored.has_data:
        return ""
    return next((change.message for change in changes(stored.organisation, new, today) if not change.grows), "")


def register(client: Client, organisation: Organisation, text: str, generation: int, readers: tuple[str, ...], now_ms: int) -> None:
    """Write a configuration as in force, for views and the next start. `text` is its file, `readers` may read it. Raises Unavailable.

    One of a higher generation wins, whichever is written last: a worker that takes up a file can't undo a rejudge it has not seen yet.
    """
    name, version = organisation.organisation, generation * _GENERATION + now_ms
    with passing_errors(f"registering {name}"):
        offsets = [
            {"organisation": name, "version": version, "since": since, "seconds": shift} for since, shift in offsets_of(organisation.zone)
        ]
        for table, rows in {**registered.rows_of(organisation, version), "offsets": offsets}.items():
            if rows:
                client.insert(table, [list(row.values()) for row in rows], column_names=list(rows[0]))
        client.insert(
            "readers", [[user, name, now_ms] for user in sorted({*readers, str(client.command("SELECT currentUser()"))})],
            column_names=["user", "organisation", "version"],
        )  # fmt: skip
        client.insert(  # last: while it is not there, the next start registers again
            "organisations",
            [[name, version, generation, organisation.zone, organisation.title.nl, organisation.title.en, organisation.simulated,
              organisation.minimum_n, organisation.small_cell, organisation.inhabitants, organisation.repeat_days,
              organisation.link_template or "", text, JUDGING]],
            column_names=["organisation", "version", "generation", "zone", "title_nl", "title_en", "simulated",
                          "minimum_n", "small_cell", "inhabitants", "repeat_days", "link_template", "configuration", "judging"],
        )  # fmt: skip


def register_next(client: Client, stored: InForce, organisation: Organisation, text: str, readers: tuple[str, ...], now_ms: int) -> int:
    """Write a configuration as in force, one generation after the one that was read; that generation.

    Raises InvalidConfiguration when somebody else has done so meanwhile, and when there is no room for more generations; Unavailable.
    """
    name = organisation.organisation
    generation = stored.generation + 1
    if generation >= GENERATIONS:
        raise InvalidConfiguration(f"the configuration of {name} was changed {GENERATIONS - 1:,} times; versions have no room for more")
    present = in_force(client, name).get(name)
    if present is not None and present.generation != stored.generation:
        raise InvalidConfiguration(f"the configuration of {name} was changed by somebody else just now; look again at what is in force")
    register(client, organisation, text, generation, readers, now_ms)
    return generation


def offsets_of(zone: str, first_year: int = 1990, last_year: int = 2101) -> list[tuple[int, int]]:
    """(since in ms, seconds east of UTC) whenever the zone's offset changes, found by halving between two days that differ."""

    def offset(moment: datetime) -> int:
        shift = moment.astimezone(ZoneInfo(zone)).utcoffset()
        return int(shift.total_seconds()) if shift is not None else 0

    moment, last = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year, 1, 1, tzinfo=UTC)
    found = [(epoch_ms(moment), offset(moment))]
    while moment < last:
        following = moment + timedelta(days=1)
        if offset(following) != offset(moment):
            low, high = epoch_ms(moment), epoch_ms(following)
            while high - low > 1_000:
                middle = (low + high) // 2_000 * 1_000
                low, high = (middle, high) if offset(EPOCH + timedelta(milliseconds=middle)) == offset(moment) else (low, middle)
            found.append((high, offset(following)))
        moment = following
    return found
