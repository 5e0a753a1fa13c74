"""Reading YAML of people: encodings, anchors, and line numbers that point at the fault."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from schemas import yamlfile
from schemas.errors import InvalidConfiguration


class Item(BaseModel):
    """An entry of the model that these tests read."""

    model_config = ConfigDict(extra="forbid")
    name: str
    day: date = date(2026, 1, 1)
    size: int = 0


class Shelf(BaseModel):
    """The model that these tests read."""

    model_config = ConfigDict(extra="forbid")
    items: list[Item] = []
    named: dict[str, Item] = {}


def fault(text: str) -> list[str]:
    with pytest.raises(InvalidConfiguration) as refused:
        yamlfile.loads(text, Shelf, "shelf.yaml")
    return str(refused.value).splitlines()


def test_dates_and_text_that_looks_like_one() -> None:
    shelf = yamlfile.loads("items: [{name: 2026-03-02, day: 2026-03-02}]", Shelf, "shelf.yaml")
    assert shelf.items == [Item(name="2026-03-02", day=date(2026, 3, 2))]


def test_lines_of_nested_faults() -> None:
    text = "# a comment\nitems:\n  - name: a\n  - name: b\n    size: groot\n    colour: red\n\nnamed:\n  c:\n    day: 2026-02-30\n"
    assert fault(text) == [
        "shelf.yaml:5: items[1].size: this must be a whole number",
        "shelf.yaml:6: items[1].colour: this name is not known here; check its spelling",
        "shelf.yaml:9: named.c.name: this is required",
        "shelf.yaml:10: named.c.day: this must be a date that exists, such as 2026-03-02",
    ]


def test_lines_in_flow_style() -> None:
    assert fault("items: [\n  {name: a},\n  {name: [b]}]\n") == ["shelf.yaml:3: items[1].name: this must be text; it is a list"]


def test_anchors_and_merging() -> None:
    shelf = yamlfile.loads("named:\n  a: &a {name: a, size: 3}\n  b: {<<: *a, name: b}\n", Shelf, "shelf.yaml")
    assert shelf.named["b"] == Item(name="b", size=3)


def test_a_fault_in_what_is_merged_points_at_the_entry() -> None:
    assert fault("named:\n  a: &a {name: a, size: x}\n  b: {<<: *a, name: b}\n") == [
        "shelf.yaml:2: named.a.size: this must be a whole number",
        "shelf.yaml:3: named.b.size: this must be a whole number",
    ]


def test_a_key_that_stands_twice_at_any_depth() -> None:
    assert fault("items:\n  - name: a\n    size: 1\n    size: 2\n") == ["shelf.yaml:4: not valid YAML: the key 'size' stands twice"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "shelf.yaml:1: the file must hold a mapping of names to values; it holds nothing"),
        ("# nothing\n", "shelf.yaml:1: the file must hold a mapping of names to values; it holds nothing"),
        ("- a\n", "shelf.yaml:1: the file must hold a mapping of names to values; it holds a list"),
        ("shelf\n", "shelf.yaml:1: the file must hold a mapping of names to values; it holds a single value"),
        ("items: []\n---\nitems: []\n", "shelf.yaml:2: not valid YAML: but found another document"),
        ("items: !!python/object:os.system []\n", "shelf.yaml:1: not valid YAML: could not determine a constructor for the tag"),
        ("items: \x07\n", "shelf.yaml: not valid YAML: "),
        ("items: *absent\n", "shelf.yaml:1: not valid YAML: found undefined alias 'absent'"),
        ("? {a: 1}\n: 2\n", "shelf.yaml:1: not valid YAML: a list or mapping can't be a key"),
    ],
)
def test_no_mapping_or_no_yaml(text: str, message: str) -> None:
    assert fault(text)[0].startswith(message)


def test_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "shelf.yaml"
    path.write_bytes("items: [{name: één}]".encode("utf-8-sig"))
    assert yamlfile.load(path, Shelf).items[0].name == "één"


def test_cp1252(tmp_path: Path) -> None:
    path = tmp_path / "shelf.yaml"
    path.write_bytes("items: [{name: één}]".encode("cp1252"))
    with pytest.raises(InvalidConfiguration, match=r"shelf\.yaml: is not UTF-8 text; save it as UTF-8"):
        yamlfile.load(path, Shelf)


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_file_that_can_not_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"can't be read \(.+\); check the name and its permissions"):
        yamlfile.load(tmp_path / name, Shelf)
