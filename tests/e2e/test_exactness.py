"""Eight real files through the real program, Kafka, worker and ClickHouse: every figure equals the one computed straight from the file.

The recomputation (tests/reference) shares no code with the product. Counts and integer sums are compared exactly.
"""

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Literal

import polars as pl
import pytest

from schemas.organisation import load_organisation
from tests.e2e import figures
from tests.e2e.examples import (
    ALL,
    BY_VIA,
    EXAMPLE,
    EXAMPLES,
    FAR,
    FIRST_ROWS,
    OBSERVED,
    Sum,
    answer_measure,
    first_rows,
    lines,
    over_all,
    quarter_sums,
    reference,
    sums_of,
    verdicts,
    without_excluded,
)
from tests.e2e.running import Stack
from tests.reference import assen, baltimore, katwijk, montpellier, pwc, techsupport, wabo, warsaw
from tests.reference.common import DATA, NormCounts, needs


@pytest.fixture(scope="module")
def loaded(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with every file at hand loaded by the program, all at once into one worker."""
    files = {name: (example.mapping, example.file) for name, example in EXAMPLE.items()} | OBSERVED
    present = {name: entry for name, entry in files.items() if (DATA / entry[1]).is_file()}
    for name, (mapping, _) in present.items():
        stack.add_organisation(name, (EXAMPLES / mapping / "organisation.yaml").read_text())
    worker = stack.worker().wait_ready()
    for name, (mapping, file) in present.items():
        path = first_rows(DATA / file, FIRST_ROWS[name], tmp_path_factory.mktemp("rows")) if name in FIRST_ROWS else DATA / file
        stack.cli("load", str(path), "--mapping", str(EXAMPLES / mapping / "mapping.yaml"), "--rate", "0")
    stack.settle()
    try:
        yield stack
    finally:
        assert worker.stop(), "the worker must end by itself"


@pytest.mark.parametrize("name", ALL)
def test_contacts_and_what_happened_to_them(loaded: Stack, name: str) -> None:
    source, _ = reference(name)
    moments = ("opened", "answered", "abandoned", "closed")
    rows = loaded.query(
        f"SELECT channel, {', '.join(f'countIf(isNotNull({moment}_at))' for moment in moments)}, count() FROM contacts FINAL "
        "WHERE organisation = {organisation:String} GROUP BY channel",
        organisation=name,
    )
    found = {row[0]: row[1:] for row in rows}
    expected: dict[str, tuple[int, ...]] = {}
    for channel in source.contacts["channel"].unique():
        mine = source.contacts.filter(source.contacts["channel"] == channel)
        expected[channel] = (*(mine[moment].drop_nulls().len() for moment in moments), mine.height)
    assert found == expected
    assert loaded.count("rejects", name) == 0


@pytest.mark.parametrize("name", ALL)
def test_sums_by_quarter_in_which_they_count(loaded: Stack, name: str) -> None:
    """Exactly in what is stored; in what is shown as well, but for answers, which are shown by whole blocks."""
    source, _ = reference(name)
    expected: dict[tuple[str, str, str], Sum] = {}
    for measure in source.contributions()["measure"].unique():
        for (channel, quarter), sums in source.quarterly(measure).items():
            expected[channel, answer_measure(measure), quarter] = sums_of(measure, sums)
    assert figures.quarters(loaded.query, name, source.zone) == expected
    shown = {key: sums for key, sums in expected.items() if not key[1].startswith("answer:")}
    shown |= figures.published_quarters(loaded.query, name, source.zone)
    with loaded.views() as views:
        found = {(channel, measure, quarter): sums for (measure, channel, quarter), sums in quarter_sums(views, name, FAR).items()}
    assert found == shown


@pytest.mark.parametrize("name", ALL)
def test_volume_and_answered_by_quarter_of_opening(loaded: Stack, name: str) -> None:
    source, _ = reference(name)
    with loaded.views() as views:
        found = quarter_sums(views, name, FAR, opened=True)
    by_measure: dict[str, dict[tuple[str, str], int]] = {"volume": {}, "wait": {}}
    for (measure, channel, quarter), (n, _total, _squares) in found.items():
        if measure in by_measure:
            by_measure[measure][channel, quarter] = n
    assert by_measure == {"volume": source.counts(), "wait": source.counts("answered")}


@pytest.mark.parametrize("by", ["judged", "opened"])
@pytest.mark.parametrize(("name", "via"), [pytest.param(*name.values, False, id=name.id, marks=name.marks) for name in ALL] + BY_VIA)
def test_verdicts_by_quarter(loaded: Stack, name: str, by: Literal["judged", "opened"], via: bool) -> None:
    source, at = reference(name)
    expected = source.norms(at, by, "via" if via else "channel")
    with loaded.views() as views:
        found = verdicts(views, name, at, by == "opened", via)
    if by == "judged":  # the reference's quarter of an excluded contact is a reading of its own (tests/reference/common.py)
        expected, found = without_excluded(expected), without_excluded(found)
    assert found == expected


@pytest.mark.parametrize("name", ALL)
def test_excluded_by_reason(loaded: Stack, name: str) -> None:
    source, at = reference(name)
    found: dict[str, NormCounts] = {}
    with loaded.views() as views:
        for (norm, _, _), counts in verdicts(views, name, at, False, False).items():
            found[norm] = found.get(norm, NormCounts()) + counts
    assert found == {norm: source.norm(at, norm) for norm in source.outcomes["norm"].unique()}


@pytest.mark.parametrize("before", [timedelta(0), timedelta(days=9, hours=5, seconds=7), timedelta(days=45, seconds=30)], ids=str)
@pytest.mark.parametrize("name", ALL)
def test_rolling_windows_at_an_instant(loaded: Stack, name: str, before: timedelta) -> None:
    """At the last event, rounded up to the minute, and at two instants before it."""
    source, at = reference(name)
    expected = {
        (channel, answer_measure(measure), window): sums_of(measure, sums)
        for (channel, measure, window), sums in source.rolling(at - before).items()
        if sums.n
    }
    assert loaded.rolling_at(name, at - before) == expected
    loaded.check_shown(name, at - before, source.zone)


@pytest.mark.parametrize("name", ALL)
def test_the_last_event(loaded: Stack, name: str) -> None:
    source, _ = reference(name)
    with loaded.views() as views:
        assert views.last_event(name) == source.last_event


@pytest.mark.parametrize("name", [example for example in ALL if example.id != "katwijk"])  # which has neither norms nor answers
def test_quarters_as_the_program_prints_them(loaded: Stack, name: str) -> None:
    source, at = reference(name)
    found = lines(loaded, name, "quarters", "quarters", "--at", at.isoformat())
    for (norm, channel, quarter), counts in source.norms(at).items():
        if counts.n:
            line = found[f"norm:{norm}", channel, quarter]
            assert (line["n"], line["total"]) == (counts.n, counts.within)
            assert line["value"] == pytest.approx(float(counts.share or 0), abs=1e-9)
            assert line["notes"].get("overdue", 0) == counts.open_overdue
    for (channel, measure, quarter), (n, total, _) in figures.published_quarters(loaded.query, name, source.zone).items():
        line = found[measure, channel, quarter]
        assert line["n"] == n
        assert line["value"] == pytest.approx(total / n / 1000, abs=1e-9)


@needs(pwc.FILE)
def test_fixed_points_of_the_calls(loaded: Stack) -> None:
    quarters = lines(loaded, "pwc", "quarters", "quarters", "--at", "last")
    answered = quarters["norm:telephone_60s_answered", "telephone", "2021-Q1"]
    offered = quarters["norm:telephone_60s_offered", "telephone", "2021-Q1"]
    assert (answered["total"], answered["n"], f"{answered['value']:.2%}") == (1_796, 4_054, "44.30%")
    assert (offered["total"], offered["n"], f"{offered['value']:.2%}") == (1_796, 5_000, "35.92%")
    assert answered["notes"]["excluded abandoned"] == 946
    shown = lines(loaded, "pwc", "figures", "figures", "--at", "last")
    exact = loaded.rolling_at("pwc", reference("pwc")[1])
    points = {}
    for window in ("7d", "28d"):
        n, total, _ = exact["telephone", "answer:rating:1:satisfaction", window]
        points[window] = (shown["volume", "telephone", window]["n"], n, f"{total / n / 1000:.4f}")
        assert n - 10 < shown["answer:rating:1:satisfaction", "telephone", window]["n"] <= n, "less than a block at either end"
    assert points == {"7d": (308, 246, "3.3699"), "28d": (1_434, 1_157, "3.3656")}


@needs(baltimore.FILE)
def test_fixed_points_of_the_service_requests(loaded: Stack) -> None:
    handled = over_all(loaded, "baltimore", "handled", "2019-02-13T16:18:56")
    closed = handled["n"] - handled["overdue"]
    assert (handled["within"], closed, handled["overdue"], handled["n"]) == (7_988, 9_555, 135, 9_690)
    assert f"{handled['within'] / handled['n']:.2%}" == "82.44%"


@needs(wabo.FILE)
def test_fixed_points_of_the_permits(loaded: Stack) -> None:
    decision = over_all(loaded, "wabo", "decision", "2012-01-23T15:42:54.644+01:00")
    assert (decision["within"], decision["late"] - decision["overdue"], decision["overdue"]) == (950, 377, 39)
    assert decision["excluded stop_before_start"] == 2


@needs(techsupport.FILE)
def test_fixed_points_of_the_tickets(loaded: Stack) -> None:
    first = over_all(loaded, "techsupport", "first_response", "last")
    assert (first["within"], first["late"] - first["overdue"], first["overdue"]) == (2_031, 279, 18)
    assert first["excluded stop_before_start"] == 2


@pytest.mark.parametrize("name", ALL)
def test_no_outcome_belongs_to_a_norm_that_is_not_in_force(loaded: Stack, name: str) -> None:
    norms = {norm.id for norm in load_organisation(EXAMPLES / EXAMPLE[name].mapping / "organisation.yaml").norms}
    sql = "SELECT DISTINCT arrayJoin(`outcomes.norm`) FROM contacts FINAL WHERE organisation = {organisation:String}"
    assert {norm for (norm,) in loaded.query(sql, organisation=name)} == norms


@needs(katwijk.FILE)
def test_volume_by_the_way_it_came_in(loaded: Stack) -> None:
    source, _ = reference("katwijk")
    with loaded.views() as views:
        found = quarter_sums(views, "katwijk", FAR, via=True)
    volume = {(group.split(" via ")[1], quarter): sums[0] for (measure, group, quarter), sums in found.items() if measure == "volume"}
    assert volume == source.counts(group="via")


@needs(assen.FILE)
def test_moved_reports_carry_their_last_category(loaded: Stack) -> None:
    rows = loaded.query("SELECT contact, product FROM contacts FINAL WHERE organisation = 'assen'")
    assert dict(rows) == dict(assen.reports().select("contact", "product").iter_rows())


@needs(montpellier.FILE)
def test_answers_from_totals_are_all_stored(loaded: Stack) -> None:
    rows = loaded.query("SELECT channel, count() FROM survey_answers FINAL WHERE organisation = 'montpellier' GROUP BY channel")
    assert dict(rows) == montpellier.answers_by_channel()


@needs(warsaw.FILE)
def test_observations_of_queues(loaded: Stack) -> None:
    found = loaded.query(
        "SELECT queue, gauge, count(), sum(value), min(observed_at), max(observed_at) FROM gauge_readings FINAL "
        "WHERE organisation = 'warsaw' AND channel = 'counter' GROUP BY queue, gauge"
    )
    expected = set()
    for gauge in ("waiting", "counters_open"):
        polls = (
            warsaw.load(FIRST_ROWS["warsaw"])
            .group_by("queue")
            .agg(n=pl.len(), total=pl.col(gauge).sum(), first=pl.col("at").min(), last=pl.col("at").max())
        )
        expected |= {(queue, gauge, n, float(total), first, last) for queue, n, total, first, last in polls.iter_rows()}
    assert {(*row[:4], *(at.replace(tzinfo=UTC) for at in row[4:])) for row in found} == expected
    assert loaded.count("rejects", "warsaw") == 0
