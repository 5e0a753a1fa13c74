"""What contacts and answers add to the sums, and netting the changes."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contributions import Contribution, Judged, Net, of_answer, of_contact
from pipeline.norms import Outcome
from pipeline.roles import COUNTS
from pipeline.rolling import minute_of
from tests.pipeline.builders import DAY, NINE, SECOND

AT_NINE = minute_of(NINE)
NOTHING = Judged("telephone", None, None, None, None, COUNTS, ())


def call(**fields: Any) -> Judged:
    """An answered call of 30 seconds' wait, unless other fields are given."""
    usual: dict[str, Any] = {"opened_at": NINE, "answered_at": NINE + 30 * SECOND, "wait_ms": 30_000}
    return NOTHING._replace(**(usual | fields))


def outcome(
    judged_at: int | None, stop: int | None, deadline: int | None = NINE + 45 * SECOND, norm: str = "n", excluded: str = ""
) -> Outcome:
    return Outcome(norm, 1, NINE, deadline, stop, judged_at, excluded)


def test_an_answered_call() -> None:
    assert of_contact(call()) == [
        ("volume", AT_NINE, 1, 0, 0),
        ("abandonment", AT_NINE + 1, 1, 0, 0),
        ("wait", AT_NINE + 1, 1, 30_000, 900_000_000),
    ]


def test_each_counts_in_the_minute_of_its_own_instant() -> None:
    waited = call(answered_at=NINE + DAY, wait_ms=DAY, outcomes=(outcome(NINE + 45 * SECOND, NINE + DAY),))
    assert [(measure, minute - AT_NINE) for measure, minute, *_ in of_contact(waited)] == [
        ("volume", 0), ("abandonment", 1_440), ("wait", 1_440), ("norm:n", 1),
    ]  # fmt: skip


def test_an_abandoned_call_counts_as_abandoned_and_has_no_wait() -> None:
    abandoned = call(answered_at=None, wait_ms=None, abandoned_at=NINE + SECOND)
    assert of_contact(abandoned) == [("volume", AT_NINE, 1, 0, 0), ("abandonment", AT_NINE + 1, 1, 1, 1)]


def test_an_answered_call_is_never_counted_as_abandoned_too() -> None:
    assert of_contact(call(abandoned_at=NINE)) == of_contact(call())


def test_a_wait_of_nothing_is_a_wait() -> None:
    assert of_contact(call(answered_at=NINE, wait_ms=0))[2] == ("wait", AT_NINE, 1, 0, 0)


def test_a_wait_that_is_not_known_leaves_the_answer() -> None:
    assert [measure for measure, *_ in of_contact(call(wait_ms=None))] == ["volume", "abandonment"]


def test_a_contact_that_was_never_opened_is_no_volume() -> None:
    assert [measure for measure, *_ in of_contact(call(opened_at=None, wait_ms=None))] == ["abandonment"]


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        (outcome(NINE, NINE), [("norm:n", AT_NINE, 1, 1, 1)]),
        (outcome(NINE + 45 * SECOND, NINE + 45 * SECOND), [("norm:n", AT_NINE + 1, 1, 1, 1)]),
        (outcome(NINE + 45 * SECOND, None), [("norm:n", AT_NINE + 1, 1, 0, 0)]),
        (outcome(NINE + 45 * SECOND, NINE + DAY), [("norm:n", AT_NINE + 1, 1, 0, 0)]),
        (outcome(None, None, excluded="abandoned"), []),
        (outcome(None, NINE - 1, excluded="stop_before_start"), []),
        (outcome(None, NINE, deadline=None, excluded="no_deadline"), []),
    ],
    ids=["at once", "at the deadline", "open", "late", "abandoned", "before its start", "no deadline"],
)
def test_an_outcome_counts_at_the_moment_of_its_verdict(judged: Outcome, expected: list[Contribution]) -> None:
    assert of_contact(NOTHING._replace(outcomes=(judged,))) == expected


def test_every_norm_is_a_measure_of_its_own() -> None:
    found = of_contact(NOTHING._replace(channel="email", outcomes=(outcome(NINE, NINE, norm="a"), outcome(NINE + DAY, None, norm="b"))))
    assert [(measure, total) for measure, _, _, total, _ in found] == [("norm:a", 1), ("norm:b", 0)]


@pytest.mark.parametrize("role", ["enriches", "unlinked", "unknown", "withdrawn", "mailbox", "forgotten"])
def test_only_a_contact_that_counts_counts(role: str) -> None:
    assert of_contact(call(outcomes=(outcome(NINE, NINE),), role=role)) == []


def test_a_norm_on_a_mean_adds_its_time_and_one_on_a_maximum_whether_it_was_within() -> None:
    mean = outcome(NINE, NINE, deadline=None)._replace(measured=30_000)
    longest = outcome(NINE, NINE, deadline=NINE - 1, norm="m")._replace(measured=60_000)
    assert of_contact(NOTHING._replace(outcomes=(mean, longest))) == [
        ("norm_mean:n", AT_NINE, 1, 30_000, 900_000_000),
        ("norm:m", AT_NINE, 1, 0, 0),
    ]


def answered(**fields: Any) -> tuple[str, list[Contribution]]:
    data = {"instrument": "q", "version": 2, "channel": "email", "items": {"overall": 7.5, "ease": 8.0}, **fields}
    return of_answer((0, NINE, "d", NINE, data), "chat")


def test_an_answer_counts_for_each_aspect() -> None:
    assert answered() == (
        "email",
        [("answer:q:2:overall", AT_NINE, 1, 7_500, 56_250_000), ("answer:q:2:ease", AT_NINE, 1, 8_000, 64_000_000)],
    )
    assert answered(items={}) == ("email", [])


def test_an_answer_without_a_channel_of_its_own_has_that_of_its_contact() -> None:
    data = {"instrument": "q", "version": 2, "items": {"overall": 7.5}}
    assert of_answer((0, NINE, "d", NINE, data), "chat")[0] == "chat"
    assert of_answer((0, NINE, "d", NINE, data), "") == ("", [])
    assert of_answer(None, "chat") == ("", [])


@pytest.mark.parametrize(("grade", "expected"), [(7.0, 7_000), (7.3, 7_300), (6.669999, 6_670), (0.0005, 0), (-2.5, -2_500), (1e9, 10**12)])
def test_a_grade_is_rounded_to_thousandths(grade: float, expected: int) -> None:
    ((_, _, _, total, squares),) = answered(items={"overall": grade})[1]
    assert (total, squares) == (expected, expected * expected)


changes = st.lists(
    st.tuples(
        st.sampled_from(["telephone", "email"]),
        st.tuples(st.sampled_from(["volume", "wait"]), st.integers(0, 3), st.just(1), st.integers(0, 5), st.integers(0, 25)),
        st.sampled_from([1, -1]),
    ),
    max_size=30,
)


@given(changes)
def test_net_changes_are_the_sum_of_all_changes(found: list[tuple[str, Contribution, int]]) -> None:
    net, expected = Net(), [Counter[tuple[str, str, int]]() for _ in range(3)]
    for channel, contribution, sign in found:
        net.add(channel, [contribution], sign)
        measure, minute, *amounts = contribution
        for amount, counter in zip(amounts, expected, strict=True):
            counter[channel, measure, minute] += sign * amount
    deltas = {(channel, measure, minute): [n, total, squares] for channel, measure, minute, n, total, squares in net.deltas()}
    all_sums = {key: [counter[key] for counter in expected] for counter in expected for key in counter}
    assert deltas == {key: amounts for key, amounts in all_sums.items() if any(amounts)}


of_one_contact = st.lists(
    st.tuples(st.sampled_from(["volume", "wait", "norm:n"]), st.integers(0, 1), st.just(1), st.integers(0, 1), st.integers(0, 1)),
    max_size=3,
    unique_by=lambda contribution: contribution[0],
)
channels = st.sampled_from(["telephone", "email"])


@given(channels, of_one_contact, channels, of_one_contact)
def test_replacing_is_taking_away_and_adding(channel: str, old: list[Contribution], new_channel: str, new: list[Contribution]) -> None:
    net, expected = Net(), Net()
    net.replace(channel, old, new_channel, new)
    expected.add(channel, old, -1)
    expected.add(new_channel, new, 1)
    assert sorted(net.deltas()) == sorted(expected.deltas())


def test_what_is_added_and_taken_away_leaves_nothing() -> None:
    net = Net()
    net.add("telephone", of_contact(call()), 1)
    net.add("telephone", of_contact(call()), -1)
    assert net.deltas() == []
