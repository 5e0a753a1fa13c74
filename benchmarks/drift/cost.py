"""What a detector costs: processor time of an update, and of making one from twelve weeks."""

import time
from collections.abc import Sequence

from benchmarks.drift.effects import NONE, Kind
from benchmarks.drift.scorer import Factory
from benchmarks.drift.worlds import QUARTER, world
from benchmarks.results import Result

MOST_US = 50.0
RUNS = 5


def cost(factory: Factory, kinds: Sequence[Kind], seed: int) -> list[Result]:
    """Of each kind, on a quarter of the largest channels; one after the other, in this process alone."""
    results = []
    for kind in kinds:
        updates, fits = [], []
        for index in range(RUNS):
            made = world(kind, NONE, "300-5000", 1.0, seed, index, QUARTER // 24)
            rows = made.run.tolist()
            begin = time.process_time()
            detector = factory(kind, made.history)
            fitted = time.process_time()
            for row in rows:
                detector.update(*row)
            updates.append((time.process_time() - fitted) / len(rows) * 1e6)
            fits.append((fitted - begin) * 1e3)
        results.append(Result(f"{kind}: an update", tuple(updates), "µs", MOST_US, better="lower"))
        results.append(Result(f"{kind}: a detector made", tuple(fits), "ms"))
    return results
