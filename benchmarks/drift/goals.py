"""The goals of docs/DRIFT.md, and whether these scores meet them."""

from collections.abc import Mapping, Sequence
from math import isfinite

from benchmarks.drift.effects import EFFECTS, KINDS, NONE, Kind
from benchmarks.drift.hours import THIRDS
from benchmarks.drift.scorer import Score, quantile, rate
from benchmarks.drift.suite import NOISY, USUAL, Cell
from benchmarks.results import Result

Scores = Mapping[Cell, Sequence[Score]]

ENOUGH: dict[Kind, float] = {"grade": 10, "compliance": 30, "time": 30, "volume": 30}
"""Answers, or contacts, a day from which delays are promised: half a grade needs some 200 answers, ten points some 400 calls."""
ENOUGH_AN_HOUR = 10.0
"""Contacts usual in the hour in which an outage begins, from which it is to be seen within the hour."""


def chosen(scores: Scores, kind: Kind, name: str, least: float, thirds: Sequence[str] = tuple(THIRDS)) -> list[Score]:
    """The scores of an effect in these thirds at the usual noise, of streams to which at least that much is usual."""
    return [
        score
        for cell, found in scores.items()
        if (cell.kind, cell.effect.name, cell.noise) == (kind, name, USUAL) and cell.third in thirds
        for score in found
        if score.usual >= least
    ]


def enough(kind: Kind, name: str) -> float:
    """From how much a day, an outage an hour, this effect is promised to be found in time."""
    return ENOUGH_AN_HOUR if name == "outage" else ENOUGH[kind]


def quiet(scores: Scores, kind: Kind, third: str, noise: float) -> list[Score]:
    """The scores of the years in which nothing happens."""
    cells = (cell for cell in scores if cell.effect is NONE and (cell.kind, cell.third, cell.noise) == (kind, third, noise))
    return [score for cell in cells for score in scores[cell]]


def of_channel(scores: Scores, third: str, noise: float) -> float:
    """False alarms per channel and quarter: those of the kinds that were run, added up."""
    return sum(rate(found).value for kind in KINDS if (found := quiet(scores, kind, third, noise)))


def goals(scores: Scores) -> list[Result]:
    """Every goal that these scores can tell of, with its verdict."""
    return [*_false_alarms(scores), *_delays(scores), *_ends(scores), *_undisturbed(scores)]


def _most(name: str, value: float, unit: str, target: float, aim: float | None = None, note: str = "") -> Result:
    return Result(name, (value,), unit, target, aim, "lower", note)


def _false_alarms(scores: Scores) -> list[Result]:
    results, worst = [], []
    for kind in KINDS:
        for third in THIRDS:
            if found := quiet(scores, kind, third, USUAL):
                here, name = rate(found), f"false alarms, {kind}, {third} a day"
                note = f"95 % interval {here.low:.2f} – {here.high:.2f}; {here.alarms} in {here.quarters / 4:.0f} stream-years"
                results.append(_most(name, here.value, "a stream-quarter", 0.25, note=note))
                worst.append((here.worst, f"{kind}, {third} a day"))
    if worst:
        results.append(_most("false alarms of the worst stream", max(worst)[0], "a quarter", 2.0, 1.0, max(worst)[1]))
    if all(quiet(scores, kind, third, NOISY) for kind in KINDS for third in THIRDS):
        for third in THIRDS:
            name = f"false alarms, noise x{NOISY:g}, {third} a day"
            results.append(_most(name, of_channel(scores, third, NOISY), "a channel-quarter", 1.0))
    return results


_DELAYS: tuple[tuple[Kind, str, float, tuple[float, float | None], tuple[float, float | None] | None], ...] = (
    ("grade", "-0.5 grade", 0.9, (137, 115), None),
    ("grade", "-1.0 grade", 0.9, (66, 55), (141, 120)),
    ("compliance", "-10 points", 0.9, (86, 70), (238, 200)),
    ("compliance", "outage", 1.0, (1, None), (2, None)),
    ("volume", "outage", 1.0, (1, None), (2, None)),
)
"""Kind, effect, share to be found, and median and p90 (target, aim) in hours; of an outage in open hours."""


def _delays(scores: Scores) -> list[Result]:
    results = []
    for kind, name, share, middle, long in _DELAYS:
        found = chosen(scores, kind, name, enough(kind, name))
        if not found:
            continue
        title = f"{kind}: {name}"
        hours = [one.found_open if name == "outage" else one.found for one in found]
        delays = [hour for hour in hours if hour is not None]
        within = sum(map(isfinite, delays)) / len(delays)
        results.append(Result(f"{title}, found", (100 * within,), "%", 100 * share))
        best = [one.ideal for one in found if one.ideal is not None]
        at_best = f", at best {quantile(best, 0.5):.0f} h" if best else ""
        note = f"{len(delays)} streams of ≥ {enough(kind, name):.0f} {'an hour' if name == 'outage' else 'a day'}{at_best}"
        results.append(_most(f"{title}, median", quantile(delays, 0.5), "h", *middle, note=note))
        if long is not None:
            note = f"at best {quantile(best, 0.9):.0f} h" if best else ""
            results.append(_most(f"{title}, p90", quantile(delays, 0.9), "h", *long, note=note))
    return results


def _pooled(scores: Scores, shape: str) -> list[Score]:
    effects = [(kind, effect.name) for kind in KINDS for effect in EFFECTS[kind] if effect.shape == shape]
    return [score for kind, name in effects for score in chosen(scores, kind, name, ENOUGH[kind])]


def _ends(scores: Scores) -> list[Result]:
    pooled = _pooled(scores, "recovery")
    over = [one.over for one in pooled if one.over is not None]
    premature = [one.premature for one in pooled if one.premature is not None]
    if not over or not premature:
        return []
    return [
        _most("over, median after the recovery", quantile(over, 0.5), "h", 111, 80, f"{len(over)} alarms that stood then"),
        _most("over while the change lasts", 100 * sum(premature) / len(premature), "%", 8, note=f"of {len(premature)} alarms"),
    ]


def _undisturbed(scores: Scores) -> list[Result]:
    results = []
    for kind in KINDS:
        for effect in EFFECTS[kind]:
            found = [one.disturbed for one in chosen(scores, kind, effect.name, 0) if one.disturbed is not None]
            if effect.shape in ("announced", "surge") and found:
                note = f"{sum(found)} of {len(found)}"
                results.append(_most(f"{kind}: alarms after {effect.name}", 100 * sum(found) / len(found), "%", 5, note=note))
    return results
