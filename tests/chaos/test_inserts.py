"""What can happen to one batch on its way into the tables."""

import os
import random
import signal
import threading
import time
from functools import partial

from pipeline.rows import COLUMNS
from tests.chaos import recovery, truth
from tests.chaos.crew import PATIENT, crew
from tests.chaos.forms import Form
from tests.chaos.proxy import Cut, Proxy
from tests.e2e.running import Stack

SIDES = ("before", "after")
WRITTEN = [table for table in COLUMNS if table not in {"comments", "tombstones"}]
"""The tables that these events come to: nobody comments, nobody is forgotten."""


class Assassin:
    """Kills a worker, once, at the first insert that is among those still to do."""

    def __init__(self, victim: int, todo: list[tuple[str, str]]) -> None:
        self._victim, self._todo = victim, todo
        self._lock = threading.Lock()
        self.struck = ""

    def strike(self, side: str, table: str) -> None:
        """`side`: the insert has left and not arrived, or is stored and the worker has not heard of it."""
        with self._lock:
            if self.struck or (table, side) not in self._todo:
                return
            self._todo.remove((table, side))
            self.struck = f"{side} {table}"
        os.kill(self._victim, signal.SIGKILL)
        raise Cut


def test_kills_between_the_inserts_of_a_batch(stack: Stack, right: truth.Truth, form: Form, proxy: Proxy, chance: random.Random) -> None:
    """Of every table, before its insert has arrived or after that."""
    told = recovery.scenario(f"kills between inserts ({form.name})")
    name = truth.add(stack, [f"between-{form.name}"])[0]
    todo = [(table, chance.choice(SIDES)) for table in WRITTEN for _ in range(form.rounds)]
    with crew(stack, one={"CLICKHOUSE_HTTP_PORT": str(proxy.port)}) as workers:
        for part in right.parts(len(todo)):
            victim = workers["one"].pid
            assassin = Assassin(victim, todo)
            with proxy.faults(**{side: partial(assassin.strike, side) for side in SIDES}):
                stack.send(name, part)
                workers.wait(lambda victim=victim: workers["one"].pid != victim, f"an insert among {todo}")  # type: ignore[misc]
            print(assassin.struck)  # shown when the test fails
            told.add(f"kill -9 {assassin.struck.split()[0]} an insert", recovery.seconds_to_recover(stack, workers.ready))
        assert not todo
        right.check(stack, [name])


def test_evicted_while_its_insert_is_in_flight(stack: Stack, right: truth.Truth, form: Form, proxy: Proxy, chance: random.Random) -> None:
    """Room for three contacts, slow inserts, and the same contacts again in every record."""
    name = truth.add(stack, [f"evicted-{form.name}"])[0]
    mixed = list(right.events)
    chance.shuffle(mixed)  # the next event of a contact comes in the next record, or many later
    environment = {**PATIENT, "CLICKHOUSE_HTTP_PORT": str(proxy.port), "CONTACTS_IN_MEMORY": "3", "BATCH_BYTES": "4000"}
    with crew(stack, one=environment) as workers, proxy.faults(before=lambda table: time.sleep(0.05 * (table == "contacts"))):
        stack.send(name, mixed, size=30)
        workers.settle()
        right.check(stack, [name])
        assert workers["one"].metric("contactmeter_lookups_total") > form.contacts, "it must have forgotten contacts all the time"
        assert workers["one"].metric("contactmeter_sums_recomputed_total") == 0, "nothing is found that it did not write itself"
