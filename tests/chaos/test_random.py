"""Engines and workers killed and stopped in random order while events and poison flow."""

import random
from collections.abc import Callable

from tests.chaos import recovery, truth
from tests.chaos.crew import Crew, crew, flow
from tests.chaos.forms import Form
from tests.e2e.running import Stack


def faults(stack: Stack, workers: Crew, chance: random.Random) -> dict[str, Callable[[], object]]:
    """What may happen, by name. Engines are up again when it returns; workers are started again by whoever tends them."""

    def restarted(kill: Callable[[], object], start: Callable[[], object]) -> None:
        kill()
        start()

    def some_worker() -> str:
        return chance.choice(["one", "two"])

    kafka, clickhouse = stack.kafka, stack.clickhouse
    return {
        "worker kill -9": lambda: workers[some_worker()].kill(),
        "worker SIGTERM": lambda: workers[some_worker()].stop(),
        "ClickHouse kill -9": lambda: restarted(clickhouse.kill, clickhouse.start),
        "ClickHouse SIGTERM": clickhouse.restart,
        "Kafka kill -9": lambda: restarted(kafka.kill, kafka.start),
        "Kafka SIGTERM": kafka.restart,
    }


def test_kills_in_random_order_under_load(stack: Stack, right: truth.Truth, form: Form, chance: random.Random) -> None:
    told = recovery.scenario(f"random kills under load ({form.name})")
    names = truth.add(stack, [f"random-{form.name}-{number}" for number in range(8 * form.rounds)])
    with crew(stack, one={}, two={}) as workers, flow(stack, names, right.events, form.rate, chance.randrange(1000)) as sending:
        possible = faults(stack, workers, chance)
        order = list(possible) * form.rounds
        chance.shuffle(order)
        for number, fault in enumerate(order):
            print(f"{number}: {fault}")  # shown when the test fails
            possible[fault]()
            if chance.random() < 0.7 or number == len(order) - 1:  # else the next comes before this one is over
                told.add(fault, recovery.seconds_to_recover(stack, workers.ready))
        sending.enough()
        workers.wait(sending.ended, "everything to be sent")
        workers.settle()
        right.check(stack, sending.sent)
        told.note = (
            f"{len(sending.sent)} organisations, {len(sending.sent) * len(right.events)} events, workers started {workers.starts} times"
        )
