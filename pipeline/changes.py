"""How one configuration of an organisation differs from another in what decides how contacts are judged."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from schemas.organisation import Organisation


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `what` it is, and `instead`: how to do it without judging again. `norm` names the norm it concerns, "" for what
    concerns all; `since` is the first local day of contacts it alters. `grows`: no contact that is stored can be judged otherwise by it.
    """

    what: str
    norm: str = ""
    since: date = date.min
    grows: bool = False
    instead: str = ""

    @property
    def message(self) -> str:
        """Both in one sentence, for whoever changed the file."""
        return f"{self.what}; {self.instead}" if self.instead else self.what


def changes(old: Organisation, new: Organisation, today: date) -> list[Change]:
    """Every difference in the judging part, both by the model of today: a later version of it may say more of an unchanged file."""
    before, after = (orjson.loads(orjson.dumps(one.judging())) for one in (old, new))
    found = [Change(f"{name} changed") for name in ("zone", "opening_hours", "closing_days", "locations") if before[name] != after[name]]
    for name in ("sources", "channels", "product_classes", "scales"):
        for key, value in before[name].items():
            if after[name].get(key) != value:
                found.append(Change(f"{name}: {key!r} changed or is gone"))
        found.extend(Change(f"{name}: {key!r} is new", grows=True) for key in after[name].keys() - before[name].keys())
    return found + _norms(before["norms"], after["norms"], today)


def _norms(old: list[dict[str, Any]], new: list[dict[str, Any]], today: date) -> list[Change]:
    def without_end(norm: dict[str, Any]) -> dict[str, Any]:
        return {**norm, "valid": norm["valid"]["start"]}

    known = {(norm["id"], norm["valid"]["start"]): norm for norm in old}
    found = []
    for norm in new:
        name, start = norm["id"], date.fromisoformat(norm["valid"]["start"])
        before = known.pop((name, norm["valid"]["start"]), None)
        if before is None:
            if start <= today:
                what = f"norm {name!r} would also judge contacts that are stored"
                found.append(Change(what, name, start, instead="let it hold from tomorrow on (`valid: {from: …}`)"))
            else:
                found.append(Change(f"norm {name!r} has a version from {start} on", name, start, grows=True))
        elif without_end(before) != without_end(norm):
            fields = ", ".join(f"{key} {_shown(before[key])} -> {_shown(norm[key])}" for key in norm if before.get(key) != norm[key])
            instead = "end it (`valid: {to: …}`) and add a version that holds from tomorrow on"
            found.append(Change(f"norm {name!r} changed ({fields})", name, start, instead=instead))
        elif before["valid"]["end"] != norm["valid"]["end"]:
            end = min(date.fromisoformat(one["valid"]["end"]) for one in (before, norm))
            if end <= today:
                found.append(Change(f"norm {name!r}: its end lies in the past, where contacts were judged already", name, end))
            else:
                found.append(Change(f"norm {name!r} ends on another day", name, end, grows=True))
    found.extend(Change(f"norm {name!r} is gone", name, date.fromisoformat(start)) for name, start in known)
    return found


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
