"""`contactmeter satisfaction`: grades by aspect, against their targets, an earlier quarter or wave, or by team."""

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import typer

from pipeline.cli import endpoints
from pipeline.cli.asked import open_views, organisation_of
from pipeline.cli.satisfaction_words import WORDS, Words, marker_text, printed
from pipeline.comparisons import Break, Compared, Series, breaks_between, verdicts, why_not
from pipeline.satisfaction import Period, days_period, difference, gap, has_ends, quarter_period, told
from pipeline.store.satisfaction import Aspect, Cell, SatisfactionViews, Score, Wave
from schemas.errors import InvalidConfiguration

DIMENSIONS = ("team", "product", "location", "segment")


def register(app: typer.Typer) -> None:
    """Add the command of this module to the program."""
    app.command()(satisfaction)


def satisfaction(
    organisation: Annotated[str, typer.Argument(help="Its slug. Default: the only one there is.")] = "",
    instrument: Annotated[str, typer.Option(help="Only this questionnaire.")] = "",
    channel: Annotated[str, typer.Option("--channel", "-c", help="Only this channel. Default: all together.")] = "",
    quarter: Annotated[str, typer.Option(help="A calendar quarter: 2026-Q3. Default: the last one with answers.")] = "",
    wave: Annotated[str, typer.Option(help="A wave of the organisation's file instead of a quarter.")] = "",
    against: Annotated[str, typer.Option(help="Compare with this quarter or wave.")] = "",
    by: Annotated[str, typer.Option(help="Break a closed quarter down by team, product, location or segment.")] = "",
    lang: Annotated[str, typer.Option(help="nl or en.")] = "nl",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Grades by aspect with n, 95 % interval, target and verdict; of whole blocks of answers only, so that nobody's answer shows.

    With --against: whether each aspect became demonstrably higher or lower. Never across a change of questionnaire or organisation.
    """
    with open_views() as views:
        _check(quarter, wave, by, lang, against)
        name, settings = organisation_of(views, organisation)
        with closing(SatisfactionViews(endpoints.connection(endpoints.settings()))) as found:
            report = _Report(found, name, settings, WORDS[lang], channel)
            documents = report.documents(instrument, quarter, wave, against, by)
    if as_json:
        typer.echo(json.dumps(documents, indent=1, ensure_ascii=False, default=str))
        return
    for document in documents:
        for line in printed(document, WORDS[lang]):
            typer.echo(line)
    if not documents:
        typer.echo(WORDS[lang].nothing)


def _check(quarter: str, wave: str, by: str, lang: str, against: str) -> None:
    if lang not in WORDS:
        raise InvalidConfiguration(f"--lang {lang!r}: write nl or en")
    if quarter and wave:
        raise InvalidConfiguration("say either --quarter or --wave")
    if by and by not in DIMENSIONS:
        raise InvalidConfiguration(f"--by {by!r} is none of {', '.join(DIMENSIONS)}")
    if by and (wave or against):
        raise InvalidConfiguration("--by breaks down one quarter: leave out --wave and --against")


class _Key(NamedTuple):
    instrument: str
    version: int


class _Report:
    """Documents, one a version of a questionnaire: plain dictionaries, for people and programs alike."""

    def __init__(self, views: SatisfactionViews, name: str, settings: dict[str, Any], words: Words, channel: str) -> None:
        self._views, self._name, self._settings, self._words, self._channel = views, name, settings, words, channel
        self._zone = str(settings["zone"])
        self._aspects: dict[tuple[str, int, str], Aspect] = {(one.instrument, one.version, one.aspect): one for one in views.aspects(name)}
        self._waves = {one.wave: one for one in views.waves(name)}

    def documents(self, instrument: str, quarter: str, wave: str, against: str, by: str) -> list[dict[str, Any]]:
        """What was asked for. Raises InvalidConfiguration for a questionnaire, quarter or wave that there is not."""
        known = sorted({one.instrument for one in self._aspects.values()})
        if instrument and instrument not in known:
            raise InvalidConfiguration(f"{self._name} has no questionnaire {instrument!r}; known: {', '.join(known)}")
        scores = [
            one
            for one in self._views.scores(self._name, datetime.now(UTC), "wave" if wave else "quarter")
            if one.channel == self._channel and instrument in ("", one.instrument)
        ]
        name = wave or quarter or max((one.period for one in scores), default="")
        if not name:
            return []
        period = self._period(name, bool(wave))
        if by:
            return self._breakdown(period, by, instrument)
        if against:
            return self._comparison(scores, period, self._period(against, bool(wave)))
        return [self._plain(key, group, period) for key, group in _grouped(one for one in scores if one.period == name)]

    def _period(self, name: str, is_wave: bool) -> Period:
        if is_wave:
            wave = self._waves.get(name)
            if wave is None:
                raise InvalidConfiguration(f"{self._name} has no wave {name!r}; known: {', '.join(self._waves) or 'none'}")
            return days_period(name, wave.start, wave.end, self._zone)
        try:
            return quarter_period(name, self._zone)
        except ValueError as error:
            raise InvalidConfiguration(str(error)) from None

    def _head(self, key: _Key, period: str) -> dict[str, Any]:
        aspect = next(one for (name, version, _), one in self._aspects.items() if (name, version) == key)
        title = aspect.title_nl if self._words.lang == "nl" else aspect.title_en
        return {
            "organisation": self._name,
            "simulated": bool(self._settings["simulated"]),
            "instrument": key.instrument,
            "version": key.version,
            "title": title,
            "population": aspect.population,
            "audience": aspect.audience,
            "channel": self._channel,
            "period": period,
        }

    def _aspect_title(self, key: _Key, aspect: str) -> str:
        one = self._aspects.get((*key, aspect))
        return aspect if one is None else one.aspect_nl if self._words.lang == "nl" else one.aspect_en

    def _plain(self, key: _Key, scores: Sequence[Score], period: Period) -> dict[str, Any]:
        wave: Wave | None = self._waves.get(period.name)
        rows = []
        for one in scores:
            figure = told(one.kind, one.sums, one.low_n, one.high_n, wave.size if wave and not self._channel else None)
            aspect = self._aspects.get((*key, one.aspect))
            ends = aspect is not None and has_ends(one.kind, aspect.minimum, aspect.maximum)
            rows.append(
                {
                    "aspect": one.aspect,
                    "title": self._aspect_title(key, one.aspect),
                    "kind": one.kind,
                    "n": one.n,
                    "value": figure.value,
                    "low": figure.low,
                    "high": figure.high,
                    "low_share": one.low_n / one.n if ends else None,
                    "top_share": one.high_n / one.n if ends else None,
                    "faces": list(one.faces),
                    "target": one.target,
                    "attainment": one.attainment,
                }
            )
        attained = [
            one
            for one in self._views.attained(self._name, datetime.now(UTC), "wave" if wave else "quarter")
            if (one.instrument, one.version, one.channel, one.period) == (*key, self._channel, period.name)
        ]
        return {
            **self._head(key, period.name),
            "minimum_n": int(self._settings["minimum_n"]),
            "closed": all(one.closed for one in scores),
            "aspects": rows,
            "attained": attained[0]._asdict() if attained and attained[0].aspects else None,
            "gaps": self._gaps(key, scores),
            "response": self._response(key, period, wave is not None),
            "breaks": self._breaks(key, period, period),
            "markers": self._markers(period),
        }

    def _gaps(self, key: _Key, scores: Sequence[Score]) -> list[dict[str, Any]]:
        by_aspect = {one.aspect: one for one in scores}
        found = []
        for expected in scores:
            experienced = (
                by_aspect.get(self._aspects[(*key, expected.aspect)].expects) if (*key, expected.aspect) in self._aspects else None
            )
            between = None if experienced is None else gap(expected.sums, experienced.sums)
            if experienced is not None and between is not None:
                found.append({"title": self._aspect_title(key, experienced.aspect), **between._asdict()})
        return found

    def _response(self, key: _Key, period: Period, is_wave: bool) -> list[dict[str, Any]]:
        return [
            one._asdict()
            for one in self._views.response(self._name, datetime.now(UTC))
            if (one.instrument, one.version, one.wave if is_wave else one.quarter) == (*key, period.name)
            and self._channel in ("", one.channel)
        ]

    def _breaks(self, key: _Key, earlier: Period, later: Period) -> list[dict[str, Any]]:
        breaks = [Break(one.at, one.kind, one.instrument, one.channel, one.note) for one in self._views.breaks(self._name)]
        return [one._asdict() for one in breaks_between(breaks, earlier.start, later.end, key.instrument, self._channel)]

    def _markers(self, period: Period) -> list[str]:
        found = self._views.markers(self._name, period.start, period.end)
        return [marker_text(one, self._settings, self._words) for one in found if one.concerns(self._channel)]

    def _comparison(self, scores: Sequence[Score], one: Period, other: Period) -> list[dict[str, Any]]:
        earlier, later = sorted((one, other), key=lambda period: period.start)
        if earlier.name == later.name:
            raise InvalidConfiguration(f"--against {other.name}: that is what it is compared with; name another")
        before = {(score.instrument, score.version, score.aspect): score for score in scores if score.period == earlier.name}
        documents = []
        for key, group in _grouped(score for score in scores if score.period == later.name):
            crossed = self._breaks(key, earlier, later)
            pairs = [(before[(*key, score.aspect)], score) for score in group if (*key, score.aspect) in before]
            pairs = [pair for pair in pairs if not crossed and not why_not(_series(pair[0]), _series(pair[1]))]
            found = verdicts([difference(b.kind, (b.sums, b.low_n, b.high_n), (a.sums, a.low_n, a.high_n)) for b, a in pairs])
            documents.append(
                {
                    **self._head(key, later.name),
                    "against": earlier.name,
                    "breaks": crossed,
                    "markers": self._markers(later),
                    "compared": [self._pair(key, *pair, compared) for pair, compared in zip(pairs, found, strict=True)],
                }
            )
        return documents

    def _pair(self, key: _Key, before: Score, after: Score, compared: Compared) -> dict[str, Any]:
        was, now = (told(one.kind, one.sums, one.low_n, one.high_n) for one in (before, after))
        return {
            "aspect": after.aspect,
            "title": self._aspect_title(key, after.aspect),
            "kind": after.kind,
            "n": after.n,
            "value": now.value,
            "n_before": before.n,
            "before": was.value,
            "difference": compared.difference and compared.difference._asdict(),
            "verdict": compared.verdict,
        }

    def _breakdown(self, period: Period, dimension: str, instrument: str) -> list[dict[str, Any]]:
        cells = [
            one
            for one in self._views.cells(self._name, period.name, dimension)
            if self._channel in ("", one.channel) and instrument in ("", one.instrument)
        ]
        return [
            {
                **self._head(key, period.name),
                "by": dimension,
                "threshold": int(self._settings["small_cell"]),
                "cells": [self._cell(key, cell) for cell in sorted(group, key=lambda cell: (cell.aspect, cell.channel, cell.cell))],
                "markers": self._markers(period),
            }
            for key, group in _grouped(cells)
        ]

    def _cell(self, key: _Key, cell: Cell) -> dict[str, Any]:
        head = {"title": self._aspect_title(key, cell.aspect), "channel": cell.channel, "cell": cell.cell, "withheld": cell.withheld}
        if cell.n is None or cell.total is None or cell.squares is None:
            return head
        return head | {"n": cell.n, **told("grade", (cell.n, cell.total, cell.squares), 0, 0)._asdict()}


def _grouped(rows: Iterable[Any]) -> list[tuple[_Key, list[Any]]]:
    groups: dict[_Key, list[Any]] = {}
    for row in rows:
        groups.setdefault(_Key(row.instrument, row.version), []).append(row)
    return list(groups.items())


def _series(score: Score) -> Series:
    return Series(score.instrument, score.version, score.aspect, score.kind, score.population, score.audience)
