"""Erasing what was forgotten: once its empty row is stored, every older row of it is deleted from disk."""

from clickhouse_connect.driver.client import Client

from pipeline.answers import TOMBSTONE
from pipeline.store.client import passing_errors

_AGAIN_S = 900
"""Older rows are deleted once at once and once more so long after: a worker that was about to write one has done it, or is gone."""
_KEYS = {"contacts": "system, contact", "survey_answers": "source, answer", "comments": "source, answer"}
_DUE = f"""
SELECT organisation, "table", second, third, toUnixTimestamp64Milli(noted_at) FROM tombstones FINAL
WHERE (toUnixTimestamp64Milli(erased_at) = 0
    OR (erased_at < noted_at + INTERVAL {_AGAIN_S} SECOND AND now64(3) >= noted_at + INTERVAL {_AGAIN_S} SECOND))
  AND if("table" = 'contacts',
    (organisation, second, third) IN (SELECT organisation, system, contact FROM contacts WHERE version = {TOMBSTONE}),
    (organisation, second, third) IN (SELECT organisation, source, answer FROM survey_answers WHERE version = {TOMBSTONE}))
LIMIT 1000
"""
"""What is noted, and whose empty row is stored: till then the older ones are needed to make it."""
_COPIES = """
SELECT organisation, system, contact, version FROM contacts
WHERE links != '' AND arrayExists(
    link -> (organisation, link.1, link.2) IN {keys:Array(Tuple(String, String, String))} AND link.4 != '[]',
    JSONExtract(links, 'Array(Tuple(String, String, UInt64, String))'))
"""
"""Rows of contacts that took over what a forgotten one told: the last of them does so no more."""
_INVITATIONS = """
ALTER TABLE notices DELETE WHERE kind = 'survey.invited'
    AND (organisation, JSONExtractString(data, 'contact', 'system'), JSONExtractString(data, 'contact', 'id'))
        IN {keys:Array(Tuple(String, String, String))}
"""


def erase(client: Client) -> int:
    """Delete the older rows of all that was forgotten, comments and invitations included; how many contacts and answers.

    It returns when they are off the disk. What backups hold is not touched (docs/PRIVACY.md). Raises Unavailable.
    """
    with passing_errors("erasing what was forgotten"):
        due = client.query(_DUE).result_rows
        if not due:
            return 0
        for table, names in _KEYS.items():
            of = "survey_answers" if table == "comments" else table
            keys = [(organisation, second, third) for organisation, kind, second, third, _ in due if kind == of]
            if keys:
                older = "" if table == "comments" else f" AND version < {TOMBSTONE}"
                client.command(
                    f"ALTER TABLE {table} DELETE WHERE (organisation, {names}) IN {{keys:Array(Tuple(String, String, String))}}{older}",
                    parameters={"keys": keys},
                    settings={"mutations_sync": 1},
                )
        contacts = [(organisation, second, third) for organisation, kind, second, third, _ in due if kind == "contacts"]
        if contacts:
            client.command(_INVITATIONS, parameters={"keys": contacts}, settings={"mutations_sync": 1})
            copies = [tuple(row) for row in client.query(_COPIES, parameters={"keys": contacts}).result_rows]
            if copies:
                client.command(
                    "ALTER TABLE contacts DELETE WHERE (organisation, system, contact, version) IN "
                    "{rows:Array(Tuple(String, String, String, UInt64))}",
                    parameters={"rows": copies},
                    settings={"mutations_sync": 1},
                )
        client.insert(
            "tombstones",
            [[organisation, table, second, third, noted, _now(client)] for organisation, table, second, third, noted in due],
            column_names=["organisation", "table", "second", "third", "noted_at", "erased_at"],
        )
    return len(due)


def _now(client: Client) -> int:
    found: int = client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows[0][0]
    return found
