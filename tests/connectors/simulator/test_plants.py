"""Planted changes: they change what they say, by as much as they say, and nothing else; the same after a restart."""

import json
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from connectors.protocol import Refused
from connectors.simulator.events import Released
from connectors.simulator.plants import NEVER, Plant, parse
from connectors.simulator.state import Simulation, open_simulation, write_truth
from connectors.simulator.town import day_of, midnight
from connectors.simulator.truth import truth
from connectors.simulator.world import ONE_DAY, World
from pipeline.cli import simulate
from schemas.types import parse_instant
from tests.connectors.simulator.conftest import ANCHOR

ONSET = "2026-04-14T11:00"
END = "2026-04-16T10:00"
FROM_MS, TO_MS = parse_instant(f"{ONSET}:00+02:00"), parse_instant(f"{END}:00+02:00")
DAYS = [date(2026, 4, 13) + n * ONE_DAY for n in range(5)]
PREFIX = {"telephone": "tel", "counter": "bal", "email": "eml", "form": "frm", "social": "soc"}
PLANTS = {
    "wait": f"telephone:wait:x3:{ONSET}..{END}",
    "wait of a team": f"counter@Burgerzaken:wait:x3:{ONSET}..{END}",
    "norm": f"email:norm:-25pt:{ONSET}..{END}",
    "grade": f"telephone:grade:-1:{ONSET}..{END}",
    "fewer": f"form:volume:x0.5:{ONSET}..{END}",
    "more": f"form:volume:x2:{ONSET}..{END}",
    "outage": f"counter:outage:{ONSET}..{END}",
}

Told = dict[str, dict[str, dict[str, Any]]]
"""Contact -> kind of event -> the event."""


def world(*plants: str, scale: float = 4.0) -> World:
    """A large town, so that chance leaves little room, with what is planted."""
    return World(7, DAYS[0], scale, tuple(map(parse, plants)))


def told(items: list[Released], channel: str) -> Told:
    """What the events say of each contact of a channel."""
    found: Told = defaultdict(dict)
    for _, identity, event in items:
        if identity.startswith(PREFIX[channel]) and ".stand." not in identity:
            contact, _, kind = identity.partition(".")
            found[contact][kind] = event
    return found


def week(of: World) -> list[Released]:
    return [item for day in DAYS for item in of.events_of_day(day)]


@pytest.fixture(scope="module")
def calm() -> list[Released]:
    return week(world())


def at(events: dict[str, dict[str, Any]], kind: str) -> int:
    return parse_instant(events[kind]["time"])


def hit(contacts: Told) -> set[str]:
    """Contacts that opened while something was planted."""
    return {contact for contact, events in contacts.items() if FROM_MS <= at(events, "opened") < TO_MS}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_nothing_changes_on_other_channels_and_other_days(plant: str, calm: list[Released]) -> None:
    prefix = PREFIX[parse(plant).channel]
    planted = week(world(plant))
    assert planted != calm
    assert [item for item in planted if not item[1].startswith(prefix)] == [item for item in calm if not item[1].startswith(prefix)]
    untouched = tuple(f"{prefix}-{day}-" for day in (DAYS[0], DAYS[4]))
    assert [item for item in planted if item[1].startswith(untouched)] == [item for item in calm if item[1].startswith(untouched)]


@pytest.mark.parametrize("name", ["wait", "wait of a team", "norm", "fewer", "outage"])
def test_the_contacts_of_other_hours_and_teams_go_as_they_would_have(name: str, calm: list[Released]) -> None:
    plant = parse(PLANTS[name])
    before, after = told(calm, plant.channel), told(week(world(PLANTS[name])), plant.channel)
    if plant.team is None:
        concerned = hit(before)
    else:
        concerned = {contact for contact in hit(before) if before[contact]["opened"]["data"]["team"] == plant.team}
    assert len(concerned) > 50
    for contact in before.keys() - concerned:
        # Who is asked, and answers, is drawn anew on a day with a plant.
        for kind in (kind for kind in before[contact] if kind not in ("invited", "answered.1", "answered.2")):
            assert before[contact][kind] == after[contact][kind]


def test_waits_are_so_many_times_as_long_until_somebody_gives_up(calm: list[Released]) -> None:
    before, after = told(calm, "telephone"), told(week(world(PLANTS["wait"])), "telephone")
    compared = 0
    for contact in hit(before):
        old, new = before[contact], after[contact]
        if "answered" in old and "answered" in new:
            wait = at(old, "answered") - at(old, "queued")
            if wait > 500:  # half a second is the shortest there is
                assert abs(at(new, "answered") - at(new, "queued") - 3 * wait) <= 3
                compared += 1
        elif "abandoned" in old:
            assert new["abandoned"] == old["abandoned"]
    assert compared > 1_000


def test_a_longer_wait_of_a_team_lowers_the_norm_as_an_exponential_wait_does(calm: list[Released]) -> None:
    """Of waits of which 82 % lie within the norm, four times as long, 35 % do: 1 − (1 − p)^(1/4)."""
    planted = week(world(f"telephone@Burgerzaken:wait:x4:{ONSET}..{END}"))
    shares: dict[tuple[str, bool], float] = {}
    for name, items in (("calm", calm), ("planted", planted)):
        contacts = told(items, "telephone")
        for own in (True, False):
            waits = [
                at(contacts[contact], "answered") - at(contacts[contact], "queued") if "answered" in contacts[contact] else 10**9
                for contact in hit(contacts)
                if (contacts[contact]["opened"]["data"]["team"] == "Burgerzaken") == own
            ]
            shares[name, own] = sum(wait <= 45_000 for wait in waits) / len(waits)
    assert shares["planted", False] == shares["calm", False]
    assert shares["planted", True] == pytest.approx(1 - (1 - shares["calm", True]) ** 0.25, abs=0.05)


def test_grades_are_lower_by_what_was_planted_and_stay_within_the_scale() -> None:
    old, new = world(), world(PLANTS["grade"])
    compared = 0
    for day in DAYS:
        (contacts, calm), (_, planted) = old.draws(day)[0], new.draws(day)[0]
        opened = contacts.steps.at["opened"][calm.contact]
        concerned = (opened >= FROM_MS) & (opened < TO_MS)
        assert np.array_equal(calm.contact, planted.contact)
        assert np.array_equal(calm.grades[~concerned], planted.grades[~concerned])
        before, after = calm.grades[concerned], planted.grades[concerned]
        cut = before == 10  # what lay above the scale falls by less
        assert np.array_equal(after[~cut], np.maximum(before[~cut] - 1, 1))
        assert set(after[cut].tolist()) <= {9, 10}
        compared += int(np.count_nonzero(~cut))
    assert compared > 1_000


def test_answers_say_the_grades_that_were_drawn() -> None:
    planted = world(PLANTS["grade"])
    said = {
        identity: event["data"]["items"]["overall"] for _, identity, event in planted.events_of_day(DAYS[2]) if ".answered." in identity
    }
    contacts, surveys = planted.draws(DAYS[2])[0]
    for position, contact in enumerate(surveys.contact):
        if surveys.steps.at["answered"][position] < NEVER:
            assert said[f"{contacts.ids[contact]}.answered.1"] == surveys.grades[position, 0]


@pytest.mark.parametrize(("name", "factor"), [("fewer", 0.5), ("more", 2.0)])
def test_the_volume_is_so_many_times_as_large(name: str, factor: float) -> None:
    counts = []
    for of in (world(scale=40.0), world(PLANTS[name], scale=40.0)):
        opened = np.concatenate(
            [contacts.steps.at["opened"] for day in DAYS for contacts, _ in of.draws(day) if contacts.channel.name == "form"]
        )
        within = (opened >= FROM_MS) & (opened < TO_MS)
        counts.append((int(np.count_nonzero(within)), int(np.count_nonzero((opened < NEVER) & ~within))))
    (inside, outside), (planted_inside, planted_outside) = counts
    assert abs(planted_inside - factor * inside) < 5 * np.sqrt(factor * inside + factor**2 * inside)
    assert abs(planted_outside - outside) < 5 * np.sqrt(2 * outside)


def test_fewer_contacts_are_some_of_those_there_would_have_been_and_an_outage_lets_nobody_through(calm: list[Released]) -> None:
    fewer, gone = told(week(world(PLANTS["fewer"])), "form"), told(week(world(PLANTS["outage"])), "counter")
    assert fewer.keys() < told(calm, "form").keys()
    assert hit(told(calm, "form")) > hit(fewer) != set()
    assert gone.keys() == told(calm, "counter").keys() - hit(told(calm, "counter"))


def test_an_outage_leaves_the_queue_empty_and_its_gauges_going(calm: list[Released]) -> None:
    planted = week(world(PLANTS["outage"]))
    times = [[identity for _, identity, _ in items if identity.startswith("bal.stand.")] for items in (calm, planted)]
    assert times[0] == times[1]
    waiting = [
        event["data"]["gauges"]["waiting"]
        for _, identity, event in planted
        if identity.startswith("bal.stand.2026-04-15")  # all of that day lies in the outage
    ]
    assert len(waiting) > 50
    assert set(waiting) == {0}


def test_plants_of_one_channel_add_up() -> None:
    twice = world(f"telephone:wait:x2:{ONSET}..{END}", f"telephone:wait:x1.5:{ONSET}..{END}")
    assert week(twice) == week(world(PLANTS["wait"]))


def test_a_planted_stream_taken_up_anywhere_goes_on_without_gap_or_overlap() -> None:
    plants = tuple(PLANTS.values())
    whole = list(takewhile(lambda item: item[0] < midnight(DAYS[4]), world(*plants, scale=0.5).stream()))
    assert whole[0][0] < FROM_MS < TO_MS < whole[-1][0]
    for after in (FROM_MS - 3_600_000, FROM_MS, FROM_MS + 1, TO_MS - 77_777, TO_MS + 1):
        rest = list(takewhile(lambda item: item[0] < midnight(DAYS[4]), world(*plants, scale=0.5).stream(after)))
        assert rest == [item for item in whole if item[0] > after]


def test_the_truth_counts_what_the_planted_events_say() -> None:
    planted = world(*PLANTS.values(), scale=0.5)
    as_of = midnight(DAYS[4])
    items = list(takewhile(lambda item: item[0] <= as_of, planted.stream()))
    found = truth(planted, as_of)
    assert found.events == len({identity for _, identity, _ in items if ".stand." not in identity})
    for channel in PREFIX:
        contacts = {contact: events for contact, events in told(items, channel).items() if "opened" in events and "withdrawn" not in events}
        by_day = Counter(day_of(at(events, "opened")).isoformat() for events in contacts.values())
        assert {day: sums[channel]["volume"][0] for day, sums in found.by_day.items() if "volume" in sums.get(channel, {})} == by_day


def test_a_simulation_keeps_its_plants_and_tells_them(tmp_path: Path) -> None:
    given = {"plants": (PLANTS["wait of a team"], PLANTS["outage"]), "drift_channel": None, "weeks": 6, "scale": 0.1}
    first = open_simulation(tmp_path, ANCHOR, given)
    assert open_simulation(tmp_path, ANCHOR + 86_400_000, {}) == first == open_simulation(tmp_path, ANCHOR, given)
    with pytest.raises(Refused, match="runs with plants"):
        open_simulation(tmp_path, ANCHOR, {"plants": (PLANTS["outage"],)})
    write_truth(tmp_path, first, truth(first.world, ANCHOR))
    assert json.loads((tmp_path / "truth.json").read_text())["planted"] == [
        {"channel": "counter", "what": "wait", "size": 3.0, "from_ms": FROM_MS, "to_ms": TO_MS, "team": "Burgerzaken"},
        {"channel": "counter", "what": "outage", "size": 0.0, "from_ms": FROM_MS, "to_ms": TO_MS, "team": None},
    ]


def test_a_plant_makes_another_world_and_none_the_one_there_always_was() -> None:
    """A simulation begun by a release without plants goes on: its state has none, its fingerprint is still the same."""
    assert Simulation(ANCHOR, seed=20).fingerprint == "88055fd8b7df1f0d"
    assert Simulation(ANCHOR, seed=20, plants=(PLANTS["wait"],)).fingerprint != Simulation(ANCHOR, seed=20).fingerprint
    assert Simulation(ANCHOR, speed=60, plants=(PLANTS["wait"],)).fingerprint == Simulation(ANCHOR, plants=(PLANTS["wait"],)).fingerprint


@pytest.mark.parametrize(
    ("text", "plant"),
    [
        ("telephone@Burgerzaken:wait:x2.5:2026-04-14T11:00", Plant("telephone", "wait", 2.5, FROM_MS, NEVER, "Burgerzaken")),
        ("form:norm:-25pt:2026-04-14T11:00..2026-04-16T10:00", Plant("form", "norm", 0.25, FROM_MS, TO_MS)),
        ("social@Openbare ruimte:grade:+1.5:2026-04-14T11:00", Plant("social", "grade", 1.5, FROM_MS, NEVER, "Openbare ruimte")),
        ("email:volume:x0.4:2026-04-14T11:00", Plant("email", "volume", 0.4, FROM_MS)),
        ("counter:outage:2026-04-14T11:00..2026-04-16T10:00", Plant("counter", "outage", 0.0, FROM_MS, TO_MS)),
    ],
)
def test_a_plant_is_read_as_it_is_written(text: str, plant: Plant) -> None:
    assert parse(text) == plant


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("telephone", "write CHANNEL"),
        ("telephone:wait:x2", "write CHANNEL"),
        ("chat:outage:2026-04-14T11:00", "channel 'chat' does not exist; give one of telephone"),
        ("telephone:mood:x2:2026-04-14T11:00", "nothing is called 'mood'; give one of wait"),
        ("email:wait:x2:2026-04-14T11:00", "plant norm instead"),
        ("counter:norm:-10pt:2026-04-14T11:00", "plant wait instead"),
        ("telephone:wait:2:2026-04-14T11:00", "give x0.1 to x20"),
        ("telephone:wait:x0:2026-04-14T11:00", "give x0.1 to x20"),
        ("telephone:wait:x21:2026-04-14T11:00", "give x0.1 to x20"),
        ("telephone:volume:2026-04-14T11:00", "the size None of volume does not fit"),
        ("telephone:norm:25:2026-04-14T11:00", "give -1pt to -60pt"),
        ("telephone:grade:1:2026-04-14T11:00", "with its sign"),
        ("telephone:outage:x2:2026-04-14T11:00", "an outage has no size"),
        ("telephone:outage:2026-04-14", "the moment '2026-04-14' does not fit"),
        ("telephone:outage:2026-04-14T11:00..2026-02-30T11:00", "the moment '2026-02-30T11:00' does not fit"),
        ("telephone:outage:2026-04-14T11:00..2026-04-14T11:00", "ends before it begins"),
        ("counter@Openbare ruimte:outage:2026-04-14T11:00", "no contacts on counter; give one of Afval"),
    ],
)
def test_a_plant_that_makes_no_sense_is_refused_with_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(Refused, match="plant") as refused:
        Simulation(ANCHOR, plants=(text,))
    assert wrong in str(refused.value)


def test_the_command_refuses_a_plant_that_makes_no_sense(tmp_path: Path) -> None:
    app = typer.Typer()
    simulate.register(app)
    wrong = CliRunner().invoke(app, ["--kafka", "127.0.0.1:9", "--state", str(tmp_path), "--plant", "counter:wait:2026"])
    assert wrong.exit_code == 2
    assert "CHANNEL[@TEAM]" in wrong.output
    assert not list(tmp_path.iterdir())


def test_a_world_without_a_team_differs_from_one_with(calm: list[Released]) -> None:
    everybody = parse(f"counter:wait:x3:{ONSET}..{END}")
    one = replace(everybody, team="Burgerzaken")
    assert World(7, DAYS[0], 4.0, (everybody,)).events_of_day(DAYS[2]) != World(7, DAYS[0], 4.0, (one,)).events_of_day(DAYS[2])
