"""Planted changes: what goes otherwise than usual in one channel from one instant until another, so that its drift can be found."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from connectors.protocol import Refused
from connectors.simulator import profile
from connectors.simulator.profile import Channel
from connectors.simulator.town import instant

Instants = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEVER = 2**62
"""The instant of what does not happen: later than any other, so that `at <= as_of` needs no special case."""

What = Literal["wait", "norm", "grade", "volume", "outage"]

SYNTAX = "CHANNEL[@TEAM]:CHANGE:FROM[..TO] with CHANGE wait:xF, norm:-Ppt, grade:-G, grade:+G, volume:xF or outage"
EXAMPLE = "telephone@Burgerzaken:wait:x4:2026-11-19T14:00..2026-11-23T09:00"

_FORM = re.compile(r"(?P<channel>[a-z]+)(@(?P<team>[^:@]+))?:(?P<what>[a-z]+)(:(?P<size>[^:]+))?:(?P<first>\d{4}-[^.]+)(\.\.(?P<last>.+))?")
_SIZES: dict[What, tuple[str, float, float]] = {
    "wait": (r"x(\d+(?:\.\d+)?)", 0.1, 20.0),
    "norm": (r"-(\d+(?:\.\d+)?)pt", 1.0, 60.0),
    "grade": (r"([+-]\d+(?:\.\d+)?)", -5.0, 5.0),
    "volume": (r"x(\d+(?:\.\d+)?)", 0.05, 20.0),
}
"""How a size is written, its least and its greatest value. An outage has none."""

_USUAL_COMPLIANCE = {"telephone": 0.715, "counter": 1.0, "email": 0.89, "form": 0.90, "social": 0.94}
"""The share within the norm without drift. The telephone's is less than what is measured: whom the drift makes wait may give up, and those
do not count, so more must be made late."""

_MAINLY = 0.8
"""Share of those made late who are of the team in which it mainly happens, as far as the team is large enough."""


@dataclass(frozen=True)
class Plant:
    """A planted change for the contacts of a channel that open in [from_ms, to_ms), all of them or those of a team.

    size: wait, volume: a factor of waits, of the number of contacts; norm: by how much the share within the norm falls (0.25), mainly in
    the team, or in profile.DRIFT_TEAM when none is named; grade: what is added to every grade before it is rounded and cut to 1-10;
    outage: 0, the part of the contacts that gets through. A channel without a norm gets longer waits from `norm` instead.
    """

    channel: str
    what: What
    size: float
    from_ms: int
    to_ms: int = NEVER
    team: str | None = None

    def of(self, opened: Instants, product: NDArray[np.int64]) -> Flags:
        """Which contacts of its channel it concerns: of its time, and of its team unless it is a `norm`, which others feel as well."""
        within: Flags = (opened >= self.from_ms) & (opened < self.to_ms)
        return within if self.team is None or self.what == "norm" else within & _in_team(self.team)[product]

    def told(self) -> dict[str, Any]:
        """What was planted, for the truth; `to_ms` None while it has no end."""
        return {**asdict(self), "to_ms": None if self.to_ms == NEVER else self.to_ms}


@dataclass(frozen=True)
class Planted:
    """What is planted for the contacts of one channel and day; without plants nothing differs from a town without."""

    channel: Channel
    plants: tuple[Plant, ...]

    @classmethod
    def on(cls, plants: Iterable[Plant], channel: Channel, from_ms: int, to_ms: int) -> "Planted":
        """Those of a channel that concern contacts opened in [from_ms, to_ms)."""
        return cls(
            channel, tuple(each for each in plants if each.channel == channel.name and each.from_ms < to_ms and from_ms < each.to_ms)
        )

    @property
    def peak(self) -> float:
        """The greatest factor of the volume there can be at any moment of the day, at least 1."""
        return float(np.prod([max(1.0, each.size) for each in self.plants if each.what == "volume"]))

    def gets_through(self, opened: Instants, product: NDArray[np.int64], chance: Floats) -> Flags:
        """Which of the contacts drawn at the peak there are. `chance`: uniform draws."""
        return chance * self.peak < self._factor(("volume", "outage"), opened, product)

    def longer(self, opened: Instants, product: NDArray[np.int64]) -> Floats:
        """The factor of every wait."""
        return self._factor(("wait",), opened, product)

    def made_late(self, opened: Instants, product: NDArray[np.int64], chance: Floats) -> Flags:
        """Which contacts are late by a `norm`; of those that are late anyway it changes nothing. `chance`: uniform draws."""
        found = np.zeros(len(opened), dtype=bool)
        weights = np.asarray(self.channel.products) / sum(self.channel.products)
        for each in self.plants:
            if each.what == "norm":
                in_team = _in_team(each.team or profile.DRIFT_TEAM)
                share = float(weights[in_team].sum())
                mean = each.size / _USUAL_COMPLIANCE[self.channel.name]
                inside = min(0.95, _MAINLY * mean / share)
                outside = (mean - share * inside) / (1 - share)
                found |= each.of(opened, product) & (chance < np.where(in_team[product], inside, outside))
        return found

    def added(self, opened: Instants, product: NDArray[np.int64]) -> Floats:
        """What is added to every grade."""
        found = np.zeros(len(opened))
        for each in self.plants:
            if each.what == "grade":
                found += each.size * each.of(opened, product)
        return found

    def _factor(self, kinds: tuple[What, ...], opened: Instants, product: NDArray[np.int64]) -> Floats:
        found = np.ones(len(opened))
        for each in self.plants:
            if each.what in kinds:
                found *= np.where(each.of(opened, product), each.size, 1.0)
        return found


def _in_team(team: str) -> Flags:
    return np.array([of == team for _, of in profile.PRODUCTS])


def parse(text: str) -> Plant:
    """A plant as it is asked for (SYNTAX). Times are the town's wall times, to the minute. Raises Refused with what is wrong."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise Refused(f"plant {text!r}: write {SYNTAX}, such as {EXAMPLE}")
    channel = next((each for each in profile.CHANNELS if each.name == form["channel"]), None)
    if channel is None:
        raise Refused(f"plant {text!r}: channel {form['channel']!r} does not exist; give one of {', '.join(_names())}")
    what = next((each for each in get_args(What) if each == form["what"]), None)
    if what is None:
        raise Refused(f"plant {text!r}: nothing is called {form['what']!r}; give one of {', '.join(get_args(What))}")
    if what == "wait" and channel.kind != "queue":
        raise Refused(f"plant {text!r}: nobody waits in a queue on {channel.name}; plant norm instead, for answers that come later")
    if what == "norm" and channel.name not in {promise.channel for promise in profile.PROMISES}:
        raise Refused(f"plant {text!r}: {channel.name} has no norm; plant wait instead")
    start, end = _moment(text, form["first"]), NEVER if form["last"] is None else _moment(text, form["last"])
    if end <= start:
        raise Refused(f"plant {text!r}: it ends before it begins; give FROM..TO with TO later than FROM")
    return Plant(channel.name, what, _size(text, what, form["size"]), start, end, _team(text, channel, form["team"]))


def _names() -> list[str]:
    return [channel.name for channel in profile.CHANNELS]


def _team(text: str, channel: Channel, team: str | None) -> str | None:
    teams = sorted({name for (_, name), weight in zip(profile.PRODUCTS, channel.products, strict=True) if weight})
    if team not in (None, *teams):
        raise Refused(f"plant {text!r}: team {team!r} has no contacts on {channel.name}; give one of {', '.join(teams)}")
    return team


def _size(text: str, what: What, size: str | None) -> float:
    if what == "outage":
        if size is not None:
            raise Refused(f"plant {text!r}: an outage has no size; leave {size!r} out, or plant volume")
        return 0.0
    form, least, most = _SIZES[what]
    found = re.fullmatch(form, size or "")
    if found is None or not least <= float(found[1]) <= most or not float(found[1]):
        written = {"wait": "x0.1 to x20", "norm": "-1pt to -60pt", "grade": "-5 to +5, with its sign", "volume": "x0.05 to x20"}[what]
        raise Refused(f"plant {text!r}: the size {size!r} of {what} does not fit; give {written}")
    return float(found[1]) / (100 if what == "norm" else 1)


def _moment(text: str, moment: str) -> int:
    try:
        wall = datetime.strptime(moment, "%Y-%m-%dT%H:%M")
    except ValueError:
        raise Refused(f"plant {text!r}: the moment {moment!r} does not fit; give a local time such as 2026-11-19T14:00") from None
    return instant(wall.date(), 60 * wall.hour + wall.minute)
