"""An organisation's file made ready for the stream."""

import pytest

from pipeline.configured import Configured
from schemas.errors import InvalidConfiguration
from tests.pipeline.builders import CRM, PBX, PBX_2, norm, organisation


def test_each_source_speaks_for_its_system() -> None:
    configured = Configured.of(organisation())
    assert configured.systems == {PBX: ("pbx", PBX), PBX_2: ("pbx", PBX_2), CRM: ("crm", CRM)}
    assert configured.channels == {"telephone", "email"}
    assert configured.generation == 0


def test_each_version_of_an_instrument_has_its_own_scale_and_aspects() -> None:
    instruments = Configured.of(organisation()).instruments
    found = {key: (one.scale.minimum, one.scale.maximum, sorted(one.aspects)) for key, one in instruments.items()}
    assert found == {("na-contact", 1): (1.0, 10.0, ["ease", "overall"]), ("na-contact", 2): (0.0, 8.0, ["ease", "overall"])}


JULY = 1_782_856_800_000
"""2026-07-01 00:00 in Amsterdam."""


def test_a_norm_has_the_target_of_the_version_valid_then_and_an_aspect_its_own() -> None:
    versions = (norm(target=0.8, valid={"from": "2026-07-01"}), norm(target=0.7, valid={"to": "2026-07-01"}))
    found = Configured.of(organisation(*versions, norm(id="without")))
    assert (found.target("norm:n", JULY - 1), found.target("norm:n", JULY)) == (0.7, 0.8)
    assert found.target("norm:without", JULY) is None
    assert found.target("answer:na-contact:1:overall", JULY) == found.target("answer:na-contact:2:overall", JULY) == 7.5
    assert found.target("answer:na-contact:1:ease", JULY) is None
    assert found.target("volume", JULY) is None


def test_a_version_without_a_target_has_none() -> None:
    versions = (norm(target=0.8, valid={"to": "2026-07-01"}), norm(valid={"from": "2026-07-01"}))
    found = Configured.of(organisation(*versions))
    assert (found.target("norm:n", JULY - 1), found.target("norm:n", JULY)) == (0.8, None)


def test_the_limit_of_a_norm_on_a_mean_or_a_maximum_is_its_target() -> None:
    found = Configured.of(organisation(norm(statistic="mean", threshold="23s"), norm(id="m", statistic="max", threshold="5min")))
    assert (found.target("norm_mean:n", JULY), found.target("norm:n", JULY), found.target("norm:m", JULY)) == (23.0, None, 1.0)


def test_an_aspect_has_the_target_that_is_valid_then() -> None:
    targets = [{"target": 7.0, "valid": {"to": "2026-07-01"}}, {"target": 7.5, "valid": {"from": "2026-07-01"}}]
    aspects = {"overall": {"title": {"nl": "o", "en": "o"}, "targets": targets}}
    instrument = {"version": 1, "title": {"nl": "q", "en": "q"}, "scale": "1-10", "aspects": aspects}
    found = Configured.of(organisation(instruments={"q": [instrument]}))
    assert (found.target("answer:q:1:overall", JULY - 1), found.target("answer:q:1:overall", JULY)) == (7.0, 7.5)


def test_a_clock_that_never_ends_is_refused() -> None:
    with pytest.raises(InvalidConfiguration, match="norm 'n'"):
        Configured.of(organisation(norm(clock="opening-hours"), opening_hours={}))
