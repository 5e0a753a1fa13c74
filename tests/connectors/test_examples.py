"""The mappings that ship, on the real files they are for."""

import os
from collections import Counter
from pathlib import Path

import pytest

from connectors.mapped_file.connector import MappedFile
from connectors.mapped_file.mapping import load_mapping
from connectors.mapped_file.problems import Problem
from connectors.protocol import Finished, WireEvent
from schemas import batch
from schemas.events import PREFIX
from schemas.organisation import load_organisation

EXAMPLES = Path(__file__).parents[2] / "connectors" / "examples"
DATA = Path(os.environ.get("CONTACTMETER_DATA") or Path(__file__).parents[3] / "shared" / "data")

FILES = {
    "pwc_calls": "pwc_calls.csv",
    "techsupport_tickets": "techsupport_tickets.csv",
    "baltimore_311": "baltimore_311.csv",
    "wabo_receipt": "wabo_receipt.csv.gz",
    "assen_meldingen": "assen_meldingen.csv",
    "katwijk_fixi": "katwijk_fixi.csv.gz",
    "warsaw_counters": "warsaw_counters.csv.gz",
    "montpellier_qualiville": "montpellier_qualiville.csv",
}
UTC_FILES = {"katwijk_fixi"}
"""Their times are UTC without saying so; the municipality lives by local time."""
EXPECTED = {
    "pwc_calls": {"opened": 5_000, "queued": 5_000, "answered": 4_054, "closed": 4_054, "abandoned": 946, "survey": 4_054},
    "techsupport_tickets": {"opened": 2_330, "responded": 2_312, "closed": 1_912, "survey": 1_173},
    "baltimore_311": {"opened": 10_000, "closed": 9_792},
    "wabo_receipt": {"opened": 1_434, "acknowledged": 1_434, "closed": 1_329},
    # 125 rows are moves to another category, 3 more moves back; 4 reports came back and were closed twice, but for one that is open.
    "assen_meldingen": {"opened": 2_899, "corrected": 128, "closed": 2_620, "reopened": 4},
    "katwijk_fixi": {"opened": 82_537},
    "warsaw_counters": {"observed": 130_616},
    "montpellier_qualiville": {"survey": 42_498},
}
LEFT_OUT = {"warsaw_counters": {"office-of-2012": 11_260}, "montpellier_qualiville": {"nobody-asked": 32, "n-unknown": 2}}
CORRECTED = {"warsaw_counters": {"iso-week-year": 3_598}}


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_mapping_and_organisation_agree(name: str) -> None:
    mapping = load_mapping(EXAMPLES / name / "mapping.yaml")
    organisation = load_organisation(EXAMPLES / name / "organisation.yaml")
    assert mapping.mapping == name
    assert mapping.organisation == organisation.organisation
    assert organisation.system_of_source()[mapping.source] == mapping.system
    assert mapping.times.zone == ("UTC" if name in UTC_FILES else organisation.zone)
    given = {norm for rule in mapping.events for norm in rule.deadlines}
    assert given == {norm.id for norm in organisation.norms if norm.clock == "given"}


@pytest.mark.parametrize("name", FILES)
def test_the_file_gives_what_is_in_it(name: str) -> None:
    path = DATA / FILES[name]
    if not path.exists():
        pytest.skip(f"{path} is not here (CONTACTMETER_DATA names its directory)")
    mapping = load_mapping(EXAMPLES / name / "mapping.yaml")
    organisation = load_organisation(EXAMPLES / name / "organisation.yaml")
    problems: list[Problem] = []
    connector = MappedFile(path, mapping, problem=problems.append)
    connector.resume(None)
    events: list[WireEvent] = []
    while True:
        try:
            events += connector.poll().events
        except Finished:
            break
    assert problems == []
    assert (connector.tally.left_out, connector.tally.corrected) == (LEFT_OUT.get(name, {}), CORRECTED.get(name, {}))
    assert connector.warnings() == []
    counts = Counter(event["type"].removeprefix(PREFIX) for event in events)
    assert {("survey" if kind.startswith("survey") else kind.split(".")[1]): count for kind, count in counts.items()} == EXPECTED[name]
    assert len({event["id"] for event in events}) == len(events)
    for value, _ in batch.encode(events[:20_000]):
        assert batch.decode(value, mapping.organisation.encode(), batch.headers(mapping.organisation)).errors == []
    assert {event["data"].get("channel") for event in events} - {None} == set(organisation.channels)
    if name == "pwc_calls":
        abandoned = [event["data"] for event in events if event["type"].endswith("abandoned")]
        assert all(data["wait_unknown"] is True for data in abandoned)
