"""A rule asked of a real ClickHouse as a board user, by an evaluator whose clock goes on with each reading instead of with the wall's."""

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from dashboards.alerts.evaluating import Alert, Evaluator
from dashboards.alerts.rules import rule
from pipeline.store.client import VIEWS, Connection, Unavailable, passing_errors
from tests.waiting import wait_until

MINUTE_MS = 60_000
PATIENCE_S = 300.0
"""A worker keeps what boards show in a tenth of its time: on a busy machine its round takes minutes."""


class Asked:
    """One rule for one organisation. `at`: the evaluator's clock, epoch ms, which begins now; each reading comes a whole interval later.

    So what fires here fires as late as it can where the rule is asked by the wall's clock. `alerts`: what the last reading told.
    """

    def __init__(self, name: str, organisation: str, board: Connection) -> None:
        self.rule = rule(name)
        self.evaluator = Evaluator(self.rule)
        self.at = now_ms()
        self.alerts: list[Alert] = []
        self._organisation, self._board = organisation, board

    def rows(self) -> list[Mapping[str, Any]]:
        """The instances as they are now. Raises Unavailable."""
        with closing(self._board.open(VIEWS)) as client, passing_errors(f"asking {self.rule.id}"):
            found = list(client.query(self.rule.sql).named_results())
        return [row for row in found if row.get("organisation") == self._organisation]

    def over(self) -> bool:
        """Whether any instance is above the threshold now."""
        return any(row["value"] > self.rule.threshold for row in self.rows())

    def read(self) -> list[Alert]:
        """The next reading; one that fails is told to the evaluator as such."""
        self.at += self.rule.interval_s * 1000
        try:
            self.alerts = self.evaluator.read(self.rows(), self.at)
        except Unavailable as error:
            self.alerts = self.evaluator.failed(str(error), self.at)
        return self.alerts

    def states(self) -> list[str]:
        """What the next reading tells."""
        return [alert.state for alert in self.read()]

    def fires(self, timeout: float = PATIENCE_S) -> Alert:
        """Wait for a row that justifies the only alert there is to be; it fires within a minute of that, by the evaluator's clock."""
        wait_until(self.over, f"a row of {self.rule.id} above its threshold", timeout, every=0.3)
        justified = self.at
        while not any(alert.fires for alert in self.read()):
            assert self.at - justified < MINUTE_MS + self.rule.for_s * 1000, f"{self.rule.id} does not fire: {self.alerts}"
        (alert,) = self.alerts
        assert alert.fired_at is not None
        took = alert.fired_at - justified
        assert took <= MINUTE_MS, f"{self.rule.id} fires {took} ms after the row that justifies it"
        print(f"{self.rule.id}: at most {took / 1000:.0f} s after its row, and {(now_ms() - justified) / 1000:.0f} s of the wall's clock")
        return alert

    def clears(self, timeout: float = PATIENCE_S) -> Alert:
        """Wait until nothing is above the threshold; the alert that ends, within a minute and what the rule goes on firing for."""
        wait_until(lambda: not self.over(), f"all rows of {self.rule.id} to be fine", timeout, every=0.3)
        fine = self.at
        while not [alert for alert in self.read() if alert.state == "resolved"]:
            assert self.at - fine < MINUTE_MS + self.rule.keep_firing_s * 1000, f"{self.rule.id} does not end: {self.alerts}"
        (alert,) = self.alerts
        assert self.read() == [], "it ends once"
        return alert

    def stays_quiet(self, seconds: int) -> None:
        """Nothing fires in so many seconds of the evaluator's clock."""
        end = self.at + seconds * 1000
        while self.at < end:
            assert not [alert for alert in self.read() if alert.fires], self.alerts


def now_ms() -> int:
    """Epoch ms."""
    return time.time_ns() // 1_000_000
