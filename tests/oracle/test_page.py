"""The oracle against the worked examples of docs/MEASURES.md."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.docs.pages import examples
from tests.oracle.figures import Expected
from tests.oracle.lives import iso
from tests.oracle.told import local, of, organisation, told


def of_the_page(example: Mapping[str, Any], *contacts: list[str]) -> Expected:
    channel = example.get("channel", "telephone")
    given = {name: {"true": True, "false": False}.get(str(value), value) for name, value in example.get("norm", {}).items()}
    norm = [{"applies_to": {"channels": [channel]}, **given}] if given else []
    hours = {"opening_hours": example["opening_hours"]} if "opening_hours" in example else {}
    document = organisation(*norm, channels={channel: {}}, **hours)
    events = []
    for contact, lines in enumerate(contacts, start=1):
        for number, line in enumerate(lines):
            said, brace, content = line.partition(" {")
            moments = yaml.load("{" + content, yaml.BaseLoader) if brace else {}
            data = {"channel": channel} if said.endswith(" opened") else {}
            data |= {name: iso(local(moment)) for name, moment in moments.items()}
            events.append(told(said, str(contact), number=number, **data))
    return of(events, document)


@pytest.mark.parametrize("name", examples("events"))
def test_a_contact_is_judged_as_the_page_says(name: str) -> None:
    example = examples("events")[name]
    (outcome,) = of_the_page(example, example["events"]).contacts["pbx", "1"].outcomes.values()
    verdict = "excluded" if outcome.excluded else "within" if outcome.within else "late"
    for key, value in example["gives"].items():
        match key:
            case "verdict":
                assert verdict == value
            case "excluded":
                assert value in outcome.excluded
            case _:
                assert getattr(outcome, key) == local(value), key


@pytest.mark.parametrize("name", examples("judged"))
def test_quarters_are_those_of_the_page(name: str) -> None:
    example = examples("judged")[name]
    found = of_the_page(example, *example["contacts"])
    for by in ("judged", "opened"):
        lines = {(quarter, measure): sums for (quarter, _, measure), sums in found.quarters(local(example["at"]), by).items()}
        assert {key: sums[0] for key, sums in lines.items()} == {
            (quarter, measure): int(figure["n"]) for quarter, figures in example[by].items() for measure, figure in figures.items()
        }
