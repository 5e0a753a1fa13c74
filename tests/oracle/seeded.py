"""Municipalities with hundreds of contacts out of the same random lives, the same ones at every run: for tests on real engines."""

import random
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.oracle.door import Wire
from tests.oracle.lives import arrivals
from tests.oracle.towns import Mood, organisations

Drawn = TypeVar("Drawn")


def fixed(strategy: st.SearchStrategy[Drawn], number: int, of: int) -> list[Drawn]:
    """So many values of a strategy, the same for every run with one version of Hypothesis; `of`: which ones."""
    found: list[Drawn] = []

    @seed(of)
    @settings(max_examples=number, phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(one: Drawn) -> None:
        found.append(one)

    collect()
    return found


def municipality(name: str, mood: Mood, begins: Sequence[int], of: int) -> tuple[Wire, list[Wire]]:
    """Its document, and what arrived of as many groups of lives as `begins` (epoch ms) has members; `of` is the seed.

    What arrives of one group lies near each other, that of several is mixed. A contact of every tenth group is forgotten at its end.
    """
    organisation = max(fixed(organisations(mood), 20, of), key=lambda document: len(document["norms"])) | {"organisation": name}
    parts = fixed(st.sampled_from(begins).flatmap(lambda begin: arrivals(organisation, mood, begin)), len(begins) + 5, of)[5:]
    told: list[tuple[float, Wire]] = []
    chance = random.Random(of)
    for number, part in enumerate(parts):
        if number % 10 == 0:
            part.append(_forgotten(next(event for event in part if event["type"].startswith("nl.contactmeter.contact."))))
        since = chance.random() * len(parts)
        told += [(since + 3 * place / len(part), _of_part(event, f"p{number}_")) for place, event in enumerate(part)]
    return organisation, [event for _, event in sorted(told, key=lambda one: one[0])]


def _forgotten(event: Wire) -> Wire:
    """Its contact is forgotten at the same moment."""
    data = {name: event["data"][name] for name in ("contact", "occurred_at")}
    return event | {"id": "forgotten", "type": "nl.contactmeter.contact.forgotten", "data": data}


def _of_part(event: Wire, prefix: str) -> Wire:
    """The event with all that it names made different from what other parts name."""
    named = {name: event["data"][name] for name in ("contact", "answer", "same_as") if name in event["data"]}
    renamed = {name: prefix + one if isinstance(one, str) else one | {"id": prefix + one["id"]} for name, one in named.items()}
    return event | {"id": prefix + event["id"], "data": event["data"] | renamed}
