"""Rejects as they are stored, and which of them can be sent again. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from schemas.types import Slug

_SLUG: TypeAdapter[str] = TypeAdapter(Slug)
_MASKED = re.compile(r"\*{9}|\*{4}[ .-]\*{2}[ .-]\*{3}|\*{3}[ .-]\*{3}[ .-]\*{3}")
"""A number of nine digits as schemas/bsn.py masks it."""


class Place(NamedTuple):
    """Where something refused stands; position is that of the event in its record, −1 all of it. As text it is the id of a reject."""

    topic: str
    partition: int
    offset: int
    position: int

    def __str__(self) -> str:
        return "/".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raises ValueError with a sentence for whoever typed it."""
        match = re.fullmatch(r"([a-zA-Z0-9._-]{1,249})/([0-9]{1,5})/([0-9]{1,18})/(-1|[0-9]{1,4})", text.strip())
        if match is None:
            raise ValueError(
                f"{text!r} is no id of a reject; write TOPIC/PARTITION/OFFSET/POSITION, as `contactmeter rejects list` shows it"
            )
        return cls(match[1], int(match[2]), int(match[3]), int(match[4]))


@dataclass(frozen=True, slots=True)
class StoredReject:
    """A reject with what was decided about it; `decision` is "" while it is open, else replayed or discarded."""

    place: Place
    organisation: str
    reason: str
    source: str
    connector: str
    path: str
    message: str
    size: int
    sha256: str
    original: str
    appended_at: datetime
    decision: str
    decided_at: datetime | None
    decided_by: str
    because: str


def why_not(reject: StoredReject) -> str:
    """Why a reject can't be sent again; "" when it can."""
    if reject.reason == "bsn" or _MASKED.search(reject.original):
        return "it held a citizen service number, which was masked before it was kept"
    if reject.reason == "organisation_mismatch":
        return "its key and its header name different organisations: only its source can say whose it is"
    if not _is_slug(reject.organisation):
        return "its key is no organisation's slug"
    if reject.size == 0:
        return "it has no content"
    kept = reject.original.encode()
    if len(kept) < reject.size:
        return "it was cut: only its first 64 KB were kept"
    if sha256(kept).hexdigest() != reject.sha256:
        return "what was kept of it is not byte for byte what was sent: it was no text in UTF-8"
    return ""


def _is_slug(text: str) -> bool:
    try:
        _SLUG.validate_python(text)
    except ValidationError:
        return False
    return True


def record_value(reject: StoredReject) -> bytes:
    """The record to send again: that which was refused, or a batch of the one event that was."""
    kept = reject.original.encode()
    return kept if reject.place.position < 0 else b"[" + kept + b"]"
