"""Events and organisations written in few words, for examples that are worked by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.days import instant
from tests.oracle.door import Wire
from tests.oracle.figures import Expected, expected
from tests.oracle.lives import iso

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SOURCES = {"pbx": "urn:nld:oin:1:systeem:pbx", "crm": "urn:nld:oin:1:systeem:crm"}


def local(text: str) -> int:
    """Epoch milliseconds of local time in Amsterdam; a date alone is the end of that day."""
    if len(text) == 10:
        text += " 23:59:59.999"
    return instant(datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).isoformat())


def told(line: str, contact: str = "1", system: str = "pbx", number: int = 0, **data: Any) -> Wire:
    """An event written as `2026-03-02 09:00 opened`, with what else it says."""
    moment, kind = line.rsplit(" ", 1)
    at = iso(local(moment))
    kind = kind if "." in kind else f"contact.{kind}"
    subject = {"contact": contact} if kind.startswith("contact.") else {}
    fields = {"occurred_at": at, **subject, **({"channel": "email"} if kind == "contact.opened" else {}), **data}
    name = f"{kind}-{contact}-{moment}-{number}"
    return {"specversion": "1.0", "id": name, "source": SOURCES[system], "type": f"nl.contactmeter.{kind}", "time": at, "data": fields}


def organisation(*norms: Mapping[str, Any], **fields: Any) -> Wire:
    """A municipality with two systems, open from 8:30 to 17:00 and on Fridays to 13:00."""
    systems = {name: {"sources": [source]} for name, source in SOURCES.items()}
    usual = {"id": "n", "applies_to": {"channels": ["email"]}}
    return {
        "organisation": "voorbeeldstad",
        "systems": systems,
        "channels": {"email": {}, "telephone": {}},
        "opening_hours": {"mon-thu": "08:30-17:00", "fri": "08:30-13:00"},
        "norms": [{**usual, **norm} for norm in norms],
        **fields,
    }


def of(events: list[Wire], document: Wire, appended: str = "2027-01-01 00:00") -> Expected:
    return expected([(event, local(appended)) for event in events], document)
