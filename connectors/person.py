"""Who a contact is from, as a keyed hash: made where the phone number or e-mail address is read, so that neither goes any further.

The hash is HMAC-SHA-256, cut to 32 hexadecimal digits, of the organisation, the kind and the normalised value: equal persons of one
organisation have equal hashes as long as the key holds, and without the key nobody can try out numbers. Keys change by period; the period
of an event's own time decides, so that reading a source again gives the same hash. A person who comes back after a change of key is not
recognised: repeat contacts across it are not seen.
"""

import hmac
import os
import re
import secrets
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import phonenumbers

from schemas.errors import ContactmeterError
from schemas.types import epoch_ms

Kind = Literal["phone", "email"]

DIGITS = 32
_KEY_BYTES = 32
_LINE = re.compile(r"(\d{4}-\d{2}-\d{2})\s+([0-9a-f]{64})")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_HEADER = "# Keys of person hashes: the day from which each holds (UTC), and 64 hexadecimal digits. Keep it secret, and keep a copy.\n"


class BadKeyFile(ContactmeterError):
    """The key file can't be used; the text says why and what to do, and never holds a key."""


@dataclass(frozen=True)
class PersonKeys:
    """Keys by period: `starts` (epoch milliseconds, ascending) and the key that holds from each; the first holds before its start too."""

    starts: Sequence[int]
    keys: Sequence[bytes] = field(repr=False)

    def hash(self, organisation: str, kind: Kind, value: str, at_ms: int) -> str | None:
        """32 hexadecimal digits for a person at an instant; None for what is no phone number or e-mail address ("anonymous")."""
        known_as = normalised(kind, value)
        if known_as is None:
            return None
        return _digest(self.keys[max(0, bisect_right(self.starts, at_ms) - 1)], organisation, kind, known_as)

    def hashes(self, organisation: str, kind: Kind, value: str) -> list[tuple[int, str]]:
        """A person's hash in every period, with its start (epoch milliseconds): to find somebody who asks for erasure."""
        known_as = normalised(kind, value)
        if known_as is None:
            return []
        return [(start, _digest(key, organisation, kind, known_as)) for start, key in zip(self.starts, self.keys, strict=True)]


def normalised(kind: Kind, value: str) -> str | None:
    """A phone number as +31612345678 (Dutch unless it names its country), an e-mail address in lower case; None for what is neither."""
    text = value.strip()
    if kind == "email":
        return text.lower() if _EMAIL.fullmatch(text) else None
    try:
        number = phonenumbers.parse(text, "NL")
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_possible_number(number) else None


def load_keys(path: Path) -> PersonKeys:
    """The keys of a file. Raises BadKeyFile, also when others than its owner may read it."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise BadKeyFile(f"{path}: there is no key file; make one with `contactmeter person key {path}`") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeyFile(f"{path}: can't be read as a key file ({type(error).__name__}); check the name and its permissions") from None
    if mode & 0o077:
        raise BadKeyFile(f"{path}: others may read or change this key file; run `chmod 600 {path}`")
    found: list[tuple[int, bytes]] = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            found.append(_entry(path, number, line.strip()))
    starts = [start for start, _ in found]
    if not found or starts != sorted(set(starts)):
        raise BadKeyFile(f"{path}: a key file has at least one key, and its days ascend, each once")
    return PersonKeys(starts, [key for _, key in found])


def add_key(path: Path, valid_from: date) -> bool:
    """Add a new random key that holds from a day on; makes the file, which only its owner may read. True when it is new.

    Raises BadKeyFile when the last key of the file does not begin before that day.
    """
    new = not path.exists()
    if not new and load_keys(path).starts[-1] >= _start(valid_from):
        raise BadKeyFile(f"{path}: the last key begins on {valid_from} or later already; choose a later day")
    try:
        handle = os.open(path, os.O_WRONLY | (os.O_CREAT | os.O_EXCL if new else os.O_APPEND), 0o600)
    except OSError as error:
        raise BadKeyFile(f"{path}: can't be written ({error.strerror}); check the directory and its permissions") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write((_HEADER if new else "") + f"{valid_from.isoformat()} {secrets.token_hex(_KEY_BYTES)}\n")
    return new


def _entry(path: Path, number: int, line: str) -> tuple[int, bytes]:
    # What stands there may be a key with a slip in it: no message shows it.
    match = _LINE.fullmatch(line)
    try:
        if match is not None:
            return _start(date.fromisoformat(match[1])), bytes.fromhex(match[2])
    except ValueError:
        pass
    raise BadKeyFile(f"{path}:{number}: this line is no key; a line is a day (2026-01-01), a space and 64 hexadecimal digits") from None


def _start(day: date) -> int:
    return epoch_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _digest(key: bytes, organisation: str, kind: Kind, known_as: str) -> str:
    return hmac.new(key, f"{organisation}\n{kind}\n{known_as}".encode(), "sha256").hexdigest()[:DIGITS]
