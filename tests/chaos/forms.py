"""How long everything takes: a short form for every run of the tests, a long one for `make chaos`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """contacts: of the history each organisation gets. rate: events a second while things break. rounds: how often each fault comes.
    outage_s: how long an engine stands still. backlog: events that lie ready."""

    name: str
    contacts: int
    rate: float
    rounds: int
    outage_s: float
    backlog: int


SHORT = Form("short", contacts=400, rate=300, rounds=1, outage_s=13, backlog=25_000)
LONG = Form("long", contacts=2_500, rate=600, rounds=6, outage_s=60, backlog=1_000_000)
