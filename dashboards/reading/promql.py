"""A small part of Prometheus for whoever runs none: what the worker's /metrics said lately, and the expressions of our own boards.

    comparison := sum (('>' | '>=' | '<' | '<=' | '==' | '!=') sum)?          keeps the series for which it holds
    sum        := product (('+' | '-') product)*                             product the same with * and /
    factor     := number | '(' comparison ')' | sum|max|min|avg|count ('by' '(' label, … ')')? '(' comparison ')'
                | rate|increase '(' selector '[' number s|m|h ']' ')' | selector
    selector   := name ('{' label ('=' | '!=' | '=~' | '!~') "text", … '}')?

Two series go together when their labels are equal. As in Prometheus, a sample counts for five minutes, a counter that falls began anew,
and `rate` and `increase` reckon with half an interval between samples before the first and after the last.
"""

import operator
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import NoReturn

from prometheus_client.parser import text_string_to_metric_families

from schemas.errors import InvalidConfiguration

EVERY_S = 15.0
KEEP_S = 6 * 3600.0
FRESH_S = 300.0

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
_TOKEN = re.compile(r'\s*(\d+\.?\d*|[A-Za-z_:][\w:]*|"(?:[^"\\]|\\.)*"|=~|!~|!=|>=|<=|==|[-+*/(){}\[\],=<>])')
_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "sum": sum, "max": max, "min": min, "count": lambda found: float(len(found)), "avg": lambda found: sum(found) / len(found),
}  # fmt: skip
_COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne}
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Series:
    """What was scraped: by name and labels, the samples (time in s, value) of the last KEEP_S. Buckets of histograms are left out."""

    KEEP_MS = int(KEEP_S * 1000)

    def __init__(self) -> None:
        self._samples: dict[str, dict[Labels, deque[tuple[float, float]]]] = {}

    def take(self, exposition: str, at: float) -> None:
        """Add what a /metrics page said at a moment."""
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples:
                if not sample.name.endswith("_bucket"):
                    kept = self._samples.setdefault(sample.name, {}).setdefault(frozenset(sample.labels.items()), deque())
                    kept.append((at, sample.value))
                    while kept[0][0] < at - KEEP_S:
                        kept.popleft()

    def ask(self, expression: str, at: float) -> Vector:
        """The value of an expression at a moment, by labels. Raises InvalidConfiguration for one that is not of the part above."""
        reading = _Reading(expression, self._samples, at)
        found = reading.comparison()
        reading.expect("")
        return {frozenset(): found} if isinstance(found, float) else found


class _Reading:
    """One pass over an expression, evaluated while it is read."""

    def __init__(self, expression: str, samples: Mapping[str, Mapping[Labels, deque[tuple[float, float]]]], at: float) -> None:
        self._expression, self._samples, self._at = expression, samples, at
        self._tokens = [*_TOKEN.findall(expression), ""]
        if "".join(self._tokens) != re.sub(r"\s(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", "", expression):
            raise self._wrong()
        self._place = 0

    def comparison(self) -> Vector | float:
        left = self._sum()
        while (sign := self._tokens[self._place]) in _COMPARISONS:
            self._place += 1
            holds = _COMPARISONS[sign]
            left = _joined(left, self._sum(), lambda one, other, holds=holds: one if holds(one, other) else None)  # type: ignore[misc]
        return left

    def expect(self, token: str) -> None:
        if self._next() != token:
            raise self._wrong()

    def _sum(self) -> Vector | float:
        left = self._product()
        while (sign := self._tokens[self._place]) in ("+", "-"):
            self._place += 1
            left = _joined(left, self._product(), operator.add if sign == "+" else operator.sub)
        return left

    def _product(self) -> Vector | float:
        left = self._factor()
        while (sign := self._tokens[self._place]) in ("*", "/"):
            self._place += 1
            left = _joined(left, self._factor(), operator.mul if sign == "*" else lambda one, other: one / other if other else None)
        return left

    def _factor(self) -> Vector | float:
        token = self._next()
        if token[:1].isdigit():
            return float(token)
        if token == "(":
            found = self.comparison()
            self.expect(")")
            return found
        if token in _AGGREGATES:
            return self._aggregate(_AGGREGATES[token])
        if token in ("rate", "increase"):
            self.expect("(")
            chosen = list(self._selected(self._next()))
            self.expect("[")
            span = float(self._next()) * (_UNITS.get(self._next()) or self._fail())
            self.expect("]")
            self.expect(")")
            grown = {labels: _grown(samples, self._at - span, self._at) for labels, samples in chosen}
            return {labels: value / (span if token == "rate" else 1.0) for labels, value in grown.items() if value is not None}
        if not re.match(r"[A-Za-z_:]", token):
            raise self._wrong()
        last = {labels: [one for one in samples if self._at - FRESH_S < one[0] <= self._at] for labels, samples in self._selected(token)}
        return {labels: found[-1][1] for labels, found in last.items() if found}

    def _aggregate(self, function: Callable[[list[float]], float]) -> Vector:
        by = self._by()
        self.expect("(")
        found = self.comparison()
        self.expect(")")
        by = by or self._by()
        groups: dict[Labels, list[float]] = {}
        for labels, value in ({frozenset(): found} if isinstance(found, float) else found).items():
            groups.setdefault(frozenset(one for one in labels if one[0] in by), []).append(value)
        return {labels: function(values) for labels, values in groups.items()}

    def _by(self) -> set[str]:
        names: set[str] = set()
        if self._tokens[self._place] == "by":
            self._place += 1
            self.expect("(")
            while (token := self._next()) != ")":
                names.add(token if token else self._fail())
        return names - {","}

    def _selected(self, name: str) -> Iterator[tuple[Labels, deque[tuple[float, float]]]]:
        conditions: list[tuple[str, str, str]] = []
        if self._tokens[self._place] == "{":
            self._place += 1
            while self._tokens[self._place] != "}":
                conditions.append((self._next(), self._next(), self._next()[1:-1].replace('\\"', '"').replace("\\\\", "\\")))
                if self._tokens[self._place] != "}":
                    self.expect(",")
            self._place += 1
        for labels, samples in self._samples.get(name, {}).items():
            had = dict(labels)
            if all(_fits(had.get(label, ""), sign, text) for label, sign, text in conditions):
                yield labels, samples

    def _next(self) -> str:
        if self._place == len(self._tokens):
            self._fail()
        self._place += 1
        return str(self._tokens[self._place - 1])

    def _wrong(self) -> InvalidConfiguration:
        return InvalidConfiguration(f"{self._expression!r} is more than this board understands; set CONTACTMETER_PROMETHEUS to a real one")

    def _fail(self) -> NoReturn:
        raise self._wrong()


def _fits(value: str, sign: str, text: str) -> bool:
    found = value == text if sign in ("=", "!=") else re.fullmatch(text, value) is not None
    return found == (sign in ("=", "=~"))


def _grown(samples: deque[tuple[float, float]], after: float, until: float) -> float | None:
    """How much a counter grew; None with fewer than two samples."""
    found = [one for one in samples if after < one[0] <= until]
    if len(found) < 2:
        return None
    grown = sum(later - earlier if later >= earlier else later for (_, earlier), (_, later) in pairwise(found))
    seen = found[-1][0] - found[0][0]
    return grown * min(until - after, seen * len(found) / (len(found) - 1)) / seen


def _joined(left: Vector | float, right: Vector | float, function: Callable[[float, float], float | None]) -> Vector | float:
    if isinstance(left, float) and isinstance(right, float):
        return value if (value := function(left, right)) is not None else {}
    if isinstance(left, float):
        assert isinstance(right, dict)
        pairs = {labels: function(left, value) for labels, value in right.items()}
    elif isinstance(right, float):
        pairs = {labels: function(value, right) for labels, value in left.items()}
    else:
        pairs = {labels: function(value, right[labels]) for labels, value in left.items() if labels in right}
    return {labels: value for labels, value in pairs.items() if value is not None}
