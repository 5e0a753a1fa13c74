"""A row's texts to events in wire form, each validated as the pipeline will; the first thing that is wrong refuses the row."""

import re
from collections import Counter
from collections.abc import Mapping as Texts
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from connectors.identity import cloud_event, event_id
from connectors.mapped_file.conditions import all_hold
from connectors.mapped_file.mapping import Mapping
from connectors.mapped_file.problems import Unusable, shown
from connectors.mapped_file.rules import MOMENTS, EventRule, Moment, Scalar, Shift, Value
from connectors.mapped_file.times import parse_duration, parse_time
from connectors.person import PersonKeys
from connectors.protocol import WireEvent
from schemas.batch import explain
from schemas.events import EVENTS
from schemas.types import iso

_BOOLEANS = {"true": True, "yes": True, "ja": True, "1": True, "false": False, "no": False, "nee": False, "0": False}
_FLAGS = {"wait_unknown", "automatic", "reached", "has_comment", "confidential"}
_WHOLE_NUMBERS = {"version", "revision"}
_NUMBERS = {"items", "gauges"}
_REMEMBERED = 10_000
_POSTCODE = re.compile(r"([1-9]\d{3})(?: ?[A-Z]{2})?", re.IGNORECASE)


@dataclass(frozen=True)
class Built:
    """What a row gives: its events, and how many were left out because their time lies outside the bounds (`outside: drop-event`)."""

    events: list[WireEvent]
    outside: int


class Builder:
    """Builds events by a mapping; knows no file. `persons` are the keys of the hashes, for a mapping that makes any."""

    def __init__(self, mapping: Mapping, persons: PersonKeys | None = None) -> None:
        self._mapping = mapping
        self._persons = persons
        self._earliest_ms, self._latest_ms = mapping.times.earliest_ms, mapping.times.latest_ms
        self._parsed: dict[tuple[str, tuple[Shift, ...]], int] = {}

    def build(self, row: Texts[str, str], shifts: tuple[Shift, ...] = ()) -> Built:
        """The events of one row (column to text; an empty text is no value), every time moved by `shifts`. Raises Unusable."""
        mapping = self._mapping
        for refusal in mapping.refuse:
            if all_hold(refusal.when, row, mapping.times):
                raise Unusable(
                    refusal.when[0].column, refusal.because, "correct the row in the source, or the rule under `refuse` in the mapping"
                )
        contact = ""
        if mapping.contact is not None:
            contact = row[mapping.contact]
            if not contact:
                raise Unusable(mapping.contact, "the id of the contact is empty", "every row needs one")
        events: list[WireEvent] = []
        rules: list[EventRule] = []
        outside = 0
        for rule in mapping.events:
            if not all_hold(rule.when, row, mapping.times):
                continue
            at = self._moment(rule.at, row, shifts)
            if at is None:
                if rule.required:
                    raise Unusable(
                        rule.at.columns[0], f"the time of {rule.type} is empty", "complete the row, or remove `required` in the mapping"
                    )
            elif not self._earliest_ms <= at < self._latest_ms:
                if mapping.times.outside == "invalid-row":
                    raise Unusable(
                        rule.at.columns[0], f"{iso(at)} lies outside the bounds", "correct the row, or earliest and latest under `times`"
                    )
                outside += 1
            else:
                events.append(self._event(rule, row, contact, at, shifts))
                rules.append(rule)
        self._check(events, rules)
        return Built(events, outside)

    def _event(self, rule: EventRule, row: Texts[str, str], contact: str, at: int, shifts: tuple[Shift, ...]) -> WireEvent:
        data: dict[str, Any] = {"occurred_at": iso(at)}
        if rule.type.startswith("contact."):
            data["contact"] = contact
        elif rule.type.startswith("survey.") and contact:
            data["contact"] = {"system": self._mapping.system, "id": contact}
        for name, entry in rule.data.items():
            value: Any
            if isinstance(entry, dict):
                value = {key: one for key, item in entry.items() if (one := self._value(name, item, row, shifts)) is not None}
            elif entry.is_personal:
                value = self._person(entry, row, at)
            else:
                value = self._value(name, entry, row, shifts)
            if value is not None and value != {}:
                data[name] = value
        if rule.item is not None:
            aspect, grade = self._value("aspect", rule.item.aspect, row), self._value("items", rule.item.value, row)
            data["items"] = {} if aspect is None or grade is None else {aspect: grade}
        moments = ((norm, self._moment(moment, row, shifts)) for norm, moment in rule.deadlines.items())
        deadlines = {norm: iso(due) for norm, due in moments if due is not None}
        if deadlines:
            data["deadlines"] = deadlines
        identifier = event_id(
            self._mapping.mapping, rule.type, *_subject(rule.type, contact, data), rule.label, *(row[column] for column in rule.per)
        )
        return cloud_event(rule.type, self._mapping.source, identifier, at, data)

    def _moment(self, moment: Moment, row: Texts[str, str], shifts: tuple[Shift, ...]) -> int | None:
        """Epoch milliseconds; None when it is empty, or a duration to add is."""
        texts = [row[column] for column in moment.columns]
        if not any(texts):
            return None
        for column, text in zip(moment.columns, texts, strict=True):
            if not text:
                raise Unusable(column, "a part of the time is empty", f"complete it, or empty {', '.join(moment.columns)} all")
        if moment.time:
            texts.append(moment.time)
        if moment.days:
            shifts = (*shifts, Shift(days=moment.days))
        at = self._parse(" ".join(texts), moment.columns[0], shifts)
        for column in moment.plus:
            if not row[column]:
                return None
            at += parse_duration(row[column], self._mapping.times, column)
        return at

    def _parse(self, text: str, column: str, shifts: tuple[Shift, ...]) -> int:
        """`parse_time`, remembered: polls and days stand on many rows."""
        at = self._parsed.get((text, shifts))
        if at is None:
            at = parse_time(text, self._mapping.times, column, shifts)
            if len(self._parsed) >= _REMEMBERED:
                self._parsed.clear()
            self._parsed[text, shifts] = at
        return at

    def _value(self, field: str, value: Value, row: Texts[str, str], shifts: tuple[Shift, ...] = ()) -> Any:
        if not value.columns:
            return _typed(field, value.value, "", self._mapping, shifts)
        column = value.columns[0]
        text = " ".join(part for name in value.columns if (part := row[name]))
        if value.postcode and text:
            found = _POSTCODE.fullmatch(text)
            text = found[1] if found else ""
        if not text:
            return _typed(field, value.default, column, self._mapping, shifts)
        if value.table is not None:
            return _typed(field, self._translate(value.table, text, column), column, self._mapping, shifts)
        return _typed(field, text.lower() if value.lower else text, column, self._mapping, shifts)

    def _person(self, value: Value, row: Texts[str, str], at: int) -> str | None:
        if self._persons is None:
            raise RuntimeError("a mapping that hashes persons was given no keys")  # MappedFile refuses this before the first row.
        return self._persons.hash(self._mapping.organisation, "phone" if value.kind == "phone" else "email", row[value.columns[0]], at)

    def _translate(self, name: str, text: str, column: str) -> Scalar | None:
        table = self._mapping.tables[name]
        key = text.casefold() if table.ignore_case else text
        if key in table.values:
            return table.values[key]
        if table.default is not None or table.unknown == "empty":
            return table.default
        if table.unknown == "keep":
            return text
        raise Unusable(
            column,
            f"{shown(text)} is not in table {name}",
            f"add it under tables.{name}.values in the mapping, or give the table a default",
        )

    def _check(self, events: list[WireEvent], rules: list[EventRule]) -> None:
        if len({event["id"] for event in events}) < len(events):
            times = Counter(event["id"] for event in events)
            twice = next(rule.type for event, rule in zip(events, rules, strict=True) if times[event["id"]] > 1)
            raise Unusable(
                self._mapping.contact or rules[0].at.columns[0],
                f"two rules give the same {twice}",
                "tell them apart in the mapping, by conditions that exclude each other, `label` or `per`",
            )
        try:
            EVENTS.validate_python(events)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            position = int(detail["loc"][0])
            refused = explain(position, detail)
            column = _column(rules[position], refused.path) or self._mapping.contact or rules[position].at.columns[0]
            raise Unusable(column, f"{rules[position].type}: {refused.path}: {refused.message}", "correct the row or the mapping") from None


def _subject(kind: str, contact: str, data: dict[str, Any]) -> tuple[str, ...]:
    """What the event is about, for its id: the contact, the revision of an answer, the invitation, or a queue at a moment."""
    if kind == "survey.answered":
        return str(data.get("answer", "")), str(data.get("revision", ""))
    if kind == "survey.invited":
        return (str(data.get("invitation", "")) or contact,)
    if kind == "channel.observed":
        return str(data.get("channel", "")), str(data.get("queue", "")), data["occurred_at"]
    return (contact,)


def _typed(field: str, value: Scalar | None, column: str, mapping: Mapping, shifts: tuple[Shift, ...]) -> Any:
    """A constant or text as the field's type. Raises Unusable."""
    if value is None:
        return None
    if field in MOMENTS:
        return iso(parse_time(str(value), mapping.times, column, shifts))
    if field in _FLAGS:
        flag = _BOOLEANS.get(str(value).casefold())
        if flag is None:
            raise Unusable(column, f"{shown(str(value))} is not true or false", "translate it by a table with true and false")
        return flag
    if field in _NUMBERS or field in _WHOLE_NUMBERS:
        try:
            return int(value) if field in _WHOLE_NUMBERS else parse_number(value, mapping.file.decimal)
        except ValueError:
            raise Unusable(column, f"{shown(str(value))} is not a number", "correct it, or file.decimal in the mapping") from None
    return str(value)


def parse_number(value: Scalar, decimal: str) -> float:
    """A number as a person writes it: `7.5`, `7,5` (with decimal ","), `85 %` (0.85). Raises ValueError."""
    if not isinstance(value, str):
        return float(value)
    percent = value.endswith("%")
    number = float(value.removesuffix("%").replace(decimal, "."))
    return number / 100 if percent else number


def _column(rule: EventRule, path: str) -> str:
    """The column behind a JSON path of an event, or an empty text."""
    parts = path.removeprefix("$.data.").split(".")
    if parts[0] == "occurred_at":
        return rule.at.columns[0]
    if parts[0] == "deadlines":
        return rule.deadlines[parts[1]].columns[0] if len(parts) > 1 and parts[1] in rule.deadlines else ""
    entry = rule.data.get(parts[0])
    if parts[0] == "items" and rule.item is not None:
        entry = rule.item.value
    if isinstance(entry, dict):
        entry = entry.get(parts[1]) if len(parts) > 1 else None
    return entry.columns[0] if entry is not None and entry.columns else ""
