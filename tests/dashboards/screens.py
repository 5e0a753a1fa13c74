"""What boards show, as a reader sees it, and what the command line tells of the same town; and how boards write numbers."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property, wraps
from typing import Any
from zoneinfo import ZoneInfo

from typer.testing import CliRunner

from dashboards.reading.boards import Board, board
from pipeline.cli import program
from pipeline.store.measures import MeasureViews
from tests.dashboards.test_panels_run import Answer, ask, opened, span_shown
from tests.dashboards.towns import Town

Row = dict[str, Any]
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
FEW = 20
"""minimum_n of the simulated town."""


class Screens:
    """The boards of a town. Every figure kept for them is of `at`."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.zone = ZoneInfo(town.organisation.zone)
        self._opened: dict[str, dict[str, str]] = {}
        self._documents: dict[tuple[str, ...], Any] = {}

    @cached_property
    def at(self) -> datetime:
        """The moment of which the figures are that are kept."""
        (row,) = self.read("SELECT DISTINCT toUnixTimestamp64Milli(at) AS at FROM v_shown WHERE organisation = {organisation:String}")
        return datetime.fromtimestamp(row["at"] / 1000, UTC)

    def chosen(self, name: str) -> dict[str, str]:
        """What is chosen when a board is opened in Dutch."""
        if name not in self._opened:
            with self.town.reader() as client:
                self._opened[name] = opened(client, self.board(name), span_shown(self.board(name)))
        return self._opened[name]

    def board(self, name: str) -> Board:
        """In Dutch."""
        return board(f"contactmeter-{name}-nl")

    def options(self, name: str, variable: str, **chosen: str) -> list[str]:
        """What may be chosen, when other things are chosen than when the board opens."""
        (one,) = [one for one in self.board(name).variables if one.name == variable]
        with self.town.reader() as client:
            answer = ask(client, one.sql, {**self.chosen(name), **chosen}, span_shown(self.board(name)))
        return [str(row[0]) for row in answer.rows]

    def rows(self, name: str, title: str, **chosen: str) -> list[Row]:
        """What the panel with this title on a board in Dutch shows; chosen: other choices than those with which it opens."""
        shown = self.board(name)
        (query,) = [query for panel, query in shown.asked() if panel.title == title]
        with self.town.reader() as client:
            answer: Answer = ask(client, query.text, {**self.chosen(name), **chosen}, span_shown(shown))
        return [dict(zip(answer.kinds, row, strict=True)) for row in answer.rows]

    def row(self, name: str, title: str, **chosen: str) -> Row:
        """Of a panel that shows one row."""
        (row,) = self.rows(name, title, **chosen)
        return row

    def told(self, *arguments: str) -> Any:
        """What a command tells programs; asked once, see `again`."""
        if arguments not in self._documents:
            done = CliRunner().invoke(program(arguments[0]), [*arguments, "--json"], env=self.town.engine.settings)
            assert done.exit_code == 0, done.output
            self._documents[arguments] = json.loads(done.stdout)
        return self._documents[arguments]

    @property
    def figures(self) -> list[Row]:
        """What `figures` tells."""
        found: list[Row] = self.told("figures")["figures"]
        return found

    def figure(self, channel: str, measure: str, window: str) -> Row:
        """One of them."""
        (found,) = [one for one in self.figures if (one["group"], one["measure"], one["period"]) == (channel, measure, window)]
        return found

    def quarter(self, name: str) -> list[Row]:
        """What `quarters` tells of one."""
        return [one for one in self.told("quarters")["quarters"] if one["period"] == name]

    @property
    def running(self) -> str:
        """The quarter that runs."""
        today = self.local(self.at)
        return f"{today.year}-Q{(today.month + 2) // 3}"

    @cached_property
    def targets(self) -> dict[str, float]:
        """By norm: the share that is to be within it; of one on the longest time that is all."""
        shares = {one.id: one.target for one in self.town.organisation.norms if one.target is not None}
        return shares | {one.id: 1.0 for one in self.town.organisation.norms if one.statistic == "max"}

    def forget(self) -> None:
        """Let commands be asked anew."""
        self._documents.clear()

    def days(self, number: int) -> tuple[date, date]:
        """The first and the last local day of a board that shows so many days up to now."""
        now = datetime.now(UTC)
        return (now - timedelta(days=number)).date(), min(now.date(), self.local(now).date())

    def told_at(self, *arguments: str) -> Any:
        """What a command tells of the moment of which the figures are."""
        return self.told(*arguments, "--at", f"{self.at:%Y-%m-%dT%H:%M:%S}Z")

    @cached_property
    def measures(self) -> MeasureViews:
        """What `contactmeter measures` reads; it asks more of them than most tests need."""
        return MeasureViews(self.town.owner, self.town.name)

    def close(self) -> None:
        """Close what was opened."""
        self.measures.close()

    def read(self, sql: str, **parameters: Any) -> list[Row]:
        """What a board's user reads, by SQL."""
        with self.town.reader() as client:
            found = client.query(sql, {"organisation": self.town.name, **parameters})
            return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]

    @cached_property
    def contacts(self) -> list[Row]:
        """Every contact that counts, as it is stored."""
        sql = "SELECT * FROM contacts FINAL WHERE organisation = {organisation:String} AND role = 'counts'"
        client = self.town.owner.open()
        try:
            found = client.query(sql, {"organisation": self.town.name})
        finally:
            client.close()
        rows = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
        return [{name: utc(value) for name, value in row.items()} for row in rows]

    def local(self, moment: datetime) -> datetime:
        """By the town's clock."""
        return moment.astimezone(self.zone)

    def clock(self, moment: float | datetime | None) -> str:
        """A moment, also in ms, as boards write it."""
        if moment is None:
            return ""
        at = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment // 1000, UTC)
        return f"{self.local(at):%d-%m %H:%M}"


def again(test: Callable[..., None]) -> Callable[..., None]:
    """Of a test of what is open now: a term may pass between the command's answer and the board's, but not time and again."""

    @wraps(test)
    def tried(screens: Screens, **arguments: Any) -> None:
        try:
            test(screens=screens, **arguments)
        except AssertionError:
            screens.forget()
            test(screens=screens, **arguments)

    return tried


def utc(value: Any) -> Any:
    """Moments as ClickHouse's driver gives them, and arrays of them, with their zone."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return [utc(one) for one in value] if isinstance(value, list | tuple) else value


def verdicts(contact: Row) -> Iterator[Row]:
    """What each norm says of a contact."""
    names = [name for name in contact if name.startswith("outcomes.")]
    for values in zip(*(contact[name] for name in names), strict=True):
        yield dict(zip((name.removeprefix("outcomes.") for name in names), values, strict=True))


def within(verdict: Row) -> bool:
    return verdict["stop"] is not None and verdict["stop"] <= verdict["deadline"]


def decimal(number: float, digits: int) -> str:
    return f"{number:.{digits}f}".replace(".", ",")


def signed(number: float, digits: int) -> str:
    sign = "" if round(number, digits) == 0 else "−" if number < 0 else "+"
    return sign + decimal(abs(number), digits)


def share(value: float, digits: int = 0) -> str:
    return f"{decimal(100 * value, digits)} %"


def lasting(seconds: float) -> str:
    """A time: in seconds up to a minute and a half, then in minutes, hours and days."""
    for unit, size, digits, below in (("s", 1, 0, 90), ("min", 60, 0, 5400), ("u", 3600, 1, 172_800), ("d", 86_400, 1, float("inf"))):
        if seconds < below:
            return f"{decimal(seconds / size, digits)} {unit}"
    raise AssertionError(seconds)


def few(n: int) -> str:
    return f"◔ te weinig ({n} van {FEW})"


def counted(value: str, n: int) -> str:
    """A figure with the number behind it, or that there are too few."""
    return f"{value}, n = {n}" if n >= FEW else few(n)


def alike(shown: str, meant: str, apart: float) -> bool:
    """Whether two texts are the same but for numbers that lie at most so far apart: an interval by an approximation of t."""
    same = NUMBER.sub("0", shown) == NUMBER.sub("0", meant)
    return same and all(abs(one - other) <= apart for one, other in zip(_numbers(shown), _numbers(meant), strict=True))


def _numbers(text: str) -> Sequence[float]:
    return [float(one.replace(",", ".")) for one in NUMBER.findall(text)]


@cache
def title_of(town: Town, name: str) -> str:
    """A norm by its Dutch title."""
    return town.organisation.norm_versions(name)[-1].title.nl


def moment(text: str) -> datetime:
    """A moment of a panel; boards are told them in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
