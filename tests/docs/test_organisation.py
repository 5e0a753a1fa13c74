"""docs/ORGANISATION.md: its example is right and has every field there is, every field is explained, and its commands do what it says."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

from pipeline.cli import program
from pipeline.configured import Configured
from schemas import yamlfile
from schemas.instrument import Aspect, Instrument, Scale, Target, Wave
from schemas.norm import AppliesTo, Exclusions, LatestOf, Norm, Titles, Validity
from schemas.organisation import (
    ChannelConfiguration,
    ClosingDays,
    Department,
    Drift,
    Location,
    Organisation,
    Priority,
    System,
    Team,
    load_organisation,
)
from tests.docs.pages import MEASURES, ORGANISATION, blocks_of, code_of

OWN = (
    Organisation,
    System,
    ChannelConfiguration,
    ClosingDays,
    Drift,
    Location,
    Department,
    Team,
    Priority,
    Instrument,
    Aspect,
    Scale,
    Target,
    Wave,
)
OF_NORMS = (Norm, AppliesTo, Exclusions, LatestOf)
EXAMPLE = next(block for block in blocks_of(ORGANISATION) if block.startswith("organisation:"))


def names(*models: type[BaseModel]) -> set[str]:
    """The names of fields as a file writes them."""
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


def keys(value: object) -> Iterator[str]:
    """Every key in a document, however deep."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


def commands(first: str) -> list[list[str]]:
    """The words of the page's commands that begin with `first`, without the name of the program."""
    lines = "\n".join(blocks_of(ORGANISATION)).replace("\\\n", " ").splitlines()
    found = [shlex.split(line.strip(), comments=True)[1:] for line in lines if line.strip().startswith(f"contactmeter {first}")]
    assert found
    return found


def test_the_example_is_right() -> None:
    Configured.of(yamlfile.loads(EXAMPLE, Organisation, ORGANISATION.name))


def test_the_example_has_every_field() -> None:
    assert names(*OWN, *OF_NORMS, Titles, Validity) <= set(keys(yaml.safe_load(EXAMPLE)))


def test_every_field_is_explained() -> None:
    assert names(*OWN) <= told(code_of(ORGANISATION).replace(EXAMPLE, ""))
    assert names(*OF_NORMS) - {"id", "title", "priority", "source"} <= told(code_of(MEASURES))


def told(code: str) -> set[str]:
    """Names that stand as code, alone or before a value (`simulated: true`)."""
    return {line.partition(":")[0] for line in code.splitlines()}


def test_its_commands_write_a_right_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACTMETER_ORGANISATIONS", str(tmp_path))
    runner = CliRunner()
    for words in [*commands("organisation new"), *commands("department add")]:
        result = runner.invoke(program(), words)
        assert result.exit_code == 0, result.output
    written = load_organisation(tmp_path / "leiderdorp.yaml")
    assert written.norms
    assert written.instruments.keys() == {"after_contact"}
    assert written.channels["counter"].leading_system == "balie"
    assert written.teams["Naturalisatie"].department == "burgerzaken"
    assert "contactmeter" in written.systems
    assert runner.invoke(program(), ["organisation", "check", str(tmp_path / "leiderdorp.yaml")]).exit_code == 0
