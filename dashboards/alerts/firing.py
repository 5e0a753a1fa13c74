"""What fires now, for whoever has no Grafana that says so: the alert rules asked as often as they say, by the board itself."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from dashboards.alerts.evaluating import Alert, Evaluator
from dashboards.alerts.rule import VALUE, MetricRule, Rule
from dashboards.alerts.rules import METRIC_RULES, RULES
from dashboards.reading.macros import Span
from dashboards.reading.metrics import Metrics
from pipeline.store.boards_reading import Column
from schemas.errors import ContactmeterError, InvalidConfiguration
from schemas.words import Language

log = logging.getLogger(__name__)

TICK_S = 2.0
SHOWN = ("page", "daily")
"""Severities that a board shows: not the heartbeats, nor the line that all is quiet."""


class Firing:
    """The rules' evaluators, and what they said last."""

    def __init__(self, ask: Callable[[str], Awaitable[list[Column]]], metrics: Metrics) -> None:
        self._ask, self._metrics = ask, metrics
        self._follows = {rule.name: rule.follows for rule in METRIC_RULES}
        rules = [*(rule for rule in RULES if rule.severity in SHOWN), *(_rule(rule) for rule in METRIC_RULES if rule.severity in SHOWN)]
        self._evaluators = [Evaluator(rule) for rule in rules]
        self._due = dict.fromkeys((rule.id for rule in rules), 0.0)
        self._alerts: dict[str, list[Alert]] = {}

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """Ask for as long as the application runs (aiohttp's cleanup context)."""
        task = asyncio.create_task(self._run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def of(self, organisation: str, language: Language) -> dict[str, Any]:
        """What fires for an organisation and for the pipeline, what calls somebody first; and why a rule could not be asked."""
        firing = [alert for told in self._alerts.values() for alert in told if alert.fires]
        rules = {alert.rule for alert in firing}
        shown = [
            {
                "rule": alert.rule,
                "severity": alert.labels["severity"],
                "incident": alert.labels.get("incident", ""),
                "title": alert.summary.of(language),
                "text": alert.description.of(language),
                "url": re.sub(r"-nl(?=\?|$)", f"-{language}", alert.path),
                "since": alert.fired_at,
            }
            for alert in firing
            if alert.labels.get("organisation", organisation) == organisation and rules.isdisjoint(self._follows.get(alert.rule, ()))
        ]
        shown.sort(key=lambda one: (SHOWN.index(str(one["severity"])), one["since"]))
        errors = sorted({one.error for one in self._evaluators if one.error})
        return {"alerts": shown, "problem": errors[0] if errors else "", "read": len(self._alerts) == len(self._evaluators)}

    async def _run(self) -> None:
        while True:
            for evaluator in self._evaluators:
                rule = evaluator.rule
                if time.monotonic() >= self._due[rule.id]:
                    self._due[rule.id] = time.monotonic() + rule.interval_s
                    self._alerts[rule.id] = await self._read(evaluator)
            await asyncio.sleep(TICK_S)

    async def _read(self, evaluator: Evaluator) -> list[Alert]:
        try:
            return evaluator.read(await self._rows(evaluator.rule), _now_ms())
        except ContactmeterError as error:
            return evaluator.failed(str(error), _now_ms())
        except Exception as error:  # a rule that is wrong must not silence the others
            log.exception("rule %s", evaluator.rule.id)
            return evaluator.failed(f"{evaluator.rule.id}: {error}", _now_ms())

    async def _rows(self, rule: Rule) -> list[dict[str, Any]]:
        if rule.id not in self._follows:
            columns = await self._ask(rule.sql)
            return [
                dict(zip((one.name for one in columns), row, strict=True)) for row in zip(*(one.values for one in columns), strict=True)
            ]
        now = _now_ms()
        try:
            found = await self._metrics.ask(rule.sql, Span(now - 60_000, now), 15_000)
        except InvalidConfiguration:  # about what is not there without a Prometheus
            return []
        return [
            {**dict.fromkeys(rule.labels, ""), **labels, VALUE: points[-1][1]} for labels, points in found if points[-1][0] > now - 30_000
        ]


def _rule(rule: MetricRule) -> Rule:
    """A rule on metrics as the evaluator takes it: every series of the answer alerts."""
    labels = ("instance", "organisation")
    return Rule(
        rule.name, rule.title, rule.severity, rule.anchor, rule.expr, labels, rule.title, rule.description,
        threshold=float("-inf"), interval_s=15, for_s=rule.for_s, keep_firing_s=rule.keep_firing_s, board="pipeline",
    )  # fmt: skip


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
