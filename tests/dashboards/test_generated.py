"""The generated boards: as the generator writes them, as Grafana's SDK reads them, whole, and the same in both languages."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import generate
from dashboards.build.page import COLUMNS, TITLES, uid_of
from dashboards.build.runbook import PAGE
from dashboards.runbooks import anchor_of
from dashboards.words import LANGUAGES

BOARDS = {(name, language): generate.FOLDER / "boards" / language / f"{name}.json" for name in TITLES for language in LANGUAGES}
EACH = pytest.mark.parametrize("path", BOARDS.values(), ids=lambda path: f"{path.parent.name}/{path.stem}")
CLICKHOUSE = "grafana-clickhouse-datasource"


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def questions(board: dict[str, Any]) -> Iterator[str]:
    """Every SQL of a board: panels, marks and variables."""
    for panel in [*panels(board), *({"targets": [mark["target"]]} for mark in board["annotations"]["list"])]:
        yield from (target["rawSql"] for target in panel.get("targets", []) if "rawSql" in target)
    yield from (variable["query"] for variable in board["templating"]["list"] if variable["type"] == "query")


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


def test_what_is_checked_in_is_what_the_generator_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().err


def test_the_check_finds_a_file_that_was_changed_or_is_one_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    changed, added = tmp_path / "boards/nl/now.json", tmp_path / "boards/nl/then.json"
    changed.write_text(changed.read_text().replace("Kanalen", "Canales"))
    added.write_text("{}")
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "boards/nl/now.json" in told
    assert "boards/nl/then.json" in told
    assert len(told.splitlines()) == 2


def test_every_board_is_there_and_nothing_else() -> None:
    assert set(BOARDS.values()) == set((generate.FOLDER / "boards").rglob("*.json"))


@EACH
def test_the_sdk_reads_all_of_it(path: Path) -> None:
    """Field by field: what its types do not know, Grafana would not either. Of marks it knows no SQL: they are looked at apart."""
    board = content(path)
    marks = board.pop("annotations")
    read = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    read.pop("annotations")
    assert read == board
    assert {tuple(sorted(mark)) for mark in marks["list"]} <= {("datasource", "enable", "iconColor", "name", "target")}


def test_the_sdk_would_not_keep_what_it_does_not_know() -> None:
    board = content(BOARDS["now", "nl"])
    board["refrehs"] = "10s"
    assert "refrehs" not in Dashboard.from_json(board).to_json()


@pytest.mark.parametrize("name", TITLES)
def test_both_languages_have_the_same_panels(name: str) -> None:
    dutch, english = (content(BOARDS[name, language]) for language in ("nl", "en"))
    assert [(one["type"], one["gridPos"]) for one in dutch["panels"]] == [(one["type"], one["gridPos"]) for one in english["panels"]]
    assert [one["name"] for one in dutch["templating"]["list"]] == [one["name"] for one in english["templating"]["list"]]
    assert (dutch["uid"], english["uid"]) == (uid_of(name, "nl"), uid_of(name, "en"))
    told = [one["description"] for one in panels(dutch)]
    assert told != [one["description"] for one in panels(english)], "the English board speaks Dutch"


@EACH
def test_panels_have_a_title_a_description_and_a_place_of_their_own(path: Path) -> None:
    board = content(path)
    assert panels(board)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert max(x for x, _ in cells) < COLUMNS
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
        assert panel["title"]
        assert panel["type"] in ("row", "text") or panel["description"], panel["title"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@EACH
def test_every_question_is_about_the_chosen_organisation_and_asks_views_only(path: Path) -> None:
    """But for the one of the pipeline that compares all of them."""
    for sql in questions(content(path)):
        tables = re.findall(r"\b(?:FROM|JOIN)\s+([A-Za-z_][\w.]*)", sql)
        assert all(table.startswith("v_") for table in tables), f"{path.stem} asks {tables}"
        if set(tables) - {"v_organisations"}:
            assert "${organisation:sqlstring}" in sql or (path.stem == "pipeline" and "o.organisation = s.organisation" in sql), sql


@EACH
def test_links_lead_somewhere(path: Path) -> None:
    uids = {uid_of(name, path.parent.name) for name in TITLES}  # type: ignore[arg-type]
    operations = (generate.DOCS / "OPERATIONS.md").read_text(encoding="utf-8")
    anchors = {anchor_of(heading) for heading in re.findall(r"^#+ (.+)$", operations, re.MULTILINE)}
    links = [text for text in strings(content(path)) if text.startswith(("/d/", "/public/"))]
    for link in links:
        parts = urlsplit(link)
        if parts.path.startswith("/d/"):
            assert parts.path.removeprefix("/d/") in uids, link
        else:
            assert parts.path == PAGE, link
            assert parts.fragment in anchors, f"docs/OPERATIONS.md has no heading for {link}"


@EACH
def test_a_state_never_rests_on_colour_alone(path: Path) -> None:
    """What is coloured by its text is coloured by the symbol that the text begins with."""
    for panel in panels(content(path)):
        config = panel.get("fieldConfig", {})
        mappings = [one for text in (config.get("defaults", {}).get("mappings") or [],) for one in text]
        for override in config.get("overrides", []):
            mappings += [one for item in override["properties"] if item["id"] == "mappings" for one in item["value"]]
        for mapping in mappings:
            assert mapping["type"] == "regex"
            assert re.fullmatch(r"\^\\?[^\w\s]\.\*", mapping["options"]["pattern"]), mapping
