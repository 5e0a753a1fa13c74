"""`contactmeter grafana check`: does a Grafana of yours show these boards, and does every panel get an answer?"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import yaml

from dashboards.reading.boards import Board, BoardError, Query, boards, read
from dashboards.reading.interpolation import interpolate
from dashboards.reading.macros import Span
from dashboards.reading.times import interval_for
from dashboards.words import LANGUAGES
from pipeline.cli.grafana_api import Grafana, GrafanaError, by_password, by_token, segment
from pipeline.cli.stack import fail
from pipeline.cli.table import aligned
from schemas.errors import ContactmeterError
from schemas.terms import duration_ms
from schemas.words import Language

OLDEST = (12, 0)
"""The version of Grafana from which it knows all that the alert rules say (keep firing for); the boards need 11.6."""
SOURCES = {"contactmeter": "grafana-clickhouse-datasource", "contactmeter-prometheus": "prometheus"}
POINTS = 400
"""How many points a series should have about, as a panel half a screen wide asks."""
_CLICKHOUSE = "contactmeter"

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at, and what to do when it is not well."""

    check: str
    level: Level
    message: str


@dataclass
class Tally:
    """What the questions of one board got. `empty` and `errors` name the panels."""

    board: str
    asked: int = 0
    answered: int = 0
    slowest_ms: int = 0
    empty: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    group = typer.Typer(help=__doc__, no_args_is_help=True)
    group.callback()(_group)
    group.command()(check)
    app.add_typer(group, name="grafana", help="A Grafana of your own: does every panel of the boards get an answer?")


def _group() -> None:
    """A Grafana of your own."""


def check(
    url: Annotated[str, typer.Option(help="The address that a browser opens, such as https://grafana.example.")],
    token_file: Annotated[
        Path | None, typer.Option(envvar="CONTACTMETER_GRAFANA_TOKEN_FILE", help="A file with the token of a service account.")
    ] = None,
    user: Annotated[str, typer.Option(help="A user instead of a token; with --password-file.")] = "",
    password_file: Annotated[
        Path | None, typer.Option(envvar="CONTACTMETER_GRAFANA_PASSWORD_FILE", help="A file with the user's password.")
    ] = None,
    ca_file: Annotated[str, typer.Option(help="The certificate of an authority of your own, in PEM form.")] = "",
    organisation: Annotated[str, typer.Option(help="Whose figures to ask for; otherwise the first that the data source may see.")] = "",
    import_missing: Annotated[
        bool, typer.Option("--import/--no-import", help="Import boards that are not there (into the folder General), or only look.")
    ] = True,
    since: Annotated[str, typer.Option(help="Ask every panel about so long until now.")] = "24h",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Ask a Grafana for its data sources, boards and alert rules, and every panel's question. Exit code 1 if something is wrong."""
    now_ms = time.time_ns() // 1_000_000
    try:
        span = Span(now_ms - duration_ms(since), now_ms)
    except ValueError as error:
        fail(f"contactmeter grafana: --since {since!r}: {error}", 2)
    try:
        grafana = Grafana(url, _authorization(token_file, user, password_file), ca_file)
        if not grafana.encrypted and not grafana.loopback:
            typer.echo("warning: this address is not encrypted: others on the network can read the token or password", err=True)
        findings = [*_health(grafana), *_sources(grafana)]
        tallies = []
        for language in LANGUAGES:
            told, counted = _boards(grafana, language, organisation, span, import_missing)
            findings += told
            tallies += counted
        findings += _rules(grafana)
    except ContactmeterError as error:
        fail(f"contactmeter grafana: {error}")
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(one) for one in findings], "boards": [asdict(one) for one in tallies]}, indent=2))
    else:
        for line in _lines(findings, tallies):
            typer.echo(line)
    raise typer.Exit(1 if any(one.level == "error" for one in findings) or any(one.errors for one in tallies) else 0)


def _authorization(token_file: Path | None, user: str, password_file: Path | None) -> str:
    """Raises typer.Exit when it is not one of the two, or a file cannot be read."""
    if (token_file is None) == (not user) or (password_file is not None and not user):
        fail("contactmeter grafana: give --token-file, or --user with --password-file", 2)
    if token_file is not None:
        return by_token(_secret("--token-file", token_file))
    if password_file is None:
        fail("contactmeter grafana: --user goes with --password-file", 2)
    return by_password(user, _secret("--password-file", password_file))


def _secret(option: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"contactmeter grafana: {option} {path} can't be read: {getattr(error, 'strerror', None) or 'it is no text'}", 2)
    if not secret or not secret.isprintable():
        fail(f"contactmeter grafana: {option} {path} must hold the secret and nothing else, on one line", 2)
    return secret


def _health(grafana: Grafana) -> Iterator[Finding]:
    said = grafana.get("/api/health")
    version = str(said.get("version") or "")
    if said.get("database") != "ok":
        yield Finding("grafana", "error", f"its database is {said.get('database')!r}: see Grafana's own log")
    numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2] if part.isdecimal())
    if not numbers:
        yield Finding("grafana", "warning", "it does not tell its version (anonymous health checks may hide it)")
    elif numbers < OLDEST:
        yield Finding("grafana", "warning", f"version {version}; boards and alert rules are written for {OLDEST[0]}.{OLDEST[1]} and later")
    else:
        yield Finding("grafana", "ok", f"version {version}")


def _sources(grafana: Grafana) -> Iterator[Finding]:
    for uid, kind in SOURCES.items():
        found = grafana.find(f"/api/datasources/uid/{segment(uid)}")
        if found is None:
            yield Finding("data source", "error", f"there is none with uid {uid}; provision it (see Grafana in docs/OPERATIONS.md)")
        elif found.get("type") != kind:
            yield Finding("data source", "error", f"{uid} has type {found.get('type')!r}, not {kind!r}: the panels would ask the wrong one")
        else:
            yield Finding("data source", "ok", f"{uid}: {kind}")


def _boards(grafana: Grafana, language: Language, organisation: str, span: Span, import_missing: bool) -> tuple[list[Finding], list[Tally]]:
    findings: list[Finding] = []
    tallies: list[Tally] = []
    for uid, ours in boards(language).items():
        found = grafana.find(f"/api/dashboards/uid/{segment(uid)}")
        if found is None and not import_missing:
            findings.append(Finding("board", "error", f"{uid} is not there; without --no-import this command imports it"))
            continue
        if found is None:
            content = {**ours.content, "id": None}
            grafana.post("/api/dashboards/db", {"dashboard": content, "overwrite": False, "message": "contactmeter grafana check"})
            findings.append(Finding("board", "ok", f"{uid} was not there and is imported"))
            shown = ours
        else:
            try:
                shown = read(json.dumps(found["dashboard"]), f"{grafana.url}/d/{uid}")
            except BoardError as error:
                findings.append(Finding("board", "error", f"changed by hand beyond what can be checked: {error}"))
                continue
            same = _questions(shown) == _questions(ours)
            message = "is there" if same else "is there, with other questions than this version's: an older version, or changed by hand"
            findings.append(Finding("board", "ok" if same else "warning", f"{uid} {message}"))
        tallies.append(_tally(grafana, shown, organisation, span))
    return findings, tallies


def _questions(board: Board) -> list[tuple[int, str, str]]:
    return [(panel.id, query.ref, query.text) for panel in board.panels for query in panel.queries]


def _tally(grafana: Grafana, board: Board, organisation: str, span: Span) -> Tally:
    """Ask every question of a board, with the variables as they stand when it is opened."""
    tally = Tally(board.uid)
    chosen = {"organisation": organisation} if organisation else {}
    for variable in board.variables:
        if variable.name in chosen:
            continue
        value = variable.value or next((value for value, _ in variable.options), "")
        if not value and variable.sql:
            query = Query("A", "clickhouse", _CLICKHOUSE, variable.sql, series=False)
            try:
                answer = grafana.ask(_request(query, chosen, span), span.from_ms, span.to_ms)
                value = str(answer.values[0][0]) if answer.rows else ""
            except GrafanaError as error:
                tally.errors.append(f"variable {variable.name}: {error}")
        chosen[variable.name] = value
    questions = [(f"panel {panel.id} {query.ref} ({panel.title})", query) for panel in board.panels for query in panel.queries]
    for name, query in [*questions, *((f"mark ({mark.name})", mark.query) for mark in board.marks)]:
        tally.asked += 1
        began = time.monotonic()
        try:
            answer = grafana.ask(_request(query, chosen, span), span.from_ms, span.to_ms)
        except GrafanaError as error:
            tally.errors.append(f"{name}: {error}")
            continue
        tally.slowest_ms = max(tally.slowest_ms, round((time.monotonic() - began) * 1000))
        tally.answered += 1
        if not answer.rows:
            tally.empty.append(name)
    return tally


def _request(query: Query, chosen: dict[str, str], span: Span) -> dict[str, Any]:
    """A question as Grafana's page sends it: variables written out, macros left to the plugin."""
    interval_ms = interval_for(span, POINTS, least_ms=1000)
    common = {"refId": query.ref, "intervalMs": interval_ms, "maxDataPoints": POINTS}
    if query.kind == "prometheus":
        text = interpolate(query.text, chosen, default="regex", span=span, interval_ms=interval_ms)
        source = {"type": "prometheus", "uid": query.source}
        return {**common, "datasource": source, "expr": text, "range": query.series, "instant": not query.series}
    text = interpolate(query.text, chosen, default="sql", span=span, interval_ms=interval_ms)
    source = {"type": SOURCES[_CLICKHOUSE], "uid": query.source}
    shape = {"format": 0, "queryType": "timeseries"} if query.series else {"format": 1, "queryType": "table"}
    return {**common, "datasource": source, "editorType": "sql", "rawSql": text, **shape}


def _rules(grafana: Grafana) -> Iterator[Finding]:
    """Are our alert rules loaded, and does Grafana manage to ask their questions?"""
    ours = {str(rule["uid"]): str(rule["title"]) for rule in _our_rules()}
    there = {str(rule["uid"]) for rule in grafana.get("/api/v1/provisioning/alert-rules")}
    missing = [title for uid, title in ours.items() if uid not in there]
    if missing:
        names = ", ".join(missing)
        yield Finding("alert rules", "error", f"{len(missing)} of {len(ours)} are not there: {names}; provision generated/alerting")
    groups = grafana.get("/api/prometheus/grafana/api/v1/rules")["data"]["groups"]
    found = [rule for group in groups for rule in group["rules"] if rule.get("uid", "") in ours or rule.get("name") in ours.values()]
    failing = [rule for rule in found if rule.get("health") == "error"]
    for rule in failing:
        yield Finding("alert rules", "error", f"{rule.get('name')}: {rule.get('lastError') or 'Grafana says it fails, not why'}")
    if not missing and not failing:
        firing = sum(rule.get("state") == "firing" for rule in found)
        yield Finding("alert rules", "ok", f"all {len(ours)} are there; {firing} fire now")


def _our_rules() -> list[dict[str, Any]]:
    text = files("dashboards").joinpath("generated", "alerting", "grafana", "rules.yaml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def _lines(findings: Sequence[Finding], tallies: Sequence[Tally]) -> Iterator[str]:
    for one in findings:
        yield f"{one.level:<8} {one.check:<12} {one.message}"
    rows = [(one.board, *map(str, (one.asked, one.answered, len(one.empty), len(one.errors))), f"{one.slowest_ms:,} ms") for one in tallies]
    yield ""
    yield from aligned(("board", "questions", "answered", "empty", "errors", "slowest"), rows, left=1)
    for tally in tallies:
        for name in tally.empty:
            yield f"empty    {tally.board}: {name}"
        for said in tally.errors:
            yield f"error    {tally.board}: {said}"
