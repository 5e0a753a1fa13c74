"""What a simulation was started with, kept in its directory, so that a restart goes on with the same world."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from connectors.protocol import Refused
from connectors.simulator import profile
from connectors.simulator.plants import NEVER, Plant, parse
from connectors.simulator.town import MINUTE_MS, day_of, instant, opening, organisation, working_day_after, working_day_before
from connectors.simulator.truth import Truth
from connectors.simulator.world import World

STATE_FILE = "simulation.json"
TRUTH_FILE = "truth.json"
DRIFT_POINTS = 0.25
"""By how much the share within its norm falls on the channel that is asked to drift."""


@dataclass(frozen=True)
class Simulation:
    """The parameters of a simulation. `anchor_ms`: the first start, a whole minute; history ends and the drift is placed by it.

    `weeks`: length of the history. `scale`: 1 is a town of 40,000 inhabitants. `drift_channel`: None plants none. `drift_days`: working
    days before the anchor on which the drift began; `drift_lasts`: working days until it is over (None: it stays). `plants`: further
    planted changes, as plants.parse reads them. `speed` above 1: history ends on the morning of the last working day before the anchor,
    and what follows is played that many times as fast until it has caught up with the clock; never into the future, whose events the
    pipeline refuses.
    """

    anchor_ms: int
    seed: int = 1
    weeks: int = 16
    scale: float = 1.0
    speed: float = 1.0
    drift_channel: str | None = "telephone"
    drift_days: int = 5
    drift_lasts: int | None = None
    plants: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        channels = [channel.name for channel in profile.CHANNELS]
        for wrong, text in (
            (self.anchor_ms % MINUTE_MS, f"anchor_ms {self.anchor_ms} is not a whole minute"),
            (not 0 <= self.seed < 2**32, f"seed {self.seed}: give 0 to {2**32 - 1}"),
            (not 1 <= self.weeks <= 260, f"weeks {self.weeks}: give 1 to 260"),
            (not 0.01 <= self.scale <= 100, f"scale {self.scale:g}: give 0.01 to 100 (1 is a town of 40,000 inhabitants)"),
            (not 1 <= self.speed <= 1_000_000, f"speed {self.speed:g}: give 1 (real time) or more"),
            (self.drift_channel not in (None, *channels), f"drift channel {self.drift_channel!r}: give one of {', '.join(channels)}"),
            (not 1 <= self.drift_days <= 5 * self.weeks, f"drift days {self.drift_days}: give 1 to {5 * self.weeks}, within the history"),
            (self.drift_lasts not in (None, *range(1, 251)), f"drift lasts {self.drift_lasts}: give 1 to 250 working days"),
        ):
            if wrong:
                raise Refused(text)
        for plant in self.plants:
            parse(plant)

    @cached_property
    def world(self) -> World:
        """The town that these parameters describe."""
        today = day_of(self.anchor_ms)
        plants = [parse(plant) for plant in self.plants]
        if self.drift_channel is not None:
            first = working_day_before(today, self.drift_days)
            end = NEVER if self.drift_lasts is None else instant(working_day_after(first, self.drift_lasts))
            plants.append(Plant(self.drift_channel, "norm", DRIFT_POINTS, instant(first), end))
        return World(self.seed, today - timedelta(weeks=self.weeks), self.scale, tuple(plants))

    @cached_property
    def history_end(self) -> int:
        """The instant at which history ends and the live stream begins."""
        if self.speed == 1:
            return self.anchor_ms
        hours = opening(working_day_before(day_of(self.anchor_ms), 1))
        assert hours is not None, "a working day has opening hours"
        return hours[0]

    def now(self, real_ms: int) -> int:
        """The instant that the world has reached when the clock says `real_ms`."""
        return min(real_ms, self.history_end + int((real_ms - self.anchor_ms) * self.speed))

    @property
    def fingerprint(self) -> str:
        """Tells worlds apart: a cursor of one means nothing in another."""
        content = {name: value for name, value in asdict(self).items() if name != "speed"}
        if not self.plants:
            del content["plants"]  # worlds begun before plants existed go on
        return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def open_simulation(directory: Path, now_ms: int, given: Mapping[str, Any]) -> Simulation:
    """The simulation kept in `directory`, or a new one that is anchored at `now_ms` and kept there from now on.

    `given`: the parameters asked for by name; the others have their defaults. Raises Refused for a parameter that makes no sense, for one
    that differs from what is kept, and for a file that can't be read or written.
    """
    path = directory / STATE_FILE
    if not path.exists():
        simulation = Simulation(now_ms - now_ms % MINUTE_MS, **given)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            _write_json(path, asdict(simulation))
        except OSError as error:
            raise Refused(f"{path} can't be written ({error.strerror}); give a --state directory that can") from None
        return simulation
    try:
        simulation = read_simulation(directory)
    except (OSError, ValueError, TypeError) as error:
        raise Refused(f"{path} can't be read ({error}); restore it, or give another --state directory to start a new simulation") from None
    kept = asdict(simulation)
    for name, value in given.items():
        if kept[name] != value:
            raise Refused(
                f"the simulation in {directory} runs with {name} {kept[name]}, not {value}; leave that option out to go on with it, "
                "or give another --state directory and a stack without its events to start a new one"
            )
    return simulation


def read_simulation(directory: Path) -> Simulation:
    """The simulation kept in a directory. Raises FileNotFoundError without one; ValueError or TypeError for a file that is none."""
    kept = {"plants": (), **orjson.loads((directory / STATE_FILE).read_bytes())}
    return Simulation(**{**kept, "plants": tuple(kept["plants"])})


def write_truth(directory: Path, simulation: Simulation, found: Truth) -> None:
    """Write what a correct measurement must find beside the simulation."""
    document = {
        "simulated": True,
        "organisation": organisation().organisation,
        "simulation": asdict(simulation),
        "planted": [plant.told() for plant in simulation.world.plants],
        **asdict(found),
    }
    _write_json(directory / TRUTH_FILE, document)


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file so that a reader, or a kill, never meets half of it."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(orjson.dumps(document))
    partial.replace(path)
