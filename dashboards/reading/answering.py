"""What a board's panels and variables answer: the questions of the generated boards only, by number; a reader gives values, never SQL."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dashboards.reading.boards import Board, Panel, Query, Variable
from dashboards.reading.interpolation import interpolate
from dashboards.reading.macros import Span, expand
from dashboards.reading.metrics import Line
from dashboards.reading.times import interval_for
from pipeline.store.boards_reading import Column

Ask = Callable[[str], Awaitable[list[Column]]]
AskMetrics = Callable[[str, Span, int], Awaitable[list[Line]]]
"""An expression over a span, with a point every so many ms."""


@dataclass(frozen=True)
class Asked:
    """What a reader chose: the span of time, how many points a chart has room for, and a value a variable."""

    span: Span
    points: int
    variables: Mapping[str, str]

    @property
    def interval_ms(self) -> int:
        """How far apart the points of a chart should be."""
        return interval_for(self.span, self.points)

    def filled(self, text: str) -> str:
        """A question with the variables filled in."""
        return interpolate(text, self.variables, default="sql", span=self.span, interval_ms=self.interval_ms)

    def sql(self, text: str) -> str:
        """A question to ClickHouse as it is asked: variables filled in, macros expanded. Raises MacroError."""
        return expand(self.filled(text), self.span, self.interval_ms)


async def frames(panel: Panel, asked: Asked, ask: Ask, metrics: AskMetrics) -> list[list[dict[str, Any]]]:
    """The answers to a panel's questions, each a list of columns {name, kind, values}. Raises what they raise, and MacroError."""
    found: list[list[dict[str, Any]]] = []
    for query in panel.queries:
        if query.kind == "clickhouse":
            found.append([column._asdict() for column in await ask(asked.sql(query.text))])
        else:
            found += [
                _frame(query, labels, points) for labels, points in await metrics(asked.filled(query.text), asked.span, asked.interval_ms)
            ]
    return found


def _frame(query: Query, labels: Mapping[str, str], points: list[tuple[int, float]]) -> list[dict[str, Any]]:
    name = query.legend
    for label, value in labels.items():
        name = name.replace(f"{{{{{label}}}}}", value).replace(f"{{{{ {label} }}}}", value)
    return [
        {"name": "time", "kind": "time", "values": [at for at, _ in points]},
        {"name": name or ", ".join(labels.values()) or "value", "kind": "number", "values": [value for _, value in points]},
    ]


async def choices(board: Board, given: Asked, ask: Ask) -> list[dict[str, Any]]:
    """The board's variables in order, with their options and what is chosen: as given if that is among them, else as at first.

    A later one may ask with what was chosen of the earlier ones.
    """
    chosen: dict[str, str] = {}
    found = []
    for variable in board.variables:
        options = await _options(variable, replace(given, variables=chosen), ask)
        values = [value for value, _ in options]
        wanted = (given.variables.get(variable.name, ""), variable.value)
        chosen[variable.name] = next((one for one in wanted if one in values), values[0] if values else "")
        found.append(
            {"name": variable.name, "label": variable.label, "hidden": variable.hidden, "options": options, "value": chosen[variable.name]}
        )
    return found


async def _options(variable: Variable, asked: Asked, ask: Ask) -> list[tuple[str, str]]:
    if not variable.sql:
        return list(variable.options)
    columns = await ask(asked.sql(variable.sql))
    return [(str(value), str(text)) for value, text in zip(columns[0].values, columns[-1].values, strict=True)]
