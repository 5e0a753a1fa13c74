"""The simulated town as a whole: its days, and the order in which its systems send what happened.

Each day is drawn alone. What a day leads to is sent within SPAN_DAYS, so any stretch of the stream can be made from the days before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from connectors.simulator import contacts, events, profile, surveys
from connectors.simulator.contacts import Contacts
from connectors.simulator.events import Released
from connectors.simulator.plants import Plant
from connectors.simulator.surveys import Surveys
from connectors.simulator.town import day_of, midnight

SPAN_DAYS = 30
"""No event is sent later than this after the day on which its contact opened."""

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class World:
    """What decides every event. `first_day` is the first on which anything happens; `scale` 1 is a town of 40,000 inhabitants."""

    seed: int
    first_day: date
    scale: float = 1.0
    plants: tuple[Plant, ...] = ()

    def draws(self, day: date) -> list[tuple[Contacts, Surveys]]:
        """The contacts that open on a day and the answers they lead to, a pair for each channel."""
        drawn = [contacts.draw(self.seed, self.scale, self.plants, channel, day) for channel in profile.CHANNELS]
        return [(each, surveys.draw(self.seed, each)) for each in drawn]

    def events_of_day(self, day: date) -> list[Released]:
        """Every event that the contacts of a day ever lead to, and the day's gauges, in the order in which they are sent."""
        found: list[Released] = []
        for drawn, asked in self.draws(day):
            found.extend(events.of_contacts(drawn))
            found.extend(events.of_surveys(drawn, asked))
            found.extend(events.of_gauges(drawn))
        found.sort(key=_order)
        return found

    def stream(self, after_ms: int | None = None) -> Iterator[Released]:
        """Everything sent after an instant (None: from the beginning), in order, without end."""
        day = self.first_day
        if after_ms is not None:
            day = max(day, day_of(after_ms) - SPAN_DAYS * ONE_DAY)
        waiting: list[Released] = []
        while True:
            until = midnight(day + ONE_DAY)
            waiting.extend(item for item in self.events_of_day(day) if after_ms is None or item[0] > after_ms)
            waiting.sort(key=_order)
            cut = next((position for position, item in enumerate(waiting) if item[0] >= until), len(waiting))
            yield from waiting[:cut]
            del waiting[:cut]
            day += ONE_DAY


def _order(item: Released) -> tuple[int, str]:
    return item[0], item[1]
