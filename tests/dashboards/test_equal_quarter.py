"""The board "Kwartaal": what `contactmeter quarters` and `contactmeter satisfaction --against` tell."""

import re
from collections import Counter, defaultdict
from typing import Any

import pytest

from tests.dashboards.screens import FEW, Row, Screens, alike, decimal, lasting, moment, share, signed, title_of
from tests.dashboards.test_equal_satisfaction import interval, verdict, written

STATES = {"met": "✓ gehaald", "not_met": "✗ niet gehaald", "too_few": "◔ te weinig om te zeggen", "": ""}
WORDS = {"higher": "hoger", "lower": "lager", "no_difference": "geen aantoonbaar verschil"}


def last(screens: Screens) -> str:
    """The last quarter that is over, with which the board opens."""
    quarter = screens.chosen("quarter")["quarter"]
    assert quarter == before(screens.running, 1)
    return quarter


def before(quarter: str, by: int) -> str:
    number = 4 * int(quarter[:4]) + int(quarter[-1]) - 1 - by
    return f"{number // 4}-Q{number % 4 + 1}"


@pytest.fixture(params=["closed", "running"])
def quarter(request: pytest.FixtureRequest, screens: Screens) -> str:
    return last(screens) if request.param == "closed" else screens.running


def sums(screens: Screens, quarter: str, channel: str) -> dict[tuple[str, str], Row]:
    """Figures by channel and measure; all channels together under ''."""
    found: dict[tuple[str, str], Row] = {}
    whole: dict[tuple[str, str], Row] = defaultdict(lambda: {"n": 0, "total": 0})
    for one in screens.quarter(quarter):
        if channel in ("*", one["group"]) and one["n"]:
            found[one["group"], one["measure"]] = one
            for name in ("n", "total"):
                whole["", one["measure"]][name] += one[name]
    return found | (whole if channel == "*" else {})


@pytest.mark.parametrize("channel", ["*", "telephone"])
def test_volumes(screens: Screens, quarter: str, channel: str) -> None:
    now, then = (sums(screens, name, channel) for name in (quarter, before(quarter, 1)))
    rows = screens.rows("quarter", "Contacten, wachttijd en opgegeven", quarter=quarter, channel=channel)
    assert {row["channel"] for row in rows} == {group for group, measure in now if measure == "volume"}
    none: Row = {"n": 0, "total": 0}
    people = screens.town.organisation.inhabitants or 0
    for row in rows:
        group = row["channel"]
        volume, wait, gone = (now.get((group, measure), none) for measure in ("volume", "wait", "abandonment"))
        assert (row["contacts"], row["waits"], row["calls"]) == (volume["n"], wait["n"], gone["n"]), group
        assert (row["contacts_before"] or 0) == then.get((group, "volume"), none)["n"]
        assert row["per_thousand"] == decimal(1000 * volume["n"] / people, 0)
        assert row["wait"] == (lasting(wait["total"] / wait["n"] / 1000) if wait["n"] else "")
        assert row["abandoned"] == (share(gone["total"] / gone["n"], 1) if gone["n"] else "")
        earlier = then.get((group, "wait"), none)
        assert row["wait_before"] == (lasting(earlier["total"] / earlier["n"] / 1000) if earlier["n"] else "")


def test_this_quarter(screens: Screens, quarter: str) -> None:
    row = screens.row("quarter", "Dit kwartaal", quarter=quarter)
    lines = screens.quarter(quarter)
    assert row["contacts"] == sum(one["n"] for one in lines if one["measure"] == "volume")
    states = Counter(one["attainment"] for one in lines if one["measure"].startswith("norm"))
    judged = states["met"] + states["not_met"]
    assert row["norms"] == (f"{'✗' if states['not_met'] else '✓'} {states['met']} van {judged}" if judged else "geen")


@pytest.mark.parametrize("channel", ["*", "telephone"])
def test_norms(screens: Screens, quarter: str, channel: str) -> None:
    lines = {
        (one["group"], one["measure"].partition(":")[2]): one
        for one in screens.quarter(quarter)
        if one["measure"].startswith("norm:") and channel in ("*", one["group"])
    }
    means = {
        (one["group"], one["measure"].partition(":")[2]): one
        for one in screens.quarter(quarter)
        if one["measure"].startswith("norm_mean:") and channel in ("*", one["group"])
    }
    rows = {(row["channel"], row["title"]): row for row in screens.rows("quarter", "Normen", quarter=quarter, channel=channel)}
    assert set(rows) == {(group, title_of(screens.town, norm)) for group, norm in {**lines, **means}}
    for (group, norm), line in {**lines, **means}.items():
        row, notes = rows[group, title_of(screens.town, norm)], {**lines, **means}[group, norm]["notes"]
        assert row["n"] == line["n"], norm
        assert row["state"] == (STATES[line["attainment"]] if line["n"] else "◔ nog niets beoordeeld")
        if line["n"] >= FEW:
            value = lasting(line["value"]) if (group, norm) in means else share(line["value"], 1)
            assert row["share"].partition(",")[0] == value.partition(",")[0]
            assert row["share"] == value or row["share"].startswith(f"{value}, langste ")
        if (group, norm) in means:
            continue
        for name in ("within", "late"):
            assert int(row[name]) == notes.get(name, 0), (norm, name)
        for name in ("pending", "overdue"):
            assert row[name] == notes.get(name, 0), (norm, name)
        excluded = sorted(n for name, n in notes.items() if name.startswith("excluded "))
        assert row["excluded"] == sum(excluded)
        assert sorted(map(int, re.findall(r" (\d+)(?:, |$)", row["reasons"]))) == excluded


@pytest.mark.parametrize("channel", ["*", "telephone"])
def test_grades(screens: Screens, channel: str) -> None:
    quarter = last(screens) if channel == "*" else screens.running
    of_channel = () if channel == "*" else ("--channel", channel)
    aspects: dict[tuple[str, str], Row] = {}
    compared: dict[tuple[str, str, str], Any] = {}
    earlier = {"before": before(quarter, 1)} | ({"year": before(quarter, 4)} if channel == "*" else {})
    for document in screens.told("satisfaction", "--quarter", quarter, *of_channel):
        aspects |= {(f"{document['instrument']}:{document['version']}", one["title"]): one for one in document["aspects"]}
    for suffix, then in earlier.items():
        for document in screens.told("satisfaction", "--quarter", quarter, "--against", then, *of_channel):
            key = f"{document['instrument']}:{document['version']}"
            compared |= {(suffix, key, one["title"]): one for one in document["compared"]}
            compared |= {(suffix, key, ""): document["breaks"]}
    rows = screens.rows("quarter", "Cijfers per aspect", quarter=quarter, channel=channel)
    assert {(row["key"], row["title"]) for row in rows} == set(aspects)
    for row in rows:
        one = aspects[row["key"], row["title"]]
        assert row["n"] == one["n"]
        if one["n"] < FEW:
            continue
        assert (row["told"], row["state"]) == (written(one["value"], one["kind"]), verdict(one)), row
        assert alike(row["bounds"], interval(one), 0.0101 if one["kind"] == "grade" else 1.01)
        for suffix in earlier:
            found: Any = compared.get((suffix, row["key"], row["title"]))
            shown = row[f"change_{suffix}"]
            if found is None:
                assert shown in ("", "niet vergeleken: breuk in de reeks"), (suffix, row)
            elif found["n_before"] < FEW:
                assert (shown, row[f"was_{suffix}"]) == ("te weinig antwoorden", "")
            else:
                by, kind = found["difference"]["value"], found["kind"]
                size = (
                    f"{signed(100 * by, 1)} procentpunt"
                    if kind in ("satisfaction", "yes-no")
                    else signed(by, 0 if kind == "recommendation" else 2)
                )
                assert shown == f"{WORDS[found['verdict']]} ({size})", (suffix, row)
                assert row[f"was_{suffix}"] == f"{written(found['before'], kind)}, n = {found['n_before']}"


def test_targets_met(screens: Screens, quarter: str) -> None:
    rows = {row["key"]: row for row in screens.rows("quarter", "Tevredenheid: doelen gehaald", quarter=quarter)}
    documents = screens.told("satisfaction", "--quarter", quarter)
    assert set(rows) == {f"{one['instrument']}:{one['version']}" for one in documents}
    for one in documents:
        row, attained = rows[f"{one['instrument']}:{one['version']}"], one["attained"]
        symbol = "✓" if attained["met"] == attained["aspects"] else "✗" if attained["not_met"] else "◔"
        assert row["state"] == f"{symbol} {attained['met']} van {attained['aspects']} aspecten gehaald"
        invited, answered = (sum(each[name] for each in one["response"]) for name in ("invited", "answered"))
        assert row["response"] == (f"{share(answered / invited, 1)} ({answered} van {invited})" if invited else "")


def test_months(screens: Screens) -> None:
    known = [one for one in screens.contacts if one["opened_at"] <= screens.at]
    opened = Counter((f"{screens.local(one['opened_at']):%Y-%m}", one["channel"]) for one in known)
    rows = {(row["period"], row["channel"]): row for row in screens.rows("quarter", "Maandsommen")}
    assert {key: row["n_volume"] for key, row in rows.items() if row["n_volume"]} == dict(opened)
    waits = defaultdict(list)
    for one in screens.contacts:
        if one["answered_at"] and one["wait_ms"] is not None and one["answered_at"] <= screens.at:
            waits[f"{screens.local(one['answered_at']):%Y-%m}", one["channel"]].append(one["wait_ms"])
    for key, row in rows.items():
        assert row["n_wait"] == len(waits[key])
        assert row["wait"] == (lasting(sum(waits[key]) / len(waits[key]) / 1000) if waits[key] else "")
    shown = Counter[str]()
    for row in screens.rows("quarter", "Contacten per maand"):
        shown[f"{screens.local(moment(row['time'])):%Y-%m}"] += row["contacts"]
    by_month = Counter[str]()
    for (month, _), n in opened.items():
        by_month[month] += n
    assert shown == by_month
