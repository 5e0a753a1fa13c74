"""The rows by which views know a configuration."""

from datetime import date
from typing import Any

import pytest

from pipeline.store.registered import rows_of, shown_as
from schemas import yamlfile
from schemas.organisation import Organisation
from tests.pipeline.store.satisfied import instrument, organisation


def configured(**fields: Any) -> Organisation:
    return yamlfile.loads(organisation("rijenstad", **fields), Organisation, "tests")


@pytest.mark.parametrize(
    ("team", "shown"), [("Balie", "Balie"), ("Zuid", "Zuid"), ("Noord", "Balie"), ("Alleen", ""), ("Elders", "Elders")]
)
def test_a_small_team_is_shown_as_the_team_above_it(team: str, shown: str) -> None:
    assert shown_as(configured(), team) == shown


def test_a_chain_of_small_teams_ends_at_one_that_is_not() -> None:
    teams = {"a": {"people": 1, "parent": "b"}, "b": {"people": 2, "parent": "c"}, "c": {"people": 9}}
    assert shown_as(configured(teams=teams), "a") == "c"


def test_targets_keep_their_days_and_scales_are_those_of_the_aspect() -> None:
    dated = instrument("1-10", "overall", "ease")
    dated["aspects"]["overall"]["targets"] = [
        {"target": 7.0, "valid": {"to": "2026-01-01"}},
        {"target": 7.5, "valid": {"from": "2026-01-01"}},
    ]
    dated["aspects"]["ease"]["scale"] = "1-5"
    rows = {row["aspect"]: row for row in rows_of(configured(instruments={"q": [dated]}), 8)["instruments"]}
    assert rows["overall"]["targets"] == [(date(1900, 1, 1), date(2026, 1, 1), 7.0), (date(2026, 1, 1), date(2299, 12, 31), 7.5)]
    assert rows["ease"]["targets"] == []
    assert (rows["ease"]["kind"], rows["ease"]["maximum"]) == ("satisfaction", 5)
    assert {row["version"] for row in rows.values()} == {8}


def test_waves_and_priorities_are_known_to_the_views() -> None:
    wave = {"number": 3, "instrument": "q", "version": 1, "from": "2026-05-01", "to": "2026-05-20", "size": 400, "invited": 60}
    tables = rows_of(configured(waves={"voorjaar": wave}, priorities={"snel": {"title": {"nl": "Snel", "en": "Fast"}}}), 1)
    (row,) = tables["waves"]
    assert (row["wave"], row["start_day"], row["end_day"], row["size"], row["invited"]) == (
        "voorjaar",
        date(2026, 5, 1),
        date(2026, 5, 20),
        400,
        60,
    )
    assert tables["priorities"] == [{"organisation": "rijenstad", "version": 1, "priority": "snel", "title_nl": "Snel", "title_en": "Fast"}]
