"""`contactmeter satisfaction` and `mark --list` on a real store: what a person reads."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.cli import program
from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine
from tests.pipeline.store.publishing import Given, first_day_after, quarter_of, utc
from tests.pipeline.store.satisfied import Town, instrument, organisation

LAST = quarter_of(date.today() - timedelta(days=100))
BEFORE = quarter_of(date(int(LAST[:4]), 3 * int(LAST[-1]) - 2, 1) - timedelta(days=1))
"""Two quarters that are over."""


def given(quarter: str, grades: list[int], channel: str = "email", instrument: str = "q", version: int = 1, **fields: str) -> list[Given]:
    start = utc(f"{first_day_after(quarter) - timedelta(days=40)}T10:00")
    name = f"{quarter}-{channel}-{instrument}-{version}-{'-'.join(fields.values())}"
    return [
        Given(f"{name}-{n}", start + timedelta(minutes=n), channel, {"overall": grade}, instrument=instrument, version=version, **fields)  # type: ignore[arg-type]
        for n, grade in enumerate(grades)
    ]


INSTRUMENTS = yaml.safe_load(organisation("cijferstad"))["instruments"]
TOWN = organisation("cijferstad", instruments={**INSTRUMENTS, "short": [instrument({"minimum": 1, "maximum": 5}, "overall", target=3)]})
"""The usual one, and grades from 1 to 5."""


@pytest.fixture(scope="module")
def town(clickhouse: ClickHouseEngine) -> Iterator[Town]:
    town = Town(clickhouse, TOWN)
    try:
        town.answer(given(BEFORE, [6, 7, 6, 7, 6, 7, 6, 7]))
        town.answer(given(LAST, [8, 9, 8, 9, 8, 9, 8], team="Balie") + given(LAST, [9, 9], team="Zuid"))
        town.answer(given(BEFORE, [4, 5, 4, 5, 4, 5], instrument="csat") + given(LAST, [4, 5, 4, 2, 4, 5], instrument="csat"))
        town.answer(given(LAST, [9, 10, 3, 9, 7, 10], instrument="nps") + given(LAST, [8] * 6, instrument="panel"))
        town.answer(given(BEFORE, [2, 3, 4, 2, 3, 4], "counter", "short") + given(LAST, [2, 3, 4, 5, 2, 5], "counter", "short"))
        for number, aspect in enumerate(("expected", "overall")):
            start = utc(f"{first_day_after(LAST) - timedelta(days=30)}T10:00")
            town.answer(Given(f"gap-{aspect}-{n}", start + timedelta(minutes=n), "counter", {aspect: 8 - number + n % 2}) for n in range(8))
        begin = epoch_ms(utc(f"{first_day_after(LAST) - timedelta(days=20)}T00:00"))
        data = {"marker": "storing-1", "kind": "outage", "from": begin, "to": begin + 86_400_000, "note": "Telefonie lag eruit"}
        at = utc(f"{first_day_after(LAST) - timedelta(days=10)}T00:00")
        town.notice("marker.set", at, data)
        yield town
    finally:
        town.close()


@pytest.fixture(autouse=True)
def environment(clickhouse: ClickHouseEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in clickhouse.settings.items():
        monkeypatch.setenv(name, value)


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(program(arguments[0]), list(arguments))
    assert done.exit_code == code, done.output
    return done.output


def line(text: str, *words: str) -> str:
    """The line that holds all the words, with single spaces."""
    (found,) = (one for one in text.splitlines() if all(word in one for word in words))
    return re.sub(r"\s+", " ", found).strip()


def test_a_quarter_in_dutch_says_everything(town: Town) -> None:
    text = run("satisfaction", town.name, "--quarter", LAST)
    assert "Vragen (v1, na een contact) · alle kanalen" in text
    assert "panel (zelf aangemeld)" in text
    assert line(text, "overall", "✓ gehaald").startswith("overall 17 8,06 7,67 – 8,44 0,0 % 76,5 % 7,50")
    assert "1 van 2 aspecten aantoonbaar op of boven het doel (0 eronder, 1 niet aan te tonen)" in text
    assert "verwachting − ervaring, overall: +0,44" in text
    assert "! storing · " in text
    assert "Telefonie lag eruit" in text
    assert line(text, "overall", "66,7 %").startswith("overall 6 50 "), "four promoters, one detractor of six: NPS 50"


def test_what_is_low_and_high_is_told_of_scales_that_have_it(town: Town) -> None:
    text = run("satisfaction", town.name, "--quarter", LAST)
    assert "laag: een 5 of lager; hoog: een 8 of hoger" in text
    assert "aanbeveling: laag is 0 tot en met 6, hoog is 9 of 10" in text
    (document,) = json.loads(run("satisfaction", town.name, "--quarter", LAST, "--instrument", "short", "--json"))
    (aspect,) = document["aspects"]
    assert (aspect["kind"], aspect["low_share"], aspect["top_share"]) == ("grade", None, None), "nothing is low or high from 1 to 5"
    assert line(run("satisfaction", town.name, "--quarter", LAST, "--instrument", "short"), "overall").startswith("overall 6 3,50 2,")


def test_enough_answers_on_both_sides_of_a_target_show_nothing_yet(town: Town) -> None:
    text = run("satisfaction", town.name, "--quarter", BEFORE, "--instrument", "short")
    assert line(text, "overall").endswith("– 3,00 · niet aan te tonen")
    text = run("satisfaction", town.name, "--quarter", BEFORE, "--instrument", "short", "--lang", "en")
    assert line(text, "overall").endswith("– 3.00 · not demonstrable")


def test_english_and_json_say_the_same(town: Town) -> None:
    text = run("satisfaction", town.name, "--quarter", LAST, "--instrument", "q", "--channel", "email", "--lang", "en")
    assert line(text, "overall", "✓ met").startswith("overall 9 8.56")
    (document,) = json.loads(run("satisfaction", town.name, "--quarter", LAST, "--instrument", "q", "--channel", "email", "--json"))
    (aspect,) = document["aspects"]
    assert (aspect["n"], aspect["attainment"], round(aspect["value"], 2)) == (9, "met", 8.56)
    assert document["attained"]["met"] == 1


def test_two_quarters_are_compared_with_a_verdict(town: Town) -> None:
    text = run("satisfaction", town.name, "--quarter", LAST, "--against", BEFORE, "--channel", "email")
    assert line(text, "hoger").startswith("overall 9 8,56 8 6,50 +2,06")
    assert line(text, "geen aantoonbaar verschil").startswith("overall 6 83,3 % 6 100,0 % −16,7 %")
    assert f"niet vergeleken: geen cijfers van dezelfde vragenlijst in {BEFORE}" in text


def test_no_comparison_crosses_a_break(town: Town) -> None:
    begin = epoch_ms(utc(f"{first_day_after(BEFORE)}T00:00"))
    at = utc(f"{first_day_after(BEFORE)}T00:00")
    town.notice("marker.set", at, {"marker": "fusie", "kind": "reorganisation", "from": begin, "channels": ["telephone"]})
    text = run("satisfaction", town.name, "--quarter", LAST, "--against", BEFORE, "--instrument", "q")
    assert "niet vergeleken: ertussen ligt een breuk in de reeks" in text
    assert "reorganisatie" in text
    assert "hoger" in run("satisfaction", town.name, "--quarter", LAST, "--against", BEFORE, "--instrument", "q", "-c", "email")


def test_a_withheld_cell_says_so(town: Town) -> None:
    text = run("satisfaction", town.name, "--quarter", LAST, "--by", "team", "--instrument", "q", "-c", "email")
    assert line(text, "Zuid").endswith("Zuid < 5")
    assert line(text, "Balie").endswith("Balie < 5"), "with it the only other one"
    text = run("satisfaction", town.name, "--quarter", LAST, "--by", "product", "--instrument", "q", "-c", "email")
    assert line(text, "(onbekend)").startswith("overall e-mail (onbekend) 9 8,56")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--quarter", "2026-5"), "write 2026-Q3"),
        (("--wave", "najaar"), "no wave 'najaar'"),
        (("--instrument", "x"), "no questionnaire 'x'; known: ces, coded, csat"),
        (("--by", "agent"), "none of team, product, location, segment"),
        (("--quarter", LAST, "--against", LAST), "name another"),
        (("--lang", "fr"), "write nl or en"),
        (("--quarter", LAST, "--wave", "w"), "either --quarter or --wave"),
    ],
)
def test_what_was_asked_wrongly_ends_with_2(town: Town, arguments: tuple[str, ...], says: str) -> None:
    assert says in run("satisfaction", town.name, *arguments, code=2)


def test_markers_are_listed(town: Town) -> None:
    text = run("mark", town.name, "--list")
    assert line(text, "storing-1").startswith("outage · ")
    listed = {one["marker"]: one for one in json.loads(run("mark", town.name, "--list", "--json"))}
    assert listed["storing-1"]["note"] == "Telefonie lag eruit"
