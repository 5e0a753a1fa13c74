"""The configuration of an organisation: hours, calendars, limits, and what of it decides how contacts are judged."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from schemas import yamlfile
from schemas.errors import InvalidConfiguration
from schemas.opening import parse_hours, parse_week
from schemas.organisation import Organisation, load_organisation, load_organisations
from tests.schemas.examples import ORGANISATIONS

FULL = ORGANISATIONS / "valid" / "voorbeeldstad.yaml"


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("closed", ()),
        (False, ()),  # YAML's reading of a bare `off`
        ("08:30-17:00", ((510, 1020),)),
        ("8:30-17:00", ((510, 1020),)),
        (" 08:30 - 12:00 , 13:00-17:00 ", ((510, 720), (780, 1020))),
        ("09:00-12:00,12:00-13:00", ((540, 720), (720, 780))),
        ("00:00-24:00", ((0, 1440),)),
    ],
)
def test_hours(text: object, hours: tuple[tuple[int, int], ...]) -> None:
    assert parse_hours(text) == hours


@pytest.mark.parametrize(
    "text", ["", "open", 0, None, "08:30", "8-17", "08:60-17:00", "17:00-08:30", "09:00-09:00", "09:00-24:01", "13:00-17:00,08:30-12:00"]
)
def test_no_hours(text: object) -> None:
    with pytest.raises(ValueError, match=r"are no opening hours|must come before|must follow each other"):
        parse_hours(text)


def test_week() -> None:
    office = ((510, 1020),)
    assert parse_week({"mon-thu": "08:30-17:00", "fri": "08:30-13:00"}) == (*[office] * 4, ((510, 780),), (), ())
    assert parse_week({"sun": "10:00-12:00"}) == (*[()] * 6, ((600, 720),))
    assert parse_week({}) == ((),) * 7


@pytest.mark.parametrize("week", [{"fri-mon": "closed"}, {"mon-": "closed"}, {"monday": "closed"}, {1: "closed"}, {"": "closed"}])
def test_days_that_are_none(week: dict[Any, Any]) -> None:
    with pytest.raises(ValueError, match="names no days"):
        parse_week(week)


def test_everything_a_file_may_say() -> None:
    organisation = load_organisation(FULL)
    telephone = organisation.channels["telephone"]
    assert telephone.exceptions == {date(2026, 12, 24): ((510, 720),), date(2026, 12, 31): ()}
    assert organisation.closing_days.dates == (date(2026, 5, 15),)
    assert organisation.opening_hours == parse_week({"mon-fri": "08:30-17:00"})
    assert organisation.system_of_source() == {
        "urn:nld:oin:00000001003214345000:systeem:telefooncentrale": "telefooncentrale",
        "urn:nld:oin:00000001003214345000:systeem:telefooncentrale-2025": "telefooncentrale",
        "urn:nld:oin:00000001003214345000:systeem:klantcontact": "klantcontact",
    }


def test_defaults() -> None:
    organisation = load_organisation(ORGANISATIONS / "valid" / "smallest.yaml")
    assert (organisation.zone, organisation.minimum_n, organisation.norms, organisation.simulated) == ("Europe/Amsterdam", 20, (), False)
    assert organisation.opening_hours == parse_week({"mon-fri": "08:30-17:00"})


def test_versions_of_a_norm_stand_by_date() -> None:
    organisation = load_organisation(FULL)
    reversed_norms = organisation.model_copy(update={"norms": organisation.norms[::-1]})
    for either in (organisation, reversed_norms):
        assert [norm.threshold for norm in either.norm_versions("opnemen")] == ["45s", "30s"]
    assert organisation.norm_versions("absent") == ()


@pytest.mark.parametrize(
    ("channel", "written", "ms"),
    [
        ("telephone", "", 4 * 3_600_000),
        ("counter", "", 86_400_000),
        ("email", "", None),
        ("chat", "", None),
        ("telephone", "max_open: default", 4 * 3_600_000),
        ("telephone", "max_open: off", None),
        ("telephone", "max_open: 'off'", None),
        ("counter", "max_open: 90min", 5_400_000),
        ("email", "max_open: 60d", 60 * 86_400_000),
    ],
)
def test_max_open(tmp_path: Path, channel: str, written: str, ms: int | None) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        f"organisation: a\ntitle: {{nl: A, en: A}}\nsystems: {{s: {{sources: [urn:nld:a]}}}}\nchannels: {{{channel}: {{{written}}}}}\n"
    )
    assert load_organisation(path).max_open_ms(channel) == ms


def test_max_open_of_a_channel_not_used() -> None:
    organisation = load_organisation(ORGANISATIONS / "valid" / "smallest.yaml")
    assert (organisation.max_open_ms("counter"), organisation.max_open_ms("letter")) == (86_400_000, None)


def changed(*pairs: tuple[str, str]) -> Organisation:
    """The full example with text replaced."""
    text = FULL.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return yamlfile.loads(text, Organisation, "changed")


@pytest.mark.parametrize(
    "pair",
    [
        ("Telefoon opgenomen binnen 45 seconden", "Aan de lijn binnen 45 seconden"),
        ("target: 0.75", "target: 0.9"),
        ("target: 7.5", "target: 8"),
        ("Kwaliteitshandvest 2024, blz. 3", "Kwaliteitshandvest 2024, blz. 4"),
        ("inhabitants: 61400", "inhabitants: 62000"),
        ("minimum_n: 30", "minimum_n: 50"),
        ("Gemeente Voorbeeldstad", "Stad Voorbeeld"),
        ("max_open: 2h", "max_open: 3h"),
    ],
)
def test_what_may_change_while_contacts_are_stored(pair: tuple[str, str]) -> None:
    assert changed(pair).judging() == load_organisation(FULL).judging()


@pytest.mark.parametrize(
    "pair",
    [
        ("zone: Europe/Amsterdam", "zone: UTC"),
        ("threshold: 45s", "threshold: 40s"),
        ("short_abandon: 5s", "short_abandon: 6s"),
        ("denominator: offered", "denominator: answered"),
        ("start: queued", "start: opened"),
        ("stop: [responded, closed]", "stop: [responded]"),
        ("clock: opening-hours", "clock: elapsed"),
        ("products: [Verhuizing doorgeven]", "products: [Paspoort]"),
        ("valid: {from: 2026-01-01}", "valid: {from: 2026-02-01}"),
        ("2026-12-31: closed", "2026-12-31: 08:30-12:00"),
        ("dates: [2026-05-15]", "dates: []"),
        ("public_holidays: nl", "public_holidays: none"),
        ("opening_hours: {mon-fri: 08:30-17:00}", "opening_hours: {mon-fri: 09:00-17:00}"),
        ("maximum: 5", "maximum: 7"),
        ("telefooncentrale-2025", "telefooncentrale-2026"),
    ],
)
def test_what_may_not_change_while_contacts_are_stored(pair: tuple[str, str]) -> None:
    assert changed(pair).judging() != load_organisation(FULL).judging()


def test_two_files_of_one_organisation(tmp_path: Path) -> None:
    text = (ORGANISATIONS / "valid" / "smallest.yaml").read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidConfiguration) as refused:
        load_organisations(tmp_path)
    assert str(refused.value) == f"{tmp_path / 'b.yaml'}: organisation 'kleindorp' already has a file in {tmp_path}; keep one"


def test_an_empty_directory_holds_no_organisation(tmp_path: Path) -> None:
    assert load_organisations(tmp_path) == {}
