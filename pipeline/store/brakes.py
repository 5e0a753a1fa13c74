"""Stops of workers by the brake: written and read by the worker, ended by a person."""

from collections.abc import Iterator, Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from pipeline.brake import Stop
from pipeline.store.client import passing_errors

_COLUMNS = ("worker_group", "instance", "since", "software", "configuration", "reason", "released_at", "released_by", "version")
_STOPS = """
SELECT worker_group, instance, toUnixTimestamp64Milli(since), software, toString(configuration), reason,
    toUnixTimestamp64Milli(released_at), released_by
FROM brakes FINAL WHERE worker_group = {group:String}
"""


def write(client: Client, stop: Stop) -> None:
    """Store a stop, or its end. Raises Unavailable."""
    row = [stop.group, stop.instance, stop.since, stop.software, stop.configuration, stop.reason, stop.released_at, stop.released_by]
    with passing_errors("writing the brake"):
        client.insert("brakes", [[*row, int(stop.released_at is not None)]], column_names=_COLUMNS)


def standing(client: Client, group: str) -> list[Stop]:
    """The stops of a group that nobody ended yet. Raises Unavailable."""
    return list(_stops(client, _STOPS + "AND version = 0 ORDER BY since", {"group": group}))


def of_worker(client: Client, group: str, instance: str) -> list[Stop]:
    """The stops of one worker, ended or not, the last one last. Raises Unavailable."""
    return list(_stops(client, _STOPS + "AND instance = {instance:String} ORDER BY since", {"group": group, "instance": instance}))


def released(client: Client, stop: Stop) -> str:
    """Who ended a stop; "" while it lasts. Raises Unavailable."""
    sql = """SELECT released_by FROM brakes FINAL WHERE version = 1 AND worker_group = {group:String} AND instance = {instance:String}
             AND since = fromUnixTimestamp64Milli({since:Int64})"""
    with passing_errors("reading the brake"):
        rows = client.query(sql, parameters={"group": stop.group, "instance": stop.instance, "since": stop.since}).result_rows
    return str(rows[0][0]) if rows else ""


def _stops(client: Client, sql: str, parameters: dict[str, Any]) -> Iterator[Stop]:
    with passing_errors("reading the brake"):
        rows: Sequence[Sequence[Any]] = client.query(sql, parameters=parameters).result_rows
    for row in rows:
        yield Stop(*row)
