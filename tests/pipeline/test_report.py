"""Lines of the tables: values, attainment and what stands beside them."""

from datetime import UTC, datetime

import pytest

from pipeline.report import quarter_lines, rolling_lines, shown
from pipeline.store.reads import OutcomeRow, QuarterRow, RollingRow

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_rolling_line_has_value_interval_and_attainment() -> None:
    rows = [RollingRow("telephone", "norm:binnen_45s", "7d", AT, 400, 340, 340), RollingRow("telephone", "volume", "7d", AT, 410, 0, 0)]
    norm, volume = rolling_lines(rows, {"norm:binnen_45s": 0.8}, minimum_n=20)
    assert (norm.n, norm.value, norm.target, norm.attainment) == (400, 0.85, 0.8, "met")
    assert norm.low is not None
    assert norm.high is not None
    assert norm.low < 0.85 < norm.high
    assert (volume.value, volume.low, volume.attainment) == (410.0, None, "")


def test_verdicts_stand_beside_their_quarter_and_are_not_lost_without_figure() -> None:
    sums = [QuarterRow("telephone", "norm:a", "2026-Q1", 100, 80, 80)]
    outcomes = [
        OutcomeRow("telephone", "a", "2026-Q1", "", 103, 80, 20, 3, 5, 1),
        OutcomeRow("telephone", "a", "2026-Q1", "abandoned", 7, 0, 0, 0, 0, 0),
        OutcomeRow("telephone", "a", "2026-Q2", "no_deadline", 2, 0, 0, 0, 0, 0),
    ]
    first, second = quarter_lines(sums, outcomes, {"2026-Q1": {"norm:a": 0.9}}, minimum_n=20)
    assert (first.target, first.attainment, second.target) == (0.9, "not_met", None)
    assert first.notes == {"within": 80, "late": 20, "overdue": 5, "pending": 3, "stale": 1, "excluded abandoned": 7}
    assert second.attainment == "", "nothing was measured: not too few"
    assert (second.period, second.n, second.value, second.notes) == ("2026-Q2", 0, None, {"excluded no_deadline": 2})


@pytest.mark.parametrize(
    ("value", "measure", "text"),
    [
        (0.8123, "norm:a", "81.2%"),
        (12.34, "wait", "12.3 s"),
        (6.556, "answer:x:1:y", "6.56"),
        (1234.0, "volume", "1,234"),
        (None, "wait", "–"),
    ],
)
def test_values_are_shown_in_their_unit(value: float | None, measure: str, text: str) -> None:
    assert shown(value, measure) == text
