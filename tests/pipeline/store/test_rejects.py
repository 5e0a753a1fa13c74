"""Rejects on the real store: paging, filters, decisions, and stops by the brake. Each test has an organisation or a group of its own."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.brake import Stop
from pipeline.decode import Record, Reject
from pipeline.replay import Place
from pipeline.rows import REJECTS, reject_row
from pipeline.store import brakes
from pipeline.store.client import Connection
from pipeline.store.migrate import migrate
from pipeline.store.rejects import PAGE, Choice, Rejects
from schemas.partitions import partition_of
from tests.engines import ClickHouseEngine

NOW = int(datetime.now(UTC).timestamp() * 1000)
DAY = 86_400_000


@pytest.fixture(scope="module")
def connection(clickhouse: ClickHouseEngine) -> Connection:
    found = Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)
    migrate(found)
    return found


@pytest.fixture
def client(connection: Connection) -> Iterator[Client]:
    with closing(connection.open()) as opened:
        yield opened


@pytest.fixture
def rejects(connection: Connection) -> Iterator[Rejects]:
    with closing(Rejects(connection)) as opened:
        yield opened


def add(
    client: Client, organisation: str, offset: int, position: int, appended: int = NOW, reason: str = "future", source: str = "s"
) -> None:
    add_all(client, [reject(organisation, offset, position, appended, reason, source)])


def add_all(client: Client, found: list[Reject]) -> None:
    client.insert("rejects", [reject_row(one) for one in found], column_names=REJECTS)


def reject(organisation: str, offset: int, position: int, appended: int = NOW, reason: str = "future", source: str = "s") -> Reject:
    record = Record("contact-events", partition_of(organisation), offset, appended, organisation.encode(), b"", [("connector", b"pbx")])
    original = f"{organisation} {offset} {position}".encode()
    return Reject(record, position, reason, "$.time", "mend the clock", source, original, len(original), sha256(original).hexdigest())


def test_pages_hold_each_chosen_reject_once_and_none_that_comes_meanwhile(client: Client, rejects: Rejects) -> None:
    name = "bladeren"
    wanted = [(offset, position) for offset in range(40) for position in range(30)]
    assert len(wanted) > 2 * PAGE
    add_all(client, [reject(name, offset, position, NOW - DAY) for offset, position in wanted])
    found = []
    for number, page in enumerate(rejects.pages(Choice(name))):
        found += [(one.place.offset, one.place.position) for one in page]
        add(client, name, 1_000 + number, 0, NOW)
        rejects.decide([one.place for one in page], "replayed", NOW, "a", "")
    assert found == wanted
    assert [one.place.offset for one in rejects.last(Choice(name), 10)] == [1_002, 1_001, 1_000]
    assert list(rejects.pages(Choice("niemand"))) == []


def test_groups_count_by_reason_source_and_connector_with_the_last_example(client: Client, rejects: Rejects) -> None:
    name = "groepen"
    add_all(client, [reject(name, 1, 0, NOW - 2 * DAY), reject(name, 2, 0), reject(name, 3, -1, reason="invalid_json", source="")])
    first, second = rejects.groups(Choice(name))
    assert (first.reason, first.rejects, first.source, first.connector, first.place) == (
        "future",
        2,
        "s",
        "pbx",
        Place("contact-events", partition_of(name), 2, 0),
    )
    assert (second.reason, second.place.position) == ("invalid_json", -1)
    since = datetime.fromtimestamp(NOW / 1000, UTC) - timedelta(days=1)
    assert [group.rejects for group in rejects.groups(Choice(name, since=since))] == [1, 1]
    assert [group.rejects for group in rejects.groups(Choice(name, reason="future", source="s"))] == [2]
    assert rejects.groups(Choice(name, source="other")) == []


def test_what_was_decided_waits_no_more_and_the_last_decision_holds(client: Client, rejects: Rejects) -> None:
    name = "besloten"
    place = Place("contact-events", partition_of(name), 50, 3)
    add(client, name, 50, 3)
    one = rejects.one(place)
    assert one is not None
    assert (one.original, one.connector, one.decision, one.decided_at) == (f"{name} 50 3", "pbx", "", None)
    assert rejects.open_by_organisation()[name] == 1
    rejects.decide([place], "discarded", NOW, "eva", "a test")
    rejects.decide([place], "replayed", NOW + 1_000, "bas", "")
    add(client, name, 50, 3)  # the worker's retry
    assert name not in rejects.open_by_organisation()
    assert rejects.groups(Choice(name)) == []
    (again,) = rejects.last(Choice(name, decided=True), 5)
    assert (again.decision, again.decided_by, again.because) == ("replayed", "bas", "")
    assert again.decided_at == datetime.fromtimestamp((NOW + 1_000) / 1000, UTC)
    assert rejects.one(place._replace(offset=51)) is None


def test_a_release_holds_whatever_is_written_later(client: Client) -> None:
    stop = Stop("groep", "w1", NOW, "1", "c" * 32, "all was refused")
    other = replace(stop, instance="", since=NOW + 1)
    over = replace(stop, released_at=NOW + 5, released_by="eva")
    brakes.write(client, stop)
    brakes.write(client, other)
    assert brakes.standing(client, "groep") == [stop, other]
    assert brakes.of_worker(client, "groep", "w1") == [stop]
    assert brakes.released(client, stop) == ""
    brakes.write(client, over)
    brakes.write(client, stop)  # the worker's retry, late
    assert brakes.released(client, stop) == "eva"
    assert brakes.of_worker(client, "groep", "w1") == [over]
    assert brakes.standing(client, "groep") == [other]
    assert brakes.standing(client, "andere") == []
