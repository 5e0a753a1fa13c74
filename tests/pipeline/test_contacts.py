"""A contact as the merge of its events: the same whatever their order, their duplicates and their batches."""

import random
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contacts import MAX_EVENTS, EventTuple, digest, effective, merge
from pipeline.timeline import Timeline
from tests.pipeline.builders import CRM, MINUTE, NINE, PBX, PBX_2, SECOND, event, timeline

KINDS = ("opened", "queued", "answered", "closed", "reopened", "abandoned", "responded")

events = st.builds(
    event,
    kind=st.sampled_from(KINDS),
    at=st.integers(0, 3).map(lambda minutes: NINE + minutes * MINUTE),
    id=st.sampled_from(["e1", "e2", "e3"]),
    source=st.sampled_from([PBX, CRM]),
    time=st.integers(0, 3).map(lambda minutes: NINE + minutes * MINUTE),
)
"""Few ids, moments and log times: the same event again, one id with several contents, one content logged at several times."""
sets = st.lists(events, max_size=12)


def crowd(size: int, seed: int) -> list[EventTuple]:
    """More events than count, some with one content logged at two times or two contents under one id, in any order."""
    dice = random.Random(seed)

    def logged() -> int:
        return NINE + dice.randrange(9)

    found = [event("responded", NINE + i * SECOND, f"e{i}", dice.choice([PBX, CRM]), logged()) for i in range(size)]
    found += [event("responded", at, name, source, logged()) for at, source, name, *_ in dice.sample(found, size // 4)]
    found += [event("informed", at + MINUTE, name, source) for at, source, name, *_ in dice.sample(found, size // 4)]
    dice.shuffle(found)
    return found


many = st.builds(crowd, st.integers(150, 260), st.integers(0, 2**32))


def cut(items: list[EventTuple], sizes: list[int]) -> list[list[EventTuple]]:
    """The list in pieces of the given sizes, the rest at the end."""
    ends = [0, *accumulate(sizes), len(items)]
    return [items[start:end] for start, end in pairwise(ends)]


def merged(*batches: list[EventTuple]) -> list[EventTuple]:
    """What stays of batches taken one after the other."""
    kept: list[EventTuple] = []
    for new in batches:
        kept, _ = merge(kept, new)
    return kept


# Merging ---------------------------------------------------------------------------------------------------------------


@given(sets, sets)
def test_merging_is_commutative(a: list[EventTuple], b: list[EventTuple]) -> None:
    assert merged(a, b) == merged(b, a)


@given(sets, sets, sets)
def test_merging_is_associative(a: list[EventTuple], b: list[EventTuple], c: list[EventTuple]) -> None:
    assert merge(merged(a, b), merged(c))[0] == merge(merged(a), merged(b, c))[0]


@given(sets, sets)
def test_merging_again_changes_nothing(a: list[EventTuple], b: list[EventTuple]) -> None:
    kept = merged(a, b)
    for again in (a, b, kept, [*b, *a]):
        assert merge(kept, again) == (kept, 0)


@given(many, st.randoms(use_true_random=False), st.lists(st.integers(0, 120), max_size=4))
def test_past_the_bound_too_order_and_batches_and_duplicates_do_not_matter(
    found: list[EventTuple], dice: random.Random, sizes: list[int]
) -> None:
    kept = merged(found)
    shuffled = found + dice.sample(found, 20)
    dice.shuffle(shuffled)
    assert merged(*cut(shuffled, sizes)) == kept
    assert merge(kept, shuffled) == (kept, 0)
    assert len(kept) <= MAX_EVENTS + 1


@given(st.one_of(sets, many), st.lists(st.integers(0, 40), max_size=6))
def test_the_changes_are_the_same_however_events_are_cut_into_batches(found: list[EventTuple], sizes: list[int]) -> None:
    kept: list[EventTuple] = []
    changes = 0
    for new in cut(found, sizes):
        kept, count = merge(kept, new)
        changes += count
    assert (kept, changes) == merge([], found)


@given(sets, sets)
def test_a_set_changes_exactly_when_its_count_grows(a: list[EventTuple], b: list[EventTuple]) -> None:
    kept = merged(a)
    after, count = merge(kept, b)
    assert (after != kept) == (count > 0)


def test_the_given_list_is_not_changed() -> None:
    kept, new = [event("opened", NINE)], [event("closed", NINE)]
    before = list(kept), list(new)
    merge(kept, new)
    assert (kept, new) == before


def test_of_one_content_logged_twice_the_earliest_time_stays() -> None:
    early, late = event("opened", NINE, time=NINE), event("opened", NINE, time=NINE + 1)
    assert merge([late], [early]) == ([early], 1)
    assert merge([early], [late]) == ([early], 0)
    assert merge([], [late, early]) == ([early], 2)
    assert merge([], [early, late]) == ([early], 1)


def test_events_sort_by_moment_then_source_then_id() -> None:
    found = [event("opened", NINE, "2", PBX), event("queued", NINE, "10", PBX), event("closed", NINE, "9", CRM)]
    assert [(source, name) for _, source, name, *_ in merged(found)] == [(CRM, "9"), (PBX, "10"), (PBX, "2")]


def test_a_digest_tells_kind_moment_and_data_and_nothing_else() -> None:
    data = {"channel": "telephone", "product": "Paspoort"}
    assert digest("contact.opened", NINE, data) == digest("contact.opened", NINE, dict(reversed(data.items())))
    others = [("contact.corrected", NINE, data), ("contact.opened", NINE + 1, data), ("contact.opened", NINE, {"channel": "email"})]
    assert len({digest("contact.opened", NINE, data), *(digest(kind, at, said) for kind, at, said in others)}) == 4
    # BLAKE2b-128 of ["contact.opened",1772438400000,{"channel":"telephone","product":"Paspoort"}], by b2sum -l 128
    assert digest("contact.opened", NINE, data) == "b576dbaa9f879471d14fa3b06b02c077"


# What counts -----------------------------------------------------------------------------------------------------------


def test_of_several_contents_of_one_id_the_one_logged_last_counts() -> None:
    first, second = event("closed", NINE, id="e", time=NINE), event("closed", NINE + 5, id="e", time=NINE + 1)
    other = event("closed", NINE, id="e", source=CRM)
    for found in ([first, second, other], [other, second, first]):
        assert effective(merged(found)) == ([other, second], ["conflicting_event"])


def test_of_contents_logged_at_one_time_the_greatest_digest_counts() -> None:
    rivals = [event("closed", NINE + i, id="e", time=NINE) for i in range(5)]
    winner = max(rivals, key=lambda rival: rival[3])
    for found in (rivals, rivals[::-1]):
        assert effective(merged(found)) == ([winner], ["conflicting_event"])


def test_what_an_older_version_kept_of_a_content_is_that_content() -> None:
    opened = event("opened", NINE, channel="telephone", product="Schulden")
    older = (*opened[:6], {"channel": "telephone"})
    assert merge([older], [event("queued", NINE), opened])[0] == sorted([older, event("queued", NINE)], key=lambda one: one[:4])


def test_two_hundred_events_count_and_of_more_the_smallest() -> None:
    found = [event("responded", NINE + i, id=f"e{i}") for i in range(MAX_EVENTS)]
    assert effective(merged(found)) == (found, [])
    later = [event("responded", NINE + MAX_EVENTS + i, id=f"late{i}") for i in range(3)]
    assert effective(merged(later, found)) == (found, ["too_many_events"])
    earlier = event("opened", NINE - 1)
    assert effective(merged(found, [earlier])) == ([earlier, *found[:-1]], ["too_many_events"])


def test_discarded_events_are_no_changes() -> None:
    found = [event("responded", NINE + i, id=f"e{i}") for i in range(MAX_EVENTS + 1)]
    kept, changes = merge([], found)
    assert changes == MAX_EVENTS + 1
    assert merge(kept, [event("closed", NINE + MINUTE)]) == (kept, 0)


@given(st.one_of(sets, many), st.randoms(use_true_random=False))
def test_what_counts_depends_on_the_set_only(found: list[EventTuple], dice: random.Random) -> None:
    expected = effective(merged(found))
    dice.shuffle(found)
    assert effective(merged(found)) == expected
    counting, _ = expected
    assert len({(source, name) for _, source, name, *_ in counting}) == len(counting) <= MAX_EVENTS


# What the events say ---------------------------------------------------------------------------------------------------

OPENED = event("opened", NINE, channel="telephone")


def after(seconds: int, kind: str, **data: Any) -> EventTuple:
    """An event some seconds after nine."""
    return event(kind, NINE + seconds * SECOND, **data)


def test_the_first_of_each_kind_counts_for_reactions() -> None:
    found = timeline(OPENED, after(1, "queued"), after(5, "queued"), after(9, "answered"), after(20, "answered"))
    assert found.first == {"opened": NINE, "queued": NINE + SECOND, "answered": NINE + 9 * SECOND}
    assert found.wait_ms == 8 * SECOND
    assert found.defects == []


@pytest.mark.parametrize(
    ("events", "closed", "result"),
    [
        ([after(10, "closed", result="handled")], 10, "handled"),
        ([after(10, "closed", result="handled"), after(20, "closed", result="forwarded")], 20, "forwarded"),
        ([after(10, "closed", result="handled"), after(20, "reopened")], None, ""),
        ([after(10, "closed", result="handled"), after(20, "reopened"), after(30, "closed")], 30, ""),
        ([after(5, "reopened"), after(10, "closed", result="handled")], 10, "handled"),
    ],
    ids=["closed", "closed twice", "reopened", "closed again", "reopened before"],
)
def test_it_is_closed_by_the_last_close_that_no_reopening_follows(events: list[EventTuple], closed: int | None, result: str) -> None:
    found = timeline(OPENED, *events)
    assert (found.closed_at, found.result) == (None if closed is None else NINE + closed * SECOND, result)


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([after(9, "abandoned")], 9),
        ([after(7, "left_queue", reason="voicemail")], 7),
        ([after(9, "abandoned"), after(7, "left_queue", reason="key")], 7),
        ([after(5, "abandoned"), after(9, "answered")], None),
        ([after(5, "answered"), after(9, "abandoned")], None),
        ([after(5, "left_queue", reason="timeout"), after(9, "queued"), after(12, "answered")], None),
        ([], None),
    ],
    ids=["abandoned", "left", "both", "abandoned then answered", "answered then abandoned", "left then answered", "waiting"],
)
def test_it_left_the_queue_at_its_first_end_unless_it_was_answered(events: list[EventTuple], left: int | None) -> None:
    assert timeline(OPENED, after(1, "queued"), *events).left_at == (None if left is None else NINE + left * SECOND)


def test_an_unknown_wait_is_that_of_the_first_abandonment() -> None:
    assert timeline(OPENED, after(0, "abandoned", wait_unknown=True)).wait_unknown
    assert not timeline(OPENED, after(0, "abandoned"), after(5, "abandoned", wait_unknown=True)).wait_unknown
    assert not timeline(OPENED, after(0, "abandoned", wait_unknown=False)).wait_unknown


@pytest.mark.parametrize("kind", ["withdrawn", "forgotten"])
def test_withdrawn_is_for_good(kind: str) -> None:
    assert timeline(after(1, kind), OPENED, after(5, "reopened")).withdrawn
    assert not timeline(OPENED).withdrawn


def test_the_last_writer_of_an_attribute_wins() -> None:
    opened = event("opened", NINE, channel="telephone", product="Paspoort", team="KCC", via="app", person="0" * 16)
    transferred = after(10, "transferred", team="Burgerzaken")
    found = timeline(after(30, "corrected", channel="email"), opened, transferred, after(20, "corrected", product=""))
    assert found.attributes == {"channel": "email", "product": "", "team": "Burgerzaken", "via": "app", "person": "0" * 16}
    assert timeline(opened, after(5, "transferred", team="A"), after(9, "corrected", team="B")).attributes["team"] == "B"
    assert timeline(opened, after(9, "transferred", team="A"), after(5, "corrected", team="B")).attributes["team"] == "A"


def test_at_one_moment_source_and_id_decide_who_wrote_last() -> None:
    one, two = event("corrected", NINE, id="1", source=PBX, team="A"), event("corrected", NINE, id="1", source=PBX_2, team="B")
    assert timeline(two, one, OPENED).attributes["team"] == "B"


def test_an_appointment_and_a_reference_are_no_plain_texts() -> None:
    found = timeline(event("opened", NINE, channel="counter", appointment_at=NINE - 5, same_as={"system": "crm", "id": "77"}))
    assert found.first["appointment_at"] == NINE - 5
    assert (found.attributes, found.same_as) == ({"channel": "counter"}, ("crm", "77"))
    assert found.defects == []


def test_of_given_and_promised_deadlines_the_last_word_counts() -> None:
    opened = event("opened", NINE, channel="email", deadlines={"permit": 1_000, "objection": 2_000})
    corrected = after(10, "corrected", deadlines={"permit": 3_000})
    promised = after(20, "promised", norm="promise", due_at=4_000)
    assert timeline(opened, corrected, promised).due == {"permit": 3_000, "objection": 2_000, "promise": 4_000}
    assert timeline(opened, promised, after(30, "promised", norm="promise", due_at=5_000)).due["promise"] == 5_000
    assert timeline(opened, after(5, "promised", norm="permit", due_at=9_000), corrected).due["permit"] == 3_000


@pytest.mark.parametrize(
    ("events", "wait"),
    [
        ([OPENED, after(3, "queued"), after(20, "answered")], 17),
        ([OPENED, after(20, "answered")], 20),
        ([OPENED, after(3, "queued"), after(3, "answered")], 0),
        ([OPENED, after(21, "queued"), after(20, "answered")], None),
        ([OPENED, after(3, "queued")], None),
        ([after(20, "answered")], None),
        ([OPENED, after(3, "queued"), after(20, "abandoned")], None),
    ],
    ids=["queued", "not queued", "at once", "answered before queued", "waiting", "not opened", "abandoned"],
)
def test_the_wait_runs_from_queueing_or_opening_to_the_answer(events: list[EventTuple], wait: int | None) -> None:
    assert timeline(*events).wait_ms == (None if wait is None else wait * SECOND)


@pytest.mark.parametrize(
    ("events", "defects"),
    [
        ([OPENED, after(9, "closed")], []),
        ([OPENED, after(0, "closed")], []),
        ([OPENED, after(-9, "closed")], ["closed_before_opened"]),
        ([OPENED, after(-9, "closed"), after(9, "closed")], []),
        ([OPENED, after(-9, "closed"), after(5, "reopened")], []),
        ([OPENED, after(-1, "queued")], ["event_before_opened"]),
        ([OPENED, after(-1, "queued"), after(-1, "closed")], ["closed_before_opened", "event_before_opened"]),
        ([after(5, "answered")], ["not_opened"]),
        ([OPENED, event("opened", NINE + 5, id=OPENED[2], channel="telephone")], ["conflicting_event"]),
    ],
)
def test_a_wrong_order_is_a_defect(events: list[EventTuple], defects: list[str]) -> None:
    assert timeline(*events).defects == defects


def test_nothing_says_nothing() -> None:
    found = Timeline([])
    assert (found.first, found.attributes, found.due, found.closed_at, found.left_at) == ({}, {}, {}, None, None)
    assert found.defects == []
