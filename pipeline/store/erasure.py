"""Erasing what was forgotten: once its empty row is stored, every older row of it is deleted from disk.

Deleting rewrites whole parts of a table, so everything that is due is deleted by one statement a table. Keys are not sent along (the server
bounds parameters): the statements find them in `tombstones`.
"""

from collections.abc import Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.store.client import DATABASE, passing_errors
from pipeline.versions import TOMBSTONE

_AGAIN_S = 900
"""Older rows are deleted once at once and once more so long after: a worker that was about to write one has done it, or is gone."""
_KEYS = {"contacts": "system, contact", "survey_answers": "source, answer"}
_STORED = f"""
    if("table" = 'contacts',
        (organisation, second, third) IN (SELECT organisation, system, contact FROM {DATABASE}.contacts WHERE version = {TOMBSTONE}),
        (organisation, second, third) IN (SELECT organisation, source, answer FROM {DATABASE}.survey_answers WHERE version = {TOMBSTONE}))
"""
"""Their empty row is stored: till then the older ones are needed to make it."""
_DUE = f"""
    organisation IN {{organisations:Array(String)}} AND noted_at <= {{now:DateTime64(3, 'UTC')}} AND (toUnixTimestamp64Milli(erased_at) = 0
        OR (erased_at < noted_at + INTERVAL {_AGAIN_S} SECOND AND noted_at + INTERVAL {_AGAIN_S} SECOND <= {{now:DateTime64(3, 'UTC')}}))
    AND {_STORED}
"""
"""The same for every statement of one run: what is noted meanwhile waits for the next."""
_KEYS_DUE = f'(SELECT organisation, second, third FROM {DATABASE}.tombstones FINAL WHERE {_DUE} AND "table" = '
_COPIES = f"""
SELECT DISTINCT organisation, system, contact, version
FROM (SELECT organisation, system, contact, version, arrayJoin(JSONExtract(links, 'Array(Tuple(String, String, UInt64, String))')) AS link
    FROM contacts WHERE organisation IN {{organisations:Array(String)}} AND links != '')
WHERE link.4 != '[]' AND (organisation, link.1, link.2) IN {_KEYS_DUE} 'contacts')
LIMIT 200
"""
"""Rows of contacts that took over what a forgotten one told: the last of them does so no more. Some at a time: they are sent along."""


def erase(client: Client, organisations: Sequence[str]) -> int:
    """Delete the older rows of all that was forgotten, comments and invitations included; how many contacts and answers.

    It returns when they are off the disk. What backups hold is not touched (docs/PRIVACY.md). Raises Unavailable.
    """
    with passing_errors("erasing what was forgotten"):
        parameters = {"organisations": list(organisations), "now": client.query("SELECT toString(now64(3, 'UTC'))").result_rows[0][0]}
        due = client.query(f"SELECT count() FROM tombstones FINAL WHERE {_DUE}", parameters=parameters).result_rows[0][0]
        if not due:
            return 0
        for table, names in _KEYS.items():
            _delete(client, table, f"(organisation, {names}) IN {_KEYS_DUE} '{table}') AND version < {TOMBSTONE}", parameters)
        _delete(client, "comments", f"(organisation, source, answer) IN {_KEYS_DUE} 'survey_answers')", parameters)
        invited = "(organisation, JSONExtractString(data, 'contact', 'system'), JSONExtractString(data, 'contact', 'id'))"
        _delete(client, "notices", f"kind = 'survey.invited' AND {invited} IN {_KEYS_DUE} 'contacts')", parameters)
        while copies := client.query(_COPIES, parameters=parameters).result_rows:
            rows = "(organisation, system, contact, version) IN {rows:Array(Tuple(String, String, String, UInt64))}"
            _delete(client, "contacts", rows, {"rows": [tuple(row) for row in copies]})
        client.command(
            'INSERT INTO tombstones (organisation, "table", second, third, noted_at, erased_at) '
            f'SELECT organisation, "table", second, third, noted_at, now64(3) FROM tombstones FINAL WHERE {_DUE}',
            parameters=parameters,
        )
    return int(due)


def _delete(client: Client, table: str, which: str, parameters: dict[str, Any]) -> None:
    client.command(f"ALTER TABLE {table} DELETE WHERE {which}", parameters=parameters, settings={"mutations_sync": 1})
