"""What an alert rule is: data, from which Grafana's and Prometheus' files are made, and what the local board and the command line ask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Final, Literal

from dashboards.words import Text

Severity = Literal["page", "daily", "info", "none"]
"""page: somebody is called now, on duty. daily: once a day, in the morning. info: to whoever follows along. none: the heartbeats."""

VALUE: Final = "value"
BOARDS: Final = "/d/contactmeter-{board}-nl"


@dataclass(frozen=True, slots=True)
class Rule:
    """A question to ClickHouse, of which every row is an instance that may alert.

    id: its name in labels and in Grafana. anchor: its section of docs/OPERATIONS.md. sql: over contactmeter_views; gives text columns and
    one number, `value`. An instance alerts while its value is above `threshold`; a row that does not is an instance that is fine, which
    ends an alert at once and with its last texts, where a row that is missing ends it two evaluations later. labels: the columns that
    tell instances apart; they stay the same for as long as one alerts. told: columns with texts that may change meanwhile.
    interval_s: how often it is asked. for_s: how long a value must be above the threshold first. keep_firing_s: how long it must be at
    most the threshold for the alert to end. fixed: labels of every instance. summary, description: texts in which `{column}` stands
    for a label, a told text or the value. ended: what is said when it is over; without it, the title. board: the name of the board that
    shows more, with variables from labels. tells_errors: whether it alerts when ClickHouse does not answer; one rule that does is enough.
    """

    id: str
    title: Text
    severity: Severity
    anchor: str
    sql: str
    labels: tuple[str, ...]
    summary: Text
    description: Text
    told: tuple[str, ...] = ()
    ended: Text | None = None
    threshold: float = 0.0
    interval_s: int = 30
    for_s: int = 0
    keep_firing_s: int = 0
    board: str = "now"
    fixed: Mapping[str, str] = field(default_factory=dict)
    tells_errors: bool = False

    @property
    def all_labels(self) -> dict[str, str]:
        """The labels that every instance has."""
        return {"rule": self.id, "severity": self.severity, **self.fixed}

    @property
    def path(self) -> str:
        """The address of its board, with `{label}` for what is shown there."""
        shown = [name for name in ("organisation", "channel", "team") if name in self.labels]
        asked = "&".join(f"var-{name}={{{name}}}" for name in shown)
        return BOARDS.format(board=self.board) + (f"?{asked}" if asked else "")


@dataclass(frozen=True, slots=True)
class MetricRule:
    """A question to Prometheus about the pipeline itself; every series of the answer is an instance that alerts.

    expr: in the part of PromQL that the local board knows too. follows: another of these rules that explains it; while that one alerts,
    nobody is told of this one. The rest as in Rule; in texts `{label}` and `{value}`.
    """

    name: str
    title: Text
    severity: Severity
    anchor: str
    expr: str
    description: Text
    for_s: int = 0
    keep_firing_s: int = 0
    follows: tuple[str, ...] = ()


def fields_of(template: str) -> set[str]:
    """The names that a text uses."""
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def filled(template: str, write: Callable[[str], str]) -> str:
    """A text in which `write` says what stands for each name."""
    return "".join(text + (write(name) if name else "") for text, name, _, _ in Formatter().parse(template))


def period(seconds: int) -> str:
    """A time as Grafana and Prometheus write it: 90s, 5m, 1h30m."""
    parts = [(seconds // 3600, "h"), (seconds % 3600 // 60, "m"), (seconds % 60, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
