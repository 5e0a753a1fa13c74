"""`contactmeter rejects`: look at what was refused, send it again after the cause was mended, or set it aside."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from connectors.sender import Sender
from pipeline.cli import endpoints
from pipeline.cli.actor import actor
from pipeline.cli.stack import fail
from pipeline.replay import Place, StoredReject, record_value, why_not
from pipeline.settings import Settings
from pipeline.store.rejects import Choice, Rejects
from schemas.errors import ContactmeterError
from schemas.terms import duration_ms

KAFKA_PATIENCE_S = 20.0

Organisation = Annotated[str, typer.Option(help="Only of this organisation, as the record claimed it.")]
Reason = Annotated[str, typer.Option(help="Only for this reason, such as unknown_channel.")]
Source = Annotated[str, typer.Option(help="Only from this source, a URN.")]
Since = Annotated[str, typer.Option(help="Only what came since: 2d, 24h, 90min, or 2026-03-02T09:00 in local time.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids as `list` shows them: TOPIC/PARTITION/OFFSET/POSITION.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
All = Annotated[bool, typer.Option("--all", help="Every reject about which nothing was decided yet.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    group = typer.Typer(help=__doc__, no_args_is_help=True)
    group.command("list")(list_rejects)
    group.command()(show)
    group.command()(replay)
    group.command()(discard)
    app.add_typer(group, name="rejects", help="What was refused: list it, look at it, send it again, or set it aside.")


def list_rejects(
    organisation: Organisation = "",
    reason: Reason = "",
    source: Source = "",
    since: Since = "",
    each: Annotated[bool, typer.Option("--each", help="One by one, the newest first, instead of by reason.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many with --each.")] = 50,
    decided: Annotated[bool, typer.Option("--decided", help="Also those that were replayed or discarded.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what was refused and not decided about yet: by organisation, reason and source, with an example."""
    choice = _choice(organisation, reason, source, since, decided)
    with _rejects() as (rejects, _):
        found = [_summary(reject) for reject in rejects.last(choice, limit)] if each else []
        groups = [] if each else [{**group._asdict(), "place": str(group.place)} for group in rejects.groups(choice)]
    if as_json:
        typer.echo(json.dumps(found if each else groups, indent=2, default=str))
    elif not found and not groups:
        typer.echo("Nothing was refused" + ("." if decided else " that still waits for a decision."))
    for reject in () if as_json else found:
        done = f" ({reject['decision']})" if reject["decision"] else ""
        typer.echo(f"{reject['id']}  {_local(reject['appended_at'])}  {reject['organisation']}  {reject['reason']}{done}")
        typer.echo(f"  {reject['path']}: {reject['message']}")
    for group in () if as_json else groups:
        named = "".join(f", {word} {group[word]}" for word in ("source", "connector") if group[word])
        typer.echo(f"{group['organisation'] or '(no key)'}: {group['rejects']:,} × {group['reason']}{named}; last {_local(group['last'])}")
        typer.echo(f"  {group['place']}: {group['message']}")


def show(
    reject: Annotated[str, typer.Argument(help="An id as `list` shows it: TOPIC/PARTITION/OFFSET/POSITION.")], as_json: AsJson = False
) -> None:
    """Tell everything about one reject, what was sent included."""
    with _rejects() as (rejects, _):
        found = _of_ids(rejects, [reject])[0]
        system = rejects.system_of(found.organisation, found.source) if found.source else ""
    why = why_not(found)
    if as_json:
        typer.echo(
            json.dumps({**_summary(found), "system": system, "original": found.original, "why_no_replay": why}, indent=2, default=str)
        )
        return
    position = "the whole record" if found.place.position < 0 else f"event {found.place.position} of its record"
    lines = {
        "reason": found.reason,
        "what to do": found.message,
        "where": f"{found.path}, {position}",
        "organisation": found.organisation or "(no key)",
        "source": found.source and f"{found.source} ({f'system {system}' if system else 'no source of this organisation'})",
        "connector": found.connector,
        "arrived": _local(found.appended_at),
        "size": f"{found.size:,} bytes, SHA-256 {found.sha256}",
        "decided": found.decided_at and f"{found.decision} {_local(found.decided_at)} by {found.decided_by}. {found.because}".strip(),
    }
    typer.echo(str(found.place))
    for name, text in lines.items():
        if text:
            typer.echo(f"  {name + ':':<14}{text}")
    typer.echo(f"  {'replay:':<14}{f'not possible: {why}' if why else f'once that is mended: contactmeter rejects replay {found.place}'}")
    typer.echo(_pretty(found.original))


def replay(
    ids: Ids = None,
    organisation: Organisation = "",
    reason: Reason = "",
    source: Source = "",
    since: Since = "",
    every: All = False,
    because: Annotated[str, typer.Option(help="What was mended, for the trail.")] = "",
    yes: Yes = False,
) -> None:
    """Send what was refused to contact-events once more, after its cause was mended. Nothing counts twice, however often it is sent."""
    choice = _choice(organisation, reason, source, since)
    with _rejects() as (rejects, found):
        chosen, total = _chosen(rejects, ids or [], choice, every)
        _ask(f"Send {total:,} of them again?", yes)
        refused: Counter[str] = Counter()

        def repeat(page: list[StoredReject], sender: Sender) -> list[Place]:
            reasons = {reject.place: why_not(reject) for reject in page}
            refused.update(filter(None, reasons.values()))
            able = [reject for reject in page if not reasons[reject.place]]
            for reject in able:
                sender.repeat(reject.organisation, record_value(reject), reject.connector)
            sender.flush()
            return [reject.place for reject in able]

        with Sender(found.kafka, give_up_after=KAFKA_PATIENCE_S, security=found.kafka_security.options()) as sender:
            sent = _decide(rejects, chosen, "replayed", because, lambda page: repeat(page, sender))
        typer.echo(f"{sent:,} sent again; what is refused once more is a new reject.")
        for why, count in refused.most_common():
            typer.echo(f"{count:,} not: {why}.")
        trail = f"{sent} sent again, {refused.total()} not; {_words(ids, choice)}; {because}"
        rejects.note(_now_ms(), organisation, actor(), "rejects_replayed", trail.rstrip("; "))
    if refused and not sent:
        raise typer.Exit(1)


def discard(
    because: Annotated[str, typer.Option(help="Why they need not be measured, for the trail.")],
    ids: Ids = None,
    organisation: Organisation = "",
    reason: Reason = "",
    source: Source = "",
    since: Since = "",
    every: All = False,
    yes: Yes = False,
) -> None:
    """Set rejects aside, so that `list` shows what still needs work. Nothing is deleted before its time."""
    choice = _choice(organisation, reason, source, since)
    if not because.strip():
        fail("--because must say why these need not be measured", 2)
    with _rejects() as (rejects, _):
        chosen, total = _chosen(rejects, ids or [], choice, every)
        _ask(f"Set {total:,} of them aside?", yes)
        done = _decide(rejects, chosen, "discarded", because, lambda page: [reject.place for reject in page])
        typer.echo(f"{done:,} set aside.")
        rejects.note(_now_ms(), organisation, actor(), "rejects_discarded", f"{done} set aside; {_words(ids, choice)}; {because}")


@contextmanager
def _rejects() -> Iterator[tuple[Rejects, Settings]]:
    """The rejects, and the settings of this command. What goes wrong inside ends it with a message."""
    try:
        found = endpoints.settings()
        with closing(Rejects(endpoints.connection(found))) as rejects:
            yield rejects, found
    except ContactmeterError as error:
        fail(f"contactmeter rejects: {error}")


def _choice(organisation: str, reason: str, source: str, since: str, decided: bool = False) -> Choice:
    return Choice(organisation, reason, source, _moment(since) if since else None, decided)


def _moment(text: str) -> datetime:
    try:
        return datetime.now(UTC) - timedelta(milliseconds=duration_ms(text))
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no moment; write 2d, 24h, 90min or 2026-03-02T09:00", param_hint="--since") from None


def _of_ids(rejects: Rejects, ids: list[str]) -> list[StoredReject]:
    found = []
    for text in dict.fromkeys(ids):
        try:
            place = Place.parse(text)
        except ValueError as error:
            fail(error, 2)
        reject = rejects.one(place)
        if reject is None:
            fail(f"There is no reject {place} (any more); see `contactmeter rejects list --each`.")
        found.append(reject)
    return found


def _chosen(rejects: Rejects, ids: list[str], choice: Choice, every: bool) -> tuple[Iterable[list[StoredReject]], int]:
    """The rejects that a command is about, in pages, and how many they are. Ids name also those that were decided about before."""
    filtered = choice != Choice()
    if sum((bool(ids), filtered, every)) != 1:
        fail("Name ids, or one or more of --organisation, --reason, --source and --since, or --all.", 2)
    if ids:
        found = _of_ids(rejects, ids)
        return [found], len(found)
    total = sum(group.rejects for group in rejects.groups(choice))
    if not total:
        typer.echo("Nothing was refused that still waits for a decision and fits this.")
        raise typer.Exit
    return rejects.pages(choice), total


def _ask(question: str, yes: bool) -> None:
    if not yes:
        typer.confirm(question, abort=True)


def _decide(
    rejects: Rejects,
    pages: Iterable[list[StoredReject]],
    decision: str,
    because: str,
    work: Callable[[list[StoredReject]], list[Place]],
) -> int:
    """Do `work` page by page and store the decision about what it returns; how many those are."""
    done = 0
    for page in pages:
        places = work(page)
        rejects.decide(places, decision, _now_ms(), actor(), because)
        done += len(places)
    return done


def _words(ids: list[str] | None, choice: Choice) -> str:
    """What a command was asked to do, for the trail."""
    given = {name: str(value) for name, value in asdict(choice).items() if value}
    return f"{len(ids)} ids, {ids[0]} first" if ids else ", ".join(f"{name} {value}" for name, value in given.items()) or "all"


def _summary(reject: StoredReject) -> dict[str, Any]:
    found = asdict(reject)
    del found["place"], found["original"]
    return {"id": str(reject.place), **found}


def _pretty(original: str) -> str:
    """JSON with indents where it is JSON; what it is where not."""
    try:
        return json.dumps(json.loads(original), indent=2, ensure_ascii=False)
    except ValueError:
        return original


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
