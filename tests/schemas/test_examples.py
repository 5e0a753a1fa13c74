"""Every example validates, or is refused with exactly the path, reason and message it names; the JSON Schemas agree."""

import json
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from schemas import batch, yamlfile
from schemas.errors import InvalidConfiguration
from schemas.events import EVENT, KINDS, PREFIX
from schemas.generate import DIRECTORY as GENERATED
from schemas.organisation import Organisation, load_organisation, load_organisations
from tests.schemas.examples import DIRECTORY, ORGANISATIONS, files, read

VALID = files(DIRECTORY / "valid", "*.json")
INVALID = files(DIRECTORY / "invalid", "*.json")
VALID_FILES = files(ORGANISATIONS / "valid", "*.yaml")
INVALID_FILES = files(ORGANISATIONS / "invalid", "*.yaml")

# A format of JSON Schema is checked by what is registered here, so these tests don't depend on which optional packages are present.
CHECKER = FormatChecker(formats=())


@CHECKER.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    """RFC 3339: a date, a time and a zone."""
    return not isinstance(value, str) or ("T" in value and datetime.fromisoformat(value).tzinfo is not None)


@CHECKER.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@cache
def validator(name: str) -> Draft202012Validator:
    """The generated schema of that name, formats checked."""
    schema = read(GENERATED / name)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=CHECKER)


def decode(event: Any) -> batch.Batch:
    return batch.decode(json.dumps([event]).encode(), b"voorbeeldstad", batch.headers("voorbeeldstad"))


def test_every_kind_has_one_example() -> None:
    assert sorted(path.stem for path in (DIRECTORY / "valid").iterdir()) == sorted(KINDS)
    assert len(KINDS) == 28


@pytest.mark.parametrize("path", VALID)
def test_valid_event(path: Path) -> None:
    example = read(path)
    assert example["type"] == PREFIX + path.stem
    decoded = decode(example)
    assert decoded.errors == []
    assert decoded.events == [(0, EVENT.validate_python(example))]
    assert isinstance(decoded.events[0][1]["data"]["occurred_at"], int)
    validator(f"events/{path.stem}.schema.json").validate(example)


@pytest.mark.parametrize("path", INVALID)
def test_invalid_event(path: Path) -> None:
    example = read(path)
    decoded = decode(example["event"])
    assert decoded.events == []
    (error,) = decoded.errors
    assert (error.path, error.reason, error.message) == (example["path"], example["reason"], example["message"])
    # A format can't bound a time; and Python's $ lets a last line end pass, in jsonschema but not here.
    if example["reason"] != "time_out_of_range" and path.stem != "id_line_end":
        assert not validator("events.schema.json").is_valid([example["event"]])


def test_the_valid_examples_together_are_a_batch() -> None:
    events = [read(parameter.values[0]) for parameter in VALID]
    validator("events.schema.json").validate(events)
    ((value, count),) = batch.encode(events)
    decoded = batch.decode(value, b"voorbeeldstad", batch.headers("voorbeeldstad"))
    assert (count, len(decoded.events), decoded.errors) == (len(KINDS), len(KINDS), [])


def test_invalid_examples_of_every_reason() -> None:
    reasons = {read(parameter.values[0])["reason"] for parameter in INVALID}
    assert reasons == {
        "bad_format", "bad_time", "missing_field", "missing_zone", "out_of_range", "time_out_of_range",
        "unknown_field", "unknown_type", "unknown_value", "wrong_type",
    }  # fmt: skip


def test_no_example_message_repeats_a_value_of_the_event() -> None:
    example = read(DIRECTORY / "invalid" / "person_phone_number.json")
    assert example["event"]["data"]["person"] not in example["message"]


@pytest.mark.parametrize("path", VALID_FILES)
def test_valid_organisation(path: Path) -> None:
    assert load_organisation(path).organisation in (path.stem, "kleindorp")
    validator("organisation.schema.json").validate(_as_json(yaml.safe_load(path.read_text(encoding="utf-8"))))


def test_a_directory_of_organisations() -> None:
    assert sorted(load_organisations(ORGANISATIONS / "valid")) == ["kleindorp", "voorbeeldstad"]


@pytest.mark.parametrize("path", INVALID_FILES)
def test_invalid_organisation(path: Path) -> None:
    """The leading comments of the file hold the messages, one a line, without the name of the file."""
    text = path.read_text(encoding="utf-8")
    messages = [line.removeprefix("#") for line in text.splitlines() if line.startswith("#:")]
    assert messages
    with pytest.raises(InvalidConfiguration) as refused:
        load_organisation(path)
    assert str(refused.value).splitlines() == [str(path) + message for message in messages]
    with pytest.raises(InvalidConfiguration):
        yamlfile.loads(text.replace("\n", "\r\n"), Organisation, "with Windows line ends")


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _as_json(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_as_json(entry) for entry in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)
