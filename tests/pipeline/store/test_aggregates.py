"""Sums that stay: counted from the rows by local month, the same after the rows were deleted, and of answers no more than is published."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipeline.retention import Retention
from pipeline.store import aggregates, retention
from pipeline.store.client import Connection
from pipeline.store.migrate import migrate
from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine, start_clickhouse
from tests.pipeline.store.publishing import AMSTERDAM, Given, blocks, utc
from tests.pipeline.store.satisfied import Town, organisation

NOW = datetime.now(UTC).replace(microsecond=0)
DAY, MONTH = timedelta(days=1), timedelta(days=28)
NORMS = [
    {
        "id": name, "title": {"nl": "n", "en": "n"}, "applies_to": {"channels": ["telephone"]}, "clock": "elapsed", "threshold": threshold,
        "stop": "answered", "source": "tests", "valid": {"from": since, "to": until}, **more,
    }
    for name, threshold, since, until, more in (
        ("soon", "60s", "2020-01-01", "2026-01-01", {"target": 0.8}),
        ("soon", "90s", "2026-01-01", "2099-01-01", {"target": 0.8}),
        ("mean", "60s", "2020-01-01", "2099-01-01", {"statistic": "mean"}),
    )
]  # fmt: skip
CONTACTS = """SELECT period, channel, via, measure, norm_version, n, total, squares FROM v_monthly
              WHERE organisation = '{name}' AND period_kind = 'month'"""
ANSWERS = "SELECT period, channel, measure, n, total, squares FROM v_monthly WHERE organisation = '{name}' AND period_kind = 'quarter'"
PUBLISHED = """SELECT period, channel, concat('answer:', instrument, ':', toString(instrument_version), ':', aspect), n, total, squares
               FROM v_satisfaction(organisation = '{name}', at = '{at}') WHERE period_kind = 'quarter' AND closed AND channel != ''"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseEngine]:
    """A server of its own, whose tables keep rows as `setup` has them."""
    engine = start_clickhouse(tmp_path_factory.mktemp("clickhouse-aggregates"))
    try:
        connection = Connection(engine.host, engine.http_port, engine.user, engine.password)
        migrate(connection)
        client = connection.open()
        for kept in retention.kept(client, Retention()):
            if kept.differs:
                retention.keep(client, kept)
        client.close()
        yield engine
    finally:
        engine.stop()


@pytest.fixture
def town(server: ClickHouseEngine, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A municipality of the test's own."""
    town = Town(server, organisation(request.node.name.replace("_", "-")[:60], 3, norms=NORMS))
    try:
        yield town
    finally:
        town.close()


@dataclass
class Call:
    """A contact as plain facts. `loaded`: when the log took it in."""

    name: str
    opened: datetime
    wait: timedelta | None = None
    channel: str = "telephone"
    via: str = ""
    loaded: datetime | None = None

    @property
    def answered(self) -> datetime | None:
        return None if self.wait is None else self.opened + self.wait

    def outcomes(self) -> Iterator[tuple[str, int, datetime, datetime | None, datetime | None, datetime, int | None]]:
        """norm, version, start, deadline, stop, judged_at, measured."""
        version, limit = (1, 60) if self.opened.astimezone(AMSTERDAM).year < 2026 else (2, 90)
        deadline = self.opened + timedelta(seconds=limit)
        judged = deadline if self.answered is None or self.answered > deadline else self.answered
        yield "soon", version, self.opened, deadline, self.answered, judged, None
        if self.answered is not None and self.wait is not None:
            yield "mean", 1, self.opened, None, self.answered, self.answered, self.wait // timedelta(milliseconds=1)

    def contributions(self) -> Iterator[tuple[str, int, datetime, int]]:
        """measure, norm version, moment, x."""
        yield "volume", 0, self.opened, 0
        if self.answered is not None and self.wait is not None:
            yield "abandonment", 0, self.answered, 0
            yield "wait", 0, self.answered, self.wait // timedelta(milliseconds=1)
        for norm, version, _, deadline, stop, judged, measured in self.outcomes():
            if measured is not None:
                yield f"norm_mean:{norm}", version, judged, measured
            else:
                yield f"norm:{norm}", version, judged, int(stop is not None and deadline is not None and stop <= deadline)


def store(town: Town, calls: list[Call], version: int = 1) -> None:
    rows = []
    for call in calls:
        outcomes = list(zip(*call.outcomes(), strict=True))
        wait = None if call.wait is None else call.wait // timedelta(milliseconds=1)
        last = call.answered or call.opened
        rows.append(
            [town.name, "centrale", call.name, version, call.channel, call.via, "counts", "[]", call.opened, call.answered, wait, last,
             call.loaded or last, *map(list, outcomes[:6]), [""] * len(outcomes[0]), list(outcomes[6])]
        )  # fmt: skip
    parts = ("norm", "version", "start", "deadline", "stop", "judged_at", "excluded", "measured")
    names = ["organisation", "system", "contact", "version", "channel", "via", "role", "timeline", "opened_at", "answered_at", "wait_ms"]
    town.owner.insert("contacts", rows, column_names=[*names, "last_at", "appended_at", *(f"outcomes.{part}" for part in parts)])


def counted(calls: list[Call], until: datetime = NOW) -> set[tuple[Any, ...]]:
    """What must stand in v_monthly, from the facts alone."""
    n, total, squares = Counter[Any](), Counter[Any](), Counter[Any]()
    for call in calls:
        for measure, version, at, x in call.contributions():
            if at <= until:
                key = (f"{at.astimezone(AMSTERDAM):%Y-%m}", call.channel, call.via, measure, version)
                n[key] += 1
                total[key] += x
                squares[key] += x * x
    return {(*key, n[key], total[key], squares[key]) for key in n}


def delete(town: Town, table: str) -> None:
    town.owner.command(f"ALTER TABLE {table} DELETE WHERE organisation = '{town.name}'", settings={"mutations_sync": 1})


def some_calls(number: int, seed: int = 3) -> list[Call]:
    """Calls of the last year and a half; some waits end in the next month, some calls are never answered."""
    chance = random.Random(seed)
    return [
        Call(
            f"c{position}",
            NOW - timedelta(seconds=chance.randrange(500 * 86_400)),
            timedelta(milliseconds=chance.randrange(300_000)) if chance.random() < 0.8 else None,
            chance.choice(["telephone", "counter"]),
            chance.choice(["", "whatsapp"]),
        )
        for position in range(number)
    ]


def test_sums_are_those_of_the_rows_and_stay_when_the_rows_are_gone(town: Town) -> None:
    calls = some_calls(400)
    store(town, calls)
    aggregates.aggregate(town.owner, town.name, NOW)
    assert set(town.read(CONTACTS)) == counted(calls)
    delete(town, "contacts")
    later = NOW + 27 * MONTH + 30 * DAY
    aggregates.aggregate(town.owner, town.name, later)
    assert set(town.read(CONTACTS)) == counted(calls)
    assert {closed for (closed,) in town.read("SELECT closed FROM v_monthly WHERE organisation = '{name}'")} == {True}


def test_months_are_local_at_both_clock_changes(town: Town) -> None:
    moments = [utc("2026-04-01T00:00") - DAY / 24, utc("2026-03-31T23:59:59"), utc("2026-04-01T00:00"),
               utc("2025-10-31T23:59:59"), utc("2025-11-01T00:00"), utc("2025-10-26T02:30"), utc("2026-03-29T03:00")]  # fmt: skip
    store(town, [Call(f"c{number}", at) for number, at in enumerate(moments)])
    aggregates.aggregate(town.owner, town.name, NOW)
    rows = town.read("SELECT period, n FROM v_monthly WHERE organisation = '{name}' AND measure = 'volume'")
    assert set(rows) == {("2025-10", 2), ("2025-11", 1), ("2026-03", 3), ("2026-04", 1)}


def test_doing_it_again_changes_nothing_and_what_moves_is_moved(town: Town) -> None:
    calls = some_calls(50)
    store(town, calls)
    for minutes in (0, 1):
        aggregates.aggregate(town.owner, town.name, NOW + timedelta(minutes=minutes))
        assert set(town.read(CONTACTS)) == counted(calls)
    calls[0].channel, calls[1].via = "email", "chat"
    store(town, calls[:2], version=2)
    gone = calls.pop()
    town.owner.insert(
        "contacts", [[town.name, "centrale", gone.name, 2**64 - 1, "forgotten", "[]"]],
        column_names=["organisation", "system", "contact", "version", "role", "timeline"],
    )  # fmt: skip
    aggregates.aggregate(town.owner, town.name, NOW + timedelta(minutes=2))
    assert set(town.read(CONTACTS)) == counted(calls)


def test_what_lies_ahead_is_not_counted_yet(town: Town) -> None:
    calls = [Call("now", NOW - timedelta(seconds=10)), Call("before", NOW - DAY)]
    store(town, calls)
    aggregates.aggregate(town.owner, town.name, NOW)
    assert set(town.read(CONTACTS)) == counted(calls)
    assert sum(n for *_, measure, _, n, _, _ in counted(calls) if measure == "norm:soon") == 1


def test_a_month_is_closed_before_its_first_row_is_due_and_not_counted_again(town: Town) -> None:
    old = utc("2025-02-03T10:00")
    calls = [Call("old", old), Call("loaded", old + DAY, loaded=NOW), Call("young", utc("2026-05-05T10:00"))]
    store(town, calls)
    due = old + timedelta(days=25 * 28)
    aggregates.aggregate(town.owner, town.name, due - timedelta(hours=49))
    closed = f"SELECT kind, month FROM aggregated FINAL WHERE organisation = '{town.name}' AND closed"
    assert town.owner.query(closed).result_rows == []
    aggregates.aggregate(town.owner, town.name, due - timedelta(hours=25))
    assert town.owner.query(closed).result_rows == [("contacts", date(2025, 2, 1))]
    before = set(town.read(CONTACTS))
    late = [Call("late", old + 2 * DAY, loaded=NOW), Call("also late", utc("2026-05-06T10:00"))]
    store(town, late)
    aggregates.aggregate(town.owner, town.name, due)
    assert set(town.read(CONTACTS)) == counted([*calls, late[1]], due), "February keeps what it was, May has both"
    assert {row for row in before if row[0] == "2025-02"} <= set(town.read(CONTACTS))


def test_after_a_long_stop_nothing_is_counted_from_what_is_left(town: Town) -> None:
    at = utc("2025-06-03T10:00")
    calls = [Call("first", at), Call("last", at + 20 * DAY)]
    store(town, calls)
    aggregates.aggregate(town.owner, town.name, NOW)
    town.owner.command(
        f"ALTER TABLE contacts DELETE WHERE organisation = '{town.name}' AND contact = 'first'", settings={"mutations_sync": 1}
    )
    aggregates.aggregate(town.owner, town.name, at + timedelta(days=26 * 31))
    assert set(town.read(CONTACTS)) == counted(calls)


def test_history_that_is_loaded_late_is_counted(town: Town) -> None:
    calls = [Call(f"c{year}", utc(f"{year}-05-05T10:00"), timedelta(seconds=70), loaded=NOW) for year in (2019, 2022, 2025)]
    store(town, calls)
    aggregates.aggregate(town.owner, town.name, NOW)
    assert {row[:6] for row in town.read(CONTACTS)} == {row[:6] for row in counted(calls)}


def test_norms_are_told_by_version_and_definition(town: Town) -> None:
    store(town, [Call("a", utc("2025-12-05T10:00"), timedelta(seconds=70)), Call("b", utc("2026-01-05T10:00"), timedelta(seconds=70))])
    aggregates.aggregate(town.owner, town.name, NOW)
    figures = "SELECT period, norm_version, value, definition FROM v_monthly WHERE organisation = '{name}' AND measure = "
    rows = sorted(town.read(figures + "'norm:soon'"))
    assert [row[:3] for row in rows] == [("2025-12", 1, 0.0), ("2026-01", 2, 1.0)]
    told = [json.loads(row[3]) for row in rows]
    assert [(norm["id"], norm["version"], norm["threshold"], norm["stop"]) for norm in told] == [
        ("soon", 1, "60s", ["answered"]), ("soon", 2, "90s", ["answered"])
    ]  # fmt: skip
    (_, _, value, definition) = max(town.read(figures + "'norm_mean:mean'"))
    assert (value, json.loads(definition)["statistic"]) == (70.0, "mean")


def test_of_answers_the_view_tells_what_is_published_and_the_table_all(town: Town) -> None:
    at = NOW - timedelta(days=200)
    few = [Given(f"few{n}", at, "counter", {"overall": 3.0}) for n in range(2)]
    wave = [Given(f"wave{n}", at, "telephone", {"overall": 9.0}, wave="w") for n in range(2)]
    many = [Given(f"a{n}", at + timedelta(seconds=n), "telephone", {"overall": float(n)}) for n in range(1, 8)]
    late = [Given("late", at, "telephone", {"overall": 5.0}, logged=NOW - DAY)]
    running = [Given(f"r{n}", NOW - timedelta(minutes=9), "telephone", {"overall": 8.0}) for n in range(9)]
    everything = [*few, *wave, *many, *late, *running]
    town.answer(everything)
    aggregates.aggregate(town.owner, town.name, NOW)
    published = set(town.read(PUBLISHED))
    closed = [block for block in blocks(everything, NOW, 3) if block.series[5] != f"{NOW.year}-Q{(NOW.month + 2) // 3}"]
    assert sum(block.sums[0] for block in closed) == len(many)
    assert published == set(town.read(ANSWERS))
    assert [row[3:] for row in town.read(ANSWERS)] == [(7, 28_000, 140_000_000)]
    assert not town.read("SELECT 1 FROM v_monthly WHERE organisation = '{name}' AND period_kind = 'month'")
    (exact,) = town.owner.query(
        f"SELECT sum(n), sum(total) FROM aggregates FINAL WHERE organisation = '{town.name}' AND period_kind = 'month'"
    ).result_rows
    assert exact == (len(everything), sum(round(one.grades["overall"] * 1000) for one in everything))
    delete(town, "survey_answers")
    aggregates.aggregate(town.owner, town.name, NOW + 30 * MONTH)
    assert set(town.read(ANSWERS)) == published
    definition = json.loads(town.read("SELECT definition FROM v_monthly WHERE organisation = '{name}'")[0][0])
    assert (definition["scale"]["maximum"], definition["population"], definition["version"]) == (10.0, "contact-triggered", 1)


def test_a_quarter_that_is_about_to_lose_answers_is_shown_only_as_it_was(town: Town) -> None:
    """Else it would shrink by one answer at a time, and two looks at it would tell a grade."""
    at = NOW - timedelta(days=200)
    town.answer([Given(f"a{n}", at + timedelta(seconds=n), "telephone", {"overall": float(n)}) for n in range(1, 8)])
    aggregates.aggregate(town.owner, town.name, NOW)
    assert town.read(PUBLISHED)
    kept = town.read(ANSWERS)
    aggregates.aggregate(town.owner, town.name, NOW + 24 * MONTH)
    assert (town.read(PUBLISHED), town.read(ANSWERS)) == ([], kept)


def test_it_is_done_once_a_day(town: Town) -> None:
    store(town, [Call("one", NOW - DAY)])
    assert aggregates.keep_up(town.owner, town.name, NOW) == aggregates.EVERY
    assert aggregates.keep_up(town.owner, town.name, NOW + timedelta(hours=5)) == timedelta(hours=19)
    store(town, [Call("two", NOW - DAY)])
    assert aggregates.keep_up(town.owner, town.name, NOW + aggregates.EVERY) == aggregates.EVERY
    assert town.read("SELECT max(n) FROM v_monthly WHERE organisation = '{name}' AND measure = 'volume'") == [(2,)]


def test_an_organisation_that_is_not_registered_has_none(town: Town) -> None:
    assert aggregates.aggregate(town.owner, "nobody", NOW) == 0


def test_the_store_as_the_worker_uses_it_counts_them(town: Town) -> None:
    store(town, [Call("one", NOW - DAY)])
    assert town.store.aggregate(town.name) == aggregates.EVERY
    assert epoch_ms(town.read("SELECT max(as_of) FROM v_monthly WHERE organisation = '{name}'")[0][0].replace(tzinfo=UTC)) >= epoch_ms(NOW)


def test_a_reader_sees_its_own_and_no_condition_is_tried_on_others(town: Town, server: ClickHouseEngine) -> None:
    hidden = Town(server, organisation("hidden", 3, norms=[NORMS[0] | {"threshold": "77s"}]), readable=False)
    try:
        for one in (town, hidden):
            store(one, [Call("one", NOW - DAY)])
            aggregates.aggregate(one.owner, one.name, NOW)
        assert hidden.read(CONTACTS) == []
        for condition in ("organisation = 'hidden'", "position(definition, '77s') > 0"):
            assert town.reader.query(f"SELECT count() FROM v_monthly WHERE throwIf({condition}, 'leaked') = 0").result_rows[0][0] > 0
    finally:
        hidden.close()
