"""How people grade: discrete, skewed answers whose mean can be moved, by everybody a little or by a few who become unhappy."""

from dataclasses import dataclass

import numpy as np

from benchmarks.drift.hours import Floats

TEN = np.array([2.5, 1.0, 1.5, 2.0, 4.0, 9.0, 25.0, 35.0, 12.0, 8.0]) / 100
"""How often 1 to 10 is given; mean 7.3, standard deviation 1.7."""
FIVE = np.array([5.0, 5.0, 10.0, 37.0, 43.0]) / 100


@dataclass(frozen=True, slots=True)
class Scale:
    """levels: the grades that can be given, on 1-10. usual, spread: their mean and standard deviation.

    means, cumulative: by a mean, how often at most each level is given.
    """

    levels: Floats
    usual: float
    spread: float
    means: Floats
    cumulative: Floats

    def draw(self, rng: np.random.Generator, means: Floats) -> Floats:
        """One answer for each of the means asked for; a mean beyond the scale's reach becomes the nearest it can have."""
        rows = np.clip(np.searchsorted(self.means, means), 0, len(self.means) - 1)
        return np.asarray(self.levels[(rng.random(len(means))[:, None] > self.cumulative[rows][:, :-1]).sum(axis=1)])


def scale(rng: np.random.Generator) -> Scale:
    """A questionnaire's scale: of ten grades, or (one in four) of five points mapped linearly to 1-10."""
    typical = FIVE if rng.random() < 0.25 else TEN
    levels = np.linspace(1, 10, len(typical))
    usual = rng.dirichlet(80 * typical + 0.3)
    tables = _everybody(usual) if rng.random() < 0.5 else _a_few(usual, levels)
    means = tables @ levels
    order = np.argsort(means)
    return Scale(
        levels, float(usual @ levels), float((usual @ levels**2 - (usual @ levels) ** 2) ** 0.5), means[order], tables[order].cumsum(axis=1)
    )


def _everybody(usual: Floats) -> Floats:
    """Proportional odds: the log-odds of "at most this grade" all move by the same."""
    below = np.clip(usual.cumsum()[:-1], 1e-9, 1 - 1e-9)
    moved = 1 / (1 + np.exp(-(np.log(below / (1 - below)) + np.linspace(6, -6, 2401)[:, None])))
    edges = np.column_stack([np.zeros(len(moved)), moved, np.ones(len(moved))])
    return np.diff(edges, axis=1)


def _a_few(usual: Floats, levels: Floats) -> Floats:
    """A mixture: more or fewer of the people are unhappy (below 5.5), the others grade as before, and better once nobody is unhappy."""
    unhappy = np.where(levels < 5.5, usual, 0.0)
    happy = (usual - unhappy) / (usual - unhappy).sum()
    share = np.linspace(0, 1, 1201)[:, None]
    better = _everybody(happy)
    return np.vstack([share * unhappy / unhappy.sum() + (1 - share) * happy, better[better @ levels > happy @ levels]])
