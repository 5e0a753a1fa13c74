"""Every board: a module each, or a package whose module `board` lays out what the others draw."""

from collections.abc import Callable

from dashboards.build.boards import now, pipeline
from dashboards.build.boards.busyness import board as busyness
from dashboards.build.boards.channel import board as channel
from dashboards.build.boards.data import board as data
from dashboards.build.boards.norms import board as norms
from dashboards.build.boards.quarter import board as quarter
from dashboards.build.boards.satisfaction import board as satisfaction
from dashboards.build.boards.signals import board as signals
from dashboards.build.page import Page
from schemas.words import Language

BOARDS: tuple[Callable[[Language], Page], ...] = tuple(
    board.build for board in (now, channel, norms, satisfaction, busyness, signals, quarter, data, pipeline)
)
"""What builds each board in a language, in the order in which readers are offered them."""
