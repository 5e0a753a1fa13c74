"""docs/PRIVACY.md knows every table, every topic and every field of an event: none is processed that it does not name."""

import re
from pathlib import Path

from pipeline.store import migrate
from pipeline.store.client import VIEWS, Connection
from schemas.events import DATA_OF_KIND, Envelope
from schemas.topics import topics
from tests.docs.pages import PRIVACY, first_cells, text_of
from tests.engines import ClickHouseEngine

MIGRATIONS = Path(migrate.__file__).parent / "migrations"


def test_every_table_and_topic_is_named_and_no_other() -> None:
    tables = {name for path in MIGRATIONS.glob("*.sql") for name in re.findall(r"^CREATE TABLE (\w+)", text_of(path), re.MULTILINE)}
    named = first_cells(PRIVACY, "place")
    assert named - {"FILE.problems.csv"} == tables | {"migrations"} | topics().keys()


def test_every_field_of_an_event_is_named_and_no_other() -> None:
    fields = {name for data in DATA_OF_KIND.values() for name in data.__annotations__} | set(Envelope.__annotations__)
    assert first_cells(PRIVACY, "data element") - {"incident.acknowledged", "incident.silenced"} == fields | {"type"}


def test_the_views_that_name_contacts_are_those_it_says(clickhouse: ClickHouseEngine) -> None:
    """No view has a person's hash, a timeline or a comment; those with a contact's id are named."""
    connection = Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)
    migrate.migrate(connection)
    client = connection.open()
    try:
        columns = {
            name: {row[0] for row in client.query(f"DESCRIBE TABLE {VIEWS}.{name}{arguments(definition)}").result_rows}
            for name, definition in client.query(
                "SELECT name, create_table_query FROM system.tables WHERE database = {database:String}", parameters={"database": VIEWS}
            ).result_rows
        }
    finally:
        client.close()
    assert not {"person", "timeline", "links", "comment"} & set().union(*columns.values())
    named = re.findall(r"`(v_\w+)`", text_of(PRIVACY).split("views name single contacts")[1].split("\n\n")[0])
    assert {name for name, found in columns.items() if "contact" in found} == set(named)


def arguments(definition: str) -> str:
    """Any value for each parameter of a view, as it is called; "" for a view without parameters."""
    values = {"String": "''", "DateTime64": "now64(3, 'UTC')"}
    found = dict(re.findall(r"\{(\w+):\s*(\w+)", definition))
    return f"({', '.join(f'{name} = {values[kind]}' for name, kind in found.items())})" if found else ""
