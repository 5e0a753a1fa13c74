"""An organisation's configuration made ready for the stream: look-ups that the hot path needs, and its judge."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from pipeline.answers import measure_of
from pipeline.calendars import day_start
from pipeline.norms import Judge, norm_measure
from schemas.instrument import Instrument
from schemas.norm import Validity
from schemas.organisation import Organisation

_OWN_IDS = frozenset({"$.id", "$.data.contact", "$.data.link", "$.data.invitation", "$.data.answer"})
_NAMED_IDS = {"same_as": "$.data.same_as.id", "contact": "$.data.contact.id"}
EARLIEST, LATEST = date(1900, 1, 1), date(2299, 12, 31)
"""Dates between which a target without bounds holds."""


@dataclass(frozen=True, slots=True)
class Configured:
    """One organisation in force. `generation` is that of its configuration (0-65,535), part of every version it writes.

    systems: (system, source) by source. leading: the leading system by channel, of the channels that have one.
    """

    organisation: Organisation
    generation: int
    judge: Judge
    systems: dict[str, tuple[str, str]]
    channels: frozenset[str]
    leading: dict[str, str]
    instruments: dict[tuple[str, int], Instrument]
    targets: dict[str, list[tuple[int, int, float | None]]]

    def target(self, measure: str, at_ms: int) -> float | None:
        """The target of a measure at an instant: of a norm that of the version valid then; None without one."""
        return next((target for start, end, target in self.targets.get(measure, ()) if start <= at_ms < end), None)

    def exempt_from_bsn(self, event: object) -> Callable[[str], bool]:
        """Which JSON paths of an event hold ids of nine digits that are no citizen service numbers, as the systems' settings say."""
        system = self._system_of(event.get("source")) if isinstance(event, dict) else ""
        systems = self.organisation.systems
        own = system in systems and systems[system].nine_digit_ids
        data = event.get("data") if isinstance(event, dict) else None
        named = {path: _named_system(data, field) for field, path in _NAMED_IDS.items()}

        def exempt(path: str) -> bool:
            if path in named:
                other = named[path]
                return other in systems and systems[other].nine_digit_ids
            return own and path in _OWN_IDS

        return exempt

    def _system_of(self, source: object) -> str:
        return self.systems[source][0] if isinstance(source, str) and source in self.systems else ""

    @classmethod
    def of(cls, organisation: Organisation, generation: int = 0) -> "Configured":
        """Raises InvalidConfiguration when a norm's clock could never reach a deadline."""
        return cls(
            organisation=organisation,
            generation=generation,
            judge=Judge(organisation),
            systems={source: (system, source) for source, system in organisation.system_of_source().items()},
            channels=frozenset(organisation.channels),
            leading={
                channel: settings.leading_system
                for channel, settings in organisation.channels.items()
                if settings.leading_system is not None
            },
            instruments={
                (name, instrument.version): instrument for name, versions in organisation.instruments.items() for instrument in versions
            },
            targets=_targets(organisation),
        )


def _named_system(data: object, field: str) -> str:
    """The system of a contact that an event names."""
    reference = data.get(field) if isinstance(data, dict) else None
    system = reference.get("system") if isinstance(reference, dict) else None
    return system if isinstance(system, str) else ""


def _targets(organisation: Organisation) -> dict[str, list[tuple[int, int, float | None]]]:
    """(from, to, target) per measure, in ms, by the local dates of a norm's versions and of an aspect's targets.

    A norm on a mean is met at or below its threshold, in seconds; one on a maximum when all contacts are within it.
    """
    zone = ZoneInfo(organisation.zone)

    def span(valid: Validity) -> tuple[int, int]:
        start, end = (day_start(min(max(day, EARLIEST), LATEST), zone) for day in (valid.start, valid.end))
        return start, end

    targets: dict[str, list[tuple[int, int, float | None]]] = {}
    for norm in organisation.norms:
        target = norm.target if norm.statistic == "share" else 1.0 if norm.statistic == "max" else norm.threshold_ms / 1000
        targets.setdefault(norm_measure(norm), []).append((*span(norm.valid), target))
    for name, versions in organisation.instruments.items():
        for instrument in versions:
            for aspect, settings in instrument.aspects.items():
                measure = measure_of(name, instrument.version, aspect)
                targets[measure] = [(*span(one.valid), one.target) for one in settings.all_targets]
    return targets
