"""Contacts of several systems, answers that name contacts, forgetting and judging again: the same in any order and however it is cut."""

import itertools
import random
from typing import Any

import pytest

from pipeline.assignment import Assignment, Rows
from pipeline.configured import Configured
from pipeline.contacts import MAX_EVENTS
from pipeline.decode import decode
from pipeline.known import Known
from pipeline.rolling import Sums
from pipeline.rows import ANSWERS, COLUMNS, CONTACTS, Row
from pipeline.versions import TOMBSTONE
from schemas.partitions import partition_of
from tests.pipeline.builders import CRM, DAY, MINUTE, NAME, NINE, PBX, SECOND, Shelf, answer, norm, organisation, record, wire

LEADING = {"telephone": {"leading_system": "pbx"}, "email": {}}
CALLS = organisation(norm(), norm(id="closed", clock="working-days", threshold="2wd", start="opened", stop="closed"), channels=LEADING)
AS_OF = NINE // MINUTE + 600


def state_of(shelf: Shelf, config: Configured, writer: int = 1) -> Assignment:
    """The state as a worker loads it from what is stored."""
    loaded = shelf.assignment(writer, 0, AS_OF)
    memory = loaded._memory
    return Assignment(writer, {partition_of(NAME): 0}, {NAME: config}, loaded.sums, memory.known_contacts, memory.known_answers)


def step(state: Assignment, shelf: Shelf, events: list[dict[str, Any]], offset: int) -> Rows:
    """One batch of one record, from decoding to storing."""
    batch = [decode(record(events, offset), state.organisations)]
    assert not batch[0].rejects
    while any(missing := state.missing(batch)):
        state.remember(*shelf.look_up(*missing))
    rows = state.apply(batch)
    shelf.write(rows)
    return rows


def play(events: list[dict[str, Any]], cuts: list[int], config: Configured, restart: bool = False) -> tuple[Assignment, Shelf]:
    """Events in records of the sizes given, one batch each; with `restart` by a new worker every time."""
    shelf = Shelf()
    state = state_of(shelf, config)
    rest = iter(events)
    for offset, size in enumerate(itertools.chain(cuts, itertools.repeat(len(events)))):
        part = list(itertools.islice(rest, size))
        if not part:
            return state, shelf
        if restart:
            state = state_of(shelf, config, offset + 1)
        step(state, shelf, part, offset)
    raise AssertionError("unreachable")


def contact(shelf: Shelf, system: str, name: str) -> dict[str, Any]:
    return dict(zip(CONTACTS, shelf.contacts[NAME, system, name], strict=True))


def held(state: Assignment) -> dict[tuple[str, str, int], Any]:
    return state.sums[NAME].minutes()


def a_call() -> list[dict[str, Any]]:
    """A call in the exchange, which leads, in the register, which tells product and result, and an answer that names the register's."""
    return [
        wire("contact.opened", NINE, contact="7", channel="telephone"),
        wire("contact.queued", NINE + SECOND, contact="7"),
        wire("contact.answered", NINE + 31 * SECOND, contact="7"),
        wire("contact.opened", NINE + 35 * SECOND, source=CRM, contact="r1", channel="telephone", product="paspoort",
             same_as={"system": "pbx", "id": "7"}),
        wire("contact.transferred", NINE + 40 * SECOND, source=CRM, contact="r1", team="burgerzaken"),
        wire("contact.closed", NINE + 90 * SECOND, source=CRM, contact="r1", result="first_contact"),
        answer(NINE + 600 * SECOND, 8, contact={"system": "crm", "id": "r1"}),
        wire("contact.corrected", NINE + 700 * SECOND, source=CRM, contact="r1", channel="email"),
    ]  # fmt: skip


def test_the_leading_contact_takes_over_what_it_does_not_know_and_the_other_counts_for_nothing() -> None:
    state, shelf = play(a_call()[:-1], [], Configured.of(CALLS))
    call, registered = contact(shelf, "pbx", "7"), contact(shelf, "crm", "r1")
    assert (call["role"], call["product"], call["team"], call["result"], call["transfers"]) == (
        "counts", "paspoort", "burgerzaken", "first_contact", 1,
    )  # fmt: skip
    assert call["closed_at"] == NINE + 90 * SECOND
    assert call["outcomes.norm"] == ("closed", "n")
    assert (registered["role"], registered["outcomes.norm"]) == ("enriches", ())
    volumes = {key: sums for key, sums in held(state).items() if key[1] == "volume"}
    assert volumes == {("telephone", "volume", NINE // MINUTE): (1, 0, 0)}


def test_an_answer_counts_under_the_channel_of_the_contact_it_names_and_follows_its_corrections() -> None:
    events = a_call()
    before, _ = play(events[:-1], [], Configured.of(CALLS))
    after, _ = play(events, [], Configured.of(CALLS))
    measure = "answer:na-contact:1:overall"
    assert [key[0] for key in held(before) if key[1] == measure] == ["telephone"]
    assert [key[0] for key in held(after) if key[1] == measure] == ["email"]


@pytest.mark.parametrize("seed", range(40))
def test_any_order_any_cut_any_restart_gives_the_same(seed: int) -> None:
    dice = random.Random(seed)
    events = [
        *a_call(),
        answer(NINE + 650 * SECOND, 6, revision=1, contact={"system": "pbx", "id": "7"}),
        wire("contact.opened", NINE + 5 * SECOND, source=CRM, contact="r2", channel="telephone", same_as={"system": "pbx", "id": "7"},
             product="rijbewijs"),
        wire("contact.corrected", NINE + 800 * SECOND, source=CRM, contact="r2", same_as={"system": "pbx", "id": "8"}),
    ]  # fmt: skip
    config = Configured.of(CALLS)
    straight, expected = play(events, [1] * len(events), config)
    dice.shuffle(events)
    state, shelf = play(events, [dice.randint(1, 4) for _ in events], config, restart=seed % 2 == 0)
    assert shelf.content() == expected.content()
    assert held(state) == held(straight) == {key: sums for key, sums in shelf.minutes().items() if any(sums)}


@pytest.mark.parametrize("seed", range(20))
def test_versions_do_not_depend_on_the_cut(seed: int) -> None:
    """Else a writer that has lost its partition could win with older content."""
    dice = random.Random(seed)
    events = a_call()
    dice.shuffle(events)
    config = Configured.of(CALLS)
    whole, parts = play(events, [len(events)], config)[1], play(events, [dice.randint(1, 3) for _ in events], config, restart=True)[1]
    assert whole.content(with_version=True) == parts.content(with_version=True)


def test_a_link_that_is_taken_back_takes_everything_back() -> None:
    events = [
        *a_call()[:4],
        wire("contact.corrected", NINE + 95 * SECOND, source=CRM, contact="r1", same_as={"system": "pbx", "id": "9"}),
    ]
    _, shelf = play(events, [1] * 5, Configured.of(CALLS))
    assert contact(shelf, "pbx", "7")["product"] == ""
    assert contact(shelf, "pbx", "9")["role"] == "mailbox"
    _, shelf = play([*events, wire("contact.opened", NINE, contact="9", channel="telephone")], [2, 2], Configured.of(CALLS))
    assert (contact(shelf, "pbx", "9")["role"], contact(shelf, "pbx", "9")["product"]) == ("counts", "paspoort")


def test_a_contact_that_another_system_leads_and_names_none_is_unlinked() -> None:
    _, shelf = play([wire("contact.opened", NINE, source=CRM, contact="r9", channel="telephone")], [], Configured.of(CALLS))
    assert contact(shelf, "crm", "r9")["role"] == "unlinked"
    _, shelf = play([wire("contact.opened", NINE, source=CRM, contact="r9", channel="email")], [], Configured.of(CALLS))
    assert contact(shelf, "crm", "r9")["role"] == "counts"


# ── forgetting ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(20))
def test_what_is_forgotten_leaves_the_sums_and_never_comes_back(seed: int) -> None:
    dice = random.Random(seed)
    forgotten = [
        wire("contact.forgotten", NINE + 900 * SECOND, contact="7"),
        wire("contact.forgotten", NINE + 900 * SECOND, source=CRM, contact="r1"),
    ]
    events = a_call() + forgotten
    dice.shuffle(events)
    state, shelf = play(events, [dice.randint(1, 3) for _ in events], Configured.of(CALLS), restart=seed % 2 == 0)
    assert held(state) == {}
    for system, name in (("pbx", "7"), ("crm", "r1")):
        row = contact(shelf, system, name)
        assert (row["version"], row["role"], row["timeline"], row["product"], row["links"], row["person"]) == (
            TOMBSTONE, "forgotten", "[]", "", "", "",
        )  # fmt: skip
    (kept,) = shelf.answers.values()
    named = dict(zip(ANSWERS, kept, strict=True))
    assert (named["version"], named["forgotten"], named["grades"], named["contact"]) == (TOMBSTONE, True, (), "")


def test_who_named_a_forgotten_contact_keeps_its_own_and_whom_it_named_lets_go_of_it() -> None:
    state, shelf = play(a_call()[:4], [1] * 4, Configured.of(CALLS))
    assert contact(shelf, "pbx", "7")["product"] == "paspoort"
    rows = step(state, shelf, [wire("contact.forgotten", NINE + 900 * SECOND, source=CRM, contact="r1")], 9)
    assert contact(shelf, "pbx", "7")["product"] == ""
    assert "paspoort" not in contact(shelf, "pbx", "7")["links"]
    assert rows.tables["tombstones"] == [(NAME, "contacts", "crm", "r1")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_an_answer_that_ever_named_a_forgotten_contact_is_forgotten_with_it(order: tuple[int, ...]) -> None:
    events = [
        answer(NINE, 7.0, contact={"system": "pbx", "id": "1"}),
        answer(NINE + SECOND, 8.0, revision=1, contact={"system": "pbx", "id": "2"}, channel="email"),
        wire("contact.forgotten", NINE + 2 * SECOND, contact="1"),
    ]
    state, shelf = play([events[i] for i in order], [1, 1, 1], Configured.of(CALLS), restart=order[0] == 1)
    (kept,) = shelf.answers.values()
    named = dict(zip(ANSWERS, kept, strict=True))
    assert (named["version"], named["forgotten"], named["contact"]) == (TOMBSTONE, True, "")
    assert held(state) == {}


@pytest.mark.parametrize("kind", ["forgotten", "withdrawn", "corrected"])
@pytest.mark.parametrize("first", [True, False])
def test_what_takes_a_contact_out_is_not_lost_among_too_many_events(kind: str, first: bool) -> None:
    many = [wire("contact.transferred", NINE + n * SECOND, contact="1", team="sociaal-team") for n in range(MAX_EVENTS + 5)]
    said: dict[str, Any] = {"confidential": True} if kind == "corrected" else {}
    out = wire(f"contact.{kind}", NINE + DAY, contact="1", **said)
    events = [wire("contact.opened", NINE, contact="1", channel="telephone"), *([out, *many] if first else [*many, out])]
    state, shelf = play(events, [len(events) - 1, 1], Configured.of(CALLS), restart=True)
    row = contact(shelf, "pbx", "1")
    assert (row["role"], row["confidential"]) == ("counts" if said else kind, bool(said))
    assert "sociaal-team" not in str(row) or kind == "withdrawn"
    assert bool(held(state)) == bool(said)


@pytest.mark.parametrize("first", [True, False])
def test_of_a_forgotten_contact_not_even_is_kept_that_it_was_confidential(first: bool) -> None:
    opened = wire("contact.opened", NINE, contact="1", channel="telephone", confidential=True)
    events = [opened, wire("contact.forgotten", NINE + SECOND, contact="1")]
    _, shelf = play(events if first else events[::-1], [1, 1], Configured.of(CALLS), restart=True)
    assert contact(shelf, "pbx", "1")["confidential"] is False


# ── confidential ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_a_confidential_contact_only_what_counts_is_kept(order: tuple[int, ...]) -> None:
    person = "ab" * 16
    events = [
        wire("contact.opened", NINE, contact="1", channel="telephone", product="schulden", person=person, location="Wijkteam Noord"),
        wire("contact.transferred", NINE + SECOND, contact="1", team="sociaal-team"),
        wire("contact.corrected", NINE + 2 * SECOND, contact="1", confidential=True, segment="ouderen"),
    ]
    state, shelf = play([events[i] for i in order], [1, 1, 1], Configured.of(CALLS))
    row = contact(shelf, "pbx", "1")
    assert (row["confidential"], row["channel"], row["transfers"]) == (True, "telephone", 1)
    for secret in ("schulden", person, "Wijkteam Noord", "sociaal-team", "ouderen"):
        assert secret not in str(shelf.contacts)
    assert ("telephone", "volume", NINE // MINUTE) in held(state)
    step(state, shelf, [events[0]], 7)  # the same event read again brings nothing back
    assert "schulden" not in str(shelf.contacts)


# ── judging again ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_judging_again_equals_having_judged_so_from_the_start() -> None:
    stricter = organisation(norm(threshold="20s"), norm(id="closed", clock="elapsed", threshold="1min", start="opened", stop="closed"))
    events = a_call()
    _, shelf = play(events, [3, 3, 3], Configured.of(CALLS))
    state = state_of(shelf, Configured.of(stricter, 1), writer=2)
    keys, answers = list(shelf.contacts), list(shelf.answers)
    while any(missing := state.missing([], keys, answers)):
        state.remember(*shelf.look_up(*missing))
    shelf.write(state.judge_again(keys, answers))
    straight, expected = play(events, [3, 3, 3], Configured.of(stricter, 1))
    assert shelf.content(with_version=True) == expected.content(with_version=True)
    assert held(state) == held(straight)


def test_judging_again_without_another_configuration_changes_only_the_generation() -> None:
    _, shelf = play(a_call(), [3, 3, 3], Configured.of(CALLS))
    before = shelf.content()
    state = state_of(shelf, Configured.of(CALLS, 4), writer=2)
    sums = held(state)
    keys, answers = list(shelf.contacts), list(shelf.answers)
    while any(missing := state.missing([], keys, answers)):
        state.remember(*shelf.look_up(*missing))
    rows = state.judge_again(keys, answers)
    shelf.write(rows)
    assert (shelf.content(), held(state)) == (before, sums)
    assert {_generation(row) for table in ("contacts", "survey_answers") for row in rows.tables[table]} == {4}


def _generation(row: Row) -> int:
    assert COLUMNS["contacts"][3] == COLUMNS["survey_answers"][3] == "version"
    return int(row[3]) % 65_536


def test_a_state_without_anything_stored_knows_nothing() -> None:
    state = Assignment(1, {}, {NAME: Configured.of(CALLS)}, {NAME: Sums(AS_OF)}, Known.none(), Known.none())
    assert state.missing([decode(record([wire("contact.opened", NINE, contact="1", channel="telephone")]), state.organisations)]) == (
        [],
        [],
    )
    assert PBX in state.organisations[NAME].systems


# ── what a review found ─────────────────────────────────────────────────────────────────────────────────────────────


def many(last: dict[str, Any]) -> list[dict[str, Any]]:
    """More events than are kept, and one after them."""
    opened = wire("contact.opened", NINE, contact="1", channel="telephone", product="schulden")
    return [opened, *(wire("contact.informed", NINE + n * SECOND, contact="1") for n in range(1, 230)), last]


@pytest.mark.parametrize("cuts", [[], [100, 100], [230, 1]])
def test_a_contact_of_more_events_than_are_kept_can_be_forgotten(cuts: list[int]) -> None:
    state, shelf = play(many(wire("contact.forgotten", NINE + MINUTE * 60, contact="1")), cuts, Configured.of(CALLS), restart=True)
    assert (contact(shelf, "pbx", "1")["role"], held(state)) == ("forgotten", {})


@pytest.mark.parametrize("cuts", [[], [100, 100], [230, 1]])
def test_a_contact_of_more_events_than_are_kept_can_be_confidential(cuts: list[int]) -> None:
    secret = wire("contact.corrected", NINE + MINUTE * 60, contact="1", confidential=True)
    whole, _ = play(many(secret), [], Configured.of(CALLS))
    state, shelf = play(many(secret), cuts, Configured.of(CALLS), restart=True)
    row = contact(shelf, "pbx", "1")
    assert (row["confidential"], row["product"], "schulden" in row["timeline"]) == (True, "", False)
    step(state_of(shelf, Configured.of(CALLS), 9), shelf, many(secret)[:1], 9)
    assert "schulden" not in str(shelf.contacts)
    assert held(state) == held(whole)


def test_what_retention_deleted_is_not_made_anew() -> None:
    state = state_of(Shelf(), Configured.of(CALLS, 2))
    rows = state.judge_again([(NAME, "pbx", "1")], [(NAME, PBX, "a1")])
    assert rows.tables == {}


def test_the_comment_of_a_forgotten_answer_does_not_come_back() -> None:
    aspects = {"overall": {"title": {"nl": "o", "en": "o"}}}
    stored = {"title": {"nl": "q", "en": "q"}, "aspects": aspects, "version": 1, "comments": "stored", "scale": "1-10"}
    config = Configured.of(organisation(instruments={"na-contact": [stored]}, channels=LEADING))
    told = [
        wire("contact.opened", NINE, contact="7", channel="telephone"),
        answer(NINE, 8, contact={"system": "pbx", "id": "7"}, comment="traag"),
    ]
    shelf = Shelf()
    state = state_of(shelf, config)
    assert step(state, shelf, told, 0).tables["comments"]
    step(state, shelf, [wire("contact.forgotten", NINE + SECOND, contact="7")], 1)
    assert "comments" not in step(state_of(shelf, config, 2), shelf, told, 0).tables
