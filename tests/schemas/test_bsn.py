"""The eleven test, what is found by it, and masking."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import bsn

VALID = "111222333"
"""A number that passes, given out for tests: 9·1 + 8·1 + 7·1 + 6·2 + 5·2 + 4·2 + 3·3 + 2·3 − 3 = 66."""


def never(_path: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("digits", "expected"), [(VALID, True), ("123456782", True), ("123456789", False), ("111222334", False), ("000000000", False)]
)
def test_the_eleven_test(digits: str, expected: bool) -> None:
    assert bsn.passes(digits) is expected


@given(st.integers(0, 10**8 - 1))
def test_of_the_numbers_with_eight_digits_given_at_most_one_last_digit_passes(first: int) -> None:
    digits = f"{first:08d}"
    assert sum(bsn.passes(f"{digits}{last}") for last in range(10)) <= 1


@pytest.mark.parametrize(
    "text",
    [
        VALID,
        f"bsn {VALID}",
        f"BSN{VALID}",
        f"mijn nummer is {VALID}.",
        "1112.22.333",
        "1112 22 333",
        "111.222.333",
        f"A-{VALID}",
        f"({VALID})",
    ],
)  # fmt: skip
def test_it_is_found_wherever_it_stands_by_itself(text: str) -> None:
    assert bsn.found_in(text)
    assert "*" in bsn.mask(text)
    assert not any(char.isdigit() for char in bsn.mask(text))


@pytest.mark.parametrize(
    "text",
    [
        f"{VALID}0", f"0{VALID}", f"x{VALID}", f"{VALID}e", "123456789", "1795301857.0", "urn:nld:oin:00000001112223330000:systeem:x",
        "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "0612345678", "2026-03-02", "",
    ],
)  # fmt: skip
def test_what_is_part_of_something_longer_is_none(text: str) -> None:
    assert not bsn.found_in(text)
    assert bsn.mask(text) == text


@given(st.text(alphabet="0123456789abcdef", min_size=16, max_size=64))
def test_a_hash_is_none_unless_it_is_all_the_number(text: str) -> None:
    assert not bsn.found_in(text)


def test_paths_say_where_and_times_are_no_numbers() -> None:
    event = {
        "id": "1", "time": f"2026-03-02T09:00:00.{VALID}+01:00",
        "data": {"contact": VALID, "nested": [{"note": f"bel {VALID}"}, 111222333, 7.5, None, True], f"key {VALID}": "x"},
    }  # fmt: skip
    assert list(bsn.paths(event, never)) == ["$.data.contact", "$.data.nested[0].note", "$.data.nested[1]", "$.data.key *********"]
    assert "$.data.contact" not in list(bsn.paths(event, lambda path: path == "$.data.contact"))
    assert list(bsn.paths({"time": VALID}, never)) == ["$.time"]


def test_masking_keeps_all_else() -> None:
    event = {"a": [f"x {VALID} y", 111222333, 5, 1.5, None, True], f"k {VALID}": "z"}
    assert bsn.masked(event) == {"a": ["x ********* y", "*********", 5, 1.5, None, True], "k *********": "z"}


def test_the_search_in_bytes_finds_all_that_the_exact_one_can_find() -> None:
    for text in (VALID, "1112.22.333", "111 222 333", f"BSN{VALID}", f"bsn {VALID}"):
        assert bsn.may_hold(f'{{"a":"{text}"}}'.encode())
    assert bsn.may_hold(rb'{"a":"\u0031\u00311222333"}')
    assert bsn.may_hold(b'{"a":111222333}')
    assert not bsn.may_hold(b'[{"id":"1","source":"urn:nld:oin:00000001112223330000:systeem:x","time":"2026-03-02T09:00:00.123456Z"}]')


@given(st.text(alphabet='0123456789 .-xbsnBSN"', max_size=30))
def test_the_quick_look_never_misses(text: str) -> None:
    if bsn.found_in(text):
        assert bsn.may_hold(orjson.dumps({"a": text}))
