"""Which ClickHouse user may read which organisation through the views: the rows of table `readers`."""

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from pipeline.store.client import passing_errors

_WRITE = """
INSERT INTO readers (user, organisation, version, revoked)
SELECT {user:String}, arrayJoin({organisations:Array(String)}),
    greatest({now:UInt64}, (SELECT max(version) + 1 FROM readers WHERE user = {user:String})), {revoked:Bool}
"""
"""Always newer than what stands, whatever the clock says of the machine that wrote it."""


def readers(client: Client) -> dict[str, list[str]]:
    """The organisations that each user may read, both in alphabetical order. Raises Unavailable."""
    sql = "SELECT user, arraySort(groupArray(organisation)) FROM readers FINAL WHERE NOT revoked GROUP BY user ORDER BY user"
    with passing_errors("reading who may read"):
        return {user: list(organisations) for user, organisations in client.query(sql).result_rows}


def logins(client: Client) -> set[str]:
    """The users that the server knows. Raises Unavailable."""
    with passing_errors("reading the users of ClickHouse"):
        return {name for (name,) in client.query("SELECT name FROM system.users").result_rows}


def grant(client: Client, user: str, organisations: Sequence[str], now_ms: int) -> None:
    """Let `user` read these organisations, beside those that it may read already. Holds for its next query. Raises Unavailable."""
    _write(client, user, organisations, now_ms, revoked=False)


def revoke(client: Client, user: str, organisations: Sequence[str], now_ms: int) -> None:
    """Let `user` read these organisations no more. Holds for its next query. Raises Unavailable."""
    _write(client, user, organisations, now_ms, revoked=True)


def _write(client: Client, user: str, organisations: Sequence[str], now_ms: int, revoked: bool) -> None:
    parameters = {"user": user, "organisations": list(organisations), "now": now_ms, "revoked": revoked}
    with passing_errors("writing who may read"):
        client.command(_WRITE, parameters=parameters)
