"""The value types that event and configuration schemas are built of."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, LiteralString, get_args

from pydantic import Field, StringConstraints
from pydantic.types import GetPydanticSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

EARLIEST_MS = 631_152_000_000
"""1990-01-01Z: an earlier time is a wrong clock or a default value of a source system."""
LATEST_MS = 7_258_118_400_000
"""2200-01-01Z: the store keeps times up to 2299, and a deadline derived from a time lies after it."""

_LONGEST_TIME = 40
_BAD_TIME: LiteralString = "bad_time"
_BAD_TIME_MESSAGE: LiteralString = "this is not a time; write it as text with its zone: 2026-03-02T09:00:00+01:00"


def epoch_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime, floored (exact: no float in between)."""
    return (moment - EPOCH) // _MS


def iso(ms: int) -> str:
    """RFC 3339 text in UTC of epoch milliseconds, as the product writes times: `2026-03-02T09:00:00.000Z`."""
    return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=16_384)
def parse_instant(text: str) -> int:
    """Epoch milliseconds (floored) of ISO 8601 text with a zone. Cached: `time` and `occurred_at` are often the same.

    Raises PydanticCustomError `missing_zone`, `bad_time` or `time_out_of_range`, each with a text for people.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError(_BAD_TIME, _BAD_TIME_MESSAGE) from None
    if moment.tzinfo is None:
        raise PydanticCustomError("missing_zone", "a time needs its zone; write 2026-03-02T09:00:00+01:00 or …Z")
    ms = epoch_ms(moment)
    if EARLIEST_MS <= ms < LATEST_MS:
        return ms
    raise PydanticCustomError("time_out_of_range", "a time must lie between 1990-01-01 and 2200-01-01")


def _instant(_source: object, _handler: object) -> CoreSchema:
    # A string parsed by us, not pydantic's datetime: that one takes "1700000000" for a time, and costs three times as much.
    text = core_schema.custom_error_schema(
        core_schema.str_schema(strict=True, max_length=_LONGEST_TIME), _BAD_TIME, custom_error_message=_BAD_TIME_MESSAGE
    )
    return core_schema.no_info_after_validator_function(
        parse_instant,
        text,
        metadata={
            "pydantic_js_functions": [lambda _schema, _handler: {"type": "string", "format": "date-time", "maxLength": _LONGEST_TIME}]
        },
    )


Instant = Annotated[int, GetPydanticSchema(_instant)]
"""A moment: in JSON an RFC 3339 string with a zone, in Python epoch milliseconds (floored)."""

_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
_PRINTABLE_OR_EMPTY = r"^[^\x00-\x1f\x7f]*$"
_SLUG = r"^[a-z0-9][a-z0-9_-]{0,62}$"
_PERSON_HASH = r"^[0-9a-f]{16,64}$"
_URN = r"^urn:[a-z0-9][a-z0-9-]{1,31}:[^\s]+$"

FORMATS = {
    _PRINTABLE: "text without control characters (tab, line end)",
    _PRINTABLE_OR_EMPTY: "text without control characters (tab, line end)",
    _SLUG: "1 to 63 lower-case letters, digits, - and _, beginning with a letter or digit",
    _PERSON_HASH: "a keyed hash in 16 to 64 hexadecimal digits (0-9, a-f); never the phone number or e-mail address itself",
    _URN: "a URN without spaces, such as urn:nld:oin:00000001234567890000:systeem:telefonie",
}
"""What each pattern asks for, in words: "this must be …"."""

Number = Annotated[float, Field(ge=-1e9, le=1e9)]
"""A finite number (the bounds refuse NaN too)."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
"""An id of a source system: 1-200 characters, none of them a control character."""
Text = Annotated[str, StringConstraints(max_length=200, pattern=_PRINTABLE_OR_EMPTY)]
"""A short name as the source gives it (product, team, location); never free text of a citizen."""
Slug = Annotated[str, StringConstraints(pattern=_SLUG)]
"""Lower-case letters, digits, `-` and `_`: ids that this product gives out (organisation, system, norm, instrument, aspect)."""
PersonHash = Annotated[str, StringConstraints(pattern=_PERSON_HASH)]
"""A keyed hash of a person, in hex: never the phone number or e-mail address itself."""
Urn = Annotated[str, StringConstraints(max_length=200, pattern=_URN)]
"""The name of a source system, as CloudEvents `source`."""

Channel = Literal[
    "telephone", "counter", "reception", "email", "letter", "website", "form", "public_space", "chat", "whatsapp", "social", "app"
]
"""The closed list of channels; an organisation names those it uses."""
CHANNELS: tuple[str, ...] = get_args(Channel)
