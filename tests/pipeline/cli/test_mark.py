"""`contactmeter mark`: what is sent, and what a person is told who asked wrongly."""

from typing import Any

import pytest

from connectors.identity import cloud_event
from connectors.simulator.town import ORGANISATION_FILE
from pipeline.cli.mark import KINDS, data_of
from pipeline.cli.speaking import operator_source
from schemas.errors import InvalidConfiguration
from schemas.events import EVENT
from schemas.organisation import load_organisation
from tests.pipeline.builders import NINE, ms

TOWN = load_organisation(ORGANISATION_FILE)


def data(kind: str = "outage", begins: str = "", ends: str = "", channels: tuple[str, ...] = (), note: str = "") -> dict[str, Any]:
    return data_of(TOWN, kind, "m-1", begins, ends, channels, note, NINE)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent_is_a_valid_event(kind: str) -> None:
    sent = cloud_event(
        "marker.set", operator_source(TOWN), "id", NINE, data(kind, "2026-03-01", "2026-03-02T08:00", ("telephone",), "Storing")
    )
    read = EVENT.validate_python(sent)["data"]
    assert (read["from"], read["to"]) == (ms("2026-03-01T00:00"), ms("2026-03-02T08:00"))
    assert (read["kind"], read["channels"], read["note"]) == (kind, ["telephone"], "Storing")


def test_without_dates_it_begins_now_and_has_no_end() -> None:
    read = EVENT.validate_python(cloud_event("marker.set", operator_source(TOWN), "id", NINE, data()))["data"]
    assert read == {"marker": "m-1", "kind": "outage", "occurred_at": NINE, "from": NINE}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"kind": "storing"}, "no kind of marker; write one of announced_change, questionnaire_change"),
        ({"begins": "gisteren"}, "--from 'gisteren' is no moment; write 2026-03-02T09:00"),
        ({"begins": "2026-03-02", "ends": "2026-03-01"}, "does not lie after its beginning"),
        ({"channels": ("chat",)}, "no channel of simulatiestad; it has telephone, counter"),
        ({"channels": ("telefoon",)}, "'telefoon' is no channel"),
    ],
)
def test_what_can_not_be_meant_is_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidConfiguration, match=says):
        data(**arguments)


def test_without_a_system_for_operators_it_says_what_to_add() -> None:
    systems = {name: system for name, system in TOWN.systems.items() if name != "contactmeter"}
    with pytest.raises(InvalidConfiguration, match=r"no system 'contactmeter'; add to `systems`: contactmeter: \{sources"):
        operator_source(TOWN.model_copy(update={"systems": systems}))
