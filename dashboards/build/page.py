"""A board under construction: its head, what it asks its reader, and panels laid from left to right on Grafana's 24 columns."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from dashboards.build.sources import CLICKHOUSE, Sql
from dashboards.build.sql import text
from dashboards.build.variables import Variable
from dashboards.words import Text
from schemas.words import Language

COLUMNS: Final = 24
TITLES = {
    "now": Text("Nu", "Now"),
    "channel": Text("Kanaal", "Channel"),
    "norms": Text("Normen", "Norms"),
    "satisfaction": Text("Tevredenheid", "Satisfaction"),
    "busyness": Text("Drukte en producten", "Busyness and products"),
    "signals": Text("Signalen", "Signals"),
    "quarter": Text("Kwartaal", "Quarter"),
    "data": Text("Gegevens", "Data"),
    "pipeline": Text("Pijplijn", "Pipeline"),
}
"""Every board by its name, in the order in which they are offered."""
CARRIED: Final = ("organisation", "channel", "team", "product", "location")
"""What a reader chose on one board and means on the next one too."""


class Page:
    """Panels are added in reading order; those that do not fit beside the last one begin a new line."""

    def __init__(
        self,
        name: str,
        language: Language,
        about: Text,
        variables: Sequence[Variable] = (),
        begin: str = "now-24h",
        refresh: str = "10s",
    ) -> None:
        self.name = name
        self.language = language
        self._x = self._y = self._height = self._panels = 0
        self._marks: list[dict[str, Any]] = []
        self._board = (
            builders.Dashboard(TITLES[name].of(language))
            .uid(uid_of(name, language))
            .description(about.of(language))
            .tags(["contactmeter", language])
            .timezone("Europe/Amsterdam")
            .week_start("monday")
            .editable()
            .refresh(refresh)
            .time(begin, "now")
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
        )
        asked = [variable(language) for variable in variables]
        for one in asked:
            self._board.with_variable(one)
        for link in _boards(name, language, [one.build().name for one in asked]):
            self._board.link(link)

    def say(self, nl: str, en: str) -> str:
        """A text in the board's language."""
        return Text(nl, en).of(self.language)

    def quoted(self, nl: str, en: str) -> str:
        """A text in the board's language, as a literal of SQL."""
        return text(self.say(nl, en))

    def row(self, title: str) -> None:
        """A heading over the panels that follow."""
        self._break()
        self._board.with_row(builders.Row(title).grid_pos(models.GridPos(h=1, w=COLUMNS, x=0, y=self._y)).id(self._next()))
        self._y += 1

    def add(self, panel: Any, width: int, height: int) -> None:
        """Put a panel beside the last one. width: of 24 columns; height: of about 30 pixels each."""
        if self._x + width > COLUMNS:
            self._break()
        self._board.with_panel(_Placed(panel, self._next(), models.GridPos(h=height, w=width, x=self._x, y=self._y)))
        self._x += width
        self._height = max(self._height, height)

    def content(self) -> dict[str, Any]:
        """The board as Grafana stores it."""
        content: dict[str, Any] = json.loads(json.dumps(self._board.build(), cls=JSONEncoder))
        return content | {"annotations": {"list": self._marks}}

    def mark(self, name: str, sql: str, colour: str) -> None:
        """Draw over every series of the board what a question yields: `time`, `timeEnd` (or null), `title` and `text`."""
        source = {"type": CLICKHOUSE.type_val, "uid": CLICKHOUSE.uid}
        self._marks.append({"name": name, "datasource": source, "enable": True, "iconColor": colour, "target": Sql(sql).to_json()})

    def _next(self) -> int:
        self._panels += 1
        return self._panels

    def _break(self) -> None:
        self._y += self._height
        self._x = self._height = 0


class _Placed(Builder[models.Panel]):
    """A panel at its place: the SDK would lay them out by itself, and wrap by widths of its own."""

    def __init__(self, panel: Any, number: int, place: models.GridPos) -> None:
        self._panel = panel.id(number).grid_pos(place)

    def build(self) -> models.Panel:
        panel: models.Panel = self._panel.build()
        return panel


def uid_of(name: str, language: Language) -> str:
    """A board's id in Grafana, which links name."""
    return f"contactmeter-{name}-{language}"


def board_url(name: str, language: Language, **variables: str) -> str:
    """The address of a board, with variables that Grafana fills in."""
    asked = "&".join(f"var-{variable}={value}" for variable, value in variables.items())
    return f"/d/{uid_of(name, language)}" + (f"?{asked}" if asked else "")


def channel_link(language: Language) -> str:
    """The board of the channel that a row has in its column `channel`."""
    return board_url("channel", language, organisation="${organisation:percentencode}", channel="${__data.fields.channel:percentencode}")


def _boards(name: str, language: Language, chosen: Sequence[str]) -> Iterator[builders.DashboardLink]:
    """Every board in the same language, with what was chosen on this one.

    But no channel for the board of one channel: here it may be "all". (Grafana's own list of boards by tag passes on all or nothing.)
    """
    for other, title in TITLES.items():
        kept = [one for one in chosen if (one in CARRIED and (one, other) != ("channel", "channel")) or other == name]
        address = board_url(other, language, **{one: f"${{{one}:percentencode}}" for one in kept})
        yield builders.DashboardLink(title.of(language)).type(models.DashboardLinkType.LINK).url(address).icon("dashboard").keep_time(False)
