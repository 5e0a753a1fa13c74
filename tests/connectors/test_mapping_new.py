"""`contactmeter mapping new`, `person key` and `person hash`, as a person calls them."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from pipeline.cli import load, mapping, person
from tests.connectors.mapped import HEADER, csv_file, rows


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONTACTMETER_PERSON_KEY_FILE", raising=False)


def invoke(*arguments: object, stdin: str = "") -> Result:
    app = typer.Typer()
    for module in (load, mapping, person):
        module.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def test_a_draft_that_loads(tmp_path: Path) -> None:
    csv_file(tmp_path / "Gesprekken 2026.csv", rows(40))
    made = invoke("mapping", "new", "Gesprekken 2026.csv", "--organisation", "leiden")
    assert made.exit_code == 0, made.output
    assert "wrote gesprekken_2026/mapping.yaml and gesprekken_2026/organisation.yaml" in made.stdout
    assert "Channel is the channel: telephone, counter" in made.stdout
    assert "as it stands, of the first 40 rows 40 can be used:\n          26  nl.contactmeter.contact.closed\n" in made.stdout
    assert (
        "next: settle what is marked DECIDE, then `contactmeter load Gesprekken 2026.csv --mapping gesprekken_2026/mapping.yaml"
        in made.stdout
    )
    again = invoke("mapping", "new", "Gesprekken 2026.csv", "--organisation", "leiden")
    assert again.exit_code == 2
    assert "gesprekken_2026/mapping.yaml is there already; remove it, or give another directory by --output" in again.stderr
    loaded = invoke("load", "Gesprekken 2026.csv", "-m", "gesprekken_2026/mapping.yaml", "--dry-run", "--json")
    assert loaded.exit_code == 0, loaded.output
    assert json.loads(loaded.stdout)["events"]["sent"]["contact.opened"] == 40


def test_a_draft_as_json_elsewhere(tmp_path: Path) -> None:
    csv_file(tmp_path / "a.csv", rows(10))
    made = invoke("mapping", "new", "a.csv", "--output", tmp_path / "b" / "c", "--json")
    assert made.exit_code == 0, made.output
    summary = json.loads(made.stdout)
    assert summary["tried"]["rows"] == 10
    assert Path(summary["mapping"]) == tmp_path / "b" / "c" / "mapping.yaml"
    assert Path(summary["organisation"]).read_text().startswith("# A first draft beside the mapping")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv"], "none.csv: can't be read"),
        (["empty.csv"], "there are no rows from which to draft a mapping"),
        (["empty.csv", "--organisation", "Leiden!"], "'Leiden!' is no id; write lower-case letters"),
    ],
)
def test_what_keeps_it_from_drafting(tmp_path: Path, arguments: list[str], message: str) -> None:
    csv_file(tmp_path / "empty.csv", [], HEADER)
    result = invoke("mapping", "new", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(tmp_path.glob("*/mapping.yaml"))


def test_keys_and_hashes_of_persons(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert invoke("person", "hash", "leiden").exit_code == 2
    assert "make one with `contactmeter person key" in invoke("person", "hash", "leiden", "--keys", keys).stderr
    assert "made, with a key that holds from 2026-01-01" in invoke("person", "key", keys, "--from", "2026-01-01").stdout
    assert "added a key that holds from 2027-01-01" in invoke("person", "key", keys, "--from", "2027-01-01").stdout
    assert "choose a later day" in invoke("person", "key", keys, "--from", "2026-06-01").stderr
    found = invoke("person", "hash", "leiden", "--keys", keys, stdin="06-12345678\n")
    assert found.exit_code == 0, found.output
    # The runner repeats what is typed.
    lines = [line.split("  from ") for line in found.stdout.splitlines() if "  from " in line]
    assert [line[1] for line in lines] == ["2026-01-01", "2027-01-01"]
    assert all(len(line[0].strip()) == 32 for line in lines)
    wrong = invoke("person", "hash", "leiden", "--keys", keys, "--kind", "email", stdin="06-12345678\n")
    assert (wrong.exit_code, "this is no phone number or e-mail address" in wrong.stderr) == (2, True)


def test_a_load_says_what_was_left_out_corrected_and_looks_wrong(tmp_path: Path) -> None:
    rules = """
leave_out: [{name: tests, when: [{column: product, equals: Test}], because: calls that staff made to try the line}]
clocks: [{name: ahead, when: [{column: id, in: ["5", "7"]}], because: a year ahead, shift: {years: -1}}]
"""
    text = """
mapping: small
organisation: leiden
source: urn:nld:oin:00000000000000000000:systeem:desk
system: desk
times: {zone: Europe/Amsterdam}
contact: id
events:
  - {type: contact.opened, at: at, data: {channel: {value: counter}, product: product}}
"""
    (tmp_path / "m.yaml").write_text(text + rules)
    lines = [f"{n},{'Test' if n % 50 == 0 else 'Pas'},20{19 if n % 40 == 3 else 26}-03-02T09:{n // 60:02}:{n % 60:02}" for n in range(800)]
    result = invoke("load", csv_file(tmp_path / "a.csv", lines, "id,product,at"), "-m", "m.yaml", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "16  rows left out by tests: calls that staff made to try the line" in result.stdout
    assert "2  rows with corrected times by ahead: a year ahead" in result.stdout
    assert "a.csv: 20 rows, the first on line 5, lie about 2,556 days before the rows around them: is a clock wrong?" in result.stderr
    summary = json.loads(invoke("load", tmp_path / "a.csv", "-m", "m.yaml", "--dry-run", "--json").stdout)
    assert (summary["left_out"], summary["corrected_times"], len(summary["notes"])) == ({"tests": 16}, {"ahead": 2}, 1)


def test_a_load_makes_person_hashes_only_with_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.yaml").write_text("""
mapping: small
organisation: leiden
source: urn:nld:oin:00000000000000000000:systeem:desk
system: desk
times: {zone: Europe/Amsterdam}
contact: id
events:
  - {type: contact.opened, at: at, data: {channel: {value: telephone}, person: {column: caller, kind: phone}}}
""")
    path = csv_file(tmp_path / "a.csv", ["1,2026-03-02T09:00:00,06-12345678"], "id,at,caller")
    without = invoke("load", path, "-m", "m.yaml", "--dry-run")
    assert without.exit_code == 2
    assert "set CONTACTMETER_PERSON_KEY_FILE to their key file" in without.stderr
    invoke("person", "key", tmp_path / "keys", "--from", "2026-01-01")
    monkeypatch.setenv("CONTACTMETER_PERSON_KEY_FILE", str(tmp_path / "keys"))
    result = invoke("load", path, "-m", "m.yaml", "--dry-run")
    assert result.exit_code == 0, result.output
    event = json.loads(result.stdout.splitlines()[0])
    assert len(event["data"]["person"]) == 32
    assert "12345678" not in result.output
