"""Series in, alerts out: when a rule alerts, when it stops, and when it does not alert at all."""

from collections.abc import Sequence
from typing import Any

import pytest

from dashboards.alerts.evaluating import Alert, Evaluator
from dashboards.alerts.rule import Rule
from dashboards.alerts.rules import RULES, rule
from dashboards.words import Text

STEP_MS = 30_000


def made(for_s: int = 0, keep_firing_s: int = 0) -> Rule:
    """A rule on a number by channel, asked every 30 seconds, that holds above 10."""
    return Rule(
        "made", Text("nl", "en"), "page", "made", "", ("channel",), Text("{channel}: {words}", "{value}"), Text("", ""), told=("words",),
        threshold=10, for_s=for_s, keep_firing_s=keep_firing_s,
    )  # fmt: skip


def states(one: Rule, series: Sequence[float | None]) -> list[str]:
    """The state of an instance after each reading, beside one that is fine; None is a missing row, and "" where nothing alerts."""
    evaluator = Evaluator(one)
    found: list[str] = []
    for step, value in enumerate(series):
        rows = [
            {"channel": name, "words": f"step {step}", "value": one}
            for name, one in (("telephone", value), ("email", 0))
            if one is not None
        ]
        alerts = evaluator.read(rows, step * STEP_MS)
        assert len(alerts) <= 1
        found.append(alerts[0].state if alerts else "")
    return found


@pytest.mark.parametrize(
    ("for_s", "keep_firing_s", "series", "expected"),
    [
        pytest.param(0, 0, [0, 11, 12, 10, 0], ["", "firing", "firing", "resolved", ""], id="at once, and over at once"),
        pytest.param(60, 0, [11, 11, 11, 11], ["pending", "pending", "firing", "firing"], id="after for"),
        pytest.param(60, 0, [11, 11, 0, 11, 11, 0], ["pending", "pending", "", "pending", "pending", ""], id="never for long enough"),
        pytest.param(0, 60, [11, 0, 0, 0, 0], ["firing", "recovering", "recovering", "resolved", ""], id="over only after keep_firing"),
        pytest.param(60, 60, [11, 11, 11, 0, 11, 0, 0, 0],
                     ["pending", "pending", "firing", "recovering", "firing", "recovering", "recovering", "resolved"], id="one alert"),
        pytest.param(0, 0, [11, None, None, None], ["firing", "firing", "resolved", ""], id="missing for two intervals"),
        pytest.param(0, 0, [11, None, 11], ["firing", "firing", "firing"], id="missing once"),
        pytest.param(60, 0, [11, None, None], ["pending", "pending", ""], id="a pending one that goes missing is told to nobody"),
        pytest.param(0, 0, [10, 10, 0, -3], ["", "", "", ""], id="at the threshold is not above it"),
    ],
)  # fmt: skip
def test_series_in_alerts_out(for_s: int, keep_firing_s: int, series: Sequence[float | None], expected: list[str]) -> None:
    assert states(made(for_s, keep_firing_s), series) == expected


def test_texts_change_and_labels_do_not() -> None:
    evaluator, one = Evaluator(made()), {"channel": "telephone", "words": "eerst", "value": 11.0}
    (first,) = evaluator.read([one], 0)
    (later,) = evaluator.read([{**one, "words": "later", "value": 99.4}], STEP_MS)
    assert first.labels == later.labels == {"rule": "made", "severity": "page", "channel": "telephone"}
    assert (later.summary.nl, later.summary.en, later.fired_at, later.since) == ("telephone: later", "99", 0, 0)
    assert later.path == "/d/contactmeter-now-nl?var-channel=telephone"


def test_the_last_texts_are_those_of_the_row_that_ends_it() -> None:
    evaluator = Evaluator(made())
    evaluator.read([{"channel": "telephone", "words": "wacht op iemand", "value": 11.0}], 0)
    (ended,) = evaluator.read([{"channel": "telephone", "words": "gezien door anna", "value": 0.0}], STEP_MS)
    assert (ended.state, ended.summary.nl, ended.fires) == ("resolved", "telephone: gezien door anna", False)


@pytest.mark.parametrize(("keep_firing_s", "expected"), [(0, ["resolved", ""]), (60, ["recovering", "recovering", "resolved"])])
def test_without_any_row_all_is_fine(keep_firing_s: int, expected: list[str]) -> None:
    evaluator = Evaluator(made(keep_firing_s=keep_firing_s))
    evaluator.read([{"channel": "telephone", "words": "", "value": 11.0}], 0)
    found = [[alert.state for alert in evaluator.read([], step * STEP_MS)] for step in range(1, len(expected) + 1)]
    assert found == [[state] if state else [] for state in expected]


def test_a_question_that_fails_ends_nothing_and_raises_nothing() -> None:
    evaluator = Evaluator(made())
    evaluator.read([{"channel": "telephone", "words": "", "value": 11.0}], 0)
    for step in range(1, 9):
        assert [alert.state for alert in evaluator.failed("ClickHouse does not answer", step * STEP_MS)] == ["firing"]
    assert evaluator.error
    others = [{"channel": "email", "words": "", "value": 0.0}]
    assert [alert.state for alert in evaluator.read(others, 9 * STEP_MS)] == ["firing"], "missing for one interval only"
    assert not evaluator.error
    assert Evaluator(made()).failed("away", 0) == []


def test_instances_are_told_apart_by_their_labels() -> None:
    rows = [{"channel": name, "words": "", "value": value} for name, value in (("telephone", 11.0), ("email", 3.0), ("counter", 20.0))]
    found = {alert.labels["channel"]: alert.state for alert in Evaluator(made()).read(rows, 0)}
    assert found == {"telephone": "firing", "counter": "firing"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param([{"channel": "a", "words": "", "value": 1.0}] * 2, "two rows are {'channel': 'a'}", id="twice"),
        pytest.param([{"channel": "a", "value": 1.0}], "no column words", id="a column missing"),
    ],
)
def test_an_answer_that_is_wrong_is_refused(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Evaluator(made()).read(rows, 0)


def row_of(one: Rule, value: float, **texts: str) -> dict[str, Any]:
    """A row of a rule with something in every column."""
    return {**{name: name for name in (*one.labels, *one.told)}, **texts, "value": value}


def fired(one: Rule, values: Sequence[float]) -> list[Alert]:
    """What fires of a rule in readings as often as it is asked."""
    evaluator = Evaluator(one)
    return [
        alert
        for step, value in enumerate(values)
        for alert in evaluator.read([row_of(one, value)], step * one.interval_s * 1000)
        if alert.fires
    ]


@pytest.mark.parametrize("one", [one for one in RULES if one.severity == "page" and one.keep_firing_s], ids=lambda one: one.id)
def test_a_page_that_comes_and_goes_is_one_alert(one: Rule) -> None:
    """Above and below in turn, from the moment that it fires: it never ends, and it fired once."""
    above, below = one.threshold + 1, one.threshold
    steps = one.for_s // one.interval_s + 1
    alerts = fired(one, [*[above] * steps, *[below, above] * 20])
    assert {alert.fired_at for alert in alerts} == {(steps - 1) * one.interval_s * 1000}
    assert len(alerts) == 41


def test_a_hiccup_pages_nobody() -> None:
    silent, term, unheard = rule("connector_silent"), rule("term_about_to_pass"), rule("channel_unheard")
    assert not fired(silent, [30.0 * step for step in range(31)]), "a quarter of an hour"
    assert not fired(silent, [30.0 * step for step in range(32)]), "nor a moment more, at which a worker that starts may be"
    assert fired(silent, [30.0 * step for step in range(33)])
    assert not fired(term, [1, 0, 1, 0])
    assert not fired(unheard, [1, 0, 1, 0])
