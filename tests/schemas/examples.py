"""The examples that ship with the schemas, as test parameters."""

import json
from pathlib import Path
from typing import Any

import pytest

DIRECTORY = Path(__file__).parents[2] / "schemas" / "examples"
ORGANISATIONS = DIRECTORY / "organisations"


def files(directory: Path, pattern: str) -> list[Any]:
    """One parameter a file, named after it."""
    return [pytest.param(path, id=path.stem) for path in sorted(directory.glob(pattern))]


def read(path: Path) -> Any:
    """The JSON of a file."""
    return json.loads(path.read_text(encoding="utf-8"))


def event(kind: str = "contact.closed", **data: Any) -> dict[str, Any]:
    """The valid example of a kind in wire form, with other values in its data."""
    example: dict[str, Any] = read(DIRECTORY / "valid" / f"{kind}.json")
    return {**example, "data": {**example["data"], **data}}
