"""Figures kept for boards are those of the views they come from, age as they should, and are nobody else's."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from pipeline.rules import calendar_of
from pipeline.store import shown
from pipeline.store.client import Connection
from schemas import yamlfile
from schemas.organisation import Organisation
from schemas.types import epoch_ms
from tests.engines import ClickHouseEngine
from tests.pipeline.store import satisfied
from tests.pipeline.store.lives import AMSTERDAM, DAY, HOUR, SECOND, SHOWN, Life, Measured, lives, local, municipality
from tests.pipeline.store.publishing import Given
from tests.waiting import wait_until

NOW = datetime.now(UTC).replace(microsecond=0)
LIVES = lives(500, NOW, seed=11)
OURS, ASKED, THEIRS = "toonstad", "vraagstad", "hun-toonstad"
SINCE = {"today": datetime.combine(NOW.astimezone(AMSTERDAM), datetime.min.time(), AMSTERDAM) - SECOND / 1000}
SINCE |= {period: NOW - days * DAY for period, days in (("7d", 7), ("28d", 28))}


class World(NamedTuple):
    """Contacts of one organisation, answers of another, and a third that the reader may not see; all figures as of NOW."""

    ours: Measured
    asked: satisfied.Town
    owner: Client
    reader: Client

    def rows(self, sql: str, client: Client | None = None) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in (client or self.reader).query(sql).result_rows]

    def columns(self, view: str) -> list[str]:
        return list(self.reader.query(f"SELECT * FROM {view} LIMIT 0").column_names)


@pytest.fixture(scope="module")
def world(clickhouse: ClickHouseEngine) -> Iterator[World]:
    ours, theirs = Measured(clickhouse, municipality(OURS)), Measured(clickhouse, municipality(THEIRS), readable=False)
    asked = satisfied.Town(clickhouse, satisfied.organisation(ASKED))
    try:
        for town in (ours, theirs):
            town.take_in(event for life in LIVES for event in life.events())
        asked.answer(
            Given(f"a{n}", NOW - n * DAY / 7, ("telephone", "counter")[n % 2], {"overall": 1 + n % 10, "ease": 7}, team="Balie")
            for n in range(1000, 20, -1)
        )
        asked.notice("survey.invited", NOW - DAY, {"instrument": "q", "version": 1, "invitation": "i", "channel": "telephone"})
        with closing(connected(clickhouse)) as owner:
            figure = [OURS, "telephone", "volume", "24h", NOW, 1, 5, 0, 0, 5.0]
            names = ["organisation", "channel", "measure", "window", "as_of", "version", "n", "total", "squares", "value"]
            owner.insert("rolling", [figure], column_names=names)
            for settings in (ours.settings, theirs.settings, yamlfile.loads(satisfied.organisation(ASKED), Organisation, "tests")):
                shown.refresh_all(owner, settings, epoch_ms(NOW))
            yield World(ours, asked, owner, ours.reader)
    finally:
        for made in (ours, theirs, asked):
            made.close()


def connected(engine: ClickHouseEngine) -> Client:
    return Connection(engine.host, engine.http_port, engine.user, engine.password).open()


PLAIN = {
    "v_now_expected": "v_expected(organisation = '{name}', at = '{at}')",
    "v_now_busy": "v_busy(organisation = '{name}', at = '{at}')",
    "v_now_quarters": "v_quarter_sums(organisation = '{name}', at = '{at}')",
    "v_now_quarter_outcomes": "v_quarter_outcomes(organisation = '{name}', at = '{at}')",
    "v_now_satisfaction": "v_satisfaction(organisation = '{name}', at = '{at}')",
    "v_now_satisfaction_by": "v_satisfaction_by(organisation = '{name}')",
    "v_now_attainment": "v_attainment(organisation = '{name}', at = '{at}')",
    "v_now_response": "v_response(organisation = '{name}', at = '{at}')",
    "v_now_blocks": "v_answer_blocks(organisation = '{name}') WHERE last_at > '{at}'::DateTime64 - toIntervalDay(400)",
    "v_now_norm_times": "v_norm_times(organisation = '{name}', at = '{at}')",
    "v_now_figures": "v_rolling WHERE organisation = '{name}'",
}
"""Views of figures kept, and where those come from."""


def text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]


@pytest.mark.parametrize("view", PLAIN)
def test_what_is_kept_is_what_the_views_say(world: World, view: str) -> None:
    apart = {"organisation", "at", "minimum_n"} | ({"as_of"} if view == "v_now_figures" else set())  # answers are of the present minute
    columns = ", ".join(name for name in world.columns(view) if name not in apart)
    found = 0
    for name in (OURS, ASKED):
        order = "ORDER BY ALL SETTINGS allow_suspicious_types_in_order_by = 1"  # what is expected is a count or a mean
        expected = world.rows(f"SELECT {columns} FROM {PLAIN[view].format(name=name, at=text(NOW))} {order}")
        assert world.rows(f"SELECT {columns} FROM {view} WHERE organisation = '{name}' {order}") == expected
        found += len(expected)
    assert found


@pytest.mark.parametrize("dimension", ["", "via", "product", "team", "location"])
@pytest.mark.parametrize("period", SINCE)
def test_measures_of_every_period_by_every_dimension(world: World, period: str, dimension: str) -> None:
    columns = ", ".join(name for name in world.columns("v_now_measures") if name not in ("organisation", "at", "period"))
    origin = f"v_measures(organisation = '{OURS}', since = '{text(SINCE[period])}', at = '{text(NOW)}', by = '{dimension}')"
    expected = world.rows(f"SELECT {columns} FROM {origin} ORDER BY ALL")
    kept = f"v_now_measures WHERE organisation = '{OURS}' AND period = '{period}' AND dimension = '{dimension}'"
    assert world.rows(f"SELECT {columns} FROM {kept} ORDER BY ALL") == expected
    assert expected or period == "today"


@pytest.mark.parametrize("dimension", ["", "product"])
def test_repeats(world: World, dimension: str) -> None:
    columns = ", ".join(name for name in world.columns("v_now_repeats") if name not in ("organisation", "at"))
    origin = f"v_repeats(organisation = '{OURS}', since = '{text(SINCE['28d'])}', at = '{text(NOW)}', by = '{dimension}')"
    expected = world.rows(f"SELECT {columns} FROM {origin} ORDER BY ALL")
    kept = f"v_now_repeats WHERE organisation = '{OURS}' AND dimension = '{dimension}'"
    assert expected
    assert world.rows(f"SELECT {columns} FROM {kept} ORDER BY ALL") == expected


def test_what_is_open_by_the_readers_clock(world: World) -> None:
    columns = (
        "system, contact, channel, via, product, team, location, opened_at, open, waiting, suspended, stale, overdue_norms, overdue_since, "
        "today_norms, next_deadline, callback_to_do, callback_due, callback_overdue, days_open, silent_days, url"
    )
    kept = world.rows(f"SELECT {columns} FROM v_now_open WHERE organisation = '{OURS}' AND NOT confidential ORDER BY ALL")
    origin = f"v_open_contacts(organisation = '{OURS}', at = now64(3, 'UTC'))"
    assert kept == world.rows(f"SELECT {columns} FROM {origin} ORDER BY ALL")
    counted = """channel, sum(open), sum(waiting), sum(suspended), sum(overdue), sum(late_today), sum(stale), sum(callback_to_do),
                 sum(callback_overdue)"""
    named = "channel, open, waiting, suspended, overdue, late_today, stale, callbacks_to_do, callbacks_overdue"
    totals = world.rows(f"SELECT {counted} FROM v_now_open WHERE organisation = '{OURS}' GROUP BY channel ORDER BY channel")
    where = "WHERE channel != '' ORDER BY channel"
    assert totals == world.rows(f"SELECT {named} FROM v_open(organisation = '{OURS}', at = now64(3, 'UTC'), by = '') {where}")
    assert all(any(row[column] for row in totals) for column in range(1, 9) if column != 5)
    hidden = world.rows(f"SELECT contact, product, url FROM v_now_open WHERE organisation = '{OURS}' AND confidential")
    assert hidden
    assert set(hidden) == {("", "", "")}


def test_a_deadline_passes_without_a_refresh(world: World) -> None:
    at = datetime.now(UTC)
    soon = at + timedelta(seconds=1.5)
    both = [("n", soon), ("m", at + HOUR)]
    row = {
        "organisation": "klokstad", "part": "", "version": epoch_ms(at), "at": at, "day_ends": [at + DAY],
        "rows": [
            ("mail", "c", False, "email", *[""] * 4, at - HOUR, True, soon, True, False, [("n", soon)], True, soon, at - HOUR, ""),
            ("mail", "d", False, "email", *[""] * 4, at - HOUR, True, None, True, False, both, False, None, at, ""),
        ],
    }  # fmt: skip
    world.owner.insert("shown_open", [list(row.values())], column_names=list(row))
    world.owner.insert("readers", [["board", "klokstad", 1]], column_names=["user", "organisation", "version"])
    columns = "contact, waiting, stale, overdue_norms, overdue_since, ahead.1, next_norm, next_deadline, callback_overdue"
    sql = f"SELECT {columns} FROM v_now_open WHERE organisation = 'klokstad' ORDER BY contact"
    passes, later = milliseconds(soon), milliseconds(at + HOUR)
    assert world.rows(sql) == [
        ("c", 1, 0, [], None, ["n"], "n", passes, 0),
        ("d", 1, 0, [], None, ["n", "m"], "n", passes, 0),
    ]
    wait_until(lambda: bool(world.rows("SELECT 1 FROM v_now_open WHERE organisation = 'klokstad' AND overdue")), "the deadline to pass", 10)
    assert world.rows(sql) == [
        ("c", 0, 1, [], None, [], "", None, 1),
        ("d", 1, 0, ["n"], passes, ["m"], "m", later, 0),
    ]


def milliseconds(at: datetime) -> datetime:
    """As ClickHouse gives it back."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=None)


def test_days_and_hours_add_up(world: World) -> None:
    """Against ClickHouse's own clock of Amsterdam."""
    for view, kept, counted in (
        ("v_days", "day, channel, measure", "toDate(at, 'Europe/Amsterdam') AS day, channel, measure"),
        (
            "v_hours", "day, hour, channel, measure",
            "toDate(at, 'Europe/Amsterdam') AS day, toHour(at, 'Europe/Amsterdam') AS hour, channel, measure",
        ),
    ):  # fmt: skip
        first = (NOW.astimezone(AMSTERDAM).date() - timedelta(days=shown.DAYS - 1)).isoformat()
        origin = f"contributions_of(organisations = ['{OURS}']) WHERE at <= '{text(NOW)}' AND day >= '{first}'"
        expected = world.rows(f"SELECT {counted}, sum(n), sum(total) FROM {origin} GROUP BY ALL ORDER BY ALL", world.owner)
        sql = f"SELECT {kept}, sum(n), sum(total) FROM {view} WHERE organisation = '{OURS}' AND day >= '{first}' GROUP BY ALL ORDER BY ALL"
        assert world.rows(sql) == expected
        assert {"volume", "wait", "abandonment", "norm:calls_45s", "norm_mean:mean_60s"} <= {row[-3] for row in expected}
    squares = f"SELECT sum(squares) FROM {{}} WHERE {{}} measure = 'wait' AND {{}} >= '{first}'"
    origin = squares.format(f"contributions_of(organisations = ['{OURS}'])", f"at <= '{text(NOW)}' AND", "toDate(at, 'Europe/Amsterdam')")
    assert world.rows(squares.format("v_days", f"organisation = '{OURS}' AND", "day")) == world.rows(origin, world.owner)


def test_the_cube_of_days_has_teams_as_they_are_shown(world: World) -> None:
    expected: dict[tuple[str, str], int] = {}
    for life in LIVES:
        if (NOW.astimezone(AMSTERDAM).date() - life.opened.astimezone(AMSTERDAM).date()).days < shown.DAYS:
            key = (life.of("team"), life.of("product"))
            expected[key] = expected.get(key, 0) + 1
    sql = f"SELECT team, product, sum(n) FROM v_days WHERE organisation = '{OURS}' AND measure = 'volume' GROUP BY ALL"
    assert {(team, product): n for team, product, n in world.rows(sql)} == expected
    assert not {team for team, _ in expected} & SHOWN.keys()


def test_opening_hours_are_those_of_the_calendars(world: World, clickhouse: ClickHouseEngine) -> None:
    town = Measured(clickhouse, municipality("openstad", closing_days={"dates": [local("2025-10-28T12:00").date()]}))
    try:
        now_ms = epoch_ms(local("2025-10-25T12:00"))  # a day before the clocks change
        shown.refresh(world.owner, town.settings, shown.PARTS["opening"], now_ms)
        periods = world.rows("SELECT channel, opens_at, closes_at FROM v_opening WHERE organisation = 'openstad' ORDER BY ALL")
        assert {channel for channel, _, _ in periods} == set(town.settings.channels)
        for channel in town.settings.channels:
            calendar = calendar_of(town.settings, channel)
            own = [tuple(epoch_ms(at.replace(tzinfo=UTC)) for at in row[1:]) for row in periods if row[0] == channel]
            assert all(calendar.is_open(opens) and not calendar.is_open(closes) for opens, closes in own)
            first, last = local("2025-10-18T00:00"), local("2025-11-08T00:00")
            assert sum(closes - opens for opens, closes in own) == calendar.open_ms_between(epoch_ms(first), epoch_ms(last))
    finally:
        town.close()


def test_quality_of_the_data(world: World) -> None:
    sql = f"SELECT kind, system, channel, name, contacts FROM v_data_quality WHERE organisation = '{OURS}' ORDER BY ALL"
    found = world.rows(sql)
    roles = f"SELECT 'role', system, channel, role, contacts FROM v_roles(organisation = '{OURS}') ORDER BY ALL"
    assert [row for row in found if row[0] == "role"] == world.rows(roles)
    stale = world.rows(f"SELECT stale FROM v_open(organisation = '{OURS}', at = '{text(NOW)}', by = '') WHERE channel = ''")
    assert sum(row[4] for row in found if row[0] == "stale") == stale[0][0] > 0
    excluded = f"SELECT excluded, uniqExact(system, contact) FROM v_outcomes_at(organisation = '{OURS}', at = '{text(NOW)}')"
    told = world.rows(f"SELECT name, sum(contacts) FROM v_data_quality WHERE organisation = '{OURS}' AND kind = 'excluded' GROUP BY name")
    assert told
    assert dict(told).keys() == dict(world.rows(f"{excluded} WHERE excluded != '' GROUP BY excluded")).keys()


def test_status_and_what_was_kept_when(world: World) -> None:
    assert world.rows(f"SELECT contacts, answers, rejects FROM v_status WHERE organisation = '{OURS}'") == [(len(LIVES), 0, 0)]
    last = world.rows(f"SELECT last_at FROM v_last_event WHERE organisation = '{OURS}'")
    assert world.rows(f"SELECT last_event_at FROM v_status WHERE organisation = '{OURS}'") == last
    parts = world.rows(f"SELECT part, at FROM v_shown WHERE organisation = '{OURS}'")
    assert dict(parts) == dict.fromkeys(shown.PARTS, NOW.replace(tzinfo=None))


def test_again_is_the_same_and_an_older_one_never_wins(world: World) -> None:
    def content() -> dict[str, list[tuple[Any, ...]]]:
        views = ("v_now_quarters", "v_now_measures", "v_days", "v_hours", "v_opening", "v_data_quality")
        return {view: world.rows(f"SELECT * FROM {view} WHERE organisation = '{OURS}' ORDER BY ALL") for view in views}

    before = content()
    for at in (NOW, NOW - SECOND):
        for part in ("quarters", "measures_7d", "days", "opening", "quality"):
            shown.refresh(world.owner, world.ours.settings, shown.PARTS[part], epoch_ms(at))
        assert content() == before


def test_a_clock_that_was_ahead_does_not_keep_its_rows(world: World, clickhouse: ClickHouseEngine) -> None:
    town = Measured(clickhouse, municipality("klokvoorstad"))
    try:
        for at in (NOW + DAY, NOW, NOW + SECOND):
            for part in ("opening", "quality", "days_recent", "open"):
                shown.refresh(world.owner, town.settings, shown.PARTS[part], epoch_ms(at))
            kept = world.rows("SELECT DISTINCT at FROM v_opening WHERE organisation = 'klokvoorstad'")
            assert kept == [(at.replace(tzinfo=None),)]
    finally:
        town.close()


def test_nobody_sees_what_is_not_theirs(world: World) -> None:
    kept = "SELECT name FROM system.tables WHERE database = 'contactmeter' AND name LIKE 'shown%'"
    for (table,) in world.rows(kept, world.owner):
        assert world.rows(f"SELECT count() > 0 FROM {table} WHERE organisation = '{THEIRS}'", world.owner) == [(1,)], table
    views = [view for (view,) in world.rows("SELECT name FROM system.tables WHERE database = 'contactmeter_views'", world.owner)]
    others = ("v_now_open", "v_now_measures", "v_now_repeats", "v_days", "v_hours", "v_opening", "v_data_quality", "v_status", "v_shown")
    for view in (*PLAIN, *others):
        assert view in views
        assert world.rows(f"SELECT count() FROM {view} WHERE organisation = '{THEIRS}'") == [(0,)], view


def test_who_is_forgotten_is_gone_at_the_next_refresh(world: World, clickhouse: ClickHouseEngine) -> None:
    town = Measured(clickhouse, municipality("vergeetstad"))
    volume = "SELECT sum(n) FROM v_days WHERE organisation = 'vergeetstad' AND measure = 'volume'"
    named = "SELECT contact FROM v_now_open WHERE organisation = 'vergeetstad' ORDER BY contact"

    def refresh(later_ms: int) -> None:
        for part in ("open", "days"):
            shown.refresh(world.owner, town.settings, shown.PARTS[part], epoch_ms(NOW) + later_ms)

    try:
        town.take_in(event for name in ("gone", "stays") for event in Life(name, "email", NOW - DAY).events())
        refresh(0)
        assert (world.rows(volume), world.rows(named)) == ([(2,)], [("gone",), ("stays",)])
        row = {"organisation": "vergeetstad", "system": "mail", "contact": "gone", "version": 2**64 - 1, "role": "forgotten"}
        world.owner.insert("contacts", [list(row.values())], column_names=list(row))
        refresh(1)
        assert (world.rows(volume), world.rows(named)) == ([(1,)], [("stays",)])
        row |= {"contact": "stays"}
        world.owner.insert("contacts", [list(row.values())], column_names=list(row))
        refresh(2)
        assert world.rows("SELECT count() FROM v_days WHERE organisation = 'vergeetstad'") == [(0,)], "also when a day has nothing left"
    finally:
        town.close()
