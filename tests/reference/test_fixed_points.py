"""The recomputation meets the figures that were computed elsewhere before it was written; then what else it settles."""

import ast
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Literal

import polars as pl
import pytest

from . import assen, baltimore, katwijk, montpellier, pwc, techsupport, wabo, warsaw
from .common import NormCounts, Source, Sums, local, minute_up, needs

SOURCES = [
    pytest.param(pwc.load, None, id="pwc", marks=needs(pwc.FILE)),
    pytest.param(techsupport.load, None, id="techsupport", marks=needs(techsupport.FILE)),
    pytest.param(baltimore.load, baltimore.AS_OF, id="baltimore", marks=needs(baltimore.FILE)),
    pytest.param(wabo.load, wabo.AS_OF, id="wabo", marks=needs(wabo.FILE)),
    pytest.param(assen.load, assen.AS_OF, id="assen", marks=needs(assen.FILE)),
    pytest.param(katwijk.load, None, id="katwijk", marks=needs(katwijk.FILE)),
    pytest.param(montpellier.load, None, id="montpellier", marks=needs(montpellier.FILE)),
]


@needs(pwc.FILE)
def test_pwc_waiting_norm_of_answered_and_of_offered_calls() -> None:
    calls = pwc.load()
    answered = calls.norm(calls.last_event, "telephone_60s_answered")
    offered = calls.norm(calls.last_event, "telephone_60s_offered")
    assert (answered.within, answered.n, answered.excluded) == (1_796, 4_054, {"abandoned": 946})
    assert (offered.within, offered.n, offered.excluded) == (1_796, 5_000, {})
    assert answered.open_overdue == offered.open_overdue == offered.pending == 0
    assert [f"{float(counts.share or 0):.2%}" for counts in (answered, offered)] == ["44.30%", "35.92%"]


@needs(pwc.FILE)
def test_pwc_rolling_figures_at_the_last_event() -> None:
    calls = pwc.load()
    assert minute_up(calls.last_event) == datetime(2021, 3, 31, 17, 40, tzinfo=UTC)
    rolling = calls.rolling(calls.last_event)
    found = {}
    for window in ("7d", "28d"):
        rating = rolling["telephone", "answer", window]
        found[window] = (rolling["telephone", "volume", window].n, rating.n, round(float(rating.mean or 0) / 1000, 4))
    assert found == {"7d": (308, 246, 3.3699), "28d": (1_434, 1_157, 3.3656)}


@needs(pwc.FILE)
def test_pwc_waits_and_abandonment_of_the_quarter() -> None:
    calls = pwc.load()
    key = ("telephone", "2021-Q1")
    assert calls.counts() == {key: 5_000}
    assert calls.counts("answered") == {key: 4_054}
    assert calls.quarterly("wait") == {key: Sums(4_054, 273_729_000, 23_056_113_000_000)}
    assert calls.quarterly("abandonment") == {key: Sums(5_000, 946, 946)}
    assert calls.quarterly("answer") == {key: Sums(4_054, 13_798_000, 52_918_000_000)}


@needs(techsupport.FILE)
def test_techsupport_first_response() -> None:
    tickets = techsupport.load()
    first = tickets.norm(tickets.last_event, "first_response")
    assert (first.within, first.late - first.open_overdue, first.open_overdue) == (2_031, 279, 18)
    assert first.excluded == {"stop_before_start": 2}, "no ticket is resolved without a first response, so none is closed_without_stop"


@needs(techsupport.FILE)
def test_techsupport_resolution_and_ratings() -> None:
    tickets = techsupport.load()
    resolution = tickets.norm(tickets.last_event, "resolution")
    assert resolution == NormCounts(within=1_546, late=784, open_overdue=418)
    ratings = tickets.quarterly("answer")
    assert sum(sums.n for sums in ratings.values()) == 1_173
    assert ratings["email", "2023-Q4"] == Sums(173, 630_000, 2_528_000_000)
    assert ratings["chat", "2024-Q1"] == Sums(1, 4_000, 16_000_000), "a rating counts when it is given, a quarter after its ticket"


@needs(baltimore.FILE)
def test_baltimore_handling_norm() -> None:
    requests = baltimore.load()
    assert requests.last_event == baltimore.AS_OF
    handled = requests.norm(baltimore.AS_OF, "handled")
    assert (handled.within, handled.n - handled.open_overdue, handled.open_overdue, handled.n) == (7_988, 9_555, 135, 9_690)
    assert f"{float(handled.share or 0):.2%}" == "82.44%"
    assert handled.pending == 24
    assert handled.excluded == {"no_deadline": 286}


@needs(baltimore.FILE)
def test_baltimore_by_the_way_it_came_in() -> None:
    found: dict[str, NormCounts] = {}
    for (_, via, _), counts in baltimore.load().norms(baltimore.AS_OF, group="via").items():
        found[via] = found.get(via, NormCounts()) + counts
    assert {via: (counts.within, counts.n, counts.open_overdue) for via, counts in found.items()} == {
        "phone": (3_723, 4_772, 74),
        "api": (1_944, 2_520, 54),
        "internal": (2_150, 2_190, 0),
        "mail": (157, 184, 5),
        "system": (10, 17, 1),
        "other": (2, 5, 1),
        "email": (1, 1, 0),
        "web": (1, 1, 0),
    }


@needs(wabo.FILE)
def test_wabo_decision_and_acknowledgement() -> None:
    cases = wabo.load()
    decision = cases.norm(wabo.AS_OF, "decision")
    assert (decision.within, decision.late - decision.open_overdue, decision.open_overdue) == (950, 377, 39)
    assert decision.excluded == {"stop_before_start": 2}
    assert decision.pending == 66
    acknowledged = cases.norm(wabo.AS_OF, "acknowledged_1wd")
    assert acknowledged == NormCounts(within=65, late=1_367, excluded={"stop_before_start": 2})


@needs(assen.FILE)
def test_assen_moved_and_reopened_reports() -> None:
    reports = assen.reports()
    assert (reports.height, reports["rows"].sum()) == (2_899, 3_024)
    assert reports.filter(pl.col("rows") > 1).height == 121, "moved to another category, four of them twice"
    assert reports["came_back"].sum() == 4, "of the seven rows with a gap three are moves that were moved back"
    assert reports["gone"].null_count() == 283, "the 282 without an end, and one that came back and stayed"


@needs(assen.FILE)
def test_assen_working_days_norm_of_reports_made_since_the_first_snapshot() -> None:
    source = assen.load()
    assert source.contacts.height - source.outcomes.height == 243, "made before the first snapshot: not judged"
    handled = source.norm(assen.AS_OF, "handled_5wd")
    assert handled == NormCounts(within=1_803, late=780, open_overdue=199, pending=73)
    assert f"{float(handled.share or 0):.2%}" == "69.80%"


@needs(katwijk.FILE)
def test_katwijk_by_the_way_it_came_in() -> None:
    source = katwijk.load()
    found: dict[str, int] = {}
    for (via, _), n in source.counts(group="via").items():
        found[via] = found.get(via, 0) + n
    assert found == {
        "website": 42_339,
        "app": 23_691,
        "telephone": 13_540,
        "staff": 1_838,
        "whatsapp": 395,
        "other": 270,
        "social": 267,
        "email": 101,
        "unknown": 83,
        "counter": 13,
    }
    years = {year: sum(n for (_, quarter), n in source.counts().items() if quarter.startswith(str(year))) for year in (2019, 2024)}
    assert years == {2019: 5_632, 2024: 20_301}, "one report of 2024 stands in 2023 by UTC"


@needs(montpellier.FILE)
def test_montpellier_totals_as_answers() -> None:
    source = montpellier.load()
    by_channel = source.ratings.group_by("channel").agg(n=pl.len(), happy=(pl.col("grade") == 1000).sum()).sort("channel")
    assert by_channel.rows() == [("counter", 17_519, 15_578), ("telephone", 6_550, 5_983), ("website", 1_706, 1_272)]
    assert montpellier.answers_by_channel() == {"counter": 17_519, "telephone": 6_550, "website": 1_706, "": 16_723}
    assert source.quarterly("answer:speed")["telephone", "2013-Q1"] == Sums(211, 198_000, 198_000_000)


@needs(montpellier.FILE)
def test_montpellier_shares_come_out_again() -> None:
    """Within half an answer; where a share is no number of answers out of n, the n published is not the one it was taken of."""
    off = 0
    for row in montpellier.published().iter_rows(named=True):
        share, n = Fraction(row["dissatisfied_share"]), int(row["respondents"])
        k = montpellier.dissatisfied(row["dissatisfied_share"], n)
        assert abs(share * n - k) <= Fraction(1, 2)
        off += abs(share * n - k) > n * Fraction(1, 200)
    assert off == 59


@needs(warsaw.FILE)
def test_warsaw_observations() -> None:
    polls = warsaw.load()
    assert (polls.height, polls["moved"].sum(), polls["queue"].n_unique()) == (130_616, 3_598, 58)
    assert (polls["at"].min(), polls["at"].max()) == (datetime(2019, 12, 30, 6, 59, tzinfo=UTC), datetime(2020, 1, 22, 17, 56, tzinfo=UTC))
    assert (polls["waiting"].sum(), polls["counters_open"].sum()) == (248_665, 276_941)
    assert not polls.select("queue", "at").is_duplicated().any()
    holidays = polls.filter(pl.col("at").dt.convert_time_zone(warsaw.ZONE).dt.date().is_in([date(2020, 1, 1), date(2020, 1, 6)]))
    assert (holidays.height, holidays["waiting"].sum()) == (14_964, 0), "polled like any day, but nobody waits"


@pytest.mark.parametrize(
    ("load", "changed"),
    [
        pytest.param(katwijk.load, 9, id="katwijk", marks=needs(katwijk.FILE)),
        pytest.param(baltimore.load, 14, id="baltimore", marks=needs(baltimore.FILE)),
        pytest.param(wabo.load, 22, id="wabo", marks=needs(wabo.FILE)),
    ],
)
def test_quarters_are_local(load: Callable[[], Source], changed: int) -> None:
    """That many contacts would stand in another quarter if it were cut in UTC: the files do tell the two apart."""

    def quarter(zone: str) -> pl.Expr:
        there = pl.col("opened").dt.convert_time_zone(zone)
        return there.dt.year() * 4 + there.dt.quarter()

    source = load()
    assert source.contacts.filter(quarter(source.zone) != quarter("UTC")).height == changed


@pytest.mark.parametrize(("load", "as_of"), SOURCES)
def test_every_contact_has_one_verdict_for_each_norm_however_it_is_grouped(load: Callable[[], Source], as_of: datetime | None) -> None:
    source = load()
    at = as_of or source.last_event
    groupings: list[tuple[Literal["judged", "opened"], str]] = [("judged", "channel"), ("opened", "channel"), ("judged", "via")]
    for norm in source.outcomes["norm"].unique():
        totals = [
            sum((counts for key, counts in source.norms(at, by, group).items() if key[0] == norm), NormCounts()) for by, group in groupings
        ]
        assert totals[0] == totals[1] == totals[2]
        judged = source.outcomes.filter(pl.col("norm") == norm).height
        assert totals[0].n + totals[0].pending + sum(totals[0].excluded.values()) == judged
        assert judged == source.contacts.height or source.organisation == "assen", "there the norm is younger than some contacts"


@pytest.mark.parametrize(("load", "as_of"), SOURCES)
def test_a_window_is_the_same_counted_in_whole_minutes(load: Callable[[], Source], as_of: datetime | None) -> None:
    """Minute m holds (m − 1, m], so ceilings and plain instants must agree at a whole minute."""
    source = load()
    at = minute_up(as_of or source.last_event)
    ceiled = source.contributions().with_columns(at=(-(-pl.col("at").dt.epoch("ms") // 60_000)))
    minute = int(at.timestamp()) // 60
    inside = ceiled.filter((pl.col("at") > minute - 7 * 24 * 60) & (pl.col("at") <= minute))
    counted = {(channel, measure): n for channel, measure, n in inside.group_by("channel", "measure").len().iter_rows()}
    assert counted == {(c, m): sums.n for (c, m, window), sums in source.rolling(at).items() if window == "7d" and sums.n}


def test_local_times_around_both_clock_changes() -> None:
    walls = [datetime(2018, 3, 11, 2, 30), datetime(2018, 11, 4, 1, 30), datetime(2018, 7, 1, 12), None]
    instants = pl.DataFrame({"wall": walls}).select(local(pl.col("wall"), "America/New_York"))["wall"].to_list()
    assert instants == [
        datetime(2018, 3, 11, 7, 30, tzinfo=UTC),  # does not exist: 03:30 summer time
        datetime(2018, 11, 4, 5, 30, tzinfo=UTC),  # exists twice: the first, still summer time
        datetime(2018, 7, 1, 16, tzinfo=UTC),
        None,
    ]


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2010, 5, 4), date(2010, 5, 6)),  # Liberation Day, fifth year
        (date(2011, 5, 4), date(2011, 5, 5)),  # Liberation Day, no closing day
        (date(2011, 4, 21), date(2011, 4, 26)),  # Easter
        (date(2011, 6, 1), date(2011, 6, 3)),  # Ascension
        (date(2011, 12, 23), date(2011, 12, 27)),  # Christmas on Sunday and Monday
    ],
)
def test_the_first_working_day_after(day: date, following: date) -> None:
    assert wabo.next_working_day(day) == following


def test_the_end_of_a_local_day_follows_the_clock() -> None:
    friday_before_winter_time = datetime(2011, 10, 28, 21, 59, 59, tzinfo=UTC)
    assert wabo.end_of_next_working_day(friday_before_winter_time) == datetime(2011, 10, 31, 22, 59, 59, 999_000, tzinfo=UTC)
    saturday = friday_before_winter_time + timedelta(seconds=1)
    assert wabo.end_of_next_working_day(saturday) == datetime(2011, 10, 31, 22, 59, 59, 999_000, tzinfo=UTC)


def test_a_mean_is_exact_and_no_mean_of_nothing() -> None:
    assert Sums(3, 10_000, 0).mean == Fraction(10_000, 3)
    assert Sums().mean is None


def test_no_code_of_the_product_is_shared() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            assert not {name.split(".")[0] for name in names} & {"schemas", "connectors", "pipeline", "dashboards", "deploy"}, path.name
