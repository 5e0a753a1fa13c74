"""What the full town has beside the simulated one: a survey with every scale, in a wave and over a break, priorities, norms on times."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import yaml

from connectors.identity import cloud_event, event_id
from connectors.protocol import WireEvent
from connectors.simulator.profile import source_of
from connectors.simulator.town import DAY_MS, HOUR_MS, ORGANISATION_FILE, day_of, instant
from schemas.types import iso

POLL = "burgerpeiling"
_GOAL = "dienstverlening"
_ASPECTS: dict[str, dict[str, Any]] = {
    "overall": {"title": {"nl": "Oordeel", "en": "Judgement"}, "target": 6.5, "priority": _GOAL},
    "hoped": {"title": {"nl": "Verwachting", "en": "Expectation"}, "expects": "overall"},
    "recommend": {"title": {"nl": "Aanbevelen", "en": "Recommend"}, "scale": "0-10"},
    "content": {"title": {"nl": "Tevreden", "en": "Content"}, "scale": "1-5"},
    "solved": {"title": {"nl": "Opgelost", "en": "Solved"}, "scale": "yes-no"},
}
_VALUES = {"overall": (6, 10), "hoped": (7, 10), "recommend": (3, 10), "content": (2, 5), "solved": (0, 1)}
"""The least and the most that people answer in the last quarter but one; in the quarter after it they are half a point less content."""


def quarters(now_ms: int) -> list[date]:
    """The first days of: the last whole quarter a year ago, the one before the last whole one, that one, the one that runs, the next."""
    today = day_of(now_ms)
    number = 4 * today.year + (today.month - 1) // 3
    return [date(one // 4, one % 4 * 3 + 1, 1) for one in (number - 5, number - 2, number - 1, number, number + 1)]


def file(now_ms: int) -> str:
    """The town's file."""
    _, _, last, running, _ = quarters(now_ms)
    document = yaml.safe_load(ORGANISATION_FILE.read_text(encoding="utf-8"))
    document["priorities"] = {_GOAL: {"title": {"nl": "Goede dienstverlening", "en": "Good service"}}}
    document["norms"][0]["priority"] = _GOAL
    for norm, channel, statistic, threshold in (
        ("telephone_mean_60s", "telephone", "mean", "60s"), ("counter_longest_30min", "counter", "max", "30min"),
    ):  # fmt: skip
        document["norms"].append({
            "id": norm, "title": {"nl": f"Norm {statistic}", "en": f"Norm {statistic}"}, "applies_to": {"channels": [channel]},
            "statistic": statistic, "clock": "elapsed", "threshold": threshold, "start": "queued", "stop": "answered", "source": "Invented",
        })  # fmt: skip
    poll = {"title": {"nl": "Burgerpeiling", "en": "Poll"}, "scale": "1-10", "population": "general", "aspects": _ASPECTS}
    document["instruments"][POLL] = [{"version": 1, **poll}, {"version": 2, **poll}]
    document["waves"] = {
        "najaar": {"number": 1, "instrument": POLL, "version": 1, "from": last, "to": running, "size": 200, "invited": 100},
    }
    return str(yaml.safe_dump(document))


def answers(now_ms: int) -> Iterator[WireEvent]:
    """80 invitations a quarter, of which most were answered; those of the quarter that runs to another version of the questionnaire."""
    chance, source = random.Random(1), source_of("enquete")
    before, *followed = quarters(now_ms)
    last, running = followed[1], followed[2]
    for begin, end in ((before, before + timedelta(days=90)), *pairwise(followed)):
        since, until = instant(begin) + DAY_MS, min(instant(end) - DAY_MS, now_ms - HOUR_MS)
        for number in range(80 if since < until else 0):
            at = since + (until - since) * number // 80
            common = {
                "occurred_at": iso(at), "instrument": POLL, "version": 2 if begin == running else 1,
                "invitation": f"{begin}-{number}", "channel": ("telephone", "email")[number % 2],
                "team": ("Noord", "Zuid")[number // 2 % 2],
                **({"wave": "najaar"} if begin == last else {}),
            }  # fmt: skip
            yield cloud_event("survey.invited", source, event_id("invited", POLL, f"{begin}-{number}"), at, common)
            if chance.random() < 0.85:
                less = 1 if begin == last and chance.random() < 0.6 else 0
                items = {name: max(chance.randint(*span) - less, 1 if name != "solved" else 0) for name, span in _VALUES.items()}
                given = {**common, "answer": f"{begin}-{number}", "revision": 1, "status": "complete", "items": items}
                yield cloud_event("survey.answered", source, event_id("answered", POLL, f"{begin}-{number}"), at, given)
