"""Looks beside the stream: whose turn it is, in which order they write, and that nothing they trip over stops anything else."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pipeline.configured import Configured
from pipeline.drift.checkpoint import Checkpoint
from pipeline.drift.contributors import Part
from pipeline.drift.incidents import Incident, IncidentEvent
from pipeline.drift.look import Known, Question, StreamKey
from pipeline.drift.signal import Dimension, Signal
from pipeline.drift.status import Watch
from pipeline.drift.streams import HOUR_MS
from pipeline.looking import INCIDENTS_S, SETTLING_MS, SOON_S, Looks, Message, message
from pipeline.store.client import Unavailable
from schemas.organisation import Organisation
from tests.pipeline.drift.test_look import DAY, FIRST, TOWN, sums

EVERY_S = 600.0
NOW = (FIRST + 52 * DAY) * HOUR_MS


class Store:
    """Keeps what it is given, notes what it was asked for, and fails at what it is told to, so many times."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failing: dict[str, list[Exception]] = {}
        self.signals: dict[tuple[str, int], Signal] = {}
        self.checkpoints: dict[StreamKey, dict[int, Checkpoint]] = {}
        self.watches: list[Watch] = []
        self.incidents: dict[str, Incident] = {}
        self.knows = True

    def note(self, call: str) -> None:
        self.calls.append(call)
        if self.failing.get(call):
            raise self.failing[call].pop(0)

    def known(self, organisation: Organisation, now_ms: int) -> Known | None:
        self.note("known")
        if not self.knows:
            return None
        checkpoints = {key: [several[day] for day in sorted(several)] for key, several in self.checkpoints.items()}
        return Known(FIRST + 52 * DAY, sums(52, 44), {}, (), checkpoints, list(self.signals.values()))

    def parts(self, organisation: str, question: Question) -> Mapping[Dimension, Sequence[Part]]:
        self.note("parts")
        return {"team": [Part("Burgerzaken", 3000, 2400, 150, 30), Part("Belastingen", 3000, 2400, 150, 120)]}

    def write_signals(self, states: Sequence[Signal], texts: Sequence[tuple[str, str]], version: int) -> None:
        self.note("write_signals")
        assert len(states) == len(texts)
        self.signals |= {(one.id, one.sequence): one for one in states}

    def write_standing(
        self, organisation: str, checkpoints: Mapping[StreamKey, Sequence[Checkpoint]], watches: Sequence[Watch], version: int
    ) -> None:
        self.note("write_standing")
        for key, several in checkpoints.items():
            self.checkpoints.setdefault(key, {}).update({one.day: one for one in several})
        self.watches = list(watches)

    def incident_inputs(self, organisation: str, now_ms: int) -> tuple[list[Signal], list[IncidentEvent], list[Incident]]:
        self.note("incident_inputs")
        return list(self.signals.values()), [], list(self.incidents.values())

    def write_incidents(self, changed: Sequence[Incident], version: int) -> None:
        self.note("write_incidents")
        self.incidents |= {one.incident: one for one in changed}


class Bench:
    """Looks with clocks that are set by hand."""

    def __init__(self, *names: str) -> None:
        self.store = Store()
        self.now_ms, self.seconds = NOW + SETTLING_MS, 1000.0
        self.sent: list[Message] = []
        self.names = list(names) or ["town"]
        self.took = 0.0
        self.looks = Looks(self.organisations, self.store, self.publish, lambda: self.now_ms, EVERY_S, lambda: self.seconds)

    def organisations(self) -> dict[str, Configured]:
        return {name: Configured.of(TOWN.model_copy(update={"organisation": name}), 1) for name in self.names}

    async def publish(self, messages: Sequence[Message]) -> None:
        self.store.note("publish")
        self.sent += messages

    async def step(self, seconds: float = 0.0) -> list[str]:
        """So much later: what a step leads to, to its end."""
        self.seconds += seconds
        before = len(self.store.calls)
        self.looks.step()
        if self.looks._under_way is not None:
            await asyncio.wait([self.looks._under_way])
        return self.store.calls[before:]


def run(course: Callable[[], Any]) -> None:
    asyncio.run(course())


WHOLE = ["known", *["parts"] * 3, "publish", "write_signals", "write_standing", "incident_inputs", "write_incidents"]
"""A look that finds two things, of which one grows: to the topic, the table, the checkpoints, the incidents."""


def test_the_order_of_writing() -> None:
    async def course() -> None:
        bench = Bench()
        assert await bench.step() == WHOLE
        assert sorted(one.state for one in bench.store.signals.values()) == ["found", "found", "grown"]
        assert len(bench.sent) == 0, "found days ago: recorded, not announced"
        assert len(bench.store.watches) == 5

    run(course)


def test_what_was_found_just_now_is_sent() -> None:
    async def course() -> None:
        bench = Bench()
        bench.now_ms = (FIRST + 46 * DAY) * HOUR_MS
        await bench.step()
        assert bench.sent
        for one in bench.sent:
            content = json.loads(one.value)
            signal = bench.store.signals[content["id"], content["sequence"]]
            assert one.organisation == "town"
            assert one.key == f"town/{signal.id}".encode()
            assert (content["state"], content["side"], content["onset"], content["size"]) == (
                signal.state,
                signal.side,
                signal.onset,
                signal.size,
            )
            assert content["worse"] is True
            assert content["text_nl"] != content["text_en"]
            assert content["contributors"][0]["name"] == "Burgerzaken"

    run(course)


def test_of_grades_the_topic_tells_nothing_of_few_answers() -> None:
    few = Signal(
        "town", "a", 0, "found", "email", "answer:q:o", "answer:q:1:o", "grade", -1, NOW, NOW, -7.1, -8.8, -5.4, 1.0, 8.1, n=4
    )  # fmt: skip
    content = json.loads(message(few, 5, "nl", "en").value)
    assert [content[name] for name in ("withheld", "n", "size", "low", "high", "value", "usual")] == [True, 0, *[None] * 5]
    content = json.loads(message(replace(few, n=10), 5, "nl", "en").value)
    assert [content[name] for name in ("withheld", "n", "value")] == [False, 10, 1.0]


@pytest.mark.parametrize("call", ["known", "parts", "publish", "write_signals", "write_standing", "incident_inputs", "write_incidents"])
@pytest.mark.parametrize("error", [Unavailable("no answer"), KeyError("a mistake of ours")])
def test_a_look_that_fails_anywhere_is_done_again(call: str, error: Exception) -> None:
    async def course() -> None:
        bench, smooth = Bench(), Bench()
        await smooth.step()
        bench.store.failing[call] = [error]
        calls = await bench.step()
        assert calls == WHOLE[: WHOLE.index(call) + 1], "nothing after it"
        assert await bench.step() == []
        assert await bench.step(SOON_S - 1) == []
        await bench.step(1)
        assert bench.store.signals == smooth.store.signals
        assert bench.store.checkpoints == smooth.store.checkpoints
        assert bench.store.watches == smooth.store.watches
        assert set(bench.store.incidents) == set(smooth.store.incidents)

    run(course)


def test_an_hour_is_looked_at_once_it_has_settled_and_then_every_ten_minutes() -> None:
    async def course() -> None:
        bench = Bench()
        bench.now_ms -= 1
        await bench.step()
        assert await bench.step(5) == []
        bench.now_ms += 1
        assert "known" in await bench.step(5), "an hour has gone by"
        assert "known" not in await bench.step(5)
        assert "known" not in await bench.step(EVERY_S - 6)
        assert "known" in await bench.step(1)

    run(course)


def test_of_what_was_never_heard_of_nothing_is_written_and_it_is_asked_again_soon() -> None:
    async def course() -> None:
        bench = Bench()
        bench.store.knows = False
        assert await bench.step() == ["known"]
        assert await bench.step(SOON_S - 1) == []
        assert await bench.step(1) == ["known"]
        bench.store.knows = True
        assert await bench.step(SOON_S) == WHOLE

    run(course)


def test_organisations_take_turns() -> None:
    async def course() -> None:
        bench = Bench("a", "b", "c")
        looked: list[str] = []
        known = bench.store.known

        def noting(organisation: Organisation, now_ms: int) -> Known | None:
            looked.append(organisation.organisation)
            if organisation.organisation == "a":
                raise Unavailable("no answer")
            return known(organisation, now_ms)

        bench.store.known = noting  # type: ignore[method-assign]
        for _ in range(5):
            await bench.step(1)
        assert looked == ["a", "b", "c"], "one that fails holds nobody up"
        bench.now_ms += HOUR_MS
        for _ in range(70):
            await bench.step(1)
        assert sorted(looked[3:]) == ["a", "b", "c"]
        bench.names = ["c", "d"]
        bench.now_ms += HOUR_MS
        for _ in range(5):
            await bench.step(1)
        assert sorted(looked[6:]) == ["c", "d"], "only those of the present assignment"

    run(course)


def test_one_look_at_a_time_and_a_rest_as_long_as_it_took() -> None:
    async def course() -> None:
        bench = Bench("a", "b")
        known = bench.store.known

        def slow(organisation: Organisation, now_ms: int) -> Known | None:
            bench.seconds += 7
            return known(organisation, now_ms)

        bench.store.known = slow  # type: ignore[method-assign]
        bench.looks.step()
        bench.looks.step()
        assert bench.looks._under_way is not None
        await asyncio.wait([bench.looks._under_way])
        assert bench.store.calls.count("known") == 1
        assert await bench.step() == []
        assert await bench.step(6.9) == []
        assert (await bench.step(0.1))[0] == "known"

    run(course)


def test_incidents_are_derived_by_the_clock_while_any_is_open() -> None:
    async def course() -> None:
        bench = Bench()
        await bench.step()
        assert any(one.state == "open" for one in bench.store.incidents.values())
        assert await bench.step(INCIDENTS_S - 1) == []
        assert (await bench.step(1))[0] == "incident_inputs"
        bench.store.failing["incident_inputs"] = [Unavailable("no answer")]
        assert await bench.step(INCIDENTS_S) == ["incident_inputs"]
        assert await bench.step(INCIDENTS_S - 1) == []
        assert (await bench.step(1))[0] == "incident_inputs"

    run(course)
