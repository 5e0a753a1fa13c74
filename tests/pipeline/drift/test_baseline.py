"""A baseline as a document."""

import json

import pytest

from pipeline.drift.baseline import Baseline
from pipeline.drift.kinds import KINDS, Name
from tests.pipeline.drift.simulated import baseline


@pytest.mark.parametrize("kind", KINDS)
def test_stored_and_read_it_is_the_same(kind: Name) -> None:
    one = baseline(kind, 1 / 3)
    again = Baseline.of(json.loads(json.dumps(one.document())))
    assert again == one
    assert hash(again) == hash(one)
    assert again.constants is KINDS[kind]


def test_residuals_of_grades_have_mean_nought() -> None:
    residuals = baseline("grade").residuals
    assert sum(v * p for v, p in zip(residuals.values, residuals.probabilities, strict=True)) == pytest.approx(0)
    assert max(residuals.values) - min(residuals.values) == pytest.approx(9)
