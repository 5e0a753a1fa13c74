"""Signs of life: how far the data of a channel go. A quiet channel and a dead connector must not look alike."""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.organisation import Organisation


class Signs(NamedTuple):
    """The last of each (epoch ms). systems: moments of events, by system; sources: up to where a connector has read, by its source."""

    last: int
    systems: Mapping[str, int]
    sources: Mapping[str, int]

    def of_channel(self, organisation: Organisation, channel: str) -> int:
        """Up to when it is known what happened in a channel.

        A channel led by a system of which a connector says how far it has read is known that far; any other as far as anything is.
        """
        leading = organisation.channels[channel].leading_system  # type: ignore[index]
        if leading is None:
            return self.last
        told = [self.sources[source] for source in organisation.systems[leading].sources if source in self.sources]
        return min(max([*told, self.systems.get(leading, 0)]), self.last) if told else self.last
