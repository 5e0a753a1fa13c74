"""What the views say of sources: contacts of several systems, queues and visits; and who may read any of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from connectors.protocol import WireEvent
from schemas.types import epoch_ms
from tests.e2e.synthetic import event
from tests.engines import ClickHouseEngine
from tests.pipeline.store.lives import DAY, PBX, Life, Measured, lives, local, municipality

AT = local("2025-10-27T11:00")
CRM = f"{PBX}-crm"
TIMED = (
    "v_ageing",
    "v_open_contacts",
    "v_norm_times",
    "v_per_inhabitants",
    "v_busy",
    "v_expected",
    "v_gauges_now",
    "v_outcomes_at",
    "v_quarter_outcomes",
)
VIEWS = [
    *(f"{view}(organisation = '{{name}}')" for view in ("v_segments", "v_roles", "v_visits")),
    *(f"{view}(organisation = '{{name}}', at = '{{at}}')" for view in TIMED),
    "v_open(organisation = '{name}', at = '{at}', by = 'team')",
    *(
        f"{view}(organisation = '{{name}}', since = '{{since}}', at = '{{at}}', by = 'product')"
        for view in ("v_measures", "v_ways_out", "v_repeats")
    ),
]


def observed(at: datetime, channel: str, queue: str = "", logged: timedelta = timedelta(), **gauges: float) -> WireEvent:
    data: dict[str, object] = {"channel": channel, "gauges": gauges, **({"queue": queue} if queue else {})}
    return event("channel.observed", PBX, epoch_ms(at), data, logged=epoch_ms(at + logged))


def filled(engine: ClickHouseEngine, name: str, readable: bool = True) -> Measured:
    """Something in every view."""
    town = Measured(engine, municipality(name), readable)
    events = [one for life in lives(150, AT, seed=8) for one in life.events()]

    def told(contact: str, at: datetime, **data: object) -> None:
        events.append(event("contact.opened", CRM, epoch_ms(at), {"contact": contact, "channel": "telephone", **data}))

    events += Life("known", "telephone", AT - DAY).events()
    told("adds", AT - DAY, same_as={"system": "pbx", "id": "known"})
    told("adds-to-nobody", AT - DAY, same_as={"system": "pbx", "id": "never-came"})
    told("alone", AT - DAY)
    for minutes, waiting in ((600, 9), (90, 7), (30, 3), (-5, 99)):
        events.append(observed(AT - timedelta(minutes=minutes), "telephone", "algemeen", waiting=waiting, longest_wait_s=waiting * 10))
    events.append(observed(AT - timedelta(minutes=30), "telephone", "algemeen", timedelta(hours=1), waiting=4))
    events.append(observed(AT - DAY, "telephone", "algemeen", waiting=50))
    for hour, visits in ((0, 100), (1, 10), (24, 1)):  # those up to midnight belong to the day before
        events.append(observed(local("2025-10-26T00:00") + timedelta(hours=hour), "website", "afval", visits=visits))
    town.take_in(events)
    return town


@pytest.fixture(scope="module")
def towns(clickhouse: ClickHouseEngine) -> Iterator[tuple[Measured, Measured]]:
    """One that the reader may see and one that it may not."""
    ours, theirs = filled(clickhouse, "onze-meetstad"), filled(clickhouse, "hun-meetstad", readable=False)
    try:
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()


def test_contacts_of_several_systems(towns: tuple[Measured, Measured]) -> None:
    found = {
        (row["system"], row["role"]): row["contacts"] for row in towns[0].rows("v_roles") if row["system"] == "crm" or not row["channel"]
    }
    assert found == {("crm", "enriches"): 1, ("crm", "unlinked"): 2, ("pbx", "mailbox"): 1}


def test_queues_now_and_the_highest_of_today(towns: tuple[Measured, Measured]) -> None:
    found = {row["gauge"]: (row["last_value"], row["highest_today"]) for row in towns[0].rows("v_gauges_now", at=AT)}
    assert found == {"waiting": (4, 9), "longest_wait_s": (30, 90)}, (
        "what was logged last counts; what comes later and was yesterday does not"
    )


def test_visits_by_local_day(towns: tuple[Measured, Measured]) -> None:
    found = {(str(row["day"]), row["part"]): row["visits"] for row in towns[0].rows("v_visits")}
    assert found == {("2025-10-25", "afval"): 100, ("2025-10-26", "afval"): 11}, "that day has 25 hours"


@pytest.mark.parametrize("call", VIEWS, ids=lambda call: call.partition("(")[0])
def test_a_reader_sees_its_own_and_nothing_else(towns: tuple[Measured, Measured], call: str) -> None:
    ours = towns[0]
    moments = {"at": f"{AT:%Y-%m-%d %H:%M:%S}", "since": f"{AT - 28 * DAY:%Y-%m-%d %H:%M:%S}"}
    own, other = (call.format(name=town.name, **moments) for town in towns)
    assert ours.reader.query(f"SELECT DISTINCT organisation FROM {own}").result_rows == [(ours.name,)]
    leak = f"SELECT count() FROM {other} WHERE throwIf(organisation != '', 'leaked') = 0"
    assert ours.reader.query(leak).result_rows == [(0,)]
    columns = set(ours.reader.query(f"SELECT * FROM {own} LIMIT 0").column_names)
    assert not columns & {"person", "timeline", "writer", "grades"}
