"""The words and the layout of `contactmeter satisfaction`, in Dutch and English."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.cli.asked import local_text, simulated_text
from pipeline.cli.table import aligned
from pipeline.numbers import number_text, share_text
from pipeline.satisfaction import SHARES
from pipeline.store.markers import Marker
from schemas.words import channel_text


@dataclass(frozen=True)
class Words:
    """What is said in one language."""

    lang: str
    nothing: str
    columns: tuple[str, ...]
    compared: tuple[str, ...]
    cells: tuple[str, ...]
    attainment: dict[str, str]
    straddles: str
    ends: dict[str, str]
    verdict: dict[str, str]
    population: dict[str, str]
    all_channels: str
    running: str
    attained: str
    gap: str
    response: str
    breaks: str
    crossed: str
    missing: str
    withheld: str
    unknown: str
    no_end: str
    simulated: str
    named: dict[str, str]


WORDS = {
    "nl": Words(
        lang="nl",
        nothing="Er is (nog) geen tevredenheidscijfer dat getoond mag worden.",
        columns=("aspect", "n", "waarde", "95 %-interval", "laag", "hoog", "doel", ""),
        compared=("aspect", "n", "waarde", "n eerder", "eerder", "verschil", "95 %-interval", "oordeel"),
        cells=("aspect", "kanaal", "groep", "n", "waarde", "95 %-interval"),
        attainment={"met": "✓ gehaald", "not_met": "✗ niet gehaald", "too_few": "· te weinig om te zeggen", "": ""},
        straddles="· niet aan te tonen",
        ends={
            "grade": "laag: een 5 of lager; hoog: een 8 of hoger",
            "recommendation": "aanbeveling: laag is 0 tot en met 6, hoog is 9 of 10",
        },
        verdict={"higher": "hoger", "lower": "lager", "no_difference": "geen aantoonbaar verschil"},
        population={"contact-triggered": "na een contact", "general": "algemene enquête", "panel": "panel (zelf aangemeld)"},
        all_channels="alle kanalen",
        running="loopt nog: het laatste deel verschijnt als er genoeg antwoorden zijn",
        attained="{met} van {aspects} aspecten aantoonbaar op of boven het doel ({not_met} eronder, {too_few} niet aan te tonen)",
        gap="verwachting − ervaring, {title}: {value} ({interval})",
        response="respons {where}: {answered} van {invited} uitgenodigden, {rate} ({interval})",
        breaks="breuk in de reeks",
        crossed="niet vergeleken: ertussen ligt een breuk in de reeks",
        missing="niet vergeleken: geen cijfers van dezelfde vragenlijst in {against}",
        withheld="< {threshold}",
        unknown="(onbekend)",
        no_end="nog geen einde",
        simulated="GESIMULEERD",
        named={
            "version": "nieuwe versie van de vragenlijst",
            "questionnaire_change": "vragenlijst gewijzigd",
            "reorganisation": "reorganisatie",
            "announced_change": "aangekondigde wijziging",
            "campaign": "campagne",
            "maintenance": "gepland onderhoud",
            "outage": "storing",
            "initiative": "initiatief",
        },
    ),
    "en": Words(
        lang="en",
        nothing="There is no satisfaction figure (yet) that may be shown.",
        columns=("aspect", "n", "value", "95 % interval", "low", "high", "target", ""),
        compared=("aspect", "n", "value", "n before", "before", "difference", "95 % interval", "verdict"),
        cells=("aspect", "channel", "group", "n", "value", "95 % interval"),
        attainment={"met": "✓ met", "not_met": "✗ not met", "too_few": "· too few to tell", "": ""},
        straddles="· not demonstrable",
        ends={"grade": "low: 5 or less; high: 8 or more", "recommendation": "recommendation: low is 0 to 6, high is 9 or 10"},
        verdict={"higher": "higher", "lower": "lower", "no_difference": "no demonstrable difference"},
        population={"contact-triggered": "after a contact", "general": "general survey", "panel": "panel (self-selected)"},
        all_channels="all channels",
        running="still running: the last part appears once there are enough answers",
        attained="{met} of {aspects} aspects demonstrably at or above target ({not_met} below, {too_few} not demonstrable)",
        gap="expectation − experience, {title}: {value} ({interval})",
        response="response {where}: {answered} of {invited} invited, {rate} ({interval})",
        breaks="break in the series",
        crossed="not compared: a break in the series lies between",
        missing="not compared: no figures of the same questionnaire in {against}",
        withheld="< {threshold}",
        unknown="(unknown)",
        no_end="no end yet",
        simulated="SIMULATED",
        named={
            "version": "new version of the questionnaire",
            "questionnaire_change": "questionnaire changed",
            "reorganisation": "reorganisation",
            "announced_change": "announced change",
            "campaign": "campaign",
            "maintenance": "planned maintenance",
            "outage": "outage",
            "initiative": "initiative",
        },
    ),
}


def value_text(kind: str, value: float | None, words: Words, signed: bool = False) -> str:
    """A figure as people read it: a share in percent, NPS in points, else two decimals."""
    if kind in SHARES:
        return share_text(value, words, signed)
    return number_text(value, words, 0 if kind == "recommendation" else 2, signed)


def interval_text(kind: str, low: float | None, high: float | None, words: Words, signed: bool = False) -> str:
    """An interval; "" where there is none."""
    return "" if low is None else f"{value_text(kind, low, words, signed)} – {value_text(kind, high, words, signed)}"


def marker_text(marker: Marker, settings: dict[str, Any], words: Words) -> str:
    """A marker in one line: what, when in local time, where, and its id. `settings` as v_organisations has them."""
    end = words.no_end if marker.end is None else local_text(marker.end, settings)
    channels = ", ".join(channel_text(one, words.lang) for one in marker.channels) or words.all_channels
    parts = (words.named[marker.kind], f"{local_text(marker.start, settings)} – {end}", channels, marker.note, marker.marker)
    return " · ".join(filter(None, parts))


def printed(document: dict[str, Any], words: Words) -> Iterator[str]:
    """The lines of one document."""
    population = words.population[document["population"]]
    said = population == document["title"].lower()  # the title says it already
    who = " · ".join(filter(None, ("" if said else population, document["audience"])))
    version = f"v{document['version']}{', ' if who else ''}{who}"
    period = f"{document['period']} − {document['against']}" if "against" in document else document["period"]
    where = channel_text(document["channel"], words.lang) or words.all_channels
    yield f"{document['title']} ({version}) · {where} · {period}{simulated_text(document, document['title'], words.simulated)}"
    if "cells" in document:
        yield from aligned(words.cells, [_cell(row, document, words) for row in document["cells"]], 3)
    elif "against" in document:
        yield from _comparison(document, words)
    else:
        yield from _plain(document, words)
    for one in document.get("breaks", ()):
        yield f"  {words.breaks}: {one['at']:%Y-%m-%d} {words.named[one['kind']]} {one['note']}".rstrip()
    for marker in document["markers"]:
        yield f"  ! {marker}"
    yield ""


def _plain(document: dict[str, Any], words: Words) -> Iterator[str]:
    yield from aligned(words.columns, [_aspect(row, document["minimum_n"], words) for row in document["aspects"]], 1)
    for kind in sorted({row["kind"] for row in document["aspects"] if row["low_share"] is not None} & words.ends.keys()):
        yield f"  {words.ends[kind]}"
    if not document["closed"]:
        yield f"  {words.running}"
    if document["attained"]:
        yield f"  {words.attained.format(**document['attained'])}"
    for one in document["gaps"]:
        interval = interval_text("grade", one["low"], one["high"], words, signed=True)
        yield f"  {words.gap.format(title=one['title'], value=value_text('grade', one['value'], words, signed=True), interval=interval)}"
    for one in document["response"]:
        yield "  " + words.response.format(
            where=channel_text(one["channel"], words.lang) or words.all_channels, answered=number_text(one["answered"], words),
            invited=number_text(one["invited"], words), rate=share_text(one["rate"], words),
            interval=interval_text("yes-no", one["low"], one["high"], words),
        )  # fmt: skip


def _aspect(row: dict[str, Any], minimum_n: int, words: Words) -> list[str]:
    kind = row["kind"]
    shares = [share_text(row[name], words) if kind in words.ends else "" for name in ("low_share", "top_share")]
    faces = " ".join(share_text(share, words) for share in row["faces"])
    straddles = row["attainment"] == "too_few" and row["n"] >= minimum_n
    return [
        row["title"],
        number_text(row["n"], words),
        value_text(kind, row["value"], words),
        interval_text(kind, row["low"], row["high"], words),
        *shares,
        "" if row["target"] is None else value_text("grade", row["target"], words),
        words.straddles if straddles else words.attainment[row["attainment"]] or faces,
    ]


def _comparison(document: dict[str, Any], words: Words) -> Iterator[str]:
    rows = []
    for one in document["compared"]:
        kind, found = one["kind"], one["difference"] or {"value": None, "low": None, "high": None}
        rows.append(
            [
                one["title"],
                number_text(one["n"], words),
                value_text(kind, one["value"], words),
                number_text(one["n_before"], words),
                value_text(kind, one["before"], words),
                value_text(kind, found["value"], words, signed=True),
                interval_text(kind, found["low"], found["high"], words, signed=True),
                words.verdict[one["verdict"]],
            ]
        )
    if rows:
        yield from aligned(words.compared, rows, 1)
    else:
        yield f"  {words.crossed if document['breaks'] else words.missing.format(against=document['against'])}"


def _cell(row: dict[str, Any], document: dict[str, Any], words: Words) -> list[str]:
    head = [row["title"], channel_text(row["channel"], words.lang), row["cell"] or words.unknown]
    if row["withheld"]:
        return [*head, words.withheld.format(threshold=document["threshold"]), "", ""]
    interval = interval_text("grade", row["low"], row["high"], words)
    return [*head, number_text(row["n"], words), value_text("grade", row["value"], words), interval]
