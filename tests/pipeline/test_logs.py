"""Lines of the log: one a message, as text or JSON, and nothing personal in what errors quote."""

import json
import logging
import sys

import pytest

from pipeline.logs import Formatter, masked


def record(level: int, text: str, *arguments: object, **context: object) -> logging.LogRecord:
    made = logging.getLogger("pipeline.test").makeRecord("pipeline.test", level, __file__, 1, text, arguments, None, extra=context)
    made.created = 1_772_442_000.123
    return made


def test_a_line_of_text() -> None:
    line = Formatter("text").format(record(logging.INFO, "%s is in force", "leiden", organisation="leiden", seconds=1.5))
    assert line == "2026-03-02T09:00:00.123Z INFO pipeline.test: leiden is in force [organisation=leiden seconds=1.5]"


def test_a_line_of_json() -> None:
    line = Formatter("json").format(record(logging.WARNING, "wacht", topic="contact-events", offset=7))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-03-02T09:00:00.123Z", "level": "WARNING", "logger": "pipeline.test", "message": "wacht", "topic": "contact-events",
        "offset": 7,
    }  # fmt: skip


@pytest.mark.parametrize("style", ["text", "json"])
def test_an_error_is_told_without_what_it_quotes_of_a_person(style: str) -> None:
    try:
        int("j.jansen@example.nl 111222333 06-12345678 +31612345678")
    except ValueError:
        made = record(logging.CRITICAL, "it stops")
        made.exc_info = sys.exc_info()
    line = Formatter(style).format(made)
    assert "ValueError" in line
    for personal in ("jansen", "111222333", "12345678"):
        assert personal not in line
    assert json.loads(line)["exception"].startswith("Traceback") if style == "json" else "Traceback" in line


@pytest.mark.parametrize(
    "text", ["127.0.0.1:46873 does not answer", "2026-03-02 09:00:00", "1,234,567 records", "offset 12345678", "as_of 1772442000123"]
)
def test_what_is_nobodys_stays(text: str) -> None:
    assert masked(text) == text
