"""Busy hours and what the rest of a day will bring, recomputed in plain Python; on both days of a clock change."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from tests.engines import ClickHouseEngine
from tests.pipeline.store.lives import AMSTERDAM, DAY, Life, Measured, local, municipality

SPRING, AUTUMN, MONDAY = local("2025-03-30T16:07:30"), local("2025-10-26T16:07:30"), local("2025-10-27T10:59:59")
CLOSED = {date(2025, 10, 13), date(2025, 9, 29)}
"""Mondays on which the whole municipality was closed; the second one not at the counter."""
BEGAN = local("2025-01-04T12:00")


def openings(seed: int) -> list[Life]:
    """Contacts at all hours, most by day; many in the nights of the clock changes, when one hour comes twice or never."""
    chance = random.Random(seed)
    spans = ((BEGAN, SPRING + DAY), (MONDAY - 115 * DAY, MONDAY + DAY))
    moments = [start + chance.random() * (end - start) for start, end in spans for _ in range(3_500)]
    moments = [at for at in moments if 7 <= at.astimezone(AMSTERDAM).hour < 19 or chance.random() < 0.2]
    for night in ("2025-03-30T00:00", "2025-10-26T00:00"):
        moments += [local(night) + timedelta(minutes=7 * n) for n in range(50)]
    return [
        Life(f"b{n}", chance.choice(["telephone", "telephone", "counter"]), at.replace(microsecond=0))
        for n, at in enumerate(sorted(moments))
    ]


LIVES = openings(5)


@pytest.fixture(scope="module")
def town(clickhouse: ClickHouseEngine) -> Iterator[Measured]:
    """A municipality that is measured since a Saturday in January."""
    closing = {"public_holidays": "nl", "dates": sorted(CLOSED)}
    channels = {
        "telephone": {"leading_system": "pbx"},
        "counter": {"leading_system": "desk", "exceptions": {date(2025, 9, 29): "09:00-12:00", date(2025, 10, 20): "closed"}},
        "email": {},
    }
    town = Measured(clickhouse, municipality("drukstad", closing_days=closing, channels=channels))
    try:
        town.take_in(one for life in LIVES for one in life.events())
        yield town
    finally:
        town.close()


def closed(channel: str, day: date) -> bool:
    if channel == "counter" and day in (date(2025, 9, 29), date(2025, 10, 20)):
        return day == date(2025, 10, 20)
    # Easter, King's Day (moved to the Saturday) and Whit Monday are the holidays on the days that are looked at.
    return day in CLOSED or day in (date(2025, 4, 20), date(2025, 4, 21), date(2025, 6, 8), date(2025, 6, 9))


@cache
def moments_of(channel: str, at: datetime) -> list[datetime]:
    return [life.opened.astimezone(AMSTERDAM) for life in LIVES if channel in ("", life.channel) and life.opened <= at]


def usual_days(channel: str, at: datetime) -> list[date]:
    today = at.astimezone(AMSTERDAM).date()
    first = min(moment.date() for moment in moments_of(channel, at))
    before = [today - timedelta(weeks=week) for week in range(1, 17)]
    return [day for day in before if day > first and not closed(channel, day)][:8]


@pytest.mark.parametrize("at", [SPRING, AUTUMN, MONDAY], ids=["spring", "autumn", "monday"])
def test_busy_hours_against_the_usual_pattern(town: Measured, at: datetime) -> None:
    now = at.astimezone(AMSTERDAM)
    found = {(row["channel"], row["minutes"], row["minute_of_day"]): row for row in town.rows("v_busy", at=at)}
    assert len(found) == 3 * (96 + 24)
    for channel in ("", "telephone", "counter"):
        days, moments = usual_days(channel, at), moments_of(channel, at)
        for width in (15, 60):
            in_slot = Counter((moment.date(), (moment.hour * 60 + moment.minute) // width * width) for moment in moments)
            for start in range(0, 1440, width):
                row = found[channel, width, start]
                counts = [in_slot[day, start] for day in days]
                assert row["contacts"] == (in_slot[now.date(), start] if start <= now.hour * 60 + now.minute else None)
                assert (row["days"], row["counts"]) == (len(days), counts)
                assert (row["usual"], row["least"], row["most"]) == (np.median(counts), min(counts), max(counts))
    nights = {start: found["", 60, start]["contacts"] for start in (60, 120, 180)}
    if at == SPRING:
        assert (nights[120], nights[60] > 0, nights[180] > 0) == (0, True, True), "the hour from two to three never came"
    if at == AUTUMN:
        assert nights[120] > 1.5 * nights[60], "the hour from two to three came twice"


@pytest.mark.parametrize("at", [SPRING, AUTUMN, MONDAY], ids=["spring", "autumn", "monday"])
def test_what_the_rest_of_the_day_will_bring(town: Measured, at: datetime) -> None:
    now = at.astimezone(AMSTERDAM)
    found = {row["channel"]: row for row in town.rows("v_expected", at=at)}
    assert found.keys() == {"", "telephone", "counter"}
    for channel, row in found.items():
        moments, days = moments_of(channel, at), usual_days(channel, at)
        so_far = sum(moment.date() == now.date() for moment in moments)
        before = [sum(moment.date() == day and moment.time() <= now.time() for moment in moments) for day in days]
        after = [sum(moment.date() == day and moment.time() > now.time() for moment in moments) for day in days]
        if so_far and all(before):
            shares = [rest / (rest + gone) for gone, rest in zip(before, after, strict=True)]
            rest = [so_far * share / (1 - share) for share in (float(np.median(shares)), min(shares), max(shares))]
        else:
            rest = [float(np.median(after)), min(after), max(after)]
        assert channel or (so_far and all(before)), "all channels together are an example of the usual case"
        assert (row["so_far"], row["usual_so_far"], row["usual_days"]) == (so_far, np.median(before), 8)
        assert [row["expected"], row["expected_low"], row["expected_high"]] == pytest.approx(rest)
        assert not row["closed"]


def test_a_closed_day_and_a_short_history_expect_nothing(town: Measured) -> None:
    for at, is_closed, days in ((local("2025-10-13T11:00"), True, 8), (local("2025-01-19T11:00"), False, 2)):
        [row] = [row for row in town.rows("v_expected", at=at) if row["channel"] == "telephone"]
        assert (bool(row["closed"]), row["usual_days"], row["expected"]) == (is_closed, days, None)


def test_before_anything_came_the_counts_of_the_other_days_stand(town: Measured) -> None:
    at = local("2025-10-27T00:00:01")
    [row] = [row for row in town.rows("v_expected", at=at) if row["channel"] == ""]
    moments, days = moments_of("", at), usual_days("", at)
    counts = [sum(moment.date() == day for moment in moments) for day in days]
    assert (row["so_far"], row["by_share"]) == (0, 0)
    assert (row["expected"], row["expected_low"], row["expected_high"]) == (np.median(counts), min(counts), max(counts))


def test_late_today_ends_with_the_local_day(clickhouse: ClickHouseEngine) -> None:
    """The days of the clock changes have 23 and 25 hours."""
    for number, day in enumerate(("2025-03-30", "2025-10-26")):
        at, midnight = local(f"{day}T00:30"), local(f"{day}T00:00") + timedelta(hours=23 + 2 * number)
        town = Measured(clickhouse, municipality(f"klokstad-{number}"))
        try:
            due = {"in": midnight - timedelta(milliseconds=1), "out": midnight}
            town.take_in(one for name, deadline in due.items() for one in Life(name, "email", deadline - 4 * DAY).events())
            found = {row["contact"]: row["today_norms"] for row in town.rows("v_open_contacts", at=at)}
            assert found == {"in": ["mail_4d"], "out": []}
            assert (
                datetime.combine(midnight.astimezone(AMSTERDAM), datetime.min.time()).replace(tzinfo=AMSTERDAM).astimezone(UTC) == midnight
            )
        finally:
            town.close()
