"""Citizen service numbers (burgerservicenummers): found by their eleven test, wherever they stand, and masked.

The eleven test (elfproef, Logisch Ontwerp BSN): nine digits d1 … d9 whose sum 9·d1 + 8·d2 + … + 2·d8 − d9 is a multiple of 11.
One in eleven numbers of nine digits passes by chance.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

_NINE = r"(?:[Bb][Ss][Nn])?\s?\d{9}|\d{4}[ .-]\d{2}[ .-]\d{3}|\d{3}[ .-]\d{3}[ .-]\d{3}"
_NUMBER = re.compile(rf"(?<![0-9A-Za-z])(?:{_NINE})(?![0-9A-Za-z])")


_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})")
"""Nanoseconds are nine digits too."""
_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def _shape(byte: int) -> str:
    char = chr(byte)
    if byte >= 128 or not (char.isalnum() or char == "\\"):
        return "/"
    return "0" if char.isdigit() else char.lower() if char in "bsnBSN\\" else "a"


_SHAPE = bytes(ord(_shape(byte)) for byte in range(256))
"""Every byte by what it is: a digit, a letter (those of "bsn" as they are), a backslash, anything else."""
_SHAPES = (b"/000000000/", b"0000/00/000", b"000/000/000", b"bsn", b"\\a00")
"""By itself; in parts; after its name; a digit written as \\u0030."""


def may_hold(json: bytes) -> bool:
    """Whether such a number may stand in JSON: quick, and never wrong when it says no."""
    shape = b"/" + json.translate(_SHAPE) + b"/"
    return any(one in shape for one in _SHAPES)


def passes(digits: str) -> bool:
    """Whether nine digits pass the eleven test. Nine zeros do not count."""
    return digits != "000000000" and sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11 == 0


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def found_in(text: str) -> bool:
    """Whether a number that passes stands in a text, by itself: not as part of a longer number or word."""
    return any(passes(_digits(match[0])) for match in _NUMBER.finditer(text))


def mask(text: str) -> str:
    """The text with an asterisk for every digit of such numbers."""
    return _NUMBER.sub(lambda match: re.sub(r"\d", "*", match[0]) if passes(_digits(match[0])) else match[0], text)


def masked(value: Any) -> Any:
    """A JSON value with every such number masked, in texts, keys and integers."""
    match value:
        case str():
            return mask(value)
        case bool() | None:
            return value
        case int():
            text = mask(str(value))
            return value if text == str(value) else text
        case list():
            return [masked(item) for item in value]
        case dict():
            return {mask(key): masked(item) for key, item in value.items()}
        case _:
            return value


def paths(value: Any, exempt: Callable[[str], bool], path: str = "$") -> Iterator[str]:
    """JSON paths of the texts, integers and keys of a value in which such a number stands; `exempt` says which paths are not looked at."""
    if isinstance(value, dict):
        for key, item in value.items():
            here = f"{path}.{key}"
            if found_in(key):
                yield f"{path}.{mask(key)}"
            elif not exempt(here):
                yield from paths(item, exempt, here)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from paths(item, exempt, f"{path}[{position}]")
    elif isinstance(value, str | int) and not isinstance(value, bool) and found_in(str(value)) and not _TIME.fullmatch(str(value)):
        yield path
