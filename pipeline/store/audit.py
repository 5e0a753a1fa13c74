"""The trace of what people did: who, when, what and why."""

from clickhouse_connect.driver.client import Client

from pipeline.store.client import passing_errors


def note(client: Client, at_ms: int, organisation: str, actor: str, action: str, detail: str) -> None:
    """Add a row. `organisation` is "" for what concerns several or none; `action` is a slug. Raises Unavailable."""
    with passing_errors("writing the audit trail"):
        client.insert(
            "audit", [[at_ms, organisation, actor, action, detail]], column_names=["at", "organisation", "actor", "action", "detail"]
        )
