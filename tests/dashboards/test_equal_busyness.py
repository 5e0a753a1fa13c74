"""The board "Drukte en producten": what the views of the command line say, and else what the contacts themselves say."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from math import exp, sqrt
from statistics import median

import pytest

from schemas.words import channel_text
from tests.dashboards.screens import FEW, Row, Screens, decimal, few, moment, share, signed

CHANNELS = pytest.mark.parametrize("channel", ["*", "email"])


def opened(screens: Screens, channel: str) -> list[tuple[datetime, Row]]:
    """(local time of opening, contact) of a channel, or of all."""
    known = (one for one in screens.contacts if channel in ("*", one["channel"]) and one["opened_at"] <= screens.at)
    return [(screens.local(one["opened_at"]), one) for one in known]


def month(screens: Screens) -> datetime:
    return screens.at - timedelta(days=28)


@CHANNELS
def test_is_it_busy_today(screens: Screens, channel: str) -> None:
    row = screens.row("busyness", "Is het vandaag druk?", channel=channel)
    (one,) = [one for one in screens.measures.moment("v_expected", screens.at) if one["channel"] == channel.strip("*")]
    assert (row["so_far"], row["usual_days"]) == (one["so_far"], one["usual_days"])
    if not one["closed"] and one["usual_days"] >= 3:
        assert row["whole"] == str(round(one["usual_day"]))
        assert row["usual"] == f"{round(one['usual_so_far'])} ({min(one['before'])}–{max(one['before'])})"
    if one["expected"] is not None:
        assert row["rest"] == f"{round(one['expected'])} ({round(one['expected_low'])}–{round(one['expected_high'])})"


@CHANNELS
def test_today_by_the_hour(screens: Screens, channel: str) -> None:
    today = screens.local(screens.at).date()
    meant = Counter(at.hour for at, _ in opened(screens, channel) if at.date() == today)
    rows = screens.rows("busyness", "Vandaag per uur, en gewoonlijk", channel=channel)
    assert {int(row["hour"]): row["contacts"] for row in rows if row["contacts"]} == dict(meant)


def test_days_by_channel(screens: Screens) -> None:
    first, today = screens.days(90)[0], screens.local(screens.at).date()
    meant = Counter((at.date(), one["channel"]) for at, one in opened(screens, "*") if first <= at.date() < today)
    rows = screens.rows("busyness", "Contacten per dag")
    shown = Counter({(screens.local(moment(row["time"])).date(), row["name"]): row["contacts"] for row in rows})
    assert len({day for day, _ in shown}) > 60
    assert sorted(shown.values()) == sorted(meant.values())
    assert {day for day, _ in shown} == {day for day, _ in meant}
    assert {name for _, name in shown} == {channel_text(channel, "nl") for _, channel in meant}


@CHANNELS
def test_hours_of_the_week(screens: Screens, channel: str) -> None:
    today = screens.local(screens.at).date()
    hours: dict[tuple[int, int], int] = defaultdict(int)
    days: dict[int, set[date]] = defaultdict(set)
    for at, _ in opened(screens, channel):
        if today - timedelta(days=56) <= at.date() < today:
            hours[at.isoweekday(), at.hour] += 1
            days[at.isoweekday()].add(at.date())
    rows = screens.rows("busyness", "Drukte in de week", channel=channel)
    assert [row["name"].partition(" ")[0] for row in rows] == ["ma", "di", "wo", "do", "vr", "za", "zo"]
    for weekday, row in enumerate(rows, start=1):
        n = len(days[weekday])
        assert row["days"] == (str(n) if n else None)
        for hour in range(24):
            mean = hours[weekday, hour] / n if n else 0
            shown = row[f"h{hour}"] or 0
            assert shown == pytest.approx(mean, abs=0.0501 if mean < 10 else 0.501), (weekday, hour)
        if n:
            assert abs(int(row["whole"]) - sum(count for (day, _), count in hours.items() if day == weekday) / n) <= 0.501


@CHANNELS
def test_products(screens: Screens, channel: str) -> None:
    today = screens.local(screens.at).date()
    now, before = Counter[str](), Counter[str]()
    for at, one in opened(screens, channel):
        if today - timedelta(days=28) <= at.date() < today:
            now[one["product"]] += 1
        elif today - timedelta(days=56) <= at.date() < today - timedelta(days=28):
            before[one["product"]] += 1
    rows = screens.rows("busyness", "Meest gevraagde producten", channel=channel)
    products = {row["name"] if row["name"] != "(niet bekend)" else "": row for row in rows}
    assert set(products) == set(now) | set(before)
    for product, row in products.items():
        n, earlier = now[product], before[product]
        assert (row["contacts"], row["before"]) == (n, earlier), product
        assert row["share"] == pytest.approx(n / now.total())
        if n + earlier < 20:
            assert row["change"] == "te weinig contacten"
        elif n and earlier:
            spread = exp(1.96 * sqrt(1 / n + 1 / earlier))
            change, low, high = (signed(100 * (n / earlier * by - 1), 0) for by in (1, 1 / spread, spread))
            assert row["change"] == f"{change} % ({low} tot {high})", product


@CHANNELS
def test_helped_at_once_and_came_again(screens: Screens, channel: str) -> None:
    group = channel.strip("*")
    measured, repeated = (
        {one["cell"]: one for one in screens.measures.window(view, month(screens), screens.at, "product") if one["channel"] == group}
        for view in ("v_measures", "v_repeats")
    )

    def counted(value: float | None, n: int) -> str:
        return few(n) if n < FEW or value is None else f"{share(value)}, n = {n}"

    rows = screens.rows("busyness", "In één keer geholpen, en teruggekomen", channel=channel)
    assert len(rows) == min(len(measured), 50) > 3
    for row in rows:
        product = row["name"] if row["name"] != "(niet bekend)" else ""
        one = measured[product]
        again = repeated.get(product, {"resolved_share": None, "judged": 0, "repeat_share": None, "contacts": 0, "repeats": 0})
        assert row["first"] == counted(one["first_contact_share"], one["results"])
        assert row["resolved"] == counted(again["resolved_share"], again["judged"])
        assert row["repeated"] == counted(again["repeat_share"], again["contacts"])
        assert row["repeats"] == again["repeats"], product


@CHANNELS
def test_ways_in(screens: Screens, channel: str) -> None:
    meant = Counter((one["channel"], one["via"]) for _, one in opened(screens, channel) if one["opened_at"] > month(screens))
    rows = screens.rows("busyness", "Hoe mensen binnenkomen", channel=channel)
    assert {(row["channel"], row["way"].replace("–", "")): row["contacts"] for row in rows} == dict(meant)
    for row in rows:
        assert row["share"] == pytest.approx(row["contacts"] / sum(n for (name, _), n in meant.items() if name == row["channel"]))


@CHANNELS
def test_per_thousand_inhabitants(screens: Screens, channel: str) -> None:
    volumes = Counter[str]()
    for one in screens.told("quarters")["quarters"]:
        if one["measure"] == "volume" and channel in ("*", one["group"]):
            volumes[one["period"]] += one["n"]
    rows = screens.rows("busyness", "Per 1.000 inwoners", channel=channel)
    people = screens.town.organisation.inhabitants
    assert people is not None
    assert {row["name"].partition(" ")[0]: (row["contacts"], row["per_thousand"]) for row in rows} == {
        quarter: (n, decimal(1000 * n / people, 1)) for quarter, n in volumes.items()
    }


@CHANNELS
def test_the_usual_is_the_median_of_days_alike(screens: Screens, channel: str) -> None:
    """Against the contacts, where no such day was a closing day."""
    (one,) = [one for one in screens.measures.moment("v_expected", screens.at) if one["channel"] == channel.strip("*")]
    today = screens.local(screens.at).date()
    by_day = Counter(at.date() for at, _ in opened(screens, channel))
    days = [today - timedelta(days=7 * week) for week in range(1, 9)]
    if one["usual_days"] == 8 and not one["closed"]:
        whole = screens.row("busyness", "Is het vandaag druk?", channel=channel)["whole"]
        assert abs(int(whole) - median(by_day[day] for day in days)) <= 0.5
