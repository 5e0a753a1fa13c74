"""`contactmeter readers`: who is granted what, at once, noted, and untouched by files that are registered again."""

import json
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner, Result

from pipeline.cli import program
from pipeline.store import readers
from pipeline.store.configuration import in_force
from pipeline.store.facade import ClickHouseStore
from tests.pipeline.municipalities import CENTRE, NEIGHBOUR, OURS, STRANGER, Database, municipalities
from tests.pipeline.test_views_security import NOW


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with municipalities(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


def contactmeter(database: Database, *words: str, boards: str = "board") -> Result:
    environment = {**database.engine.settings, "CONTACTMETER_BOARD_USERS": boards}
    return CliRunner().invoke(program("readers"), ["readers", *words], env=environment)


def seen(client: Client) -> set[str]:
    return {name for (name,) in client.query("SELECT organisation FROM v_organisations").result_rows}


def test_readers_are_granted_and_revoked_at_once_and_it_is_noted(database: Database) -> None:
    granted = contactmeter(database, "grant", "nobody", "--organisation", STRANGER, "--organisation", OURS, "--because", "proef")
    assert granted.output == f"nobody reads {OURS}, {STRANGER}\n"
    assert seen(database.nobody) == {OURS, STRANGER}
    assert contactmeter(database, "revoke", "nobody", "--organisation", OURS).output == f"nobody reads {STRANGER}\n"
    assert seen(database.nobody) == {STRANGER}
    listed = json.loads(contactmeter(database, "list", "--json").output)
    assert listed["nobody"] == [STRANGER]
    assert listed["centre"] == sorted(CENTRE)
    assert contactmeter(database, "revoke", "nobody").output == "nobody reads nothing\n"
    assert seen(database.nobody) == set()
    trail = "SELECT organisation, action, detail FROM audit WHERE action LIKE 'reader_%' ORDER BY at, organisation"
    assert database.owner.query(trail).result_rows == [
        (OURS, "reader_granted", "nobody; proef"),
        (STRANGER, "reader_granted", "nobody; proef"),
        (OURS, "reader_revoked", "nobody"),
        (STRANGER, "reader_revoked", "nobody"),
    ]


def test_a_user_that_clickhouse_does_not_know_is_said(database: Database) -> None:
    granted = contactmeter(database, "grant", "later", "--organisation", OURS)
    assert "ClickHouse has no user later yet" in granted.output
    assert f"later: {OURS}  (ClickHouse has no such user)" in contactmeter(database, "list").output
    assert contactmeter(database, "revoke", "later").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("grant", "ours", "--organisation", "nergens"), "there is no organisation 'nergens'; known: "),
        (("revoke", "ours", "--organisation", STRANGER), f"ours does not read '{STRANGER}'; it reads {OURS}"),
        (("revoke", "app"), "app is the program's own user"),
        (("revoke", "board"), "board stands in CONTACTMETER_BOARD_USERS"),
    ],
)
def test_what_cannot_be_meant_is_told_and_changes_nothing(database: Database, words: tuple[str, ...], message: str) -> None:
    before = readers.readers(database.owner)
    found = contactmeter(database, *words)
    assert found.exit_code == 2
    assert message in found.output
    assert readers.readers(database.owner) == before


def test_a_file_that_is_registered_again_neither_widens_nor_removes_a_reader(database: Database) -> None:
    """Nor does it bring back who was revoked; the users of CONTACTMETER_BOARD_USERS read everything, again."""
    assert contactmeter(database, "revoke", "board", "--organisation", STRANGER, boards="another").exit_code == 0
    before = readers.readers(database.owner)
    store = ClickHouseStore(database.connection, lambda _why: None)
    for name, one in in_force(database.owner).items():
        store.register(one.organisation, one.text, one.generation, (), NOW + 3_600_000)
        assert readers.readers(database.owner) == before, name
        store.register(one.organisation, one.text, one.generation, ("board",), NOW + 3_600_000)
    assert readers.readers(database.owner) == before | {"board": sorted({OURS, NEIGHBOUR, STRANGER})}
    assert seen(database.ours) == {OURS}
    assert seen(database.centre) == CENTRE


def test_a_clock_that_is_behind_does_not_undo_anything(database: Database) -> None:
    readers.grant(database.owner, "nobody", [OURS], NOW + 9_000_000)
    readers.revoke(database.owner, "nobody", [OURS], NOW - 9_000_000)
    assert seen(database.nobody) == set()
