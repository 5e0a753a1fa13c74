"""Folding batches into the state of an assignment: the same whatever their order, cuts and duplicates, and after any restart."""

import random
from itertools import accumulate, pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.assignment import Assignment, Rows
from pipeline.contacts import digest
from pipeline.decode import Decoded, decode
from pipeline.known import Known
from pipeline.memory import CHECKED
from pipeline.rolling import Sums, minute_of
from pipeline.rows import COLUMNS, Row
from pipeline.versions import GENERATIONS
from schemas.partitions import partition_of
from tests.pipeline.builders import (
    CONFIGURED,
    CRM,
    DAY,
    HOUR,
    MINUTE,
    NAME,
    NINE,
    PBX,
    PBX_2,
    SECOND,
    Shelf,
    answer,
    decoded,
    event,
    record,
    stored_contact,
    wire,
)

AS_OF = minute_of(NINE + 7 * DAY)
PARTITION = partition_of(NAME)
Wire = dict[str, Any]


# Histories -------------------------------------------------------------------------------------------------------------

moments = st.sampled_from([NINE + offset for offset in (0, 1, 4 * SECOND, 45 * SECOND, 46 * SECOND, HOUR, DAY)])
names = st.sampled_from(["1", "2", "3", "4"])
kinds = ["queued", "answered", "abandoned", "closed", "reopened", "responded", "withdrawn"]
extra: dict[str, Wire] = {
    "opened": {"channel": "telephone", "deadlines": {"given": "2026-03-03T12:00:00Z"}},
    "corrected": {"channel": "email", "product": "Paspoort"},
    "transferred": {"team": "Burgerzaken"},
}


@st.composite
def contact_events(draw: st.DrawFn) -> Wire:
    """An event of one of a few contacts; few ids and moments, so that contents repeat and conflict."""
    kind = draw(st.sampled_from(["opened", "opened", "corrected", "transferred", *kinds]))
    fields = extra.get(kind, {})
    source = draw(st.sampled_from([PBX, PBX_2, CRM]))
    contact = draw(st.sampled_from(["c1", "c2"]))
    return wire(f"contact.{kind}", draw(moments), draw(names), source, draw(moments), contact=contact, **fields)


@st.composite
def answers(draw: st.DrawFn) -> Wire:
    """A revision of one of two answers."""
    channel = draw(st.sampled_from([{"channel": "telephone"}, {"channel": "email"}, {}]))
    revision, grade, name = draw(st.integers(0, 2)), draw(st.integers(1, 20)) / 2, draw(st.sampled_from(["a1", "a2"]))
    return answer(draw(moments), min(max(grade, 1), 10), name, revision, draw(moments), **channel)


histories = st.lists(st.one_of(contact_events(), contact_events(), contact_events(), answers()), max_size=25)
cuts = st.lists(st.integers(0, 6), max_size=8)


def records_of(events: list[Wire], sizes: list[int]) -> list[Decoded]:
    """The events in records of the given sizes, the rest in the last."""
    ends = [0, *accumulate(sizes), len(events)]
    parts = [part for start, end in pairwise(ends) if (part := events[start:end])]
    return [decoded(part, offset) for offset, part in enumerate(parts)]


def again(batch: list[Decoded]) -> list[Decoded]:
    """The same records as they are delivered once more."""
    return [decode(one.record, CONFIGURED) for one in batch]


def run(
    batch: list[Decoded], sizes: list[int], shelf: Shelf, start: int = 0, writer: int = 1, limit: int = 100
) -> tuple[Assignment, list[Rows]]:
    """A worker's life: records in micro-batches, each looked up, folded in, and written while the next is looked up."""
    state = shelf.assignment(writer, start, AS_OF)
    ends = [0, *accumulate(sizes), len(batch)]
    written: list[Rows] = []
    in_flight = Rows()
    for begin, end in pairwise(ends):
        part = batch[begin:end]
        state.remember(*shelf.look_up(*state.missing(part)))
        rows = state.apply(part)
        shelf.write(in_flight)
        state.trim(limit)
        in_flight = rows
        written.append(rows)
        if state.stale:
            shelf.write(in_flight)
            state = shelf.assignment(writer, part[-1].record.offset + 1, AS_OF)
    shelf.write(in_flight)
    return state, written


def sums_are_those_of_the_rows(state: Assignment, shelf: Shelf) -> None:
    assert state.sums[NAME].minutes() == shelf.minutes()


@given(histories, cuts, cuts, st.integers(0, 5), st.randoms(use_true_random=False))
def test_order_batches_and_duplicates_do_not_matter(
    events: list[Wire], records: list[int], batches: list[int], limit: int, dice: random.Random
) -> None:
    plain, mixed = Shelf(), Shelf()
    run(records_of(events, []), [], plain)
    shuffled = events + dice.sample(events, len(events) // 2)
    dice.shuffle(shuffled)
    state, _ = run(records_of(shuffled, records), batches, mixed, limit=limit)
    assert mixed.content() == plain.content()
    sums_are_those_of_the_rows(state, mixed)
    assert state.mismatches == 0


@given(histories, cuts, cuts, cuts, st.integers(0, 3))
def test_for_one_log_equal_versions_mean_equal_content(
    events: list[Wire], records: list[int], one: list[int], other: list[int], limit: int
) -> None:
    batch = records_of(events, records)
    found: dict[tuple[str, Row, int], Row] = {}
    shelves = []
    for sizes, kept in ((one, 100), (other, limit), ([1] * len(batch), 0)):
        shelf = Shelf()
        _, written = run(again(batch), sizes, shelf, limit=kept)
        shelves.append(shelf.content(with_version=True))
        last: dict[tuple[str, Row], Row] = {}
        for rows in written:
            for table in ("contacts", "survey_answers"):
                for row in rows.tables.get(table, ()):
                    key, content = (table, row[:3]), row[4:-2]
                    assert found.setdefault((*key, row[3]), content) == content
                    if key in last:
                        assert row[3] > last[key][3], "versions grow"
                        assert content != last[key][4:-2], "with content"
                    last[key] = row
    assert shelves[0] == shelves[1] == shelves[2]


@settings(max_examples=150)
@given(histories, cuts, cuts, cuts, st.integers(0, 3), st.data())
def test_a_restart_from_stored_rows_continues_exactly(
    events: list[Wire], records: list[int], one: list[int], other: list[int], limit: int, data: st.DataObject
) -> None:
    batch = records_of(events, records)
    undisturbed, shelf = Shelf(), Shelf()
    run(again(batch), one, undisturbed)
    stored = data.draw(st.integers(0, len(batch)), "records whose rows are stored")
    committed = data.draw(st.integers(0, stored), "records that were acknowledged")
    run(again(batch[:stored]), one, shelf, writer=1)
    state, _ = run(again(batch[committed:]), other, shelf, start=committed, writer=2, limit=limit)
    assert shelf.content(with_version=True) == undisturbed.content(with_version=True)
    sums_are_those_of_the_rows(state, shelf)
    assert (state.stale, state.mismatches) == (set(), 0)


@given(histories, cuts)
def test_the_windows_are_those_of_the_rows(events: list[Wire], sizes: list[int]) -> None:
    shelf = Shelf()
    state, _ = run(records_of(events, sizes), [1] * len(sizes), shelf)
    reported = {row[1:4]: row[6:9] for row in state.figures()}
    anew = shelf.assignment(9, 0, AS_OF).sums[NAME].all()
    expected = {(one.channel, one.measure, one.window): (one.n, one.total, one.squares) for one in anew}
    assert {key: sums for key, sums in reported.items() if sums[0]} == {key: sums for key, sums in expected.items() if sums[0]}


# One batch -------------------------------------------------------------------------------------------------------------


def fresh(as_of: int = AS_OF, start: int = 0, contacts: Known | None = None) -> Assignment:
    sums = {NAME: Sums(as_of)}
    return Assignment(1, {PARTITION: start}, CONFIGURED, sums, contacts or Known.none(), Known.none())


def call(contact: str = "c1", *later: tuple[str, int]) -> list[Wire]:
    """A call opened and queued at nine, and what followed after some milliseconds."""
    first = [wire("contact.opened", NINE, contact=contact, channel="telephone"), wire("contact.queued", NINE, contact=contact)]
    return [*first, *(wire(f"contact.{kind}", NINE + offset, contact=contact) for kind, offset in later)]


def column(table: str, row: Row, name: str) -> Any:
    return row[COLUMNS[table].index(name)]


def test_a_row_of_a_contact_says_what_its_events_say() -> None:
    state = fresh()
    ((row,),) = state.apply([decoded(call("c1", ("answered", 30 * SECOND)), 12)]).tables.values()
    values = dict(zip(COLUMNS["contacts"], row, strict=True))
    assert (values["organisation"], values["system"], values["contact"]) == (NAME, "pbx", "c1")
    assert values["version"] == 3 * GENERATIONS + 3  # three events, generation 3
    assert (values["channel"], values["opened_at"], values["answered_at"], values["wait_ms"]) == ("telephone", NINE, NINE + 30_000, 30_000)
    assert values["outcomes.norm"] == ("2wd", "n")
    assert values["outcomes.judged_at"] == (values["outcomes.deadline"][0], NINE + 30_000)
    assert (values["withdrawn"], values["defects"], values["writer"], values["offset"]) == (False, (), 1, 12)
    assert [entry[5] for entry in orjson.loads(values["timeline"])] == ["opened", "queued", "answered"]


def test_every_table_has_a_value_for_every_column_and_contacts_come_last() -> None:
    events = [
        *call(),
        answer(NINE, 7.25, channel="email", contact={"system": "pbx", "id": "c1"}, has_comment=True),
        wire("connector.observed", NINE, connector="x"),
        wire("channel.observed", NINE, channel="telephone", gauges={"waiting": 3}),
        wire("marker.cancelled", NINE, marker="m1"),
        {"id": 1},
    ]
    state = fresh()
    rows = state.apply([decode(record(events, 5), CONFIGURED)])
    rows.add("rolling", state.figures())
    assert set(rows.tables) == set(COLUMNS) - {"tombstones", "comments"}
    for table, found in rows.tables.items():
        assert {len(row) for row in found} == {len(COLUMNS[table])}, table
    assert list(COLUMNS)[-1] == "contacts"
    (kept,) = rows.tables["survey_answers"]
    assert (column("survey_answers", kept, "aspects"), column("survey_answers", kept, "grades")) == (("overall",), (7_250,))
    assert (column("survey_answers", kept, "contact_system"), column("survey_answers", kept, "contact")) == ("pbx", "c1")
    (reject,) = rows.tables["rejects"]
    assert reject[:4] == ("contact-events", PARTITION, 5, 6)
    assert (column("rejects", reject, "organisation"), column("rejects", reject, "original")) == (NAME, '{"id":1}')


def test_what_changes_nothing_writes_nothing() -> None:
    state = fresh()
    batch = [decoded([*call(), answer(NINE, 7)])]
    assert set(state.apply(batch).tables) == {"contacts", "survey_answers"}
    assert state.apply(again(batch)).tables == {}


def test_a_contact_in_several_records_of_a_batch_gives_one_row() -> None:
    opened, queued, answered = call("c1", ("answered", SECOND))
    rows = fresh().apply([decoded([opened], 3), decoded([queued], 4), decoded([answered], 5)])
    (row,) = rows.tables["contacts"]
    assert (column("contacts", row, "version") // GENERATIONS, column("contacts", row, "offset")) == (3, 5)


def test_a_figure_carries_its_target_and_the_offset_after_the_last_record() -> None:
    state = fresh()
    state.apply([decoded([*call("c1", ("answered", SECOND)), *call("c2", ("answered", SECOND))], 41)])
    rows = {row[1:4]: row for row in state.figures()}
    row = rows["telephone", "norm:n", "28d"]
    assert column("rolling", row, "version") == 42 * GENERATIONS + 3
    assert (column("rolling", row, "as_of"), column("rolling", row, "n"), column("rolling", row, "value")) == (AS_OF * 60, 2, 1.0)
    assert (column("rolling", row, "target"), column("rolling", row, "attainment")) == (0.8, "met")
    assert column("rolling", rows["telephone", "volume", "28d"], "target") is None
    assert state.figures() == []


def test_before_any_record_a_figure_carries_the_first_offset_to_come() -> None:
    sums = {NAME: Sums.load(AS_OF, [("telephone", "volume", AS_OF, 1, 0, 0)])}
    state = Assignment(1, {PARTITION: 7}, CONFIGURED, sums, Known.none(), Known.none())
    assert {column("rolling", row, "version") for row in state.figures()} == {7 * GENERATIONS + 3}


def test_a_record_that_only_claims_the_organisation_moves_no_offset() -> None:
    state = fresh()
    elsewhere = decode(record(call(), 900, headers=[], partition=5), CONFIGURED)
    wrong = decode(record(call(), 901, partition=(PARTITION + 1) % 64), CONFIGURED)
    assert [one.organisation for one in (elsewhere, wrong)] == [NAME, NAME]
    rows = state.apply([elsewhere, wrong, decoded(call(), 3)])
    assert [column("contacts", row, "offset") for row in rows.tables["contacts"]] == [3]
    assert {column("rolling", row, "version") // GENERATIONS for row in state.figures()} == {4}
    assert [column("rejects", row, "reason") for row in rows.tables["rejects"]] == ["organisation_mismatch", "wrong_partition"]


def test_an_open_contact_is_late_when_its_deadline_has_passed() -> None:
    state = fresh(as_of=minute_of(NINE))
    state.apply([decoded(call())])

    def share() -> tuple[int, int]:
        return next(((found.n, found.total) for found in state.sums[NAME].all() if found[:3] == ("telephone", "norm:n", "1h")), (0, 0))

    assert share() == (0, 0)
    state.advance(minute_of(NINE + MINUTE))
    assert share() == (1, 0)
    state.apply([decoded([wire("contact.answered", NINE + 40 * SECOND, contact="c1")], 1)])  # known late, answered in time
    assert share() == (1, 1)


def test_a_corrected_channel_moves_what_was_counted() -> None:
    state = fresh()
    state.apply([decoded(call())])
    state.figures()
    state.apply([decoded([wire("contact.corrected", NINE + 1, contact="c1", channel="email")], 1)])
    volumes = {(row[1], row[3]): row[6] for row in state.figures() if row[2] == "volume"}
    assert volumes == {
        ("email", "1h"): 0, ("email", "24h"): 0, ("email", "7d"): 0, ("email", "28d"): 1,  # seven days after
        ("telephone", "1h"): 0, ("telephone", "24h"): 0, ("telephone", "7d"): 0, ("telephone", "28d"): 0,
    }  # fmt: skip


# Look-ups --------------------------------------------------------------------------------------------------------------


def test_only_what_may_be_stored_and_is_not_in_memory_is_looked_up() -> None:
    shelf = Shelf()
    shelf.write(fresh().apply([decoded([*call("c1"), *call("c2"), answer(NINE, 7, "a1")])]))
    state = shelf.assignment(2, 5, AS_OF)
    batch = [decoded([*call("c1"), *call("c3"), answer(NINE, 7, "a1"), answer(NINE, 7, "a2")], 5), decoded(call("c1"), 6)]
    wanted = state.missing(batch)
    assert wanted == ([(NAME, "pbx", "c1")], [(NAME, PBX, "a1")])
    state.remember(*shelf.look_up(*wanted))
    assert state.missing(batch) == ([], [])


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6), max_size=10), st.integers(0, 4))
def test_what_is_in_flight_is_never_forgotten(batches: list[list[str]], limit: int) -> None:
    """Neither contacts nor answers, of which a batch may hold far more than the limit."""
    state = fresh()
    for offset, names in enumerate(batches):
        events = [*(one for name in names for one in call(name)), *(answer(NINE, 7, name, offset) for name in names)]
        batch = [decoded(events, offset)]
        state.missing(batch)
        state.apply(batch)
        state.trim(limit)
        assert state.missing(again(batch)) == ([], [])
        assert state.contacts_in_memory <= max(limit, len(set(names)))


def test_the_least_recently_used_are_forgotten_first() -> None:
    state = fresh()
    for offset, name in enumerate("abca"):
        state.apply([decoded(call(name), offset)])
    state.trim(2)
    assert state.missing([decoded([*call("a"), *call("b"), *call("c")])])[0] == [(NAME, "pbx", "b")]


def late(shelf: Shelf, offset: int, *later: tuple[str, int]) -> None:
    """A worker that lost its partition still writes what it read at an offset."""
    writer = Assignment(1, {PARTITION: 0}, CONFIGURED, {NAME: Sums(AS_OF)}, Known.none(), Known.none())
    shelf.write(writer.apply([decoded([*call("c1", *later), answer(NINE, 7, "a1", channel="telephone")], offset)]))


@pytest.mark.parametrize("offset", [5, 6])
@pytest.mark.parametrize("kind", ["contact", "answer"])
def test_a_foreign_row_that_lands_after_the_sums_marks_them_stale(offset: int, kind: str) -> None:
    shelf = Shelf()
    state = shelf.assignment(2, 5, AS_OF)
    late(shelf, offset)
    contacts, answers = shelf.look_up([(NAME, "pbx", "c1")], [(NAME, PBX, "a1")])
    state.remember(*((contacts, []) if kind == "contact" else ([], answers)))
    assert (state.stale, state.mismatches) == ({NAME}, 0)
    assert state.figures() == []


@pytest.mark.parametrize("offset", [4, 5, 6])
@pytest.mark.parametrize("kind", ["contact", "answer"])
def test_a_foreign_row_that_stood_before_the_sums_is_in_them(offset: int, kind: str) -> None:
    """Also at or past the start: what a killed worker stored and did not acknowledge."""
    shelf = Shelf()
    late(shelf, offset)
    state = shelf.assignment(2, 5, AS_OF)
    contacts, answers = shelf.look_up([(NAME, "pbx", "c1")], [(NAME, PBX, "a1")])
    state.remember(*((contacts, []) if kind == "contact" else ([], answers)))
    assert (state.stale, state.mismatches) == (set(), 0)
    sums_are_those_of_the_rows(state, shelf)
    assert state.figures()


def test_an_own_row_is_no_late_one() -> None:
    shelf = Shelf()
    late(shelf, 9)
    state = shelf.assignment(1, 5, AS_OF)
    state.remember(*shelf.look_up([(NAME, "pbx", "c1")], [(NAME, PBX, "a1")]))
    assert state.stale == set()


def test_after_a_late_insert_the_sums_computed_anew_are_right() -> None:
    """The insert lands after the sums were computed and before the hashes were read; the replay then changes nothing."""
    shelf = Shelf()
    before = shelf.assignment(2, 5, AS_OF)
    late(shelf, 5, ("answered", SECOND))
    state = Assignment(2, {PARTITION: 5}, CONFIGURED, before.sums, *_known(shelf))
    batch = [decoded([*call("c1", ("answered", SECOND)), answer(NINE, 7, "a1", channel="telephone")], 5)]
    state.remember(*shelf.look_up(*state.missing(batch)))
    assert state.apply(batch).tables == {}
    assert state.stale == {NAME}
    assert state.sums[NAME].minutes() == {}
    state = shelf.assignment(2, 6, AS_OF)
    assert state.stale == set()
    sums_are_those_of_the_rows(state, shelf)
    assert state.figures()


def _known(shelf: Shelf) -> tuple[Known, Known]:
    state = shelf.assignment(0, 0, AS_OF)
    return state._memory.known_contacts, state._memory.known_answers


def test_one_in_a_thousand_taken_as_new_is_looked_up_and_a_stored_one_is_a_mismatch() -> None:
    state = fresh()
    batch = [Decoded(record([]), NAME, {(NAME, "pbx", f"c{i}"): [event("opened", NINE, channel="telephone")] for i in range(CHECKED)})]
    contacts, _ = state.missing(batch)
    assert contacts == [(NAME, "pbx", f"c{CHECKED - 1}")]
    state.remember([], [])
    assert state.mismatches == 0

    shelf = Shelf()
    shelf.write(fresh().apply([decoded(call(contacts[0][2]), 3)]))
    (stored,), _ = shelf.look_up(contacts, [])
    own = stored_contact((*shelf.contacts[contacts[0]][:-2], 1, 3))
    state.remember([own], [])
    assert state.mismatches == 1
    assert stored.key == own.key


def test_a_late_writer_explains_a_row_that_was_taken_as_new() -> None:
    shelf = Shelf()
    late(shelf, 7)
    state = Assignment(2, {PARTITION: 5}, CONFIGURED, {NAME: Sums(AS_OF)}, Known.none(), Known.none())
    state.remember(*shelf.look_up([(NAME, "pbx", "c1")], []))
    assert (state.mismatches, state.stale) == (0, {NAME})


def test_a_written_contact_is_known_and_no_mismatch_when_it_comes_back() -> None:
    state, shelf = fresh(), Shelf()
    shelf.write(state.apply([decoded(call("c1"), 3)]))
    state.apply([decoded(call("c2"), 4)])
    state.trim(1)
    wanted = state.missing([decoded(call("c1"), 5)])
    assert wanted[0] == [(NAME, "pbx", "c1")]
    state.remember(*shelf.look_up(*wanted))
    assert (state.mismatches, state.stale) == (0, set())


def test_a_contact_of_more_events_than_count_is_bounded_and_restarts_exactly() -> None:
    events = [wire("contact.responded", NINE + i, f"e{i}", contact="c1") for i in range(250)]
    events.insert(125, wire("contact.opened", NINE, contact="c1", channel="telephone"))
    dice = random.Random(5)
    dice.shuffle(events)
    batch = records_of(events, [40] * 6)
    undisturbed, shelf = Shelf(), Shelf()
    run(again(batch), [], undisturbed)
    run(again(batch[:4]), [1, 1], shelf)
    state, _ = run(again(batch[2:]), [2, 1, 1], shelf, start=2, writer=2, limit=0)
    assert shelf.content(with_version=True) == undisturbed.content(with_version=True)
    sums_are_those_of_the_rows(state, shelf)
    (row,) = shelf.contacts.values()
    assert column("contacts", row, "defects") == ("too_many_events",)
    assert len(orjson.loads(column("contacts", row, "timeline"))) == 201
    assert digest("contact.opened", NINE, {"channel": "telephone"}) in column("contacts", row, "timeline")


def test_a_batch_of_thousands_of_new_contacts_is_looked_up_once() -> None:
    """The running check asks for one in a thousand; asking again what else is missing must not ask for more."""
    state = fresh()
    contacts = {(NAME, "pbx", f"c{i}"): [event("opened", NINE, channel="telephone")] for i in range(5 * CHECKED)}
    batch = [Decoded(record([]), NAME, contacts)]
    assert len(state.missing(batch)[0]) == 5
    assert state.missing(batch) == ([], [])
