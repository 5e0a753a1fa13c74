"""An organisation's configuration made ready for the stream: look-ups that the hot path needs, and its judge."""

from dataclasses import dataclass

from pipeline.norms import Judge
from schemas.organisation import Organisation, Scale


@dataclass(frozen=True, slots=True)
class Configured:
    """One organisation in force. `generation` is that of its configuration (0-65,535), part of every version it writes."""

    organisation: Organisation
    generation: int
    judge: Judge
    systems: dict[str, tuple[str, str]]
    channels: frozenset[str]
    instruments: dict[tuple[str, int], tuple[Scale, frozenset[str]]]
    targets: dict[str, float]

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


def _targets(organisation: Organisation) -> dict[str, float]:
    """The target per measure: of a norm that of its latest version, of an aspect its own."""
    targets = {}
    for name in {norm.id for norm in organisation.norms}:
        target = organisation.norm_versions(name)[-1].target
        if target is not None:
            targets[f"norm:{name}"] = target
    for name, versions in organisation.instruments.items():
        for instrument in versions:
            for aspect, settings in instrument.aspects.items():
                if settings.target is not None:
                    targets[f"answer:{name}:{instrument.version}:{aspect}"] = settings.target
    return targets
