"""A worker keeps figures for boards by itself; after a kill the next one goes on."""

from datetime import UTC, datetime

from tests.e2e import synthetic
from tests.e2e.running import Stack, wait_until

NAME = "bordstad"
LONGEST_S = 240.0
"""It takes a share of the time only, and waits its turn on a machine that is busy."""


def shown(stack: Stack, number: int) -> bool:
    """Whether the figures kept are those of so many calls."""
    live = "SELECT max(n) FROM contactmeter_views.v_now_figures WHERE organisation = {name:String} AND measure = 'volume'"
    stored = "SELECT contacts FROM contactmeter_views.v_status WHERE organisation = {name:String}"
    return stack.query(live, name=NAME) == stack.query(stored, name=NAME) == [(number,)]


def test_boards_see_what_was_stored_also_after_a_kill(stack: Stack) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    stack.add_organisation(NAME, synthetic.organisation(NAME))
    worker = stack.worker().wait_ready()
    stack.send(NAME, [event for number in range(30) for event in synthetic.call(f"a{number}", now - 60_000 - number)])
    wait_until(lambda: shown(stack, 30), "the calls to be shown", LONGEST_S, every=0.5)
    assert worker.metric("contactmeter_shown_failures_total") == 0
    worker.kill()
    stack.send(NAME, [event for number in range(20) for event in synthetic.call(f"b{number}", now - 30_000 - number)])
    worker = stack.worker().wait_ready()
    wait_until(lambda: shown(stack, 50), "the later calls to be shown", LONGEST_S, every=0.5)
    assert worker.metric("contactmeter_shown_failures_total") == 0
    assert worker.stop()
