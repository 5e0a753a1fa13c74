"""Kafka can't be reached for a while: it stands still (SIGSTOP), connections open, and goes on."""

import os
import random
import signal
import threading

from tests.chaos import recovery, truth
from tests.chaos.crew import crew, flow
from tests.chaos.forms import Form
from tests.e2e.running import Stack


def test_kafka_stands_still(stack: Stack, right: truth.Truth, form: Form, chance: random.Random) -> None:
    """Longer than a worker's session; the sender waits too."""
    told = recovery.scenario(f"Kafka stands still {form.outage_s:.0f} s ({form.name})")
    names = truth.add(stack, [f"still-{form.name}-{number}" for number in range(4)])
    with crew(stack, one={}, two={}) as workers, flow(stack, names, right.events, form.rate, chance.randrange(1000)) as sending:
        workers.wait(lambda: stack.count("contacts", names[0]) > 20, "the load to have begun")
        os.kill(stack.kafka.pid, signal.SIGSTOP)
        try:
            over = threading.Event()
            timer = threading.Timer(form.outage_s, over.set)
            timer.start()
            workers.wait(
                lambda: all("Kafka" in worker.get("/status")[1].get("waiting_for", "") for worker in workers.workers), "them to say so"
            )
            workers.wait(over.is_set, "the end of the outage")
        finally:
            os.kill(stack.kafka.pid, signal.SIGCONT)
        told.add("SIGSTOP of Kafka", recovery.seconds_to_recover(stack, workers.ready))
        workers.wait(sending.ended, "everything to be sent")
        workers.settle()
        right.check(stack, names)
        told.note = f"workers started {workers.starts} times"
