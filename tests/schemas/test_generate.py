"""The generated JSON Schemas: up to date, deterministic, and sound for people who only have them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.events import KINDS, PREFIX
from schemas.generate import DIRECTORY, MEANINGS, differing, documents, main


def test_the_files_are_up_to_date() -> None:
    assert differing(DIRECTORY) == []


def test_a_file_for_each_kind_and_no_other() -> None:
    assert {name for name, _ in documents()} == {
        "events.schema.json",
        "organisation.schema.json",
        *(f"events/{kind}.schema.json" for kind in KINDS),
    }
    assert tuple(MEANINGS) == KINDS


def test_deterministic_across_processes() -> None:
    script = "import hashlib, schemas.generate as g; print(hashlib.sha256(repr(list(g.documents())).encode()).hexdigest())"
    root = DIRECTORY.parents[1]
    sums = {
        subprocess.check_output([sys.executable, "-c", script], env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}, cwd=root)
        for seed in ("1", "2")
    }
    assert len(sums) == 1


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=name) for name, text in documents()])
def test_each_is_a_sound_schema(name: str, text: str) -> None:
    schema: dict[str, Any] = json.loads(text)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "do not edit" in schema["$comment"]
    assert schema["title"]
    assert schema["description"]
    assert set(_references(schema)) == {f"#/$defs/{key}" for key in schema["$defs"]}
    for definition in schema["$defs"].values():
        assert definition["description"]


def test_the_batch_names_every_type() -> None:
    schema = json.loads((DIRECTORY / "events.schema.json").read_text(encoding="utf-8"))
    assert (schema["type"], schema["minItems"], schema["maxItems"]) == ("array", 1, 500)
    titles = {definition["title"] for definition in schema["$defs"].values() if "type" in definition.get("properties", {})}
    assert titles == {PREFIX + kind for kind in KINDS}


def test_write_and_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "json"
    assert main([], directory) == 0
    assert main(["--check"], directory) == 0
    capsys.readouterr()
    (directory / "events.schema.json").write_text("{}", encoding="utf-8")
    (directory / "events" / "contact.closed.schema.json").unlink()
    (directory / "events" / "contact.vanished.schema.json").write_text("{}", encoding="utf-8")
    assert main(["--check"], directory) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{directory / name}: differs from the models; run python -m schemas.generate"
        for name in ("events.schema.json", "events/contact.closed.schema.json", "events/contact.vanished.schema.json")
    ]
    assert main([], directory) == 0
    assert differing(directory) == []
    assert not (directory / "events" / "contact.vanished.schema.json").exists()


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [value for key, value in node.items() if key == "$ref"] + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
