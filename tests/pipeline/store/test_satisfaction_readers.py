"""The views of satisfaction show a reader its own organisations only, whatever it asks, and never an answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine
from tests.pipeline.store.publishing import Given
from tests.pipeline.store.satisfied import Town, organisation

PLAIN = ("v_targets", "v_waves", "v_priorities", "v_markers", "v_rolling")
BY_ORGANISATION = ("v_answer_blocks", "v_satisfaction_by", "v_breaks")
BY_ORGANISATION_AND_TIME = ("v_rolling_at", "v_quarter_sums", "v_satisfaction", "v_attainment", "v_response")
AGO = datetime.now(UTC) - timedelta(days=190)


def filled(engine: ClickHouseEngine, name: str, readable: bool) -> Town:
    """Something in every view."""
    day = AGO.date()
    wave = {"number": 1, "instrument": "q", "version": 1, "from": str(day), "to": str(day + timedelta(days=9)), "invited": 20}
    priorities = {"duidelijk": {"title": {"nl": "Duidelijk", "en": "Clear"}}}
    town = Town(engine, organisation(name, waves={"w": wave}, priorities=priorities), readable)
    for start, version in ((AGO, 1), (AGO, 2), (datetime.now(UTC) - timedelta(minutes=5), 1)):
        town.answer(
            Given(f"{start}-{version}-{n}", start + timedelta(seconds=n), "telephone", {"overall": 8}, version=version) for n in range(12)
        )
    town.notice("marker.set", AGO, {"marker": "m", "kind": "reorganisation", "from": epoch_ms(AGO)})
    town.notice("survey.invited", AGO, {"instrument": "q", "version": 1, "invitation": "i", "channel": "email"})
    return town


@pytest.fixture(scope="module")
def towns(clickhouse: ClickHouseEngine) -> Iterator[tuple[Town, Town]]:
    ours, theirs = filled(clickhouse, "onze-leesstad", True), filled(clickhouse, "hun-leesstad", False)
    try:
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()


def calls(name: str) -> list[str]:
    return [
        *(f"(SELECT * FROM {view} WHERE organisation = '{name}')" for view in PLAIN),
        *(f"{view}(organisation = '{name}')" for view in BY_ORGANISATION),
        *(f"{view}(organisation = '{name}', at = now64(3))" for view in BY_ORGANISATION_AND_TIME),
    ]


def test_a_reader_sees_its_own_and_nothing_else(towns: tuple[Town, Town]) -> None:
    ours, theirs = towns
    for own, other in zip(calls(ours.name), calls(theirs.name), strict=True):
        assert ours.read(f"SELECT DISTINCT organisation FROM {own}") == [(ours.name,)], own
        assert ours.read(f"SELECT count() FROM {other} WHERE throwIf(organisation != '', 'leaked') = 0") == [(0,)], other


def test_no_column_is_of_a_single_answer_or_person(towns: tuple[Town, Town]) -> None:
    ours, _ = towns
    for call in calls(ours.name):
        columns = set(ours.reader.query(f"SELECT * FROM {call} LIMIT 0").column_names)
        assert not columns & {"answer", "source", "invitation", "contact", "person", "grades", "timeline", "writer", "aspects_given"}, call
