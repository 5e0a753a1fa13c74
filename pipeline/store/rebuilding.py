"""Emptying what can be rebuilt from the log: contacts, answers and all that the worker derives from events."""

from clickhouse_connect.driver.client import Client

from pipeline.store.client import passing_errors

_REBUILT = {
    "contacts": "NOT forgotten",
    "survey_answers": "NOT forgotten",
    "comments": "true",
    "notices": "true",
    "gauge_readings": "true",
    "heartbeats": "true",
}
"""What is deleted of each table. Tombstones stay; so do rejects and rolling figures: they are history."""


def stored(client: Client) -> dict[str, int]:
    """Contacts and answers by organisation. Raises Unavailable."""
    with passing_errors("counting what is stored"):
        rows = client.query(
            "SELECT organisation, count() FROM (SELECT organisation FROM contacts FINAL UNION ALL SELECT organisation FROM survey_answers "
            "FINAL) GROUP BY organisation ORDER BY organisation"
        ).result_rows
    return {name: count for name, count in rows}  # noqa: C416 (mypy sees no pairs)


def empty(client: Client) -> None:
    """Delete it, and return when it is gone. To be done after the group's offsets were set back, so that a crash in between loses nothing.

    Raises Unavailable.
    """
    for table, which in _REBUILT.items():
        with passing_errors(f"emptying {table}"):
            client.command(f"ALTER TABLE {table} DELETE WHERE {which}", settings={"mutations_sync": 1})
