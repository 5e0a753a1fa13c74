"""The rules as Grafana provisions them from files.

Three steps a rule. A asks for the labels and the value, so that an instance stays the same while its texts change. T asks the same with
the texts: a value whose labels include those of an instance goes with it, so that annotations can use them as labels of T (Grafana's
documentation, "Template annotations and labels"). C holds A against the threshold.

No data is `OK`: without rows nothing is the matter, and a storm of "no data" is what people ask to be spared. When ClickHouse does not
answer, instances stay as they are (`KeepLast`): `Error` would have Grafana call every alert that fires over after two intervals, and call
people again when ClickHouse is back, and `Alerting` would call a coordinator for a database. One rule, on figures that stand still, has
`Error`: an alert of its own (DatasourceError) that goes to who runs contactmeter.
"""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from dashboards.alerts.rule import VALUE, Rule, Severity, filled, period

FOLDER: Final = "contactmeter"
CLICKHOUSE: Final = "contactmeter"
RUNBOOKS: Final = "/public/contactmeter/operations.html"
_ASKED_S: Final = 600
"""Grafana wants a span of time with a question; no question of ours uses it."""
_ROOT: Final = '{{ reReplaceAll "/$" "" externalURL }}'
_EXPRESSIONS: Final = "__expr__"
_GROUPS: Final[dict[Severity, str]] = {"page": "roep", "info": "volg", "daily": "dagelijks", "none": "hartslag"}


def rules_file(rules: tuple[Rule, ...], org_id: int = 1) -> str:
    """The file of all rules, for one organisation of Grafana. A group has one interval."""
    groups: dict[tuple[Severity, int], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.severity, rule.interval_s), []).append(rule)
    found = [
        {
            "orgId": org_id,
            "name": f"{_GROUPS[severity]} {period(interval)}",
            "folder": FOLDER,
            "interval": period(interval),
            "rules": [content(rule) for rule in several],
        }
        for (severity, interval), several in groups.items()
    ]
    return dumped({"apiVersion": 1, "groups": found}, "Alert rules on ClickHouse.")


def content(rule: Rule) -> dict[str, Any]:
    """A rule as Grafana knows it."""
    ended = rule.ended or rule.title
    asked = [_question("A", projection(rule, rule.labels))]
    if rule.told:
        asked.append(_question("T", projection(rule, (*rule.labels, *rule.told))))
    return {
        "uid": f"contactmeter-{rule.id.replace('_', '-')}",
        "title": rule.title.nl,
        "condition": "C",
        "data": [*asked, _threshold(rule.threshold)],
        "noDataState": "OK",
        "execErrState": "Error" if rule.tells_errors else "KeepLast",
        "for": period(rule.for_s),
        "keepFiringFor": period(rule.keep_firing_s),
        "labels": rule.all_labels,
        "annotations": {
            "summary": _go(rule, rule.summary.nl),
            "description": _go(rule, rule.description.nl),
            "ended": _go(rule, ended.nl),
            "title_en": rule.title.en,
            "summary_en": _go(rule, rule.summary.en),
            "description_en": _go(rule, rule.description.en),
            "ended_en": _go(rule, ended.en),
            "board": _ROOT + filled(rule.path, lambda name: f"{{{{ urlquery $labels.{name} }}}}"),
            "runbook_url": f"{_ROOT}{RUNBOOKS}#{rule.anchor}",
        },
    }


def projection(rule: Rule, columns: tuple[str, ...]) -> str:
    """The rule's question with these columns as plain texts, and the value."""
    texts = "".join(f"CAST({name}, 'String') AS {name}, " for name in columns)
    return f"SELECT {texts}{VALUE} FROM ({rule.sql.strip()})"


def _go(rule: Rule, template: str) -> str:
    def write(name: str) -> str:
        if name == VALUE:
            return '{{ printf "%.0f" $values.A.Value }}'
        return f"{{{{ $labels.{name} }}}}" if name in rule.labels else f"{{{{ $values.T.Labels.{name} }}}}"

    return filled(template, write)


def _question(ref: str, sql: str) -> dict[str, Any]:
    return {
        "refId": ref,
        "datasourceUid": CLICKHOUSE,
        "relativeTimeRange": {"from": _ASKED_S, "to": 0},
        "model": {
            "refId": ref,
            "datasource": {"type": "grafana-clickhouse-datasource", "uid": CLICKHOUSE},
            "editorType": "sql",
            "queryType": "table",
            "format": 1,
            "pluginVersion": "4.20.0",
            "rawSql": sql,
        },
    }


def _threshold(limit: float) -> dict[str, Any]:
    return {
        "refId": "C",
        "datasourceUid": _EXPRESSIONS,
        "relativeTimeRange": {"from": 0, "to": 0},
        "model": {
            "refId": "C",
            "datasource": {"type": _EXPRESSIONS, "uid": _EXPRESSIONS},
            "type": "threshold",
            "expression": "A",
            "conditions": [{"evaluator": {"type": "gt", "params": [limit]}}],
        },
    }


class _Block(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and nothing as an alias."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Block.add_representer(str, _text)


def dumped(what: Mapping[str, Any], about: str) -> str:
    """A generated YAML file, with a line that says so."""
    body = yaml.dump(what, Dumper=_Block, allow_unicode=True, sort_keys=False, width=160)
    return f"# {about} Written by `python -m dashboards.generate`: change dashboards/alerts instead.\n{body}"
