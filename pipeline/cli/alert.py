"""`contactmeter alert`: what alerts now, the times of duty by a calendar, and a message to try the way with."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import typer

from dashboards.alerts import notifying
from dashboards.alerts.duty import Duty, Hours, duty, manned, union
from dashboards.alerts.evaluating import Alert, Evaluator
from dashboards.alerts.rule import Rule, Severity, period
from dashboards.alerts.rules import RULES, rule
from pipeline.cli import endpoints
from pipeline.cli.measures import check
from pipeline.cli.speaking import in_force
from pipeline.rules import calendar_of
from pipeline.store.boards_reading import BoardReader, Refused
from schemas.errors import ContactmeterError, InvalidConfiguration
from schemas.organisation import Organisation
from schemas.types import Channel
from schemas.words import Language

_TRY_FOR = timedelta(minutes=5)
_PATIENCE_S = 10
_MARKS: dict[Severity, str] = {"page": "▲", "daily": "✗", "info": "·", "none": " "}
_SEVERITIES: tuple[Severity, ...] = ("page", "daily", "info")
_WORDS: dict[Language, dict[str, str]] = {
    "nl": {"none": "Er is geen melding.", "waits": "wordt gemeld als het {} duurt", "failed": "niet te zeggen: {}"},
    "en": {"none": "Nothing alerts.", "waits": "is told when it lasts {}", "failed": "can't be told: {}"},
}


class NotTaken(ContactmeterError):
    """Whoever should have taken the test message did not."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    group = typer.Typer(help=__doc__, no_args_is_help=True)
    group.command("list")(list_alerts)
    group.command()(policies)
    group.command("test")(try_out)
    app.add_typer(group, name="alert", help="What alerts now; times of duty; a test message.")


def list_alerts(
    organisation: Annotated[str, typer.Option("--organisation", "-o", help="Only of this one.")] = "",
    lang: Annotated[str, typer.Option(help="nl or en.")] = "nl",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what alerts now, by the rules that Grafana has, pages first. Code 1 when a rule could not be asked."""
    with endpoints.command("alert") as found:
        check(lang)
        language: Language = "en" if lang == "en" else "nl"
        with closing(BoardReader(endpoints.connection(found))) as reader:
            answers = {one.id: _holding(reader, one) for one in RULES if one.severity in _SEVERITIES}
    told = [alert for answer in answers.values() if not isinstance(answer, Refused) for alert in answer]
    told = [alert for alert in told if organisation in ("", alert.labels.get("organisation"))]
    told.sort(key=lambda alert: _SEVERITIES.index(rule(alert.rule).severity))
    if as_json:
        typer.echo(json.dumps([_as_json(alert) for alert in told], indent=1, ensure_ascii=False))
    else:
        for alert in told:
            typer.echo(_line(alert, language))
        if not told:
            typer.echo(_WORDS[language]["none"])
    failed = {name: answer for name, answer in answers.items() if isinstance(answer, Refused)}
    for name, error in failed.items():
        typer.echo(f"{name}: {_WORDS[language]['failed'].format(error)}", err=True)
    if failed:
        raise typer.Exit(1)


def policies(
    organisations: Annotated[list[str], typer.Argument(help="Slugs: of several it is the time at which any of them is open.")],
    receiver: Annotated[str, typer.Option("--for", help="grafana or alertmanager.")] = "grafana",
    org: Annotated[int, typer.Option(min=1, help="Number of the Grafana organisation that they are for.")] = 1,
) -> None:
    """Write times of duty by the calendar of organisations: when messages are sent, and what closing days take from that."""
    with endpoints.command("alert") as found, closing(endpoints.connection(found).open()) as client:
        if receiver not in ("grafana", "alertmanager"):
            raise InvalidConfiguration(f"--for {receiver!r}: write grafana or alertmanager")
        when = duty_of([in_force(client, one) for one in organisations], datetime.now(UTC))
        typer.echo(notifying.mute_times(when, org) if receiver == "grafana" else notifying.alertmanager_times(when), nl=False)


def try_out(
    alertmanager: Annotated[str, typer.Option(help="Address of an Alertmanager: http://127.0.0.1:9093.")] = "",
    webhook: Annotated[str, typer.Option(help="Address that takes what Grafana sends to a webhook.")] = "",
    severity: Annotated[str, typer.Option(help="page, daily or info: which way it goes.")] = "info",
    organisation: Annotated[str, typer.Option("--organisation", "-o", help="In whose name.")] = "test",
) -> None:
    """Send a message that says it is a test, and say what to look for. It is over by itself after five minutes."""
    with endpoints.command("alert"):
        if severity not in _SEVERITIES:
            raise InvalidConfiguration(f"--severity {severity!r}: write {', '.join(_SEVERITIES)}")
        if bool(alertmanager) == bool(webhook):
            raise InvalidConfiguration("say one of --alertmanager and --webhook")
        message = trial(organisation, severity, datetime.now(UTC))
        if alertmanager:
            _post(f"{alertmanager.rstrip('/')}/api/v2/alerts", [message])
            typer.echo(
                f"Alertmanager took it: severity {severity}, alertname ContactmeterTest. Look whether it arrives where that severity goes"
            )
            typer.echo(
                "(outside duty hours it is held; `amtool config routes test` says where it goes), and that its end is told in five minutes."
            )
        else:
            _post(webhook, as_webhook(message))
            typer.echo("The webhook took it. Look whether a message arrived that says it is a test.")
            typer.echo("Grafana's other contact points have a button Test of their own.")


def duty_of(organisations: Sequence[Organisation], now: datetime) -> Duty:
    """When any channel of any of them is open: the usual week, and day by day what differs.

    Hours round the clock are left out: a website that is always open calls nobody at night. Unless there are no others.
    """
    channels: list[tuple[Organisation, Channel]] = [(one, channel) for one in organisations for channel in one.channels]
    weeks = [one.channels[channel].opening_hours or one.opening_hours for one, channel in channels]
    calendars = [calendar_of(one, channel) for one, channel in channels]
    people = any(manned(hours) for week in weeks for hours in week)

    def together(several: Iterable[Hours]) -> Hours:
        return union([manned(hours) if people else hours for hours in several])

    zone = organisations[0].zone
    today = now.astimezone(ZoneInfo(zone)).date()
    week = [together(days[day] for days in weeks) for day in range(7)]
    return duty(week, lambda day: together(calendar.hours(day) for calendar in calendars), today, zone)


def trial(organisation: str, severity: str, now: datetime) -> dict[str, Any]:
    """An alert as Alertmanager takes it, clearly marked."""
    return {
        "labels": {"alertname": "ContactmeterTest", "rule": "test", "severity": severity, "organisation": organisation},
        "annotations": {
            "summary": "TEST: dit is een proef van contactmeter, er is niets aan de hand",
            "description": "Komt dit bericht aan bij wie dienst heeft, dan werkt de weg. Het is over vijf minuten voorbij.",
            "summary_en": "TEST: a trial of contactmeter, nothing is the matter",
            "description_en": "When this reaches whoever is on duty, the way works. It is over in five minutes.",
        },
        "startsAt": now.isoformat(),
        "endsAt": (now + _TRY_FOR).isoformat(),
    }


def as_webhook(alert: Mapping[str, Any]) -> dict[str, Any]:
    """The same as Grafana sends it to a webhook."""
    return {
        "receiver": "test",
        "status": "firing",
        "title": alert["annotations"]["summary"],
        "message": alert["annotations"]["description"],
        "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"],
        "alerts": [{"status": "firing", **alert}],
        "version": "1",
    }


def _holding(reader: BoardReader, one: Rule) -> list[Alert] | Refused:
    """The instances above the threshold now: a rule that waits is not waited for. Raises Unavailable."""
    try:
        return Evaluator(one).read(_rows(reader, one), time.time_ns() // 1_000_000)
    except Refused as error:
        return error


def _rows(reader: BoardReader, one: Rule) -> Iterator[dict[str, Any]]:
    columns = reader.ask(one.sql)
    for values in zip(*(column.values for column in columns), strict=True):
        yield dict(zip((column.name for column in columns), values, strict=True))


def _as_json(alert: Alert) -> dict[str, Any]:
    return {
        "rule": alert.rule, "labels": alert.labels, "value": alert.value, "summary": alert.summary._asdict(),
        "description": alert.description._asdict(), "waits_s": rule(alert.rule).for_s, "board": alert.path,
    }  # fmt: skip


def _line(alert: Alert, language: Language) -> str:
    one = rule(alert.rule)
    waits = f" ({_WORDS[language]['waits'].format(period(one.for_s))})" if one.for_s else ""
    whose = alert.labels.get("organisation", "")
    return (
        f"{_MARKS[one.severity]} {one.severity:<5} {whose}  {alert.summary.of(language)}{waits}\n        {alert.description.of(language)}"
    )


def _post(address: str, content: object) -> None:
    """Raises InvalidConfiguration for what is no address, NotTaken when it is not answered with success."""
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise InvalidConfiguration(f"{address!r} is no address; write http://… or https://…")
    request = Request(address, json.dumps(content).encode(), {"Content-Type": "application/json"}, method="POST")
    try:
        with urlopen(request, timeout=_PATIENCE_S):
            return
    except HTTPError as error:
        with error:
            raise NotTaken(f"{address} answers {error.code}: {error.read(300).decode(errors='replace').strip()}") from None
    except (URLError, OSError) as error:
        raise NotTaken(f"{address} does not answer: {getattr(error, 'reason', error)}") from None
