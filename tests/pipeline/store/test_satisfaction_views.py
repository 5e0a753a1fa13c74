"""Every figure of the satisfaction views, computed again from the answers by plain Python."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.intervals import mean_interval
from pipeline.store.satisfaction import Broken, SatisfactionViews
from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine
from tests.pipeline.store.publishing import AMSTERDAM, Block, Given, blocks, quarter_of, utc
from tests.pipeline.store.satisfied import Town, organisation

WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "28d": timedelta(days=28)}
WAVE_END = date(2026, 5, 20)
WAVE = {"number": 1, "instrument": "q", "version": 1, "from": "2026-05-01", "to": str(WAVE_END), "size": 400, "invited": 60}
Sums = tuple[int, int, int]


def some_answers(seed: int) -> list[Given]:
    """Answers of this year to all questionnaires, over both clock changes and several quarters, the running one included."""
    rng = random.Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    found = []
    for number in range(700):
        at = now - timedelta(minutes=rng.randrange(1, 60 * 24 * (30 if number % 2 else 300)))
        logged = at + timedelta(minutes=rng.choice((0, 0, 0, 3, 60 * 24 * 4, 60 * 24 * 100, 60 * 24 * 100)), milliseconds=number)
        instrument = rng.choice(("q", "q", "q", "csat", "nps", "ces", "faces", "helped", "panel"))
        low, high = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7), "faces": (1, 5), "helped": (0, 1)}.get(instrument, (1, 10))
        aspects = rng.sample(("overall", "ease", "expected"), rng.randint(1, 3)) if instrument == "q" else ["overall"]
        wave = "voorjaar" if instrument == "q" and at.astimezone(AMSTERDAM).month in (4, 5) and rng.random() < 0.7 else ""
        found.append(
            Given(
                f"a{number}", at, rng.choice(("telephone", "telephone", "counter")), {a: rng.randint(low, high) for a in aspects},
                instrument=instrument, logged=min(logged, now - timedelta(milliseconds=1000 - number)),
                status=rng.choice(("complete", "complete", "partial")), wave=wave, team=rng.choice(("Balie", "Zuid", "Noord")),
                product=rng.choice(("paspoort", "")),
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def town(clickhouse: ClickHouseEngine) -> Iterator[Town]:
    """Answers of one seed; a tenth of them has its channel from the contact that it names."""
    town = Town(clickhouse, organisation("tevreden-stad", waves={"voorjaar": WAVE}))
    try:
        answers = some_answers(7)
        for one in answers[:70]:
            town.contact(f"c-{one.name}", channel=one.channel)
            town.answer([one], contact=("centrale", f"c-{one.name}"))
        town.answer(answers[70:])
        yield town
    finally:
        town.close()


@pytest.fixture(scope="module")
def published(town: Town) -> list[Block]:
    return list(blocks(some_answers(7), datetime.now(UTC), 5, {"voorjaar": WAVE_END}))


def test_blocks_are_those_of_the_rules(town: Town, published: Sequence[Block]) -> None:
    sql = """SELECT instrument, instrument_version, aspect, channel, wave, quarter, late, block, n, total, squares
             FROM v_answer_blocks(organisation = '{name}')"""
    found = {((*row[:6],), bool(row[6]), row[7]): row[8:] for row in town.read(sql)}
    assert found == {(block.series, block.late, block.number): block.sums for block in published}
    assert {block.late for block in published} == {True, False}
    assert max(len(block.answers) for block in published) > 5, "some block must hold the rest of its quarter"


def added(groups: dict[tuple[str, ...], Sums], key: tuple[str, ...], block: Block) -> None:
    n, total, squares = groups.get(key, (0, 0, 0))
    groups[key] = (n + block.sums[0], total + block.sums[1], squares + block.sums[2])


def expected_periods(published: Sequence[Block]) -> dict[tuple[str, ...], Sums]:
    groups: dict[tuple[str, ...], Sums] = {}
    for block in published:
        instrument, version, aspect, channel, wave, quarter = block.series
        month = block.last.astimezone(AMSTERDAM).strftime("%Y-%m")
        for kind, period in (("quarter", quarter), ("year", quarter[:4]), ("month", month), ("wave", wave)):
            for where in (channel, ""):
                if period:
                    added(groups, (instrument, str(version), aspect, where, kind, period), block)
    return groups


def test_periods_add_up_whole_blocks(town: Town, published: Sequence[Block]) -> None:
    sql = """SELECT instrument, toString(instrument_version), aspect, channel, period_kind, period, n, total, squares, value, low, high
             FROM v_satisfaction(organisation = '{name}', at = '{at}')"""
    rows = town.read(sql)
    assert {row[:6]: row[6:9] for row in rows} == expected_periods(published)
    for row in rows:
        n, total, squares, value, low, high = row[6:]
        interval = mean_interval(n, total, squares)
        assert interval is not None
        assert (value, low, high) == pytest.approx((total / n / 1000, interval[0] / 1000, interval[1] / 1000), abs=1e-7)


def test_shares_of_every_scale(town: Town, published: Sequence[Block]) -> None:
    grades: dict[tuple[str, str], list[int]] = defaultdict(list)
    for block in published:
        if block.series[2] == "overall":
            grades[block.series[0], block.series[5]] += block.thousandths
    sql = """SELECT instrument, period, n, low_share, top_share, nps, face_shares FROM v_satisfaction(organisation = '{name}', at = '{at}')
             WHERE period_kind = 'quarter' AND channel = '' AND aspect = 'overall'"""
    rows = town.read(sql)
    assert {row[:2] for row in rows} == set(grades)
    bounds = {"q": (5, 8), "panel": (5, 8), "csat": (2, 4), "nps": (6, 9), "helped": (0, 1)}
    for instrument, period, n, low_share, top_share, nps, faces in rows:
        given = grades[instrument, period]
        assert n == len(given)
        if instrument in bounds:
            low, top = bounds[instrument]
            assert low_share == pytest.approx(sum(x <= low * 1000 for x in given) / n)
            assert top_share == pytest.approx(sum(x >= top * 1000 for x in given) / n)
        assert (nps is not None) == (instrument == "nps")
        if nps is not None:
            assert nps == pytest.approx(100 * (sum(x >= 9000 for x in given) - sum(x <= 6000 for x in given)) / n)
        assert list(faces) == pytest.approx([given.count(face * 1000) / n for face in range(1, 6)] if instrument == "faces" else [])


def windows(published: Sequence[Block], at: datetime) -> dict[tuple[str, ...], Sums]:
    """Blocks that lie wholly inside the window that ends at the minute of `at`."""
    minute = -(-epoch_ms(at) // 60_000)
    groups: dict[tuple[str, ...], Sums] = {}
    for block in published:
        first, last = (-(-epoch_ms(moment) // 60_000) for moment in (block.first, block.last))
        for window, length in WINDOWS.items():
            if last <= minute and first > minute - length // timedelta(minutes=1):
                instrument, version, aspect, channel, *_ = block.series
                added(groups, (channel, f"answer:{instrument}:{version}:{aspect}", window), block)
    return groups


def test_windows_hold_whole_blocks_now_and_then(town: Town, published: Sequence[Block]) -> None:
    now = datetime.now(UTC)
    sql = "SELECT channel, measure, window, n, total, squares FROM {view} WHERE startsWith(measure, 'answer:')"
    for days in (0, 3, 20):
        at = now - timedelta(days=days)
        text = at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        rows = town.read(sql.replace("{view}", f"v_rolling_at(organisation = '{town.name}', at = '{text}')"))
        expected = windows(published, at)
        assert {row[:3]: row[3:] for row in rows} == expected
        assert expected
    live = town.read(sql.replace("{view}", "v_rolling").replace("WHERE", "WHERE organisation = '{name}' AND"))
    assert {row[:3]: row[3:] for row in live} in (windows(published, now), windows(published, datetime.now(UTC)))
    assert not town.read("SELECT 1 FROM v_rolling_history WHERE organisation = '{name}' AND startsWith(measure, 'answer:')")


def test_quarter_sums_hold_what_the_quarters_do(town: Town, published: Sequence[Block]) -> None:
    expected: dict[tuple[str, ...], Sums] = {}
    for block in published:
        instrument, version, aspect, channel, _, quarter = block.series
        added(expected, (channel, "", f"answer:{instrument}:{version}:{aspect}", quarter, quarter), block)
    sql = """SELECT channel, via, measure, quarter, quarter_opened, n, total, squares
             FROM v_quarter_sums(organisation = '{name}', at = '{at}') WHERE startsWith(measure, 'answer:')"""
    assert {row[:5]: row[5:] for row in town.read(sql)} == expected


def test_attainment_counts_every_aspect_with_a_target(town: Town) -> None:
    sql = """SELECT aspects, met, not_met, too_few FROM v_attainment(organisation = '{name}', at = '{at}')
             WHERE instrument = 'q' AND channel = '' AND period_kind = 'year'"""
    (row,) = town.read(sql)
    scores = town.read(
        "SELECT attainment FROM v_satisfaction(organisation = '{name}', at = '{at}') "
        "WHERE instrument = 'q' AND channel = '' AND period_kind = 'year' AND target IS NOT NULL"
    )
    said = [attainment for (attainment,) in scores]
    assert row[:3] == (2, said.count("met"), said.count("not_met"))
    assert row[3] == 2 - row[1] - row[2]


def test_targets_hold_on_their_days_only(clickhouse: ClickHouseEngine) -> None:
    title = {"nl": "o", "en": "o"}
    targets = [{"target": 7.0, "valid": {"to": "2026-01-01"}}, {"target": 8.0, "valid": {"from": "2026-01-01"}}]
    q = {"version": 1, "title": title, "scale": "1-10", "aspects": {"overall": {"title": title, "targets": targets}}}
    town = Town(clickhouse, organisation("doelen-stad", instruments={"q": [q]}))
    try:
        for month in ("2025-11", "2026-02"):
            town.answer(
                Given(f"{month}-{n}", utc(f"{month}-10T10:00") + timedelta(minutes=n), "email", {"overall": 7.4 + n % 2 / 10})
                for n in range(9)
            )
        sql = """SELECT period, target, attainment FROM v_satisfaction(organisation = '{name}', at = '{at}')
                 WHERE channel = 'email' AND period_kind = 'quarter' ORDER BY period"""
        assert town.read(sql) == [("2025-Q4", 7.0, "met"), ("2026-Q1", 8.0, "not_met")]
    finally:
        town.close()


def test_versions_and_announced_changes_are_breaks(clickhouse: ClickHouseEngine) -> None:
    town = Town(clickhouse, organisation("breuken-stad"))
    try:
        for version, day in ((1, "2026-02-01"), (2, "2026-04-10")):
            start = utc(f"{day}T10:00")
            town.answer(Given(f"v{version}-{n}", start + timedelta(minutes=n), "email", {"overall": 7}, version=version) for n in range(6))
        change = {
            "marker": "fusie",
            "kind": "reorganisation",
            "from": epoch_ms(utc("2026-03-01T00:00")),
            "channels": ["email"],
            "note": "Fusie",
        }
        town.notice("marker.set", utc("2026-02-20T09:00"), change)
        with closing(SatisfactionViews(town.board)) as views:
            assert views.breaks(town.name) == [
                Broken("", "email", "reorganisation", utc("2026-03-01T00:00"), "Fusie"),
                Broken("q", "", "version", datetime(2026, 4, 10, tzinfo=UTC), ""),
            ]
    finally:
        town.close()


def test_the_last_word_on_a_marker_holds(clickhouse: ClickHouseEngine) -> None:
    town = Town(clickhouse, organisation("markeer-stad"))
    begin, end = epoch_ms(utc("2026-03-01T00:00")), epoch_ms(utc("2026-03-08T00:00"))
    try:
        town.notice("marker.set", utc("2026-02-20T09:00"), {"marker": "a", "kind": "outage", "from": begin})
        town.notice(
            "marker.set", utc("2026-02-21T09:00"), {"marker": "a", "kind": "outage", "from": begin, "to": end, "channels": ["email"]}
        )
        town.notice("marker.set", utc("2026-02-20T09:00"), {"marker": "b", "kind": "campaign", "from": begin})
        town.notice("marker.cancelled", utc("2026-02-20T10:00"), {"marker": "b"})
        town.notice("marker.cancelled", utc("2026-02-20T10:00"), {"marker": "c"})
        town.notice("marker.set", utc("2026-02-20T11:00"), {"marker": "c", "kind": "campaign", "from": begin, "note": "Toch"})
        with closing(SatisfactionViews(town.board)) as views:
            found = {one.marker: one for one in views.markers(town.name)}
            assert set(found) == {"a", "c"}
            assert (found["a"].end, found["a"].channels) == (utc("2026-03-08T00:00"), ["email"])
            assert (found["c"].end, found["c"].note) == (None, "Toch")
            overlapping = views.markers(town.name, utc("2026-03-09T00:00"), utc("2026-03-10T00:00"))
            assert [one.marker for one in overlapping] == ["c"]
    finally:
        town.close()


def test_response_counts_invitations_once_and_complete_answers(clickhouse: ClickHouseEngine) -> None:
    wave = {**WAVE, "invited": 10}
    town = Town(clickhouse, organisation("respons-stad", waves={"voorjaar": wave}))
    try:
        town.contact("gebeld", channel="telephone")
        for number in range(8):
            data: dict[str, object] = {"instrument": "q", "version": 1, "invitation": f"invited-a{number}"}
            data |= {"contact": {"system": "centrale", "id": "gebeld"}} if number < 4 else {"channel": "email", "wave": "voorjaar"}
            town.notice("survey.invited", utc("2026-05-04T10:00"), data)
            town.notice("survey.invited", utc("2026-05-11T10:00"), data, "reminder")
        start = utc("2026-05-05T10:00")
        answers = [Given(f"a{n}", start, "email", {"overall": 7}, wave="voorjaar") for n in (0, 1, 4, 5, 6)]
        answers.append(Given("a2", start, "email", {"overall": 7}, status="partial", wave="voorjaar"))
        answers.append(Given("uninvited", start, "email", {"overall": 7}))
        town.answer(answers)
        with closing(SatisfactionViews(town.board)) as views:
            found = {
                (one.wave, one.channel, one.quarter): (one.invited, one.answered) for one in views.response(town.name, datetime.now(UTC))
            }
            assert found == {("", "telephone", "2026-Q2"): (4, 2), ("voorjaar", "email", "2026-Q2"): (4, 3), ("voorjaar", "", ""): (10, 5)}
            (one,) = (one for one in views.response(town.name, datetime.now(UTC)) if one.channel == "email")
            assert (one.rate, one.low, one.high) == pytest.approx((0.75, 0.3006, 0.9544), abs=1e-4)
    finally:
        town.close()


def test_breakdowns_add_up_what_is_not_late(town: Town, published: Sequence[Block]) -> None:
    sql = """SELECT channel, quarter, cell, withheld, n, total FROM v_satisfaction_by(organisation = '{name}')
             WHERE instrument = 'q' AND aspect = 'overall' AND dimension = 'team'"""
    expected: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    quarter_now = quarter_of(datetime.now(AMSTERDAM).date() - timedelta(days=2))
    for block in published:
        if (
            block.series[0] == "q"
            and block.series[2] == "overall"
            and not block.late
            and (block.series[5] < quarter_now or block.series[4])
        ):
            for one, grade in zip(block.answers, block.thousandths, strict=True):
                team = {"Noord": "Balie"}.get(one.team, one.team)
                expected[block.series[3], block.series[4], block.series[5], team].append(grade)
    rows = town.read(sql)
    assert rows
    assert {row[2] for row in rows} == {"Balie", "Zuid"}, "a team of two is shown as the team above it"
    for channel, quarter, cell, withheld, n, total in rows:
        parts = [grades for (where, _, when, team), grades in expected.items() if (where, when, team) == (channel, quarter, cell)]
        if withheld:
            assert n is None
        else:
            assert (n, total) == (sum(map(len, parts)), sum(map(sum, parts)))
