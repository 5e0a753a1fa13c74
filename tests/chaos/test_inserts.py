"""What can happen to one batch on its way into the tables."""

import os
import random
import signal
import time

from pipeline.rows import COLUMNS
from tests.chaos import recovery, truth
from tests.chaos.crew import PATIENT, crew
from tests.chaos.forms import Form
from tests.chaos.proxy import Cut, Proxy
from tests.e2e.running import Stack


def test_kills_between_the_inserts_of_a_batch(stack: Stack, right: truth.Truth, form: Form, proxy: Proxy, chance: random.Random) -> None:
    """Killed when an insert has left and not arrived, and when it is stored and the worker has not heard of it; of any table."""
    told = recovery.scenario(f"kills between inserts ({form.name})")
    name = truth.add(stack, [f"between-{form.name}"])[0]
    moments = [(table, side) for table in COLUMNS for side in ("before", "after")] * form.rounds
    chance.shuffle(moments)
    moments = moments[: 6 * form.rounds**2]
    with crew(stack, one={"CLICKHOUSE_HTTP_PORT": str(proxy.port)}) as workers:
        for (table, side), part in zip(moments, right.parts(len(moments)), strict=True):
            print(side, table)  # shown when the test fails
            victim = workers["one"].pid

            def strike(inserted: str, table: str = table, victim: int = victim) -> None:
                if inserted == table:
                    os.kill(victim, signal.SIGKILL)
                    raise Cut

            with proxy.faults(**{side: strike}):
                stack.send(name, part)
                workers.wait(lambda victim=victim: workers["one"].pid != victim, f"an insert into {table}")  # type: ignore[misc]
            told.add(f"kill -9 {side} an insert", recovery.seconds_to_recover(stack, workers.ready))
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
