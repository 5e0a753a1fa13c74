"""Incidents: what belongs together, whom they ask for, and that neither order nor repetition of what arrives matters."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drift.incidents import HOUR_MS, LONGEST_SILENCE_MS, Incident, IncidentEvent, Rules, incident_id, incidents
from pipeline.drift.kinds import Name
from pipeline.drift.notation import channel_title
from pipeline.drift.signal import Signal, State
from schemas.words import Language

NAME = "teststad"
MINUTE = 60_000
START = 1_800_000_000_000 // HOUR_MS * HOUR_MS
NOW = 600
"""The hour in which everything is looked at, unless a test says otherwise. Hours count from START."""


def hour(number: float) -> int:
    return START + round(number * HOUR_MS)


def state(
    name: str, found: float, at: float | None = None, state: State = "found", sequence: int = 0, channel: str = "telephone", **fields: Any
) -> Signal:
    """One state, for the worse unless a field says otherwise; it began at `onset`, two hours before it was found."""
    kind: Name = fields.pop("kind", "compliance")
    onset = hour(fields.pop("onset", found - 2))
    moment = hour(found if at is None else at)
    side = fields.pop("side", -1)
    figures: dict[str, Any] = {"size": -0.2, "low": -0.3, "high": -0.1, "value": 0.6, "usual": 0.8, "n": 400}
    return Signal(NAME, name, sequence, state, channel, "volume", "volume", kind, side, moment, onset, **figures, **fields)


def course(name: str, found: float, over: float | None = None, **fields: Any) -> list[Signal]:
    """A signal that was found and, maybe, over."""
    first = state(name, found, **fields)
    return [first] if over is None else [first, replace(first, state="over", sequence=1, at=hour(over))]


def sentence(signal: Signal, language: Language) -> str:
    return f"{channel_title(signal.channel, language)}: {signal.id} {signal.state} {language}"


RULES = Rules(30 * MINUTE, lambda _channel, start, end: end - start, sentence)


def derived(
    *courses: Sequence[Signal],
    events: Iterable[IncidentEvent] = (),
    now: float = NOW,
    known: Sequence[Incident] = (),
    rules: Rules = RULES,
) -> list[Incident]:
    return incidents(NAME, [one for states in courses for one in states], events, rules, hour(now), known)


def only(found: list[Incident]) -> Incident:
    assert len(found) == 1, found
    return found[0]


def said(
    kind: Literal["acknowledged", "silenced"],
    incident: Incident,
    at: float,
    who: str = "anna",
    until: float | None = None,
    reason: str = "",
) -> IncidentEvent:
    return IncidentEvent(
        hour(at), hour(at), f"{kind}{at}{who}", kind, incident.incident, who, None if until is None else hour(until), reason
    )


def grouped(found: Iterable[Incident]) -> set[tuple[str, ...]]:
    return {one.signals for one in found if one.state != "merged"}


# ── what belongs together ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_signal_opens_an_incident_and_its_end_closes_it() -> None:
    opened = only(derived(course("a", 10)))
    assert (opened.state, opened.opened_at, opened.closed_at, opened.updated_at) == ("open", hour(10), None, hour(10))
    assert (opened.incident, opened.channels, opened.signals) == (incident_id("a"), ("telephone",), ("a",))
    assert (opened.worse, opened.pages, opened.merged_into) == (True, True, "")
    closed = only(derived(course("a", 10, over=20)))
    assert (closed.state, closed.closed_at, closed.asks_since) == ("closed", hour(20), None)
    assert closed.incident == opened.incident


def test_growth_updates_and_an_end_does_not() -> None:
    grown = [state("a", 10), state("a", 10, 14, "grown", 1)]
    assert only(derived(grown)).updated_at == hour(14)
    assert only(derived([*grown, state("a", 10, 30, "over", 2)])).updated_at == hour(14)


@pytest.mark.parametrize(
    ("over", "found", "together"),
    [
        pytest.param(None, 500, True, id="while it lasts, however long"),
        pytest.param(20, 15, True, id="while it lasted"),
        pytest.param(20, 44, True, id="a day after it was over"),
        pytest.param(20, 44.01, False, id="later than that"),
    ],
)
def test_signals_of_a_channel_are_one_while_it_lasts_and_a_day_after(over: float | None, found: float, together: bool) -> None:
    both = derived(course("a", 10, over), course("b", found))
    assert grouped(both) == ({("a", "b")} if together else {("a",), ("b",)})


def test_when_it_began_opens_nothing_that_was_closed_long_ago() -> None:
    assert grouped(derived(course("a", 10, over=20), course("b", 100, onset=12))) == {("a",), ("b",)}


def test_what_returns_within_a_day_opens_the_incident_again() -> None:
    again = only(derived(course("a", 10, over=20), course("b", 30)))
    assert (again.state, again.closed_at, again.opened_at, again.updated_at) == ("open", None, hour(10), hour(30))


def test_it_closes_when_the_last_signal_is_over() -> None:
    assert only(derived(course("a", 10, over=20), course("b", 12))).state == "open"
    assert only(derived(course("a", 10, over=20), course("b", 12, over=50))).closed_at == hour(50)


def test_a_signal_that_late_data_ended_and_found_again_lasts() -> None:
    again = [state("a", 10), state("a", 10, 12, "over", 1, ended="revised"), state("a", 10, 40, "found", 2)]
    assert only(derived(again)).state == "open"
    assert only(derived(again)).opened_at == hour(10)


OTHER = {"channel": "counter", "onset": 9}


@pytest.mark.parametrize(
    ("found", "fields", "together"),
    [
        (12, OTHER, True),
        (12, OTHER | {"onset": 11}, True),
        (12, OTHER | {"onset": 11.01}, False),
        (34, OTHER, True),
        (34.01, OTHER, False),
        (12, OTHER | {"side": 1}, False),
    ],
)
def test_channels_that_worsen_together_are_one_incident(found: float, fields: dict[str, Any], together: bool) -> None:
    both = derived(course("a", 10, onset=8), course("b", found, **fields))
    assert (grouped(both) == {("a", "b")}) is together
    if together:
        assert only(both).channels == ("counter", "telephone")


def test_a_channel_that_comes_between_makes_two_incidents_one() -> None:
    first, second = course("a", 10, onset=8), course("b", 14, onset=12, channel="counter")
    known = derived(first, second, now=15)
    assert [one.incident for one in known] == [incident_id("a"), incident_id("b")]
    older, younger = derived(first, second, course("c", 16, onset=10, channel="email"), now=17, known=known)
    assert (older.incident, older.signals, older.merged_into) == (incident_id("a"), ("a", "b", "c"), "")
    assert (younger.incident, younger.state, younger.merged_into, younger.asks_since) == (incident_id("b"), "merged", older.incident, None)


def test_an_incident_keeps_its_id_when_late_data_tell_of_an_earlier_signal() -> None:
    known = derived(course("b", 14), now=15)
    kept = only(derived(course("a", 10), course("b", 14), now=16, known=known))
    assert (kept.incident, kept.opened_at, kept.signals) == (incident_id("b"), hour(14), ("a", "b"))


def test_an_incident_never_splits_when_late_data_end_a_signal_earlier() -> None:
    known = derived(course("a", 10), course("b", 80), now=81)
    ended = course("a", 10, over=20)
    assert grouped(derived(ended, course("b", 80), now=82)) == {("a",), ("b",)}
    assert grouped(derived(ended, course("b", 80), now=82, known=known)) == {("a", "b")}


def test_what_is_no_longer_at_hand_stays_in_its_incident() -> None:
    known = derived(course("a", 10, channel="counter"), course("b", 11, onset=9), now=12)
    kept = only(derived(course("b", 11, over=40), now=50, known=known))
    assert (kept.incident, kept.signals, kept.channels, kept.opened_at) == (
        incident_id("a"),
        ("a", "b"),
        ("counter", "telephone"),
        hour(10),
    )


def test_other_organisations_are_left_out() -> None:
    other = replace(state("a", 10), organisation="elders")
    assert derived([other]) == []


# ── whom it asks for ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_improvement_and_back_fill_ask_for_nobody() -> None:
    better = only(derived(course("a", 10, side=1)))
    assert (better.worse, better.pages, better.asks_since) == (False, False, None)
    filled = only(derived(course("a", 10, announce=False)))
    assert (filled.worse, filled.pages, filled.asks_since) == (True, False, None)
    mixed = only(derived(course("a", 10, side=1), course("b", 11)))
    assert (mixed.pages, mixed.asks_since) == (True, hour(NOW))
    assert only(derived(course("a", 10, side=1), course("b", 11, over=12))).asks_since is None


def test_it_escalates_after_so_long_on_duty() -> None:
    at_night = Rules(30 * MINUTE, lambda _channel, start, end: max(0, end - max(start, hour(24))), sentence)
    known = derived(course("a", 10), now=11, rules=at_night)
    assert (only(known).asks_since, only(known).escalated_at) == (hour(11), None)
    for now, escalated in ((24.4, None), (24.5, hour(24.5)), (30, hour(24.5))):
        known = derived(course("a", 10), now=now, rules=at_night, known=known)
        assert (only(known).asks_since, only(known).escalated_at) == (hour(11), escalated)


def test_data_that_come_late_do_not_escalate_before_anybody_could_react() -> None:
    assert only(derived(course("a", 10), now=30)).escalated_at is None


def test_of_several_channels_the_one_longest_on_duty_decides() -> None:
    rules = replace(RULES, on_duty_ms=lambda channel, start, end: end - start if channel == "telephone" else 0)
    both = (course("a", 10, channel="counter"), course("b", 10))
    known = derived(*both, now=11, rules=rules)
    assert only(derived(*both, now=12, rules=rules, known=known)).escalated_at == hour(12)
    alone = derived(both[0], now=11, rules=rules)
    assert only(derived(both[0], now=12, rules=rules, known=alone)).escalated_at is None


def test_who_takes_note_stops_it() -> None:
    known = derived(course("a", 10), now=11)
    known = derived(course("a", 10), now=12, known=known)
    assert only(known).escalated_at is not None
    noted = only(derived(course("a", 10), now=13, known=known, events=[said("acknowledged", only(known), 12.5, reason="gebeld")]))
    assert (noted.acknowledged_at, noted.acknowledged_by, noted.reason) == (hour(12.5), "anna", "gebeld")
    assert (noted.asks_since, noted.escalated_at, noted.state) == (None, None, "open")


def test_what_is_found_a_day_after_it_was_noted_asks_again() -> None:
    first = only(derived(course("a", 10), now=11))
    noted = [said("acknowledged", first, 12)]
    assert only(derived(course("a", 10), course("b", 36), now=40, events=noted)).acknowledged_by == "anna"
    again = only(derived(course("a", 10), course("b", 37), now=40, events=noted))
    assert (again.acknowledged_at, again.acknowledged_by, again.asks_since) == (None, "", hour(40))
    grown = [state("a", 10), state("a", 10, 100, "grown", 1)]
    assert only(derived(grown, events=noted)).acknowledged_by == "anna"
    assert only(derived(course("a", 10), course("b", 37, side=1), events=noted)).acknowledged_by == "anna"


def test_a_silence_ends_by_itself() -> None:
    one = only(derived(course("a", 10), now=11))
    silence = [said("silenced", one, 12, until=20, reason="storing bekend")]
    silent = only(derived(course("a", 10), now=19, events=silence))
    assert (silent.silenced_until, silent.silenced_by, silent.reason, silent.asks_since) == (hour(20), "anna", "storing bekend", None)
    after = only(derived(course("a", 10), now=20, events=silence, known=[silent]))
    assert (after.silenced_until, after.silenced_by, after.reason, after.asks_since) == (None, "", "", hour(20))


@pytest.mark.parametrize("until", [None, 1_000.0])
def test_nothing_is_silenced_longer_than_a_week(until: float | None) -> None:
    one = only(derived(course("a", 10), now=11))
    assert only(derived(course("a", 10), now=13, events=[said("silenced", one, 12, until=until)])).silenced_until == (
        hour(12) + LONGEST_SILENCE_MS
    )


def test_of_two_silences_the_last_word_counts() -> None:
    one = only(derived(course("a", 10), now=11))
    events = [said("silenced", one, 12, until=100), said("silenced", one, 13, until=14)]
    assert only(derived(course("a", 10), now=20, events=events)).silenced_until is None


def test_a_closed_incident_is_not_silent_and_says_who_took_note() -> None:
    one = only(derived(course("a", 10), now=11))
    events = [said("silenced", one, 12), said("acknowledged", one, 12)]
    closed = only(derived(course("a", 10, over=20), now=21, events=events))
    assert (closed.silenced_until, closed.acknowledged_by) == (None, "anna")


def test_what_was_said_of_a_merged_incident_holds_for_the_whole() -> None:
    first, second, between = (
        course("a", 10, onset=8),
        course("b", 14, onset=12, channel="counter"),
        course("c", 16, onset=10, channel="email"),
    )
    known = derived(first, second, now=15)
    found = derived(first, second, between, now=17, known=known, events=[said("acknowledged", known[1], 15)])
    assert [one.acknowledged_by for one in found if one.state == "open"] == ["anna"]


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_lasts_is_told_and_what_is_for_the_worse_first() -> None:
    one = only(
        derived(course("better", 11, side=1), course("over", 10, over=12), course("worse", 13), course("later", 14), course("last", 15))
    )
    assert one.text_nl == "Telefoon: worse found nl. Later found nl. Last found nl. En nog 1 signaal."
    assert one.text_en == "Telephone: worse found en. Later found en. Last found en. And 1 more signal."


def test_once_all_is_over_all_is_told() -> None:
    one = only(
        derived(
            course("b", 11, over=30), course("a", 10, over=20), course("c", 12, over=20), course("d", 13, over=20), course("e", 14, over=20)
        )
    )
    assert one.text_nl == "Telefoon: a over nl. B over nl. C over nl. En nog 2 signalen."


def test_of_several_channels_something_is_told_of_each() -> None:
    three = derived(
        course("a", 10), course("b", 10.1), course("c", 10.2), course("d", 10.3, channel="counter"), course("e", 10.4, channel="email")
    )
    sentences = "Telefoon: a found nl. Balie: d found nl. E-mail: e found nl."
    assert only(three).text_nl == f"Telefoon, balie en e-mail tegelijk. {sentences} En nog 2 signalen."
    assert only(three).text_en.startswith("Telephone, counter and email at the same time. Telephone: a found en.")
    two = derived(course("a", 10), course("b", 10.1), course("c", 10.2), course("d", 10.3, channel="public_space"))
    sentences = "Telefoon: a found nl. B found nl. Openbare ruimte: d found nl."
    assert only(two).text_nl == f"Telefoon en openbare ruimte tegelijk. {sentences} En nog 1 signaal."


# ── order and repetition ──────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def histories(draw: st.DrawFn) -> list[Signal]:
    """Signals of three channels in three weeks, with all their states, in order of event time."""
    states: list[Signal] = []
    for number in range(draw(st.integers(1, 7))):
        found = draw(st.integers(0, 500))
        fields: dict[str, Any] = {
            "channel": draw(st.sampled_from(["telephone", "counter", "email"])),
            "onset": found - draw(st.integers(1, 60)),
            "side": draw(st.sampled_from([-1, -1, 1])),
            "announce": draw(st.booleans()),
        }
        first = state(f"s{number}", found, **fields)
        moments = sorted(draw(st.lists(st.integers(found + 1, 560), max_size=3, unique=True)))
        over = draw(st.booleans())
        kinds: list[State] = ["over" if over and at == moments[-1] else "grown" for at in moments]
        states += [
            first,
            *(replace(first, state=kind, at=hour(at), sequence=n) for n, (kind, at) in enumerate(zip(kinds, moments, strict=True), 1)),
        ]
    return sorted(states, key=lambda one: (one.at, one.id))


@st.composite
def sayings(draw: st.DrawFn, signals: list[Signal]) -> list[IncidentEvent]:
    """Events on incidents that exist, on others, and on some twice at the same moment."""
    found = [*incidents(NAME, signals, (), RULES, hour(NOW)), replace(only(derived(course("else", 1))), incident="nothing")]
    return [
        said(
            draw(st.sampled_from(["acknowledged", "silenced"])),
            draw(st.sampled_from(found)),
            draw(st.integers(0, 590)),
            draw(st.sampled_from(["anna", "bas"])),
            draw(st.none() | st.integers(0, 900)),
        )
        for _ in range(draw(st.integers(0, 5)))
    ]


@given(st.data(), histories(), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(data: st.DataObject, signals: list[Signal], chance: random.Random) -> None:
    events = data.draw(sayings(signals))
    found = incidents(NAME, signals, events, RULES, hour(NOW))
    again = [*signals, *chance.sample(signals, len(signals) // 2)]
    words = [*events, *chance.sample(events, len(events) // 2)]
    chance.shuffle(again)
    chance.shuffle(words)
    assert incidents(NAME, again, words, RULES, hour(NOW)) == found
    assert incidents(NAME, again, words, RULES, hour(NOW), found) == found
    assert sorted(name for one in found for name in one.signals) == sorted({one.id for one in signals})


@given(histories())
def test_looking_often_finds_what_looking_once_does(signals: list[Signal]) -> None:
    known: list[Incident] = []
    for end in range(1, len(signals) + 1):
        known = incidents(NAME, signals[:end], (), RULES, signals[end - 1].at, known)
    once = incidents(NAME, signals, (), RULES, hour(NOW))
    assert grouped(known) == grouped(once)
    open_of = {one.signals: (one.incident, one.state, one.opened_at, one.closed_at) for one in once}
    assert {one.signals: (one.incident, one.state, one.opened_at, one.closed_at) for one in known if one.state != "merged"} == open_of


@given(histories(), st.randoms(use_true_random=False))
def test_however_states_arrive_no_incident_splits_or_is_lost(signals: list[Signal], chance: random.Random) -> None:
    arriving = list(signals)
    chance.shuffle(arriving)
    known: list[Incident] = []
    for end in range(1, len(arriving) + 1):
        before, known = known, incidents(NAME, arriving[:end], (), RULES, hour(NOW), known)
        now = {one.incident: one for one in known}
        for one in before:
            whole = now[one.incident]
            if whole.state == "merged":
                whole = now[whole.merged_into]
                assert whole.opened_at <= one.opened_at
            assert whole.state != "merged"
            assert set(one.signals) <= set(whole.signals)
    once = incidents(NAME, signals, (), RULES, hour(NOW))
    assert all(any(set(one) <= set(whole) for whole in grouped(known)) for one in grouped(once))
