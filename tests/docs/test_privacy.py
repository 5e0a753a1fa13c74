"""docs/PRIVACY.md knows every table, every topic and every field of an event: none is processed that it does not name."""

import re
from pathlib import Path

from pipeline.store import migrate
from schemas.events import DATA_OF_KIND, Envelope
from schemas.topics import topics
from tests.docs.pages import PRIVACY, first_cells, text_of

MIGRATIONS = Path(migrate.__file__).parent / "migrations"


def test_every_table_and_topic_is_named_and_no_other() -> None:
    tables = {name for path in MIGRATIONS.glob("*.sql") for name in re.findall(r"^CREATE TABLE (\w+)", text_of(path), re.MULTILINE)}
    named = first_cells(PRIVACY, "place")
    assert named - {"FILE.problems.csv"} == tables | {"migrations"} | topics().keys()


def test_every_field_of_an_event_is_named_and_no_other() -> None:
    fields = {name for data in DATA_OF_KIND.values() for name in data.__annotations__} | set(Envelope.__annotations__)
    assert first_cells(PRIVACY, "data element") - {"incident.acknowledged", "incident.silenced"} == fields | {"type"}
