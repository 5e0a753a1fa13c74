"""The words and the layout of `contactmeter measures` and `contactmeter open`, in Dutch and English."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.cli.asked import local_text, simulated_text
from pipeline.cli.table import aligned
from pipeline.numbers import number_text, share_text
from pipeline.store.measures import Row
from schemas.words import channel_text

MOST = 20
"""Rows of a split that are shown; --json has all."""


@dataclass(frozen=True)
class Words:
    """What is said in one language. Lines with fields are filled in by `printed`."""

    lang: str
    simulated: str
    all_channels: str
    unknown: str
    more: str
    nothing: str
    periods: dict[str, str]
    dimensions: dict[str, str]
    reach: tuple[str, ...]
    handling: tuple[str, ...]
    open: tuple[str, ...]
    open_legend: str
    repeat_legend: str
    ways: dict[str, str]
    ways_out: str
    expected: str
    products: str
    inhabitants: str
    norm: str
    met: tuple[str, str]
    roles: dict[str, str]
    sections: dict[str, str]
    listed: tuple[str, ...]
    confidential: str


WORDS = {
    "nl": Words(
        lang="nl",
        simulated="GESIMULEERD",
        all_channels="alle kanalen",
        unknown="(onbekend)",
        more="… en nog {} regels: --json",
        nothing="In deze periode is er niets gebeurd, en er staat niets open.",
        periods={"1h": "het laatste uur", "24h": "de laatste 24 uur", "7d": "de laatste 7 dagen", "28d": "de laatste 28 dagen",
                 "quarter": "dit kwartaal tot nu toe"},
        dimensions={"": "kanaal", "via": "via", "product": "product", "team": "team", "location": "locatie"},
        reach=("contacten", "beantw.", "wacht", "mediaan", "90 %", "opgegeven", "anders weg"),
        handling=("gesloten", "duur", "90 %", "doorverb.", "in één keer", "kwam terug", "teruggebeld"),
        open=("open", "wacht", "vandaag", "te laat", "ligt stil", "te oud", "terugbellen", "te laat", "dagen stil"),
        open_legend="nu; vandaag: de termijn eindigt vandaag; te oud: langer open dan kan; dagen stil: sinds het laatste bericht (mediaan)",
        repeat_legend="duur: mediaan; kwam terug: zelfde persoon en product binnen {days} dagen, als dat zeker is ({provisional} nog niet)",
        ways={"answered": "beantwoord", "abandoned": "opgegeven", "voicemail": "voicemail", "timeout": "te lang", "empty": "wachtrij leeg",
              "key": "keuzetoets", "withdrawn": "weggehaald"},
        ways_out="uit de wachtrij",
        expected="vandaag {where}: {so_far} tot nu toe (gewoonlijk {usual}), nog verwacht {expected} ({low} – {high})",
        products="meeste contacten",
        inhabitants="per 1.000 inwoners in {quarter}: {value}",
        norm="norm {norm}, {where}, {period}: gemiddeld {mean}, langste {longest}, grens {limit} (n = {n}) {met}",
        met=("✗ niet gehaald", "✓ gehaald"),
        roles={"enriches": "vullen een ander contact aan", "unlinked": "niet gekoppeld", "unknown": "kanaal onbekend",
               "withdrawn": "teruggetrokken", "mailbox": "alleen door anderen genoemd"},
        sections={"overdue": "te laat", "today": "wordt vandaag te laat", "callbacks": "terugbellen", "waiting": "wacht"},
        listed=("contact", "kanaal", "team", "product", "geopend", "uiterlijk", "norm", ""),
        confidential="{} vertrouwelijke contacten zijn alleen geteld",
    ),
    "en": Words(
        lang="en",
        simulated="SIMULATED",
        all_channels="all channels",
        unknown="(unknown)",
        more="… and {} more rows: --json",
        nothing="Nothing happened in this period, and nothing is open.",
        periods={"1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days", "28d": "the last 28 days",
                 "quarter": "this quarter so far"},
        dimensions={"": "channel", "via": "via", "product": "product", "team": "team", "location": "location"},
        reach=("contacts", "answered", "wait", "median", "90 %", "abandoned", "left else"),
        handling=("closed", "took", "90 %", "transf.", "at once", "came again", "called back"),
        open=("open", "waiting", "today", "overdue", "suspended", "stale", "call back", "overdue", "days silent"),
        open_legend="now; today: the deadline is today; stale: open longer than can be; days silent: since the last word (median)",
        repeat_legend="took: median; came again: same person and product within {days} days, where that is certain ({provisional} not yet)",
        ways={"answered": "answered", "abandoned": "abandoned", "voicemail": "voicemail", "timeout": "timed out", "empty": "queue empty",
              "key": "by key", "withdrawn": "withdrawn"},
        ways_out="out of the queue",
        expected="today {where}: {so_far} so far (usually {usual}), still expected {expected} ({low} – {high})",
        products="most contacts",
        inhabitants="per 1,000 inhabitants in {quarter}: {value}",
        norm="norm {norm}, {where}, {period}: mean {mean}, longest {longest}, limit {limit} (n = {n}) {met}",
        met=("✗ not met", "✓ met"),
        roles={"enriches": "add to another contact", "unlinked": "not linked", "unknown": "channel unknown", "withdrawn": "withdrawn",
               "mailbox": "only named by others"},
        sections={"overdue": "overdue", "today": "overdue later today", "callbacks": "to call back", "waiting": "waiting"},
        listed=("contact", "channel", "team", "product", "opened", "due", "norm", ""),
        confidential="{} confidential contacts are counted only",
    ),
}  # fmt: skip


def time_text(value: float | None) -> str:
    """Seconds as 0:35, 12:05, 5:04:10 or 3d 04:05."""
    if value is None:
        return "–"
    seconds = round(value)
    if seconds >= 86_400:
        return f"{seconds // 86_400}d {seconds % 86_400 // 3600:02}:{seconds % 3600 // 60:02}"
    minutes = f"{seconds % 3600 // 60:02}" if seconds >= 3600 else f"{seconds // 60}"
    return f"{seconds // 3600}:{minutes}:{seconds % 60:02}" if seconds >= 3600 else f"{minutes}:{seconds % 60:02}"


def heading(document: dict[str, Any], settings: dict[str, Any], words: Words, what: str) -> str:
    """The line above everything: whose figures, of which period, simulated or not."""
    title = str(settings[f"title_{words.lang}"])
    where, at = named(document["channel"], words), local_text(document["at"], settings)
    return f"{title} · {what} · {where} · {at}{simulated_text(document, title, words.simulated)}"


def named(channel: str, words: Words) -> str:
    """A channel as people read it; "" is all."""
    return channel_text(channel, words.lang) or words.all_channels


def printed(document: dict[str, Any], settings: dict[str, Any], words: Words) -> Iterator[str]:
    """The lines of `contactmeter measures`."""
    yield heading(document, settings, words, words.periods[document["period"]])
    if not document["measures"] and not document["open"]:
        yield f"  {words.nothing}"
    by, again = document["by"], {(row["channel"], row["cell"]): row for row in document["repeats"]}
    yield from _table(document["measures"], by, words.reach, words, lambda row: _reach(row, words))
    handling = [{**row, "again": again.get((row["channel"], row["cell"]), {})} for row in document["measures"]]
    yield from _table(handling, by, words.handling, words, lambda row: _handling(row, words))
    if document["repeats"]:
        total = sum(row["provisional"] for row in document["repeats"] if by or row["channel"] == document["channel"])
        yield f"  {words.repeat_legend.format(days=document['repeat_days'], provisional=number_text(total, words))}"
    yield from _table(document["open"], by, words.open, words, lambda row: _open(row, words))
    if document["open"]:
        yield f"  {words.open_legend}"
    yield from _beside(document, words)


def _table(rows: Sequence[Row], by: str, titles: Sequence[str], words: Words, cells: Callable[[Row], list[str]]) -> Iterator[str]:
    if not rows:
        return
    names = [row["cell"] or words.unknown if by else named(row["channel"], words) for row in rows]
    lines = [[name, *cells(row), ""] for name, row in zip(names, rows, strict=True)]
    yield ""
    yield from aligned((words.dimensions[by], *titles, ""), lines[:MOST], 1)
    if len(lines) > MOST:
        yield f"  {words.more.format(len(lines) - MOST)}"


def _reach(row: Row, words: Words) -> list[str]:
    return [
        number_text(row["contacts"], words), number_text(row["answered"], words), time_text(row["wait_mean"]),
        time_text(row["wait_median"]), time_text(row["wait_p90"]), share_text(row["abandonment"], words),
        number_text(row["left_otherwise"], words),
    ]  # fmt: skip


def _handling(row: Row, words: Words) -> list[str]:
    resolved = row["again"].get("resolved_share")
    return [
        number_text(row["closed"], words), time_text(row["handling_median"]), time_text(row["handling_p90"]),
        share_text(row["transferred_share"], words), share_text(row["first_contact_share"], words),
        share_text(None if resolved is None else 1 - resolved, words),
        f"{number_text(row['callbacks_kept'], words)}/{number_text(row['callbacks_promised'], words)}",
    ]  # fmt: skip


def _open(row: Row, words: Words) -> list[str]:
    names = ("open", "waiting", "late_today", "overdue", "suspended", "stale", "callbacks_to_do", "callbacks_overdue", "silent_days_median")
    return [number_text(row[name], words) for name in names]


def _beside(document: dict[str, Any], words: Words) -> Iterator[str]:
    """What stands under the tables: a line each."""
    yield ""
    ways = [row for row in document["ways_out"] if row["channel"] == document["channel"]]
    if ways:
        yield f"  {words.ways_out}: " + ", ".join(
            f"{words.ways.get(row['way'], row['way'])} {number_text(row['contacts'], words)}" for row in ways
        )
    if document["products"]:
        yield f"  {words.products}: " + ", ".join(f"{row['product']} {number_text(row['contacts'], words)}" for row in document["products"])
    for row in document["expected"]:
        if row["expected"] is not None:
            yield "  " + words.expected.format(
                where=named(row["channel"], words), so_far=number_text(row["so_far"], words),
                usual=number_text(row["usual_so_far"], words), expected=number_text(row["expected"], words),
                low=number_text(row["expected_low"], words), high=number_text(row["expected_high"], words),
            )  # fmt: skip
    for row in document["norms"]:
        if row["channel"]:
            yield "  " + words.norm.format(
                norm=row["norm"], where=named(row["channel"], words), period=row["period"], mean=time_text(row["mean"]),
                longest=time_text(row["longest"]), limit=time_text(row["limit"]), n=number_text(row["n"], words), met=words.met[row["met"]],
            )  # fmt: skip
    for row in sorted(document["inhabitants"], key=lambda row: row["quarter"])[-1:]:
        if row["per_thousand"] is not None:
            yield f"  {words.inhabitants.format(quarter=row['quarter'], value=number_text(row['per_thousand'], words, 1))}"
    for row in sorted(document["roles"], key=lambda row: (row["system"], row["role"], row["channel"])):
        where = f"{row['system']} {channel_text(row['channel'], words.lang)}".strip()
        yield f"  {where}: {number_text(row['contacts'], words)} {words.roles[row['role']]}"
