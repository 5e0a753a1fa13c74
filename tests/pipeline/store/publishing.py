"""What is published of answers, by the rules of docs/MEASURES.md ("Small cells") alone: plain Python that shares nothing with the views."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Given:
    """An answer as stored; grades on the instrument's scale."""

    name: str
    at: datetime
    channel: str
    grades: dict[str, float] = field(hash=False)
    instrument: str = "q"
    version: int = 1
    logged: datetime | None = None
    status: str = "complete"
    wave: str = ""
    team: str = ""
    product: str = ""

    @property
    def placed(self) -> datetime:
        return max(self.logged or self.at, self.at) + (DAY if self.status == "partial" else timedelta())


SeriesKey = tuple[str, int, str, str, str, str]
"""instrument, version, aspect, channel, wave, quarter."""


@dataclass(frozen=True)
class Block:
    """Answers that appear together."""

    series: SeriesKey
    late: bool
    number: int
    answers: tuple[Given, ...]

    @property
    def thousandths(self) -> list[int]:
        return [round(one.grades[self.series[2]] * 1000) for one in self.answers]

    @property
    def sums(self) -> tuple[int, int, int]:
        found = self.thousandths
        return len(found), sum(found), sum(x * x for x in found)

    @property
    def first(self) -> datetime:
        return min(one.at for one in self.answers)

    @property
    def last(self) -> datetime:
        return max(one.at for one in self.answers)


def quarter_of(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def first_day_after(quarter: str) -> date:
    year, number = int(quarter[:4]), int(quarter[-1])
    return date(year + number // 4, number * 3 % 12 + 1, 1)


def blocks(
    answers: Iterable[Given], now: datetime, cell: int, wave_ends: dict[str, date] | None = None, zone: ZoneInfo = AMSTERDAM
) -> Iterator[Block]:
    """Every block that is published at `now`. Answers with equal places come in the order in which they are given."""
    series: dict[tuple[SeriesKey, bool], list[Given]] = defaultdict(list)
    for one in answers:
        if not one.channel or one.placed > now:
            continue
        quarter = quarter_of(one.at.astimezone(zone).date())
        late = one.placed.astimezone(zone).date() >= _closes(quarter, one.wave, wave_ends or {})
        for aspect in one.grades:
            series[(one.instrument, one.version, aspect, one.channel, one.wave, quarter), late].append(one)
    for (key, late), members in series.items():
        members.sort(key=lambda one: one.placed)
        whole = len(members) // cell
        closed = now.astimezone(zone).date() >= _closes(key[5], key[4], wave_ends or {})
        for number in range(whole if late or closed else max(0, whole - 1)):
            last = closed and not late and number == whole - 1
            yield Block(key, late, number, tuple(members[number * cell : None if last else (number + 1) * cell]))


def _closes(quarter: str, wave: str, wave_ends: dict[str, date]) -> date:
    return min(first_day_after(quarter), wave_ends.get(wave, date.max)) + 2 * DAY


def utc(text: str) -> datetime:
    """A moment of Amsterdam, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).astimezone(UTC)
