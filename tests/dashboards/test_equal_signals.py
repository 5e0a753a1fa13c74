"""The board "Signalen": what `contactmeter incident list` and `drift list` tell; before and after by the contacts themselves."""

from collections import Counter, defaultdict
from datetime import date, timedelta

from schemas.words import channel_text
from tests.dashboards.screens import Row, Screens, again, alike, decimal, lasting, share, signed, verdicts, within

STANDINGS = {
    "drifting": "▲ wijkt af", "unknown": "? geen verse gegevens", "learning": "◔ leert wat gewoon is", "silent": "◔ leert opnieuw",
    "watching": "✓ als gewoonlijk",
}  # fmt: skip


def incidents(screens: Screens) -> list[Row]:
    found = screens.told("incident", "list", screens.town.name, "--all")
    return [one for one in found if one["closed_at"] is None or one["closed_at"] > ago(screens, 90)]


def ago(screens: Screens, days: int) -> float:
    return (screens.at - timedelta(days=days)).timestamp() * 1000


def drift(screens: Screens) -> Row:
    found: Row = screens.told("drift", "list", screens.town.name, "--all")
    return found


@again
def test_now(screens: Screens) -> None:
    row = screens.row("signals", "Nu")
    going = [one for one in incidents(screens) if one["state"] == "open" and one["worse"]]
    asking = sum(one["asks_since"] is not None for one in going)
    assert row["waiting"] == f"{'✗' if asking else '✓'} {asking}"
    assert row["incidents"] == f"{'▲' if going else '✓'} {len(going)}"
    signals, streams = drift(screens)["signals"], Counter(one["status"] for one in drift(screens)["streams"])
    lasting_ones = Counter(one["worse"] for one in signals if one["state"] != "over")
    assert (row["lasting"], row["better"]) == (lasting_ones[True], lasting_ones[False])
    assert row["watched"] == streams["watching"] + streams["drifting"]
    assert row["learning"] == streams["learning"] + streams["silent"]
    assert row["unheard"].endswith(f" {streams['unknown']}")


def test_incidents(screens: Screens) -> None:
    rows = screens.rows("signals", "Incidenten")
    meant = incidents(screens)
    assert meant
    assert sorted(row["text"] for row in rows) == sorted(one["text_nl"] for one in meant)
    for row, one in ((row, one) for row in rows for one in meant if one["text_nl"] == row["text"]):
        since = screens.clock(one["opened_at"])
        over = f"✓ voorbij {screens.clock(one['closed_at'])}"
        assert row["state_text"] == (over if one["state"] != "open" else f"▲ sinds {since}" if one["worse"] else f"beter sinds {since}")
        assert row["which"] == ", ".join(channel_text(name, "nl") for name in one["channels"])
        if one["acknowledged_at"] is not None and one["asks_since"] is None:
            assert row["who"] == f"✓ gezien door {one['acknowledged_by']} {screens.clock(one['acknowledged_at'])}"
        if one["state"] == "open":
            assert row["command"] == f"contactmeter incident acknowledge {screens.town.name} {one['incident'][:8]}"


def test_signals(screens: Screens) -> None:
    meant = {one["id"][:8]: one for one in drift(screens)["signals"] if one["state"] != "over" or one["at"] >= ago(screens, 90)}
    rows = {row["command"].split()[5]: row for row in screens.rows("signals", "Signalen")}
    assert meant
    assert set(rows) == set(meant)
    for name, one in meant.items():
        row = rows[name]
        assert (row["channel"], row["n"]) == (one["channel"], one["n"])
        assert row["text"].startswith(one["text"])
        assert row["onset_text"] == screens.clock(one["onset"])
        if one["state"] != "over":
            assert row["state_text"] == ("beter" if not one["worse"] else "▲ verder veranderd" if one["state"] == "grown" else "▲ duurt")
        assert row["parts"] == ", ".join(f"{each['name']} ({share(each['share'])})" for each in one["contributors"])
        if one["size"] is None or one["low"] is None or one["high"] is None:
            continue
        units = {"grade": (0, 1, " punt", 1), "compliance": (0, 100, " procentpunt", 0)}  # else by how much of the usual
        base, scale, unit, digits = units.get(one["kind"], (1, 100, " %", 0))
        change, low, high = (signed(scale * (one[end] - base), digits) for end in ("size", "low", "high"))
        assert row["size_text"] == f"{change}{unit} ({low} tot {high})", one


@again
def test_what_is_watched(screens: Screens) -> None:
    streams = drift(screens)["streams"]
    rows = screens.rows("signals", "Wat bewaakt wordt")
    shown = Counter((row["channel"], row["state"], row["since_text"], row["until_text"], round(row["budget"], 6)) for row in rows)
    assert shown == Counter(
        (one["channel"], STANDINGS[one["status"]], screens.clock(one["since"]), screens.clock(one["until"]), round(one["budget"], 6))
        for one in streams
    )
    assert len(rows) > 15


def test_markers(screens: Screens) -> None:
    rows = screens.rows("signals", "Markeringen")
    told = screens.told_at("quarters")["markers"]
    assert {row["note"] for row in rows} == {one["note"] for one in told}
    assert len(rows) == 3


def daily(screens: Screens, measure: str) -> dict[date, list[float]]:
    """Of each local day of telephone (how many counted, their sum) by the contacts themselves."""
    found: dict[date, list[float]] = defaultdict(lambda: [0, 0])

    def add(at: date, total: float) -> None:
        found[at][0] += 1
        found[at][1] += total

    for one in (one for one in screens.contacts if one["channel"] == "telephone"):
        answered, abandoned = one["answered_at"], one["abandoned_at"]
        if measure == "contacten" and one["opened_at"] <= screens.at:
            found[screens.local(one["opened_at"]).date()] = [1, found[screens.local(one["opened_at"]).date()][1] + 1]
        elif measure == "wachttijd" and answered and one["wait_ms"] is not None:
            add(screens.local(answered).date(), one["wait_ms"])
        elif measure == "opgegeven" and (answered or abandoned):
            add(screens.local(answered or abandoned).date(), 0 if answered else 1)
        elif measure.startswith("Telefoon"):
            for each in verdicts(one):
                if each["norm"] == "telephone_45s" and each["judged_at"] and not each["excluded"]:
                    add(screens.local(each["judged_at"]).date(), within(each))
    return found


def test_before_and_after_an_action(screens: Screens) -> None:
    """The initiative of 40 days ago: four weeks before it and after it, without the day itself."""
    rows = {row["name"]: row for row in screens.rows("signals", "Acties: vier weken ervoor en erna") if row["which"] == "telefoon"}
    begin = screens.local(screens.at - timedelta(days=40)).date()
    measures = [name for name in rows if name in ("contacten", "wachttijd", "opgegeven") or name.startswith("Telefoon opgenomen")]
    assert len(measures) == 4
    for name in measures:
        days, row = daily(screens, name), rows[name]
        sums = {
            "before": [of for day, of in days.items() if begin - timedelta(days=28) <= day < begin],
            "after": [of for day, of in days.items() if begin < day <= begin + timedelta(days=28)],
        }
        values = {}
        for side, found in sums.items():
            n, total = (sum(one[place] for one in found) for place in (0, 1))
            values[side] = total / n
            assert row[f"n_{side}"] == n, (name, side)
            text = {"contacten": f"{decimal(total / n, 1)} per dag", "wachttijd": lasting(total / n / 1000)}.get(name, share(total / n, 1))
            assert row[f"{side}_text"] == text, (name, side)
        change = values["after"] - values["before"]
        half = 1.96 * sum(error(found, values[side]) for side, found in sums.items()) ** 0.5
        scale, digits, unit = {"contacten": (1, 1, ""), "wachttijd": (0.001, 0, " s")}.get(name, (100, 1, " procentpunt"))
        middle, low, high = (signed(scale * one, digits) for one in (change, change - half, change + half))
        assert alike(row["change_text"], f"{middle}{unit} ({low} tot {high})", 0.1), name


def error(days: list[list[float]], ratio: float) -> float:
    """The squared error of a ratio of sums over days (Cochran, Sampling Techniques, 6.2)."""
    strays = sum((total - ratio * n) ** 2 for n, total in days)
    return strays * len(days) / (len(days) - 1) / sum(n for n, _ in days) ** 2
