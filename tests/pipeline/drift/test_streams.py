"""Streams: which there are, which hours of the sums are fed, and where on the local clock they belong."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calendars import Calendar
from pipeline.contributions import Net
from pipeline.drift.hours import Hours
from pipeline.drift.streams import HOUR_MS, Fed, Stream, budget_of, day_of, feed, local_hours, streams_of, to_grade
from schemas.instrument import Scale
from tests.pipeline.builders import AMSTERDAM, norm, organisation

OFFICE = ((9 * 60, 17 * 60),)
WEEK = Calendar("Europe/Amsterdam", [*[OFFICE] * 5, (), ()], closing_days=[date(2026, 4, 27)])
VOLUME = Stream("telephone", "volume", "volume", ("volume",))
WAIT = Stream("telephone", "wait", "time", ("wait_log",))
SHARE = Stream("telephone", "norm:n", "compliance", ("norm:n",))
DAILY = Stream("telephone", "norm:2wd", "compliance", ("norm:2wd",), daily=True)
FROM_1970 = datetime(1970, 1, 5)


def at(text: str) -> int:
    """The hour since 1970 (UTC) that begins at a local time in Amsterdam, or at one with an offset."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM)).timestamp()) // 3600


def hours(rows: dict[int, tuple[int, int]]) -> Hours:
    ordered = sorted(rows)
    n, total = (np.array([rows[hour][place] for hour in ordered], np.int64) for place in (0, 1))
    return Hours(np.array(ordered, np.int64), n, total, total.astype(float) ** 2)


def fed(stream: Stream, rows: dict[int, tuple[int, int]], until: int, calendar: Calendar = WEEK, channel: str = "telephone") -> Fed:
    return feed(stream, {(channel, stream.measures[0]): hours(rows)}, calendar, until)


def local(one: Fed) -> list[str]:
    """The local hours fed, as weekday and hour, by their number."""
    return [f"{day_of(hour // 24):%a} {hour % 24}" for hour in one.hour.tolist()]


# ── local hours ─────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 600_000), st.integers(1, 60))
def test_local_hours_are_those_of_the_clock(first: int, length: int) -> None:
    every = np.arange(first, first + length, dtype=np.int64)
    clock = [datetime.fromtimestamp(hour * 3600, UTC).astimezone(AMSTERDAM).replace(tzinfo=None) for hour in every.tolist()]
    assert local_hours(every, AMSTERDAM).tolist() == [(one - FROM_1970) // timedelta(hours=1) for one in clock]


def test_the_hour_of_the_week_counts_from_monday() -> None:
    found = local_hours(np.array([at("2026-03-02T00:00"), at("2026-03-08T23:00")]), AMSTERDAM)
    assert (found % 168).tolist() == [0, 167]
    assert day_of(int(found[0]) // 24) == date(2026, 3, 2)


def test_in_spring_an_hour_is_skipped_and_in_autumn_one_comes_twice() -> None:
    spring, autumn = at("2026-03-29T00:00"), at("2026-10-25T00:00")
    assert (local_hours(np.arange(spring, spring + 5), AMSTERDAM) % 24).tolist() == [0, 1, 3, 4, 5]
    assert (local_hours(np.arange(autumn, autumn + 5), AMSTERDAM) % 24).tolist() == [0, 1, 2, 2, 3]


# ── volume ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_open_hours_without_contacts_are_noughts() -> None:
    one = fed(VOLUME, {at("2026-03-02T10:00"): (4, 0), at("2026-03-02T15:00"): (2, 0)}, at("2026-03-03T11:00"))
    assert local(one) == [f"Mon {hour}" for hour in range(10, 17)] + ["Tue 9", "Tue 10"]
    assert one.v.tolist() == [4, 0, 0, 0, 0, 2, 0, 0, 0]
    assert set(one.n.tolist()) == {1.0}
    assert one.at.tolist() == [HOUR_MS * (at("2026-03-02T10:00") + k) for k in range(7)] + [
        HOUR_MS * at(f"2026-03-03T{k:02}:00") for k in (9, 10)
    ]


def test_closed_hours_weekends_and_closing_days_are_left_out() -> None:
    one = fed(VOLUME, dict.fromkeys(range(at("2026-04-24T00:00"), at("2026-04-29T00:00")), (1, 0)), at("2026-04-28T12:00"))
    assert local(one) == [f"Fri {hour}" for hour in range(9, 17)] + [f"Tue {hour}" for hour in range(9, 12)]


def test_an_hour_that_is_open_in_part_is_fed_as_a_whole() -> None:
    calendar = Calendar("Europe/Amsterdam", [((8 * 60 + 30, 12 * 60 + 15), (13 * 60, 16 * 60 + 1)), *[()] * 6])
    one = fed(VOLUME, {at("2026-03-02T00:00"): (1, 0)}, at("2026-03-03T00:00"), calendar)
    assert local(one) == [f"Mon {hour}" for hour in (8, 9, 10, 11, 12, 13, 14, 15, 16)]


def test_the_first_minute_of_opening_belongs_to_its_hour() -> None:
    """Minutes are ceilings: the minute that ends at 17:00 belongs to the hour before, the one that ends at 9:01 to the hour of 9."""
    net = Net()
    for text in ("2026-03-02T09:01", "2026-03-02T17:00", "2026-03-02T17:01"):
        minute = round(datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM).timestamp()) // 60
        net.add("telephone", [("volume", minute, 1, 0, 0)], 1)
    rows = {(minute - 1) // 60: (n, 0) for _, _, minute, n, *_ in net.deltas()}
    one = fed(VOLUME, rows, at("2026-03-03T00:00"))
    assert (local(one)[0], local(one)[-1]) == ("Mon 9", "Mon 16")
    assert one.v.tolist() == [1, 0, 0, 0, 0, 0, 0, 1]


def test_what_citizens_use_at_any_hour_is_watched_at_all_of_them() -> None:
    stream = Stream("email", "volume", "volume", ("volume",), always=True)
    one = fed(stream, {at("2026-04-24T00:00"): (1, 0)}, at("2026-04-29T00:00"), channel="email")
    assert len(one) == 24 * 4, "Friday, the weekend and Tuesday, but not the closing day on Monday"
    assert [f"{day_of(day):%a}" for day in np.unique(one.hour // 24).tolist()] == ["Fri", "Sat", "Sun", "Tue"]


def test_round_the_clock_days_of_23_and_25_hours() -> None:
    stream = Stream("email", "volume", "volume", ("volume",), always=True)
    for day, length in (("2026-03-29", 23), ("2026-10-25", 25)):
        start = at(f"{day}T00:00")
        one = fed(stream, {start: (1, 0)}, start + length, channel="email")
        assert len(one) == length
        assert set((one.hour // 24).tolist()) == {int(one.hour[0]) // 24}
        assert np.diff(one.at).tolist() == [HOUR_MS] * (length - 1)


def test_what_is_not_over_is_not_fed() -> None:
    rows = {at("2026-03-02T10:00"): (4, 80), at("2026-03-02T11:00"): (4, 80), at("2026-03-02T12:00"): (4, 80)}
    for stream in (VOLUME, WAIT, SHARE):
        assert local(fed(stream, rows, at("2026-03-02T12:00"))) == ["Mon 10", "Mon 11"]
        assert len(fed(stream, rows, at("2026-03-02T10:00"))) == 0
        assert len(fed(stream, rows, 0)) == 0
        assert len(fed(stream, {}, at("2026-03-02T12:00"))) == 0


# ── waits, shares, norms by days ────────────────────────────────────────────────────────────────────────────────────


def test_waits_and_shares_are_means_of_the_hours_that_have_any() -> None:
    rows = {at("2026-03-02T10:00"): (4, 12_000_000), at("2026-03-02T20:00"): (0, 0), at("2026-03-07T11:00"): (1, 500_000)}
    one = fed(WAIT, rows, at("2026-03-09T00:00"))
    assert local(one) == ["Mon 10", "Sat 11"]
    assert (one.v.tolist(), one.n.tolist()) == ([3.0, 0.5], [4.0, 1.0])
    shares = fed(SHARE, {at("2026-03-02T10:00"): (4, 3)}, at("2026-03-09T00:00"))
    assert (shares.v.tolist(), shares.n.tolist()) == ([0.75], [4.0])


def test_norms_by_days_are_one_sum_a_working_day() -> None:
    """Their verdicts fall at the end of the day: in the hour until midnight."""
    rows = {at("2026-03-02T11:00"): (2, 2), at("2026-03-02T23:00"): (8, 3), at("2026-03-03T23:00"): (5, 5)}
    one = fed(DAILY, rows, at("2026-03-04T00:00"))
    assert local(one) == ["Mon 16", "Tue 16"]
    assert one.v.tolist() == [0.5, 1.0]
    assert one.n.tolist() == [10.0, 5.0]
    assert one.at.tolist() == [HOUR_MS * at("2026-03-02T16:00"), HOUR_MS * at("2026-03-03T16:00")]
    assert local(fed(DAILY, rows, at("2026-03-03T23:00"))) == ["Mon 16"], "Tuesday is not over"


def test_what_a_weekend_judges_goes_to_the_next_working_day() -> None:
    rows = {at("2026-04-24T23:00"): (1, 1), at("2026-04-25T12:00"): (2, 0), at("2026-04-26T12:00"): (1, 0), at("2026-04-27T12:00"): (1, 1)}
    one = fed(DAILY, rows, at("2026-04-29T00:00"))
    assert local(one) == ["Fri 16", "Tue 16"], "Monday is a closing day"
    assert one.n.tolist() == [1.0, 4.0]
    assert one.v.tolist() == [1.0, 0.25]
    assert local(fed(DAILY, rows, at("2026-04-28T23:00"))) == ["Fri 16"], "what rolled to Tuesday waits for its end"


def test_a_working_day_without_opening_hours_has_a_sum_too() -> None:
    """The channel is closed on Wednesdays, but terms run on."""
    calendar = Calendar("Europe/Amsterdam", [OFFICE, OFFICE, (), OFFICE, OFFICE, (), ()])
    one = fed(DAILY, {at("2026-03-04T23:00"): (3, 3)}, at("2026-03-05T00:00"), calendar)
    assert [f"{day_of(hour // 24):%a}" for hour in one.hour.tolist()] == ["Wed"]
    assert one.n.tolist() == [3.0]


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("minimum", "maximum", "value", "grade"),
    [(1, 10, 7.3, 7.3), (1, 5, 1, 1), (1, 5, 5, 10), (1, 5, 3, 5.5), (0, 10, 0, 1), (0, 100, 50, 5.5), (-100, 100, 0, 5.5)],
)
def test_other_scales_are_mapped_linearly(minimum: float, maximum: float, value: float, grade: float) -> None:
    assert to_grade(np.array([value]), Scale(minimum=minimum, maximum=maximum)).tolist() == [pytest.approx(grade)]


def versions(*rows: dict[int, tuple[int, int]]) -> Fed:
    scales = (Scale(minimum=1, maximum=10), Scale(minimum=0, maximum=8), Scale(minimum=1, maximum=5))[: len(rows)]
    stream = Stream("email", "answer:q:o", "grade", tuple(f"answer:q:{number}:o" for number in range(1, len(rows) + 1)), scales=scales)
    return feed(stream, {("email", f"answer:q:{number}:o"): hours(one) for number, one in enumerate(rows, 1) if one}, WEEK, 10_000)


def test_a_new_version_takes_over_where_it_gets_more_answers() -> None:
    one = versions({10: (1, 7000), 20: (2, 14000), 300: (1, 1000)}, {30: (3, 24000), 50: (4, 0)})
    assert (one.at // HOUR_MS).tolist() == [10, 20, 30, 50]
    assert one.v.tolist() == [7, 7, 10, 1]
    assert one.changed == (30 * HOUR_MS,)


def test_somebody_who_tries_a_new_version_out_replaces_nothing() -> None:
    weeks = dict.fromkeys(range(0, 2000, 10), (2, 14000))
    one = versions(weeks, {500: (1, 0), 1_000: (2, 0)})
    assert len(one) == len(weeks)
    assert set(one.v.tolist()) == {7}
    assert one.changed == ()


def test_versions_that_overlap_come_in_order() -> None:
    """A late answer to the second version, after the third has begun."""
    one = versions({10: (1, 7000), 25: (1, 7000)}, {300: (3, 24000)}, {20: (3, 15000), 40: (3, 3000)})
    assert (one.at // HOUR_MS).tolist() == [10, 20, 40]
    assert one.v.tolist() == [7, pytest.approx(10), 1]
    assert one.changed == (20 * HOUR_MS,)


@given(st.lists(st.sets(st.integers(0, 60), max_size=8), min_size=1, max_size=3))
def test_hours_of_answers_ascend(several: list[set[int]]) -> None:
    one = versions(*(dict.fromkeys(those, (3, 9000)) for those in several))
    assert (np.diff(one.at) > 0).all()
    assert set(one.changed) <= set(one.at.tolist())


def test_a_version_without_answers_changes_nothing() -> None:
    assert versions({10: (1, 7000)}, {}, {30: (3, 15000)}).changed == (30 * HOUR_MS,)
    assert versions({}, {10: (1, 8000)}).changed == ()


# ── which streams ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_streams_of_a_channel() -> None:
    named = {
        one.name: one
        for one in streams_of(organisation(norm(), norm(id="2wd", clock="working-days", threshold="2wd")))
        if one.channel == "telephone"
    }
    assert list(named) == ["volume", "wait", "norm:n", "norm:2wd", "answer:na-contact:overall"]
    assert {name: one.kind for name, one in named.items()} == {
        "volume": "volume", "wait": "time", "norm:n": "compliance", "norm:2wd": "compliance", "answer:na-contact:overall": "grade",
    }  # fmt: skip
    assert (named["norm:n"].daily, named["norm:2wd"].daily) == (False, True)
    answers = named["answer:na-contact:overall"]
    assert answers.measures == ("answer:na-contact:1:overall", "answer:na-contact:2:overall")
    assert [(one.minimum, one.maximum) for one in answers.scales] == [(1, 10), (0, 8)]
    assert [one.shown for one in named.values()] == ["volume", "wait", "norm:n", "norm:2wd", "answer:na-contact:2:overall"]


def test_norms_are_watched_on_their_own_channels_and_as_shares_only() -> None:
    one = organisation(norm(), norm(id="mean", statistic="mean"), norm(id="both", applies_to={"channels": ["telephone", "email"]}))
    named = {(stream.channel, stream.name) for stream in streams_of(one) if stream.name.startswith("norm:")}
    assert named == {("telephone", "norm:n"), ("telephone", "norm:both"), ("email", "norm:both")}


def test_watched_aspects() -> None:
    def aspects(**watched: bool) -> dict[str, Any]:
        return {name: {"title": {"nl": name, "en": name}, "watched": one} for name, one in watched.items()}

    def answers(**watched: bool) -> list[str]:
        instrument = {"title": {"nl": "q", "en": "q"}, "version": 1, "scale": {"minimum": 1, "maximum": 10}, "aspects": aspects(**watched)}
        return [
            one.name for one in streams_of(organisation(instruments={"q": [instrument]})) if one.channel == "email" and one.kind == "grade"
        ]

    assert answers(ease=False, overall=False) == ["answer:q:overall"]
    assert answers(ease=False, speed=False) == ["answer:q:ease"]
    assert answers(ease=True, overall=False, speed=True) == ["answer:q:ease", "answer:q:speed"]


def test_the_budget_is_divided_over_the_active_streams() -> None:
    one = organisation(drift={"budget": 2}, channels={"telephone": {}, "email": {"drift_budget": 0.5}})
    assert budget_of(one, "telephone", 4) == 0.5
    assert budget_of(one, "email", 2) == 0.25
    assert budget_of(one, "email", 0) == 0.5
    assert budget_of(organisation(), "email", 1) == 1.0
