"""The generated boards, read back: what a viewer, a test and a smoke test need of Grafana's dashboard JSON, and nothing else of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from schemas.words import Language

Kind = Literal["clickhouse", "prometheus"]
_KINDS: Mapping[str, Kind] = {"grafana-clickhouse-datasource": "clickhouse", "prometheus": "prometheus"}


class BoardError(ValueError):
    """A board's file is not one that we can read: the message says which, where and why."""


@dataclass(frozen=True)
class Query:
    """One question of a panel.

    source: the data source's uid. text: SQL or PromQL, with macros and variables. series: points over time, else a table. legend: what a
    series of PromQL is called.
    """

    ref: str
    kind: Kind
    source: str
    text: str
    series: bool
    legend: str = ""


@dataclass(frozen=True)
class Place:
    """Where a panel stands on Grafana's grid of 24 columns; a row is about 30 pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Panel:
    """options, defaults and overrides are Grafana's own, by the panel's type ("row" is a heading); links: title and url, with variables."""

    id: int
    type: str
    title: str
    description: str
    place: Place
    queries: tuple[Query, ...]
    options: Mapping[str, Any]
    defaults: Mapping[str, Any]
    overrides: tuple[Mapping[str, Any], ...]
    links: tuple[Mapping[str, Any], ...]
    transformations: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Variable:
    """What a reader chooses.

    sql: asks the options as (value, text), '' when they are given. value, text: what is chosen to begin with; '' is the first option.
    """

    name: str
    label: str
    sql: str
    options: tuple[tuple[str, str], ...]
    value: str
    text: str
    hidden: bool


@dataclass(frozen=True)
class Mark:
    """What is drawn over every series of a board. The question yields `time`, `timeEnd` (None for a moment), `title` and `text`."""

    name: str
    colour: str
    query: Query


@dataclass(frozen=True)
class Board:
    """A whole board.

    name: "now", "channel", … begin, end: the span shown at first, as "now-24h". refresh: as "10s", '' for never. content: the file.
    """

    uid: str
    name: str
    title: str
    description: str
    language: Language
    begin: str
    end: str
    zone: str
    refresh: str
    variables: tuple[Variable, ...]
    panels: tuple[Panel, ...]
    marks: tuple[Mark, ...]
    links: tuple[Mapping[str, Any], ...]
    content: Mapping[str, Any] = field(repr=False)

    def panel(self, number: int) -> Panel:
        """The panel with this id. Raises KeyError when there is none."""
        return {one.id: one for one in self.panels}[number]

    def asked(self, kind: Kind = "clickhouse") -> Iterator[tuple[Panel, Query]]:
        """Every question to a kind of data source, in the order of the panels."""
        return ((panel, query) for panel in self.panels for query in panel.queries if query.kind == kind)


@cache
def boards(language: Language) -> Mapping[str, Board]:
    """The generated boards of a language by their uid, in the order of their names. Raises BoardError."""
    folder = files("dashboards").joinpath("generated", "boards", language)
    if not folder.is_dir():
        raise BoardError(f"there are no boards in language {language!r}: python -m dashboards.generate writes them")
    found = [
        read(one.read_text(encoding="utf-8"), f"boards/{language}/{one.name}") for one in folder.iterdir() if one.name.endswith(".json")
    ]
    return {board.uid: board for board in sorted(found, key=lambda board: board.name)}


def board(uid: str) -> Board:
    """A generated board by its uid, contactmeter-<name>-<language>. Raises KeyError for one that is not there, BoardError."""
    for language in get_args(Language):
        if uid in (found := boards(language)):
            return found[uid]
    raise KeyError(uid)


def read(text: str, where: str) -> Board:
    """A board from Grafana's dashboard JSON. where: the file's name, for errors. Raises BoardError."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BoardError(f"{where} is no JSON: {error}") from error
    try:
        return _board(content)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        said = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise BoardError(f"{where} is not a board that contactmeter wrote: {said}; python -m dashboards.generate writes it anew") from error


def _board(content: Mapping[str, Any]) -> Board:
    uid = content["uid"]
    program, _, rest = uid.partition("-")
    name, _, language = rest.rpartition("-")
    if program != "contactmeter" or language not in get_args(Language) or not name:
        raise ValueError(f"its uid is {uid!r}, not contactmeter-<name>-<language>")
    panels = tuple(_panels(content["panels"]))
    if len({panel.id for panel in panels}) != len(panels):
        raise ValueError("two panels have the same id")
    zone = content.get("timezone") or "browser"
    return Board(
        uid=uid,
        name=name,
        title=content["title"],
        description=content.get("description", ""),
        language=language,
        begin=content["time"]["from"],
        end=content["time"]["to"],
        zone="Europe/Amsterdam" if zone == "browser" else "UTC" if zone == "utc" else zone,
        refresh=content.get("refresh") or "",
        variables=tuple(map(_variable, content.get("templating", {}).get("list", ()))),
        panels=panels,
        marks=tuple(map(_mark, content.get("annotations", {}).get("list", ()))),
        links=tuple(content.get("links", ())),
        content=content,
    )


def _panels(raw: list[Mapping[str, Any]]) -> Iterator[Panel]:
    """Panels in their order; those of a folded row follow it."""
    for one in raw:
        yield _panel(one)
        yield from _panels(one.get("panels", []))


def _panel(raw: Mapping[str, Any]) -> Panel:
    title, place = raw.get("title", ""), raw["gridPos"]
    settings = raw.get("fieldConfig", {})
    try:
        queries = tuple(_query(target, raw.get("datasource") or {}) for target in raw.get("targets", ()) if not target.get("hide"))
    except ValueError as error:
        raise ValueError(f"panel {raw['id']} ({title!r}): {error}") from error
    return Panel(
        id=raw["id"],
        type=raw["type"],
        title=title,
        description=raw.get("description", ""),
        place=Place(place["x"], place["y"], place["w"], place["h"]),
        queries=queries,
        options=raw.get("options", {}),
        defaults=settings.get("defaults", {}),
        overrides=tuple(settings.get("overrides", ())),
        links=tuple(raw.get("links", ())),
        transformations=tuple(raw.get("transformations", ())),
    )


def _query(raw: Mapping[str, Any], panel: Mapping[str, Any]) -> Query:
    source = raw.get("datasource") or panel
    kind = _KINDS.get(str(source.get("type")))
    if kind is None:
        raise ValueError(f"it asks a data source of type {source.get('type')!r}; boards ask {' and '.join(_KINDS)}")
    if kind == "prometheus":
        return Query(raw["refId"], kind, source["uid"], raw["expr"], series=not raw.get("instant"), legend=raw.get("legendFormat", ""))
    return Query(raw["refId"], kind, source["uid"], raw["rawSql"], series=raw["format"] == 0)


def _mark(raw: Mapping[str, Any]) -> Mark:
    return Mark(raw["name"], raw.get("iconColor", ""), _query(raw["target"], raw.get("datasource") or {}))


def _variable(raw: Mapping[str, Any]) -> Variable:
    name = raw["name"]
    if raw.get("includeAll"):
        # Grafana writes the value of its "all" without the quotes that ${name:sqlstring} asks for: the SQL would break.
        raise ValueError(f"variable {name!r} has Grafana's own 'all'; give it an option of that meaning instead")
    if raw.get("multi"):
        raise ValueError(f"variable {name!r} takes several values, which our questions do not")
    query = raw.get("query") or ""
    asked = raw["type"] == "query"
    chosen = raw.get("current") or {}
    return Variable(
        name=name,
        label=raw.get("label") or name,
        sql=(query if isinstance(query, str) else query["rawSql"]) if asked else "",
        options=() if asked else tuple((str(one["value"]), str(one["text"])) for one in raw.get("options", ())),
        value=str(chosen.get("value", "")),
        text=str(chosen.get("text", "")),
        hidden=raw.get("hide") == 2,
    )
