"""`contactmeter incident`: what a person reads, what is sent, and what a person is told who asked wrongly."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.identity import cloud_event
from connectors.simulator.town import ORGANISATION_FILE
from pipeline.cli.incident import data_of, end_of, lines_of, named
from pipeline.cli.speaking import operator_source
from pipeline.drift.incidents import LONGEST_SILENCE_MS, Incident
from schemas.errors import InvalidConfiguration
from schemas.events import EVENT
from schemas.organisation import load_organisation
from tests.pipeline.builders import NINE, ms

TOWN = load_organisation(ORGANISATION_FILE)
ZONE = ZoneInfo(TOWN.zone)
OPEN = Incident(
    TOWN.organisation,
    "3f9a11",
    "open",
    ("telephone",),
    ("s1",),
    True,
    True,
    NINE,
    NINE,
    None,
    "Telefoon: sinds ma 8:00 minder.",
    "Telephone: less since Mon 8:00.",
)
CLOSED = replace(OPEN, incident="77c0", state="closed", closed_at=NINE)
MERGED = replace(OPEN, incident="3f9b22", state="merged", merged_into=OPEN.incident)
HOUR = 3_600_000


def test_an_incident_is_named_by_its_id_or_the_beginning_of_it() -> None:
    other = replace(OPEN, incident="a0")
    known = [OPEN, CLOSED, MERGED, other]
    assert named(known, "3f9a11") == OPEN
    assert named(known, "3f9a") == OPEN
    assert named(known, "3f9b22") == OPEN, "a merged one stands for the whole"
    assert named(known, "3f9") == OPEN
    assert named(known, "a") == other


@pytest.mark.parametrize(
    ("known", "name", "says"),
    [
        ([OPEN, CLOSED], "b1", "there is no incident 'b1'; open are 3f9a11$"),
        ([CLOSED], "b1", "there is no incident 'b1'; none is open"),
        ([OPEN], "", "there is no incident ''"),
        ([OPEN, CLOSED], "77", "incident 77c0 is over since 2026-03-02T08:00:00.000Z"),
        ([OPEN, replace(OPEN, incident="3f00")], "3f", "'3f' stands for several incidents: 3f00, 3f9a11; write more of it"),
    ],
)
def test_what_names_no_open_incident_is_refused(known: list[Incident], name: str, says: str) -> None:
    with pytest.raises(InvalidConfiguration, match=says):
        named(known, name)


def test_a_silence_ends_when_told_and_else_in_a_week() -> None:
    assert end_of(TOWN, "2026-03-03T09:00", "", NINE) == ms("2026-03-03T09:00")
    assert end_of(TOWN, "", "90min", NINE) == NINE + 3 * HOUR // 2
    assert end_of(TOWN, "", "", NINE) == end_of(TOWN, "", "7d", NINE) == NINE + LONGEST_SILENCE_MS


@pytest.mark.parametrize(
    ("until", "lasting", "says"),
    [
        ("2026-03-01", "", "--until 2026-03-01 does not lie ahead"),
        ("", "0min", "--for 0min does not lie ahead"),
        ("2026-03-10", "", "--until 2026-03-10 is too long; nothing is silenced for more than 7 days"),
        ("", "8d", "--for 8d is too long"),
        ("morgen", "", "--until 'morgen' is no moment"),
        ("", "even", "--for 'even' is not a duration; write 45s"),
        ("2026-03-03", "2h", "say one of --until and --for"),
    ],
)
def test_an_end_that_can_not_be_meant_is_refused(until: str, lasting: str, says: str) -> None:
    with pytest.raises(InvalidConfiguration, match=says):
        end_of(TOWN, until, lasting, NINE)


def read(kind: str, data: dict[str, Any]) -> Any:
    return EVENT.validate_python(cloud_event(kind, operator_source(TOWN), "id", NINE, data))["data"]


def test_what_is_sent_is_a_valid_event() -> None:
    plain = {"incident": OPEN.incident, "who": "anna", "occurred_at": NINE}
    assert read("incident.acknowledged", data_of(OPEN, "anna", "", NINE)) == plain
    silenced = read("incident.silenced", data_of(OPEN, "anna", "storing bekend", NINE, NINE + HOUR))
    assert silenced == plain | {"reason": "storing bekend", "until": NINE + HOUR}


@pytest.mark.parametrize(
    ("incident", "nl", "en"),
    [
        (
            replace(OPEN, asks_since=NINE + 59_999, escalated_at=NINE + HOUR),
            "open sinds ma 2026-03-02 09:00 · wacht op iemand sinds ma 2026-03-02 09:00 · geëscaleerd op ma 2026-03-02 10:00",
            "open since Mon 2026-03-02 09:00 · waits for somebody since Mon 2026-03-02 09:00 · escalated on Mon 2026-03-02 10:00",
        ),
        (
            replace(OPEN, acknowledged_at=NINE, acknowledged_by="anna", silenced_until=NINE + HOUR, silenced_by="bas", reason="storing"),
            "open sinds ma 2026-03-02 09:00 · gezien door anna op ma 2026-03-02 09:00 · stil tot ma 2026-03-02 10:00 door bas (storing)",
            "open since Mon 2026-03-02 09:00 · noted by anna on Mon 2026-03-02 09:00 · silent until Mon 2026-03-02 10:00 by bas (storing)",
        ),
        (CLOSED, "voorbij sinds ma 2026-03-02 09:00", "over since Mon 2026-03-02 09:00"),
        (replace(OPEN, pages=False), "open sinds ma 2026-03-02 09:00 · achteraf gevonden, niet gemeld", ""),
        (replace(OPEN, pages=False, worse=False), "open sinds ma 2026-03-02 09:00 · verbetering", ""),
    ],
)
def test_an_incident_in_words(incident: Incident, nl: str, en: str) -> None:
    assert list(lines_of(incident, "nl", ZONE)) == [f"{incident.incident}  {nl}", f"  {OPEN.text_nl}"]
    if en:
        assert list(lines_of(incident, "en", ZONE)) == [f"{incident.incident}  {en}", f"  {OPEN.text_en}"]
