"""The simulated town: the same whenever it is drawn, valid for the pipeline, quiet on holidays, with the drift that was promised."""

import math
import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise, takewhile
from typing import Any

import numpy as np
import pytest

from connectors.simulator import profile
from connectors.simulator.contacts import LATE_SHARE, RESENT_SHARE
from connectors.simulator.events import Released
from connectors.simulator.plants import NEVER, Plant
from connectors.simulator.state import Simulation
from connectors.simulator.town import DAY_MS, day_of, instant, midnight, opening, organisation, working_day_after, working_day_before
from connectors.simulator.world import ONE_DAY, SPAN_DAYS, World
from pipeline.rules import calendar_of
from schemas import batch
from schemas.types import parse_instant
from tests.connectors.simulator.conftest import ANCHOR

A_DAY = date(2026, 4, 14)
WEEK = [date(2026, 4, 13) + n * ONE_DAY for n in range(5)]


def opened(history: list[Released], channel: str | None = None) -> Counter[date]:
    """Contacts by local day of opening."""
    return Counter(
        day_of(parse_instant(event["time"]))
        for event in {item[1]: item[2] for item in history}.values()
        if event["type"].endswith("contact.opened") and channel in (None, event["data"]["channel"])
    )


def test_the_same_seed_draws_the_same_day_and_another_seed_another() -> None:
    first = World(1, date(2026, 1, 1)).events_of_day(A_DAY)
    assert first == World(1, date(2026, 1, 1)).events_of_day(A_DAY)
    assert first != World(2, date(2026, 1, 1)).events_of_day(A_DAY)


def test_a_day_is_the_same_alone_and_in_the_stream(simulation: Simulation, history: list[Released]) -> None:
    mark = f"-{A_DAY}-"
    streamed = [item for item in history if mark in item[1]]
    alone = [item for item in World(simulation.seed, A_DAY).events_of_day(A_DAY) if mark in item[1]]
    assert len(alone) > 1_000
    assert streamed == alone


def test_every_event_is_valid_and_says_that_it_is_simulated(history: list[Released]) -> None:
    town = organisation()
    assert town.simulated
    assert "gesimuleerd" in town.title.nl
    assert "simulated" in town.title.en
    system_of_source = town.system_of_source()
    kinds: Counter[str] = Counter()
    for value, count in batch.encode(event for _, _, event in history):
        decoded = batch.decode(value, town.organisation.encode(), batch.headers(town.organisation))
        assert decoded.errors == []
        assert len(decoded.events) == count
        for _, event in decoded.events:
            assert "simulatie-" in event["source"]
            assert event["source"] in system_of_source
            assert event["data"].get("channel", "telephone") in town.channels
            kinds[event["type"].removeprefix("nl.contactmeter.")] += 1
    assert set(kinds) == {
        *(f"contact.{kind}" for kind in ("opened", "queued", "answered", "abandoned", "acknowledged", "responded", "closed")),
        *(f"contact.{kind}" for kind in ("transferred", "callback_requested", "called_back", "withdrawn")),
        *("survey.invited", "survey.answered", "channel.observed"),
    }


def test_an_answer_carries_its_contact_with_its_channel_and_product(history: list[Released]) -> None:
    town = organisation()
    system_of_source = town.system_of_source()
    contacts = {
        (system_of_source[event["source"]], event["data"]["contact"]): event["data"]
        for _, _, event in history
        if event["id"].endswith(".opened")
    }
    aspects = set(town.instruments["after_contact"][0].aspects)
    delays = []
    for _, _, event in history:
        if event["type"] == "nl.contactmeter.survey.answered":
            data = event["data"]
            contact = contacts.get((data["contact"]["system"], data["contact"]["id"]))
            if contact is None:
                continue  # Its opening is one of the late events.
            assert (data["channel"], data["product"], data["team"]) == (contact["channel"], contact["product"], contact["team"])
            assert set(data["items"]) <= aspects
            assert (data["status"] == "complete") == (set(data["items"]) == aspects)
            assert all(1 <= value <= 10 for value in data["items"].values())
            delays.append(parse_instant(event["time"]) - parse_instant(contact["occurred_at"]))
    assert len(delays) > 2_000
    assert min(delays) > 600_000
    assert sum(delay > DAY_MS for delay in delays) > 0.1 * len(delays)


def test_one_id_has_one_content(history: list[Released]) -> None:
    contents: dict[str, dict[str, Any]] = {}
    for _, identity, event in history:
        assert contents.setdefault(identity, event) == event
        assert event["id"] == identity


def test_events_are_sent_in_order_and_never_before_they_happen(history: list[Released]) -> None:
    assert all(earlier[0] <= later[0] for earlier, later in pairwise(history))
    assert all(parse_instant(event["data"]["occurred_at"]) <= sent for sent, _, event in history)


def test_late_and_repeated_events_have_their_shares(history: list[Released]) -> None:
    times = Counter(identity for _, identity, _ in history)
    first: dict[str, int] = {}
    lateness = {}
    for sent, identity, event in history:
        if first.setdefault(identity, sent) == sent and ".stand." not in identity:
            lateness[identity] = sent - parse_instant(event["time"])
    n = len(lateness)
    late = sum(delay > 0 for delay in lateness.values())
    repeated = sum(count == 2 for count in times.values())
    assert max(times.values()) == 2
    assert abs(late / n - LATE_SHARE) < 5 * math.sqrt(LATE_SHARE / n)
    assert abs(repeated / n - RESENT_SHARE) < 5 * math.sqrt(RESENT_SHARE / n)
    assert sum(delay > 3_600_000 for delay in lateness.values()) > 0.1 * late


def test_everything_a_day_leads_to_is_sent_within_the_span() -> None:
    world = World(3, date(2026, 1, 1), 1.0, (Plant("email", "norm", 0.25, 0),))
    for first in (date(2026, 12, 1), date(2026, 3, 20)):
        for n in range(35):
            day = first + n * ONE_DAY
            events = world.events_of_day(day)
            assert events[0][0] >= midnight(day)
            assert events[-1][0] < midnight(day + SPAN_DAYS * ONE_DAY)


def test_a_stream_taken_up_anywhere_goes_on_without_gap_or_overlap(simulation: Simulation, history: list[Released]) -> None:
    for position in (len(history) - 60_000, len(history) - 5_000):
        after = history[position][0]
        rest = list(takewhile(lambda item: item[0] <= ANCHOR, simulation.world.stream(after)))
        assert rest == [item for item in history if item[0] > after]


def test_the_town_is_closed_on_weekends_and_holidays(history: list[Released]) -> None:
    calls, visits, messages = opened(history, "telephone"), opened(history, "counter"), opened(history, "email")
    good_friday, easter_monday, kings_day = date(2026, 4, 3), date(2026, 4, 6), date(2026, 4, 27)
    for day in (good_friday, easter_monday, kings_day, date(2026, 4, 11), date(2026, 4, 12)):
        assert calls[day] == visits[day] == 0
        assert 0 < messages[day] < 50
        assert not any(item[1].startswith((f"tel.stand.{day}", f"bal.stand.{day}")) for item in history)
    assert all(calls[day] > 100 and visits[day] > 50 for day in WEEK)


def test_a_working_day_has_its_pattern_and_its_volume(history: list[Released]) -> None:
    by_weekday: defaultdict[int, list[int]] = defaultdict(list)
    for day, count in opened(history, "telephone").items():
        if day < day_of(ANCHOR):
            by_weekday[day.weekday()].append(count)
    means = {weekday: sum(counts) / len(counts) for weekday, counts in by_weekday.items()}
    assert set(means) == {0, 1, 2, 3, 4}
    assert means[0] > 1.1 * means[2] > 1.1 * means[4]
    assert 230 < sum(map(sum, by_weekday.values())) / sum(map(len, by_weekday.values())) < 270
    arrived = [parse_instant(event["time"]) for _, identity, event in history if re.fullmatch(r"tel-2026-04-.*opened", identity)]
    hours = Counter((at - instant(day_of(at), 510)) // 3_600_000 for at in arrived)
    assert hours[2] > 1.5 * hours[0]
    assert hours[2] > 1.5 * hours[4]


def test_calls_come_in_opening_hours_only(simulation: Simulation) -> None:
    for day in WEEK:
        hours = opening(day)
        assert hours is not None
        assert hours == (instant(day, 510), instant(day, 780 if day.weekday() == 4 else 1020))
        for contacts, _ in simulation.world.draws(day):
            if contacts.channel.kind == "queue":
                arrived = contacts.steps.at["opened"]
                assert arrived.min() >= hours[0]
                assert arrived.max() < hours[1]


def within_norm(world: World, channel: str, first: date, last: date, team: str | None = None) -> tuple[int, int]:
    """(within 45 s or within the working days, answered) of the contacts opened on [first, last)."""
    within = answered = 0
    for n in range((last - first).days):
        day = first + n * ONE_DAY
        contacts = next(contacts for contacts, _ in world.draws(day) if contacts.channel.name == channel)
        chosen = np.array([team in (None, profile.PRODUCTS[product][1]) for product in contacts.product], dtype=bool)
        at = contacts.steps.at
        if channel == "telephone":
            done, term = at["answered"], at["queued"] + 45_000
        else:
            deadline = midnight(working_day_after(day, profile.NORM_DAYS[channel]) + ONE_DAY) - 1
            done, term = at["responded"], np.full(len(contacts), deadline)
        within += int(np.count_nonzero(chosen & (done <= term)))
        answered += int(np.count_nonzero(chosen & (done < NEVER)))
    return within, answered


@pytest.mark.parametrize(("channel", "usual"), [("telephone", 0.82), ("email", 0.89), ("form", 0.90), ("social", 0.94)])
def test_the_drift_lowers_compliance_by_25_points_from_its_onset_to_its_end(channel: str, usual: float) -> None:
    onset, end, last = date(2026, 3, 2), date(2026, 5, 4), date(2026, 7, 6)
    # Four towns' worth, so that chance leaves little room.
    world = World(11, date(2026, 1, 5), 4.0, (Plant(channel, "norm", 0.25, midnight(onset), midnight(end)),))
    shares, errors = [], []
    for first, until in ((date(2026, 1, 5), onset), (onset, end), (end, last)):
        within, answered = within_norm(world, channel, first, until)
        share = within / answered
        shares.append(share)
        # Days differ beyond chance: their effect is about 0.03 on the telephone.
        errors.append(math.sqrt(share * (1 - share) / answered + 0.03**2 / 40))
    assert abs(shares[0] - usual) < 0.01 + 4 * errors[0]
    assert abs(shares[0] - shares[1] - 0.25) < 0.01 + 4 * math.hypot(errors[0], errors[1])
    assert abs(shares[2] - shares[0]) < 4 * math.hypot(errors[0], errors[2])


def test_the_drift_happens_mainly_in_one_team(simulation: Simulation) -> None:
    (drift,) = simulation.world.plants
    onset = day_of(drift.from_ms)
    falls = {}
    for team in (profile.DRIFT_TEAM, "Belastingen"):
        before = within_norm(simulation.world, "telephone", simulation.world.first_day, onset, team)
        after = within_norm(simulation.world, "telephone", onset, onset + 21 * ONE_DAY, team)
        falls[team] = before[0] / before[1] - after[0] / after[1]
    assert falls[profile.DRIFT_TEAM] > 0.4
    assert 0 < falls["Belastingen"] < 0.2


def test_grades_fall_with_the_drift(simulation: Simulation) -> None:
    (drift,) = simulation.world.plants
    onset = day_of(drift.from_ms)
    grades: dict[str, list[int]] = {"before": [], "after": []}
    for n in range((onset - simulation.world.first_day).days + 42):
        day = simulation.world.first_day + n * ONE_DAY
        _, surveys = simulation.world.draws(day)[0]
        grades["before" if day < onset else "after"] += surveys.grades[surveys.steps.at["answered"] < NEVER, 0].tolist()
    assert 7.3 < np.mean(grades["before"]) < 7.9
    assert 0.15 < np.mean(grades["before"]) - np.mean(grades["after"]) < 0.6


def test_the_drift_leaves_everything_else_as_it_was(simulation: Simulation) -> None:
    (drift,) = simulation.world.plants
    calm = World(simulation.seed, simulation.world.first_day, simulation.scale)
    before, after = day_of(drift.from_ms) - ONE_DAY, day_of(drift.from_ms)
    assert simulation.world.events_of_day(before) == calm.events_of_day(before)
    others = [item for item in simulation.world.events_of_day(after) if not item[1].startswith("tel")]
    assert others == [item for item in calm.events_of_day(after) if not item[1].startswith("tel")]
    assert simulation.world.events_of_day(after) != calm.events_of_day(after)


def test_the_drift_began_five_working_days_before_the_anchor(simulation: Simulation) -> None:
    (drift,) = simulation.world.plants
    assert drift.from_ms == parse_instant("2026-05-06T00:00:00+02:00")


def test_the_scale_scales() -> None:
    small, large = World(1, A_DAY, 0.1), World(1, A_DAY, 10.0)
    counts = [sum(len(contacts) for day in WEEK for contacts, _ in world.draws(day)) for world in (small, large)]
    assert 85 < counts[1] / counts[0] < 115


def test_the_towns_own_calendar_agrees_with_the_products() -> None:
    for channel in ("telephone", "email"):
        calendar = calendar_of(organisation(), channel)
        day = date(2024, 1, 1)
        while day < date(2031, 1, 1):
            hours = opening(day)
            assert calendar.is_working_day(day) == (hours is not None), day
            assert calendar.day_start(day) == midnight(day)
            if hours is not None:
                assert calendar.open_ms_between(midnight(day), midnight(day + ONE_DAY)) == hours[1] - hours[0]
            day += timedelta(days=1)


def test_working_days_are_counted_both_ways() -> None:
    assert working_day_after(date(2026, 4, 2), 1) == date(2026, 4, 7)
    assert working_day_before(date(2026, 4, 7), 1) == date(2026, 4, 2)
    assert working_day_after(date(2026, 4, 4), 0) == date(2026, 4, 4)
