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
    found = {key: (scale.minimum, scale.maximum, sorted(aspects)) for key, (scale, aspects) in instruments.items()}
    assert found == {("na-contact", 1): (1.0, 10.0, ["ease", "overall"]), ("na-contact", 2): (0.0, 8.0, ["ease", "overall"])}


def test_a_norm_has_the_target_of_its_latest_version_and_an_aspect_its_own() -> None:
    versions = (norm(target=0.8, valid={"from": "2026-07-01"}), norm(target=0.7, valid={"to": "2026-07-01"}))
    targets = Configured.of(organisation(*versions, norm(id="without"))).targets
    assert targets == {"norm:n": 0.8, "answer:na-contact:1:overall": 7.5, "answer:na-contact:2:overall": 7.5}


def test_a_latest_version_without_a_target_has_none() -> None:
    versions = (norm(target=0.8, valid={"to": "2026-07-01"}), norm(valid={"from": "2026-07-01"}))
    assert "norm:n" not in Configured.of(organisation(*versions)).targets


def test_a_clock_that_never_ends_is_refused() -> None:
    with pytest.raises(InvalidConfiguration, match="norm 'n'"):
        Configured.of(organisation(norm(clock="opening-hours"), opening_hours={}))
