"""Whether a mapping and an organisation's file agree: what the pipeline would reject event by event is said before anything is sent."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.mapped_file.mapping import Mapping
from connectors.mapped_file.rules import EventRule, Scalar, Value
from schemas.errors import InvalidConfiguration
from schemas.organisation import Organisation


def check_agreement(mapping: Mapping, mapping_path: Path, organisation: Organisation, organisation_path: Path) -> None:
    """Raises InvalidConfiguration with every disagreement, one a line, naming both files."""
    faults = list(dict.fromkeys(_disagreements(mapping, organisation)))
    if faults:
        raise InvalidConfiguration("\n".join(f"{mapping_path}: {fault}; correct it, or {organisation_path}" for fault in faults))


def _disagreements(mapping: Mapping, organisation: Organisation) -> Iterator[str]:
    if mapping.organisation != organisation.organisation:
        yield f"organisation {mapping.organisation!r} is not that of the organisation file, {organisation.organisation!r}"
        return  # The rest would compare with somebody else's file.
    system = organisation.system_of_source().get(mapping.source)
    if system is None:
        yield f"source {mapping.source!r} is not one of the organisation's sources ({_listed(organisation.system_of_source())})"
    elif system != mapping.system:
        yield f"source {mapping.source!r} speaks for system {system!r} in the organisation file, not for {mapping.system!r}"
    norms = {norm.id for norm in organisation.norms}
    for rule in mapping.events:
        for channel in _possible(rule, "channel", mapping):
            if channel not in organisation.channels:
                yield f"channel {channel!r} ({rule.type}) is not one of the organisation's channels ({_listed(organisation.channels)})"
        for norm in rule.deadlines:
            if norm not in norms:
                yield f"the deadline {norm!r} ({rule.type}) is for no norm of the organisation ({_listed(norms)})"
        yield from _survey_disagreements(rule, mapping, organisation)


def _survey_disagreements(rule: EventRule, mapping: Mapping, organisation: Organisation) -> Iterator[str]:
    aspects = _aspects(rule, mapping)
    for name in _possible(rule, "instrument", mapping):
        instruments = organisation.instruments.get(str(name))
        if instruments is None:
            yield f"instrument {name!r} ({rule.type}) is not one of the organisation's instruments ({_listed(organisation.instruments)})"
            continue
        versions = {str(instrument.version): instrument for instrument in instruments}
        for version in _possible(rule, "version", mapping):
            instrument = versions.get(str(version))
            if instrument is None:
                yield f"instrument {name!r} has no version {version} in the organisation file ({_listed(versions)})"
                continue
            for aspect in aspects:
                if aspect not in instrument.aspects:
                    yield f"instrument {name!r} version {version} has no aspect {aspect!r} ({_listed(instrument.aspects)})"
            if "comment" in rule.data and instrument.comments != "stored":
                yield f"instrument {name!r} version {version} does not store comments; remove `comment`, or write `comments: stored`"


def _possible(rule: EventRule, field: str, mapping: Mapping) -> list[Scalar]:
    """The values that the mapping itself gives a field: constants, defaults and translations. What a column holds is not known here."""
    value = rule.data.get(field)
    return _told(value, mapping) if isinstance(value, Value) else []


def _aspects(rule: EventRule, mapping: Mapping) -> list[str]:
    items = rule.data.get("items")
    named = list(items) if isinstance(items, dict) else []
    return named if rule.item is None else [str(one) for one in _told(rule.item.aspect, mapping)]


def _told(value: Value, mapping: Mapping) -> list[Scalar]:
    table = mapping.tables[value.table] if value.table is not None else None
    found = [value.value, value.default, *((*table.values.values(), table.default) if table is not None else ())]
    return [one for one in found if one is not None]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "it has none"
