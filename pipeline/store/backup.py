"""Backups by ClickHouse itself (BACKUP and RESTORE on a disk of its own), in two parts, and the list of them.

`contacts` is copied before all the rest: a batch is written contacts last, and its contact's row says that the rest of it is there. In a
backup that had them the other way round, the worker would find a contact unchanged and never write what is missing.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from pipeline.store.client import DATABASE, VIEWS, Connection, passing_errors
from schemas.errors import ContactmeterError

_PARTS = {
    "contacts": f"TABLE {DATABASE}.contacts",
    "rest": f"DATABASE {VIEWS}, DATABASE {DATABASE} EXCEPT TABLES contacts",
}
"""In the order of copying."""
_RESTORED = {"rest": f"DATABASE {DATABASE}, DATABASE {VIEWS}", "contacts": f"TABLE {DATABASE}.contacts"}
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}")
_COLUMNS = ("name", "started_at", "finished_at", "base", "consumer_group", "topic", "offsets", "bytes")
_ASIDE = "_before_restore"
_ERASE_AGAIN = f"""
INSERT INTO {DATABASE}.tombstones (organisation, "table", second, third, noted_at, erased_at)
SELECT organisation, "table", second, third, now64(3), now64(3) FROM {DATABASE}.tombstones FINAL
"""
"""This copy of contacts may hold older rows of what was forgotten and erased before that table was copied: they are due once more."""
_FINISHED = f"""
INSERT INTO {DATABASE}.backups SELECT * REPLACE (now64(3) AS finished_at) FROM {DATABASE}.backups FINAL WHERE name = {{name:String}}
"""
"""A backup knows of itself only that it had begun."""
_CONFIGURATION = ("migrations", "backups", "audit", "organisations", "channels", "norms", "instruments", "offsets", "readers")
"""Tables that say nothing of contacts: with rows in these alone there is nothing to lose. (The trail is carried over.)"""
_TRAIL = f"""
INSERT INTO {DATABASE}.audit (at, organisation, actor, action, detail)
SELECT at, organisation, actor, action, detail FROM {DATABASE}{_ASIDE}.audit
EXCEPT SELECT at, organisation, actor, action, detail FROM {DATABASE}.audit
"""
_REASONS = {
    "BACKUP_ALREADY_EXISTS": "there is a backup of this name on the disk already; choose another",
    "BACKUP_NOT_FOUND": "there is no complete backup of this name on the disk; `contactmeter backup --list` names those that were made",
    "is not allowed for backups": "ClickHouse has no such disk for backups; CONTACTMETER_BACKUP_DISK must be one of its `allowed_disk`",
}
_POLL_S = 0.2


class BackupFailed(ContactmeterError):
    """A backup or restore that ClickHouse did not do; what was there before still is."""


@dataclass(frozen=True)
class Backup:
    """One backup. `offsets`: what the group had committed, by partition, when it began; `finished_at` None while it is not done."""

    name: str
    started_at: datetime
    finished_at: datetime | None
    base: str
    group: str
    topic: str
    offsets: Mapping[int, int]
    size: int


def check_name(name: str) -> str:
    """`name`, if a backup can be called so. Raises BackupFailed."""
    if not _NAME.fullmatch(name):
        raise BackupFailed(f"{name!r} can't be the name of a backup: 1 to 64 letters, digits, - and _, a letter or digit first")
    return name


def listed(client: Client) -> list[Backup]:
    """The backups that were made, the latest last; those deleted from the disk since are still named. Raises Unavailable."""
    with passing_errors("reading the list of backups"):
        rows = client.query(f"SELECT {', '.join(_COLUMNS)} FROM {DATABASE}.backups FINAL ORDER BY started_at").result_rows
    return [
        Backup(name, started, finished if finished.year > 1970 else None, base, group, topic, dict(offsets), size)
        for name, started, finished, base, group, topic, offsets, size in rows
    ]


def make(client: Client, disk: str, backup: Backup, now_ms: Callable[[], int]) -> int:
    """Make a backup and enter it in the list; its bytes. `backup.offsets` must have been read before. Raises BackupFailed, Unavailable."""
    _enter(client, backup, finished_ms=0)
    size = 0
    for part, what in _PARTS.items():
        base = f" SETTINGS base_backup = {_place(disk, backup.base, part)}" if backup.base else ""
        size += _run(client, f"BACKUP {what} TO {_place(disk, backup.name, part)}{base} ASYNC")
    _enter(client, backup, now_ms(), size)
    return size


def _enter(client: Client, backup: Backup, finished_ms: int, size: int = 0) -> None:
    row = [backup.name, backup.started_at, finished_ms, backup.base, backup.group, backup.topic, dict(backup.offsets), size]
    with passing_errors("writing the list of backups"):
        client.insert(
            f"{DATABASE}.backups",
            [row],
            column_names=_COLUMNS,
        )


def rows_stored(client: Client) -> dict[str, int]:
    """How many rows each table holds that a restore would replace; tables without any, and those of the configuration, are left out."""
    with passing_errors("counting what is stored"):
        rows = client.query(
            f"SELECT name, total_rows FROM system.tables WHERE database = '{DATABASE}' AND total_rows > 0 ORDER BY name"
        ).result_rows
    return {name: count for name, count in rows if name not in _CONFIGURATION}


def restore(connection: Connection, disk: str, name: str, then: Callable[[Backup], None]) -> None:
    """Put a backup in the place of all that is stored, and do `then` with what its list says of it.

    What was stored is set aside meanwhile, and put back if either fails: there must be room for both. Raises BackupFailed and
    Unavailable.
    """
    client = connection.open(database="default")
    try:
        with _aside(client):
            for part, what in _RESTORED.items():
                _run(client, f"RESTORE {what} FROM {_place(disk, name, part)} ASYNC")
            with passing_errors("marking tombstones and keeping the trail"):
                client.command(_ERASE_AGAIN)
                if _exists(client, DATABASE + _ASIDE):
                    client.command(_TRAIL)
            with passing_errors("writing the list of backups"):
                client.command(_FINISHED, parameters={"name": name})
            found = [backup for backup in listed(client) if backup.name == name]
            if not found:
                raise BackupFailed(f"backup {name} does not say up to where it goes: it was not made by `contactmeter backup`")
            then(found[0])
    finally:
        client.close()


@contextmanager
def _aside(client: Client) -> Iterator[None]:
    """Rename both databases; drop the renamed ones afterwards, or put them back when what is done meanwhile fails."""
    moved = [database for database in (VIEWS, DATABASE) if _exists(client, database)]
    for database in moved:
        if _exists(client, database + _ASIDE):
            raise BackupFailed(
                f"ClickHouse holds a database {database}{_ASIDE}: a restore was cut off, and {database} is not whole. Drop {DATABASE} and "
                f"{VIEWS}, rename the databases …{_ASIDE} to them, and restore again"
            )
    with passing_errors("setting aside what is stored"):
        for database in moved:
            client.command(f"RENAME DATABASE {database} TO {database}{_ASIDE}")
    try:
        yield
    except BaseException:
        with passing_errors("putting back what was stored"):
            for database in (VIEWS, DATABASE):
                client.command(f"DROP DATABASE IF EXISTS {database} SYNC")
            for database in reversed(moved):
                client.command(f"RENAME DATABASE {database}{_ASIDE} TO {database}")
        raise
    with passing_errors("dropping what was replaced"):
        for database in moved:
            client.command(f"DROP DATABASE {database}{_ASIDE} SYNC")


def _exists(client: Client, database: str) -> bool:
    with passing_errors("looking for the databases"):
        return bool(client.query(f"SELECT 1 FROM system.databases WHERE name = '{database}'").result_rows)


def _place(disk: str, name: str, part: str) -> str:
    return f"Disk('{check_name(disk)}', '{check_name(name)}/{part}')"


def _run(client: Client, statement: str) -> int:
    """Start a BACKUP or RESTORE and wait for its end, however long it takes; the bytes written. Raises BackupFailed."""
    with passing_errors("starting a backup or restore"):
        ((number, status),) = client.query(statement).result_rows
    while True:
        with passing_errors("waiting for a backup or restore"):
            rows = client.query(
                "SELECT toString(status), error, compressed_size FROM system.backups WHERE id = {id:String}", parameters={"id": number}
            ).result_rows
        if not rows:
            raise BackupFailed("ClickHouse was started again meanwhile and has forgotten what it was doing; try again under another name")
        status, error, size = rows[0]
        if error:
            known = next((words for slug, words in _REASONS.items() if slug in error), "")
            raise BackupFailed(known or f"ClickHouse could not do it: {error.partition(', Stack trace')[0].splitlines()[0]}")
        if status in ("BACKUP_CREATED", "RESTORED"):
            return int(size)
        time.sleep(_POLL_S)
