"""The tables: false alarms, delays, ends, our detector beside its peers, and the goals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from operator import itemgetter

from benchmarks.drift.effects import EFFECTS, KINDS, Effect, Kind
from benchmarks.drift.goals import ENOUGH, Scores, chosen, enough, of_channel, quiet
from benchmarks.drift.hours import THIRDS
from benchmarks.drift.scorer import Rate, Score, quantile, rate
from benchmarks.drift.suite import USUAL
from benchmarks.results import HEADINGS, Result


@dataclass(frozen=True, slots=True)
class Table:
    """A title, headings and as many cells in each row, and what a reader must know of it."""

    title: str
    about: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """For a terminal."""
        rows = [self.headings, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.headings))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([self.title, self.about, "", lines[0], "  ".join("-" * width for width in widths), *lines[1:], ""])

    def markdown(self) -> str:
        """For a page."""
        rows = [self.headings, ("---",) * len(self.headings), *self.rows]
        return "\n".join([f"### {self.title}", "", self.about, "", *(f"| {' | '.join(row)} |" for row in rows), ""])


def false_alarms(scores: Scores) -> Table:
    """Per kind and third, at the usual noise and at more."""
    noises = sorted({cell.noise for cell in scores})
    kinds = [kind for kind in KINDS if any(cell.kind == kind for cell in scores)]
    rows = []
    for kind in kinds:
        for third in THIRDS:
            rates = [rate(quiet(scores, kind, third, noise)) for noise in noises]
            rows.append((kind, third, f"{rates[0].quarters / 4:.0f}", *(cell for one in rates for cell in _rate(one))))
    if kinds == list(KINDS):
        for third in THIRDS:
            added = [cell for noise in noises for cell in (f"{of_channel(scores, third, noise):.2f}", "", "")]
            rows.append(("all four: a channel", third, "", *added))
    headings = [heading for noise in noises for heading in (f"noise x{noise:g}", "worst stream", "most in a quarter")]
    about = "Alarms a stream-quarter in years without change, with the 95 % interval (Poisson's, widened where streams differ)."
    return Table("False alarms", about, ("stream", "contacts a day", "stream-years", *headings), tuple(rows))


def _rate(found: Rate) -> tuple[str, str, str]:
    return f"{found.value:.2f} ({found.low:.2f} – {found.high:.2f})", f"{found.worst:.2f}", str(found.most)


def delays(scores: Scores) -> Table:
    """Per effect and third: how many were found, and how soon."""
    rows = []
    for kind, name, places in _places(scores, ("step", "ramp", "outage")):
        for place, found in filter(itemgetter(1), places):
            hours = [one.found for one in found if one.found is not None]
            opened = [one.found_open for one in found if one.found_open is not None]
            share = f"{100 * sum(map(isfinite, hours)) / len(hours):.0f} %"
            best = [one.ideal for one in found if one.ideal is not None]
            needed = quantile([one.needed for one in found if one.needed is not None], 0.5)
            rows.append(
                (
                    kind,
                    name,
                    place,
                    str(len(hours)),
                    share,
                    *_hours(hours),
                    *_hours(opened),
                    _figure(needed),
                    *(_hours(best) if best else ("", "")),
                )
            )
    about = (
        "Hours from the change (of a ramp: from its begin) to the end of the hour that raised the alarm; what was not found within 28 days"
        " (an outage: while it lasted) counts as never. *n*: answers or contacts until then. *At best*: of a detector that knows the true"
        " spreads and the change itself (Lorden's bound)."
        " *Enough*: the streams whose delay is promised, "
        + ", ".join(f"{kind} ≥ {least:.0f}" for kind, least in ENOUGH.items())
        + " a day; for an outage ≥ 10 in an hour."
    )
    headings = (
        "stream",
        "change",
        "contacts a day",
        "worlds",
        "found",
        "median h",
        "p90 h",
        "median open h",
        "p90 open h",
        "median n",
        "at best: median h",
        "p90 h",
    )
    return Table("Delays", about, headings, tuple(rows))


def ends(scores: Scores) -> Table:
    """Per effect that is undone: how soon "over" comes, and how often too soon."""
    rows = []
    for kind, name, places in _places(scores, ("recovery",)):
        for place, found in filter(itemgetter(1), places):
            alarms = [one.premature for one in found if one.premature is not None]
            over = [one.over for one in found if one.over is not None]
            early = f"{100 * sum(alarms) / len(alarms):.0f} %" if alarms else ""
            rows.append((kind, name, place, str(len(alarms)), early, *(_hours(over) if over else ("", ""))))
    about = (
        "Of the alarms that a change raised: the share that ended while it lasted, and hours from the recovery to the end of the others."
    )
    return Table('"Over"', about, ("stream", "change", "contacts a day", "alarms", "too soon", "median h", "p90 h"), tuple(rows))


def undisturbed(scores: Scores) -> Table:
    """Per announced change and surge: how often an alarm followed."""
    rows = tuple(
        (kind, name, *(_disturbed(found) for _, found in places)) for kind, name, places in _places(scores, ("announced", "surge"))
    )
    about = "Worlds with an alarm on any side within 14 days of an announced change or of a surge (thrice the contacts, quality as before)."
    return Table("Announced changes and surges", about, ("stream", "change", *THIRDS, "enough"), rows)


def _disturbed(found: Sequence[Score]) -> str:
    return f"{100 * sum(one.disturbed is True for one in found) / len(found):.1f} % of {len(found)}" if found else ""


def _places(scores: Scores, shapes: Sequence[str]) -> list[tuple[Kind, str, list[tuple[str, list[Score]]]]]:
    """Each effect of these shapes that was run: its scores by third, and at last those of the streams with enough."""
    found = []
    for kind in KINDS:
        for effect in EFFECTS[kind]:
            if effect.shape in shapes and chosen(scores, kind, effect.name, 0):
                thirds = [(third, chosen(scores, kind, effect.name, 0, (third,))) for third in THIRDS]
                found.append((kind, effect.name, [*thirds, ("enough", chosen(scores, kind, effect.name, enough(kind, effect.name)))]))
    return found


def _hours(values: Sequence[float]) -> tuple[str, str]:
    return _figure(quantile(values, 0.5)), _figure(quantile(values, 0.9))


def _figure(value: float) -> str:
    return f"{value:,.0f}" if isfinite(value) else "never"


def beside(detectors: Mapping[str, Scores]) -> Table:
    """What was measured of each detector on the same worlds, in a few figures."""
    rows = [
        (f"false alarms a channel-quarter, {third} a day", *(f"{of_channel(scores, third, USUAL):.2f}" for scores in detectors.values()))
        for third in THIRDS
    ]
    for kind in KINDS:
        for effect in EFFECTS[kind]:
            cells = [_short(effect, chosen(scores, kind, effect.name, enough(kind, effect.name))) for scores in detectors.values()]
            if any(cells):
                rows.append((f"{kind}: {effect.name}", *cells))
    about = (
        "The same worlds for all. A change: how many were found, and the median delay in hours (an outage: open hours); recovered: how many"
        ' alarms ended too soon, and the median of "over"; announced and surge: how many alarms. Streams with enough only.'
        " A detector that always alarms finds everything: read the first three lines first."
    )
    return Table("Beside its peers", about, ("", *detectors), tuple(rows))


def _short(effect: Effect, found: Sequence[Score]) -> str:
    if not found or effect.shape in ("announced", "surge"):
        return _disturbed(found)
    delays = [one.found_open if effect.shape == "outage" else one.found for one in found]
    hours = [hour for hour in delays if hour is not None]
    if effect.shape != "recovery":
        return f"{100 * sum(map(isfinite, hours)) / len(hours):.0f} %, {_figure(quantile(hours, 0.5))} h"
    alarms = [one.premature for one in found if one.premature is not None]
    over = [one.over for one in found if one.over is not None]
    return f"{100 * sum(alarms) / len(alarms):.0f} %, {_figure(quantile(over, 0.5))} h" if alarms else "never found"


def verdicts(results: Sequence[Result]) -> Table:
    """The goals, and whether they are met."""
    rows = tuple((*(cell for at, cell in enumerate(result.cells()) if at != 2), result.note) for result in results)
    return Table("Goals", "As docs/DRIFT.md sets them.", ("goal", "measured", *HEADINGS[3:], "of"), rows)
