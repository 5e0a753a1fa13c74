"""Poison of every kind in the midst of everything is refused with its reason, costs no neighbour, and stops nothing."""

from tests.chaos import poison, truth
from tests.chaos.crew import crew
from tests.chaos.forms import Form
from tests.docs.test_pages import reasons
from tests.e2e.running import Stack

ELSEWHERE = {"event_too_large", "unknown_organisation", "wrong_partition"}
"""The sender's own, and those of records that are not of this organisation (tests/e2e/test_bad_input.py, tests/pipeline)."""


def test_every_reason_there_is(stack: Stack, right: truth.Truth, form: Form) -> None:
    name = truth.add(stack, [f"poison-{form.name}"])[0]
    bad = poison.records(name)
    assert {*right.refused, *poison.reasons(bad)} == reasons() - ELSEWHERE
    with crew(stack, one={"FAULT": "kill:contacts:0.05"}) as workers:
        for part, (_, (value, headers)) in zip(right.parts(len(bad)), bad, strict=True):
            stack.send(name, part)
            stack.produce(name, [value], headers)
        workers.settle()
        right.check(stack, [name], live=False)
        whole = stack.query(
            "SELECT reason, count() FROM rejects FINAL WHERE organisation = {name:String} AND position < 0 GROUP BY reason", name=name
        )
        assert dict(whole) == poison.reasons(bad)
