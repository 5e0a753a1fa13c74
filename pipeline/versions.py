"""Versions of stored rows: of the rows of one key that with the greatest version counts."""

GENERATIONS = 65_536
"""How many generations of a configuration there is room for: a version is `changes · GENERATIONS + generation`."""
TOMBSTONE = 2**64 - 1
"""The version of what is forgotten: nothing can be stored over it."""


def version_of(changes: int, generation: int) -> int:
    """Grows with every change of a row's content, and with every generation that judges it. Of a rolling figure: the offset it has read."""
    return changes * GENERATIONS + generation


def changes_in(version: int) -> int:
    """The changes that a version counts."""
    return version // GENERATIONS
