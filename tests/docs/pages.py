"""The pages of the documentation, as the tests read them."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DRIFT = ROOT / "docs" / "DRIFT.md"
MEASURES = ROOT / "docs" / "MEASURES.md"
OPERATIONS = ROOT / "docs" / "OPERATIONS.md"
ORGANISATION = ROOT / "docs" / "ORGANISATION.md"
PRIVACY = ROOT / "docs" / "PRIVACY.md"
README = ROOT / "README.md"
PAGES = (README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose_of(path: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", text_of(path))


def blocks_of(path: Path) -> Iterator[str]:
    """The content of every fenced block, and of every block that is indented by four spaces or more."""
    yield from (match[2] for match in _FENCE.finditer(text_of(path)))
    yield from re.findall(r"(?:^ {4,}\S.*\n?)+", prose_of(path), re.MULTILINE)


def code_of(path: Path) -> str:
    """Everything on the page that is set as code, a line a piece."""
    return "\n".join([*blocks_of(path), *re.findall(r"`([^`\n]+)`", prose_of(path))])


def rows_of(path: Path, head: str) -> list[list[str]]:
    """The cells of the tables whose head begins with `head`, row by row."""
    tables = re.findall(rf"^\| {re.escape(head)}.*\n\|[ -|]*\n((?:\|.*\n)+)", text_of(path), re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for table in tables for row in table.splitlines()]


def first_cells(path: Path, head: str) -> set[str]:
    """What stands as code in the first column of the tables whose head begins with `head`."""
    return {code for row in rows_of(path, head) for code in re.findall(r"`([^`]+)`", row[0])}


def anchors_of(path: Path) -> set[str]:
    """The anchors that GitHub and others make of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def examples(key: str) -> dict[str, Any]:
    """The worked examples that have `key`, by name. Every value is text: the tests say what it means."""
    found = [yaml.load(block, yaml.BaseLoader) for block in blocks_of(MEASURES) if block.startswith("example:")]
    return {example["example"]: example for example in found if key in example}
