"""Rows to events: conditions, translations, bounds, ids; what refuses a row, with its message."""

import random
from typing import Any

import pytest

from connectors.identity import event_id
from connectors.mapped_file.building import Builder
from connectors.mapped_file.mapping import Mapping
from connectors.mapped_file.problems import Unusable
from tests.connectors.mapped import HEADER, changed, mapping

CELLS = ["C1", "", "Balie", "Paspoort", "2026-03-02T09:00:00", "2026-03-02T09:30:00", "2026-03-09T17:00:00", "8"]
ROW = dict(zip(HEADER.split(","), CELLS, strict=True))


def build(by: Mapping | None = None, **cells: str) -> list[dict[str, Any]]:
    return Builder(by or mapping()).build({**ROW, **cells}).events


def with_event(rule: dict[str, Any], **parts: Any) -> Mapping:
    """The small mapping with one more rule."""
    base = mapping().model_dump(by_alias=True)
    return Mapping.model_validate({**base, **parts, "events": [*base["events"], rule]})


def test_a_row_gives_several_events() -> None:
    opened, closed, answered = build()
    assert opened == {
        "specversion": "1.0",
        "id": event_id("desk", "contact.opened", "C1", ""),
        "source": "urn:nld:oin:00000000000000000000:systeem:desk",
        "type": "nl.contactmeter.contact.opened",
        "time": "2026-03-02T08:00:00.000Z",
        "data": {
            "occurred_at": "2026-03-02T08:00:00.000Z",
            "contact": "C1",
            "channel": "counter",
            "product": "Paspoort",
            "deadlines": {"answered": "2026-03-09T16:00:00.000Z"},
        },
    }
    assert closed["data"] == {"occurred_at": "2026-03-02T08:30:00.000Z", "contact": "C1"}
    assert answered["data"] == {
        "occurred_at": "2026-03-02T08:30:00.000Z",
        "contact": {"system": "desk", "id": "C1"},
        "answer": "C1",
        "revision": 0,
        "status": "complete",
        "instrument": "after",
        "version": 1,
        "items": {"overall": 8.0},
    }


def test_what_is_empty_has_not_happened_or_is_not_known() -> None:
    (opened,) = build(Closed="", Grade="", Due="", Product="")
    assert set(opened["data"]) == {"occurred_at", "contact", "channel"}


def test_a_time_in_parts_with_durations_added() -> None:
    rule = {"type": "contact.answered", "at": {"columns": ["Day", "Hour"], "plus": ["Wait", "Talk"]}}
    by = with_event(rule, times={"zone": "UTC", "formats": ["%Y-%m-%d %H:%M:%S", "iso"]})
    parts = {"Day": "2026-03-02", "Hour": "9:12:58", "Wait": "109", "Talk": "0:02:23"}
    assert build(by, **parts)[-1]["data"]["occurred_at"] == "2026-03-02T09:17:10.000Z"
    assert len(build(by, **{**parts, "Wait": ""})) == 3, "without the duration it has not happened"
    assert len(build(by, Day="", Hour="", Wait="", Talk="")) == 3
    with pytest.raises(Unusable, match="column 'Hour': a part of the time is empty; complete it, or empty Day, Hour all"):
        build(by, **{**parts, "Hour": ""})


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ({"equals": "Y"}, "Y", True),
        ({"equals": "Y"}, "N", False),
        ({"in": ["A", "B"]}, "B", True),
        ({"in": ["A", "B"]}, "C", False),
        ({"not_in": ["A", "B"]}, "C", True),
        ({"not_in": ["A", "B"]}, "A", False),
        ({"empty": True}, "", True),
        ({"empty": True}, "x", False),
        ({"empty": False}, "x", True),
        ({"empty": False}, "", False),
    ],
)
def test_conditions(condition: dict[str, Any], value: str, holds: bool) -> None:
    by = with_event({"type": "contact.acknowledged", "at": "Opened", "when": [{"column": "Flag", **condition}]})
    kinds = [event["type"] for event in build(by, Flag=value)]
    assert ("nl.contactmeter.contact.acknowledged" in kinds) is holds


@pytest.mark.parametrize(
    ("table", "text", "expected"),
    [
        ({"values": {"Tel": "telephone"}}, "Tel", "telephone"),
        ({"values": {"tel": "telephone"}, "ignore_case": True}, "TEL", "telephone"),
        ({"values": {}, "default": "letter"}, "Fax", "letter"),
        ({"values": {}, "unknown": "keep"}, "email", "email"),
    ],
)
def test_tables(table: dict[str, Any], text: str, expected: str) -> None:
    assert build(changed(tables={"channel": table}), Channel=text)[0]["data"]["channel"] == expected


def test_an_unknown_text_may_be_left_out() -> None:
    by = with_event(
        {"type": "contact.corrected", "at": "Opened", "data": {"team": {"column": "Team", "table": "team"}}},
        tables={**mapping().model_dump()["tables"], "team": {"values": {"A": "Team A"}, "unknown": "empty"}},
    )
    assert build(by, Team="?")[-1]["data"].keys() == {"occurred_at", "contact"}


@pytest.mark.parametrize(
    ("cells", "column", "message"),
    [
        ({"Id": ""}, "Id", "the id of the contact is empty; every row needs one"),
        ({"Id": "x" * 201}, "Id", r"contact\.opened: \$\.data\.contact"),
        ({"Opened": ""}, "Opened", r"the time of contact\.opened is empty; complete the row"),
        ({"Opened": "2 maart"}, "Opened", "'2 maart' is not a time written as %d-%m-%Y %H:%M:%S or iso"),
        ({"Opened": "1900-01-01T00:00:00"}, "Opened", "lies outside the bounds; correct the row, or earliest and latest"),
        ({"Closed": "2031-01-01T01:00:01"}, "Closed", "lies outside the bounds"),
        ({"Channel": "Fax"}, "Channel", r"'Fax' is not in table channel; add it under tables\.channel\.values"),
        ({"Channel": ""}, "Channel", r"contact\.opened: \$\.data\.channel: this is required"),
        ({"Grade": "good"}, "Grade", "'good' is not a number"),
        ({"Grade": "nan"}, "Grade", r"survey\.answered: \$\.data\.items\.overall"),
        ({"Due": "1989-01-01T00:00:00"}, "Due", "1990-01-01"),
        ({"Product": "a\x00b"}, "Product", r"contact\.opened: \$\.data\.product"),
    ],
)
def test_what_refuses_a_row(cells: dict[str, str], column: str, message: str) -> None:
    with pytest.raises(Unusable, match=message) as caught:
        build(None, **cells)
    assert caught.value.column == column


def test_a_table_may_give_a_channel_that_does_not_exist() -> None:
    with pytest.raises(Unusable, match=r"'Channel': contact\.opened: \$\.data\.channel"):
        build(changed(tables={"channel": {"values": {"Balie": "desk"}}}))


def test_declared_refusals() -> None:
    by = changed(
        refuse=[{"when": [{"column": "Product", "equals": "Test"}, {"column": "Grade", "empty": True}], "because": "a test contact"}]
    )
    assert len(build(by, Product="Test")) == 3
    with pytest.raises(Unusable, match="column 'Product': a test contact; correct the row in the source, or the rule under `refuse`"):
        build(by, Product="Test", Grade="")


def test_an_event_outside_the_bounds_may_be_dropped() -> None:
    by = changed(times={**mapping().times.model_dump(), "outside": "drop-event"})
    built = Builder(by).build({**ROW, "Closed": "2099-01-01T00:00:00"})
    assert ([event["type"].rsplit(".", 1)[1] for event in built.events], built.outside) == (["opened"], 2)


def test_several_events_of_one_type_are_told_apart() -> None:
    transfer = {"type": "contact.transferred", "at": "Opened", "data": {"team": "Team"}}
    per = with_event({**transfer, "per": ["Task"]})
    first, second = (build(per, Team="A", Task=task)[-1]["id"] for task in ("1", "2"))
    assert (first, second) == tuple(event_id("desk", "contact.transferred", "C1", "", task) for task in ("1", "2"))
    twice = Mapping.model_validate(
        {**per.model_dump(by_alias=True), "events": [*per.model_dump(by_alias=True)["events"], transfer, transfer]}
    )
    with pytest.raises(Unusable, match=r"two rules give the same contact\.transferred; tell them apart"):
        build(twice, Team="A", Task="1")
    labelled = with_event({**transfer, "label": "second"})
    assert build(labelled, Team="A")[-1]["id"] == event_id("desk", "contact.transferred", "C1", "second")


def test_a_later_revision_of_an_answer_is_another_event() -> None:
    base = mapping().model_dump(by_alias=True)
    survey = {**base["events"][2], "data": {**base["events"][2]["data"], "revision": "Revision"}}
    by = Mapping.model_validate({**base, "events": [survey]})
    ids = {build(by, Revision=revision)[0]["id"] for revision in ("0", "1", "1")}
    assert ids == {event_id("desk", "survey.answered", "C1", revision, "") for revision in ("0", "1")}


def test_numbers_with_a_comma_flags_and_moments() -> None:
    by = changed(file={"decimal": ","})
    assert build(by, Grade="7,5")[2]["data"]["items"] == {"overall": 7.5}
    flags = with_event({"type": "contact.called_back", "at": "Opened", "data": {"reached": "Reached"}})
    assert [build(flags, Reached=text)[-1]["data"]["reached"] for text in ("ja", "False", "1")] == [True, False, True]
    with pytest.raises(Unusable, match="'perhaps' is not true or false; translate it by a table"):
        build(flags, Reached="perhaps")
    extended = with_event({"type": "contact.extended", "at": "Opened", "data": {"due_at": "Until"}})
    assert build(extended, Until="2026-07-01T12:00:00")[-1]["data"]["due_at"] == "2026-07-01T10:00:00.000Z"


def test_gauges_of_a_queue() -> None:
    rule = {"type": "channel.observed", "at": "Opened", "data": {"channel": {"value": "counter"}, "gauges": {"waiting": "Waiting"}}}
    by = Mapping.model_validate({**mapping().model_dump(by_alias=True), "contact": None, "events": [rule]})
    (observed,) = build(by, Waiting="4")
    assert observed["data"] == {"occurred_at": "2026-03-02T08:00:00.000Z", "channel": "counter", "gauges": {"waiting": 4.0}}
    assert observed["id"] != build(by, Waiting="4", Opened="2026-03-02T09:05:00")[0]["id"]


def test_ids_do_not_depend_on_the_order_of_rows() -> None:
    contacts = [f"C{number}" for number in range(50)]
    shuffled = random.Random(1).sample(contacts, 50)
    assert sorted(event["id"] for c in contacts for event in build(Id=c)) == sorted(event["id"] for c in shuffled for event in build(Id=c))


@pytest.mark.parametrize(
    ("kind", "data", "cells", "expected"),
    [
        ("contact.corrected", {"confidential": "Secret"}, {"Secret": "ja"}, {"confidential": True}),
        ("contact.corrected", {"appointment_at": "When"}, {"When": "2026-07-01T12:00:00"}, {"appointment_at": "2026-07-01T10:00:00.000Z"}),
        ("contact.corrected", {"term_starts_at": "When"}, {"When": "2026-01-05T00:00:00"}, {"term_starts_at": "2026-01-04T23:00:00.000Z"}),
        ("contact.corrected", {"complexity": {"column": "Kind", "lower": True}}, {"Kind": "Complex"}, {"complexity": "complex"}),
        ("contact.paused", {"reason": "Why"}, {"Why": "aanvulling gevraagd"}, {"reason": "aanvulling gevraagd"}),
        ("contact.resumed", {}, {}, {}),
        ("contact.callback_requested", {}, {}, {}),
        ("contact.promised", {"norm": {"value": "reply"}, "due_at": "When"}, {"When": "2026-07-01T12:00:00"}, {"norm": "reply"}),
        ("contact.withdrawn", {"reason": {"value": "spam"}}, {}, {"reason": "spam"}),
        ("contact.left_queue", {"reason": "Why"}, {"Why": "timeout"}, {"reason": "timeout"}),
    ],
)
def test_every_kind_of_event_can_be_mapped(kind: str, data: dict[str, Any], cells: dict[str, str], expected: dict[str, Any]) -> None:
    event = build(with_event({"type": kind, "at": "Opened", "data": data}), **cells)[-1]
    assert event["type"] == f"nl.contactmeter.{kind}"
    assert expected.items() <= event["data"].items()


def test_comments_and_locations_of_answers() -> None:
    base = mapping().model_dump(by_alias=True)
    survey = {**base["events"][2], "data": {**base["events"][2]["data"], "comment": "Comment", "location": "Where"}}
    by = Mapping.model_validate({**base, "events": [survey]})
    (answered,) = build(by, Comment="fijn\ngeholpen", Where="Stadhuis")
    assert (answered["data"]["comment"], answered["data"]["location"]) == ("fijn\ngeholpen", "Stadhuis")


@pytest.mark.parametrize(
    ("text", "kept"), [("2312 EZ", "2312"), ("2312ez", "2312"), ("2312", "2312"), ("B-1000", None), ("0312 EZ", None), ("", None)]
)
def test_four_digits_of_a_postcode(text: str, kept: str | None) -> None:
    by = with_event({"type": "contact.corrected", "at": "Opened", "data": {"location": {"column": "Postcode", "postcode": 4}}})
    assert build(by, Postcode=text)[-1]["data"].get("location") == kept


def test_a_text_of_several_columns() -> None:
    by = with_event({"type": "contact.corrected", "at": "Opened", "data": {"product": ["Group", "Product"]}})
    assert [build(by, Group=text)[-1]["data"]["product"] for text in ("Burgerzaken", "")] == ["Burgerzaken Paspoort", "Paspoort"]


def test_a_day_gets_its_time_and_may_move_by_days() -> None:
    at = {"columns": "Day", "time": "23:59", "days": 1}
    by = with_event({"type": "contact.reopened", "at": at}, times={"zone": "Europe/Amsterdam", "formats": ["iso"]})
    assert build(by, Day="2026-03-27")[-1]["data"]["occurred_at"] == "2026-03-28T22:59:00.000Z"
    assert build(by, Day="2026-03-28")[-1]["data"]["occurred_at"] == "2026-03-29T21:59:00.000Z", (
        "a calendar day, over the change of the clock"
    )
    assert len(build(by, Day="")) == 3


def test_conditions_on_two_times() -> None:
    rule = {"type": "contact.reopened", "at": "Opened"}
    before = with_event({**rule, "when": [{"column": "Closed", "before": "Due"}]})
    after = with_event({**rule, "when": [{"column": "Closed", "not_before": "Due"}]})
    assert [len(build(by)) for by in (before, after)] == [4, 3]
    assert [len(build(by, Due="2026-03-02T09:30:00")) for by in (before, after)] == [3, 4]
    assert [len(build(by, Due="")) for by in (before, after)] == [3, 3], "what is empty is neither"
    with pytest.raises(Unusable, match="'soon' is not a time"):
        build(before, Due="soon")


def test_percentages() -> None:
    assert build(Grade="85 %")[2]["data"]["items"] == {"overall": 0.85}
    assert build(changed(file={"decimal": ","}), Grade="7,5%")[2]["data"]["items"] == {"overall": pytest.approx(0.075)}
