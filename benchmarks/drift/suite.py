"""The cells of the benchmark, and running them on several processes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context

from benchmarks.drift.effects import EFFECTS, NONE, Effect, Kind
from benchmarks.drift.hours import THIRDS
from benchmarks.drift.scorer import Factory, Score, score
from benchmarks.drift.worlds import world

USUAL, NOISY = 1.0, 1.5
_CHUNK = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """One detector ("module:factory") on the worlds of a kind, a third, an effect and a noise."""

    detector: str
    kind: Kind
    effect: Effect
    third: str
    noise: float = USUAL


def cells(detector: str, kinds: Sequence[Kind], noisy: bool) -> Iterator[Cell]:
    """Every cell of a detector: years without change at the usual noise (and more of it), and each effect at the usual noise."""
    for kind in kinds:
        for third in THIRDS:
            yield Cell(detector, kind, NONE, third)
            if noisy:
                yield Cell(detector, kind, NONE, third, NOISY)
            for effect in EFFECTS[kind]:
                yield Cell(detector, kind, effect, third)


def loaded(detector: str) -> Factory:
    """The factory of that name. ValueError where it is not "module:factory" or there is no such thing."""
    module, colon, name = detector.partition(":")
    try:
        factory: Factory = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"no detector {detector!r}: give module:factory, a callable of (kind, history, budget) ({error})") from error
    if not colon:
        raise ValueError(f"no detector {detector!r}: give module:factory")
    return factory


def run(wanted: Sequence[tuple[Cell, int]], seed: int, jobs: int) -> dict[Cell, list[Score]]:
    """The scores of each cell on as many worlds as it is given with; worlds 0 to n-1 of the seed, whatever the number of processes."""
    pieces = [(cell, seed, range(at, min(at + _CHUNK, worlds))) for cell, worlds in wanted for at in range(0, worlds, _CHUNK)]
    found: dict[Cell, list[Score]] = {cell: [] for cell, _ in wanted}
    if jobs == 1:
        scored = map(_scores, pieces)
        for (cell, _, _), scores in zip(pieces, scored, strict=True):
            found[cell] += scores
        return found
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for (cell, _, _), scores in zip(pieces, pool.map(_scores, pieces), strict=True):
            found[cell] += scores
    return found


def _scores(piece: tuple[Cell, int, range]) -> list[Score]:
    cell, seed, worlds = piece
    factory = loaded(cell.detector)
    return [score(factory, world(cell.kind, cell.effect, cell.third, cell.noise, seed, index)) for index in worlds]
