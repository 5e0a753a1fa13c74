"""What `status` asks of a real store."""

import pytest

from pipeline.cli import reporting
from pipeline.store.client import Connection
from pipeline.store.facade import ClickHouseStore
from pipeline.store.migrate import migrate
from schemas import yamlfile
from schemas.organisation import Organisation
from tests.engines import ClickHouseEngine

TOWN = """
organisation: nieuwdorp
title: {nl: Nieuwdorp, en: New village}
systems: {telefonie: {sources: ["urn:nld:oin:1:systeem:telefonie"]}}
channels: {telephone: {}}
"""


def test_an_organisation_in_force_without_contacts_is_listed(clickhouse: ClickHouseEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)
    migrate(connection)
    store = ClickHouseStore(connection, lambda _why: None)
    store.register(yamlfile.loads(TOWN, Organisation, "town.yaml"), TOWN, 0, (clickhouse.user,), 1)
    for name, value in clickhouse.settings.items():
        monkeypatch.setenv(name, value)
    rows = reporting._stored()["rows"]
    assert rows is not None
    assert rows["nieuwdorp"] == {"contacts": 0, "answers": 0, "rejects": 0}
