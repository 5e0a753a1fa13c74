"""Hourly sums and parts on the real server, against plain Python over the same stored rows."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.store import drift_hours
from pipeline.store.client import Connection
from pipeline.store.migrate import migrate
from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine
from tests.pipeline.store.lives import AMSTERDAM, SHOWN, Measured, lives, local, municipality
from tests.pipeline.store.publishing import Given
from tests.pipeline.store.satisfied import Town, organisation

HOUR_MS = 3_600_000
UNTIL = datetime.now(UTC)
Expected = dict[tuple[str, str, int], list[int]]
"""(channel, measure, hour) -> n, Σx, Σx²."""


def hour_of(moment: datetime) -> int:
    """Hour h holds the moments (h, h + 1]."""
    return (epoch_ms(moment) - 1) // HOUR_MS


def log_of(wait_ms: int) -> int:
    return round(1e6 * math.log(max(wait_ms, 1000) / 1000))


class Recomputed:
    """Sums of an organisation from its rows; what they are by product, team and location too."""

    def __init__(self, client: Client, organisation: str) -> None:
        self.hours: Expected = defaultdict(lambda: [0, 0, 0])
        self.parts: dict[tuple[str, str, str, str], Expected] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
        where = f"FINAL WHERE organisation = '{organisation}'"
        for row in client.query(f"SELECT * FROM contacts {where} AND role = 'counts'").named_results():
            self._contact(row)
        contacts = client.query(f"SELECT system, contact, channel FROM contacts {where}").result_rows
        channels = {(system, contact): channel for system, contact, channel in contacts}
        for row in client.query(f"SELECT * FROM survey_answers {where} AND NOT forgotten").named_results():
            channel = row["channel"] or channels.get((row["contact_system"], row["contact"]), "")
            for aspect, grade in zip(row["aspects"], row["grades"], strict=True):
                if channel:
                    self._add(row, channel, f"answer:{row['instrument']}:{row['instrument_version']}:{aspect}", row["answered_at"], grade)

    def _contact(self, row: dict[str, Any]) -> None:
        channel = row["channel"]
        if row["opened_at"]:
            self._add(row, channel, "volume", row["opened_at"], 0)
        if row["answered_at"]:
            self._add(row, channel, "abandonment", row["answered_at"], 0)
            if row["wait_ms"] is not None:
                self._add(row, channel, "wait", row["answered_at"], row["wait_ms"])
                self._add(row, channel, "wait_log", row["answered_at"], log_of(row["wait_ms"]))
        if row["abandoned_at"]:
            self._add(row, channel, "abandonment", row["abandoned_at"], 1)
        names = ("norm", "deadline", "stop", "judged_at", "measured")
        for norm, deadline, stop, judged, measured in zip(*(row[f"outcomes.{name}"] for name in names), strict=True):
            if judged and measured is not None and deadline is None:
                self._add(row, channel, f"norm_mean:{norm}", judged, measured)
            elif judged:
                self._add(row, channel, f"norm:{norm}", judged, int(stop is not None and stop <= deadline))

    def _add(self, row: dict[str, Any], channel: str, measure: str, at: datetime, x: int) -> None:
        key = (channel, measure, hour_of(at.replace(tzinfo=UTC)))
        team = SHOWN.get(row["team"], row["team"])
        parts = [
            self.parts[channel, measure, *part] for part in (("product", row["product"]), ("team", team), ("location", row["location"]))
        ]
        for sums in (self.hours[key], *(part[key] for part in parts)):
            for position, value in enumerate((1, x, x * x)):
                sums[position] += value


def found_of(client: Client, organisation: str, since: int = 0, until: int = 1 << 21) -> Expected:
    found: Expected = {}
    for (channel, measure), hours in drift_hours.hourly(client, organisation, since, until).items():
        assert sorted(set(hours.hour.tolist())) == hours.hour.tolist()
        for hour, n, total, squares in zip(*(column.tolist() for column in hours), strict=True):
            found[channel, measure, hour] = [n, total, squares]
    return found


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouseEngine) -> Iterator[Client]:
    connection = Connection(clickhouse.host, clickhouse.http_port, clickhouse.user, clickhouse.password)
    migrate(connection)
    client = connection.open()
    yield client
    client.close()


@pytest.fixture(scope="module")
def measured(clickhouse: ClickHouseEngine) -> Iterator[Measured]:
    """Lives over a hundred days, some with what is still to be judged."""
    town = Measured(clickhouse, municipality("uurstad"))
    known = lives(400, UNTIL, seed=11)
    town.take_in(event for life in known for event in life.events())
    yield town
    town.close()


def test_hours_are_those_of_a_recomputation_from_the_rows(client: Client, measured: Measured) -> None:
    expected = Recomputed(client, measured.name).hours
    assert {measure.split(":")[0] for _, measure, _ in expected} == {"volume", "abandonment", "wait", "wait_log", "norm", "norm_mean"}
    assert found_of(client, measured.name) == expected


def test_only_the_hours_asked_for(client: Client, measured: Measured) -> None:
    expected = Recomputed(client, measured.name).hours
    now = hour_of(UNTIL)
    for since, until in ((now - 500, now - 100), (now - 30, now + 1), (now + 1, now + 5_000), (now, now)):
        assert found_of(client, measured.name, since, until) == {key: sums for key, sums in expected.items() if since <= key[2] < until}


def test_parts_add_up_to_the_whole(client: Client, measured: Measured) -> None:
    recomputed, now = Recomputed(client, measured.name), hour_of(UNTIL)
    spans = ((now - 2_000, now - 300), (now - 200, now + 3_000))
    for channel, measure in (("telephone", "wait_log"), ("telephone", "wait"), ("telephone", "norm:calls_45s"), ("email", "volume")):
        whole = [0, 0, 0, 0]
        for key, sums in recomputed.hours.items():
            for position, (since, until) in enumerate(spans):
                if key[:2] == (channel, measure) and since <= key[2] < until:
                    whole[2 * position] += sums[0]
                    whole[2 * position + 1] += sums[1]
        assert min(whole[::2]) > 0
        for dimension, parts in drift_hours.parts(client, measured.name, channel, measure, *spans).items():
            assert [sum(column) for column in zip(*(part[1:] for part in parts), strict=True)] == whole
            for part in parts:
                hours = recomputed.parts[channel, measure, dimension, part.name]
                sums = [
                    sum(sums[position] for key, sums in hours.items() if since <= key[2] < until)
                    for since, until in spans
                    for position in (0, 1)
                ]
                assert list(part[1:]) == sums, (dimension, part)
    teams = {part.name for part in drift_hours.parts(client, measured.name, "telephone", "volume", *spans)["team"]}
    assert teams == {"Balie", "Zuid", "Elders", ""}, "a team of fewer than three is shown as the one above it"


def test_a_period_may_lie_after_the_other_or_overlap_it(client: Client, measured: Measured) -> None:
    now = hour_of(UNTIL)
    early, late = (now - 2_000, now - 300), (now - 400, now + 1)
    one = drift_hours.parts(client, measured.name, "counter", "wait", early, late)
    other = drift_hours.parts(client, measured.name, "counter", "wait", late, early)
    assert {d: [(p.name, p.n0, p.total0, p.n1, p.total1) for p in parts] for d, parts in one.items()} == {
        d: [(p.name, p.n1, p.total1, p.n0, p.total0) for p in parts] for d, parts in other.items()
    }


_NUMBERS = itertools.count()


@pytest.fixture
def town(clickhouse: ClickHouseEngine) -> Iterator[Town]:
    """An organisation without anything yet."""
    town = Town(clickhouse, organisation(f"grensstad-{next(_NUMBERS)}"))
    yield town
    town.close()


def contact(town: Town, name: str, version: int = 1, **columns: Any) -> None:
    """A row of its own."""
    row = {"organisation": town.name, "system": "centrale", "contact": name, "version": version, "role": "counts", **columns}
    town.owner.insert("contacts", [list(row.values())], column_names=list(row))


MS = timedelta(milliseconds=1)
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        (TEN, -1), (TEN + MS, 0), (TEN + timedelta(minutes=1), 0), (TEN + timedelta(minutes=59), 0), (TEN + timedelta(minutes=59) + MS, 0),
        (TEN + timedelta(hours=1) - MS, 0), (TEN + timedelta(hours=1), 0), (TEN + timedelta(hours=1) + MS, 1),
    ],
)  # fmt: skip
def test_an_hour_ends_with_its_last_moment(client: Client, town: Town, moment: datetime, hour: int) -> None:
    contact(town, "c", channel="telephone", opened_at=moment)
    start = epoch_ms(TEN) // HOUR_MS
    assert found_of(client, town.name) == {("telephone", "volume", start + hour): [1, 0, 0]}
    assert bool(found_of(client, town.name, start, start + 1)) is (hour == 0)


def test_the_hour_that_comes_twice_is_two_hours_and_the_one_that_is_left_out_none(client: Client, town: Town) -> None:
    autumn = local("2026-10-25T01:30")
    for later in range(4):  # 1:30, 2:30, 2:30 once more, 3:30
        contact(town, f"autumn{later}", channel="counter", opened_at=autumn + timedelta(hours=later))
    assert (autumn + timedelta(hours=3)).astimezone(AMSTERDAM).hour == 3
    spring = [local("2026-03-29T01:59"), local("2026-03-29T03:01")]
    for moment in spring:
        contact(town, f"spring{moment}", channel="counter", opened_at=moment)
    first, before = hour_of(autumn), hour_of(spring[0])
    assert sorted(hour for *_, hour in found_of(client, town.name)) == [before, before + 1, first, first + 1, first + 2, first + 3]


def test_answers_count_under_the_channel_of_their_contact_and_only_their_last_revision(client: Client, town: Town) -> None:
    at = TEN + timedelta(minutes=5)
    contact(town, "seen", channel="counter")
    town.answer([Given("own", at, "telephone", {"overall": 4.5, "ease": 7})])
    town.answer([Given("own", at + timedelta(hours=2), "telephone", {"overall": 8})])
    town.answer([Given("inherits", at, "", {"overall": 6})], contact=("centrale", "seen"))
    town.answer([Given("nowhere", at, "", {"overall": 6})])
    start = epoch_ms(TEN) // HOUR_MS
    expected = {
        ("telephone", "answer:q:1:overall", start + 2): [1, 8000, 64_000_000],
        ("counter", "answer:q:1:overall", start): [1, 6000, 36_000_000],
    }
    assert found_of(client, town.name) == expected == Recomputed(client, town.name).hours
    for first in (start, start + 2):
        assert found_of(client, town.name, first, first + 1) == {key: sums for key, sums in expected.items() if key[2] == first}
    town.answer([Given("inherits", at + timedelta(days=9), "", {"overall": 6})], contact=("centrale", "other"))
    assert found_of(client, town.name, start, start + 1) == {}, "neither its time nor its contact is what it was"


def test_grades_are_counted_in_the_same_hours_as_their_sums(client: Client, town: Town) -> None:
    given = [(TEN, 3), (TEN + MS, 8), (TEN + MS, 4.5), (TEN + timedelta(hours=1), 8), (TEN + timedelta(hours=1) + MS, 9)]
    town.answer(Given(f"a{n}", at, "telephone", {"overall": grade, "ease": 7}) for n, (at, grade) in enumerate(given))
    town.answer([Given("other", TEN + MS, "counter", {"overall": 2}, version=2), Given("nowhere", TEN + MS, "", {"overall": 2})])
    start = epoch_ms(TEN) // HOUR_MS
    found = drift_hours.grades(client, town.name, start, start + 1)
    assert found == {
        ("counter", "answer:q:2:overall"): [(start, 2.0, 1)],
        ("telephone", "answer:q:1:ease"): [(start, 7.0, 3)],
        ("telephone", "answer:q:1:overall"): [(start, 4.5, 1), (start, 8.0, 2)],
    }
    for key, hours in drift_hours.hourly(client, town.name, start, start + 1).items():
        assert [hours.n[0], hours.total[0] / 1000] == [sum(one.n for one in found[key]), sum(one.grade * one.n for one in found[key])]


def test_only_what_a_contact_adds_in_the_hours_is_in_them(client: Client, town: Town) -> None:
    """Opened long ago, to be judged long after: each part of it in its own hour, whatever else lies outside."""
    moments: dict[str, Any] = {"opened_at": TEN - timedelta(days=300), "answered_at": TEN + MS, "wait_ms": 500}
    outcomes: dict[str, Any] = {
        "outcomes.norm": ["n", "m"], "outcomes.version": [1, 1], "outcomes.start": [TEN, TEN],
        "outcomes.deadline": [TEN + timedelta(days=300), None], "outcomes.stop": [None, None],
        "outcomes.judged_at": [TEN + timedelta(days=300), None], "outcomes.excluded": ["", "withdrawn"], "outcomes.measured": [None, None],
    }  # fmt: skip
    contact(town, "c", channel="telephone", **moments, **outcomes)
    contact(town, "gone", channel="telephone", **moments, role="withdrawn")
    contact(town, "moved", channel="telephone", opened_at=TEN + MS)
    contact(town, "moved", version=2, channel="counter", opened_at=TEN - timedelta(days=300))
    start = epoch_ms(TEN) // HOUR_MS
    assert found_of(client, town.name, start, start + 1) == {
        ("telephone", "abandonment", start): [1, 0, 0],
        ("telephone", "wait", start): [1, 500, 250_000],
        ("telephone", "wait_log", start): [1, 0, 0],
    }
    late = hour_of(TEN + timedelta(days=300))
    assert found_of(client, town.name, start + 1, late + 1) == {("telephone", "norm:n", late): [1, 0, 0]}
    assert found_of(client, town.name, 0, late + 2) == Recomputed(client, town.name).hours


def test_logarithms_of_waits_are_those_of_the_mathematics(client: Client, town: Town) -> None:
    """Every wait whose logarithm is not within a hundred-millionth of the middle between two integers: there both round alike.

    Up to an hour there is none that is; beyond, a wait may differ by a millionth, which changes no figure anybody sees.
    """
    waits = [0, 1, 999, 1000, 1001, 1500, 59_999, 60_000, 3_600_000, 86_399_999, 10**9, *range(2_000, 3_000_000, 7_919)]
    assert all(abs(1e6 * math.log(wait / 1000) % 1 - 0.5) > 1e-8 for wait in waits if wait > 1000)
    rows = [[town.name, "centrale", f"w{wait}", 1, "telephone", "counts", TEN + MS, wait] for wait in waits]
    names = ["organisation", "system", "contact", "version", "channel", "role", "answered_at", "wait_ms"]
    town.owner.insert("contacts", rows, column_names=names)
    start = epoch_ms(TEN) // HOUR_MS
    logs = [log_of(wait) for wait in waits]
    hours = drift_hours.hourly(client, town.name, start, start + 1)["telephone", "wait_log"]
    assert (hours.n.tolist(), hours.total.tolist(), hours.squares.tolist()) == (
        [len(waits)],
        [sum(logs)],
        [float(sum(log * log for log in logs))],
    )
    assert sum(log * log for log in logs) > 2**53
    single = client.query(
        "SELECT total, wait_log FROM contributions_between(organisations = [{o:String}], since = {s:DateTime64(3, 'UTC')}, "
        "until = {u:DateTime64(3, 'UTC')}) WHERE measure = 'wait'",
        parameters={"o": town.name, "s": "2026-03-02 10:00:00", "u": "2026-03-02 11:00:00"},
    ).result_rows
    assert sorted((wait, log) for wait, log in single) == sorted(zip(waits, logs, strict=True))


def last_sign(client: Client, organisation: str) -> int | None:
    signs = drift_hours.signs_of_life(client, organisation)
    return signs.last if signs else None


def test_a_sign_of_life_is_an_event_or_a_reading_that_is_not_ahead(client: Client, town: Town) -> None:
    assert drift_hours.signs_of_life(client, town.name) is None
    now = datetime.now(UTC).replace(microsecond=0)
    contact(town, "mailbox", role="mailbox", last_at=now)
    assert drift_hours.signs_of_life(client, town.name) is None
    judged: dict[str, Any] = {"outcomes.judged_at": [TEN + timedelta(hours=9)]}
    contact(town, "c", last_at=TEN, **judged)
    assert last_sign(client, town.name) == epoch_ms(TEN), "a deadline that goes by is no sign of life"
    town.answer([Given("a", TEN + MS, "telephone", {"overall": 7})])
    assert last_sign(client, town.name) == epoch_ms(TEN + MS)
    names = ["organisation", "connector", "source", "observed_at", "last_read_at", "lag_s"]
    beats = [(MS, now - timedelta(minutes=30), 1_800.0), (MS * 2, now, None), (MS * 0, None, None)]  # the second is of a file
    town.owner.insert("heartbeats", [[town.name, "k", "s", now - after, *told] for after, *told in beats], column_names=names)
    assert last_sign(client, town.name) == epoch_ms(now - timedelta(hours=1))
    signs = drift_hours.signs_of_life(client, town.name)
    assert signs is not None
    assert dict(signs.sources) == {"s": epoch_ms(now - timedelta(hours=1))}
    contact(town, "ahead", last_at=now + timedelta(days=1))
    assert last_sign(client, town.name) == epoch_ms(now - timedelta(hours=1))
