"""Ids of events."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.identity import cloud_event, event_id
from schemas.events import EVENT


def test_a_golden_id() -> None:
    # Computed apart, with `printf '4:desk14:contact.opened2:C1' | b2sum -l 128`: an id may never change, or reloading counts twice.
    assert event_id("desk", "contact.opened", "C1") == "04b78715043f7969a747004d90732710"


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_other_parts_give_another_id(one: list[str], other: list[str]) -> None:
    assert (event_id(*one) == event_id(*other)) == (one == other)


def test_an_event_in_wire_form_is_valid() -> None:
    data = {"contact": "C1", "occurred_at": "2026-03-02T09:00:00Z", "channel": "email"}
    event = cloud_event("contact.opened", "urn:nld:oin:00000000000000000000:systeem:desk", event_id("C1"), 1_772_442_000_123, data)
    assert EVENT.validate_python(event)["time"] == 1_772_442_000_123
