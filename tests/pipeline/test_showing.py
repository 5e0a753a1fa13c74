"""Figures for boards beside the stream: whose turn it is, how much time that takes, and that nothing it trips over stops anything else."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from pipeline import metrics
from pipeline.configured import Configured
from pipeline.showing import AGAIN_S, HEAD_START_S, QUICK_S, RESTS, SHARE, Shows
from pipeline.store.client import Unavailable
from pipeline.store.shown import PARTS, Part
from schemas.organisation import Organisation
from schemas.types import epoch_ms
from tests.pipeline.drift.test_look import TOWN
from tests.pipeline.store.lives import local

NOON = epoch_ms(local("2025-10-27T12:00"))
DAY_MS = 86_400_000


class Bench:
    """Shows with clocks that are set by hand. A refresh takes `took` seconds, and fails with what `failing` holds for its part."""

    def __init__(self, *names: str, soon_s: float = math.inf) -> None:
        self.names = list(names) or ["town"]
        self.seconds, self.start_ms = 5000.0, NOON
        self.took: dict[str, float] = {}
        self.writes: Counter[str] = Counter()
        self.failing: dict[str, list[Exception]] = {}
        self.ailing: set[str] = set()
        self.asked: list[tuple[float, str, str]] = []
        self.shows = Shows(self.organisations, self, lambda name: self.writes[name], self.now_ms, lambda: self.seconds, soon_s)

    def organisations(self) -> dict[str, Configured]:
        return {name: Configured.of(TOWN.model_copy(update={"organisation": name}), 1) for name in self.names}

    def now_ms(self) -> int:
        return self.start_ms + round(1000 * (self.seconds - 5000.0))

    def refresh(self, organisation: Organisation, part: Part, now_ms: int) -> None:
        assert now_ms == self.now_ms()
        self.asked.append((self.seconds, organisation.organisation, part.name))
        if organisation.organisation in self.ailing:
            self.seconds += 40.0
            raise Unavailable("timed out", retry_after=0.0)
        self.seconds += self.took.get(part.name, 0.001)
        if self.failing.get(part.name):
            raise self.failing[part.name].pop(0)

    async def under_way(self) -> None:
        assert self.shows._under_way is not None
        await self.shows._under_way

    def run(self, seconds: float, each: Callable[[], Any] = lambda: None) -> list[tuple[float, str, str]]:
        """Step every second; what was asked meanwhile."""
        before = len(self.asked)

        async def steps() -> None:
            end = self.seconds + seconds
            while self.seconds < end:
                each()
                self.shows.step()
                await self.under_way()
                self.seconds += 1

        asyncio.run(steps())
        return self.asked[before:]


def counts(asked: list[tuple[float, str, str]], name: str = "town") -> Counter[str]:
    return Counter(part for _, whose, part in asked if whose == name)


def test_at_first_every_part_is_asked_in_order_and_of_every_organisation() -> None:
    bench = Bench("town", "other")
    asked = [(part, name) for _, name, part in bench.run(3)]
    assert asked == [(part, name) for part in PARTS for name in ("town", "other")]


def test_the_boards_of_a_few_organisations_are_filled_at_once() -> None:
    bench = Bench("town", "other")
    bench.took = dict.fromkeys(PARTS, 0.2)
    bench.names, names = [], bench.names
    bench.run(5)
    bench.names = names
    asked = bench.run(1)
    assert counts(asked) == counts(asked, "other") == dict.fromkeys(PARTS, 1)
    assert asked[-1][0] - asked[0][0] < 2 * 0.2 * len(PARTS)


def test_what_history_brings_after_the_start_is_soon_on_the_boards() -> None:
    bench = Bench(soon_s=10.0)
    asked = bench.run(1000, lambda: bench.writes.update(["town"]))
    moments = [at - 5000.0 for at, _, name in asked if name == "quarters"]
    assert moments[1] < 12
    assert all(1.8 * earlier < later < 2.5 * earlier for earlier, later in pairwise(moments[2:]))
    assert len(moments) < 10


def test_each_part_at_its_own_interval_while_something_is_stored() -> None:
    bench = Bench()
    bench.run(1)
    found = counts(bench.run(3600, lambda: bench.writes.update(["town"])))
    for name, part in PARTS.items():
        assert abs(found[name] - 3600 / part.every_s) <= 0.1 * 3600 / part.every_s + 1, name


def test_without_news_parts_are_asked_seldom_because_windows_end_at_the_clock() -> None:
    bench = Bench()
    bench.run(1)
    found = counts(bench.run(610))
    assert found.pop("figures") == 10
    assert {found[name] for name, part in PARTS.items() if part.every_s <= QUICK_S and name in found} == {2}
    bench.writes["other"] += 1
    assert not counts(bench.run(100))["open"]
    bench.writes["town"] += 1
    assert counts(bench.run(2))["open"] == 1


def test_a_new_local_day_is_news() -> None:
    bench = Bench()
    bench.run(15)
    bench.start_ms += DAY_MS // 2
    found = counts(bench.run(60))
    assert (found["open"], found["figures"]) == (1, 1)


def test_it_takes_its_share_of_the_time_and_the_slow_parts_do_not_keep_the_others_back() -> None:
    bench = Bench()
    bench.took = dict.fromkeys(PARTS, 0.8) | {"repeats": 7.0}
    asked = bench.run(7200, lambda: bench.writes.update(["town"]))
    for quick in (True, False):
        spent = sum(bench.took[part] for _, _, part in asked if (PARTS[part].every_s <= QUICK_S) is quick)
        assert spent <= SHARE * (7200 + HEAD_START_S) * 1.05
    times = [at for at, _, part in asked if part == "figures"]
    assert max(after - before for before, after in pairwise(times[1:])) < 50, "once each was asked"
    found = counts(asked)
    assert found["figures"] > 2 * found["expected"] > 2, "what is wanted more often comes more often, too, when time is short"
    assert all(found[name] for name in PARTS)


def test_one_organisation_does_not_keep_back_another() -> None:
    bench = Bench("large", "small")
    bench.took = dict.fromkeys(PARTS, 0.5)
    asked = bench.run(3600, lambda: bench.writes.update(["large", "small"]))
    large, small = counts(asked, "large"), counts(asked, "small")
    assert all(abs(large[name] - small[name]) <= 1 for name in PARTS)


def test_what_goes_wrong_is_counted_and_tried_again() -> None:
    bench = Bench()
    before = metrics.SHOWN_FAILURES._value.get(), metrics.SHOWN.labels("open")._value.get()
    bench.failing = {"repeats": [ValueError("ours")], "open": [Unavailable("not now", retry_after=0.0)]}
    first = counts(bench.run(1))
    assert first == dict.fromkeys(PARTS, 1)
    assert counts(bench.run(AGAIN_S + 5, lambda: bench.writes.update(["town"])))["repeats"] == 1
    assert metrics.SHOWN_FAILURES._value.get() == before[0] + 1, "only errors of ours"
    assert metrics.SHOWN.labels("open")._value.get() > before[1]


def test_one_whose_questions_time_out_leaves_the_others_most_of_the_time() -> None:
    bench = Bench("ailing", "well")
    bench.run(1)
    bench.ailing = {"ailing"}
    asked = bench.run(4 * 3600, lambda: bench.writes.update(bench.names))
    tries = [at for at, name, _ in asked if name == "ailing"]
    once_each = len(PARTS)
    assert all(after - before >= RESTS * 40 for before, after in pairwise(tries[once_each:]))
    assert len(tries) > once_each
    settled = [one for one in asked if one[0] >= tries[once_each]]
    assert counts(settled, "well")["figures"] > (asked[-1][0] - tries[once_each]) / 10 / 3
    times = [at for at, name, part in settled if (name, part) == ("well", "figures")]
    assert max(after - before for before, after in pairwise(times)) < 600, "boards call figures out of date from there on"


def test_what_is_away_for_a_moment_is_asked_at_its_usual_time() -> None:
    bench = Bench()
    bench.run(1)
    bench.failing = {"open": [Unavailable("not now", retry_after=0.0)]}
    assert counts(bench.run(25, lambda: bench.writes.update(["town"])))["open"] == 2


def test_an_organisation_that_is_no_longer_ours_is_left_alone() -> None:
    bench = Bench("town", "other")
    bench.run(1)
    bench.names = ["town"]
    assert not counts(bench.run(400, lambda: bench.writes.update(["town", "other"])), "other")
    bench.names = ["town", "other"]
    assert counts(bench.run(5), "other") == dict.fromkeys(PARTS, 1)


def test_one_at_a_time() -> None:
    bench = Bench()

    async def steps() -> None:
        bench.shows.step()
        bench.shows.step()
        await bench.under_way()

    asyncio.run(steps())
    assert counts(bench.asked) == dict.fromkeys(PARTS, 1)
