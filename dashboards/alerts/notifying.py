"""Who is told, how and when: examples of contact points, policies, times and texts, for Grafana and for Alertmanager.

Severities have a way of their own. `page` calls who is on duty, once an incident, and again every four hours for as long as nobody takes
note; with `escalation` the next in line. `daily` is one message an organisation each morning. `info` goes to whoever follows along. `none`
is the heartbeat, to a receiver outside that raises the alarm when it stays away. What is wrong with contactmeter itself goes to who runs
it, at all hours.
"""

from typing import Any, Final

from dashboards.alerts.duty import Duty
from dashboards.alerts.grafana import FOLDER, dumped
from dashboards.alerts.rule import MetricRule

ZONE: Final = "Europe/Amsterdam"
OFFICE: Final = Duty([{"times": [{"start_time": "08:30", "end_time": "17:00"}], "weekdays": ["monday:friday"], "location": ZONE}], [])
"""Duty of an organisation of which nothing is said: `contactmeter alert policies` writes that of a calendar."""
MORNING: Final = [{"times": [{"start_time": "08:00", "end_time": "08:30"}], "weekdays": ["monday:friday"], "location": ZONE}]
_DAILY_EVERY: Final = "25m"
"""How often a daily message may change: less than the morning lasts, so that none is missed, and so much that there is one a morning."""
NEVER: Final = [{"years": ["1970"]}]
"""Takes nothing away; a named time must hold something."""
DUTY_TIMES, CLOSED_TIMES, MORNING_TIMES = "diensturen", "gesloten", "ochtend"
_HEARTBEAT_EVERY: Final = "5m"
_ONCE_A_DAY: Final = "20h"
"""Less than a day, as every turn comes a little later than that of the day before and a day may have 23 hours."""

_MESSAGE: Final = """\
{{{{ define "contactmeter.{head}" -}}}}
{{{{ if eq .Labels.alertname "DatasourceError" }}}}{no_answer}{{{{ else }}}}{{{{ .Annotations.{summary} }}}}{{{{ end }}}}
{{{{- end }}}}
{{{{ define "contactmeter.{end}" -}}}}
{{{{ if eq .Labels.alertname "DatasourceError" }}}}{answers}{{{{ else }}}}{{{{ .Annotations.{ended} }}}}{{{{ end }}}}
{{{{- end }}}}
{{{{ define "contactmeter.{title}" -}}}}
{{{{ if .Alerts.Firing -}}}}
{{{{ template "contactmeter.{head}" (index .Alerts.Firing 0) }}}}
{{{{- if gt (len .Alerts.Firing) 1 }}}} ({{{{ len .Alerts.Firing }}}} {alerts}){{{{ end }}}}
{{{{- else }}}}✓ {{{{ template "contactmeter.{end}" (index .Alerts.Resolved 0) }}}}
{{{{- if gt (len .Alerts.Resolved) 1 }}}} ({{{{ len .Alerts.Resolved }}}} {alerts}){{{{ end }}}}
{{{{- end }}}}
{{{{- with .CommonLabels.organisation }}}} · {{{{ . }}}}{{{{ end }}}}
{{{{- end }}}}
{{{{ define "contactmeter.{text}" -}}}}
{{{{ range .Alerts.Firing -}}}}
{{{{ template "contactmeter.{head}" . }}}}
{{{{ if eq .Labels.alertname "DatasourceError" }}}}{{{{ .Annotations.Error }}}}
{{{{- else }}}}{{{{ .Annotations.{description} }}}}{{{{ end }}}}
{since}: {{{{ .StartsAt | tz "{zone}" | date "02-01-2006 15:04" }}}}
{board}: {{{{ .Annotations.board }}}}
{to_do}: {{{{ .Annotations.runbook_url }}}}

{{{{ end -}}}}
{{{{ range .Alerts.Resolved -}}}}
✓ {over}: {{{{ template "contactmeter.{end}" . }}}}

{{{{ end -}}}}
{{{{ end }}}}
"""
_WORDS: Final = {
    "nl": {
        "head": "kop", "end": "einde", "title": "titel", "text": "tekst", "summary": "summary", "description": "description",
        "ended": "ended", "answers": "ClickHouse antwoordt weer",
        "no_answer": "✗ ClickHouse geeft Grafana geen antwoord: wie dienst heeft hoort zolang niets nieuws", "alerts": "meldingen",
        "since": "Gemeld sinds", "board": "Bord", "to_do": "Wat te doen", "over": "Voorbij of opgepakt",
    },
    "en": {
        "head": "head", "end": "end", "title": "title", "text": "text", "summary": "summary_en", "description": "description_en",
        "ended": "ended_en", "answers": "ClickHouse answers again",
        "no_answer": "✗ ClickHouse does not answer Grafana: who is on duty hears nothing new meanwhile", "alerts": "alerts",
        "since": "Alerts since", "board": "Board", "to_do": "What to do", "over": "Over or taken up",
    },
}  # fmt: skip
_TITLE: Final = '{{ template "contactmeter.titel" . }}'
_TEXT: Final = '{{ template "contactmeter.tekst" . }}'


def contact_points() -> str:
    """Grafana's contact points. $ALERT_… are variables of Grafana's environment; an address that is left empty sends nothing."""
    email = {"addresses": "$ALERT_EMAIL", "subject": _TITLE, "message": _TEXT}
    webhook = {"url": "$ALERT_WEBHOOK_URL", "httpMethod": "POST", "title": _TITLE, "message": _TEXT}
    teams = {"url": "$ALERT_TEAMS_URL", "title": _TITLE, "message": _TEXT}
    mattermost = {"url": "$ALERT_MATTERMOST_URL", "title": _TITLE, "text": _TEXT}
    points = [
        _point("dienst", _receiver("dienst-mail", "email", email), _receiver("dienst-webhook", "webhook", webhook)),
        _point("achterwacht", _receiver("achterwacht-mail", "email", {**email, "addresses": "$ALERT_ESCALATION_EMAIL"})),
        _point("ochtend", _receiver("ochtend-mail", "email", email, resolved=False)),
        # Mattermost takes what Slack takes.
        _point("volgers", _receiver("volgers-teams", "teams", teams), _receiver("volgers-mattermost", "slack", mattermost)),
        _point("beheer", _receiver("beheer-mail", "email", {**email, "addresses": "$ALERT_OPERATIONS_EMAIL"})),
        _point("hartslag", _receiver("hartslag", "webhook", {"url": "$ALERT_HEARTBEAT_URL", "httpMethod": "POST"}, resolved=False)),
    ]  # fmt: skip
    return dumped({"apiVersion": 1, "contactPoints": points}, "Contact points: examples, with addresses from the environment.")


def _point(name: str, *receivers: dict[str, Any]) -> dict[str, Any]:
    return {"orgId": 1, "name": name, "receivers": list(receivers)}


def _receiver(name: str, kind: str, settings: dict[str, Any], resolved: bool = True) -> dict[str, Any]:
    return {"uid": f"contactmeter-{name}", "type": kind, "disableResolveMessage": not resolved, "settings": settings}


def policies() -> str:
    """Grafana's notification policies."""

    def route(receiver: str, *matchers: list[str], **more: Any) -> dict[str, Any]:
        return {"receiver": receiver, "object_matchers": list(matchers), **more}

    on_duty = {"active_time_intervals": [DUTY_TIMES], "mute_time_intervals": [CLOSED_TIMES]}
    tree = {
        "orgId": 1,
        "receiver": "beheer",
        "group_by": ["grafana_folder", "organisation"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": [
            route("beheer", ["alertname", "=~", "DatasourceError|DatasourceNoData"], group_by=["alertname"], group_wait="2m"),
            route("hartslag", ["severity", "=", "none"], group_wait="0s", group_interval="1m", repeat_interval=_HEARTBEAT_EVERY),
            route("beheer", ["team", "=", "beheer"], group_by=["rule"]),
            route("achterwacht", ["escalation", "=", "yes"], group_by=["organisation", "incident"], group_wait="0s", **on_duty),
            # Cases, not a fault that somebody is at: told once a day, and apart from what else pages.
            route(
                "dienst", ["rule", "=", "term_about_to_pass"], group_by=["organisation", "rule"], repeat_interval=_ONCE_A_DAY, **on_duty
            ),
            route("dienst", ["severity", "=", "page"], group_by=["organisation", "incident"], group_wait="15s", **on_duty),
            # Over in half an hour, so never repeated; and not held back on a day that opens earlier than the one before.
            route("ochtend", ["morning", "=", "yes"], group_by=["organisation"], group_wait="0s"),
            route(
                "ochtend", ["severity", "=", "daily"], group_by=["organisation"], group_interval=_DAILY_EVERY, repeat_interval=_ONCE_A_DAY,
                active_time_intervals=[MORNING_TIMES], mute_time_intervals=[CLOSED_TIMES],
            ),
            route("volgers", ["severity", "=", "info"], group_by=["organisation"], repeat_interval=_ONCE_A_DAY),
        ],
    }  # fmt: skip
    return dumped({"apiVersion": 1, "policies": [tree]}, "Who is told of what: an example.")


def mute_times(when: Duty = OFFICE, org_id: int = 1) -> str:
    """Times of one organisation of Grafana: duty, what the calendar takes from it, and the morning."""
    times = [{"orgId": org_id, **one} for one in _times(when)]
    return dumped({"apiVersion": 1, "muteTimes": times}, "Times of duty: `contactmeter alert policies` writes those of a calendar.")


def alertmanager_times(when: Duty) -> str:
    """The same times for Alertmanager: `time_intervals` of its configuration."""
    return dumped({"time_intervals": _times(when)}, "Times of duty by a calendar.")


def _times(when: Duty) -> list[dict[str, Any]]:
    named = {DUTY_TIMES: when.active, CLOSED_TIMES: when.muted or NEVER, MORNING_TIMES: MORNING}
    return [{"name": name, "time_intervals": intervals} for name, intervals in named.items()]


def templates() -> str:
    """Grafana's texts of messages, in Dutch and in English."""
    texts = {f"contactmeter {language}": _MESSAGE.format(zone=ZONE, **words) for language, words in _WORDS.items()}
    found = [{"orgId": 1, "name": name, "template": text} for name, text in texts.items()]
    return dumped({"apiVersion": 1, "templates": found}, "Texts of messages.")


def alertmanager(rules: tuple[MetricRule, ...], when: Duty = OFFICE) -> str:
    """An example for Alertmanager, which expands no variables: addresses that are secrets stand in files.

    What another rule explains is inhibited: a dead worker is one message, not five.
    """
    followed = sorted({cause for rule in rules for cause in rule.follows})
    inhibited = {cause: sorted(rule.name for rule in rules if cause in rule.follows) for cause in followed}
    webhook = {"url_file": "/run/secrets/alert_webhook_url", "send_resolved": True}
    content = {
        "route": {
            "receiver": "beheer",
            "group_by": ["alertname"],
            "group_wait": "15s",
            "group_interval": "5m",
            "repeat_interval": "4h",
            "routes": [
                {
                    "receiver": "hartslag", "matchers": ['severity="none"'], "group_wait": "0s", "group_interval": "1m",
                    "repeat_interval": _HEARTBEAT_EVERY,
                },
                {
                    "receiver": "beheer", "matchers": ['severity="daily"'], "group_by": ["severity"], "group_interval": _DAILY_EVERY,
                    "repeat_interval": _ONCE_A_DAY,
                    "active_time_intervals": [MORNING_TIMES], "mute_time_intervals": [CLOSED_TIMES],
                },
            ],
        },
        "inhibit_rules": [
            {"source_matchers": [f'alertname="{cause}"'], "target_matchers": [f'alertname=~"{"|".join(names)}"']}
            for cause, names in inhibited.items()
        ],
        "time_intervals": _times(when),
        "receivers": [
            {"name": "beheer", "webhook_configs": [webhook]},
            {"name": "hartslag", "webhook_configs": [{"url_file": "/run/secrets/alert_heartbeat_url", "send_resolved": False}]},
        ],
    }  # fmt: skip
    return dumped(content, f"Alertmanager: an example, for {FOLDER}'s rules on metrics.")
