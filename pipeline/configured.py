"""An organisation's configuration made ready for the stream: look-ups that the hot path needs, and its judge."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from pipeline.answers import measure_of
from pipeline.calendars import day_start
from pipeline.norms import Judge
from schemas.organisation import Organisation, Scale

EARLIEST, LATEST = date(1900, 1, 1), date(2299, 12, 31)
"""Dates between which a target without bounds holds."""


@dataclass(frozen=True, slots=True)
class Configured:
    """One organisation in force. `generation` is that of its configuration (0-65,535), part of every version it writes."""

    organisation: Organisation
    generation: int
    judge: Judge
    systems: dict[str, tuple[str, str]]
    channels: frozenset[str]
    instruments: dict[tuple[str, int], tuple[Scale, frozenset[str]]]
    targets: dict[str, list[tuple[int, int, float | None]]]

    def target(self, measure: str, at_ms: int) -> float | None:
        """The target of a measure at an instant: of a norm that of the version valid then; None without one."""
        return next((target for start, end, target in self.targets.get(measure, ()) if start <= at_ms < end), None)

    @classmethod
    def of(cls, organisation: Organisation, generation: int = 0) -> "Configured":
        """Raises InvalidConfiguration when a norm's clock could never reach a deadline."""
        return cls(
            organisation=organisation,
            generation=generation,
            judge=Judge(organisation),
            systems={source: (system, source) for source, system in organisation.system_of_source().items()},
            channels=frozenset(organisation.channels),
            instruments={
                (name, instrument.version): (instrument.scale, frozenset(instrument.aspects))
                for name, versions in organisation.instruments.items()
                for instrument in versions
            },
            targets=_targets(organisation),
        )


def _targets(organisation: Organisation) -> dict[str, list[tuple[int, int, float | None]]]:
    """(from, to, target) per measure, in ms: a norm's versions by their local dates, an aspect for ever."""
    zone = ZoneInfo(organisation.zone)
    targets: dict[str, list[tuple[int, int, float | None]]] = {}
    for norm in organisation.norms:
        start, end = (day_start(min(max(day, EARLIEST), LATEST), zone) for day in (norm.valid.start, norm.valid.end))
        targets.setdefault(f"norm:{norm.id}", []).append((start, end, norm.target))
    for name, versions in organisation.instruments.items():
        for instrument in versions:
            for aspect, settings in instrument.aspects.items():
                measure = measure_of(name, instrument.version, aspect)
                targets[measure] = [(day_start(EARLIEST, zone), day_start(LATEST, zone), settings.target)]
    return targets
