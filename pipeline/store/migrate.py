"""Migrations: the ordered SQL files of migrations/, and a table of those applied. Forward only."""

from dataclasses import dataclass
from importlib import resources

from pipeline.store.client import DATABASE, VIEWS, Connection, passing_errors


@dataclass(frozen=True)
class Migration:
    """One file: `0001_tables` and its statements in order."""

    name: str
    statements: tuple[str, ...]


def migrations() -> list[Migration]:
    """Every migration the product ships, in order."""
    folder = resources.files("pipeline.store").joinpath("migrations")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [Migration(entry.name.removesuffix(".sql"), split(entry.read_text(encoding="utf-8"))) for entry in files]


def split(sql: str) -> tuple[str, ...]:
    """The statements of a file: each ends with a semicolon at the end of a line; comment lines are dropped."""
    text = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
    return tuple(statement.strip() for statement in f"{text}\n".split(";\n") if statement.strip())


def migrate(connection: Connection) -> list[str]:
    """Apply what is pending, and the names of what was applied. Safe to run twice, or to run again after it was cut off half-way.

    Raises Unavailable while ClickHouse does not answer.
    """
    client = connection.open(database="default")
    with passing_errors("migrating"):
        for database in (DATABASE, VIEWS):
            client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
        client.command(
            f"CREATE TABLE IF NOT EXISTS {DATABASE}.migrations (name String, applied_at DateTime64(3) DEFAULT now64(3)) "
            "ENGINE = ReplacingMergeTree ORDER BY name"
        )
        applied = {row[0] for row in client.query(f"SELECT name FROM {DATABASE}.migrations FINAL").result_rows}
    client.close()
    done = []
    client = connection.open()
    for migration in migrations():
        if migration.name in applied:
            continue
        with passing_errors(f"migration {migration.name}"):
            for statement in migration.statements:
                client.command(repeatable(statement))
            client.insert("migrations", [[migration.name]], column_names=["name"])
        done.append(migration.name)
    client.close()
    return done


def repeatable(statement: str) -> str:
    """A CREATE that does not mind being run again: a migration cut off half-way starts over."""
    for kind in ("TABLE", "VIEW", "MATERIALIZED VIEW"):
        if statement.startswith(f"CREATE {kind} "):
            return statement.replace(f"CREATE {kind} ", f"CREATE {kind} IF NOT EXISTS ", 1)
    return statement
