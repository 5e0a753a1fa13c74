"""The board "Kanaal": the figures of the command line, and else what the contacts themselves say."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.store.measures import Dimension
from tests.dashboards.screens import FEW, Row, Screens, again, counted, decimal, few, lasting, share
from tests.dashboards.test_equal_norms import cells, check_norms

CHANNELS = pytest.mark.parametrize("channel", ["telephone", "email"])
DIMENSIONS: tuple[Dimension, ...] = ("team", "product", "location")


def grade(line: Row | None, of: str = "antwoorden") -> str:
    """A mean grade as boards write it."""
    if line is None or line["n"] == 0:
        return f"eerste cijfers na {FEW} {of}"
    if line["n"] < FEW:
        return f"te weinig {of} ({line['n']} van {FEW})"
    value, low, high = (decimal(line[name], 1) for name in ("value", "low", "high"))
    return f"{value} ({low}–{high}), n = {line['n']}"


@CHANNELS
@again
def test_norms(screens: Screens, channel: str) -> None:
    check_norms(screens, screens.rows("channel", "Normen", channel=channel), {channel})


@CHANNELS
def test_grades(screens: Screens, channel: str) -> None:
    of_channel = [one for one in screens.figures if one["group"] == channel and one["measure"].startswith("answer:")]
    figures = {(one["measure"], one["period"]): one for one in of_channel}
    titles = {
        f"answer:{name}:{one.version}:{aspect}": settings.title.nl
        for name, versions in screens.town.organisation.instruments.items()
        for one in versions
        for aspect, settings in one.aspects.items()
    }
    meant = Counter(
        (titles[measure], measure.split(":")[1], grade(figures.get((measure, "28d"))), grade(figures.get((measure, "7d"))))
        for measure in {measure for measure, _ in figures}
    )
    rows = screens.rows("channel", "Rapportcijfer en aspecten", channel=channel)
    assert Counter((row["name"], row["instrument"], row["month"], row["week"]) for row in rows) == meant
    assert len(rows) >= 6


def told(one: Row) -> dict[str, str]:
    """A row of v_measures as the board writes it."""

    def some(value: str, n: int) -> str:
        return "niets" if n == 0 else counted(value, n)

    def time(name: str, n: str) -> str:
        return some(lasting(one[name] or 0), one[n])

    def part(name: str, n: int) -> str:
        return some(share(one[name] or 0, 1), n)

    return {
        "begonnen": str(one["contacts"]),
        "opgenomen of geholpen": str(one["answered"]),
        "wachttijd, de middelste": time("wait_median", "waits"),
        "wachttijd, 9 van de 10 binnen": time("wait_p90", "waits"),
        "opgegeven": part("abandonment", one["answered"] + one["abandoned"]),
        "anders uit de rij": str(one["left_otherwise"]),
        "afgesloten": str(one["closed"]),
        "behandeltijd, de middelste": time("handling_median", "handled"),
        "doorverbonden": part("transferred_share", one["closed"]),
        "in één keer geholpen": part("first_contact_share", one["results"]),
        "terugbellen: beloofd, gedaan": f"{one['callbacks_promised']}, {one['callbacks_kept']}",
    }


@CHANNELS
def test_waiting_giving_up_and_handling(screens: Screens, channel: str) -> None:
    midnight = screens.local(screens.at).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    weeks = {"week": screens.at - timedelta(days=7), "month": screens.at - timedelta(days=28)}
    begins = {"today": midnight - timedelta(milliseconds=1), **weeks}
    spans = {name: screens.measures.window("v_measures", begin, screens.at, "") for name, begin in begins.items()}
    found = {name: [one for one in rows if one["channel"] == channel] for name, rows in spans.items()}
    rows = {row["what"]: row for row in screens.rows("channel", "Wachten, opgeven, afhandelen", channel=channel)}
    assert "begonnen" in rows
    for name, of_channel in found.items():
        for what, row in rows.items():
            assert row[name] == (told(of_channel[0])[what] if of_channel else "niets"), (what, name)


@CHANNELS
@again
def test_by_team_product_and_location(screens: Screens, channel: str) -> None:
    sums = cells(screens)
    rows = screens.rows("channel", "Per team, product en locatie (28 dagen)", channel=channel)
    assert {row["dimension"] for row in rows} >= {"team", "product"}
    begin, now_at = screens.at - timedelta(days=28), datetime.now(UTC)
    measured: dict[tuple[str, str], Row] = {}
    open_now: dict[tuple[str, str], Row] = {}
    for dimension in DIMENSIONS:
        for found, told_of in (
            (measured, screens.measures.window("v_measures", begin, screens.at, dimension)),
            (open_now, screens.measures.open(now_at, dimension)),
        ):
            found |= {(dimension, one["cell"]): one for one in told_of if one["channel"] == channel}
    for row in rows:
        key = (row["dimension"], row["cell"])
        one, now = measured[key], open_now.get(key, {"open": 0, "stale": 0, "overdue": 0})
        assert row["contacts"] == one["contacts"]
        assert row["wait"] == told(one)["wachttijd, de middelste"]
        assert row["gave_up"] == told(one)["opgegeven"]
        assert (row["open"], row["overdue"]) == (now["open"], now["overdue"]), key
        norms = [
            (n < FEW, kept / n - screens.targets[norm], kept / n, n)
            for (where, norm, *cell), (n, kept) in sums.items()
            if (where, *cell) == (channel, *key)
        ]
        if not norms:
            assert row["norm"] == "geen norm"
        else:
            too_few, above, value, n = min(norms)
            assert row["norm"] == (few(n) if too_few else f"{'✗' if above < 0 else '✓'} {share(value, 1)}, n = {n}"), key


@CHANNELS
def test_today_against_the_usual(screens: Screens, channel: str) -> None:
    rows = {row["what"]: row["said"] for row in screens.rows("channel", "Vandaag tegen gewoonlijk", channel=channel)}
    (one,) = [one for one in screens.told_at("measures")["expected"] if one["channel"] == channel]
    usual = "" if one["usual_so_far"] is None else f"; gewoonlijk om deze tijd {round(one['usual_so_far'])}"
    assert rows["vandaag tot nu"] == f"{one['so_far']}{usual}"
    if one["closed"]:
        assert rows["nog verwacht vandaag"] == "gesloten dag"
    elif one["expected"] is not None:
        low, high = round(one["expected_low"]), round(one["expected_high"])
        assert rows["nog verwacht vandaag"].startswith(f"{round(one['expected'])} ({low}–{high})")


def begun(screens: Screens, channel: str, minutes: int) -> Counter[str]:
    """Contacts of today by the part of the day in which they began."""
    slots: Counter[str] = Counter()
    for contact in screens.contacts:
        at = screens.local(contact["opened_at"])
        if contact["channel"] == channel and contact["opened_at"] <= screens.at and at.date() == screens.local(screens.at).date():
            slots[f"{at.hour:02}:{at.minute // minutes * minutes:02}"] += 1
    return slots


@CHANNELS
def test_today_by_the_hour(screens: Screens, channel: str) -> None:
    meant = begun(screens, channel, 60)
    shown = {row["slot"]: row["contacts"] or 0 for row in screens.rows("channel", "Vandaag per uur", channel=channel)}
    assert {slot: n for slot, n in shown.items() if n} == dict(meant)
    near = {row["slot"]: row["contacts"] or 0 for row in screens.rows("channel", "Per kwartier, rond nu", channel=channel)}
    quarters = begun(screens, channel, 15)
    assert {slot: n for slot, n in near.items() if n} == {slot: n for slot, n in quarters.items() if slot in near}


@again
def test_lists_hold_what_the_command_lists(screens: Screens) -> None:
    told_now = screens.told("open")
    for channel in screens.town.organisation.channels:
        (counts,) = [one for one in screens.told("measures")["open"] if one["channel"] == channel] or [None]
        contacts = screens.rows("channel", "Open contacten, het dringendste eerst", channel=channel)
        assert len(contacts) == (min(counts["open"] - counts["stale"], 100) if counts else 0), channel
        late = [row["which"] for row in contacts if row["late"].startswith("◷")]
        meant = [one["contact"] for one in told_now["overdue"] if one["channel"] == channel]
        assert set(late) <= set(meant)
        assert len(late) == min(len(meant), 100)
        calls = screens.rows("channel", "Terug te bellen", channel=channel)
        assert (
            sorted(row["which"] for row in calls)
            == sorted(one["contact"] for one in told_now["callbacks"] if one["channel"] == channel)[:100]
        )


def test_incidents_and_markers(screens: Screens) -> None:
    since = datetime.now(UTC) - timedelta(days=28)
    incidents = [
        one["text_nl"]
        for one in screens.told("incident", "list", screens.town.name, "--all")
        if "telephone" in one["channels"] and (one["closed_at"] is None or one["closed_at"] > since.timestamp() * 1000)
    ]
    texts = [row["text"] for row in screens.rows("channel", "Incidenten en markeringen (28 dagen)", channel="telephone")]
    assert [text for text in texts if text in incidents] == incidents
    markers = [one["note"] for one in screens.told("figures")["markers"] if not one["channels"] or "telephone" in one["channels"]]
    assert all(any(text.endswith(note) for text in texts) for note in markers)
    assert len(texts) >= len(incidents) + len(markers) > 1
