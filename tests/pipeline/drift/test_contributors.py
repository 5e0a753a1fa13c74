"""Contributors: what all parts contribute adds up to the change, chance and mix name nobody, and small cells stay unseen."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drift.contributors import Part, contributions, contributors
from pipeline.drift.kinds import Name

HOURS = (400.0, 20.0)
count = st.integers(0, 500)


@st.composite
def splits(draw: st.DrawFn) -> list[Part]:
    sizes = draw(st.lists(st.tuples(count, count), min_size=1, max_size=8))
    return [
        Part(f"p{number}", n0, draw(st.integers(0, n0 * 10)), n1, draw(st.integers(0, n1 * 10))) for number, (n0, n1) in enumerate(sizes)
    ]


@given(splits(), st.sampled_from(["grade", "time"]))
def test_contributions_add_up_to_the_change_of_a_mean(parts: list[Part], kind: Name) -> None:
    found = contributions(kind, parts, HOURS, 1.0)
    n0, n1 = sum(part.n0 for part in parts), sum(part.n1 for part in parts)
    if not n0 or not n1:
        assert found == []
        return
    change = sum(part.total1 for part in parts) / n1 - sum(part.total0 for part in parts) / n0
    assert sum(one.amount for one in found) == pytest.approx(change, abs=1e-9)
    assert sum(one.even for one in found) == pytest.approx(change, abs=1e-9)


@given(splits())
def test_contributions_add_up_to_the_change_of_a_volume(parts: list[Part]) -> None:
    found = contributions("volume", parts, HOURS, 0.0)
    n0, n1 = sum(part.n0 for part in parts), sum(part.n1 for part in parts)
    if n0:
        assert 1 + sum(one.amount for one in found) == pytest.approx((n1 / HOURS[1]) / (n0 / HOURS[0]), abs=1e-9)
        assert sum(one.even for one in found) == pytest.approx(sum(one.amount for one in found), abs=1e-9)
    else:
        assert found == []


def shares(*parts: Part, side: int = -1) -> list[tuple[str, float, int]]:
    return [(one.name, one.share, one.n) for one in contributors("compliance", side, "team", parts, small_cell=5)]


def test_the_team_that_fell_is_named_with_its_part_of_the_change() -> None:
    fell = Part("Burgerzaken", 3000, 2400, 150, 30)  # 80 % -> 20 %
    alike = [Part("Belastingen", 4000, 3200, 200, 160), Part("Vergunningen", 1000, 800, 50, 40)]
    assert shares(fell, *alike) == [("Burgerzaken", 1.0, 150)]
    assert shares(fell, *alike, side=1) == []


def test_several_are_named_by_what_they_contribute_and_at_most_three() -> None:
    def fall(name: str, n: int, misses: int) -> Part:
        return Part(name, n * 20, n * 20 * 9 // 10, n, n * 9 // 10 - misses)

    two = [fall("a", 100, 40), fall("b", 100, 60), *(fall(f"rest{number}", 100, 0) for number in range(6))]
    assert [name for name, _, _ in shares(*two)] == ["b", "a"]
    five = [*(fall(f"p{number}", 20, 15 + number) for number in range(3)), fall("large", 1000, 0)]
    assert [name for name, _, _ in shares(*five)] == ["p2", "p1", "p0"]
    assert sum(share for _, share, _ in shares(*five)) == pytest.approx(1, abs=0.011)
    better = fall("better", 100, -10)  # makes up for some of the fall, so that four parts lose more than a quarter of it
    four = [*five[:3], fall("p3", 20, 18), better, fall("large", 1000, 0)]
    assert [name for name, _, _ in shares(*four)] == ["p3", "p2", "p1"]


def test_nobody_is_named_when_all_changed_alike() -> None:
    assert shares(Part("a", 6000, 4800, 300, 180), Part("b", 3000, 2400, 150, 90), Part("c", 1000, 800, 50, 30)) == []
    assert shares(Part("only", 3000, 2400, 150, 60)) == []


def test_a_change_of_mix_at_the_usual_quality_names_nobody() -> None:
    parts = [Part("more", 1000, 800, 300, 240), Part("less", 3000, 2400, 100, 80), Part("worse", 1000, 800, 100, 40)]
    found = {one.part.name: one.amount for one in contributions("compliance", parts, HOURS, 0)}
    assert found["more"] == pytest.approx(0)
    assert found["less"] == pytest.approx(0)
    assert [name for name, _, _ in shares(*parts)] == ["worse"]


def test_the_unknown_is_never_named() -> None:
    assert shares(Part("", 3000, 2400, 150, 30), Part("Belastingen", 4000, 3200, 200, 160)) == []


def test_by_chance_hardly_anybody_is_named() -> None:
    draw, named = random.Random(5), 0
    for _ in range(200):
        parts = [Part(f"p{k}", 400, 320, 20, sum(draw.random() < 0.6 for _ in range(20))) for k in range(12)]
        named += len(shares(*parts))
    assert named <= 10


def test_grades_are_weighed_against_their_own_spread() -> None:
    parts = [Part("Fixi", 500, 500 * 7300, 30, 30 * 5800), Part("Overig", 4500, 4500 * 7300, 270, 270 * 7100)]

    def told(deviation: float) -> list[str]:
        return [one.name for one in contributors("grade", -1, "product", parts, small_cell=5, deviation=deviation)]

    assert told(1600.0) == ["Fixi"]
    assert told(6000.0) == []


def test_of_a_volume_an_outage_names_nobody_and_a_surge_its_product() -> None:
    usual = {"paspoort": 2000, "rijbewijs": 1500, "adres": 500}
    outage = [Part(name, n, 0, 0, 0) for name, n in usual.items()]
    surge = [Part(name, n, 0, n // 20 * (6 if name == "adres" else 1), 0) for name, n in usual.items()]

    def told(side: int, parts: list[Part]) -> list[str]:
        return [one.name for one in contributors("volume", side, "product", parts, small_cell=5, hours=HOURS)]

    assert told(-1, outage) == []
    assert told(1, surge) == ["adres"]
    assert told(1, [*outage[:2], Part("storing", 0, 0, 400, 0)]) == ["storing"]
    assert contributors("volume", 1, "product", surge, small_cell=5) == ()


def grades(*parts: tuple[str, int, int, int]) -> list[str]:
    """Of parts as (name, answers before, since, grade since in thousandths); all had a 7.3 before."""
    rows = [Part(name, n0, n0 * 7300, n1, n1 * grade) for name, n0, n1, grade in parts]
    return [one.name for one in contributors("grade", -1, "team", rows, small_cell=5, deviation=100.0)]


def test_a_part_with_few_answers_is_not_named() -> None:
    assert grades(("few", 400, 4, 1000), ("many", 4000, 100, 7300), ("other", 4000, 100, 7300)) == []
    assert grades(("few", 4, 30, 1000), ("many", 4000, 100, 7300), ("other", 4000, 100, 7300)) == []
    assert grades(("new", 0, 30, 1000), ("many", 4000, 100, 7300), ("other", 4000, 100, 7300)) == ["new"]


def test_what_is_named_does_not_leave_a_few_to_be_told_by_subtraction() -> None:
    fell = ("fell", 1000, 50, 5000)
    assert grades(fell, ("few", 100, 4, 7300)) == []  # the whole without the one is the other
    assert grades(fell, ("few", 100, 2, 7300), ("fewer", 100, 1, 7300)) == []  # three answers are still few
    assert grades(fell, ("few", 100, 4, 7300), ("fewer", 100, 3, 7300)) == ["fell"]
    assert grades(fell, ("few", 100, 4, 7300), ("also", 900, 40, 5500), ("large", 1000, 200, 7300)) == ["fell", "also"]
    assert grades(fell, ("few", 4, 200, 7300), ("also", 900, 40, 5500)) == ["fell"]  # the smallest named goes back to the rest


def test_without_anything_to_compare_nobody_is_named() -> None:
    assert shares() == []
    assert shares(Part("a", 0, 0, 10, 2), Part("b", 0, 0, 10, 10)) == []
    assert shares(Part("a", 10, 2, 0, 0), Part("b", 10, 10, 0, 0)) == []
    assert shares(Part("a", 10, 5, 10, 5), Part("b", 10, 5, 10, 5)) == []
