"""What names of the event contract are called on Dutch screens: events, attributes, roles; English ones show them as they are."""

from collections.abc import Mapping
from typing import Any

from schemas.words import CHANNELS

EVENTS = {
    "opened": "geopend",
    "queued": "in de wachtrij",
    "answered": "beantwoord",
    "abandoned": "opgegeven",
    "left_queue": "uit de wachtrij",
    "acknowledged": "ontvangst bevestigd",
    "informed": "bericht gegeven",
    "responded": "antwoord gegeven",
    "promised": "toegezegd",
    "paused": "opgeschort",
    "resumed": "hervat",
    "extended": "verlengd",
    "callback_requested": "terugbellen gevraagd",
    "called_back": "teruggebeld",
    "reached": "teruggebeld en bereikt",
    "transferred": "doorverbonden",
    "closed": "gesloten",
    "reopened": "heropend",
    "corrected": "verbeterd",
    "withdrawn": "teruggetrokken",
    "forgotten": "vergeten",
    "appointment_at": "afspraak",
    "term_starts_at": "begin van de termijn",
}
"""Kinds of events without `contact.`, and the moments that a norm may start from as if they were events."""
ATTRIBUTES = {
    "channel": "kanaal",
    "location": "locatie",
    "segment": "segment",
    "direction": "richting",
    "complexity": "complexiteit",
    "appointment_at": "afspraak",
    "term_starts_at": "begin van de termijn",
    "deadlines": "uiterste momenten",
    "person": "persoon",
    "same_as": "hetzelfde als",
    "link": "verwijzing",
    "confidential": "vertrouwelijk",
    "queue": "wachtrij",
    "reason": "reden",
    "wait_unknown": "wachttijd onbekend",
    "automatic": "automatisch",
    "due_at": "uiterlijk",
    "reached": "bereikt",
    "result": "resultaat",
}
_VALUES: dict[str, Mapping[str, str]] = {
    "channel": CHANNELS,
    "direction": {"inbound": "inkomend", "outbound": "uitgaand"},
    "complexity": {"simple": "eenvoudig", "complex": "complex", "unknown": "onbekend"},
}
"""Attributes whose values are words of the contract; of the others they are the source's own."""
ROLES = {
    "nl": {
        "counts": "telt mee",
        "enriches": "telt zelf niet mee: vult een ander contact aan",
        "unlinked": "telt niet mee: niet gekoppeld aan het contact van het leidende systeem",
        "unknown": "telt niet mee: het kanaal is nog niet bekend",
        "withdrawn": "telt niet mee: teruggetrokken",
        "mailbox": "telt niet mee: alleen door anderen genoemd",
        "forgotten": "vergeten",
    },
    "en": {
        "counts": "counts",
        "enriches": "does not count itself: it adds to another contact",
        "unlinked": "does not count: it is not linked to the contact of the leading system",
        "unknown": "does not count: its channel is not known yet",
        "withdrawn": "does not count: withdrawn",
        "mailbox": "does not count: only named by others",
        "forgotten": "forgotten",
    },
}


def event_text(kind: str, language: str) -> str:
    """A kind of event as people read it; of several, separated by commas, each."""
    return ", ".join(EVENTS.get(one, one) for one in kind.split(", ")) if language == "nl" else kind


def attribute_text(name: str, language: str) -> str:
    """The name of an attribute as people read it."""
    return ATTRIBUTES.get(name, name) if language == "nl" else name


def value_text(attribute: str, value: Any, language: str) -> str:
    """The value of an attribute as people read it: yes and no, words of the contract; of several, separated by commas, each."""
    if isinstance(value, bool):
        return ("nee", "ja")[value] if language == "nl" else ("no", "yes")[value]
    words = _VALUES.get(attribute)
    if language != "nl" or words is None:
        return str(value)
    return ", ".join(words.get(one, one) for one in str(value).split(", "))
