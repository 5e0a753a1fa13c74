"""`contactmeter drift`: what is watched and what was found, what led to a signal, and what another budget would have told."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from pipeline.cli import endpoints
from pipeline.cli.drift_words import WORDS, found_lines, minute_text, outcome_lines, stream_lines
from pipeline.cli.measures import check
from pipeline.cli.speaking import in_force, moment
from pipeline.drift.backtest import DAY_MS, Alarm, Outcome, alarms_of, backtest
from pipeline.drift.look import READ_DAYS, SILENT_MS, Known
from pipeline.drift.picture import Picture, svg
from pipeline.drift.plot import plot
from pipeline.drift.signal import Signal
from pipeline.drift.status import Watch
from pipeline.drift.streams import HOUR_MS, budget_of
from pipeline.drift.telling import AFTER_DAYS, BEFORE_DAYS, Found, as_shown, found_again
from pipeline.drift.told import Told
from pipeline.drift.words import explanation, sentence
from pipeline.rules import calendar_of
from pipeline.store import configuration, drift_hours, drift_looks
from pipeline.store import drift as stored
from pipeline.store.client import Client
from schemas.errors import InvalidConfiguration
from schemas.organisation import Organisation
from schemas.words import Language

Slug = Annotated[str, typer.Argument(help="Its slug.")]
Lang = Annotated[str, typer.Option(help="nl or en.")]
Json = Annotated[bool, typer.Option("--json", help="For programs; times in epoch ms.")]
BUDGETS = (0.25, 0.5, 1.0, 2.0, 4.0)
MOST_BUDGET = 12.0
_NO_SIGNAL = "there is no signal {!r}; `contactmeter drift list ORGANISATION --all` shows all"
MOST_HOURS = 160
"""What lasts longer is drawn by days."""
ABOVE = 100.0
"""The test is drawn up to so many times its threshold: it grows without end while a change lasts."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    group = typer.Typer(help=__doc__, no_args_is_help=True)
    group.command("list")(list_streams)
    group.command()(explain)
    group.command("backtest")(run_backtest)
    app.add_typer(group, name="drift", help="What is watched for drift, what led to a signal, and what another budget would have told.")


def list_streams(
    organisation: Slug,
    everything: Annotated[bool, typer.Option("--all", help="Also signals that are over.")] = False,
    lang: Lang = "nl",
    as_json: Json = False,
) -> None:
    """Show how the watch over each stream stands, and the signals that last, the newest first."""
    with _asked(organisation, lang) as (client, configured, language):
        now = _now_ms()
        watches = [_standing(one, configured, now) for one in stored.watches(client, organisation)]
        last = [one.states[-1] for one in alarms_of(stored.signals(client, organisation))]
        shown = sorted((one for one in last if everything or one.state != "over"), key=lambda one: -one.at)
        if as_json:
            signals = [{**as_shown(one, configured.small_cell), "text": sentence(one, configured, language, now)} for one in shown]
            _echo({"organisation": organisation, "streams": [one._asdict() for one in watches], "signals": signals})
            return
        for line in stream_lines(watches, language, ZoneInfo(configured.zone)):
            typer.echo(line)
        typer.echo("\n" + WORDS[language]["signals" if shown else "none"])
        for one in shown:
            typer.echo(f"{one.id}  {sentence(one, configured, language, now)}")


def explain(
    signal: Annotated[str, typer.Argument(help="The id of a signal as `list` shows it, or its beginning.")],
    organisation: Annotated[str, typer.Option("--organisation", "-o", help="Its slug. Default: the one that has such a signal.")] = "",
    lang: Lang = "nl",
    picture: Annotated[Path | None, typer.Option(help="Also draw it, into this file (SVG).")] = None,
    as_json: Json = False,
) -> None:
    """Show what led to a signal: what is usual, the days against it, the test's path, and whether the same is found again."""
    with _asked(organisation, lang, signal) as (client, configured, language):
        now = _now_ms()
        signals = stored.signals(client, configured.organisation)
        states = named(signals, signal)
        found = _found(client, configured, signals, states, now)
        drawn = None if found is None else _picture(found, configured, language, now)
        if picture is not None and drawn is not None:
            _draw(picture, svg(drawn, language, ZoneInfo(configured.zone)))
        if as_json:
            _echo(_explained(found, states, configured, language, now))
            return
        for line in _lines(found, states, configured, language, now):
            typer.echo(line)
        if drawn is not None:
            typer.echo("\n" + plot(drawn, language, ZoneInfo(configured.zone)))


def run_backtest(
    since: Annotated[str, typer.Option("--from", help="The first day, local: 2025-01-01. Best with 12 weeks of data before it.")],
    organisation: Annotated[str, typer.Option("--organisation", "-o", help="Its slug. Default: the only one there is.")] = "",
    until: Annotated[str, typer.Option("--to", help="The end. Default: up to where the data go.")] = "",
    channel: Annotated[list[str] | None, typer.Option("--channel", "-c", help="Only this channel; may be repeated.")] = None,
    budget: Annotated[
        list[float] | None,
        typer.Option(help=f"False alarms a channel and quarter; may be repeated. Default {', '.join(f'{one:g}' for one in BUDGETS)}."),
    ] = None,
    lang: Lang = "nl",
    as_json: Json = False,
) -> None:
    """Replay stored history with several budgets: which alarms there would have been, and how often. Nothing is written or sent."""
    with _asked(organisation, lang) as (client, configured, language):
        budgets, channels = budget or BUDGETS, channel or []
        _check_choice(configured, budgets, channels)
        since_ms = moment(configured, "--from", since)
        ends = _ends(client, configured, min(_now_ms(), moment(configured, "--to", until)) if until else _now_ms())
        end = max(ends.values()) * HOUR_MS
        if since_ms >= end:
            at = minute_text(end, "en", ZoneInfo(configured.zone))
            raise InvalidConfiguration(f"--from {since} does not lie before {at}, where {'--to or ' if until else ''}the data end")
        history = _history(client, configured.organisation, since_ms, ends)
        outcomes = list(_announced(backtest(configured, history, since_ms, budgets, channels)))
    if as_json:
        _echo(_outcomes(outcomes, configured, language, since_ms, end))
        return
    words, zone = WORDS[language], ZoneInfo(configured.zone)
    typer.echo(words["period"].format(configured.organisation, *(minute_text(at, language, zone) for at in (since_ms, end))))
    for _, several in groupby(outcomes, key=lambda one: one.channel):
        typer.echo("")
        for line in outcome_lines(list(several), configured, budgets, language, end):
            typer.echo(line)
    if not outcomes:
        typer.echo(words["no_streams"])


@contextmanager
def _asked(organisation: str, lang: str, signal: str = "") -> Iterator[tuple[Client, Organisation, Language]]:
    """What each command needs: the store, the organisation in force, the language. Without a slug it is the one that is meant."""
    with endpoints.command("drift") as found, closing(endpoints.connection(found).open()) as client:
        check(lang)
        yield client, in_force(client, organisation or _meant(client, signal)), "en" if lang == "en" else "nl"


def _meant(client: Client, signal: str) -> str:
    """The only organisation, or the only one that has such a signal. Raises InvalidConfiguration when there is another number of them."""
    known = stored.owners(client, signal) if signal else sorted(configuration.in_force(client))
    if len(known) == 1:
        return known[0]
    if signal and not known:
        raise InvalidConfiguration(_NO_SIGNAL.format(signal))
    raise InvalidConfiguration(f"name one with --organisation: {', '.join(known)}" if known else "no organisation is in force")


def named(signals: Sequence[Signal], name: str) -> list[Signal]:
    """All states of the signal that is meant, by its id or the beginning of it. Raises InvalidConfiguration."""
    by_id = {one.states[0].id: list(one.states) for one in alarms_of(signals)}
    meant = [one for one in by_id if name and one.startswith(name)]
    if name in by_id:
        return by_id[name]
    if len(meant) > 1:
        raise InvalidConfiguration(f"{name!r} stands for several signals: {', '.join(sorted(meant))}; write more of it")
    if not meant:
        raise InvalidConfiguration(_NO_SIGNAL.format(name))
    return by_id[meant[0]]


def _standing(watch: Watch, organisation: Organisation, now_ms: int) -> Watch:
    """As of now: the look that wrote it may be old, and what it says no more than what was known then."""
    if watch.status not in ("watching", "drifting") or watch.until is None:
        return watch
    silence = calendar_of(organisation, watch.channel).open_ms_between(watch.until, now_ms)
    return watch._replace(status="unknown", since=watch.until) if silence > SILENT_MS else watch


# ── explain ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _found(client: Client, organisation: Organisation, signals: Sequence[Signal], states: Sequence[Signal], now_ms: int) -> Found | None:
    """Reads what the worker read when it found the signal, and up to now, and runs the watch again."""
    name, last = organisation.organisation, states[-1]
    end = now_ms if last.state != "over" else min(now_ms, last.at + (AFTER_DAYS + 1) * DAY_MS)
    ends = _ends(client, organisation, end)
    since = min(one.onset for one in states) - (READ_DAYS + BEFORE_DAYS) * DAY_MS
    known = drift_looks.known(client, name, since // HOUR_MS, max(ends.values()), now_ms)
    return found_again(organisation, replace(known, signals=signals, ends=ends), states, now_ms)


def _ends(client: Client, organisation: Organisation, end_ms: int) -> dict[str, int]:
    """The first hour of each channel of which not all is known, none after `end_ms`. Raises InvalidConfiguration when nothing is stored."""
    signs = drift_hours.signs_of_life(client, organisation.organisation)
    if signs is None:
        raise InvalidConfiguration(f"nothing is stored of {organisation.organisation} yet")
    return {channel: min(signs.of_channel(organisation, channel), end_ms) // HOUR_MS for channel in organisation.channels}


def _picture(found: Found, organisation: Organisation, language: Language, now_ms: int) -> Picture:
    last, most = found.states[-1], math.log(ABOVE * found.threshold)
    blocks = found.hours if len(found.hours) <= MOST_HOURS else found.days
    points = [one.point()._replace(fall=min(one.fall, most), rise=min(one.rise, most)) for one in blocks]
    return Picture(
        sentence(last, organisation, language, now_ms),
        Told.of(last, organisation, language, now_ms).measure(),
        last.kind,
        points,
        found.marks(),
        found.threshold,
    )


def _draw(path: Path, document: str) -> None:
    try:
        path.write_text(document, encoding="utf-8")
    except OSError as error:
        raise InvalidConfiguration(f"--picture {path} can't be written: {error.strerror}") from None


def _lines(found: Found | None, states: Sequence[Signal], organisation: Organisation, language: Language, now_ms: int) -> Iterator[str]:
    words, zone = WORDS[language], ZoneInfo(organisation.zone)
    yield explanation(states[-1], organisation, language, now_ms, found.learned if found else None)
    yield f"  {words['states']}"
    for one in states:
        yield f"    {minute_text(one.at, language, zone)}  {words[one.state]}: {sentence(one, organisation, language, now_ms)}"
    yield from [f"  {words['not_run']}"] if found is None else found_lines(found, organisation, language, now_ms)


def _explained(
    found: Found | None, states: Sequence[Signal], organisation: Organisation, language: Language, now_ms: int
) -> dict[str, Any]:
    small_cell = organisation.small_cell
    shown = [{**as_shown(one, small_cell), "text": sentence(one, organisation, language, now_ms)} for one in states]
    if found is None:
        return {"states": shown, "again": None}
    again = {"same": not found.differs, "states": [as_shown(one, small_cell) for one in found.differs], "from_day": found.checkpoint}
    blocks = {"days": [one._asdict() for one in found.days], "path": [one._asdict() for one in found.hours]}
    return {"states": shown, "again": again, "threshold": found.threshold, "usual": found.usual._asdict(), **blocks}


# ── backtest ────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_choice(organisation: Organisation, budgets: Sequence[float], channels: Sequence[str]) -> None:
    for one in budgets:
        if not 0 < one <= MOST_BUDGET:
            raise InvalidConfiguration(f"--budget {one:g}: write a number above 0, at most {MOST_BUDGET:g}")
    for name in channels:
        if name not in organisation.channels:
            raise InvalidConfiguration(f"--channel {name!r}: {organisation.organisation} has {', '.join(organisation.channels)}")


def _history(client: Client, organisation: str, since_ms: int, ends: dict[str, int]) -> Known:
    until = max(ends.values())
    known = drift_looks.known(client, organisation, since_ms // HOUR_MS - READ_DAYS * 24, until, until * HOUR_MS)
    return replace(known, ends=ends)


def _announced(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Says on stderr what is being done: years of many streams take minutes."""
    before = ("", "")
    for one in outcomes:
        if (one.channel, one.stream) != before:
            before = (one.channel, one.stream)
            typer.echo(f"{one.channel} {one.stream} …", err=True)
        yield one


def _outcomes(outcomes: Sequence[Outcome], organisation: Organisation, language: Language, since_ms: int, until_ms: int) -> dict[str, Any]:
    def alarm(one: Alarm) -> dict[str, Any]:
        states = [as_shown(state, organisation.small_cell) for state in one.states]
        text = sentence(one.told, organisation, language, until_ms)
        return {"found": one.found, "onset": one.told.onset, "over": one.over, "text": text, "states": states}

    streams = [
        {
            **{each.name: getattr(one, each.name) for each in fields(one)},
            "in_force": one.budget == budget_of(organisation, one.channel, 1),
            "a_quarter": one.a_quarter,
            "days_between": one.between,
            "alarms": [alarm(each) for each in one.alarms],
        }
        for one in outcomes
    ]
    return {"organisation": organisation.organisation, "from": since_ms, "to": until_ms, "streams": streams}


def _echo(document: Any) -> None:
    typer.echo(json.dumps(document, indent=1, ensure_ascii=False))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
