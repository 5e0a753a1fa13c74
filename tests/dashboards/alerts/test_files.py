"""The files: as the generator writes them, as Grafana, Prometheus and Alertmanager read them, and a mistake in one is found."""

import json
import re
import subprocess
from copy import deepcopy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from dashboards import alerts
from dashboards.alerts import grafana, notifying
from dashboards.alerts.duty import duty, manned, union
from dashboards.alerts.rule import VALUE, Rule, fields_of, period
from dashboards.alerts.rules import METRIC_RULES, RULES
from pipeline.calendars import Calendar
from pipeline.metrics import REGISTRY
from tests.docs.pages import OPERATIONS, anchors_of, text_of
from tests.programs import program

HERE = Path(__file__).parent
SCHEMA = json.loads((HERE / "alerting.schema.json").read_text(encoding="utf-8"))
GENERATED = Path(alerts.__file__).parents[1] / "generated" / "alerting"
GRAFANA = sorted(name for name in alerts.files() if name.startswith("grafana/"))


def loaded(name: str) -> Any:
    return yaml.safe_load(alerts.files()[name])


def faults(document: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)]


def test_what_is_checked_in_is_what_the_generator_writes() -> None:
    present = {str(path.relative_to(GENERATED)): path.read_text(encoding="utf-8") for path in GENERATED.rglob("*") if path.is_file()}
    assert present == alerts.files(), "run python -m dashboards.generate"


@pytest.mark.parametrize("name", GRAFANA)
def test_grafana_files_are_as_its_documentation_says(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert not faults(loaded(name))


def broken(name: str, *path: Any, to: Any) -> Any:
    """A file with one thing in it changed; None takes it out."""
    document = deepcopy(loaded(name))
    place = document
    for step in path[:-1]:
        place = place[step]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return document


RULE = ("groups", 0, "rules", 0)


@pytest.mark.parametrize(
    ("name", "path", "to"),
    [
        ("rules", (*RULE, "condition"), None),
        ("rules", (*RULE, "uid"), "contactmeter-" + "x" * 40),
        ("rules", (*RULE, "noDataState"), "Ok"),
        ("rules", (*RULE, "execErrState"), "NoData"),
        ("rules", (*RULE, "for"), "5 minutes"),
        ("rules", (*RULE, "keep_firing_for"), "5m"),
        ("rules", (*RULE, "data", 0, "model", "rawSql"), None),
        ("rules", (*RULE, "data", 0, "model", "format"), "table"),
        ("rules", (*RULE, "labels", "severity"), "critical"),
        ("rules", ("groups", 0, "folder"), ""),
        ("rules", ("groups", 0, "interval"), "15s"),
        ("contact_points", ("contactPoints", 0, "receivers", 0, "type"), "mail"),
        ("contact_points", ("contactPoints", 0, "receivers", 0, "settings", "addresses"), None),
        ("policies", ("policies", 0, "receiver"), None),
        ("policies", ("policies", 0, "routes", 0, "object_matchers", 0), ["severity", "==", "page"]),
        ("policies", ("policies", 0, "mute_time_intervals"), ["gesloten"]),
        ("mute_times", ("muteTimes", 0, "time_intervals", 0, "times", 0, "end_time"), "25:00"),
        ("mute_times", ("muteTimes", 0, "time_intervals", 0, "weekdays"), ["maandag"]),
        ("templates", ("templates", 0, "template"), None),
    ],
    ids=lambda value: None if isinstance(value, str | None) else "-".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_a_mistake_is_found(name: str, path: tuple[Any, ...], to: Any) -> None:
    assert faults(broken(f"grafana/{name}.yaml", *path, to=to))


def test_names_that_files_use_of_each_other_exist() -> None:
    points = {point["name"] for point in loaded("grafana/contact_points.yaml")["contactPoints"]}
    times = {one["name"] for one in loaded("grafana/mute_times.yaml")["muteTimes"]}
    (tree,) = loaded("grafana/policies.yaml")["policies"]
    routes = [tree, *tree["routes"]]
    assert {route["receiver"] for route in routes} == points, "every contact point is used"
    assert {name for route in routes for kind in ("active", "mute") for name in route.get(f"{kind}_time_intervals", [])} == times
    known = {"alertname", "team", "severity", "rule", "grafana_folder"} | {name for rule in RULES for name in (*rule.labels, *rule.fixed)}
    used = {match[0] for route in routes for match in route.get("object_matchers", [])} | {
        name for route in routes for name in route.get("group_by", [])
    }
    assert used <= known
    texts = " ".join(alerts.files()["grafana/contact_points.yaml"].split())
    defined = {name for one in loaded("grafana/templates.yaml")["templates"] for name in re.findall(r'define "([^"]+)"', one["template"])}
    assert set(re.findall(r'template "([^"]+)"', texts)) <= defined
    uids = [rule["uid"] for group in loaded("grafana/rules.yaml")["groups"] for rule in group["rules"]]
    assert len(uids) == len(set(uids)) == len(RULES)


def test_every_severity_has_a_way_and_only_pages_call_somebody() -> None:
    (tree,) = loaded("grafana/policies.yaml")["policies"]

    def receiver(labels: dict[str, str]) -> str:
        for route in tree["routes"]:
            if all(re.fullmatch(text, labels.get(name, "")) is not None for name, _, text in route["object_matchers"]):
                return str(route["receiver"])
        return str(tree["receiver"])

    found = {rule.id: receiver({"alertname": rule.title.nl, **rule.all_labels}) for rule in RULES}
    assert {found[name] for name in ("incident", "outage", "connector_silent", "channel_unheard", "term_about_to_pass")} == {"dienst"}
    assert (found["incident_escalated"], found["figures_still"], found["heartbeat"]) == ("achterwacht", "beheer", "hartslag")
    assert {found[rule.id] for rule in RULES if rule.severity == "daily"} == {"ochtend"}
    assert found["incident_lasts"] == "volgers"
    assert receiver({"alertname": "DatasourceError", "severity": "page"}) == "beheer", "a database that is away calls no coordinator"


def test_a_database_that_is_away_is_one_alert_and_ends_none() -> None:
    states = [rule["execErrState"] for group in loaded("grafana/rules.yaml")["groups"] for rule in group["rules"]]
    assert (states.count("Error"), states.count("KeepLast")) == (1, len(RULES) - 1)


def test_texts_have_no_dollars_that_provisioning_would_take_for_variables() -> None:
    """Grafana expands $NAME in all of a file but questions, and in annotations ${NAME} only."""
    assert "$" not in alerts.files()["grafana/templates.yaml"]
    assert set(re.findall(r"\$\w+", alerts.files()["grafana/contact_points.yaml"])) == {
        "$ALERT_EMAIL", "$ALERT_ESCALATION_EMAIL", "$ALERT_OPERATIONS_EMAIL", "$ALERT_WEBHOOK_URL", "$ALERT_TEAMS_URL",
        "$ALERT_MATTERMOST_URL", "$ALERT_HEARTBEAT_URL",
    }  # fmt: skip
    for group in loaded("grafana/rules.yaml")["groups"]:
        for rule in group["rules"]:
            assert not any("${" in text for text in rule["annotations"].values())
            assert not any("$" in text for text in rule["labels"].values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_texts_use_what_the_question_gives(rule: Rule) -> None:
    columns = {*rule.labels, *rule.told, VALUE}
    for text in (*rule.summary, *rule.description, *(rule.ended or ())):
        assert fields_of(text) <= columns
    assert not set(rule.labels) & set(rule.told)
    changing = {"value", "n", "minutes", "cases", "text", "text_nl", "text_en", "status", "shown_nl", "which_nl"}
    assert not changing & set(rule.labels), "labels stay the same while an alert fires"
    assert "$" not in rule.sql
    assert rule.for_s % rule.interval_s == 0, "Grafana wants `for` in whole intervals to mean what it says"


def test_texts_of_rules_differ_by_language_and_are_written_for_go() -> None:
    (found,) = [grafana.content(rule) for rule in RULES if rule.id == "incident"]
    notes = found["annotations"]
    assert notes["summary"] == "▲ {{ $values.T.Labels.text_nl }}"
    assert notes["summary_en"] == "▲ {{ $values.T.Labels.text_en }}"
    assert notes["description"].endswith("{{ $values.T.Labels.status_nl }}.{{ $values.T.Labels.act_nl }}")
    assert notes["ended"] == "{{ $values.T.Labels.text_nl }} ({{ $values.T.Labels.channel_nl }}: {{ $values.T.Labels.status_nl }})"
    assert notes["board"].endswith(
        "/d/contactmeter-channel-nl?var-organisation={{ urlquery $labels.organisation }}&var-channel={{ urlquery $labels.channel }}"
    )
    assert notes["runbook_url"].endswith("/public/contactmeter/operations.html#incident")
    assert [step["refId"] for step in found["data"]] == ["A", "T", "C"]


@pytest.mark.parametrize("anchor", sorted({rule.anchor for rule in RULES} | {rule.anchor for rule in METRIC_RULES}))
def test_every_alert_has_a_section_that_says_what_to_do(anchor: str) -> None:
    assert anchor in anchors_of(OPERATIONS)
    for word in ("**Means", "**Look at", "**Do", "**Ends"):
        assert word in sections()[anchor], word


def sections() -> dict[str, str]:
    """The text of every section of the third rank, by its anchor."""
    parts = re.split(r"^#+ ", text_of(OPERATIONS), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", part.split("\n")[0].lower()).replace(" ", "-"): part for part in parts if part}


def run(*command: str | Path) -> str:
    found = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_prometheus_takes_its_rules() -> None:
    assert f"{len(METRIC_RULES)} rules found" in run(program("promtool"), "check", "rules", GENERATED / "prometheus" / "rules.yml")


def test_prometheus_alerts_when_it_should_and_does_not_when_it_should_not() -> None:
    for path in sorted(HERE.glob("promtool_*.yaml")):
        assert "SUCCESS" in run(program("promtool"), "test", "rules", path)


def test_every_metric_rule_is_tried_both_ways() -> None:
    fires, quiet = set(), set()
    for test in [test for path in HERE.glob("promtool_*.yaml") for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]]:
        for case in test.get("promql_expr_test", []):
            found = set(re.findall(r'alertname="(\w+)"', str(case.get("exp_samples", ""))))
            fires |= found
            quiet |= set(re.findall(r'alertname="(\w+)"', case["expr"])) - found
        for case in test.get("alert_rule_test", []):
            (fires if case.get("exp_alerts") else quiet).add(case["alertname"])
    assert fires == {rule.name for rule in METRIC_RULES}
    assert quiet == fires - {"ContactmeterHeartbeat"}


def test_metric_rules_ask_for_metrics_that_exist() -> None:
    exported = {metric.name + ("_total" if metric.type == "counter" else "") for metric in REGISTRY.collect()}
    for rule in METRIC_RULES:
        assert set(re.findall(r"contactmeter_\w+", rule.expr)) <= exported
        assert set(rule.follows) <= {other.name for other in METRIC_RULES}


def test_alertmanager_takes_its_configuration(tmp_path: Path) -> None:
    """Its `url_file` is of version 0.26; Debian's amtool may be older, so an address stands in for it there."""
    text = alerts.files()["prometheus/alertmanager.yml"]
    place = tmp_path / "alertmanager.yml"
    place.write_text(re.sub(r"url_file: \S+", "url: http://127.0.0.1:9/", text), encoding="utf-8")
    assert "SUCCESS" in run(program("amtool"), "check-config", place)
    assert run(program("amtool"), "config", "routes", "test", "--config.file", place, "severity=none").strip() == "hartslag"
    assert run(program("amtool"), "config", "routes", "test", "--config.file", place, "severity=page").strip() == "beheer"


def test_a_dead_worker_mutes_what_follows_from_it() -> None:
    rules = loaded("prometheus/alertmanager.yml")["inhibit_rules"]
    (muted,) = [rule["target_matchers"][0] for rule in rules if rule["source_matchers"] == ['alertname="ContactmeterWorkerDown"']]
    assert {"ContactmeterLag", "ContactmeterWorkerSilent", "ContactmeterStoreAway"} <= set(re.findall(r"Contactmeter\w+", muted))


def test_messages_say_what_since_when_where_to_look_and_what_to_do(tmp_path: Path) -> None:
    """Rendered by Alertmanager's own engine, which is Grafana's too; `tz` and `date` are newer than Debian's."""
    places = []
    for one in loaded("grafana/templates.yaml")["templates"]:
        places.append(tmp_path / f"{one['name']}.tmpl")
        text = re.sub(r'\| tz "Europe/Amsterdam" \| date "[^"]+" ', "", one["template"])
        assert text.count(".StartsAt }}") == 1
        places[-1].write_text(text, encoding="utf-8")
    notes = {
        "summary": "▲ Telefoon: lang wachten.", "description": "telefoon: wacht op iemand.", "ended": "Telefoon: weer als gewoonlijk",
        "board": "https://borden.example/d/x", "runbook_url": "https://borden.example/public/x.html#incident",
    }  # fmt: skip
    moments = {"startsAt": "2026-11-22T13:05:00Z", "endsAt": "2026-11-22T14:05:00Z"}
    labels = {"alertname": "Incident", "organisation": "leiden"}
    firing = {"status": "firing", "labels": labels, "annotations": notes, **moments}
    away = {**firing, "labels": {"alertname": "DatasourceError"}, "annotations": {**notes, "summary": "[no value]", "Error": "dial tcp"}}

    def said(name: str, *alerts: dict[str, Any]) -> str:
        place = tmp_path / "data.json"
        place.write_text(json.dumps({"status": "firing", "alerts": alerts, "commonLabels": alerts[0]["labels"]}), encoding="utf-8")
        found = [argument for path in places for argument in ("--template.glob", path)]
        text = run(
            program("amtool"), "template", "render", *found, "--template.data", place, "--template.text", f'{{{{ template "{name}" . }}}}'
        )
        return text.strip()

    lines = said("contactmeter.tekst", firing).splitlines()
    assert lines[:2] == [notes["summary"], notes["description"]]
    assert lines[2].startswith("Gemeld sinds: 2026-11-22 13:05")
    assert lines[3:] == ["Bord: https://borden.example/d/x", "Wat te doen: https://borden.example/public/x.html#incident"]
    assert said("contactmeter.titel", firing) == "▲ Telefoon: lang wachten. · leiden", "the subject says what it is about"
    assert said("contactmeter.titel", firing, firing).endswith("(2 meldingen) · leiden")
    over = {**firing, "status": "resolved"}
    assert said("contactmeter.titel", over) == "✓ Telefoon: weer als gewoonlijk · leiden"
    assert said("contactmeter.tekst", over) == "✓ Voorbij of opgepakt: Telefoon: weer als gewoonlijk"
    assert said("contactmeter.titel", away).startswith("✗ ClickHouse geeft Grafana geen antwoord")
    assert "dial tcp" in said("contactmeter.tekst", away)
    assert said("contactmeter.titel", {**away, "status": "resolved"}) == "✓ ClickHouse antwoordt weer"


def test_daily_messages_come_once_a_morning_and_the_morning_line_whenever_a_day_opens() -> None:
    (tree,) = loaded("grafana/policies.yaml")["policies"]
    line, daily = [route for route in tree["routes"] if route["receiver"] == "ochtend"]
    assert "repeat_interval" not in line, "from an opening at 13:00 to one at 8:30 it is less than a day"
    (morning,) = [one for one in loaded("grafana/mute_times.yaml")["muteTimes"] if one["name"] == "ochtend"]
    assert morning["time_intervals"][0]["times"] == [{"start_time": "08:00", "end_time": "08:30"}]
    assert (daily["group_interval"], daily["repeat_interval"]) == ("25m", "20h"), "one turn in half an hour, and one a day"


def test_a_day_that_is_closed_is_muted_whole() -> None:
    """The morning's message comes before opening time."""
    calendar = Calendar("Europe/Amsterdam", WEEK, [date(2026, 12, 25)])
    found = duty(WEEK, calendar.hours, MONDAY, "Europe/Amsterdam")
    assert on_duty(found.muted, date(2026, 12, 25), 8 * 60)
    assert not on_duty(found.muted, date(2026, 12, 24), 8 * 60)


def test_hours_round_the_clock_are_nobodys() -> None:
    assert manned([(0, 1440)]) == []
    assert manned([(510, 720), (780, 1020)]) == [(510, 720), (780, 1020)]


WEEK = [((510, 1020),)] * 4 + [((510, 780),), (), ()]
MONDAY = date(2026, 12, 21)


def on_duty(intervals: list[dict[str, Any]], day: date, minute: int) -> bool:
    """Whether one of the intervals holds a local moment, as Alertmanager reckons it."""
    for one in intervals:
        days = one.get("weekdays")
        fits = days is None or day.strftime("%A").lower() in days
        fits = fits and all(
            str(part) in one.get(name, [str(part)])
            for name, part in (("years", day.year), ("months", day.month), ("days_of_month", day.day))
        )
        if fits and any(time["start_time"] <= f"{minute // 60:02}:{minute % 60:02}" < time["end_time"] for time in one["times"]):
            return True
    return False


def test_duty_is_the_calendar_minute_by_minute() -> None:
    exceptions = {
        date(2026, 12, 24): ((510, 720),),
        date(2026, 12, 26): ((600, 660),),
        date(2026, 12, 31): (),
        date(2027, 1, 4): ((480, 1140),),
    }
    calendar = Calendar("Europe/Amsterdam", WEEK, [date(2026, 12, 25), date(2027, 1, 1)], exceptions)
    found = duty(WEEK, calendar.hours, MONDAY, "Europe/Amsterdam")
    for day in (MONDAY + timedelta(days=ahead) for ahead in range(28)):
        for minute in range(0, 1440, 15):
            there = any(start <= minute < end for start, end in calendar.hours(day))
            assert (on_duty(found.active, day, minute) and not on_duty(found.muted, day, minute)) == there, (day, minute)
    assert len([one for one in found.active if "weekdays" in one]) == 2, "days of the same hours stand together"


def test_duty_is_when_any_channel_is_open() -> None:
    assert union([((510, 720), (780, 1020)), ((480, 540),), ()]) == [(480, 720), (780, 1020)]


def test_duty_passes_grafana_and_alertmanager(tmp_path: Path) -> None:
    calendar = Calendar("Europe/Amsterdam", WEEK, [date(2026, 12, 25)])
    found = duty(WEEK, calendar.hours, MONDAY, "Europe/Amsterdam")
    assert not faults(yaml.safe_load(notifying.mute_times(found)))
    place = tmp_path / "alertmanager.yml"
    place.write_text(re.sub(r"url_file: \S+", "url: http://127.0.0.1:9/", notifying.alertmanager(METRIC_RULES, found)), encoding="utf-8")
    run(program("amtool"), "check-config", place)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (90, "1m30s"), (3600, "1h"), (86_400, "24h"), (5400, "1h30m")])
def test_times_are_written_as_both_read_them(seconds: int, text: str) -> None:
    assert period(seconds) == text
