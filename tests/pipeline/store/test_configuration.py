"""What a changed configuration may do while contacts are stored, and the offsets of local time."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from pipeline.store.configuration import InForce, offsets_of, why_refused
from schemas import yamlfile
from schemas.organisation import Organisation
from schemas.types import epoch_ms

NEW_INSTRUMENT = """instruments:
  nieuw:
    - version: 1
      title: {nl: Nieuw, en: New}
      scale: {minimum: 1, maximum: 5}
      aspects: {cijfer: {title: {nl: Cijfer, en: Grade}}}
"""
TODAY = date(2026, 3, 2)
BASE = """
organisation: voorbeeld
title: {nl: Voorbeeld, en: Example}
zone: Europe/Amsterdam
systems:
  centrale: {sources: ["urn:nld:oin:1:systeem:centrale"]}
channels:
  telephone: {opening_hours: {mon-fri: "08:30-17:00"}}
opening_hours: {mon-fri: "08:30-17:00"}
closing_days: {dates: [2026-05-15]}
norms:
  - id: binnen_45s
    title: {nl: Binnen 45 s, en: Within 45 s}
    applies_to: {channels: [telephone]}
    clock: elapsed
    threshold: 45s
    start: queued
    stop: answered
    target: 0.8
    source: servicenormen 2026
instruments:
  na_contact:
    - version: 1
      title: {nl: Na contact, en: After contact}
      scale: {minimum: 1, maximum: 10}
      aspects: {cijfer: {title: {nl: Cijfer, en: Grade}}}
"""
NEW_NORM = """
  - id: binnen_30s
    title: {nl: Binnen 30 s, en: Within 30 s}
    applies_to: {channels: [telephone]}
    clock: elapsed
    threshold: 30s
    start: queued
    stop: answered
    source: servicenormen 2027
    valid: {from: %s}
instruments:"""


def organisation(text: str = BASE) -> Organisation:
    return yamlfile.loads(text, Organisation, "voorbeeld.yaml")


def stored(text: str = BASE, has_data: bool = True) -> InForce:
    return InForce(organisation(text), 0, has_data)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("zone: Europe/Amsterdam", "zone: Europe/London", "zone changed"),
        ('opening_hours: {mon-fri: "08:30-17:00"}\nclosing', 'opening_hours: {mon-thu: "08:30-17:00"}\nclosing', "opening_hours changed"),
        ("dates: [2026-05-15]", "dates: []", "closing_days changed"),
        ('telephone: {opening_hours: {mon-fri: "08:30-17:00"}}', "telephone: {}", "channels: 'telephone' changed or is gone"),
        ("centrale: {sources", "exchange: {sources", "sources: 'urn:nld:oin:1:systeem:centrale' changed or is gone"),
        ("threshold: 45s", "threshold: 30s", "norm 'binnen_45s' changed (threshold 45s -> 30s); end it"),
        ("id: binnen_45s", "id: binnen_50s", "norm 'binnen_50s' would also judge contacts that are stored"),
        ("scale: {minimum: 1, maximum: 10}", "scale: {minimum: 0, maximum: 10}", "scales: 'na_contact:1:cijfer' changed or is gone"),
        ("\ninstruments:", NEW_NORM % "2026-03-02", "let it hold from tomorrow on"),
        ("    source: servicenormen 2026", "    source: servicenormen 2026\n    valid: {to: 2026-03-01}", "its end lies in the past"),
    ],
)
def test_what_decides_how_contacts_are_judged_does_not_change(old: str, new: str, why: str) -> None:
    assert old in BASE
    changed = organisation(BASE.replace(old, new))
    assert why in why_refused(changed, stored(), TODAY)
    assert why_refused(changed, stored(has_data=False), TODAY) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("en: Within 45 s", "en: Answered in 45 seconds"),
        ("target: 0.8", "target: 0.9"),
        ("  centrale:", '  nieuw: {sources: ["urn:nld:oin:1:systeem:nieuw"]}\n  centrale:'),
        ("channels:\n", "channels:\n  email: {}\n"),
        ("\ninstruments:", NEW_NORM % "2026-03-03"),
        ("    source: servicenormen 2026", "    source: servicenormen 2026\n    valid: {to: 2026-04-01}"),
        ("instruments:\n", NEW_INSTRUMENT),
    ],
)
def test_it_may_grow_and_words_and_targets_may_change(old: str, new: str) -> None:
    assert old in BASE
    assert why_refused(organisation(BASE.replace(old, new)), stored(), TODAY) == ""


def test_a_norm_that_is_gone_is_refused() -> None:
    start, end = BASE.index("norms:"), BASE.index("instruments:")
    assert why_refused(organisation(BASE[:start] + BASE[end:]), stored(), TODAY) == "norm 'binnen_45s' is gone"


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York", "UTC", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_offsets_equal_those_of_the_zone_at_and_around_every_change(zone: str) -> None:
    found = offsets_of(zone, 2019, 2031)
    assert [since for since, _ in found] == sorted({since for since, _ in found})
    for (since, seconds), before in zip(found, [None, *found], strict=False):
        moment = datetime.fromtimestamp(since / 1000, UTC).astimezone(ZoneInfo(zone))
        assert moment.utcoffset() is not None
        assert moment.utcoffset().total_seconds() == seconds  # type: ignore[union-attr]
        if before is not None:
            just_before = datetime.fromtimestamp(since / 1000 - 0.001, UTC).astimezone(ZoneInfo(zone))
            assert just_before.utcoffset().total_seconds() == before[1] != seconds  # type: ignore[union-attr]
    assert len(found) == {"UTC": 1, "Asia/Kathmandu": 1}.get(zone, 25)


def test_the_netherlands_change_their_clocks_at_one_o_clock_utc() -> None:
    changes = [since for since, _ in offsets_of("Europe/Amsterdam", 2026, 2027)]
    expected = [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]
    assert changes == [epoch_ms(moment) for moment in expected]
