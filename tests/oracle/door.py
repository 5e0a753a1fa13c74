"""Which events may not come in, and why: what a schema can't say. The shape of an event is the schema's matter, not checked here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.oracle.days import instant

Wire = dict[str, Any]
_TOLERANCE_MS = 5 * 60_000
_TIMES = {"time", "occurred_at", "appointment_at", "term_starts_at", "due_at", "deadlines", "last_read_at", "from", "to", "until"}
_IDS = {"contact", "id", "link", "invitation", "answer"}
_NUMBER = re.compile(r"(?<![^\W_])(?:bsn)?(\d{9}|\d{4}[. -]\d{2}[. -]\d{3})(?![^\W_])", re.IGNORECASE)


@dataclass(frozen=True)
class Seen:
    """An event inside the oracle; times are epoch milliseconds."""

    at: int
    source: str
    id: str
    time: int
    kind: str
    data: Wire

    @property
    def order(self) -> tuple[int, str, str]:
        return (self.at, self.source, self.id)


def seen(event: Wire) -> Seen:
    """An event of the wire with its times read."""
    data = event["data"]
    read = {key: _read(key, value) for key, value in data.items() if key != "occurred_at"}
    kind = event["type"].removeprefix("nl.contactmeter.")
    return Seen(instant(data["occurred_at"]), event["source"], event["id"], instant(event["time"]), kind, read)


def _read(key: str, value: Any) -> Any:
    if key == "deadlines":
        return {norm: instant(due) for norm, due in value.items()}
    if key in _TIMES:
        return instant(value)
    if key == "items":
        return {aspect: float(grade) for aspect, grade in value.items()}
    if key in ("segment", "location") and re.fullmatch(r"\s*\d{4}\s?[A-Za-z]{2}\s*", value):
        return value.strip()[:4]
    return value


def refusals(event: Wire, one: Seen, appended: int, organisation: Wire) -> frozenset[str]:
    """Every reason that holds for refusing an event; none for an event that comes in."""
    systems = organisation["systems"]
    system = next((settings for settings in systems.values() if one.source in settings["sources"]), None)
    reasons = set()
    if system is None:
        reasons.add("foreign_source")
    if max(one.at, one.time) > appended + _TOLERANCE_MS:
        reasons.add("future")
    if {one.data.get("channel"), *one.data.get("channels", ())} - {None} - set(organisation["channels"]):
        reasons.add("unknown_channel")
    if any(map(is_bsn, _texts(event, nine_digit_ids=bool(system and system.get("nine_digit_ids"))))):
        reasons.add("bsn")
    if "instrument" in one.data:
        reasons |= _of_questionnaire(one.data, organisation)
    return frozenset(reasons)


def _of_questionnaire(data: Wire, organisation: Wire) -> set[str]:
    versions = organisation.get("instruments", {}).get(data["instrument"], ())
    instrument = next((one for one in versions if one["version"] == data["version"]), None)
    if instrument is None:
        return {"unknown_instrument"}
    reasons = set()
    for aspect, grade in data.get("items", {}).items():
        if aspect not in instrument["aspects"]:
            reasons.add("unknown_aspect")
            continue
        low, high = _bounds(instrument["aspects"][aspect].get("scale") or instrument["scale"])
        if not low <= grade <= high:
            reasons.add("off_scale")
    return reasons


def _bounds(scale: Any) -> tuple[float, float]:
    if isinstance(scale, dict):
        return scale["minimum"], scale["maximum"]
    if scale == "yes-no":
        return 0, 1
    low, high = scale.replace("smileys-", "1-").split("-")
    return float(low), float(high)


def _texts(value: Any, *, nine_digit_ids: bool, key: str = "", inside: str = "") -> Iterator[str]:
    """Every text and whole number of an event in which a citizen service number may stand."""
    if key in _TIMES or key == "person":
        return
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, nine_digit_ids=nine_digit_ids, key=name, inside=key)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, nine_digit_ids=nine_digit_ids, inside=key)
    elif isinstance(value, str | int) and not isinstance(value, bool) and not (nine_digit_ids and key in _IDS):
        yield str(value)


def is_bsn(text: str) -> bool:
    """Whether a text holds a number that passes the eleven test of citizen service numbers."""
    for match in _NUMBER.finditer(text):
        digits = [int(digit) for digit in match[1] if digit.isdigit()]
        weighed = sum(digit * weight for digit, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
        if weighed % 11 == 0 and any(digits):
            return True
    return False
