"""Of one answer's revisions the greatest (revision, time, digest) counts, whatever the order in which they arrive."""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.answers import Answer, AnswerTuple, measure_of, thousandths
from tests.pipeline.builders import NAME, NINE, PBX


def revision(number: int, time: int = 0, digest: str = "d") -> AnswerTuple:
    return (number, NINE + time, digest, NINE, {"items": {}})


def merged(*values: AnswerTuple) -> Answer:
    answer = Answer(NAME, PBX, "a1")
    for value in values:
        answer.merge(value)
    return answer


@pytest.mark.parametrize(
    ("values", "winner"),
    [
        ([revision(0, 9), revision(1, 5), revision(2, 1)], revision(2, 1)),
        ([revision(1, 5), revision(1, 6), revision(0, 9)], revision(1, 6)),
        ([revision(1, 5, "a"), revision(1, 5, "c"), revision(1, 5, "b")], revision(1, 5, "c")),
    ],
    ids=["the last revision", "of one revision the one logged last", "of those the greatest digest"],
)
def test_one_revision_counts(values: list[AnswerTuple], winner: AnswerTuple) -> None:
    for order in permutations(values):
        assert merged(*order).value == winner


revisions = st.lists(st.builds(revision, st.integers(0, 2), st.integers(0, 2), st.sampled_from("ab")), max_size=10)


@given(revisions, st.randoms(use_true_random=False))
def test_order_and_duplicates_do_not_matter(values: list[AnswerTuple], dice: random.Random) -> None:
    shuffled = values * 2
    dice.shuffle(shuffled)
    assert merged(*shuffled).value == merged(*values).value == max(values, default=None, key=lambda value: value[:3])


@given(revisions)
def test_changes_count_how_often_the_content_changed(values: list[AnswerTuple]) -> None:
    answer = Answer(NAME, PBX, "a1")
    for value in values:
        before, changes = answer.value, answer.changes
        changed = answer.merge(value)
        assert changed == (answer.value != before) == (answer.changes == changes + 1)
    assert not any(answer.merge(value) for value in values)


def test_a_stored_answer_goes_on_counting() -> None:
    answer = Answer(NAME, PBX, "a1", revision(1), 4)
    assert not answer.merge(revision(1))
    assert answer.merge(revision(2))
    assert (answer.changes, answer.value) == (5, revision(2))


def test_a_measure_names_instrument_version_and_aspect() -> None:
    assert measure_of("na-contact", 2, "ease") == "answer:na-contact:2:ease"


@given(st.integers(-(10**12), 10**12))
def test_thousandths_come_back_from_the_grade_they_make(stored: int) -> None:
    assert thousandths(stored / 1000) == stored
