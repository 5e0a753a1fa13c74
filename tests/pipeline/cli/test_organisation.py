"""`contactmeter organisation new` and `department add` as a person runs them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import program
from schemas.organisation import load_organisation


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACTMETER_ORGANISATIONS", str(tmp_path))


def run(*arguments: str) -> str:
    done = CliRunner().invoke(program(arguments[0]), list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def test_norms_without_a_target_are_counted(tmp_path: Path) -> None:
    output = run("organisation", "new", "leiderdorp", "--norms", "leiderdorp", "--channel", "email")
    count = len(load_organisation(tmp_path / "leiderdorp.yaml").norms)
    assert f"{count} of its {count} norms have no target: no figure of them says ✓ or ✗ until you add one" in output
    assert "no target" not in run("organisation", "new", "zonder")


def test_channels_that_no_norm_concerns_are_named() -> None:
    run("organisation", "new", "leiderdorp", "--norms", "leiderdorp", "--channel", "email")
    output = run("department", "add", "leiderdorp", "burgerzaken", "--channel", "counter", "--channel", "email")
    assert output.endswith("No norm concerns counter yet; `contactmeter norms list` names published ones to copy from.\n")
    assert "No norm" not in run("department", "add", "leiderdorp", "wijkteam", "--team", "Zuid")
