"""ClickHouse refuses, is slow, breaks off, keeps its answer to itself: the worker waits, says why, and goes on; it does not end."""

import random
import time
from collections.abc import Callable, Mapping

from tests.chaos import recovery, truth
from tests.chaos.crew import PATIENT, crew
from tests.chaos.forms import Form
from tests.chaos.proxy import Cut, Proxy, Refuse
from tests.e2e.running import Stack

Hooks = dict[str, Callable[[str], Mapping[str, str] | None]]


def refusing(code: int, text: str) -> Hooks:
    def refuse(_table: str) -> None:
        raise Refuse(code, text)

    return {"before": refuse}


def cut(_table: str) -> None:
    raise Cut


def really(**settings: str) -> Hooks:
    """ClickHouse itself is to run the inserts with these settings, and refuses."""
    return {"before": lambda _table: settings}


FAULTS: dict[str, tuple[Hooks, str]] = {
    "read-only": (really(readonly="1"), "readonly"),
    "out of memory": (really(max_memory_usage="1000"), "memory limit"),
    "out of time": (really(max_execution_time="0.000001"), ""),
    "too many parts": (refusing(252, "Too many parts (3000). Merges are processing significantly slower than inserts."), "Too many parts"),
    "too many queries": (refusing(202, "Too many simultaneous queries. Maximum: 100."), "simultaneous"),
    "no space left": (refusing(243, "Cannot reserve 1.00 MiB, not enough space"), "not enough space"),
    "broken off before": ({"before": cut}, "does not answer"),
    "stored, and the answer lost": ({"after": cut}, "does not answer"),
}
"""By name: what the proxy does, and a word of what the worker says meanwhile."""


def test_inserts_that_fail(stack: Stack, right: truth.Truth, form: Form, proxy: Proxy, chance: random.Random) -> None:
    told = recovery.scenario(f"ClickHouse refuses ({form.name})")
    name = truth.add(stack, [f"refused-{form.name}"])[0]
    order = list(FAULTS) * form.rounds
    chance.shuffle(order)
    *parts, last = right.parts(len(order) + 1)
    with crew(stack, one={**PATIENT, "CLICKHOUSE_HTTP_PORT": str(proxy.port)}) as workers:
        for fault, part in zip(order, parts, strict=True):
            print(fault)  # shown when the test fails
            hooks, word = FAULTS[fault]

            def says(word: str = word) -> bool:
                code, status = workers["one"].get("/status")
                return code == 200 and not status["ready"] and word.lower() in status["waiting_for"].lower() != ""

            with proxy.faults(**hooks):  # type: ignore[arg-type]
                stack.send(name, part)
                workers.wait(says, f"the worker to say that it waits ({fault})")
            told.add(fault, recovery.seconds_to_recover(stack, workers.ready))
        with proxy.faults(before=lambda _table: time.sleep(0.4)):
            stack.send(name, last)
            told.add("slow", recovery.seconds_to_recover(stack, workers.ready))
        assert workers.starts == 1, "it waits, it does not end"
        right.check(stack, [name])
