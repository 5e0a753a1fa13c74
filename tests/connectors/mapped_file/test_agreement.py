"""Mapping against organisation's file: each disagreement is said, naming both files."""

from pathlib import Path
from typing import Any

import pytest

from connectors.mapped_file.agreement import check_agreement
from connectors.mapped_file.mapping import load_mapping
from schemas.errors import InvalidConfiguration
from schemas.organisation import load_organisation

EXAMPLES = Path(__file__).parents[3] / "connectors" / "examples"


def faults(name: str, old: str = "", new: str = "") -> str:
    """What is said of an example in whose mapping `old` is replaced."""
    directory = EXAMPLES / name
    mapping = load_mapping(directory / "mapping.yaml")
    text = mapping.model_dump_json(by_alias=True)
    assert old in text
    changed: Any = type(mapping).model_validate_json(text.replace(old, new)) if old else mapping
    try:
        check_agreement(changed, Path("m.yaml"), load_organisation(directory / "organisation.yaml"), Path("o.yaml"))
    except InvalidConfiguration as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_the_examples_agree(name: str) -> None:
    assert faults(name) == ""


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "pwc_calls",
            '"pwc"',
            '"other"',
            "organisation 'other' is not that of the organisation file, 'pwc'; correct it, or o.yaml",
        ),
        ("pwc_calls", "systeem:pwc-calls", "systeem:x", "systeem:x' is not one of the organisation's sources (urn:"),
        ("pwc_calls", '"system":"calls"', '"system":"desk"', "speaks for system 'calls' in the organisation file, not for 'desk'"),
        ("pwc_calls", '"telephone"', '"video"', "channel 'video' (contact.opened) is not one of the organisation's channels (telephone)"),
        ("techsupport_tickets", '"Chat":"chat"', '"Chat":"video"', "channel 'video' (contact.opened) is not one of"),
        ("techsupport_tickets", '"resolution":', '"other":', "the deadline 'other' (contact.opened) is for no norm of the organisation (f"),
        ("pwc_calls", '"rating"', '"grade"', "instrument 'grade' (survey.answered) is not one of the organisation's instruments (rating)"),
        (
            "montpellier_qualiville",
            '"Rapidité":"speed"',
            '"Rapidité":"mood"',
            "qualiville_from_totals' version 1 has no aspect 'mood' (acc",
        ),
        (
            "pwc_calls",
            '"answer":',
            '"comment": {"column": "Topic"}, "answer":',
            "instrument 'rating' version 1 does not store comments; remove `comment`, or write `comments: stored`",
        ),
        ("pwc_calls", '"satisfaction":', '"mood":', "instrument 'rating' version 1 has no aspect 'mood' (satisfaction)"),
    ],
)
def test_each_disagreement_is_said(name: str, old: str, new: str, expected: str) -> None:
    said = faults(name, old, new)
    assert expected in said
    assert all(line.startswith("m.yaml: ") and line.endswith("; correct it, or o.yaml") for line in said.splitlines())
