"""Everything derived is dropped and built again: from the log, with a kill in the midst of it, and from the stored timelines."""

from typing import Any

from tests.chaos import recovery, truth
from tests.chaos.crew import crew
from tests.chaos.forms import Form
from tests.e2e.running import Stack

OTHERS = {
    "v_organisations", "v_rolling", "v_rolling_history", "v_heartbeats", "v_audit", "v_monthly",
    "v_signals", "v_signal_states", "v_incidents", "v_watches", "v_shown", "v_status", "v_opening", "v_data_quality",
}  # fmt: skip
"""Views of the configuration (its generation goes up), of the present, of what was shown (known then, kept and not rebuilt), of sums that
are made once a day, and of figures kept for boards, which say how old they are."""


def views(stack: Stack) -> dict[str, list[tuple[Any, ...]]]:
    """The content of every view that takes no parameters and does not tell the present."""
    made = stack.query("SELECT name, create_table_query FROM system.tables WHERE database = 'contactmeter_views' AND engine = 'View'")
    names = sorted(name for name, text in made if "{" not in text and "now" not in text and name not in OTHERS)
    assert len(names) > 5
    return {name: stack.query(f"SELECT * FROM contactmeter_views.{name} ORDER BY ALL") for name in names}


def test_rebuilt_from_the_log_and_from_the_timelines(stack: Stack, right: truth.Truth, form: Form) -> None:
    told = recovery.scenario(f"rebuild ({form.name})")
    organisations = [name for (name,) in stack.query("SELECT DISTINCT organisation FROM contacts ORDER BY organisation")]
    before = {name: stack.stored(name) for name in organisations}
    quarters = {name: quarters_of(stack, name, right) for name in organisations[-2:]}
    shown = views(stack)
    assert shown["v_counts"]
    assert "in place" in stack.cli("setup")
    assert "start them" in stack.cli("rebuild", "--from", "kafka", "--yes")
    assert stack.query("SELECT count() FROM contacts") == [(0,)]
    with crew(stack, one={}, two={}) as workers:
        workers.wait(lambda: stack.query("SELECT count() > 100 FROM contacts") == [(1,)], "the rebuild to be under way")
        workers["one"].kill()
        told.add("killed amid a rebuild from Kafka", recovery.seconds_to_recover(stack, workers.ready))
        workers.settle()
        for name, rows in before.items():
            truth.assert_equal(stack, name, rows)
        stack.cli("rebuild", "--from", "timelines")
        workers["two"].kill()
        older = "SELECT 1 FROM contacts FINAL WHERE version % 65536 = 0 AND NOT forgotten LIMIT 1"
        workers.wait(lambda: not stack.query(older), "every contact to be judged again")
        workers.wait(workers.ready, "the workers to be ready")
        for name, rows in before.items():
            truth.assert_equal(stack, name, rows)
        right.check(stack, [f"clean-{form.name}"])
        assert {name: quarters_of(stack, name, right) for name in quarters} == quarters
        for view, content in views(stack).items():
            assert content == shown[view], view


def quarters_of(stack: Stack, name: str, right: truth.Truth) -> tuple[list[Any], list[Any]]:
    with stack.views() as found:
        return found.quarter_sums(name, right.now, False, False), found.quarter_outcomes(name, right.now, False, False)
