"""The shipped norm sets: each is valid, says where it comes from, and judges one life a norm with the deadline that its text promises."""

from typing import Any

import pytest

from pipeline.norms import Judge
from schemas.errors import InvalidConfiguration
from schemas.norm import Norm
from schemas.norm_sets import load_norm_set, norm_set, norm_set_names, norm_set_text
from schemas.types import CHANNELS
from tests.pipeline.builders import event, ms, organisation, timeline

SETS = ("katwijk", "leeuwarden", "leiderdorp", "statutory", "tilburg")
# Opened on Thursday 2 April 2026 at 14:00, before Good Friday and Easter; the appointment is at 14:05, the call-back asked for at 14:10.
EXPECTED = {
    "katwijk": {
        "telefoon_20s": "04-02 14:01:20", "terugbellen_24u": "04-03 14:10:00", "ontvangst_1wd": "04-07", "antwoord_3w": "04-23",
        "balie_afspraak_5min": "04-02 14:10:00", "balie_inloop_10min": "04-02 14:11:00", "klacht_ontvangst_3wd": "04-09",
        "klacht_5w": "05-07",
    },
    "leeuwarden": {
        "telefoon_20s": "04-02 14:01:20", "telefoon_max_5min": "04-02 14:06:00", "balie_20min": "04-02 14:21:00",
        "balie_afspraak_max_5min": "04-02 14:10:00", "email_5wd": "04-13", "klacht_terugbellen_5wd": "04-13", "klacht_10w": "06-11",
    },
    "leiderdorp": {
        "telefoon_45s": "04-02 14:01:45", "terugbellen_2wd": "04-08", "ontvangst_direct": "04-02 14:15:00", "eenvoudig_2wd": "04-08",
        "complex_10wd": "04-20", "social_1wd": "04-07",
    },
    "statutory": {  # Six weeks end on Ascension, and the Friday after it is equated.
        "klacht_6w": "05-18", "klacht_commissie_10w": "06-11", "bezwaar_6w": "05-27", "bezwaar_commissie_12w": "07-08",
        "vergunning_8w": "05-28",
    },
    "tilburg": {
        "telefoon_30s": "04-02 14:01:30", "telefoon_uitval": "04-02 18:01:00", "bezoeker_5min": "04-02 14:06:00",
        "social_24u": "04-03 14:00:00", "email_2wd": "04-08",
    },
}  # fmt: skip


def judge_of(name: str) -> Judge:
    classes = {one: [one] for one in norm_set(name).product_classes}
    norms = [norm.model_dump(mode="json", by_alias=True) | {"short_abandon": "0s"} for norm in load_norm_set(name)]
    return Judge(organisation(*norms, channels={channel: {} for channel in CHANNELS}, product_classes=classes))


def deadline_of(judge: Judge, norm: Norm) -> int | None:
    applies = norm.applies_to
    opened: dict[str, Any] = {"channel": applies.channels[0]}
    if applies.product_classes:
        opened["product"] = applies.product_classes[0]
    if applies.complexity:
        opened["complexity"] = applies.complexity[0]
    if applies.appointment:
        opened["appointment_at"] = ms("2026-04-02T14:05")
    if "term_starts_at" in norm.start_moments:
        opened["term_starts_at"] = ms("2026-04-15T23:59:59")
    life = timeline(
        event("opened", ms("2026-04-02T14:00"), **opened),
        event("queued", ms("2026-04-02T14:01")),
        event("callback_requested", ms("2026-04-02T14:10")),
        event("answered", ms("2026-04-02T14:04")),
    )
    return next(outcome.deadline for outcome in judge(life) if outcome.norm == norm.id)


def test_these_sets_ship() -> None:
    assert norm_set_names() == SETS


@pytest.mark.parametrize("name", SETS)
def test_a_norm_of_a_set_has_the_deadline_that_was_promised(name: str) -> None:
    judge = judge_of(name)
    found = {norm.id: deadline_of(judge, norm) for norm in load_norm_set(name)}
    assert found == {
        norm: ms(f"2026-{text.replace(' ', 'T')}" if " " in text else f"2026-{text}T23:59:59.999") for norm, text in EXPECTED[name].items()
    }


@pytest.mark.parametrize("name", SETS)
def test_a_set_says_where_it_comes_from_and_what_it_needs(name: str) -> None:
    found = norm_set(name)
    assert found.source
    assert found.retrieved
    needed = {one for norm in found.norms for one in norm.applies_to.product_classes}
    assert needed == set(found.product_classes)
    assert len({norm.id for norm in found.norms}) == len(found.norms)
    for norm in found.norms:
        assert len(norm.source) > 20
        assert norm.title.nl != norm.title.en
    assert "norms:" in norm_set_text(name)


def test_a_set_is_cut_down_to_the_channels_an_organisation_has() -> None:
    found = load_norm_set("katwijk", {"email"})
    assert [norm.id for norm in found] == ["ontvangst_1wd", "antwoord_3w", "klacht_ontvangst_3wd", "klacht_5w"]
    assert all(norm.applies_to.channels == ("email",) for norm in found)
    assert load_norm_set("leiderdorp", {"public_space"}) == ()


def test_a_set_that_is_not_there() -> None:
    with pytest.raises(InvalidConfiguration, match="there is no norm set 'nowhere'; there are katwijk, leeuwarden"):
        load_norm_set("nowhere")


def test_extensions_of_the_terms_of_law() -> None:
    judge = judge_of("statutory")
    opened = event("opened", ms("2026-03-02T09:00"), channel="letter", product="klacht")
    extended = event("extended", ms("2026-04-01T09:00"), due_at=ms("2026-12-31T23:59:59.999"))
    assert judge(timeline(opened))[0].deadline == ms("2026-04-13T23:59:59.999")
    assert judge(timeline(opened, extended))[0].deadline == ms("2026-05-11T23:59:59.999")  # four weeks at most
