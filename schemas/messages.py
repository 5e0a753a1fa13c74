"""What pydantic finds wrong, as sentences for a person who must mend an event or a file and knows no pydantic.

Sentences name kinds of values ("a number"), never the value itself: an event may hold what nobody else should read.
"""

import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from schemas.types import FORMATS

_WANTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "a mapping of names to values",
    "model": "a mapping of names to values",
    "list": "a list",
    "tuple": "a list",
    "date": "a date that exists, such as 2026-03-02",
}
"""What a field wants, by the first word of pydantic's error type (`string_type`, `int_parsing`, `date_from_datetime_parsing`)."""


def sentence(detail: Mapping[str, Any]) -> str:
    """What is wrong and what is wanted, of one entry of `ValidationError.errors()`."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    match kind:
        case "missing":
            return "this is required"
        case "literal_error":
            return f"this must be {context['expected']}"
        case "string_pattern_mismatch" if context["pattern"] in FORMATS:
            return f"this must be {FORMATS[context['pattern']]}"
        case "string_too_long":
            return f"at most {context['max_length']} characters fit here; this has {len(given)}"
        case "string_too_short" | "too_short":
            return "this is empty; it needs at least one " + ("character" if kind == "string_too_short" else "entry")
        case "too_long":
            return f"at most {context['max_length']} entries fit here"
        case "greater_than_equal" | "less_than_equal" if isinstance(given, float) and not math.isfinite(given):
            return "a number must be finite"
        case "greater_than_equal":
            return f"this must be at least {_plain(context['ge'])}"
        case "less_than_equal":
            return f"this must be at most {_plain(context['le'])}"
        case "value_error":
            return str(context["error"])
    wanted = _WANTED.get(kind.partition("_")[0])
    if wanted is None:
        return str(detail["msg"])
    return f"this must be {wanted}" + (f"; it is {_named(given)}" if kind.endswith("_type") else "")


def misfit(message: str, *place: int | str) -> PydanticCustomError:
    """The error of a check across fields of a model; `place` leads from that model to the entry a person should look at."""
    return PydanticCustomError("misfit", "{message}", {"message": message, "place": place})


def _plain(bound: float) -> str:
    return f"{bound:,.0f}" if bound == int(bound) else str(bound)


def _named(value: object) -> str:
    match value:
        case None:
            return "empty (null)"
        case bool():
            return "true or false"
        case int():
            return "a number"
        case float():
            return "a number with decimals"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case dict():
            return "a mapping of names to values"
    return f"a {type(value).__name__}"
