"""Two workers in one group with static membership, under load: one is killed amid an insert, one stands still past its session and goes
on, each time with an insert of the former owner landing late; and configurations that roll over both."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest

from connectors.protocol import WireEvent
from tests.chaos import recovery, truth
from tests.chaos.crew import Crew, crew
from tests.chaos.forms import Form
from tests.chaos.proxy import Proxy
from tests.e2e import synthetic
from tests.e2e.running import Stack


@dataclass
class Held:
    """An insert into contacts that is under way, and whose it is; it lands when `let_go` is set."""

    victim: str = ""
    let_go: threading.Event = field(default_factory=threading.Event)
    _first: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, owner: str, table: str) -> None:
        """Of all inserts into contacts the first is held, and what the same worker sends until it is let go."""
        if table != "contacts":
            return
        with self._first:
            self.victim = self.victim or owner
        if self.victim == owner:
            self.let_go.wait(600)


@contextmanager
def insert_held(workers: Crew, proxies: Mapping[str, Proxy], cause: Callable[[], object]) -> Iterator[Held]:
    """Enter when one worker has an insert into contacts under way; it lands when it is let go, or at the end of the block."""
    held = Held()
    try:
        with ExitStack() as faults:
            for owner, proxy in proxies.items():
                faults.enter_context(proxy.faults(before=partial(held.hold, owner)))
            cause()
            workers.wait(lambda: held.victim, "an insert into contacts")
        yield held
    finally:
        held.let_go.set()


@pytest.fixture
def proxies(stack: Stack) -> Iterator[dict[str, Proxy]]:
    """One for each worker."""
    made = {name: Proxy(stack.clickhouse.http_port) for name in ("one", "two")}
    yield made
    for proxy in made.values():
        proxy.close()


def through(proxies: Mapping[str, Proxy]) -> dict[str, dict[str, str]]:
    """The environment of each worker."""
    return {name: {"CLICKHOUSE_HTTP_PORT": str(proxy.port)} for name, proxy in proxies.items()}


def send(stack: Stack, names: Sequence[str], events: list[WireEvent]) -> None:
    """The same events to every organisation."""
    for name in names:
        stack.send(name, events)


def half_each(workers: Crew) -> None:
    workers.wait(lambda: {workers.partitions("one"), workers.partitions("two")} == {32}, "each to have its half")


def test_one_is_killed_amid_an_insert(
    stack: Stack, right: truth.Truth, form: Form, proxies: dict[str, Proxy], chance: random.Random
) -> None:
    """The insert lands before its next life has computed the sums, after that, or when that has stored the same already."""
    told = recovery.scenario(f"killed amid an insert ({form.name})")
    names = truth.add(stack, [f"amid-{form.name}-{number}" for number in range(4)])
    landings = [0.0, 5.0, 60.0] * form.rounds
    parts = iter(right.parts(2 * len(landings)))
    with crew(stack, **through(proxies)) as workers:
        half_each(workers)
        for latest_s in landings:
            with insert_held(workers, proxies, lambda: send(stack, names, next(parts))) as held:
                workers[held.victim].kill()
                timer = threading.Timer(chance.random() * latest_s, held.let_go.set)
                timer.start()
                send(stack, names, next(parts))
                told.add("kill -9 amid an insert", recovery.seconds_to_recover(stack, workers.ready))
                timer.cancel()
        workers.settle()
        right.check(stack, names)


def test_a_zombie_does_not_win(stack: Stack, right: truth.Truth, form: Form, proxies: dict[str, Proxy], chance: random.Random) -> None:
    """One stands still (SIGSTOP) until the other has its partitions, its insert lands then, and it goes on with what it knew."""
    told = recovery.scenario(f"zombie ({form.name})")
    names = truth.add(stack, [f"zombie-{form.name}-{number}" for number in range(4)])
    parts = iter(right.parts(3 * form.rounds))
    with crew(stack, **through(proxies)) as workers:
        for _ in range(form.rounds):
            half_each(workers)
            with insert_held(workers, proxies, lambda: send(stack, names, next(parts))) as held:
                workers.freeze(held.victim)
                begin = time.monotonic()
                send(stack, names, next(parts))
                other = "two" if held.victim == "one" else "one"
                workers.wait(lambda other=other: workers.partitions(other) == 64, "the other to take over")  # type: ignore[misc]
                told.add("the other has taken over", time.monotonic() - begin)
                if chance.random() < 0.5:  # else it lands while the other computes its sums
                    told.add("and has caught up", recovery.seconds_to_recover(stack, workers.ready))
                held.let_go.set()
                workers.thaw(held.victim)
                send(stack, names, next(parts))
                told.add("both have caught up", recovery.seconds_to_recover(stack, workers.ready))
        workers.settle()
        right.check(stack, names)


def stricter(text: str) -> str:
    return text.replace("threshold: 45s", "threshold: 20s").replace("threshold: 2wd", "threshold: 1wd")


def test_judged_again_while_events_flow_and_workers_die(stack: Stack, right: truth.Truth, form: Form, chance: random.Random) -> None:
    """`rejudge` of every organisation, both workers killed in turn meanwhile: as if the stricter norms had held from the start."""
    told = recovery.scenario(f"judged again ({form.name})")
    strict = truth.of_clean_load(stack, f"strict-{form.name}", form.contacts, right.now, stricter)
    assert strict.events == right.events
    assert strict.figures != right.figures
    names = truth.add(stack, [f"again-{form.name}-{number}" for number in range(4)])
    parts = iter(right.parts(4))
    with crew(stack, one={}, two={}) as workers:
        half_each(workers)
        send(stack, names, next(parts))
        workers.settle()
        truth.add(stack, names, stricter)
        begin = time.monotonic()
        for name, victim in zip(names, ["one", "two", "one", "two"], strict=True):
            stack.cli("rejudge", name, "--because", "chaos", "--no-wait")
            send(stack, names, next(parts, []))
            time.sleep(chance.random() * 2)  # somewhere between its taking this up and its having judged everything
            workers[victim].kill()
            workers.tend()
        workers.settle()
        older = "SELECT 1 FROM contacts FINAL WHERE organisation IN {names:Array(String)} AND version % 65536 = 0 LIMIT 1"
        workers.wait(lambda: not stack.query(older, names=names), "every contact to be judged again")
        workers.wait(workers.ready, "the workers to be ready")
        told.add("four rejudged, four killed", time.monotonic() - begin)
        strict.check(stack, names)


TOMORROW = """
  - id: answered_90s
    title: {{nl: Binnen 90 seconden, en: Within 90 seconds}}
    applies_to: {{channels: [telephone]}}
    clock: elapsed
    threshold: 90s
    start: queued
    stop: answered
    source: Test
    valid: {{from: {tomorrow}}}
instruments:"""


def test_a_configuration_rolls_over_both(stack: Stack, right: truth.Truth, form: Form) -> None:
    """Two directories of files, as on two machines: one has the new file, the other follows, and is killed in between."""
    names = truth.add(stack, [f"rolled-{form.name}-{number}" for number in range(4)])
    elsewhere = stack.directory / f"elsewhere-{form.name}"
    elsewhere.mkdir()
    for name in names:
        (elsewhere / f"{name}.yaml").write_text(synthetic.organisation(name))
    parts = iter(right.parts(5))
    tomorrow = (right.now.date().replace(year=right.now.year + 1)).isoformat()
    with crew(stack, one={}, two={"ORGANISATIONS": str(elsewhere)}) as workers:
        half_each(workers)

        def refusals(instance: str) -> set[str]:
            return set(workers[instance].get("/status")[1].get("refused_configurations", {}))

        send(stack, names, next(parts))
        for name in names:
            new = synthetic.organisation(name).replace("\ninstruments:", TOMORROW.format(tomorrow=tomorrow))
            stack.add_organisation(name, new)
        rolled = (
            "SELECT count() FROM organisations FINAL WHERE organisation IN {names:Array(String)} AND configuration LIKE '%answered_90s%'"
        )
        workers.wait(lambda: stack.query(rolled, names=names) == [(len(names),)], "the new one to be in force")
        send(stack, names, next(parts))
        workers["two"].kill()
        workers.wait(lambda: refusals("two") >= set(names), "the old file not to take its place")
        send(stack, names, next(parts))
        for name in names:
            (elsewhere / f"{name}.yaml").write_text((stack.organisations / f"{name}.yaml").read_text())
        workers.wait(lambda: not refusals("two"), "the other to follow")
        send(stack, names, next(parts))
        for name in names:
            stack.add_organisation(name, (elsewhere / f"{name}.yaml").read_text().replace("threshold: 45s", "threshold: 50s"))
        workers.wait(lambda: refusals("one") >= set(names), "a change of how contacts were judged to be refused")
        workers["one"].kill()
        send(stack, names, next(parts))
        workers.settle()
        workers.wait(lambda: refusals("one") >= set(names), "it to be refused also after a restart")
        right.check(stack, names)
        for name in names:
            stack.add_organisation(name, (elsewhere / f"{name}.yaml").read_text())
        workers.wait(lambda: not refusals("one"), "nothing to be refused any more")
