"""Which keys may be stored: never a false "new"."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.known import Known, hash_of

Key = tuple[str, str, str]
keys = st.lists(st.tuples(*[st.sampled_from(["", "a", "b", "é", "10", "1"])] * 3), max_size=20)


def hashes(stored: list[Key]) -> Known:
    return Known(np.array([hash_of(key) for key in stored], dtype=np.uint64))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        # xxh3 of the UTF-8 bytes, as ClickHouse 26.9 gave them for `xxh3(concat(…, char(0), …, char(0), …))`.
        (("voorbeeldstad", "pbx", "c1"), 11_445_529_210_818_043_689),
        (("voorbeeldstad", "pbx", "c2"), 2_565_180_464_811_425_265),
        (("gemeente", "crm", "élève-’s-Gravenhage"), 9_797_766_478_544_420_479),
        (("", "", ""), 3_685_390_413_631_870_213),
    ],
)
def test_a_hash_is_xxh3_of_the_parts_joined_by_nul(key: Key, expected: int) -> None:
    assert hash_of(key) == expected


def test_parts_do_not_run_into_each_other() -> None:
    assert len({hash_of(key) for key in [("ab", "c", ""), ("a", "bc", ""), ("a", "b", "c"), ("abc", "", "")]}) == 4


@given(keys, keys, keys)
def test_what_is_stored_or_added_is_never_taken_as_new(stored: list[Key], added: list[Key], asked: list[Key]) -> None:
    known = hashes(stored)
    known.add(added)
    everything = [*asked, *stored, *added]
    assert known.among(everything) == [key in {*stored, *added} for key in everything]


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=50))
def test_hashes_of_any_size_are_found(values: list[int]) -> None:
    key = ("voorbeeldstad", "pbx", "c1")
    assert Known(np.array([*values, hash_of(key)], dtype=np.uint64)).among([key]) == [True]
    others = [value for value in values if value != hash_of(key)]
    assert Known(np.array(others, dtype=np.uint64)).among([key]) == [False]


def test_the_given_array_need_not_be_sorted_and_is_left_alone() -> None:
    given_hashes = np.array([5, 2**64 - 1, 0, 7], dtype=np.uint64)
    Known(given_hashes)
    assert given_hashes.tolist() == [5, 2**64 - 1, 0, 7]


def test_nothing_is_known_of_nothing() -> None:
    known = Known.none()
    assert len(known) == 0
    assert known.among([("a", "b", "c")]) == [False]
    assert known.among([]) == hashes([("a", "b", "c")]).among([]) == []
    known.add([("a", "b", "c")])
    assert known.among([("a", "b", "c"), ("a", "b", "d")]) == [True, False]
    assert len(known) == 1
