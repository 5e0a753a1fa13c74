"""The rows by which views know a configuration: one builder a table."""

from datetime import date
from typing import Any

from pipeline.rules import closing_days
from schemas.norm import Validity
from schemas.organisation import Organisation

SMALLEST_TEAM = 3
"""Teams of fewer people are shown as the team above them: a figure of theirs would be one of a person."""
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2299, 12, 31)
_SPECIAL_YEARS = range(2010, 2051)
"""Years of which closing days are told to the views."""

Rows = list[dict[str, Any]]


def rows_of(organisation: Organisation, version: int) -> dict[str, Rows]:
    """Rows by table. `version` is that of the configuration: rows of another one are no longer in force."""
    common = {"organisation": organisation.organisation, "version": version}
    tables = {
        "norms": _norms(organisation),
        "instruments": _instruments(organisation),
        "channels": [{"channel": channel, "max_open_ms": organisation.max_open_ms(channel)} for channel in organisation.channels],
        "waves": _waves(organisation),
        "priorities": [
            {"priority": name, "title_nl": priority.title.nl, "title_en": priority.title.en}
            for name, priority in organisation.priorities.items()
        ],
        "teams": [
            {"team": name, "department": team.department or "", "people": team.people, "shown_as": shown_as(organisation, name)}
            for name, team in organisation.teams.items()
        ],
        "special_days": _special_days(organisation),
    }
    return {table: [{**common, **row} for row in rows] for table, rows in tables.items()}


def shown_as(organisation: Organisation, team: str) -> str:
    """The team under which figures are shown: itself, or for a small one the nearest team above it that is not small; "" without one."""
    while (settings := organisation.teams.get(team)) is not None and settings.people is not None and settings.people < SMALLEST_TEAM:
        if settings.parent is None:
            return ""
        team = settings.parent
    return team


def _days(valid: Validity) -> tuple[date, date]:
    """First day and first day after it, as the store can keep them."""
    return max(valid.start, _FIRST_DAY), min(valid.end, _LAST_DAY)


def _norms(organisation: Organisation) -> Rows:
    return [
        {"norm": norm.id, "norm_version": number, "title_nl": norm.title.nl, "title_en": norm.title.en, "clock": norm.clock,
         "threshold": norm.threshold or "", "target": norm.target, "denominator": norm.denominator, "priority": norm.priority or "",
         "statistic": norm.statistic, "threshold_ms": None if norm.statistic == "share" else norm.threshold_ms,
         "callback": not {"called_back", "reached"}.isdisjoint(norm.stop),
         "valid_from": _days(norm.valid)[0], "valid_to": _days(norm.valid)[1], "published_in": norm.source}
        for name in sorted({norm.id for norm in organisation.norms})
        for number, norm in enumerate(organisation.norm_versions(name), start=1)
    ]  # fmt: skip


def _instruments(organisation: Organisation) -> Rows:
    rows: Rows = []
    for name, versions in organisation.instruments.items():
        for instrument in versions:
            for aspect, settings in instrument.aspects.items():
                scale = instrument.scale_of(aspect)
                rows.append(
                    {"instrument": name, "instrument_version": instrument.version, "aspect": aspect, "title_nl": instrument.title.nl,
                     "title_en": instrument.title.en, "aspect_nl": settings.title.nl, "aspect_en": settings.title.en,
                     "population": instrument.population, "audience": instrument.audience or "", "kind": scale.kind,
                     "minimum": scale.minimum, "maximum": scale.maximum, "target": settings.target,
                     "targets": [(*_days(one.valid), one.target) for one in settings.all_targets], "expects": settings.expects or "",
                     "priority": settings.priority or "", "indicator": settings.indicator}
                )  # fmt: skip
    return rows


def _waves(organisation: Organisation) -> Rows:
    return [
        {
            "wave": name,
            "number": wave.number,
            "title_nl": wave.title.nl if wave.title else "",
            "title_en": wave.title.en if wave.title else "",
            "instrument": wave.instrument,
            "instrument_version": wave.version,
            "start_day": wave.start,
            "end_day": wave.end,
            "size": wave.size,
            "invited": wave.invited,
            "published": wave.published,
        }
        for name, wave in organisation.waves.items()
    ]


def _special_days(organisation: Organisation) -> Rows:
    """Closing days, and exceptions of channels; `channel` is "" for all."""
    return [{"channel": "", "day": day, "closed": True} for day in sorted(closing_days(organisation)) if day.year in _SPECIAL_YEARS] + [
        {"channel": channel, "day": day, "closed": not hours}
        for channel, settings in organisation.channels.items()
        for day, hours in settings.exceptions.items()
    ]
