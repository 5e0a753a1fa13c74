"""A backlog: everything lies ready when the workers start, and one is killed while they catch up."""

import time

from tests.chaos import recovery, truth
from tests.chaos.crew import crew
from tests.chaos.forms import Form
from tests.e2e.running import Stack


def test_a_backlog(stack: Stack, right: truth.Truth, form: Form) -> None:
    told = recovery.scenario(f"backlog ({form.name})")
    count = -(-form.backlog // len(right.events))
    names = truth.add(stack, [f"backlog-{form.name}-{number}" for number in range(count)])
    for name in names:
        stack.send(name, right.events, size=250)
    begin = time.monotonic()
    with crew(stack, one={"BATCH_BYTES": "2000000"}, two={"BATCH_BYTES": "2000000"}) as workers:
        last = names[-1]
        workers.wait(lambda: stack.count("contacts", names[count // 2]) > 0 or stack.lag() == 0, "them to have begun")
        workers["two"].kill()
        workers.settle()
        seconds = time.monotonic() - begin
        told.add(f"{count * len(right.events)} events", seconds)
        right.check(stack, [names[0], last])
        contacts = stack.count("contacts", f"clean-{form.name}")
        for name in names:
            assert stack.count("contacts", name) == contacts, name
            assert stack.rolling_at(name, right.now) == right.figures[0], name
