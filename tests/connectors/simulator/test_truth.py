"""The truth that the simulator writes equals what its events say, counted here once by hand and once by the product's own core."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.simulator.events import Released
from connectors.simulator.state import Simulation
from connectors.simulator.town import organisation
from connectors.simulator.truth import Table, Truth, truth
from pipeline.answers import thousandths
from pipeline.contacts import EventTuple, digest
from pipeline.contributions import Judged, of_contact
from pipeline.norms import Judge
from pipeline.roles import role_of
from pipeline.timeline import Timeline
from schemas.types import parse_instant
from tests.connectors.simulator.conftest import ANCHOR

ZONE = ZoneInfo("Europe/Amsterdam")
HOLIDAYS = {date(2026, 4, 3), date(2026, 4, 6), date(2026, 4, 27)}
WINDOW_HOURS = {"1h": 1, "24h": 24, "7d": 168, "28d": 672}

TERMS: dict[str, list[tuple[str, str, list[str], int | None]]] = {
    "telephone": [("telephone_45s", "queued", ["answered"], 45_000)],
    "counter": [],
    "email": [
        ("email_acknowledged_15min", "opened", ["acknowledged"], 900_000),
        ("email_answered_2wd", "opened", ["responded", "closed"], None),
    ],
    "form": [
        ("form_acknowledged_15min", "opened", ["acknowledged"], 900_000),
        ("form_answered_2wd", "opened", ["responded", "closed"], None),
    ],
    "social": [("social_1wd", "opened", ["responded"], None)],
}
"""Channel -> (norm, start, stops, term in ms; None for working days)."""

Count = tuple[str, str, int, int]
"""(channel, measure, the instant at which it counts, x)."""


@pytest.fixture(scope="module")
def found(simulation: Simulation) -> Truth:
    return truth(simulation.world, ANCHOR)


def local_day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZONE).date()


def end_of_working_day(start_ms: int, days: int) -> int:
    day = local_day(start_ms)
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5 and day not in HOLIDAYS
    return int(datetime.combine(day + timedelta(days=1), time(), ZONE).timestamp() * 1000) - 1


def by_contact(history: Iterable[Released]) -> dict[str, dict[str, dict[str, Any]]]:
    """Contact -> kind -> data, of the events of contacts, each id once."""
    contacts: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for _, _, event in history:
        if event["type"].startswith("nl.contactmeter.contact."):
            kind = event["type"].removeprefix("nl.contactmeter.contact.")
            contacts[event["data"]["contact"]][kind] = event["data"] | {"at": parse_instant(event["data"]["occurred_at"])}
    return contacts


def counts_of_contact(kinds: dict[str, dict[str, Any]]) -> Iterator[Count]:
    if "opened" not in kinds or "withdrawn" in kinds:
        return
    at = {kind: data["at"] for kind, data in kinds.items()}
    channel = kinds["opened"]["channel"]
    yield channel, "volume", at["opened"], 0
    if "answered" in at:
        yield channel, "wait", at["answered"], at["answered"] - at.get("queued", at["opened"])
        yield channel, "abandonment", at["answered"], 0
    elif "abandoned" in at:
        yield channel, "abandonment", at["abandoned"], 1
    for norm, start, stops, term in TERMS[channel]:
        if start not in at:
            continue
        days = 1 if channel == "social" else 2
        deadline = at[start] + term if term is not None else end_of_working_day(at[start], days)
        stop = min((at[kind] for kind in stops if kind in at), default=None)
        if stop is not None:
            yield channel, f"norm:{norm}", min(stop, deadline), int(stop <= deadline)
        elif "abandoned" not in at and "closed" not in at and deadline <= ANCHOR:
            yield channel, f"norm:{norm}", deadline, 0


def counts_of_answers(history: Iterable[Released]) -> Iterator[Count]:
    answers: dict[str, dict[str, Any]] = {}
    for _, _, event in history:
        if event["type"] == "nl.contactmeter.survey.answered":
            data = event["data"]
            if data["answer"] not in answers or answers[data["answer"]]["revision"] < data["revision"]:
                answers[data["answer"]] = data
    for data in answers.values():
        for aspect, value in data["items"].items():
            yield data["channel"], f"answer:after_contact:1:{aspect}", parse_instant(data["occurred_at"]), thousandths(value)


def add(table: Table, key: str, count: Count) -> None:
    channel, measure, _, x = count
    sums = table.setdefault(key, {}).setdefault(channel, {}).setdefault(measure, [0, 0, 0])
    sums[0] += 1
    sums[1] += x
    sums[2] += x * x


def test_truth_equals_a_recount_of_the_events(found: Truth, history: list[Released]) -> None:
    contacts = by_contact(history)
    counts: list[tuple[str | None, Count]] = [
        (local_day(kinds["opened"]["at"]).isoformat(), count) for kinds in contacts.values() for count in counts_of_contact(kinds)
    ]
    counts += [(None, count) for count in counts_of_answers(history)]
    by_day: Table = {}
    by_opening_day: Table = {}
    rolling: Table = {}
    for opening_day, count in counts:
        add(by_day, local_day(count[2]).isoformat(), count)
        if opening_day is not None:
            add(by_opening_day, opening_day, count)
        for window, hours in WINDOW_HOURS.items():
            if ANCHOR - hours * 3_600_000 < count[2] <= ANCHOR:
                add(rolling, window, count)
    assert found.by_day == by_day
    assert found.by_opening_day == by_opening_day
    assert found.rolling == rolling
    assert sum(sums["volume"][0] for channels in by_day.values() for sums in channels.values() if "volume" in sums) > 35_000
    assert found.withdrawn == sum("withdrawn" in kinds for kinds in contacts.values())


def test_truth_equals_what_the_products_core_makes_of_the_events(found: Truth, history: list[Released]) -> None:
    tuples: dict[str, set[str]] = defaultdict(set)
    events: dict[str, list[EventTuple]] = defaultdict(list)
    for _, identity, event in history:
        if event["type"].startswith("nl.contactmeter.contact.") and identity not in tuples[event["data"]["contact"]]:
            data = dict(event["data"])
            contact, at = data.pop("contact"), parse_instant(data.pop("occurred_at"))
            tuples[contact].add(identity)
            kind = event["type"].removeprefix("nl.contactmeter.contact.")
            events[contact].append((at, event["source"], identity, digest(kind, at, data), parse_instant(event["time"]), kind, data))
    judge = Judge(organisation())
    rolling: Table = {}
    defects = set()
    for kept in events.values():
        timeline = Timeline(sorted(kept))
        defects.update(timeline.defects)
        first, channel = timeline.first, timeline.attributes.get("channel", "")
        judged = Judged(
            channel,
            first.get("opened"),
            first.get("answered"),
            first.get("abandoned"),
            timeline.wait_ms,
            role_of(timeline, "", {}),
            judge(timeline),
        )
        for measure, minute, n, total, squares in of_contact(judged):
            for window, hours in WINDOW_HOURS.items():
                if ANCHOR // 60_000 - hours * 60 < minute <= ANCHOR // 60_000:
                    sums = rolling.setdefault(window, {}).setdefault(channel, {}).setdefault(measure, [0, 0, 0])
                    for position, value in enumerate((n, total, squares)):
                        sums[position] += value
    expected = {
        window: {
            channel: {m: sums for m, sums in measures.items() if not m.startswith("answer:")} for channel, measures in channels.items()
        }
        for window, channels in found.rolling.items()
    }
    assert {window: {name: sums for name, sums in channels.items() if sums} for window, channels in expected.items()} == rolling
    assert defects <= {"not_opened"}


def test_late_and_repeated_events_are_named(found: Truth, history: list[Released]) -> None:
    sent: dict[str, list[int]] = defaultdict(list)
    occurred: dict[str, int] = {}
    for released, identity, event in history:
        if event["type"] != "nl.contactmeter.channel.observed":
            sent[identity].append(released)
            occurred[identity] = parse_instant(event["time"])
    assert found.events == len(sent)
    assert sorted(found.late) == sorted(identity for identity, at in sent.items() if at[0] > occurred[identity])
    assert sorted(found.resent) == sorted(identity for identity, at in sent.items() if len(at) == 2)


def test_what_was_not_sent_yet_does_not_count(simulation: Simulation, history: list[Released], found: Truth) -> None:
    as_of = ANCHOR - 26 * 3_600_000 - 17 * 60_000
    earlier = truth(simulation.world, as_of)
    known = history[: bisect_left(history, as_of + 1, key=lambda item: item[0])]
    answers: Table = {}
    for count in counts_of_answers(known):
        add(answers, local_day(count[2]).isoformat(), count)
    assert {
        (day, channel): sums["answer:after_contact:1:overall"]
        for day, channels in earlier.by_day.items()
        for channel, sums in channels.items()
        if "answer:after_contact:1:overall" in sums
    } == {(day, channel): sums["answer:after_contact:1:overall"] for day, channels in answers.items() for channel, sums in channels.items()}
    assert earlier.events < found.events


def test_truth_is_of_a_whole_minute(simulation: Simulation) -> None:
    with pytest.raises(ValueError, match="not a whole minute"):
        truth(simulation.world, ANCHOR + 1)
