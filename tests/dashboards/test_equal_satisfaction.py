"""The board "Tevredenheid": what `contactmeter satisfaction` tells of the same questionnaire and period."""

from collections import Counter, defaultdict
from typing import Any

import pytest

from schemas.words import channel_text
from tests.dashboards.poll import POLL, quarters
from tests.dashboards.screens import FEW, Row, Screens, alike, decimal, share, signed

AFTER, OLD, NEW = "after_contact:1", f"{POLL}:1", f"{POLL}:2"
VERDICTS = {"met": "✓ gehaald", "not_met": "✗ niet gehaald", "": ""}


def lacking(n: int) -> str:
    """What stands in the place of a grade that rests on too few answers."""
    return f"te weinig antwoorden ({n} van {FEW})" if n else f"eerste cijfers na {FEW} antwoorden"


def written(value: float, kind: str) -> str:
    """A figure in the unit of its scale."""
    return share(value, 1) if kind in ("satisfaction", "yes-no") else decimal(value, 0 if kind == "recommendation" else 2)


def interval(one: Row) -> str:
    return "" if one["n"] < FEW else f"{written(one['low'], one['kind'])} – {written(one['high'], one['kind'])}"


def verdict(one: Row) -> str:
    if one["attainment"] == "too_few":
        return "◔ niet aan te tonen" if one["n"] >= FEW else "◔ te weinig antwoorden"
    return VERDICTS[one["attainment"]]


def told(screens: Screens, instrument: str, *arguments: str) -> Any:
    """What the command tells of one version of a questionnaire; nothing where it has no answers."""
    documents = {f"{one['instrument']}:{one['version']}": one for one in screens.told("satisfaction", *arguments)}
    return documents.get(instrument, {"aspects": [], "attained": None, "gaps": [], "response": []})


def periods(screens: Screens) -> list[str]:
    """The quarter that is over, the one that runs, and the wave; each as boards name it."""
    _, _, last, running, _ = quarters(round(screens.at.timestamp() * 1000))
    return ["wave:najaar", *(f"quarter:{day.year}-Q{(day.month + 2) // 3}" for day in (last, running))]


def asked(period: str) -> tuple[str, str]:
    kind, name = period.split(":")
    return f"--{kind}", name


@pytest.mark.parametrize(("instrument", "channel"), [(AFTER, "*"), (AFTER, "telephone"), (OLD, "*"), (NEW, "*")])
def test_aspects(screens: Screens, instrument: str, channel: str) -> None:
    options = screens.options("satisfaction", "period", instrument=instrument)
    found = [one for one in periods(screens) if one in options][: 1 if channel != "*" else None]
    assert found or instrument == NEW  # on the first days of a quarter there are no answers to it
    for period in found:
        chosen = {"instrument": instrument, "period": period, "channel": channel}
        document = told(screens, instrument, *asked(period), *(() if channel == "*" else ("--channel", channel)))
        aspects = {one["aspect"]: one for one in document["aspects"]}
        shown = {row["aspect"]: row for row in screens.rows("satisfaction", "Aspecten tegen hun doel", **chosen)}
        assert set(aspects) - {"hoped"} <= set(shown)
        for aspect, row in shown.items():
            one = aspects.get(aspect)
            assert row["n"] == (one["n"] if one else 0)
            if one is None or one["n"] < FEW:
                assert (row["told"], row["bounds"], row["spread"]) == (lacking(row["n"]), "", "")
                continue
            where = (period, aspect, row)
            assert row["told"] == written(one["value"], one["kind"]), where
            assert alike(row["bounds"], interval(one), 0.0101 if one["kind"] == "grade" else 1.01), where
            assert row["state"] == verdict(one), where
            assert row["aim"] == ("geen doel" if one["target"] is None else decimal(one["target"], 1))
            if one["kind"] in ("grade", "recommendation"):
                low, high = ("≤ 5", "≥ 8") if one["kind"] == "grade" else ("0–6", "9–10")
                assert row["spread"] == f"{low}: {share(one['low_share'])} · {high}: {share(one['top_share'])}", where
        check_head(screens, chosen, document, aspects)
        check_gaps(screens, chosen, document)


def check_head(screens: Screens, chosen: dict[str, str], document: Row, aspects: dict[str, Row]) -> None:
    row = screens.row("satisfaction", "Halen we onze doelen?", **chosen)
    attained = document["attained"]
    if attained:
        symbol = "✓" if attained["met"] == attained["aspects"] else "✗" if attained["not_met"] else "◔"
        assert row["state"] == f"{symbol} {attained['met']} van {attained['aspects']} aspecten gehaald"
    one = aspects.get(screens.chosen("satisfaction")["aspect"])
    if one is not None and one["n"] >= FEW:
        assert alike(row["grade"], f"{written(one['value'], one['kind'])} ({interval(one)}), n = {one['n']}", 0.0101)
    response = [one for one in document["response"] if not one["channel"]] or document["response"]  # a wave may state how many were invited
    invited, answered = (sum(one[name] for one in response) for name in ("invited", "answered"))
    if invited:
        assert row["response"] == f"{share(answered / invited, 1)} ({answered} van {invited})", (chosen, response)
    if document.get("closed") is not None:
        assert row["over"] == ("✓ afgesloten" if document["closed"] else "◔ loopt nog")


def check_gaps(screens: Screens, chosen: dict[str, str], document: Row) -> None:
    rows = {row["title"]: row for row in screens.rows("satisfaction", "Verwachting tegen ervaring", **chosen)}
    assert len(rows) == (0 if chosen["instrument"] == AFTER else 1)
    for one in document["gaps"]:
        row = rows[one["title"]]
        if min(row["n"], row["n_expected"]) < FEW:
            assert row["bounds"] == ""
            continue
        assert row["gap_text"] == signed(one["value"], 2)
        assert alike(row["bounds"], f"{signed(one['low'], 2)} – {signed(one['high'], 2)}", 0.0101)
        word = "✗ minder dan verwacht" if one["low"] > 0 else "✓ beter dan verwacht" if one["high"] < 0 else "◔ geen aantoonbaar verschil"
        assert row["state"] == word


@pytest.mark.parametrize("dimension", ["team", "product", "segment"])
def test_breakdown(screens: Screens, dimension: str) -> None:
    for instrument, aspect, title in ((AFTER, "overall", "Rapportcijfer"), (OLD, "overall", "Oordeel")):
        chosen = {"instrument": instrument, "aspect": aspect, "dimension": dimension}
        rows = screens.rows("satisfaction", "Uitsplitsing van het gekozen aspect", **chosen)
        quarter = rows[0]["quarter"]
        cells = {
            (channel_text(one["channel"], "nl"), one["cell"]): one
            for one in told(screens, instrument, "--quarter", quarter, "--by", dimension)["cells"]
            if one["title"] == title
        }
        shown = {(row["name"], row["what"].replace("(onbekend)", "")): row for row in rows}
        assert set(shown) == set(cells)
        for key, one in cells.items():
            row = shown[key]
            if one["withheld"]:
                assert (row["answers"], row["bounds"]) == ("", "")
                assert row["figure"].startswith("niet getoond")
            elif one["n"] < FEW:
                assert (row["answers"], row["figure"]) == (str(one["n"]), lacking(one["n"]))
            else:
                assert (row["answers"], row["figure"]) == (str(one["n"]), decimal(one["value"], 2))
                assert alike(row["bounds"], f"{decimal(one['low'], 2)} – {decimal(one['high'], 2)}", 0.0101), key


def test_response(screens: Screens) -> None:
    for instrument in (AFTER, OLD):
        rows = screens.rows("satisfaction", "Respons", instrument=instrument)
        shown = {(row["period"], row["name"]): (row["invited"], row["answered"], row["bounds"]) for row in rows}
        meant = {}
        for period in periods(screens):
            for one in told(screens, instrument, *asked(period))["response"]:
                if one["invited"]:
                    part = f"{one['quarter']} · {one['wave']}" if one["quarter"] and one["wave"] else one["quarter"] or one["wave"]
                    name = channel_text(one["channel"], "nl") if one["channel"] else "alle kanalen"
                    bounds = f"{share(one['low'], 1)} – {share(one['high'], 1)}"
                    meant[part, name] = (one["invited"], one["answered"], bounds)
        assert len(meant) > 2
        assert meant.items() <= shown.items()


def test_priorities(screens: Screens) -> None:
    quarter = periods(screens)[1].removeprefix("quarter:")
    (row,) = screens.rows("satisfaction", "Prioriteiten", instrument=OLD, period=f"quarter:{quarter}")
    norm = screens.figure("telephone", "norm:telephone_45s", "28d")
    (aspect,) = [one for one in told(screens, OLD, "--quarter", quarter)["aspects"] if one["aspect"] == "overall"]
    symbol = {"met": "✓", "not_met": "✗"}
    assert row["norms"].startswith(f"{symbol.get(norm['attainment'], '◔')} ")
    assert row["norms"].endswith(f"{share(norm['value'], 1)} (doel 80 %), n = {norm['n']}")
    assert row["aspects"] == f"{symbol.get(aspect['attainment'], '◔')} Oordeel {decimal(aspect['value'], 2)} (n = {aspect['n']})"
    states = Counter((norm["attainment"], aspect["attainment"]))
    mark = "✓" if states["met"] == 2 else "✗" if states["not_met"] else "◔"
    assert row["state"] == f"{mark} {states['met']} van 2"


def test_grades_over_time_are_sums_of_blocks_that_are_published(screens: Screens) -> None:
    """Successive blocks, taken together until they are enough to tell of."""
    rows = screens.rows("satisfaction", "Het gekozen aspect door de tijd", instrument=AFTER, aspect="overall")
    blocks = screens.read(
        "SELECT last_at, n, total FROM v_answer_blocks(organisation = {organisation:String}) "
        "WHERE instrument = 'after_contact' AND aspect = 'overall' ORDER BY last_at, channel, wave, late, block"
    )
    answers = sum(block["n"] for block in blocks)
    enough = max(FEW + 2 * screens.town.organisation.small_cell, answers // 40)
    points: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    before = 0
    for block in blocks:
        sums = points[before // enough]
        sums[0], sums[1] = sums[0] + block["n"], sums[1] + block["total"]
        before += block["n"]
    assert [row["value"] for row in rows] == pytest.approx([total / n / 1000 for n, total in points.values() if n >= FEW])
    assert len(rows) >= 5
    assert all(row["low"] < row["value"] < row["high"] and row["target"] == 7.5 for row in rows)
