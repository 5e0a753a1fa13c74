"""What the recomputations share: reading, judging, quarters and windows. Imports nothing of the product, on purpose.

A source is three tables. All instants are UTC, in whole milliseconds:

- contacts: one row a contact: contact, channel, via, opened, answered, abandoned, acknowledged, responded, closed (null: did not happen);
- outcomes: one row a contact and norm: contact, channel, via, opened, norm, start, deadline, stop, ended, excluded, judged;
- ratings: one row a survey answer: contact, channel, aspect (empty where there is only one), at, grade (thousandths of the unit, integer).

The product adds and subtracts minute sums; here every figure is a filter on instants, so a shared mistake is unlikely.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl
import pytest

DATA = Path(os.environ.get("CONTACTMETER_DATA") or Path(__file__).parents[2] / "../shared/data").resolve()
WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "28d": timedelta(days=28)}
INSTANT = pl.Datetime("ms", "UTC")
MOMENTS = ("opened", "answered", "abandoned", "acknowledged", "responded", "closed")


def needs(name: str) -> pytest.MarkDecorator:
    """Skip a test, by name and with the reason, where the data file is not at hand (it may not ship with the product)."""
    return pytest.mark.skipif(
        not (DATA / name).is_file(), reason=f"{name} is not in {DATA}: set CONTACTMETER_DATA to the directory that holds it"
    )


def read(name: str, rows: int | None = None) -> pl.DataFrame:
    """The file (or its first `rows`) as text columns, an empty field is null. Raises FileNotFoundError where the file is not at hand."""
    return pl.read_csv(DATA / name, infer_schema=False, n_rows=rows)


class Sums(NamedTuple):
    """n contributions, the sum of their x and of their x squared; all integers. `mean` is exact, in the unit of x."""

    n: int = 0
    total: int = 0
    squares: int = 0

    @property
    def mean(self) -> Fraction | None:
        return Fraction(self.total, self.n) if self.n else None


@dataclass
class NormCounts:
    """Verdicts of a norm. `late` holds `open_overdue`; `pending` and `excluded` are no part of n."""

    within: int = 0
    late: int = 0
    open_overdue: int = 0
    pending: int = 0
    excluded: dict[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return self.within + self.late

    @property
    def share(self) -> Fraction | None:
        return Fraction(self.within, self.n) if self.n else None

    def __add__(self, other: "NormCounts") -> "NormCounts":
        excluded = dict(self.excluded)
        for reason, count in other.excluded.items():
            excluded[reason] = excluded.get(reason, 0) + count
        return NormCounts(
            self.within + other.within,
            self.late + other.late,
            self.open_overdue + other.open_overdue,
            self.pending + other.pending,
            excluded,
        )


def minute_up(at: datetime) -> datetime:
    """The instant rounded up to the minute; a whole minute stays."""
    floor = at.astimezone(UTC).replace(second=0, microsecond=0)
    return floor if floor == at else floor + timedelta(minutes=1)


def local(column: pl.Expr, zone: str) -> pl.Expr:
    """Local wall times without offset as instants: the first of two around an ambiguous time, an hour on for one that does not exist."""
    there = column.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    moved = column.dt.offset_by("1h").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return there.fill_null(moved).dt.convert_time_zone("UTC").cast(INSTANT)


def contact_table(frame: pl.DataFrame) -> pl.DataFrame:
    """The contact table out of a frame that has at least contact, channel and opened."""
    absent = [pl.lit(None, INSTANT).alias(name) for name in MOMENTS if name not in frame.columns]
    via = [] if "via" in frame.columns else [pl.lit("").alias("via")]
    return frame.with_columns(*absent, *via).select("contact", "channel", "via", *(pl.col(name).cast(INSTANT) for name in MOMENTS))


def judge(contacts: pl.DataFrame, norm: str, start: str, stop: str, deadline: pl.Series, abandoned_is_late: bool = False) -> pl.DataFrame:
    """Outcomes of one norm for all contacts.

    `start` and `stop` name columns of the contact table, `deadline` holds one instant or null for each contact. `abandoned_is_late` is
    the denominator "offered": a contact that was given up counts as not within, at min(end, deadline); else it is excluded.
    `judged` of an excluded contact is our own reading, for lists by quarter only: the stop, the end, or null if there is neither.
    """
    begin, end, due = pl.col("start"), pl.col("stop"), pl.col("deadline")
    given_up = end.is_null() & pl.col("abandoned").is_not_null()
    excluded = (
        pl.when(due.is_null())
        .then(pl.lit("no_deadline"))
        .when(end < begin)
        .then(pl.lit("stop_before_start"))
        .when(given_up & (not abandoned_is_late))
        .then(pl.lit("abandoned"))
        .when(end.is_null() & pl.col("closed").is_not_null())
        .then(pl.lit("closed_without_stop"))
    )
    return (
        contacts.with_columns(start=pl.col(start), stop=pl.col(stop), deadline=deadline.cast(INSTANT), norm=pl.lit(norm))
        .with_columns(excluded=excluded, ended=pl.when(end.is_null()).then(pl.coalesce("abandoned", "closed")))
        .with_columns(judged=pl.min_horizontal("stop", "ended", pl.when(pl.col("excluded").is_null()).then(due)))
        .select("contact", "channel", "via", "opened", "norm", "start", "deadline", "stop", "ended", "excluded", "judged")
    )


@dataclass(frozen=True)
class Source:
    """One file's contacts, outcomes and ratings, and the figures the product must show for them.

    Groups are the channel, or `via` where asked for. Quarters ("2021-Q1") are those of the organisation's zone.
    """

    organisation: str
    zone: str
    contacts: pl.DataFrame
    outcomes: pl.DataFrame
    ratings: pl.DataFrame

    @property
    def last_event(self) -> datetime:
        """The latest instant at which any event of the mapping happened, survey answers included; deadlines are no events."""
        moments = [self.contacts[name].max() for name in MOMENTS] + [self.ratings["at"].max()]
        return max(moment for moment in moments if isinstance(moment, datetime))

    def counts(self, moment: str = "opened", group: str = "channel") -> dict[tuple[str, str], int]:
        """(group, quarter of opening) -> contacts to which `moment` (opened = volume, answered, closed, ...) happened."""
        rows = self.contacts.filter(pl.col(moment).is_not_null()).group_by(group, self._quarter("opened")).len()
        return {(name, quarter): n for name, quarter, n in rows.iter_rows()}

    def norms(
        self, at: datetime, by: Literal["judged", "opened"] = "judged", group: str = "channel"
    ) -> dict[tuple[str, str, str], NormCounts]:
        """(norm, group, quarter of judged_at or of opening) -> counts as of `at`, which only decides whether an open contact is overdue.

        By "judged", a pending contact stands in the quarter of its deadline, an excluded one in that of its stop or end ("none": neither).
        """
        due, stop = pl.col("deadline"), pl.col("stop")
        verdict = (
            pl.when(pl.col("excluded").is_not_null())
            .then(pl.col("excluded"))
            .when(stop <= due)
            .then(pl.lit("within"))
            .when(stop.is_not_null() | pl.col("ended").is_not_null())
            .then(pl.lit("late"))
            .when(due < at.astimezone(UTC))
            .then(pl.lit("open_overdue"))
            .otherwise(pl.lit("pending"))
        )
        rows = self.outcomes.group_by("norm", group, self._quarter(by).fill_null("none"), verdict.alias("verdict")).len()
        found: dict[tuple[str, str, str], NormCounts] = {}
        for norm, name, quarter, kind, n in rows.iter_rows():
            counts = found.setdefault((norm, name, quarter), NormCounts())
            match kind:
                case "within":
                    counts.within += n
                case "late":
                    counts.late += n
                case "open_overdue":
                    counts.late += n
                    counts.open_overdue += n
                case "pending":
                    counts.pending += n
                case reason:
                    counts.excluded[reason] = n
        return found

    def norm(self, at: datetime, norm: str) -> NormCounts:
        """The counts of one norm over all channels and quarters."""
        return sum((counts for key, counts in self.norms(at).items() if key[0] == norm), NormCounts())

    def quarterly(self, measure: str) -> dict[tuple[str, str], Sums]:
        """(channel, quarter of the instant at which it counts) -> sums of `measure`: as in `rolling`, without regard to any as-of."""
        rows = self._sums(self.contributions().filter(pl.col("measure") == measure), "channel", self._quarter("at"))
        return {(channel, quarter): sums for (channel, quarter), sums in rows}

    def rolling(self, at: datetime) -> dict[tuple[str, str, str], Sums]:
        """(channel, measure, window) -> sums over (at − window, at], `at` rounded up to the minute.

        Every measure a channel ever has is there for all four windows, with zeros where the window is empty. Measures and their x:
        volume 1; wait in ms; abandonment 1 if abandoned; norm:<id> 1 if within; answer or answer:<aspect> the grade in thousandths.
        """
        end = minute_up(at)
        every = self.contributions()
        keys = every.select("channel", "measure").unique().rows()
        found = {(channel, measure, window): Sums() for channel, measure in keys for window in WINDOWS}
        for window, length in WINDOWS.items():
            inside = every.filter((pl.col("at") > end - length) & (pl.col("at") <= end))
            for (channel, measure), sums in self._sums(inside, "channel", "measure"):
                found[channel, measure, window] = sums
        return found

    def contributions(self) -> pl.DataFrame:
        """Everything that counts: channel, measure, at (the instant at which it counts), x (integer). Deadlines to come included."""
        contacts = self.contacts
        counted = self.outcomes.filter(pl.col("excluded").is_null())
        within = (pl.col("stop") <= pl.col("deadline")).fill_null(False)

        def part(frame: pl.DataFrame, measure: pl.Expr, at: str, x: pl.Expr) -> pl.DataFrame:
            return frame.select("channel", measure=measure, at=pl.col(at), x=x.cast(pl.Int64)).filter(pl.col("at").is_not_null())

        answer = pl.when(pl.col("aspect") == "").then(pl.lit("answer")).otherwise(pl.lit("answer:") + pl.col("aspect"))
        unanswered = contacts.filter(pl.col("answered").is_null())
        return pl.concat(
            [
                part(contacts, pl.lit("volume"), "opened", pl.lit(1)),
                part(contacts, pl.lit("wait"), "answered", (pl.col("answered") - pl.col("opened")).dt.total_milliseconds()),
                part(contacts, pl.lit("abandonment"), "answered", pl.lit(0)),
                part(unanswered, pl.lit("abandonment"), "abandoned", pl.lit(1)),
                part(counted, pl.lit("norm:") + pl.col("norm"), "judged", within),
                part(self.ratings, answer, "at", pl.col("grade")),
            ]
        )

    def _quarter(self, column: str) -> pl.Expr:
        there = pl.col(column).dt.convert_time_zone(self.zone)
        return pl.format("{}-Q{}", there.dt.year(), there.dt.quarter()).alias("quarter")

    @staticmethod
    def _sums(frame: pl.DataFrame, *keys: str | pl.Expr) -> Iterator[tuple[tuple[str, str], Sums]]:
        rows = frame.group_by(*keys).agg(n=pl.len(), total=pl.col("x").sum(), squares=(pl.col("x") * pl.col("x")).sum())
        for first, second, n, total, squares in rows.iter_rows():
            yield (first, second), Sums(n, total, squares)


def no_ratings() -> pl.DataFrame:
    """The rating table of a source without survey answers."""
    return pl.DataFrame(schema={"contact": pl.String, "channel": pl.String, "aspect": pl.String, "at": INSTANT, "grade": pl.Int64})


def no_outcomes() -> pl.DataFrame:
    """The outcome table of a source without norms."""
    nobody = contact_table(pl.DataFrame(schema={"contact": pl.String, "channel": pl.String, "opened": INSTANT}))
    return judge(nobody, "", "opened", "closed", pl.Series([], dtype=INSTANT))
