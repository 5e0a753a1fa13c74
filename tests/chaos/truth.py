"""What must be stored of the events that every organisation here gets, and whether it is."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import yaml

from connectors.protocol import WireEvent
from schemas.types import iso
from tests.chaos import poison
from tests.e2e import synthetic
from tests.e2e.figures import minute_of
from tests.e2e.running import Stack
from tests.e2e.test_oracle import rows
from tests.oracle.figures import expected
from tests.oracle.rows import disagreements

Figures = dict[tuple[str, str, str], tuple[int, int, int]]

Change = Callable[[str], str]


def _as_it_is(text: str) -> str:
    return text


_BACK = tuple(timedelta(hours=hours) for hours in (0, 1, 30, 300))


@dataclass(frozen=True)
class Truth:
    """The events, the moment of their making, and what is right to be stored of them: rows, figures, and how many refusals by reason."""

    now: datetime
    events: list[WireEvent]
    rows: dict[str, list[tuple[Any, ...]]]
    figures: list[Figures]
    refused: Counter[str]

    def parts(self, count: int) -> list[list[WireEvent]]:
        """The events in so many parts, each with something of everything and of most contacts."""
        chance, found = random.Random(count), [list[WireEvent]() for _ in range(count)]
        for event in self.events:
            chance.choice(found).append(event)
        return found

    def check(self, stack: Stack, names: Sequence[str], live: bool = True) -> None:
        """Everything stored of each organisation is right, and so is every figure; `live`: those of the running worker as well."""
        for name in names:
            assert_equal(stack, name, self.rows)
            assert figures(stack, name, self.now) == self.figures, name
            found = refused(stack, name)
            assert found == self.refused, f"{name}: {found - self.refused} too many, {self.refused - found} missing"
            if live:
                assert stack.check_live(name) > 0


def assert_equal(stack: Stack, name: str, wanted: Mapping[str, list[tuple[Any, ...]]]) -> None:
    """Every row stored of an organisation is what it should be; else say which values of which row are not."""
    for table, stored in stack.stored(name).items():
        assert len(stored) == len(wanted[table]), f"{name}: rows of {table}"
        for found, right in zip(stored, wanted[table], strict=True):
            if found != right:
                differing = [(place, one, other) for place, (one, other) in enumerate(zip(found, right, strict=True)) if one != other]
                raise AssertionError(f"{name}: {table} {right[:2]}: (column, found, right): {differing}")


def figures(stack: Stack, name: str, now: datetime) -> list[Figures]:
    """At `now` and at three moments before it."""
    return [stack.rolling_at(name, now - back) for back in _BACK]


def refused(stack: Stack, name: str) -> Counter[str]:
    """Refused events by reason; one that the sender had to send twice counts once."""
    sql = (
        "SELECT reason, uniqExact(sha256) FROM rejects FINAL WHERE organisation = {name:String} AND position >= 0 "
        "GROUP BY reason"
    )  # fmt: skip
    return Counter(dict(stack.query(sql, name=name)))


def of_clean_load(stack: Stack, name: str, contacts: int, now: datetime, change: Change = _as_it_is) -> Truth:
    """Load history, with poison, into an organisation with nothing going wrong; the same events for the same contacts and `now`."""
    at = int(now.timestamp() * 1000)
    bad = poison.events(at, times=max(1, contacts // 200))
    good = [event for event in synthetic.history(contacts, at, seed=contacts) if event["time"] <= iso(at)]
    told = [event for event in good if event["data"].get("contact")]
    rest = [event for event in good if not event["data"].get("contact")]  # gauges, heartbeats and markers all come first otherwise
    events = poison.spread([*rest, *(event for _, event in bad)], told)
    add(stack, [name], change)
    stack.send(name, events, size=100)
    worker = stack.worker()
    stack.settle()
    truth = Truth(now, events, stack.stored(name), figures(stack, name, now), poison.reasons(bad))
    truth.check(stack, [name])
    assert worker.stop()
    _assert_the_oracles(truth, stack, name, change(synthetic.organisation(name)), good)
    return truth


def _assert_the_oracles(truth: Truth, stack: Stack, name: str, text: str, good: Sequence[WireEvent]) -> None:
    """The truth is what the oracle expects, which shares no code with the product; `good`: the events that none may refuse."""
    oracle = expected([(event, int(truth.now.timestamp() * 1000)) for event in good], yaml.safe_load(text))
    assert not oracle.refused
    contacts = {(row["system"], row["contact"]): row for row in rows(stack, "contacts", name)}
    answers = {(row["source"], row["answer"]): row for row in rows(stack, "survey_answers", name)}
    wrong = disagreements(oracle, contacts, answers)
    assert not wrong, "\n".join(wrong)
    assert truth.figures == [oracle.figures(minute_of(truth.now - back) * 60_000) for back in _BACK]


def add(stack: Stack, names: Sequence[str], change: Change = _as_it_is) -> list[str]:
    """Organisations that may send these events; their names. `change` alters the text of their files."""
    for name in names:
        stack.add_organisation(name, change(synthetic.organisation(name)))
    return list(names)
